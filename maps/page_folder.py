"""A folder of pages that changes whole or not at all, and in which nothing is touched that is not ours.

Everything is written to a staging folder first. Only when all of it is there are files renamed into place,
those alone that differ; then what an earlier publication left behind is removed. What is ours is what the
manifest lists: it lists the new files before the first of them is in place, so that a crash in between leaves
nothing that nobody would ever remove.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from geo.durable import PART_SUFFIX, fsync_directory
from geo.errors import Where
from maps.errors import PageError
from maps.page_manifest import MANIFEST_FILE, PageFile, described, fault_of, read_manifest, write_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

INDEX = "index.html"
_STAGING = ".pages."
_FLUSHES = 8
_OURS = (b"Made with sitewatch", b'id="sitewatch-data"')
"""One of these stands in every index of ours, of any version."""


@dataclass(frozen=True, slots=True)
class Swapped:
    """What publishing did to a folder."""

    written: tuple[str, ...] = ()
    """Paths of files that are new or differ from before."""
    kept: int = 0
    """Files that were there already, byte for byte."""
    removed: tuple[str, ...] = ()
    """Paths of files that an earlier publication wrote and that have no place any more."""
    left: tuple[str, ...] = ()
    """Such files that somebody changed since; they are no longer listed, and stay."""


@dataclass(slots=True)
class PageFolder:
    """The pages of one publication while they are being made."""

    folder: Path
    _staging: Path
    _rows: dict[str, PageFile | None] = field(default_factory=dict)
    """By path; None for what another library writes, until it has."""
    _staged: set[str] = field(default_factory=set)
    """Paths of what is not in its place already."""
    swapped: Swapped = field(default_factory=Swapped)
    """What came of it, once the block has ended."""

    def write(self, path: str, data: bytes | str) -> None:
        """Add a file; one that is there with the same bytes is not written again.

        Args:
            path: Below the folder, with forward slashes.
            data: Its bytes, or its text, which is written in UTF-8.

        Raises:
            PageError: A file of this path was added before, or the path leads elsewhere.
        """
        content = data.encode() if isinstance(data, str) else data
        self._claim(path)
        self._rows[path] = PageFile(path, len(content), hashlib.sha256(content).hexdigest())
        place = self.folder / path
        if not (place.is_file() and not place.is_symlink() and _holds(place, content)):
            self._room(path).write_bytes(content)

    def stage(self, path: str) -> Path:
        """Return where another library is to write a file; it moves to `path` with the others."""
        self._claim(path)
        return self._room(path)

    def _claim(self, path: str) -> None:
        if not is_inner(path) or path == MANIFEST_FILE:
            raise PageError(f"a page can't be written to {path[:80]!r}")
        if path in self._rows:
            raise PageError(f"two pages want to be {path!r}", where=Where(str(self.folder)))
        self._rows[path] = None

    def _room(self, path: str) -> Path:
        self._staged.add(path)
        staged = self._staging / path
        staged.parent.mkdir(parents=True, exist_ok=True)
        return staged

    def _swap(self) -> Swapped:
        rows = [row or described(self._staging, path) for path, row in self._rows.items()]
        for row in rows:
            if row.path in self._staged and not fault_of(self.folder, row):
                self._staged.remove(row.path)  # a library's file that came out as it was
        # The index comes last: its links lead to what is there.
        staged = sorted(self._staged, key=lambda path: (path == INDEX, path))
        before = _listed(self.folder)
        _require_ours(self.folder, staged, before)
        stale = [row for path, row in before.items() if path not in self._rows]
        _flush(self._staging / path for path in staged)
        if staged or stale:
            write_rows(self.folder, [*rows, *stale])
        for path in staged:
            place = self.folder / path
            place.parent.mkdir(parents=True, exist_ok=True)
            (self._staging / path).replace(place)
        removed, left = _remove(self.folder, stale)
        _flush_folders(self.folder, [*staged, *removed])
        write_rows(self.folder, rows)
        return Swapped(tuple(sorted(staged)), len(rows) - len(staged), tuple(removed), tuple(left))


@contextmanager
def replacing_pages(folder: Path) -> Iterator[PageFolder]:
    """Yield a publication that takes the place of the one in `folder` when the block ends without an error.

    Raises:
        PageError: Another process publishes here, or a file that is not ours is in the way.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _sole(folder):
        for leftover in folder.glob(f"{_STAGING}*{PART_SUFFIX}"):
            shutil.rmtree(leftover, ignore_errors=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=_STAGING, suffix=PART_SUFFIX) as staging:
            pages = PageFolder(folder, folder / staging)
            yield pages
            pages.swapped = pages._swap()  # noqa: SLF001 - nobody else may


def is_inner(path: str) -> bool:
    """Tell whether a path with forward slashes stays in its folder, on any system."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not (path.startswith("/") or {"\\", ":", "\0"} & set(path) or ".." in parts)


@contextmanager
def _sole(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            where = Where(str(folder))
            raise PageError(
                "pages are being published here", where=where, hint="Wait until it ends"
            ) from error
        yield
    finally:
        os.close(descriptor)


def _listed(folder: Path) -> dict[str, PageFile]:
    try:
        rows = read_manifest(folder)
    except PageError:
        rows = None  # then nothing is known to be ours, and nothing is removed
    return {row.path: row for row in rows or () if is_inner(row.path)}


def _require_ours(folder: Path, wanted: Iterable[str], before: dict[str, PageFile]) -> None:
    """Refuse to write over what no publication is known to have made.

    Without a manifest, as earlier versions left it, an index of ours says that the folder is.
    """
    strange = [path for path in wanted if path not in before and os.path.lexists(folder / path)]
    if not strange or (not before and _is_ours(folder / INDEX)):
        return
    raise PageError(
        "there is a file here that is no page of ours, and it would be lost",
        where=Where(str(folder / strange[0])),
        hint="Name another folder with --out, or move it away",
    )


def _is_ours(index: Path) -> bool:
    if not index.is_file():
        return False
    page = index.read_bytes()
    return any(mark in page for mark in _OURS)


def _holds(place: Path, content: bytes) -> bool:
    return place.stat().st_size == len(content) and place.read_bytes() == content


def _flush(files: Iterable[Path]) -> None:
    # Flushes that are asked for at once share the disk's work: thousands one by one take many times as long.
    with ThreadPoolExecutor(_FLUSHES) as threads:
        list(threads.map(_flush_one, files))


def _flush_one(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _flush_folders(folder: Path, paths: Iterable[str]) -> None:
    for parent in {(folder / path).parent for path in paths} | {folder}:
        if parent.is_dir():
            fsync_directory(parent)


def _remove(folder: Path, stale: Iterable[PageFile]) -> tuple[list[str], list[str]]:
    """Remove what was published and is not any more; return what went, and what somebody changed."""
    removed: list[str] = []
    left: list[str] = []
    root = folder.resolve()
    for row in sorted(stale, key=lambda each: each.path):
        place = folder / row.path
        if place.is_symlink() or not place.is_file() or not place.resolve().is_relative_to(root):
            continue
        if fault_of(folder, row):
            left.append(row.path)
            continue
        place.unlink()
        removed.append(row.path)
    for parent in sorted({(folder / path).parent for path in removed} - {folder}, reverse=True):
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
    return removed, left
