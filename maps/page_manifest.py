"""What was published, file by file: so that one can tell a page that was changed since from one that was not.

manifest.json       beside the pages: path, size and SHA-256 of each
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from geo.durable import write_bytes
from geo.errors import Where
from maps.errors import PageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

MANIFEST_FILE = "manifest.json"


@dataclass(frozen=True, slots=True)
class PageFile:
    """One published file."""

    path: str
    """Below the folder of the pages, with forward slashes."""
    bytes: int
    sha256: str


def write_manifest(folder: Path, files: Iterable[Path]) -> Path:
    """Write what was published into `folder`, whole or not at all; equal pages give equal bytes.

    Args:
        folder: Of the pages.
        files: All that was written, below it.
    """
    return write_rows(folder, [described(folder, path.relative_to(folder).as_posix()) for path in files])


def write_rows(folder: Path, rows: Iterable[PageFile]) -> Path:
    """Write a manifest of files that are described already; see `write_manifest`."""
    ordered = sorted(rows, key=lambda each: each.path)
    document = {
        "files": [{"path": each.path, "bytes": each.bytes, "sha256": each.sha256} for each in ordered]
    }
    path = folder / MANIFEST_FILE
    write_bytes(path, orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return path


def read_manifest(folder: Path) -> tuple[PageFile, ...] | None:
    """Return what was published into `folder`; None where no manifest is.

    Raises:
        PageError: The manifest is damaged.
    """
    path = folder / MANIFEST_FILE
    try:
        rows = orjson.loads(path.read_bytes())["files"]
        return tuple(PageFile(str(row["path"]), int(row["bytes"]), str(row["sha256"])) for row in rows)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise PageError(f"damaged manifest of pages: {error}", where=Where(str(path))) from error


def fault_of(folder: Path, page: PageFile, *, quick: bool = False) -> str:
    """Return what is wrong with a published file, in words; empty when nothing is.

    Args:
        folder: Of the pages.
        page: As the manifest lists it.
        quick: Its size will do.
    """
    path = folder / page.path
    if not path.is_file():
        return "it was published, and is gone"
    size = path.stat().st_size
    if size != page.bytes:
        return f"it has {size:,} bytes, and had {page.bytes:,} when it was published"
    if not quick and described(folder, page.path).sha256 != page.sha256:
        return "it was changed since it was published"
    return ""


def described(folder: Path, path: str) -> PageFile:
    """Return size and digest of a file.

    Args:
        folder: Of the pages.
        path: Below it, with forward slashes.
    """
    with (folder / path).open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = os.fstat(stream.fileno()).st_size
    return PageFile(path, size, digest)
