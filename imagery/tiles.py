"""The tiles of a TIFF: their pixels differenced, deflated, and back.

TIFF 6.0, section 14 (horizontal differencing, predictor 2), and Adobe Photoshop TIFF Technical Note 3
(floating point, predictor 3). Little-endian samples, one to a pixel, ``II`` files.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PLAIN, HORIZONTAL, FLOATING_POINT = 1, 2, 3
"""Values of the Predictor tag."""

_LEVEL = 6
_WINDOW_BITS = 15
_MEMORY = 9


def _inflater() -> Any:  # noqa: ANN401 - one of two modules with the functions of zlib
    try:
        from isal import isal_zlib  # noqa: PLC0415 - may have no wheel for a rare machine
    except ImportError:
        return zlib
    return isal_zlib


_INFLATER = _inflater()
"""Intel's library takes 17 us for a tile where zlib takes 45. Only to inflate: what that gives is the same on
every machine, what deflates best is not."""


def predictor_of(dtype: np.dtype[Any]) -> int:
    """Return the predictor that suits a type of pixels."""
    return FLOATING_POINT if dtype.kind == "f" else HORIZONTAL


def cut(pixels: NDArray[Any], side: int) -> NDArray[Any]:
    """Return the square tiles that cover ``(y, x)``, row by row, ``(tile, side, side)``.

    What lies outside repeats the last row and column, which costs least once differenced.
    """
    rows, columns = pixels.shape
    down, across = -(-rows // side), -(-columns // side)
    padded = np.empty((down * side, across * side), pixels.dtype)
    padded[:rows, :columns] = pixels
    padded[:rows, columns:] = pixels[:, -1:]
    padded[rows:] = padded[rows - 1]
    return padded.reshape(down, side, across, side).swapaxes(1, 2).reshape(-1, side, side)


def deflated(tiles: NDArray[Any], predictor: int) -> list[bytes]:
    """Return each of ``(tile, y, x)`` as a zlib stream.

    Filtered: zlib's word for differences, in which short matches are chance. Real images of Landsat,
    Sentinel-1 and Sentinel-2 come out 2 to 9 % smaller than by its default, in the same time. Differences of
    16-bit counts repeat in runs or not at all: without any search they are as small, in half the time.
    """
    streams = []
    strategy = zlib.Z_RLE if tiles.dtype == np.uint16 else zlib.Z_FILTERED
    for tile in _differenced(tiles, predictor):
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, _WINDOW_BITS, _MEMORY, strategy)
        streams.append(packer.compress(tile) + packer.flush())
    return streams


def inflated(stream: bytes, size: int) -> bytes | None:
    """Return the bytes of a tile; None where its stream is damaged or of another size.

    Args:
        stream: Of zlib.
        size: Of the tile in bytes.
    """
    # One byte more than there may be: then its checksum is met, and a bomb stops there.
    unpacker = _INFLATER.decompressobj()
    try:
        data: bytes = unpacker.decompress(stream, size + 1)
    except _INFLATER.error:
        return None
    return data if len(data) == size and unpacker.eof else None


def summed(stored: NDArray[np.uint8], dtype: np.dtype[Any], predictor: int) -> NDArray[Any]:
    """Return the pixels of rows of tiles, ``(..., x)``.

    Args:
        stored: ``(..., byte)``: the last axis is a row of a tile as it was inflated.
        dtype: Of a pixel, little-endian.
        predictor: Value of the tag.
    """
    if predictor == FLOATING_POINT:
        planes = np.cumsum(stored, axis=-1, dtype=np.uint8)
        planes = planes.reshape(*stored.shape[:-1], dtype.itemsize, -1)
        samples = np.ascontiguousarray(planes.swapaxes(-1, -2)).view(dtype.newbyteorder(">"))
        return samples[..., 0].astype(dtype)
    values = stored.view(f"<u{dtype.itemsize}")
    if predictor == HORIZONTAL:
        values = np.cumsum(values, axis=-1, dtype=values.dtype)
    return values.view(dtype)


def _differenced(tiles: NDArray[Any], predictor: int) -> NDArray[Any]:
    count, rows, columns = tiles.shape
    size = tiles.dtype.itemsize
    if predictor == PLAIN:
        return np.ascontiguousarray(tiles, tiles.dtype.newbyteorder("<"))
    if predictor == HORIZONTAL:
        values = np.ascontiguousarray(tiles, tiles.dtype.newbyteorder("<")).view(f"<u{size}")
    else:
        # The most significant bytes of a row first, then the next ones.
        shuffled = tiles.astype(tiles.dtype.newbyteorder(">")).view(np.uint8)
        planes = shuffled.reshape(count, rows, columns, size).swapaxes(2, 3)
        values = planes.reshape(count, rows, columns * size)
    out = values.copy()
    out[..., 1:] -= values[..., :-1]
    return out
