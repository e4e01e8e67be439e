"""One parser for coordinates as people paste them, and their way back to text.

Read are degrees in every usual spelling (`geo.degrees`), UTM (`geo.utm`), MGRS (`geo.mgrs`), full Plus
Codes (`geo.pluscode`), ``geo:`` URIs and the addresses of map sites (`geo.maplinks`). What cannot be
read for certain is refused with the reason; nothing is clamped into range or swapped into place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.degrees import format_degrees, parse_degrees
from geo.errors import CoordinateError
from geo.maplinks import MAX_LINK, parse_geo_uri, parse_link
from geo.mgrs import format_mgrs, parse_mgrs
from geo.pluscode import format_plus_code, parse_plus_code
from geo.position import Coordinate, Form
from geo.utm import format_utm, parse_utm

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_TEXT = 120
"""Characters of anything but an address."""

_GRIDS: tuple[Callable[[str], Coordinate | None], ...] = (parse_utm, parse_mgrs, parse_plus_code)
_GRID_FORMATS: dict[Form, Callable[[Coordinate], str]] = {
    Form.UTM: format_utm,
    Form.MGRS: format_mgrs,
    Form.PLUS_CODE: format_plus_code,
}


def parse_coordinate(text: str) -> Coordinate:
    """Read a coordinate in any form.

    >>> here = parse_coordinate("39.0194, 125.7381")
    >>> here.lon, here.lat, here.precision_m
    (125.7381, 39.0194, 11.132)

    Args:
        text: What was typed or pasted; space around it is ignored.

    Raises:
        CoordinateError: The text is in no known form, is ambiguous, or lies off the Earth; the hint says
            what to write.
    """
    if len(text) > MAX_LINK:
        raise CoordinateError(f"a coordinate of {len(text)} characters is longer than {MAX_LINK}")
    plain = " ".join(text.split())
    found = parse_geo_uri(plain) or parse_link(plain)
    if found is not None:
        return found
    if len(plain) > MAX_TEXT:
        raise CoordinateError(f"a coordinate of {len(plain)} characters is longer than {MAX_TEXT}")
    for parse in _GRIDS:
        found = parse(plain)
        if found is not None:
            return found
    return parse_degrees(plain)


def format_coordinate(coordinate: Coordinate, form: Form) -> str:
    """Write a coordinate in a form, no finer than it was written, so that `parse_coordinate` reads it back.

    >>> format_coordinate(parse_coordinate("39.0194, 125.7381"), Form.MGRS)
    '51S YD 3705 2249'

    Raises:
        CoordinateError: The form cannot hold the place (UTM and MGRS end at 80 S and 84 N), or it is
            `Form.LINK`, which is read only.
    """
    if form is Form.LINK:
        raise CoordinateError("map links are read, not written", hint="Write a geo URI instead")
    write = _GRID_FORMATS.get(form)
    return format_degrees(coordinate, form) if write is None else write(coordinate)
