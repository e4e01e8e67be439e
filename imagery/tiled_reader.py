"""Windows of the archive's own TIFFs without GDAL: a few reads of exactly the tiles that are needed.

It reads what `imagery.tiled_writer` and GDAL's COG driver write for the archive (little-endian, one band, one
image, tiled, deflated) and nothing else: for any file that is not so to the letter it returns None, and the
caller asks GDAL, which knows all others.

Nothing that a file says is believed: every offset and size is held against the size of the file, and a tile
unpacks to its own size or not at all. A damaged tile is an error, by its checksum; GDAL may pass over it.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from imagery import tiles
from imagery.errors import ImageError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

HEAD_BYTES = 2**14
"""Read at once: the directory, and of a small file everything."""

_MOST_ENTRIES = 64
_SIDES = range(16, 513, 16)
"""Sides of tiles that are taken; multiples of 16 by TIFF 6.0, section 15."""

_SLACK_BYTES = 1024
"""A stream may be a little larger than what it holds; twice as large it is no tile of ours."""

_GAP_BYTES = 64
"""Between tiles that lie one after the other: GDAL's COGs have eight bytes there."""

_ENTRY = struct.Struct("<HHI4s")
_TYPES: dict[int, np.dtype[Any]] = {3: np.dtype("<u2"), 4: np.dtype("<u4")}
"""SHORT and LONG; the directory's other types are only found in tags that are not read."""

_DTYPES: dict[tuple[int, int], np.dtype[Any]] = {
    (1, 8): np.dtype("<u1"),
    (1, 16): np.dtype("<u2"),
    (1, 32): np.dtype("<u4"),
    (2, 8): np.dtype("<i1"),
    (2, 16): np.dtype("<i2"),
    (2, 32): np.dtype("<i4"),
    (3, 32): np.dtype("<f4"),
    (3, 64): np.dtype("<f8"),
}
"""By SampleFormat and BitsPerSample."""

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 256, 257, 258, 259, 262
_SAMPLES, _PLANAR, _PREDICTOR = 277, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_BYTES, _SAMPLE_FORMAT = 322, 323, 324, 325, 339

_REQUIRED = {_COMPRESSION: 8, _PHOTOMETRIC: 1, _SAMPLES: 1, _PLANAR: 1}
"""Adobe deflate, dark is low, one band."""
_EXPECTED = frozenset(
    {
        *_REQUIRED,
        _WIDTH,
        _HEIGHT,
        _BITS,
        _TILE_WIDTH,
        _TILE_HEIGHT,
        _TILE_OFFSETS,
        _TILE_BYTES,
        _SAMPLE_FORMAT,
    }
)
_UNREAD = frozenset({33550, 33922, 34735, 34736, 34737, 42112, 42113})
"""Where it lies, GDAL's metadata and nodata: the archive's Items say the same."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """One field of the directory."""

    dtype: np.dtype[Any]
    count: int
    inline: bytes
    """The value itself, or the offset of the values where they take more than four bytes."""

    @property
    def value(self) -> int:
        """The one value."""
        return int(np.frombuffer(self.inline, self.dtype, 1)[0])


@dataclass(frozen=True, slots=True)
class _Layout:
    """How the pixels of a file are stored."""

    shape: tuple[int, int]
    tile: tuple[int, int]
    dtype: np.dtype[Any]
    predictor: int
    offsets: _Entry
    sizes: _Entry

    @property
    def tile_bytes(self) -> int:
        """Size of a tile once it is inflated."""
        return self.tile[0] * self.tile[1] * self.dtype.itemsize

    @property
    def across(self) -> int:
        """How many tiles stand beside each other."""
        return -(-self.shape[1] // self.tile[1])

    @property
    def down(self) -> int:
        """How many rows of tiles there are."""
        return -(-self.shape[0] // self.tile[0])


class _File:
    """The bytes of an open file, the first of them read."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._head = os.pread(descriptor, HEAD_BYTES, 0)
        self.size = os.fstat(descriptor).st_size

    def take(self, offset: int, length: int) -> bytes | None:
        """Return bytes of the file; None where they are not there."""
        if offset < 0 or length < 0 or offset + length > self.size:
            return None
        if offset + length <= len(self._head):
            return self._head[offset : offset + length]
        data = os.pread(self._descriptor, length, offset)
        return data if len(data) == length else None


def read_window(path: str | Path, shape: tuple[int, int], rows: slice, columns: slice) -> NDArray[Any] | None:
    """Return the pixels of a window, ``(y, x)``, in a writable array of their own type.

    Args:
        path: A file of one band.
        shape: Rows and columns that it must have.
        rows: Inside the file, not empty, start and stop given.
        columns: See `rows`.

    Returns:
        None where it is no file of the archive's own kind, or can't be opened.

    Raises:
        ImageError: It is one, and a tile of it is damaged or missing.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        file = _File(descriptor)
        directory = _directory(file)
        layout = None if directory is None else _layout(directory)
        if layout is None or layout.shape != shape:
            return None
        return _window(file, layout, rows, columns)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def _window(file: _File, layout: _Layout, rows: slice, columns: slice) -> NDArray[Any] | None:
    tall, wide = layout.tile
    down = range(rows.start // tall, -(-rows.stop // tall))
    across = range(columns.start // wide, -(-columns.stop // wide))
    parts: list[bytes] = []
    for row in down:
        places = _places(file, layout, row * layout.across + across.start, len(across))
        if (0, 0) in places:
            return None  # GDAL's way to leave out a tile without data
        parts += _inflated(file, layout, places)
    stored = np.frombuffer(b"".join(parts), np.uint8).reshape(len(down), len(across), tall, -1)
    lines = stored.swapaxes(1, 2).reshape(len(down) * tall, len(across), -1)
    top, left = down.start * tall, across.start * wide
    pixels = tiles.summed(lines[rows.start - top : rows.stop - top], layout.dtype, layout.predictor)
    inner = pixels.reshape(len(pixels), -1)[:, columns.start - left : columns.stop - left]
    return np.array(inner, layout.dtype.newbyteorder("="))


def _inflated(file: _File, layout: _Layout, places: list[tuple[int, int]]) -> list[bytes]:
    """Return the bytes of tiles, read at once where they lie one after the other."""
    for offset, size in places:
        if not 0 < size <= 2 * layout.tile_bytes + _SLACK_BYTES:
            raise _damaged(offset)
    start = min(offset for offset, _ in places)
    length = max(offset + size for offset, size in places) - start
    if length <= sum(size + _GAP_BYTES for _, size in places):
        run = file.take(start, length)
        streams = [run and run[offset - start : offset - start + size] for offset, size in places]
    else:
        streams = [file.take(offset, size) for offset, size in places]
    found = []
    for (offset, _), stream in zip(places, streams, strict=True):
        data = tiles.inflated(stream, layout.tile_bytes) if stream else None
        if data is None:
            raise _damaged(offset)
        found.append(data)
    return found


def _damaged(offset: int) -> ImageError:
    return ImageError(f"the tile at byte {offset:,} is damaged")


def _places(file: _File, layout: _Layout, first: int, count: int) -> list[tuple[int, int]]:
    """Return offset and size of tiles that stand beside each other."""
    offsets = _values(file, layout.offsets, first, count)
    sizes = _values(file, layout.sizes, first, count)
    if offsets is None or sizes is None:
        raise ImageError("the list of its tiles lies outside the file")
    return list(zip(offsets, sizes, strict=True))


def _values(file: _File, entry: _Entry, first: int, count: int) -> list[int] | None:
    size = entry.dtype.itemsize
    if entry.count * size <= len(entry.inline):
        data: bytes | None = entry.inline[first * size : (first + count) * size]
    else:
        (start,) = struct.unpack("<I", entry.inline)
        data = file.take(start + first * size, count * size)
    return None if data is None else np.frombuffer(data, entry.dtype).tolist()


def _directory(file: _File) -> bytes | None:
    """Return the fields of the first image and what follows them, undecoded."""
    head = file.take(0, 8)
    if head is None or head[:4] != b"II*\x00":
        return None
    (start,) = struct.unpack_from("<I", head, 4)
    counted = file.take(start, 2)
    number = 0 if counted is None else int.from_bytes(counted, "little")
    return file.take(start + 2, number * _ENTRY.size + 4) if 0 < number <= _MOST_ENTRIES else None


@lru_cache(maxsize=512)
def _layout(directory: bytes) -> _Layout | None:
    """Return how the pixels lie; the files of a series have a few directories among them."""
    entries = _entries(directory)
    if entries is None or any(entries[tag].value != value for tag, value in _REQUIRED.items()):
        return None
    dtype = _DTYPES.get((entries[_SAMPLE_FORMAT].value, entries[_BITS].value))
    predictor = entries[_PREDICTOR].value if _PREDICTOR in entries else tiles.PLAIN
    if dtype is None or predictor not in (tiles.PLAIN, tiles.predictor_of(dtype)):
        return None
    layout = _Layout(
        shape=(entries[_HEIGHT].value, entries[_WIDTH].value),
        tile=(entries[_TILE_HEIGHT].value, entries[_TILE_WIDTH].value),
        dtype=dtype,
        predictor=predictor,
        offsets=entries[_TILE_OFFSETS],
        sizes=entries[_TILE_BYTES],
    )
    if not all(side in _SIDES for side in layout.tile):
        return None
    count = layout.down * layout.across
    return layout if (layout.offsets.count, layout.sizes.count) == (count, count) else None


def _entries(directory: bytes) -> dict[int, _Entry] | None:
    """Return the fields by tag; None where there are others than the archive's files have."""
    if directory[-4:] != b"\0\0\0\0":  # another image follows
        return None
    entries: dict[int, _Entry] = {}
    for tag, kind, count, inline in _ENTRY.iter_unpack(directory[:-4]):
        if tag in _UNREAD:
            continue
        if tag in entries or kind not in _TYPES or count == 0:
            return None
        if count > 1 and tag not in (_TILE_OFFSETS, _TILE_BYTES):
            return None
        entries[tag] = _Entry(_TYPES[kind], count, inline)
    return entries if entries.keys() - {_PREDICTOR} == _EXPECTED else None
