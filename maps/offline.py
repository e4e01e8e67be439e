"""What makes a page safe to open anywhere: vendored assets, a strict policy, and a check that fails closed.

A page is one file. Opened from a disk it has no origin, so a policy of ``'self'`` would allow nothing;
with everything inside, the policy can forbid every request and name each script and style by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from maps.blocks import BLOCK_TYPE
from maps.errors import PageError

if TYPE_CHECKING:
    from collections.abc import Iterable

POLICY_MARK = "<!--content-security-policy-->"
"""Where a template wants the policy: first in its head."""

_CSS_URL = re.compile(r"url\(\s*(?!['\"]?data:)[^)]*\)", re.IGNORECASE)
_REMOTE = re.compile(r"url\(\s*['\"]?(?!data:|#)|@import|expression\(", re.IGNORECASE)
_SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*$", re.MULTILINE)
_DATA_TYPES = {"application/json", BLOCK_TYPE}
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_REQUESTS = frozenset(
    {
        "src",
        "href",
        "srcset",
        "poster",
        "data",
        "action",
        "formaction",
        "background",
        "manifest",
        "ping",
        "xlink:href",
    }
)
"""Attributes whose value a browser may fetch or go to."""

_BESIDE = re.compile(r"(\.\./)?([A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+(\.[a-z0-9]+)?(#[\w.~%=&-]*)?", re.ASCII)
"""A page or file of the same publication; no scheme, host or root can be spelt so."""
_TO_SAVE = re.compile(r"data:(text/csv|application/geo\+json);base64,")
"""Kinds that no browser runs, whatever is in them."""


def read_text(*parts: str) -> str:
    """Return a text file of this package: ``read_text("vendor", "leaflet-1.9.4", "leaflet.js")``."""
    return files("maps").joinpath(*parts).read_text(encoding="utf-8")


def inline_css(text: str) -> str:
    """Return a style sheet that asks for nothing: each address in it becomes ``none``.

    Leaflet's names pictures of controls and markers that our pages do not use.
    """
    return _CSS_URL.sub("none", text)


def inline_js(text: str) -> str:
    """Return a script that can stand in a page: no source map, nothing that ends the element.

    Raises:
        PageError: It holds ``</script`` or ``<!--``, which would end or change how the element is read.
    """
    if re.search(r"</script|<!--", text, re.IGNORECASE):
        message = "a vendored script holds </script or <!-- and can't be inlined"
        raise PageError(message, hint="Vendor another build of it")
    return _SOURCE_MAP.sub("", text)


def sealed(html: str, pictures_from: Iterable[str] = ()) -> str:
    """Return the page with its content security policy, after checking that it asks for nothing.

    Args:
        html: The page, with `POLICY_MARK` in its head.
        pictures_from: Origins (``https://tile.example.org``) whose pictures its script may show when a
            reader asks for them; checked by `maps.tiles`.

    Raises:
        PageError: Something in it could make a request, or run without being named by its hash.
    """
    if html.count(POLICY_MARK) != 1:
        message = f"a page needs the mark of its policy once, not {html.count(POLICY_MARK)} times"
        raise PageError(message)
    page = _read(html)
    if page.problems:
        more = f" (and {len(page.problems) - 1} more)" if len(page.problems) > 1 else ""
        message = f"the page would not be safe offline: {page.problems[0]}{more}"
        raise PageError(message, hint="Nothing was written; this is a fault of the page, not of your data")
    policy = _policy(page, sorted(set(pictures_from)))
    return html.replace(POLICY_MARK, f'<meta http-equiv="Content-Security-Policy" content="{policy}">')


def problems(html: str) -> list[str]:
    """Return all that could make a page ask for something or run unnamed script; empty when it is safe."""
    return _read(html).problems


def _policy(page: _PageReader, pictures_from: list[str]) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(_hashes(page.scripts))}",
            f"style-src {' '.join(_hashes(page.styles))}",
            " ".join(("img-src data:", *pictures_from)),
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hashes(texts: list[str]) -> list[str]:
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests] or ["'none'"]


def _read(html: str) -> _PageReader:
    reader = _PageReader()
    reader.feed(html)
    reader.close()
    return reader.parser_result()


@dataclass
class _Open:
    """The script or style element that is being read."""

    tag: str
    type: str
    parts: list[str] = field(default_factory=list)


class _PageReader(HTMLParser):
    """Collects inline scripts and styles, and everything that is not allowed."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.problems: list[str] = []
        self._open: _Open | None = None

    def parser_result(self) -> _PageReader:
        """Return self, with an element that never ended as a problem."""
        if self._open is not None:
            self.problems.append(f"<{self._open.tag}> never ends")
        return self

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Check the attributes; begin to collect a script or style."""
        values = {name: value or "" for name, value in attrs}
        self._check_tag(tag, values)
        for name, value in values.items():
            self._check_attribute(tag, name, value, values)
        if tag in {"script", "style"}:
            self._open = _Open(tag, values.get("type", ""))

    def handle_data(self, data: str) -> None:
        """Keep what stands inside a script or style."""
        if self._open is not None:
            self._open.parts.append(data)

    def handle_endtag(self, tag: str) -> None:
        """File what was collected."""
        if self._open is None or tag != self._open.tag:
            return
        text = "".join(self._open.parts)
        if tag == "style":
            self.styles.append(text)
            if _REMOTE.search(text):
                self.problems.append("a style sheet that asks for a file")
        elif self._open.type == BLOCK_TYPE:
            if not _BASE64.fullmatch(text):
                self.problems.append("a compressed block that is not base64")
        elif self._open.type in _DATA_TYPES:
            if re.search(r"[<>&]", text):
                self.problems.append("a data block with unescaped markup")
        else:
            self.scripts.append(text)
        self._open = None

    def _check_tag(self, tag: str, values: dict[str, str]) -> None:
        if tag in {"iframe", "frame", "object", "embed", "base", "link", "form", "audio", "video", "portal"}:
            self.problems.append(f"a <{tag}> element")
        if tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
            self.problems.append("a page that moves on by itself")
        if tag == "script" and values.get("type", "") not in {"", *_DATA_TYPES}:
            self.problems.append(f"a script of type {values['type']!r}")

    def _check_attribute(self, tag: str, name: str, value: str, values: dict[str, str]) -> None:
        if name.startswith("on"):
            self.problems.append(f"the inline handler {name} on <{tag}>")
        if name == "style":
            self.problems.append(f"an inline style on <{tag}>")
        if name not in _REQUESTS or value.startswith("#"):
            return
        if (tag, name) in {("img", "src"), ("image", "href")} and value.startswith("data:image/png;base64,"):
            return
        if not (tag == "a" and name == "href" and _leads_well(value, values)):
            self.problems.append(f"{name}={value[:80]!r} on <{tag}>")


def _leads_well(value: str, values: dict[str, str]) -> bool:
    """Whether a reader may follow this: a source, a page of ours, or a file to save that is in the page."""
    if _BESIDE.fullmatch(value):
        return True
    if _TO_SAVE.match(value):
        return "download" in values
    return _is_plain_link(value, values)


def _is_plain_link(value: str, values: dict[str, str]) -> bool:
    """Whether this is a link to a source that a reader may follow: http(s), and it tells nothing of us."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    guarded = {"noopener", "noreferrer"} <= set(values.get("rel", "").split())
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and guarded
