"""Faults on order: what a bad day of the service looks like from the client's side.

A rule says which requests suffer and how often; rules are tried in the order in which they were added.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Answer:
    """This instead of the real reply."""

    status: int
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Truncate:
    """The real reply with its right ``Content-Length``, cut off after a share of the body."""

    share: float = 0.5


@dataclass(frozen=True, slots=True)
class Misstate:
    """The whole real body under a ``Content-Length`` that is off by so many bytes, then the end."""

    by: int = -100


@dataclass(frozen=True, slots=True)
class Drip:
    """The real reply, a few bytes at a time."""

    chunk: int = 64
    pause_s: float = 0.05


@dataclass(frozen=True, slots=True)
class Delay:
    """The real reply, so much later: a service that is far away or busy."""

    seconds: float = 0.4


@dataclass(frozen=True, slots=True)
class Hang:
    """No byte for so long, then the connection is closed."""

    seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is torn down (TCP RST) before a byte is sent."""


@dataclass(frozen=True, slots=True)
class ExpireTokens:
    """Every token issued so far stops working, just before this request is answered."""


Fault = Answer | Truncate | Misstate | Drip | Delay | Hang | Reset | ExpireTokens


@dataclass(slots=True)
class _Rule:
    fault: Fault
    path: str
    nth: int
    times: int
    seen: int = 0

    def strikes(self, path: str) -> bool:
        if self.path not in path:
            return False
        self.seen += 1
        return self.nth <= self.seen < self.nth + self.times


class FaultQueue:
    """The rules in force; safe to change while requests are served."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault, *, path: str = "/api/v1/process", nth: int = 1, times: int = 1) -> None:
        """Order a fault.

        Args:
            fault: What happens.
            path: Part of the path of the requests that are counted.
            nth: The first of them that suffers, from 1, counted from now.
            times: How many in a row suffer.
        """
        with self._lock:
            self._rules.append(_Rule(fault, path, nth, times))

    def next_for(self, path: str) -> Fault | None:
        """Count a request and return the fault it suffers, if any."""
        with self._lock:
            struck = [rule.fault for rule in self._rules if rule.strikes(path)]
        return struck[0] if struck else None

    def clear(self) -> None:
        """Forget every rule."""
        with self._lock:
            self._rules.clear()


def too_many_requests(retry_after: str | None) -> Answer:
    """Return a 429 as the service sends it.

    Args:
        retry_after: The header as written; the service means milliseconds, HTTP means seconds or a date.
            None leaves it out.
    """
    body = {
        "status": 429,
        "reason": "Too Many Requests",
        "message": "You have exceeded your rate limit",
        "code": "RATE_LIMIT_EXCEEDED",
    }
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return Answer(429, json.dumps(body).encode(), headers=headers)


def quota_used_up() -> Answer:
    """Return the 403 of an account without processing units left."""
    message = "Insufficient processing units or requests available in your account."
    return _error(403, "Forbidden", message, "ACCESS_INSUFFICIENT_PROCESSING_UNITS")


def server_error(status: int = 500) -> Answer:
    """Return a failure of the service itself."""
    return _error(status, "Internal Server Error", "Something went wrong.", "COMMON_EXCEPTION")


def html_page() -> Answer:
    """Return a page with status 200, as proxies and sign-in walls do."""
    page = b"<!DOCTYPE html><html><head><title>Please sign in</title></head><body></body></html>"
    return Answer(200, page, "text/html; charset=utf-8")


def _error(status: int, reason: str, message: str, code: str) -> Answer:
    document = {"error": {"status": status, "reason": reason, "message": message, "code": code}}
    return Answer(status, json.dumps(document).encode())
