"""What the name of a file tells: when it was acquired, which band it is, from which platform."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING

from geo.errors import Where
from imagery.errors import ImageError

if TYPE_CHECKING:
    from pathlib import Path

BAND_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
"""What a band may be called; it becomes a file name."""

_GROUPS = frozenset({"acquired", "band", "platform"})

_MAX_NAME = 255

_FIRST_IMAGE = date(1959, 8, 14)
"""Explorer 6 took the first picture of the Earth from orbit; an earlier date is misread."""

_TIME_DIRECTIVE = re.compile(r"(?<!%)(?:%%)*%[HIcXTs]")

_FREE_DIRECTIVE = re.compile(r"%[fzZ]")
_LEADING_ZEROS = re.compile(r"(?<!\d)0+(?=\d)")


@dataclass(frozen=True, slots=True)
class NamingRule:
    """How names are read."""

    acquired: str | None
    """Acquisition of all files, where names don't tell it."""
    pattern: str | None
    """Regular expression with some of the groups ``acquired``, ``band``, ``platform``."""
    date_format: str | None
    """`strptime` format; None for ISO 8601."""
    utc: bool
    """Times without a zone are UTC."""

    def __post_init__(self) -> None:
        """Refuse a pattern that does not compile or names no group of ours.

        Raises:
            ImageError: Field ``pattern``.
        """
        if self.pattern is None:
            return
        try:
            groups = re.compile(self.pattern).groupindex
        except (re.error, RecursionError, OverflowError) as error:
            problem = f"{self.pattern!r} is not a regular expression: {error}"
            raise ImageError(problem, where=Where(field="pattern")) from error
        stray = set(groups) - _GROUPS
        if stray or not groups:
            found = ", ".join(sorted(stray)) or "none"
            raise ImageError(
                f"named groups of the pattern: {found}; known are {', '.join(sorted(_GROUPS))}",
                where=Where(field="pattern"),
                hint=r"Write for example (?P<acquired>\d{8})_(?P<band>\w+)\.tif",
            )


@dataclass(frozen=True, slots=True)
class NameFacts:
    """What the name of one file told."""

    acquired: datetime
    """Aware UTC; noon where only the day is known."""
    day_only: bool
    band: str | None
    platform: str | None


def file_name_facts(path: Path, rule: NamingRule) -> NameFacts:
    """Read a file's name.

    Raises:
        ImageError: The pattern does not match, or the acquisition is missing or can't be read.
    """
    found = _match(path, rule)
    text = found.get("acquired") or rule.acquired
    if not text:
        raise ImageError(
            "its acquisition is not known",
            where=Where(str(path), field="acquired"),
            hint="Give --acquired, or --pattern with a group named acquired",
        )
    date_format = rule.date_format if found.get("acquired") else None
    try:
        acquired, day_only = parse_acquired(text, date_format, utc=rule.utc)
    except ImageError as error:
        raise error.located(file=str(path)) from None
    return NameFacts(acquired, day_only, found.get("band"), found.get("platform"))


def parse_acquired(text: str, date_format: str | None = None, *, utc: bool = False) -> tuple[datetime, bool]:
    """Return an acquisition as aware UTC, and whether only its day is known (then it is noon).

    >>> parse_acquired("2008118", "%Y%j")
    (datetime.datetime(2008, 4, 27, 12, 0, tzinfo=datetime.timezone.utc), True)

    Args:
        text: As written.
        date_format: `strptime` format, or None for ISO 8601.
        utc: Take a time without a zone as UTC instead of refusing it.

    Raises:
        ImageError: Not a date, a time without its zone, or a date before there were satellites.
    """
    where = Where(field="acquired")
    try:
        moment, day_only = _parse(text, date_format)
    except (ValueError, OverflowError) as error:
        form = f"a date in the form {date_format}" if date_format else "an ISO 8601 date"
        raise ImageError(f"{text!r} is not {form}", where=where, hint="Check --date-format") from error
    if day_only:
        moment = datetime.combine(moment.date(), time(12), tzinfo=UTC)
    elif moment.tzinfo is None and not utc:
        raise ImageError(
            f"{text!r} is a time without its zone", where=where, hint="Add Z or +09:00, or say --utc"
        )
    else:
        moment = moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    if moment.date() < _FIRST_IMAGE:
        problem = f"{text!r} reads as {moment.date()}, before there were images from orbit"
        raise ImageError(problem, where=where, hint="Check --pattern and --date-format")
    return moment, day_only


def _parse(text: str, date_format: str | None) -> tuple[datetime, bool]:
    if date_format:
        moment = datetime.strptime(text, date_format)  # noqa: DTZ007 - the caller checks the zone
        _check_reading(text, moment, date_format)
        return moment, not _TIME_DIRECTIVE.search(date_format)
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return datetime.fromisoformat(text), False
    return datetime.combine(day, time()), True


def _check_reading(text: str, moment: datetime, date_format: str) -> None:
    # `strptime` reads the day of year 2008118 by %Y%m%d as 8 November; written back it differs.
    if _FREE_DIRECTIVE.search(date_format):
        return
    written, read = (_LEADING_ZEROS.sub("", form).lower() for form in (text, moment.strftime(date_format)))
    if written != read:
        raise ValueError(f"{text!r} would be read as {moment.date()}")


def _match(path: Path, rule: NamingRule) -> dict[str, str | None]:
    if len(path.name) > _MAX_NAME:
        raise ImageError(f"its name has more than {_MAX_NAME} characters", where=Where(str(path)))
    if rule.pattern is None:
        return {}
    found = re.search(rule.pattern, path.name)
    if found is None:
        raise ImageError(
            f"the pattern {rule.pattern!r} does not match its name",
            where=Where(str(path), field="pattern"),
            hint="Leave the file out, or make the pattern wider",
        )
    return found.groupdict()
