"""When to ask again, how long to wait before it, and when to give up."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping
    from datetime import datetime

_SLACK = 1e-9
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


@dataclass(frozen=True, slots=True)
class Pace:
    """The most that may be asked in a minute; the defaults are those of a free account at Copernicus."""

    requests: float = 300.0
    processing_units: float = 300.0


class RateLimit:
    """Buckets of requests and units that all threads draw from, and a time before which nobody may.

    They mirror the service's own: full at first, refilled evenly. A request that costs more than a whole
    bucket holds is let through when the bucket is full, and those after it wait until it is paid back.
    """

    def __init__(self, pace: Pace, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._filled_at = clock.monotonic()
        self._requests = _Bucket(pace.requests)
        self._units = _Bucket(pace.processing_units)
        self._closed_until = self._filled_at

    def next_wait_s(self, units: float = 0.0) -> float:
        """Take one request and its units and return 0, or return how long to wait before asking again."""
        with self._lock:
            now = self._refill()
            if now < self._closed_until:
                return self._closed_until - now
            wait_s = max(self._requests.wait_s(1.0), self._units.wait_s(units))
            if not wait_s:
                self._requests.content -= 1.0
                self._units.content -= units
            return wait_s

    def asked_wait_s(self) -> float:
        """Return how much longer the service wants nobody to ask; 0 when only the pace is in the way."""
        with self._lock:
            return max(0.0, self._closed_until - self._clock.monotonic())

    def correct(self, units: float) -> None:
        """Take as many more units as were charged beyond the estimate; negative: give them back."""
        with self._lock:
            self._refill()
            self._units.content = min(self._units.capacity, self._units.content - units)

    def close_for(self, seconds: float) -> None:
        """Let nobody ask for some time: the service told one of us to wait."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    def _refill(self) -> float:
        now = self._clock.monotonic()
        for bucket in (self._requests, self._units):
            bucket.refill(now - self._filled_at)
        self._filled_at = now
        return now


@dataclass(slots=True)
class _Bucket:
    capacity: float
    """Also what comes back in a minute."""
    content: float = field(init=False)

    def __post_init__(self) -> None:
        self.content = self.capacity

    def refill(self, seconds: float) -> None:
        self.content = min(self.capacity, self.content + seconds * self.capacity / 60.0)

    def wait_s(self, wanted: float) -> float:
        # Sums of floats are not exact: without a little slack a full bucket could be waited for for ever.
        lacking = min(wanted, self.capacity) - self.content
        return max(0.0, lacking) / self.capacity * 60.0 if lacking > _SLACK * self.capacity else 0.0
