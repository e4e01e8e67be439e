"""Military Grid Reference System: ``51S YD 37015 22568``.

A reference names a square of 100 km to 1 m. It is read as the centre of that square, which is nearest
to whatever was meant; written, a point gives the square it lies in. The polar squares (UPS, bands A,
B, Y and Z) are refused.

Source: NGA.STND.0037 2.0.0, *The Universal Grids and the Transverse Mercator and Polar Stereographic
Map Projections* (lettering of the squares on WGS 84).
"""

from __future__ import annotations

import math
import re

from geo.errors import CoordinateError
from geo.position import Coordinate, Form
from geo.quoting import shown
from geo.utm import BANDS, FIRST_NORTHERN_BAND, Utm, band_limits, band_of, to_lonlat, to_utm, zone_limits

_SIDES_M = (100_000, 10_000, 1_000, 100, 10, 1)
"""Of a square, by digits given for its easting."""
_SQUARE_M = _SIDES_M[0]
_CYCLE_M = 2_000_000
_HIGHEST_NORTHING_M = 9_999_999
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_COLUMNS = ("STUVWXYZ", "ABCDEFGH", "JKLMNPQR")
"""By zone modulo 3; the first letter starts at an easting of 100 km."""
_EVEN_ZONE_ROW = 5
"""Even zones start the rows at F, so that equal letters lie far apart."""
_EDGE_DEGREES = 0.001
_SHORTEST_DEGREE_M = 110_574.0
"""A degree of latitude at the equator."""

_REFERENCE = re.compile(
    r"([0-9]{1,2}) ?([A-Z]) ?([A-Z]{2}) ?([0-9]{0,5}) ?([0-9]{0,5})", re.IGNORECASE | re.ASCII
)


def parse_mgrs(text: str) -> Coordinate | None:
    """Read a reference as the centre of its square; None when the text is not written like one.

    Raises:
        CoordinateError: It is written like one, but no such square exists.
    """
    match = _REFERENCE.fullmatch(text)
    if match is None:
        return None
    zone, band, square = int(match[1]), match[2].upper(), match[3].upper()
    digits = match[4] + match[5]
    if len(digits) % 2 or (match[5] and len(match[4]) != len(match[5])):
        problem = f"{shown(text)} has unequal digits for easting and northing"
        raise CoordinateError(problem, hint="Write as many digits for the one as for the other")
    limits = zone_limits(zone, band) if 1 <= zone <= 60 and band in BANDS else None  # noqa: PLR2004 - UTM zones
    if limits is None:
        hint = "Zones run from 1 to 60, bands from C to X; polar squares are not read"
        raise CoordinateError(f"{shown(text)} names no UTM zone and band", hint=hint)
    return _centre(text, zone, band, square, digits)


def format_mgrs(coordinate: Coordinate) -> str:
    """Write the square that a point lies in, no finer than the coordinate was written.

    Raises:
        CoordinateError: The latitude lies outside 80 S to 84 N.
    """
    point = to_utm(coordinate.lon, coordinate.lat)
    # A tenth of a millimetre, so that whole metres read from text do not fall into the square before;
    # and a point that close to the south of the equator stays below it.
    easting = int(point.easting_m + 1e-4)
    northing = min(int(point.northing_m + 1e-4), _HIGHEST_NORTHING_M)
    column = _COLUMNS[point.zone % 3][easting // _SQUARE_M - 1]
    row = _ROWS[(northing // _SQUARE_M + _first_row(point.zone)) % len(_ROWS)]
    name = f"{point.zone:02d}{band_of(coordinate.lat)} {column}{row}"
    enough = (n for n, side_m in enumerate(_SIDES_M) if side_m <= coordinate.precision_m)
    digits = next(enough, len(_SIDES_M) - 1)
    if not digits:
        return name
    inside = (f"{metres % _SQUARE_M:05d}"[:digits] for metres in (easting, northing))
    return " ".join([name, *inside])


def _centre(text: str, zone: int, band: str, square: str, digits: str) -> Coordinate:
    half = len(digits) // 2
    side_m = _SIDES_M[half]
    column, row = _COLUMNS[zone % 3].find(square[0]), _ROWS.find(square[1])
    if min(column, row) < 0:
        raise CoordinateError(f"{shown(text)} names square {square}, which zone {zone} does not have")
    easting = (column + 1) * _SQUARE_M + (int(digits[:half] or 0) + 0.5) * side_m
    first = (row - _first_row(zone)) % len(_ROWS) * _SQUARE_M + (int(digits[half:] or 0) + 0.5) * side_m
    for northing in (first + cycle * _CYCLE_M for cycle in range(5)):
        lon, lat = to_lonlat(Utm(zone, band >= FIRST_NORTHERN_BAND, easting, northing))
        if _touches(lon, lat, zone, band, side_m):
            return Coordinate(lon, lat, Form.MGRS, float(side_m))
    problem = f"{shown(text)} names square {square}, which does not lie in {zone}{band}"
    raise CoordinateError(problem, hint="Check the zone, the band and the two letters against each other")


def _touches(lon: float, lat: float, zone: int, band: str, side_m: int) -> bool:
    """Return whether a square around a point reaches into its zone and band, as clipped squares may."""
    limits = zone_limits(zone, band)
    south, north = band_limits(band)
    # 0.55 for a half, because the squares lean by up to 3 degrees against the meridian.
    reach = 0.55 * side_m / _SHORTEST_DEGREE_M + _EDGE_DEGREES
    if limits is None or not south - reach <= lat <= north + reach:
        return False
    west, east = limits
    # The centre of a square cut by the antimeridian may lie on its other side.
    off_middle = (lon - (west + east) / 2 + 180.0) % 360.0 - 180.0
    return abs(off_middle) <= (east - west) / 2 + reach / math.cos(math.radians(lat))


def _first_row(zone: int) -> int:
    return 0 if zone % 2 else _EVEN_ZONE_ROW
