"""Files from outside: how large they may be, and which encoding they are in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.errors import Where
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
    where = Where(file=str(path))
    if not path.exists():
        raise CatalogueError("no such file", where=where)
    if not path.is_file():
        raise CatalogueError("not a file", where=where)
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise CatalogueError(f"cannot be read: {error.strerror}", where=where) from error
    if len(data) > MAX_BYTES:
        problem = f"larger than {MAX_BYTES // 2**20} MB"
        raise CatalogueError(problem, where=where, hint="Split the file")
    return data


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
