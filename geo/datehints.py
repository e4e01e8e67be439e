"""What somebody probably meant by a date that is not EDTF: text for a hint, never a value.

Dates reach a catalogue from spreadsheets and notes. A guess is fit to be shown and confirmed; it is
never stored, because ``05/06/2016`` is two different days in two countries.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

_Rewrite: TypeAlias = "Callable[[re.Match[str]], list[str]]"

_NAMES = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
_MONTHS = {
    name[:length]: f"{number:02d}"
    for number, name in enumerate(_NAMES, start=1)
    for length in range(3, len(name) + 1)
}
"""Every beginning of an English name of at least three letters."""
_SEASONS = {"spring": "21", "summer": "22", "autumn": "23", "fall": "23", "winter": "24"}

_NAME = r"(?P<name>[A-Za-z]{3,9})\.?"
_YEAR = r"(?P<year>[0-9]{4})"
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_ISO = r"[0-9]{4}(?:-[0-9]{2}){0,2}"


def guesses(text: str) -> list[str]:
    """Return what may have been meant, the likeliest reading first; unchecked, and perhaps no date at all.

    >>> guesses("June 2016"), guesses("5/6/2016"), guesses("soon")
    (['2016-06'], ['2016-06-05', '2016-05-06'], [])
    """
    cleaned = " ".join(text.replace("\N{EN DASH}", "-").replace("\N{EM DASH}", "-").split())
    found: list[str] = []
    for pattern, rewrite in _REWRITES:
        match = pattern.fullmatch(cleaned)
        found += rewrite(match) if match else []
    return list(dict.fromkeys(found))


def _numbers(match: re.Match[str]) -> list[str]:
    parts = match.groupdict()
    day = f"-{int(parts['day']):02d}" if parts.get("day") else ""
    return [f"{parts['year']}-{int(parts['month']):02d}{day}"]


def _either_order(match: re.Match[str]) -> list[str]:
    a, b = int(match["a"]), int(match["b"])
    return [f"{match['year']}-{month:02d}-{day:02d}" for day, month in ((a, b), (b, a))]


def _named(match: re.Match[str]) -> list[str]:
    parts = match.groupdict()
    name = parts["name"].lower()
    code = _SEASONS.get(name) or _MONTHS.get(name)
    day = f"-{int(parts['day']):02d}" if "day" in parts else ""
    return [f"{parts['year']}-{code}{day}"] if code else []


def _quarter(match: re.Match[str]) -> list[str]:
    return [f"{match['year']}-{32 + int(match['quarter'])}"]


def _two_years(match: re.Match[str]) -> list[str]:
    return [f"{match['year']}/{match['year'][:2]}{match['end']}"]


def _decade(match: re.Match[str]) -> list[str]:
    return [match[1].ljust(4, "X")]


def _form(template: str) -> _Rewrite:
    return lambda match: [match.expand(template)]


_REWRITES: tuple[tuple[re.Pattern[str], _Rewrite], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.ASCII), rewrite)
    for pattern, rewrite in (
        (rf"({_ISO}(?:/{_ISO})?)", _form(r"\1")),
        (rf"{_YEAR}[-/. ](?P<month>[0-9]{{1,2}})[-/. ](?P<day>[0-9]{{1,2}})\.?", _numbers),
        (
            rf"{_YEAR} ?[년年] ?(?P<month>[0-9]{{1,2}}) ?[월月](?: ?(?P<day>[0-9]{{1,2}}) ?[일日])?",
            _numbers,
        ),
        (rf"{_YEAR}(?P<month>[0-9]{{2}})(?P<day>[0-9]{{2}})", _numbers),
        (rf"{_YEAR}[-/. ]?(?P<month>[0-9]{{1,2}})", _numbers),
        (rf"(?P<month>[0-9]{{1,2}})[-/. ]{_YEAR}", _numbers),
        (rf"(?P<a>[0-9]{{1,2}})[-/. ](?P<b>[0-9]{{1,2}})[-/. ]{_YEAR}", _either_order),
        (rf"{_YEAR}[-/](?P<end>[0-9]{{2}})", _two_years),
        (rf"{_NAME},? ?{_YEAR}", _named),
        (rf"{_YEAR}[-,]? ?{_NAME}", _named),
        (rf"{_DAY}[- ]?(?:of )?{_NAME}[-,]? ?{_YEAR}", _named),
        (rf"{_NAME} ?{_DAY},? ?{_YEAR}", _named),
        (rf"Q(?P<quarter>[1-4])[ /-]?{_YEAR}", _quarter),
        (rf"{_YEAR}[ /-]?Q(?P<quarter>[1-4])", _quarter),
        (rf"(?:~|c\.?|ca\.?|circa|about|around|approx\.?) ?({_ISO})", _form(r"\1~")),
        (rf"(?:after|since|from) ({_ISO})", _form(r"\1/..")),
        (rf"(?:before|until|till|by|up to) ({_ISO})", _form(r"../\1")),
        (rf"\.\.({_ISO})", _form(r"../\1")),
        (rf"({_ISO}) ?(?:-|\.\.)", _form(r"\1/..")),
        (rf"(?:between |from )?({_ISO}) ?(?:-|to|until|and|\.\.) ?({_ISO})", _form(r"\1/\2")),
        (rf"({_ISO}) ?/ ?({_ISO})", _form(r"\1/\2")),
        (r"([0-9]{3})0'?s", _decade),
        (r"([0-9]{2,3})[x?_u*]{1,2}", _decade),
    )
)
