"""The days that a year, a month or a day allows, with unspecified digits and sub-year groupings.

The calendar under `geo.dates`: digits in, first and last day out. Proleptic Gregorian, as ISO 8601 has
it, for the years 0001 to 9999 that `datetime.date` can hold.
"""

from __future__ import annotations

from calendar import monthrange
from datetime import MAXYEAR, date
from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEAP_YEAR = 2000
_MONTHS = 12
_SEASONS = {
    **{code: (3 * (code - 21) + 3, 3) for code in range(21, 25)},
    **{code: (3 * (code - 25) + 3, 3) for code in range(25, 29)},
    29: (9, 3),
    30: (12, 3),
    31: (3, 3),
    32: (6, 3),
    **{code: (3 * (code - 33) + 1, 3) for code in range(33, 37)},
    **{code: (4 * (code - 37) + 1, 4) for code in range(37, 40)},
    40: (1, 6),
    41: (7, 6),
}
"""Code: (first month, months), the sub-year groupings of ISO 8601-2: 21-24 seasons, 25-28 northern,
29-32 southern ones, 33-36 quarters, 37-39 thirds, 40-41 halves of a year. Seasons are the meteorological
ones and 21-24 are read as northern; a winter begins in December of the year written."""


class Precision(StrEnum):
    """What kind of date was written, which says how to draw it."""

    DAY = "day"
    MONTH = "month"
    SEASON = "season"
    """Season, quarter, third or half of a year."""
    YEAR = "year"
    DECADE = "decade"
    CENTURY = "century"
    MILLENNIUM = "millennium"
    PARTIAL = "partial"
    """Digits are unspecified in the middle (``2016-XX-15``): not every day between the bounds is meant."""
    INTERVAL = "interval"
    ONE_OF = "one of"
    """``[2016, 2018]``: one of these, unknown which."""
    ALL_OF = "all of"
    """``{2016, 2018}``: each of these."""


class Days(NamedTuple):
    """The first and the last day a date allows, both included."""

    earliest: date
    latest: date
    precision: Precision


def days_of(year: str, month: str | None, day: str | None) -> Days:
    """Return the days that the digits of a date allow.

    >>> days_of("2016", "02", None).latest, days_of("201X", None, None).earliest
    (datetime.date(2016, 2, 29), datetime.date(2010, 1, 1))

    Args:
        year: Four digits or ``X``, which stands for any one digit.
        month: Two digits or ``X``, or the code of a sub-year grouping, or None.
        day: Two digits or ``X``, or None.

    Raises:
        ValueError: No day fits, or the year has no digit at all.
    """
    if "X" in f"{year}{month}{day}":
        return _masked(year, month or "XX", day or "XX")
    if day is not None and month is not None:
        exact = date(int(year), int(month), int(day))
        return Days(exact, exact, Precision.DAY)
    if month is not None:
        return _months(int(year), int(month))
    return Days(date(int(year), 1, 1), date(int(year), 12, 31), Precision.YEAR)


def _months(year: int, code: int) -> Days:
    if code <= _MONTHS:
        first = date(year, code, 1)
        return Days(first, first.replace(day=monthrange(year, code)[1]), Precision.MONTH)
    if code not in _SEASONS:
        raise ValueError("months are 01 to 12, seasons 21 to 24, quarters 33 to 36")
    month, count = _SEASONS[code]
    years, last = divmod(month + count - 2, _MONTHS)
    end = date(year + years, last + 1, monthrange(year + years, last + 1)[1])
    return Days(date(year, month, 1), end, Precision.SEASON)


def _masked(year: str, month: str, day: str) -> Days:
    """Return the first and the last day that fit digits and ``X``, which stands for any one digit."""
    if year == "XXXX":
        raise ValueError("a year without any digit has no bounds")
    precision = _masked_precision(year, month, day)
    if precision is Precision.PARTIAL:
        return Days(*_search(year, month, day), precision)
    if precision is Precision.MONTH:
        return _months(int(year), int(month))
    first, last = max(1, int(year.replace("X", "0"))), int(year.replace("X", "9"))
    return Days(date(first, 1, 1), date(last, 12, 31), precision)


def _masked_precision(year: str, month: str, day: str) -> Precision:
    known = len(year.rstrip("X"))
    if day != "XX" or "X" in year[:known] or (month != "XX" and "X" in year + month):
        return Precision.PARTIAL
    if month != "XX":
        return Precision.MONTH
    return (Precision.MILLENNIUM, Precision.CENTURY, Precision.DECADE, Precision.YEAR)[known - 1]


def _search(year: str, month: str, day: str) -> tuple[date, date]:
    fits = [
        (number, of_month)
        for number in _fills(month, _MONTHS)
        for of_month in _fills(day, monthrange(_LEAP_YEAR, number)[1])
    ]
    years = _fills(year, MAXYEAR)
    first = next(_existing(years, fits), None)
    last = next(_existing(years[::-1], fits[::-1]), None)
    if first is None or last is None:
        raise ValueError("no day fits these digits")
    return first, last


def _fills(mask: str, largest: int) -> list[int]:
    choices = product(*("0123456789" if character == "X" else character for character in mask))
    return [number for number in (int("".join(choice)) for choice in choices) if 1 <= number <= largest]


def _existing(years: list[int], fits: list[tuple[int, int]]) -> Iterator[date]:
    # `fits` holds the days of a leap year; only its 29 February can be missing from another year.
    for year in years:
        for month, day in fits:
            if day <= monthrange(year, month)[1]:
                yield date(year, month, day)
