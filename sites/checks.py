"""The rules that ids and texts of the catalogue keep, whoever made them."""

from __future__ import annotations

import math
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, NoReturn

from geo.errors import Where
from sites.errors import SiteError

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_TEXT_LENGTH = 100_000
"""Characters of one text; a note longer than a short book is a mistake or an attack."""

ID_RULE = "1 to 64 of a-z, 0-9, '-' and '_', the first a letter or a digit"

_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WEB_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)
_WINDOWS_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{digit}" for port in ("com", "lpt") for digit in range(10))]
)


def refuse(problem: str, field: str, hint: str | None = None) -> NoReturn:
    """Raise the error of a value that breaks a rule, with the field that holds it."""
    raise SiteError(problem, where=Where(field=field), hint=hint)


def require_id(value: str, field: str = "id", *, offer: str | None = None) -> None:
    """Refuse an id that cannot be a file name everywhere; `offer` is one that could be.

    Windows takes ``con``, ``nul``, ``com1`` and their kin for devices, whatever the ending
    (Microsoft, "Naming Files, Paths, and Namespaces").
    """
    if is_id(value):
        return
    hint = f"Ids are {ID_RULE}" + (f"; {offer!r} would do" if offer else "")
    if value in _WINDOWS_RESERVED:
        refuse(f"{value!r} is the name of a device on Windows", field, hint)
    refuse(f"{shown(value)} is not an id", field, hint)


def is_id(value: str) -> bool:
    """Tell whether `require_id` would take this text."""
    return _ID.fullmatch(value) is not None and value not in _WINDOWS_RESERVED


def require_text(value: str, field: str) -> None:
    """Refuse a text that is empty, far too long, or holds control characters."""
    if _is_plain(value) and value and not value.isspace():
        return
    if not value or value.isspace():
        refuse("the text is empty", field)
    allow_text(value, field)


def _is_plain(value: str) -> bool:
    # The common case at a tenth of the price: `isprintable` is False for every control character,
    # and for line breaks, which are allowed.
    return len(value) <= MAX_TEXT_LENGTH and value.isprintable()


def allow_text(value: str | None, field: str) -> None:
    """Refuse a text that is far too long or holds control characters; None is fine."""
    if value is None:
        return
    if len(value) > MAX_TEXT_LENGTH:
        refuse(f"{len(value)} characters are too many; the limit is {MAX_TEXT_LENGTH}", field)
    found = _CONTROL.search(value)
    if found:
        refuse(f"control character U+{ord(found[0]):04X} at position {found.start()}", field, "Remove it")


def allow_texts(texts: tuple[str | None, ...], fields: tuple[str, ...]) -> None:
    """Check several texts as `allow_text` does, at the price of one."""
    if not any(texts) or _is_plain("".join(filter(None, texts))):
        return
    for value, field in zip(texts, fields, strict=True):
        allow_text(value, field)


def require_positive(value: float | None, field: str) -> None:
    """Refuse a number that is not finite and above zero; None is fine."""
    if value is not None and not (math.isfinite(value) and value > 0):
        refuse(f"{value} is not above zero", field)


def require_finite(value: float | None, field: str) -> None:
    """Refuse infinities and NaN; None is fine."""
    if value is not None and not math.isfinite(value):
        refuse(f"{value} is not a finite number", field)


def is_web_address(value: str) -> bool:
    """Tell whether a text is an http or https address without spaces."""
    return _WEB_ADDRESS.fullmatch(value) is not None


def require_web_address(value: str | None, field: str) -> None:
    """Refuse an address that is not http or https: it becomes a link on a page."""
    if value is None:
        return
    allow_text(value, field)
    if not is_web_address(value):
        refuse(f"{shown(value)} is not a web address", field, "Write it whole, from https:// on")


def nearest(value: str, known: Iterable[str]) -> str | None:
    """Return the known word that is spelt most like `value`, if any comes near."""
    found = get_close_matches(value.casefold(), list(known), n=1, cutoff=0.6)
    return found[0] if found else None


def shown(value: object, limit: int = 60) -> str:
    """Return a value as a message shows it: quoted, on one line, cut when long.

    >>> shown("a" * 100, limit=8)
    "'aaaa..."
    """
    text = _quoted(value)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def _quoted(value: object) -> str:
    # Only the kind of a container: its repr could nest deeper than Python's stack.
    if isinstance(value, str):
        return repr(value[:200])
    if value is None or isinstance(value, bool | int | float):
        return repr(value)
    return {"dict": "an object", "list": "a list"}.get(type(value).__name__, type(value).__name__)
