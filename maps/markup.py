"""HTML that is right by construction: the only door from words to a document that a server writes.

`el` makes elements of names that stand in our code, attributes and children. Whatever is a `str` is text
and is escaped, in both places; only what `el` made is taken as markup. So there is no ``| safe`` to forget,
no unquoted attribute, and the type checker sees each place.

>>> el("p", "5 < 6", class_="fine").text
'<p class="fine">5 &lt; 6</p>'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_VOID = frozenset({"br", "img", "meta", "hr", "input", "wbr"})
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Markup:
    """Markup; made by `el`, `joined` and `trusted` alone."""

    text: str

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.text)


NOTHING = Markup("")
Child = Markup | str | None
Value = str | int | float | bool | None


def el(tag: str, /, *children: Child, **attributes: Value) -> Markup:
    """Return an element.

    Args:
        tag: Its name; of our code.
        children: Markup, or text; None is left out.
        attributes: By name, ``_`` for ``-`` and one at the end where Python keeps the word (``class_``). None
            and False are left out, True stands without a value.
    """
    opening = f"<{tag}{''.join(_attribute(name, value) for name, value in attributes.items())}>"
    if tag in _VOID:
        return Markup(opening)
    return Markup(f"{opening}{joined(children).text}</{tag}>")


def joined(children: Iterable[Child], between: str = "") -> Markup:
    """Return several parts as one, with a text between them."""
    return Markup(escape(between).join(_text(child) for child in children if child))


def words(text: str, language: str | None = None) -> Markup:
    """Return words of a catalogue, kept apart from the text around them whichever way they run."""
    return el("bdi", text, lang=language if language and _LANGUAGE.fullmatch(language) else None)


def trusted(text: str) -> Markup:
    """Return text that other code of ours made as markup and escaped itself: a chart, a style sheet."""
    return Markup(text)


def document(text: str) -> str:
    """Return a document that UTF-8 and HTML can hold: what neither can is U+FFFD."""
    cleaned = _UNSAFE.sub("\ufffd", text)
    try:
        cleaned.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return cleaned.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return cleaned


def _attribute(name: str, value: Value) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    return f" {written}" if value is True else f' {written}="{escape(str(value))}"'


def _text(child: Child) -> str:
    return child.text if isinstance(child, Markup) else escape(child or "", quote=False)
