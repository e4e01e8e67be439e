"""Dates as written and the days they allow: EDTF, spans, durations.

EDTF is ISO 8601-2:2019, as profiled by the Library of Congress (https://www.loc.gov/standards/datetime/).
Levels 0 and 1 are read whole; of level 2, qualified components (``2016-~06``), unspecified digits
anywhere (``2016-XX-15``), seasons and quarters (codes 21 to 41), significant digits and sets. Years run
from 0001 to 9999, those that `datetime.date` can hold; what lies outside is refused, never clamped.

A date keeps its text and has two bounds, the first and the last day it allows. The bounds are strict:
``~``, ``?`` and ``%`` move neither and are carried as flags, because nobody wrote by how much.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from geo.datebounds import Days, Precision, days_of
from geo.datehints import guesses
from geo.errors import DateError
from geo.quoting import shown

MAX_TEXT = 200
"""Characters; the longest sensible set of dates is shorter."""

_DAY = timedelta(days=1)
_DATE = re.compile(
    r"[?~%]?([0-9X]{4})[?~%]?(?:-[?~%]?([0-9X]{2})[?~%]?(?:-[?~%]?([0-9X]{2})[?~%]?)?)?",
)
_TIME = re.compile(
    r"(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]|24:00:00)(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
_ESTIMATE = re.compile(r"([0-9]{4})S([1-3])")
_DURATION = re.compile(r"P(?=[0-9])(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?")


@dataclass(frozen=True, slots=True)
class Edtf:
    """A date as somebody wrote it, with the days it allows.

    >>> day = parse_edtf("2015-05-25/2016-06-27")
    >>> str(day), day.earliest, day.latest
    ('2015-05-25/2016-06-27', datetime.date(2015, 5, 25), datetime.date(2016, 6, 27))
    """

    text: str
    """As written; never rewritten."""
    earliest: date | None
    """First day allowed; None where the start is open or unknown."""
    latest: date | None
    """Last day allowed, itself included; None where the end is open or unknown."""
    precision: Precision
    approximate: bool = False
    """Written with ``~`` or ``%`` anywhere."""
    uncertain: bool = False
    """Written with ``?`` or ``%`` anywhere: the source itself may be wrong."""
    open_start: bool = False
    """``../2016``: since ever. An unknown start (``/2016``) is not open."""
    open_end: bool = False
    """``2016/..``: still so. An unknown end (``2016/``) is not open."""

    def __post_init__(self) -> None:
        if self.earliest is not None and self.latest is not None and self.earliest > self.latest:
            raise DateError(f"{shown(self.text)} ends before it starts", hint="Write the earlier date first")

    def __str__(self) -> str:
        """Return the text as written."""
        return self.text

    @property
    def unknown_start(self) -> bool:
        """There was a start; nobody knows when."""
        return self.earliest is None and not self.open_start

    @property
    def unknown_end(self) -> bool:
        """There was an end, or will be one; nobody knows when."""
        return self.latest is None and not self.open_end

    def contains(self, day: date) -> bool:
        """Return whether the bounds allow a day; an end that is open or unknown allows every day."""
        return (self.earliest is None or self.earliest <= day) and (self.latest is None or day <= self.latest)

    def overlaps(self, other: Edtf | Span) -> bool:
        """Return whether the bounds of both share a day."""
        return not (self.is_before(other) or self.is_after(other))

    def is_before(self, other: Edtf | Span) -> bool:
        """Return whether this was certainly over before `other` can have begun."""
        first = other.start if isinstance(other, Span) else other.earliest
        return self.latest is not None and first is not None and self.latest < first

    def is_after(self, other: Edtf | Span) -> bool:
        """Return whether this cannot have begun before `other` was certainly over."""
        last = other.end if isinstance(other, Span) else other.latest
        return self.earliest is not None and last is not None and last < self.earliest

    def sort_key(self) -> tuple[date, date, str]:
        """Return what orders dates on a timeline: by first day, then last day, then text.

        A start that is open or unknown comes first, such an end last.
        """
        return self.earliest or date.min, self.latest or date.max, self.text


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days from `start` to `end`, both included."""

    start: date
    end: date

    def __post_init__(self) -> None:
        if isinstance(self.start, datetime) or isinstance(self.end, datetime):
            raise DateError(
                f"{self} is made of instants", hint="Give days, after deciding whose days they are"
            )
        if self.start > self.end:
            raise DateError(f"{self} ends before it starts", hint="Write the earlier date first")

    def __str__(self) -> str:
        """Return the EDTF interval."""
        return f"{self.start.isoformat()}/{self.end.isoformat()}"

    @property
    def duration(self) -> timedelta:
        """The time from the start of the first day to the end of the last; at least a day."""
        return self.end - self.start + _DAY

    def contains(self, day: date) -> bool:
        """Return whether a day lies in the span."""
        return self.start <= day <= self.end


def parse_edtf(text: str) -> Edtf:
    """Read a date in EDTF.

    >>> parse_edtf("2016-02~").latest
    datetime.date(2016, 2, 29)

    Args:
        text: EDTF with nothing around it, at most `MAX_TEXT` characters.

    Raises:
        DateError: The text is not EDTF, names a day that does not exist, or allows no bound at all;
            the hint says how to write it where that can be guessed.
    """
    if len(text) > MAX_TEXT:
        raise DateError(f"a date of {len(text)} characters is longer than {MAX_TEXT}")
    try:
        return _read(text)
    except DateError as error:
        raise DateError(error.problem, hint=error.hint or _hint(text)) from None


def bracket(last_without: date, first_with: date) -> str:
    """Return the EDTF interval in which something appeared.

    >>> bracket(date(2010, 5, 1), date(2010, 6, 2))
    '2010-05-01/2010-06-02'

    Args:
        last_without: Day of the last look that did not show it.
        first_with: Day of the first look that did.

    Raises:
        DateError: `first_with` is the earlier of the two.
    """
    return str(Span(last_without, first_with))


def parse_span(text: str, *, today: date | None = None) -> Span:
    """Read a span of days: an EDTF interval, or one date that stands for all its days.

    >>> parse_span("2016-01/2017-03-05")
    Span(start=datetime.date(2016, 1, 1), end=datetime.date(2017, 3, 5))

    Args:
        text: ``A/B`` or ``A``, both ends included.
        today: What an open end (``2016/..``) stands for; None refuses it.

    Raises:
        DateError: The text is not EDTF, an end is missing, or it is marked as approximate or uncertain.
    """
    written = parse_edtf(text)
    if written.approximate or written.uncertain or written.precision in {Precision.ONE_OF, Precision.ALL_OF}:
        raise DateError(f"{shown(text)} has no exact days", hint="Write the first and the last day: A/B")
    last = today if written.open_end else written.latest
    if written.earliest is None or last is None:
        raise DateError(f"{shown(text)} has no first or no last day", hint="Write both: A/B")
    return Span(written.earliest, last)


def parse_duration(text: str) -> timedelta:
    """Read an ISO 8601 duration of whole days: ``P16D``, ``P2W``, ``P1W3D``.

    Raises:
        DateError: The text is no such duration, is zero, or counts months, years or hours: a cadence
            must be an exact number of days, and a month is none.
    """
    match = _DURATION.fullmatch(text) if len(text) <= MAX_TEXT else None
    if match is None:
        inexact = re.fullmatch(r"P[0-9YMWDTHS.,]+", text[:MAX_TEXT]) is not None
        why = "is not a whole number of days" if inexact else "is not a duration"
        hint = "Months and years differ in length: count in days or weeks, such as P30D or P2W"
        raise DateError(f"{shown(text)} {why}", hint=hint)
    weeks, days = (int(group or 0) for group in match.groups())
    duration = timedelta(weeks=weeks, days=days)
    if not duration:
        raise DateError(f"{shown(text)} is no time at all", hint="The shortest duration is P1D")
    return duration


def format_duration(duration: timedelta) -> str:
    """Return a duration of whole days as ISO 8601.

    >>> format_duration(timedelta(days=16)), format_duration(timedelta(weeks=2))
    ('P16D', 'P14D')

    Raises:
        DateError: The duration is negative, zero or not a whole number of days.
    """
    if duration < _DAY or duration % _DAY:
        raise DateError(f"{duration} is not a whole number of days")
    return f"P{duration.days}D"


def _read(text: str) -> Edtf:
    if "/" in text:
        return _interval(text)
    if text[:1] in {"[", "{"}:
        return _set(text)
    if "T" in text:
        days = _instant(text)
    elif "S" in text:
        days = _estimate(text)
    else:
        days = _days(text, text)
    return Edtf(text, *days, *_flags(text))


def _hint(text: str) -> str:
    readable = [guess for guess in guesses(text) if guess != text and _reads(guess)]
    if readable:
        return f"Write {' or '.join(readable)}"
    return "Write a year, month or day such as 2016, 2016-06 or 2016-06-01, or an interval such as 2015/2016"


def _reads(text: str) -> bool:
    try:
        _read(text)
    except DateError:
        return False
    return True


def _flags(text: str) -> tuple[bool, bool]:
    both = "%" in text
    return both or "~" in text, both or "?" in text


def _interval(text: str) -> Edtf:
    start, _, end = text.partition("/")
    first = None if start in {"", ".."} else _days(start, text)
    last = None if end in {"", ".."} else _days(end, text)
    if first is None and last is None:
        raise DateError(f"{shown(text)} has no dated end", hint="Date one end, such as 2015/.. or ../2015")
    return Edtf(
        text,
        first and first.earliest,
        last and last.latest,
        Precision.INTERVAL,
        *_flags(text),
        open_start=start == "..",
        open_end=end == "..",
    )


def _days(text: str, whole: str) -> Days:
    """Read one date without time; `whole` is the expression it stands in, for the message."""
    match = _DATE.fullmatch(text)
    if match is None:
        raise DateError(f"{shown(whole)} is not a date (EDTF, ISO 8601-2)")
    try:
        return days_of(*match.groups())
    except ValueError as error:
        hint = "Check it against a calendar; years run from 0001 to 9999"
        raise DateError(f"{shown(whole)} names no day: {error}", hint=hint) from None


def _instant(text: str) -> Days:
    """Read a day with a time; the day is the one written, whatever the offset."""
    day, _, time = text.partition("T")
    days = _days(day, text)
    if days.precision is not Precision.DAY or _TIME.fullmatch(time) is None:
        raise DateError(f"{shown(text)} is not a date and time")
    return days


def _estimate(text: str) -> Days:
    """Read a year of which only the first digits are significant: ``1950S2`` lies in 1900 to 1999."""
    match = _ESTIMATE.fullmatch(text)
    if match is None:
        raise DateError(f"{shown(text)} is not a date (EDTF, ISO 8601-2)")
    year, digits = match[1], int(match[2])
    return _days(year[:digits].ljust(len(year), "X"), text)


def _set(text: str) -> Edtf:
    """Read ``[a, b..c]`` (one of them) or ``{a, b..c}`` (all of them)."""
    kind = {"[]": Precision.ONE_OF, "{}": Precision.ALL_OF}.get(text[0] + text[-1])
    members = [member.strip(" ") for member in text[1:-1].split(",")]
    if kind is None or not any(members):
        raise DateError(f"{shown(text)} is not a set of dates", hint="Write [2016, 2018] or {2016, 2018}")
    open_start, open_end = members[0].startswith(".."), members[-1].endswith("..")
    members[0] = members[0].removeprefix("..")
    members[-1] = members[-1].removesuffix("..")
    ranges = [_range(member, text) for member in members]
    earliest = None if open_start else min(days.earliest for days in ranges)
    latest = None if open_end else max(days.latest for days in ranges)
    return Edtf(text, earliest, latest, kind, *_flags(text), open_start=open_start, open_end=open_end)


def _range(member: str, whole: str) -> Days:
    start, dots, end = member.partition("..")
    first = _days(start, whole)
    last = _days(end, whole) if dots else first
    if first.earliest > last.latest:
        raise DateError(f"{shown(whole)} holds a range that ends before it starts")
    return Days(first.earliest, last.latest, first.precision)
