"""How a run is conducted: how long it may take, who may end it, and who is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from watch.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import timedelta

    from watch.clock import Clock


class Log(Protocol):
    """Told what happens, for those who come later."""

    def note(self, event: str, **facts: object) -> None:
        """Keep an event with its facts, which are JSON values."""


class Unlogged:
    """A `Log` that keeps nothing."""

    def note(self, event: str, **facts: object) -> None:
        """Keep nothing."""


def never() -> str:
    """Give no reason to stop."""
    return ""


@dataclass(frozen=True, slots=True)
class Conduct:
    """On what terms a run is made; by default it takes its time and tells nobody."""

    deadline: timedelta | None = None
    """No site is begun once a run has taken this long."""
    halt: Callable[[], str] = never
    """Asked after every look; a run ends there once it returns a reason."""
    log: Log = field(default_factory=Unlogged)
    clock: Clock = field(default_factory=SystemClock)
    workers: int = 1
    """Processes that judge sites side by side; one is this process alone."""
    cluster: str = ""
    """Address of a Dask scheduler whose workers judge instead."""


AT_EASE = Conduct()
"""Nobody waits for the run."""


class Patience:
    """Says of one run whether it may go on."""

    def __init__(self, conduct: Conduct) -> None:
        """Start to count."""
        self._conduct = conduct
        self._began_s = conduct.clock.elapsed_s()

    def spent_s(self) -> float:
        """Return how long the run has taken."""
        return self._conduct.clock.elapsed_s() - self._began_s

    def may_not_begin(self) -> str:
        """Return why no further site may be begun; empty when one may."""
        deadline = self._conduct.deadline
        if deadline is not None and self.spent_s() >= deadline.total_seconds():
            return "not begun before the deadline"
        return self.must_stop()

    def must_stop(self) -> str:
        """Return why the run has to end after this look; empty when it hasn't."""
        return self._conduct.halt()


class Stages:
    """How long the stages of one run took."""

    def __init__(self, spent_s: Callable[[], float]) -> None:
        """Read the time from `spent_s`."""
        self._spent_s = spent_s
        self._last_s = 0.0
        self._done: list[tuple[str, float]] = []

    def end(self, stage: str) -> None:
        """Note that a stage is over."""
        now_s = self._spent_s()
        self._done.append((stage, now_s - self._last_s))
        self._last_s = now_s

    @property
    def done(self) -> tuple[tuple[str, float], ...]:
        """The stages that are over, and the seconds of each."""
        return tuple(self._done)
