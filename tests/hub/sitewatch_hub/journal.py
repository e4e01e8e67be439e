"""What clients asked, kept for assertions."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from sitewatch_hub.messages import Request


@dataclass(frozen=True, slots=True)
class Entry:
    """One request and how it was answered."""

    method: str
    path: str
    host: str
    """The ``Host`` header."""
    authorized: bool
    """It carried an ``Authorization`` header; the token itself is not kept."""
    body: bytes
    """As sent, but empty for the token endpoint: a secret is in it."""
    status: int
    """Of the reply that was sent or would have been; 0 where a fault let nothing out."""
    fault: str
    """Name of the fault that was played; empty for none."""
    units: float
    """Processing units that the reply claimed."""

    @property
    def payload(self) -> Any:  # noqa: ANN401 - whatever JSON the client sent
        """The body read as JSON."""
        return orjson.loads(self.body)


class Journal:
    """The entries so far, in the order in which their replies were ready."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def add(self, entry: Entry) -> None:
        """Keep one entry."""
        with self._lock:
            self._entries.append(entry)

    def entries(self, path_part: str = "") -> tuple[Entry, ...]:
        """Return the entries whose path contains `path_part`."""
        with self._lock:
            return tuple(entry for entry in self._entries if path_part in entry.path)

    def units(self) -> float:
        """Return the processing units of all replies that a client was charged for."""
        return sum(entry.units for entry in self.entries())

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()


def is_token_path(request: Request) -> bool:
    """Return whether a request is for a token."""
    return request.path.endswith("/token")
