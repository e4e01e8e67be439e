"""Universal Transverse Mercator: zones, latitude bands, and references such as ``51S 737015 4322568``.

The letter after the zone is written in two ways: as the latitude band (C to X, 8 degrees each from
80 S) and as the hemisphere (N or S). N means the north either way. S is read as the band from 32 N to
40 N when the northing lies in that band, and as the southern hemisphere otherwise; northings from
3,540,000 to 4,430,000 with an S can mean both, and the band wins, because who writes a letter and no
word writes a band. References are written with bands, so that what is written reads back as itself.

Source: NGA.STND.0037 2.0.0, *The Universal Grids and the Transverse Mercator and Polar Stereographic
Map Projections* (zones with the exceptions of Norway
and Svalbard, bands).
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import NamedTuple

from pyproj import Proj

from geo.errors import CoordinateError
from geo.position import Coordinate, Form
from geo.quoting import shown

BANDS = "CDEFGHJKLMNPQRSTUVWX"
"""Latitude bands from 80 S, 8 degrees each; X has 12."""

FIRST_NORTHERN_BAND = "N"

SOUTH_LIMIT, NORTH_LIMIT = -80.0, 84.0

_BAND_DEGREES = 8.0
_ZONE_DEGREES = 6.0
_ZONES = 60
_FALSE_NORTHING_M = 10_000_000.0
_EASTING_M = (100_000.0, 900_000.0)
_EDGE_DEGREES = 0.001
"""A reference rounded to metres may lie this far over the edge of its band or zone."""

_ZONES_OUT_OF_LINE = {
    "31V": (0.0, 3.0),
    "32V": (3.0, 12.0),
    "31X": (0.0, 9.0),
    "33X": (9.0, 21.0),
    "35X": (21.0, 33.0),
    "37X": (33.0, 42.0),
}
"""West and east of the zones widened for Norway and Svalbard; 32X, 34X and 36X do not exist."""
_ZONES_LEFT_OUT = frozenset({"32X", "34X", "36X"})

_EASTING = r"([0-9]{5,8}(?:\.[0-9]{1,20})?)"
_NORTHING = r"([0-9]{1,8}(?:\.[0-9]{1,20})?)"
_REFERENCE = re.compile(
    rf"(?:UTM ?)?(?:zone ?)?([0-9]{{1,2}}) ?([A-Z]|north|south),? +(?:E ?)?{_EASTING} ?(?:m ?E?|E)?,? +"
    rf"(?:N ?)?{_NORTHING} ?(?:m ?N?|N)?",
    re.IGNORECASE | re.ASCII,
)
_EPSG = re.compile(rf"EPSG: ?32([67])([0-9]{{2}}),? +{_EASTING},? +{_NORTHING}", re.IGNORECASE | re.ASCII)


class Utm(NamedTuple):
    """A point in a UTM zone on WGS 84."""

    zone: int
    """1 to 60."""
    is_north: bool
    easting_m: float
    northing_m: float
    """From the equator, or in the south from 10,000 km below it."""


def zone_of(lon: float, lat: float) -> int:
    """Return the UTM zone of a point, with the exceptions for Norway and Svalbard.

    Raises:
        CoordinateError: The latitude lies outside 80 S to 84 N.
    """
    if not SOUTH_LIMIT <= lat <= NORTH_LIMIT:
        raise CoordinateError(f"{lat:.4f} degrees of latitude is outside the UTM zones (80 S to 84 N)")
    band = band_of(lat)
    for name, (west, east) in _ZONES_OUT_OF_LINE.items():
        if name[2] == band and west <= lon < east:
            return int(name[:2])
    return int((lon + 180.0) // _ZONE_DEGREES) % _ZONES + 1


def band_of(lat: float) -> str:
    """Return the letter of the latitude band of a latitude from 80 S to 84 N."""
    return BANDS[min(int((lat - SOUTH_LIMIT) // _BAND_DEGREES), len(BANDS) - 1)]


def band_limits(band: str) -> tuple[float, float]:
    """Return the south and the north of a latitude band, degrees."""
    south = SOUTH_LIMIT + _BAND_DEGREES * BANDS.index(band)
    return south, NORTH_LIMIT if band == BANDS[-1] else south + _BAND_DEGREES


def zone_limits(zone: int, band: str) -> tuple[float, float] | None:
    """Return the west and the east of a zone in a band, degrees; None for those that do not exist."""
    name = f"{zone}{band}"
    if name in _ZONES_LEFT_OUT:
        return None
    west = _ZONE_DEGREES * (zone - 1) - 180.0
    return _ZONES_OUT_OF_LINE.get(name, (west, west + _ZONE_DEGREES))


def to_utm(lon: float, lat: float) -> Utm:
    """Return a point in its own zone.

    Raises:
        CoordinateError: The latitude lies outside 80 S to 84 N.
    """
    zone = zone_of(lon, lat)
    # By the band, which a latitude of -1e-99 has rounded into the north.
    is_north = band_of(lat) >= FIRST_NORTHERN_BAND
    easting, northing = _projection(zone, is_north)(lon, lat)
    return Utm(zone, is_north, easting, northing)


def to_lonlat(point: Utm) -> tuple[float, float]:
    """Return longitude and latitude of a point in a zone; infinite where there is none."""
    lon, lat = _projection(point.zone, point.is_north)(point.easting_m, point.northing_m, inverse=True)
    return float(lon), float(lat)


def parse_utm(text: str) -> Coordinate | None:
    """Read a UTM reference; None when the text is not written like one.

    Read are ``51S 737015 4322568``, ``51 S 737015mE 4322568mN``, ``zone 51 north 737015 4322568`` and
    ``EPSG:32651 737015 4322568``. The module says how N and S are told from bands.

    Raises:
        CoordinateError: It is written like one, but no such point exists.
    """
    match = _REFERENCE.fullmatch(text)
    if match is not None:
        zone, letter, easting, northing = int(match[1]), match[2].upper(), match[3], match[4]
    elif (match := _EPSG.fullmatch(text)) is not None:
        hemisphere = "NORTH" if match[1] == "6" else "SOUTH"
        zone, letter, easting, northing = int(match[2]), hemisphere, match[3], match[4]
    else:
        return None
    if not 1 <= zone <= _ZONES:
        raise CoordinateError(f"{shown(text)} names zone {zone}; they run from 1 to 60")
    lon, lat = _located(text, zone, letter, (float(easting), float(northing)))
    step_m = 1.0 / 10.0 ** max(len(number.partition(".")[2]) for number in (easting, northing))
    return Coordinate(lon, lat, Form.UTM, step_m)


def format_utm(coordinate: Coordinate) -> str:
    """Write a coordinate as zone, band, easting and northing, in metres or parts of them.

    Raises:
        CoordinateError: The latitude lies outside 80 S to 84 N.
    """
    point = to_utm(coordinate.lon, coordinate.lat)
    decimals = min(3, max(0, math.ceil(-math.log10(coordinate.precision_m) - 1e-6)))
    band = band_of(coordinate.lat)
    easting, northing = (round(metres, decimals) + 0.0 for metres in (point.easting_m, point.northing_m))
    return f"{point.zone}{band} {easting:.{decimals}f} {northing:.{decimals}f}"


@cache
def _projection(zone: int, is_north: bool) -> Proj:  # noqa: FBT001 - the cache's key
    return Proj(proj="utm", zone=zone, south=not is_north, ellps="WGS84")


def _located(text: str, zone: int, letter: str, metres: tuple[float, float]) -> tuple[float, float]:
    if not _EASTING_M[0] <= metres[0] <= _EASTING_M[1]:
        hint = "The easting comes first, then the northing"
        raise CoordinateError(f"{shown(text)} has an easting outside 100,000 to 900,000 m", hint=hint)
    if metres[1] > _FALSE_NORTHING_M:
        raise CoordinateError(f"{shown(text)} has a northing above 10,000,000 m")
    for is_north, (south, north) in _readings(letter):
        lon, lat = to_lonlat(Utm(zone, is_north, *metres))
        if south - _EDGE_DEGREES <= lat <= north + _EDGE_DEGREES:
            return lon, lat
    problem = f"{shown(text)} has a northing that does not lie in {letter}"
    raise CoordinateError(problem, hint="Write the latitude band after the zone, or the word north or south")


def _readings(letter: str) -> list[tuple[bool, tuple[float, float]]]:
    """Return what a letter can mean, the likelier first: hemisphere, and the latitudes it allows."""
    north, south = (True, (0.0, NORTH_LIMIT)), (False, (SOUTH_LIMIT, 0.0))
    if letter in {"NORTH", "N"}:
        return [north]
    if letter == "SOUTH":
        return [south]
    if letter not in BANDS:
        return []
    band = (letter >= FIRST_NORTHERN_BAND, band_limits(letter))
    return [band, south] if letter == "S" else [band]
