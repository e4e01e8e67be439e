"""A watch without a timer: sleeps until something is due, and looks after it, until it is told to end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from watch.clock import Clock
    from watch.timetable import Timetable

NAP_S = 60.0
"""No sleep is longer, so a clock that is set, or a machine that wakes up, is noticed within it."""
RETRY_S = 300.0
"""After a run that could not be made; twice as long after the next, up to a quarter of the interval."""
SET_BACK = timedelta(hours=3)
"""So far, or a quarter of the interval, a clock may be set back without anything being done twice."""
DONE_EXITS = frozenset({0, 3, 4})
"""Exit codes after which the same run would do no better: what was left is due at the next slot."""


def keep(
    timetable: Timetable,
    look: Callable[[datetime], int],
    *,
    clock: Clock,
    halt: Callable[[], str],
    last: datetime | None = None,
    nap_s: float = NAP_S,
) -> None:
    """Look once for each instant of a timetable, until told to end.

    Instants that passed while nobody looked (a machine that was off, a clock that was set forward) are
    caught up on by one look; an instant that comes again because the clock was set back is left alone.

    Args:
        timetable: When to look.
        look: Looks, for the instant that it is given; returns the exit code of the run.
        clock: Tells the time and lets it pass.
        halt: Returns why the loop has to end; empty while it hasn't.
        last: The instant that was last looked after; None looks at once.
        nap_s: The longest sleep.
    """
    retry = _Retry(timetable.interval)
    while not halt():
        now = clock.now()
        last = believed(last, now, timetable)
        slot = timetable.at_or_before(now)
        if (last is None or slot > last) and retry.may(clock.elapsed_s()):
            if look(slot) in DONE_EXITS:
                last = slot
                retry.succeed()
            else:
                retry.fail(clock.elapsed_s())
            continue
        clock.wait(min(nap_s, max(1.0, (timetable.after(now) - now).total_seconds())))


def believed(last: datetime | None, now: datetime, timetable: Timetable) -> datetime | None:
    """Return what was last looked after, in the light of what the clock says now.

    A clock that was set back a little comes to the same instant again: it stays looked after. One that
    stands further ahead was looked after by a clock that was wrong, and is looked after again when it
    really comes.
    """
    if last is None or last - now <= min(SET_BACK, timetable.interval / 4):
        return last
    return timetable.at_or_before(now)


class _Retry:
    """When a run that could not be made may be tried again; counts in seconds that no clock setting moves."""

    def __init__(self, interval: timedelta) -> None:
        self._most_s = max(RETRY_S, interval.total_seconds() / 4)
        self._wait_s = RETRY_S
        self._not_before_s = float("-inf")

    def may(self, elapsed_s: float) -> bool:
        return elapsed_s >= self._not_before_s

    def fail(self, elapsed_s: float) -> None:
        self._not_before_s = elapsed_s + self._wait_s
        self._wait_s = min(2 * self._wait_s, self._most_s)

    def succeed(self) -> None:
        self._wait_s, self._not_before_s = RETRY_S, float("-inf")
