"""Cloud Optimised GeoTIFFs of one band, made in memory: what GDAL's driver makes, without its detours.

TIFF 6.0; OGC 19-008r4 (GeoTIFF 1.1) for the keys; OGC 21-026 (COG) for the order: directory first, then the
tiles row by row. The text after the header and the eight bytes around each tile are those by which GDAL
tells a COG ("COG driver", GDAL documentation). Same pixels, same bytes, whichever GDAL is installed.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np

from imagery import tiles

if TYPE_CHECKING:
    from affine import Affine
    from numpy.typing import NDArray

_STRUCTURE = (
    b"LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n"
    b"BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "
)
_GHOST = b"GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n%s" % (len(_STRUCTURE), _STRUCTURE)

_LEADER_BYTES = 4

_ONE_TILE_PX = 128
_SMALL_TILE_PX, _LARGE_TILE_PX = 64, 128
_LARGE_RASTER_PX = 2048

_SHORT, _LONG, _ASCII, _DOUBLE = 3, 4, 2, 12
_CODES = {_SHORT: "H", _LONG: "I", _DOUBLE: "d"}
_SIZES = {_SHORT: 2, _LONG: 4, _DOUBLE: 8, _ASCII: 1}
_INLINE_BYTES = 4
"""A value of so many bytes stands in the directory itself; TIFF 6.0, section 2."""
_TILE_OFFSETS = 324

_FIRST_EPSG, _LAST_EPSG = 1024, 32766
"""Codes that a key can hold; GeoTIFF 1.1, section 7.4."""


def tile_side(shape: tuple[int, int]) -> int:
    """Return the side of the tiles of a raster of ``(rows, columns)``.

    A site's window crosses a few tiles and has to unpack all of each, so small ones are read fastest; they
    cost some hundredths of the size. Small rasters are one tile.

    >>> tile_side((61, 61)), tile_side((512, 400)), tile_side((10980, 10980))
    (64, 64, 128)
    """
    longest = max(shape)
    if longest <= _ONE_TILE_PX:
        return -(-longest // 16) * 16
    return _SMALL_TILE_PX if longest <= _LARGE_RASTER_PX else _LARGE_TILE_PX


@lru_cache(maxsize=64)
def key_of_crs(crs: str) -> int | None:
    """Return the number that stands for a projected CRS in a file, or None where it has none.

    >>> key_of_crs("EPSG:32652"), key_of_crs("EPSG:4326")
    (32652, None)
    """
    from pyproj import CRS  # noqa: PLC0415 - readers of the archive don't need it

    authority, _, code = crs.partition(":")
    if authority != "EPSG" or not code.isdecimal() or not _FIRST_EPSG <= int(code) <= _LAST_EPSG:
        return None
    # A compound CRS is projected too, and its code means something else in this place.
    return int(code) if CRS.from_epsg(int(code)).type_name == "Projected CRS" else None


def cog(
    pixels: NDArray[Any],
    *,
    crs_key: int,
    transform: Affine,
    nodata: float | None,
    scale: float | None,
    offset: float,
    name: str,
) -> bytes:
    """Return the file of one band, without overviews, losslessly.

    Args:
        pixels: ``(y, x)``, integers or floats of at most 32 bits, or float64.
        crs_key: From `key_of_crs`.
        transform: North up.
        nodata: Value of pixels without data.
        scale: Reflectance of one count, or None for uncalibrated counts.
        offset: Reflectance of count zero.
        name: Description of the band.
    """
    rows, columns = pixels.shape
    side = tile_side(pixels.shape)
    predictor = tiles.predictor_of(pixels.dtype)
    streams = [
        stream
        for top in range(0, rows, side)
        for stream in tiles.deflated(tiles.cut(pixels[top : top + side], side), predictor)
    ]
    sizes = [len(stream) for stream in streams]
    fields: list[tuple[int, int, Any]] = [
        (256, _LONG, [columns]),
        (257, _LONG, [rows]),
        (258, _SHORT, [8 * pixels.dtype.itemsize]),
        (259, _SHORT, [8]),  # Adobe deflate
        (262, _SHORT, [1]),  # dark is low
        (277, _SHORT, [1]),
        (284, _SHORT, [1]),
        (317, _SHORT, [predictor]),
        (322, _SHORT, [side]),
        (323, _SHORT, [side]),
        (_TILE_OFFSETS, _LONG, [0] * len(sizes)),  # known once the directory is
        (325, _LONG, sizes),
        (339, _SHORT, [{"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]]),
        (33550, _DOUBLE, [transform.a, -transform.e, 0.0]),
        (33922, _DOUBLE, [0.0, 0.0, 0.0, transform.c, transform.f, 0.0]),
        (34735, _SHORT, _geo_keys(crs_key)),
        (42112, _ASCII, _metadata(scale, offset, name)),
    ]
    if nodata is not None:
        fields.append((42113, _ASCII, f"{nodata:.17g}"))
    return _file(fields, streams)


def _geo_keys(crs_key: int) -> list[int]:
    # Version, revisions and count; then a projected model, pixels that are areas, the CRS, its unit: metre.
    keys = [(1024, 1), (1025, 1), (3072, crs_key), (3076, 9001)]
    return [1, 1, 0, len(keys)] + [part for key, value in keys for part in (key, 0, 1, value)]


def _metadata(scale: float | None, offset: float, name: str) -> str:
    items = [("DESCRIPTION", "description", name)]
    if scale is not None:
        items = [("OFFSET", "offset", repr(offset)), ("SCALE", "scale", repr(scale)), *items]
    # GDAL escapes twice and takes both back when it reads.
    lines = [
        f'  <Item name="{tag}" sample="0" role="{role}">{escape(escape(text))}</Item>\n'
        for tag, role, text in items
    ]
    return f"<GDALMetadata>\n{''.join(lines)}</GDALMetadata>\n"


def _file(fields: list[tuple[int, int, Any]], streams: list[bytes]) -> bytes:
    start = _even(8 + len(_GHOST))
    values_at = start + 2 + 12 * len(fields) + 4
    packed = {tag: _packed(kind, value) for tag, kind, value in fields}
    data_at = values_at + sum(_even(len(data)) for data in packed.values() if len(data) > _INLINE_BYTES)
    sizes = np.array([len(stream) for stream in streams], dtype=np.int64)
    steps = np.concatenate([[0], np.cumsum(sizes[:-1] + 2 * _LEADER_BYTES)])
    packed[_TILE_OFFSETS] = _packed(_LONG, data_at + _LEADER_BYTES + steps)
    directory, values = [struct.pack("<H", len(fields))], []
    for tag, kind, _ in fields:
        data = packed[tag]
        count = len(data) // _SIZES[kind]
        if len(data) > _INLINE_BYTES:
            directory.append(struct.pack("<HHII", tag, kind, count, values_at))
            values.append(data.ljust(_even(len(data)), b"\0"))
            values_at += len(values[-1])
        else:
            directory.append(struct.pack("<HHI4s", tag, kind, count, data))
    head = struct.pack("<4sI", b"II*\x00", start) + _GHOST
    blocks = (part for each in streams for part in (struct.pack("<I", len(each)), each, each[-4:]))
    return b"".join([head.ljust(start, b"\0"), *directory, b"\0\0\0\0", *values, *blocks])


def _packed(kind: int, value: Any) -> bytes:  # noqa: ANN401 - numbers or text
    if kind == _ASCII:
        return str(value).encode() + b"\0"
    return struct.pack(f"<{len(value)}{_CODES[kind]}", *value)


def _even(length: int) -> int:
    return length + length % 2
