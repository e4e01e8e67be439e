"""Plus Codes (Open Location Code): ``8QF72P9Q+Q6``.

A code names a cell of 20 degrees down to about a centimetre. It is read as the centre of that cell and
written as the cell that a point lies in. Short codes (``2P9Q+Q6 Pyongyang``) mean nothing without the
place they are near and are refused.

Source: Open Location Code specification 1.0,
https://github.com/google/open-location-code/blob/main/Documentation/Specification/specification.md
"""

from __future__ import annotations

import math
import re

from geo.errors import CoordinateError
from geo.position import METRES_PER_DEGREE, Coordinate, Form
from geo.quoting import shown

_ALPHABET = "23456789CFGHJMPQRVWX"
_PAIR_DIGITS = 10
_GRID_ROWS, _GRID_COLUMNS = 5, 4
_SEPARATOR_AT = 8
_LENGTHS = (2, 4, 6, 8, 10, 11, 12, 13, 14, 15)
_FINEST = _LENGTHS[-1]

_PAIR_STEPS = 8000
"""Steps of the tenth digit in a degree: 20 degrees, divided four times by 20."""
_LAT_STEPS = _PAIR_STEPS * _GRID_ROWS**5
_LON_STEPS = _PAIR_STEPS * _GRID_COLUMNS**5
"""Steps of the fifteenth digit in a degree; whole numbers, so no code depends on rounding."""

_CODE = re.compile(rf"([{_ALPHABET}]{{2,8}})(0{{0,6}})\+([{_ALPHABET}]{{0,7}})", re.IGNORECASE | re.ASCII)
_SHORT = re.compile(rf"[{_ALPHABET}]{{2,6}}\+[{_ALPHABET}]{{2,7}}\b.*", re.IGNORECASE | re.ASCII)


def parse_plus_code(text: str) -> Coordinate | None:
    """Read a full code as the centre of its cell; None when the text is not written like one.

    Raises:
        CoordinateError: The code is a short one, or names no cell.
    """
    match = _CODE.fullmatch(text)
    if match is None or len(match[1] + match[2]) != _SEPARATOR_AT:
        _refuse_short(text)
        return None
    digits = (match[1] + match[3]).upper()
    if len(digits) not in _LENGTHS or (match[2] and match[3]):
        raise CoordinateError(
            f"{shown(text)} is not a whole Plus Code", hint="Copy it again, such as 8QF72P9Q+Q6"
        )
    lat_steps, lon_steps, height, width = _cell(digits)
    if lat_steps >= 180 * _LAT_STEPS or lon_steps >= 360 * _LON_STEPS:
        raise CoordinateError(f"{shown(text)} names no place on the Earth")
    lat = (lat_steps + height / 2) / _LAT_STEPS - 90.0
    lon = (lon_steps + width / 2) / _LON_STEPS - 180.0
    return Coordinate(lon, lat, Form.PLUS_CODE, _side_m(len(digits)))


def format_plus_code(coordinate: Coordinate) -> str:
    """Write the cell that a point lies in, the largest that is no coarser than the coordinate was written."""
    enough = (n for n in _LENGTHS if _side_m(n) <= coordinate.precision_m)
    length = next(enough, _FINEST)
    # The pole and the antimeridian belong to the cells below and beyond them (specification, "Encoding").
    lat_steps = min(_steps(coordinate.lat, _LAT_STEPS) + 90 * _LAT_STEPS, 180 * _LAT_STEPS - 1)
    lon_steps = (_steps(coordinate.lon, _LON_STEPS) + 180 * _LON_STEPS) % (360 * _LON_STEPS)
    digits = _digits(lat_steps, lon_steps)[:length]
    return f"{digits[:_SEPARATOR_AT].ljust(_SEPARATOR_AT, '0')}+{digits[_SEPARATOR_AT:]}"


def _refuse_short(text: str) -> None:
    if _SHORT.fullmatch(text):
        hint = "Copy the full code, with the four characters before it, such as 8QF72P9Q+Q6"
        raise CoordinateError(f"{shown(text)} is a short Plus Code, which needs a place nearby", hint=hint)


def _cell(digits: str) -> tuple[int, int, int, int]:
    """Return the south and west edges, height and width of a cell, in finest steps."""
    lat = lon = 0
    height, width = 400 * _LAT_STEPS, 400 * _LON_STEPS
    for index, digit in enumerate(digits):
        value = _ALPHABET.index(digit)
        if index >= _PAIR_DIGITS:
            height, width = height // _GRID_ROWS, width // _GRID_COLUMNS
            lat += value // _GRID_COLUMNS * height
            lon += value % _GRID_COLUMNS * width
        elif index % 2:
            width //= len(_ALPHABET)
            lon += value * width
        else:
            height //= len(_ALPHABET)
            lat += value * height
    return lat, lon, height, width


def _digits(lat: int, lon: int) -> str:
    """Return all fifteen digits of the cell with these steps from the south pole and the antimeridian."""
    digits: list[str] = []
    for _ in range(_FINEST - _PAIR_DIGITS):
        lat, row = divmod(lat, _GRID_ROWS)
        lon, column = divmod(lon, _GRID_COLUMNS)
        digits.append(_ALPHABET[row * _GRID_COLUMNS + column])
    for _ in range(_PAIR_DIGITS // 2):
        lat, lat_digit = divmod(lat, len(_ALPHABET))
        lon, lon_digit = divmod(lon, len(_ALPHABET))
        digits += [_ALPHABET[lon_digit], _ALPHABET[lat_digit]]
    return "".join(reversed(digits))


def _steps(degrees: float, steps_per_degree: int) -> int:
    # 51.17 degrees lie on the edge of a cell; their binary neighbour must not fall into the cell before.
    return math.floor(round(degrees * steps_per_degree, 6))


def _side_m(length: int) -> float:
    """Return the longer side of a cell at the equator: from the eleventh digit on, the one along it."""
    if length <= _PAIR_DIGITS:
        degrees = 400.0 / 20.0 ** (length // 2)
    else:
        degrees = 1.0 / _PAIR_STEPS / _GRID_COLUMNS ** float(length - _PAIR_DIGITS)
    return degrees * METRES_PER_DEGREE
