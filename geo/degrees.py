"""Degrees as people write them: decimal, with minutes, with seconds.

Read are ``39.0194, 125.7381``, ``N39.0194 E125.7381``, ``39°01'10"N 125°44'17"E``,
``39:01:10N 125:44:17E``, ``39 01 10 N, 125 44 17 E``, ``39d01m10sN 125d44m17sE``, ``390110N 1254417E``,
``Lat 39.0194 Lon 125.7381``, ``POINT (125.7381 39.0194)`` and the Korean and Chinese words for the
compass points, degree, minute and second. Without letters the latitude comes first; with letters
either may. A comma is never a decimal sign, and only the last of degrees, minutes and seconds has a
fraction.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from geo.errors import CoordinateError
from geo.position import METRES_PER_DEGREE, Coordinate, Form
from geo.quoting import shown

_FORMS = (Form.DECIMAL, Form.DDM, Form.DMS)
_STEPS_PER_DEGREE = {Form.DECIMAL: 1, Form.GEO_URI: 1, Form.DDM: 60, Form.DMS: 3600}
_MOST_DECIMALS = {Form.DECIMAL: 7, Form.GEO_URI: 7, Form.DDM: 5, Form.DMS: 3}
_MINUTES = 60

_LOOKALIKES = (
    ("º˚도度", "°"),
    ("′’‘ʹʼ´`분分", "'"),  # noqa: RUF001 - the signs people paste for minutes
    ("″”“ʺ초秒", '"'),
    ("\N{MINUS SIGN}\N{EN DASH}\N{NON-BREAKING HYPHEN}", "-"),
    ("\N{FULLWIDTH COMMA}\N{IDEOGRAPHIC COMMA};/", ","),
    ("\N{NO-BREAK SPACE}\N{THIN SPACE}\N{NARROW NO-BREAK SPACE}\N{IDEOGRAPHIC SPACE}\t\r\n", " "),
)
_ONE_SIGN = str.maketrans({sign: plain for signs, plain in _LOOKALIKES for sign in signs})
_WORDS = tuple(
    (re.compile(pattern), plain)
    for pattern, plain in (
        ("''", '"'),
        ("북위|北纬|北緯|(?i:\\bnorth\\b)", "N"),
        ("남위|南纬|南緯|(?i:\\bsouth\\b)", "S"),
        ("동경|东经|東經|東経|(?i:\\beast\\b)", "E"),
        ("서경|西经|西經|西経|(?i:\\bwest\\b)", "W"),
        (r"(?i:\blat(?:itude)?\b\.?) ?[:=]?", "Y"),
        (r"(?i:\b(?:longitude|long|lon|lng)\b\.?) ?[:=]?", "X"),
        (r"(?i:deg(?:rees?)?\b)", "°"),
        # Lower case only: in 39d01m10S the S is the south, not the seconds.
        (r"([0-9]) ?d ?([0-9.]+) ?m(?: ?([0-9.]+) ?s)?", r"""\1°\2'\3 """),
        (r"([nsew])(?![a-z])", lambda match: match[1].upper()),
    )
)
_POINT = re.compile(r"(?i:POINT) ?\( ?([-+0-9.]+) +([-+0-9.]+) ?\)")
_BODY = r"([-+0-9.:°'\" ]*[0-9][-+0-9.:°'\" ]*)"
_PREFIXED = re.compile(rf"([NSEWYX]){_BODY},? *([NSEWYX]){_BODY}")
_SUFFIXED = re.compile(rf"{_BODY}([NSEW]),? *{_BODY}([NSEW])")
_PAIR = re.compile(rf"{_BODY},{_BODY}")
_NUMBER = re.compile(r"[-+]?[0-9]+(?:\.[0-9]+)?")
_ANGLE = re.compile(
    r"([-+]?) ?([0-9]{1,3}(?:\.[0-9]{1,20})?)"
    r"(?:(?: ?° ?| ?: ?| )([0-9]{1,2}(?:\.[0-9]{1,20})?)"
    r"(?:(?: ?' ?| ?: ?| )([0-9]{1,2}(?:\.[0-9]{1,20})?))?)?"
    r" ?[°'\"]?"
)
_COMPACT = re.compile(r"()([0-9]{2,3})([0-9]{2})([0-9]{2}(?:\.[0-9]{1,20})?)?")


class _Angle(NamedTuple):
    axis: str
    """``NS``, ``EW``, or empty where nothing says."""
    degrees: float
    form: Form
    step_m: float


def parse_degrees(text: str) -> Coordinate:
    """Read latitude and longitude in any of the written forms of this module.

    >>> parse_degrees("39°30'N 125°45'E")
    Coordinate(lon=125.75, lat=39.5, form=<Form.DDM: 'degrees and minutes'>, precision_m=1855.3333333333333)

    Raises:
        CoordinateError: The text is none of them, is ambiguous, or lies off the Earth.
    """
    first, second = (_angle(marker, body.strip(), text) for marker, body in _halves(text))
    if first.axis == second.axis and first.axis:
        problem = f"{shown(text)} names the same axis twice"
        raise CoordinateError(problem, hint="Write one letter of N or S and one of E or W")
    lat, lon = (second, first) if first.axis == "EW" or second.axis == "NS" else (first, second)
    form = max(first.form, second.form, key=_FORMS.index)
    return Coordinate(lon.degrees, lat.degrees, form, min(first.step_m, second.step_m))


def format_degrees(coordinate: Coordinate, form: Form) -> str:
    """Write a coordinate in decimal degrees, DDM, DMS or as a ``geo:`` URI, no finer than it was written."""
    steps = _STEPS_PER_DEGREE[form]
    decimals = _decimals(coordinate.precision_m, METRES_PER_DEGREE / steps, _MOST_DECIMALS[form])
    if steps == 1:
        lat, lon = (f"{round(v, decimals) + 0.0:.{decimals}f}" for v in (coordinate.lat, coordinate.lon))
        return f"geo:{lat},{lon}" if form is Form.GEO_URI else f"{lat}, {lon}"
    lat = _sexagesimal(coordinate.lat, steps, decimals, letters="NS")
    return f"{lat} {_sexagesimal(coordinate.lon, steps, decimals, letters='EW')}"


def decimal_step_m(*numbers: str) -> float:
    """Return the ground size of the last digit of the finest of some decimal degrees.

    The finest, because spreadsheets drop zeros at the end: 39.5 beside 125.7381 was 39.5000.

    >>> decimal_step_m("39.5", "125.738")
    111.32
    """
    return METRES_PER_DEGREE / 10.0 ** max(_fraction_digits(number) for number in numbers)


def _halves(text: str) -> list[tuple[str, str]]:
    """Return (letter or empty, body) twice, in the order written."""
    plain = _plain(text)
    if point := _POINT.fullmatch(plain):
        return [("X", point[1]), ("Y", point[2])]
    if prefixed := _PREFIXED.fullmatch(plain):
        return [(prefixed[1], prefixed[2]), (prefixed[3], prefixed[4])]
    if suffixed := _SUFFIXED.fullmatch(plain):
        return [(suffixed[2], suffixed[1]), (suffixed[4], suffixed[3])]
    if pair := _PAIR.fullmatch(plain if "," in plain else _with_comma(plain)):
        return [("", pair[1]), ("", pair[2])]
    raise CoordinateError(f"{shown(text)} is not a coordinate", hint=_hint(plain))


def _plain(text: str) -> str:
    plain = text.translate(_ONE_SIGN)
    for pattern, replacement in _WORDS:
        plain = pattern.sub(replacement, plain)
    plain = " ".join(plain.split())
    if any(letter in plain for letter in "NSEW") and not _POINT.fullmatch(plain):
        plain = plain.replace("Y", "").replace("X", "").strip()
    inner = plain.removeprefix("(").removesuffix(")")
    return inner.strip() if len(inner) == len(plain) - 2 else plain


def _with_comma(plain: str) -> str:
    numbers = list(_NUMBER.finditer(plain))
    if not numbers or len(numbers) % 2:
        return plain
    middle = numbers[len(numbers) // 2].start()
    return f"{plain[:middle]},{plain[middle:]}"


def _hint(plain: str) -> str:
    if plain.startswith("["):
        return "Brackets are written in both orders: write latitude, longitude without them"
    if plain.count(",") > 1:
        return "Write decimals with a point: 39.0194, 125.7381"
    return "Write latitude and longitude, such as 39.0194, 125.7381 or 39°01'10\"N 125°44'17\"E"


def _angle(marker: str, body: str, text: str) -> _Angle:
    match = _ANGLE.fullmatch(body) or (_COMPACT.fullmatch(body) if marker in {*"NSEW"} else None)
    if match is None:
        hint = "Write degrees, minutes and seconds like 39°01'10\""
        raise CoordinateError(f"{shown(text)} is not a coordinate", hint=hint)
    sign, parts = match[1], [part for part in match.groups()[1:] if part]
    if any("." in part for part in parts[:-1]):
        raise CoordinateError(f"{shown(text)} has a fraction before its last part")
    if any(float(part) >= _MINUTES for part in parts[1:]):
        raise CoordinateError(f"{shown(text)} has 60 or more minutes or seconds")
    if sign and marker in {*"NSEW"}:
        raise CoordinateError(f"{shown(text)} has both a sign and a letter", hint="Leave one of them out")
    size = sum(float(part) / _MINUTES**power for power, part in enumerate(parts))
    form = _FORMS[len(parts) - 1]
    step_m = decimal_step_m(parts[-1]) / _STEPS_PER_DEGREE[form]
    return _Angle(_axis(marker), -size if sign == "-" or marker in {*"SW"} else size, form, step_m)


def _axis(marker: str) -> str:
    if not marker:
        return ""
    return "NS" if marker in "NSY" else "EW"


def _fraction_digits(number: str) -> int:
    return len(number.partition(".")[2])


def _decimals(precision_m: float, unit_m: float, most: int) -> int:
    enough = (n for n in range(most) if unit_m / 10**n <= precision_m)
    return next(enough, most)


def _sexagesimal(degrees: float, steps: int, decimals: int, *, letters: str) -> str:
    # Counted in whole last digits, so that 59.9996" carries into the minute instead of printing 60.
    count = round(degrees * steps * 10**decimals)
    whole, last = divmod(abs(count), _MINUTES * 10**decimals)
    letter, width = letters[count < 0], 2 if letters == "NS" else 3
    fraction = f"{last / 10**decimals:0{3 + decimals if decimals else 2}.{decimals}f}"
    if steps == _MINUTES:
        return f"{whole:0{width}d}°{fraction}'{letter}"
    return f"{whole // _MINUTES:0{width}d}°{whole % _MINUTES:02d}'{fraction}\"{letter}"
