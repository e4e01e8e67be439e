"""Writes that a crash never leaves half done: temporary name, fsync, rename.

The one module of `geo` that touches the disk. It stands at the bottom of the house because
`sites`, `imagery`, `maps` and `watch` all write files and none of them may import a sibling.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

if TYPE_CHECKING:
    from collections.abc import Iterator

PART_SUFFIX = ".part"
"""Ends the name of everything that is not finished yet; safe to delete when nothing is running."""


_READING_UMASK = threading.Lock()
"""Two threads at once would take each other's value for the process's, and leave it."""


def fsync_directory(path: Path) -> None:
    """Make the names inside a directory survive a power cut (POSIX `fsync` on the directory)."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream that takes the place of the file at `path` when the block ends without an error.

    The temporary file lies beside the target, so the rename stays on one file system.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART_SUFFIX)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o666 & ~_umask())
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno and error.filename is None:
            error.filename = str(path)  # a full disk does not say which file it was
        raise
    fsync_directory(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace the file at `path` by `data`, or leave it as it was."""
    with replacing(path) as stream:
        stream.write(data)


def write_text(path: Path, text: str) -> None:
    """Replace the file at `path` by `text` in UTF-8, or leave it as it was."""
    write_bytes(path, text.encode())


@contextmanager
def new_directory(path: Path, *, over_empty: bool = False) -> Iterator[Path]:
    """Yield an empty staging directory that becomes `path` when the block ends without an error.

    Every file in it is flushed before the rename, so `path` exists whole or not at all.

    Args:
        path: The directory to be.
        over_empty: It may be there when it is empty; it is replaced.

    Raises:
        FileExistsError: `path` is there already; nothing is written.
    """
    is_empty = over_empty and path.is_dir() and not path.is_symlink() and not any(path.iterdir())
    if (path.exists() or path.is_symlink()) and not is_empty:
        raise FileExistsError(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART_SUFFIX))
    try:
        yield staging
        _fsync_tree(staging)
        staging.chmod(0o777 & ~_umask())
        staging.rename(path)
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    fsync_directory(path.parent)


def sweep(directory: Path) -> int:
    """Delete what interrupted writes left below `directory`; return how many things went.

    Only call it while holding the lock of the thing that `directory` belongs to.
    """
    leftovers = [path for path in directory.rglob(f".*{PART_SUFFIX}") if path.exists()]
    for path in leftovers:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return len(leftovers)


def _fsync_tree(root: Path) -> None:
    for path in [*root.rglob("*"), root]:
        if path.is_dir():
            fsync_directory(path)
            continue
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _umask() -> int:
    # The process's umask can only be read by setting it; mkstemp ignores it and makes 0600.
    with _READING_UMASK:
        value = os.umask(0o022)
        os.umask(value)
    return value
