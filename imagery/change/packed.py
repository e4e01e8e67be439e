"""Plain values and named arrays as bytes: exact, the same bytes for the same content, refused when damaged.

8 bytes magic, lengths of header and arrays (uint32, uint64), CRC-32 of both (uint32), all little-endian
header: JSON with sorted keys: "values", and "arrays" as [name, type, shape] in their order
arrays: their elements, little-endian, C order, one after the other
"""

from __future__ import annotations

import math
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from imagery.errors import StateError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

MAGIC = b"SWSTATE1"

_PREFIX = struct.Struct("<8sIQI")
MIN_BYTES = _PREFIX.size
"""Nothing that is packed is shorter."""

_MAX_HEADER = 16 * 2**20
_TYPES = ("<f4", "<f8", "|b1", "|i1", "|u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8")
_MAX_AXES = 8


def pack(values: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """Return the bytes of plain values and named arrays.

    Args:
        values: What JSON can say exactly: text keys, whole numbers below 2^63, finite floats.
        arrays: Of numbers or booleans.

    Raises:
        TypeError: A value or an array is of another kind.
    """
    ordered = {name: _little_endian(name, arrays[name]) for name in sorted(arrays)}
    table = [[name, array.dtype.str, list(array.shape)] for name, array in ordered.items()]
    header = orjson.dumps({"arrays": table, "values": values}, option=orjson.OPT_SORT_KEYS)
    checksum = zlib.crc32(header)
    for array in ordered.values():
        checksum = zlib.crc32(array.data if array.size else b"", checksum)
    length = sum(array.nbytes for array in ordered.values())
    prefix = _PREFIX.pack(MAGIC, len(header), length, checksum)
    return b"".join([prefix, header, *(array.data if array.size else b"" for array in ordered.values())])


def name_of(data: bytes) -> str:
    """Return a name for what `pack` returned: the checksum that it holds, and its length."""
    return f"{_PREFIX.unpack_from(data)[3]:08x}-{len(data)}"


def unpack(data: bytes | memoryview) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Return the values and arrays that `pack` was given; the arrays are copies.

    Nothing is allocated from what the bytes claim before it is known to agree with their length.

    Raises:
        StateError: The bytes are not those that were packed.
    """
    view = memoryview(data)
    if len(view) < _PREFIX.size or view[:8] != MAGIC:
        raise _damaged("it does not begin like one")
    _, header_length, length, checksum = _PREFIX.unpack_from(view)
    body = view[_PREFIX.size :]
    if header_length > _MAX_HEADER or header_length + length != len(body):
        raise _damaged(f"it has {len(view)} bytes, not as many as it says")
    if zlib.crc32(body) != checksum:
        raise _damaged("its checksum is another one")
    try:
        header = orjson.loads(body[:header_length])
        values, table = header["values"], header["arrays"]
        arrays = _arrays(table, body[header_length:])
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
        raise _damaged(f"its header can't be read ({error})") from error
    if not isinstance(values, dict):
        raise _damaged("its header holds no values")
    return values, arrays


def _little_endian(name: str, array: NDArray[Any]) -> NDArray[Any]:
    plain = np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    if plain.dtype.str not in _TYPES:
        message = f"{name}: arrays of {array.dtype} can't be packed"
        raise TypeError(message)
    return plain


def _arrays(table: list[Any], body: memoryview) -> dict[str, NDArray[Any]]:
    found: dict[str, NDArray[Any]] = {}
    start = 0
    for name, kind, shape in table:
        if not isinstance(name, str) or name in found or kind not in _TYPES or len(shape) > _MAX_AXES:
            message = f"array {name!r} of {kind!r}"
            raise ValueError(message)
        if not all(type(length) is int and length >= 0 for length in shape):
            message = f"shape of {name!r}"
            raise ValueError(message)
        end = start + math.prod(shape) * np.dtype(kind).itemsize
        if end > len(body):
            message = f"array {name!r} is longer than the bytes"
            raise ValueError(message)
        found[name] = np.frombuffer(body[start:end], dtype=kind).reshape(shape).copy()
        start = end
    if start != len(body):
        message = f"{len(body) - start} bytes belong to no array"
        raise ValueError(message)
    return found


def _damaged(why: str) -> StateError:
    hint = "States are derived: delete it, and the looks are judged again"
    return StateError(f"this is no whole state of a site: {why}", hint=hint)
