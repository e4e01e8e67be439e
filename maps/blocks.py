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

CHUNK_BYTES = 512 * 1024
"""Of rows as JSON: small enough to be opened between two frames, large enough to compress well."""


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
    member = bytearray(gzip.compress(json_bytes(value), compresslevel=LEVEL, mtime=0))
    member[9] = _OS_UNKNOWN  # else the header names the operating system (RFC 1952, section 2.3.1)
    return base64.b64encode(member).decode("ascii")


def unpacked(text: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return what a block says."""
    return orjson.loads(gzip.decompress(base64.b64decode(text, validate=True)))


def element(name: str, text: str) -> str:
    """Return the data element of a block; `name` is the id that ``openBlock`` asks for."""
    return f'<script type="{BLOCK_TYPE}" id="{name}">{text}</script>'


def chunks(rows: Iterable[bytes], limit: int = CHUNK_BYTES) -> Iterator[list[bytes]]:
    """Yield runs of rows, written as JSON, of `limit` bytes or a row more; the last may be shorter.

    >>> list(chunks([b"1", b"22", b"333"], limit=3))
    [[b'1', b'22'], [b'333']]
    >>> list(chunks([]))
    []
    """
    run: list[bytes] = []
    size = 0
    for row in rows:
        run.append(row)
        size += len(row)
        if size >= limit:
            yield run
            run, size = [], 0
    if run:
        yield run
