"""The data of a page: JSON, compressed, in letters that no HTML parser can leave.

A block is JSON as UTF-8 (RFC 8259), gzip (RFC 1952), then base64 (RFC 4648, section 4) in a data element:

    <script type="application/gzip" id="sitewatch-data">H4sIAAAAAAAC/...</script>

A browser opens it with ``DecompressionStream``. Base64 has no ``<``, ``>`` or ``&``, so whatever a text
says, it stays inside its element. The time in the header is fixed: equal values give equal blocks.
"""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

BLOCK_TYPE = "application/gzip"
"""RFC 6713; `maps.offline` lets an element of this type hold base64 and nothing else."""

LEVEL = 9
_OS_UNKNOWN = 255

CHUNK_BYTES = 256 * 1024
"""Of JSON: small enough to be opened between two frames, large enough to compress well."""


def json_bytes(value: Any) -> bytes:  # noqa: ANN401 - any JSON value
    """Return JSON; lone surrogates, which UTF-8 can't hold, become U+FFFD."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return orjson.dumps(_without_surrogates(value))


def _without_surrogates(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    return value


def packed(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """Return the text of a block.

    >>> unpacked(packed({"name": "</script>"}))
    {'name': '</script>'}
    """
    return packed_json(json_bytes(value))


def packed_json(text: bytes) -> str:
    """Return the text of a block for JSON that was written already."""
    member = bytearray(gzip.compress(text, compresslevel=LEVEL, mtime=0))
    member[9] = _OS_UNKNOWN  # else the header names the operating system (RFC 1952, section 2.3.1)
    return base64.b64encode(member).decode("ascii")


def unpacked(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return what a block says."""
    return orjson.loads(gzip.decompress(base64.b64decode(text, validate=True)))


def element(name: str, text: str) -> str:
    """Return the data element of a block; `name` is the id that ``openBlock`` asks for."""
    return f'<script type="{BLOCK_TYPE}" id="{name}">{text}</script>'


def chunks(rows: Iterable[Any], limit: int = CHUNK_BYTES) -> Iterator[tuple[int, bytes]]:
    """Yield JSON arrays of consecutive rows, each with the position of its first row.

    An array takes rows until it has `limit` bytes; one row may be longer than that.

    >>> list(chunks(["a", "b", "c"], limit=7))
    [(0, b'["a","b"]'), (2, b'["c"]')]
    >>> list(chunks([]))
    []
    """
    parts: list[bytes] = []
    first = size = 0
    for row in rows:
        parts.append(json_bytes(row))
        size += len(parts[-1]) + 1
        if size >= limit:
            yield first, _array(parts)
            first += len(parts)
            parts, size = [], 0
    if parts:
        yield first, _array(parts)


def _array(parts: list[bytes]) -> bytes:
    return b"[" + b",".join(parts) + b"]"
