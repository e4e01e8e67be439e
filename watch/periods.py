"""ISO 8601 durations down to the second: how often, how long at most.

A site's cadence counts whole days (`geo.dates.parse_duration`); timers and deadlines count hours too.
"""

from __future__ import annotations

import re
from datetime import timedelta

from geo.errors import DateError, Where

_PERIOD = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,6})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,10})S)?)?",
    re.ASCII,
)
_SHOWN = 40


def parse_period(text: str, option: str) -> timedelta:
    """Read an ISO 8601 duration of weeks, days, hours, minutes and seconds: ``PT30M``, ``P1DT12H``.

    Args:
        text: What was written.
        option: Where it was written; errors name it.

    Raises:
        DateError: It is no such duration, or no time at all. Months and years have no one length.

    >>> parse_period("PT30M", "--deadline")
    datetime.timedelta(seconds=1800)
    """
    match = _PERIOD.fullmatch(text)
    hint = "Write it like PT30M, PT6H or P1D"
    if match is None:
        problem = f"{text[:_SHOWN]!r} is not a duration of days, hours, minutes or seconds"
        raise DateError(problem, where=Where(field=option), hint=hint)
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    period = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not period:
        raise DateError(f"{text!r} is no time at all", where=Where(field=option), hint=hint)
    return period


def in_words(seconds: float) -> str:
    """Return a length of time as people say it.

    >>> in_words(0.04), in_words(75), in_words(3 * 86400)
    ('0.0 s', '1 min 15 s', '3 days')
    """
    minute, hour, day = 60, 3600, 86400
    if seconds < minute:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < hour:
        return f"{whole // minute} min {whole % minute} s"
    if whole < day:
        return f"{whole // hour} h {whole % hour // minute} min"
    days, hours = whole // day, whole % day // hour
    return f"{days} day{'s' if days > 1 else ''}" + (f" {hours} h" if hours else "")
