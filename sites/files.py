"""Files from outside: how large they may be, and which encoding they are in."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from geo.errors import InputError, Where
from sites.errors import CatalogueError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES = 128 * 1024 * 1024
"""Of one file; 53,722 sites with five sourced notes each take 40 to 110 MB."""


def read_bounded(path: Path) -> bytes:
    """Return the content of a file.

    Raises:
        CatalogueError: It is not there, not a plain file, too large, or may not be read.
    """
    try:
        # Not to wait for the other end where it is a pipe; plain files don't mind.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        problem = "no such file" if missing else f"cannot be read: {error.strerror}"
        raise CatalogueError(problem, where=Where(file=str(path))) from error
    try:
        return _read_all(descriptor)
    except InputError as error:
        raise error.located(file=str(path)) from None
    finally:
        os.close(descriptor)


def _read_all(descriptor: int) -> bytes:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise CatalogueError("not a file")
    if status.st_size > MAX_BYTES:
        raise CatalogueError(f"larger than {MAX_BYTES // 2**20} MB", hint="Split the file")
    parts = []
    left = status.st_size
    while left > 0 and (part := os.read(descriptor, left)):
        parts.append(part)
        left -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def explain_encoding(data: bytes, file: str) -> None:
    """Refuse bytes that are not UTF-8, naming the encoding they seem to be in."""
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\x00" in data[:4]:
        raise CatalogueError("the file is in UTF-16", where=Where(file=file), hint="Save it as UTF-8")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        korean = _reads_as(data, "cp949")
        problem = "the file is not in UTF-8" + (" (it may be CP949, Korean Windows)" if korean else "")
        raise CatalogueError(problem, where=Where(file=file, line=line), hint="Save it as UTF-8") from None


def _reads_as(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
