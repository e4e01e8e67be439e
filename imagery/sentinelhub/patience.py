"""When to ask again, how long to wait before it, and when to give up."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import datetime

_MILLISECONDS = re.compile(r"\d{1,12}(\.\d{1,6})?")


class Clock(Protocol):
    """Time that passes, and waiting for it."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""

    def now(self) -> datetime:
        """Return the aware instant."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How much trouble is put up with."""

    total_s: float = 300.0
    """From the first attempt to the last; waiting included."""
    attempts: int = 5
    """Failed attempts; being asked to wait is no failure."""
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0

    def backoff_s(self, failures: int, rng: random.Random) -> float:
        """Return the wait after so many failures: doubled each time, and drawn from its upper half.

        Drawn, so that workers that failed together don't come back together.
        """
        most: float = min(self.longest_wait_s, self.first_wait_s * 2.0 ** max(0, failures - 1))
        return most * rng.uniform(0.5, 1.0)


def retry_after_s(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return what a `Retry-After` header asks for in seconds; None if it says nothing that can be read.

    Sentinel Hub writes milliseconds (its documentation, "Rate limiting"), where HTTP (RFC 9110, section
    10.2.3) has seconds or a date; a gateway before it may write the date.
    """
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "").strip()
    if _MILLISECONDS.fullmatch(text):
        return float(text) / 1000.0
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
    return max(0.0, (moment - now).total_seconds())


class RateLimit:
    """A bucket of requests that all threads draw from, and a time before which nobody may.

    It mirrors the service's own bucket: full at first, refilled evenly.
    """

    def __init__(self, per_minute: int, clock: Clock) -> None:
        self._capacity = float(per_minute)
        self._rate = per_minute / 60.0
        self._clock = clock
        self._lock = threading.Lock()
        self._content = self._capacity
        self._filled_at = clock.monotonic()
        self._closed_until = self._filled_at

    def next_wait_s(self) -> float:
        """Take one request from the bucket and return 0, or return how long to wait before asking again."""
        with self._lock:
            now = self._clock.monotonic()
            self._content = min(self._capacity, self._content + (now - self._filled_at) * self._rate)
            self._filled_at = now
            if now < self._closed_until:
                return self._closed_until - now
            if self._content < 1.0:
                return (1.0 - self._content) / self._rate
            self._content -= 1.0
            return 0.0

    def close_for(self, seconds: float) -> None:
        """Let nobody ask for some time: the service told one of us to wait."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)
