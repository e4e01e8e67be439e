"""Which sites are due, and which due windows had no scene. Pure: no files, no clock."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from imagery.model import NoScene

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

EARLY = timedelta(hours=6)
"""So much before its time a site counts as due.

A timer that starts with some jitter, or at a local hour on the day the clocks change, comes less than a
cadence after its last start; without this every second day would be left out.
"""


@dataclass(frozen=True, slots=True)
class Due:
    """Whether a site is due, and why."""

    is_due: bool
    reason: str


def due(until: datetime | None, *, now: datetime, cadence: timedelta, early: timedelta = timedelta(0)) -> Due:
    """Say whether a site last examined up to `until` is due at `now`, or will be within `early`.

    One that was examined well ahead of `now` was examined by a clock that was wrong: it is due.

    >>> never = due(None, now=datetime(2020, 1, 1, tzinfo=UTC), cadence=timedelta(days=5))
    >>> never.is_due, never.reason
    (True, 'never examined')
    """
    if until is None:
        return Due(is_due=True, reason="never examined")
    if until > now + EARLY:
        return Due(is_due=True, reason=f"last examined {until:%Y-%m-%d %H:%M} UTC, which is yet to come")
    next_time = until + cadence
    if now >= next_time - early:
        missed = max(0, (now - until) // cadence - 1)
        caught_up = f", catching up {missed} missed" if missed else ""
        return Due(is_due=True, reason=f"last examined {until:%Y-%m-%d %H:%M} UTC{caught_up}")
    return Due(is_due=False, reason=f"next due {next_time:%Y-%m-%d %H:%M} UTC")


def windows(start: date, now: datetime, cadence: timedelta) -> Iterator[tuple[date, date]]:
    """Yield the cadence windows ``[first day, first day after)`` that are over at `now`, oldest first.

    Windows are counted from `start`, so they do not depend on when runs happened to be made.
    """
    step = timedelta(days=max(1, cadence.days))
    end = start + step
    while datetime.combine(end, time.min, UTC) <= now:
        yield start, end
        start, end = end, end + step


def empty_windows(
    site_id: str, days: Iterable[date], *, since: date, now: datetime, cadence: timedelta
) -> list[NoScene]:
    """Return the windows that are over and in which there was no acquisition at all.

    Args:
        site_id: The site.
        days: Solar days on which any scene covered it.
        since: Day of the first run; counts when there is no earlier scene.
        now: Aware instant; later windows are not over yet.
        cadence: Length of a window, whole days.
    """
    known = sorted(set(days))
    start = min(known[0], since) if known else since
    found = []
    for first, after in windows(start, now, cadence):
        position = bisect_left(known, first)
        if position == len(known) or known[position] >= after:
            found.append(NoScene(site_id, first, after))
    return found
