"""Ids offered for names."""

from __future__ import annotations

import hashlib
import re
import unicodedata

import orjson

from sites.checks import is_id
from sites.romanisation import romanise

_MAX_LENGTH = 64
_OTHER = re.compile(r"[^a-z0-9]+")


def slug(name: str) -> str | None:
    """Return an id made of a name, hangul romanised; None where no letter is Latin or Korean.

    >>> slug("Komsan-ri Market")
    'komsan-ri-market'
    >>> slug("해방 시장"), slug("平壤")
    ('haebang-sijang', None)
    """
    plain = unicodedata.normalize("NFKD", romanise(name)).encode("ascii", "ignore").decode().lower()
    words = _OTHER.sub("-", plain.replace("'", "")).strip("-")[:_MAX_LENGTH].rstrip("-")
    if not words:
        return None
    return words if is_id(words) else f"site-{words}"


def told_apart(base: str, geometry: object) -> str:
    """Return an id for one of several sites of one name: `base` and four digits from where it is.

    The same site gets the same id however the file is sorted. `geometry` is a GeoJSON object or None.
    """
    digest = hashlib.sha256(orjson.dumps(geometry)).hexdigest()[:4]
    return f"{base[: _MAX_LENGTH - 5]}-{digest}"
