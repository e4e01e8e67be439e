"""Map tiles that a page may ask for, once its maker named them and its reader switched them on.

A page asks for nothing by itself. Whoever makes it may name hosts of tiles; the page then says which host
it would ask, its policy allows pictures of that origin and no other, and a reader has the switch. The host
learns the reader's address and where on the map the reader looks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from maps.errors import TilesError

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_TEMPLATE, MAX_CREDIT = 500, 300
"""Characters."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
_HOST = re.compile(
    r"(?=.{1,253}\Z)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_TAIL = re.compile(r"[A-Za-z0-9._~!$()*+=:@/%?&-]*")
"""What may follow the host, placeholders aside: RFC 3986 without what a policy or a style could read."""
_LOOPBACK = frozenset({"localhost", "127.0.0.1"})


@dataclass(frozen=True, slots=True)
class Tiles:
    """One set of tiles in Web Mercator, numbered as OpenStreetMap does (z, x, y) or from below (-y)."""

    template: str
    """``https://tile.example.org/{z}/{x}/{y}.png``."""
    credit: str
    """Whom to name, as plain text: ``(c) OpenStreetMap contributors``."""

    def __post_init__(self) -> None:
        if not self.credit.strip() or len(self.credit) > MAX_CREDIT or not self.credit.isprintable():
            message = f"tiles need a credit of at most {MAX_CREDIT} printable characters"
            raise TilesError(message, hint="Say whose they are: --tiles-credit TEXT")
        try:
            problem = _problem(self.template)
        except ValueError as error:
            problem = str(error)
        if problem:
            message = f"{self.template[:MAX_TEMPLATE]!r} can't be an address of tiles: {problem}"
            raise TilesError(message, hint="Write it as https://HOST/{z}/{x}/{y}.png")

    @property
    def origin(self) -> str:
        """What a policy allows: scheme, host and port."""
        parts = urlsplit(self.template)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def host(self) -> str:
        """Who will be asked."""
        return urlsplit(self.template).netloc


def _problem(template: str) -> str:
    """Return what is wrong with an address; nothing where it may be asked.

    Raises:
        ValueError: It is no address at all.
    """
    return next((words for wrong, words in _checks(template) if wrong), "")


def _checks(template: str) -> Iterator[tuple[bool, str]]:
    parts = urlsplit(template)
    yield len(template) > MAX_TEMPLATE, f"it is longer than {MAX_TEMPLATE} characters"
    local = parts.scheme == "http" and parts.hostname in _LOOPBACK
    yield parts.scheme != "https" and not local, "it is not https (http only on this machine: localhost)"
    yield "@" in parts.netloc, "it holds a name or password, and whoever gets the page could read it"
    name = parts.netloc.removesuffix(f":{parts.port}") if parts.port else parts.netloc
    yield not _HOST.fullmatch(name), "its host is not plain lower-case letters, digits, dots and hyphens"
    asked = sorted(_PLACEHOLDER.findall(template))
    once = asked in (["x", "y", "z"], ["-y", "x", "z"])
    yield not once, "it needs {z}, {x} and {y} (or {-y}) once each, and no other placeholder"
    tail = template.removeprefix(f"{parts.scheme}://{parts.netloc}")
    plain = tail.startswith("/") and _TAIL.fullmatch(_PLACEHOLDER.sub("0", tail))
    yield not plain, "after the host it needs a path of plain characters"
