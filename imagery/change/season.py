"""Which earlier days are of the same season: circular distance of the day of the year."""

from __future__ import annotations

import calendar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


def season_distance_days(a: date, b: date) -> float:
    """Return the distance between two days of the year, in days of a 365-day circle, 0 to 182.5.

    A leap year's day of the year is scaled, so that 31 December and 1 January are neighbours in every
    year.
    """
    difference = abs(_turn(a) - _turn(b))
    return 365 * min(difference, 1 - difference)


def _turn(day: date) -> float:
    """Return the part of its year that has gone by, 0 to below 1."""
    return (day.timetuple().tm_yday - 1) / (366 if calendar.isleap(day.year) else 365)


def same_season(day: date, earlier: Sequence[date], *, half_width_days: float, limit: int) -> tuple[int, ...]:
    """Return the positions in `earlier` of the latest days of `day`'s season, in their order of time.

    Days that aren't strictly before `day` are passed over, so the future never leaks into a judgement.

    Args:
        day: The day to be judged.
        earlier: Candidate days in any order.
        half_width_days: How far from the day of the year, in any year.
        limit: At most so many, the latest ones: what a new look costs must not grow with the archive.
    """
    candidates = [
        (other, position)
        for position, other in enumerate(earlier)
        if other < day and season_distance_days(day, other) <= half_width_days
    ]
    return tuple(position for _, position in sorted(candidates)[-limit:])
