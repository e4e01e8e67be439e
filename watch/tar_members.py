"""A reader for the one kind of tar archive that `watch.backup` writes; anything else in one is refused.

POSIX.1-2001 (pax): blocks of 512 bytes, a header before each member, two empty blocks at the end. Only plain
files are read, and of pax records only `path` and `size`. It is written here because a backup may come from
anywhere: a general reader knows links, devices, sparse files and the extensions of three decades, allocates
what headers ask for, and takes a damaged header for the end.
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO

from watch.errors import BackupRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator

BLOCK_BYTES = 512

MAX_EXPANSION = 100
"""Of compressed bytes; JSON and text shrink to a tenth, a bomb to a thousandth."""

EXPANSION_ALLOWANCE_BYTES = 2**26
"""May come out of a file before its expansion is looked at."""

_CHUNK_BYTES = 2**20
_MAX_PAX_BYTES = 2**14
_GZIP_MAGIC = b"\x1f\x8b"
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"5": "a folder",
    b"6": "a pipe",
    b"g": "a global header",
    b"L": "a GNU long name",
    b"K": "a GNU long link",
    b"S": "a sparse file",
}
_PLAIN = frozenset({b"0", b"\0"})


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before a member."""

    path: str
    bytes: int


class TarMembers:
    """The members of a backup, one after the other; each must be read before the next."""

    def __init__(self, file: BinaryIO) -> None:
        """Take a file at its start, compressed or not."""
        self._source = _Bounded(file)

    def __iter__(self) -> Iterator[tuple[Header, Iterator[bytes]]]:
        """Yield each member with its content in pieces.

        Raises:
            BackupRefusedError: Something else than a plain file, a damaged or torn archive, a bomb.
        """
        while (block := self._source.take(BLOCK_BYTES)) != bytes(BLOCK_BYTES):
            header = self._header(block)
            pieces = self._content(header.bytes)
            yield header, pieces
            for _ in pieces:  # whatever the caller left
                pass
        self._require_end()

    def _header(self, block: bytes) -> Header:
        kind = _kind(block)
        records: dict[str, str] = {}
        if kind == b"x":
            size = _number(block[124:136])
            if size > _MAX_PAX_BYTES:
                raise BackupRefusedError(f"a header of {size:,} bytes; none is that long")
            records = _records(b"".join(self._content(size)))
            block = self._source.take(BLOCK_BYTES)
            kind = _kind(block)
        path = records.get("path") or _name(block)
        if kind not in _PLAIN:
            what = _KINDS.get(kind, f"a member of kind {kind!r}")
            raise BackupRefusedError(f"{path[:200]!r} is {what}; a backup holds plain files only")
        return Header(path, _decimal(records["size"]) if "size" in records else _number(block[124:136]))

    def _content(self, size: int) -> Iterator[bytes]:
        left = size
        while left:
            piece = self._source.take(min(left, _CHUNK_BYTES))
            left -= len(piece)
            yield piece
        self._source.take(-size % BLOCK_BYTES)

    def _require_end(self) -> None:
        # To the very end, because a compressed file has its checksum there.
        while rest := self._source.take(_CHUNK_BYTES, whole=False):
            if rest.strip(b"\0"):
                raise BackupRefusedError("there is something after its end")


class _Bounded:
    """The bytes of a file, unpacked where they are packed, and counted as they come."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        magic = file.read(len(_GZIP_MAGIC))
        file.seek(0)
        self._packed = magic == _GZIP_MAGIC
        self._stream = gzip.GzipFile(fileobj=file, mode="rb") if self._packed else file
        self._out = 0

    def take(self, size: int, *, whole: bool = True) -> bytes:
        """Return the next bytes: all that were asked for, or with `whole` unset what is left of them.

        Raises:
            BackupRefusedError: The file ends before, is damaged, or far more comes out than went in.
        """
        pieces = []
        left = size
        while left:
            piece = self._read(left)
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
        if whole and left:
            raise BackupRefusedError("the file ends too early", hint="It was not copied to its end")
        return b"".join(pieces)

    def _read(self, size: int) -> bytes:
        try:
            piece = self._stream.read(size)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise BackupRefusedError(f"its compression is damaged ({error})") from error
        self._out += len(piece)
        if self._packed and self._out > EXPANSION_ALLOWANCE_BYTES + MAX_EXPANSION * self._file.tell():
            raise BackupRefusedError(
                f"more than {MAX_EXPANSION} times its size comes out of it",
                hint="If it is yours, unpack it with gunzip and restore the .tar",
            )
        return piece


def _kind(block: bytes) -> bytes:
    """Return the kind of the member that a header stands before.

    Its sum is taken with the checksum's own field as spaces (POSIX.1-2017, pax, "ustar Interchange Format").
    """
    if len(block) < BLOCK_BYTES or _number(block[148:156]) != sum(block[:148] + b" " * 8 + block[156:]):
        raise BackupRefusedError("no tar archive, or a damaged one (a header's sum is wrong)")
    return block[156:157]


def _number(field: bytes) -> int:
    digits = field.strip(b" \0")
    try:
        return int(digits or b"0", 8) if digits.isdigit() or not digits else _no_number()
    except ValueError:
        return _no_number()


def _decimal(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else _no_number()  # noqa: PLR2004 - 64 bits


def _no_number() -> int:
    raise BackupRefusedError("no tar archive, or a damaged one (a header's number is none)")


def _name(block: bytes) -> str:
    name, prefix = (field.partition(b"\0")[0] for field in (block[:100], block[345:500]))
    return _text(prefix + b"/" + name if prefix else name)


def _records(data: bytes) -> dict[str, str]:
    """Return pax records: ``length key=value`` and a line end, the length that of the whole record."""
    found: dict[str, str] = {}
    while data:
        digits, _, _ = data.partition(b" ")
        length = _decimal(_text(digits))
        record, data = data[:length], data[length:]
        key, equals, value = record[len(digits) + 1 :].partition(b"=")
        if length <= len(digits) + 1 or not equals or not value.endswith(b"\n"):
            raise BackupRefusedError("no tar archive, or a damaged one (an extended header can't be read)")
        found[_text(key)] = _text(value[:-1])
    unknown = found.keys() - {"path", "size"}
    if unknown:
        raise BackupRefusedError(f"an extended header says {min(unknown)[:60]!r}; a backup's never does")
    return found


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BackupRefusedError("a member's name is not in UTF-8") from error
