"""The seam to time: what a run and the loop are told of it, and by whom."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock(Protocol):
    """Tells the time, and lets it pass."""

    def now(self) -> datetime:
        """Return the aware present; it may jump in either direction when somebody sets the clock."""

    def elapsed_s(self) -> float:
        """Return seconds since some moment; never goes back."""

    def wait(self, seconds: float) -> None:
        """Come back after about so long, or earlier."""


class SystemClock:
    """The machine's own clock."""

    def __init__(self, wait: Callable[[float], None] = time.sleep) -> None:
        """Wait by `wait`, which may come back early."""
        self._wait = wait

    def now(self) -> datetime:
        """Return the present in UTC."""
        return datetime.now(UTC)

    def elapsed_s(self) -> float:
        """Return the machine's monotonic seconds."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Wait, or be woken."""
        self._wait(seconds)


if TYPE_CHECKING:

    def conforms(clock: SystemClock) -> Clock:
        """Let the type checker prove that it is a clock."""
        return clock
