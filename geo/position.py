"""A coordinate as a value: where, in which form it was written, and how finely.

The form and the fineness matter later. A place copied as ``39.02, 125.74`` is known to a kilometre
whatever the analyst thinks of it, and a report must not print it with six digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum

from geo.errors import CoordinateError

METRES_PER_DEGREE = 111_320.0
"""One degree of the equator of WGS 84, for sizes of written digits; never for measuring."""

_MAX_LON = 180.0
_MAX_LAT = 90.0


class Form(StrEnum):
    """How a coordinate is written."""

    DECIMAL = "decimal"
    """``39.0194, 125.7381``: latitude first, as people paste it."""
    DDM = "degrees and minutes"
    """``39°01.164'N 125°44.286'E``"""
    DMS = "degrees, minutes, seconds"
    """``39°01'09.8"N 125°44'17.2"E``"""
    UTM = "UTM"
    """``51S 737015 4322568``: zone and latitude band, easting, northing."""
    MGRS = "MGRS"
    """``51S YD 37015 22568``"""
    PLUS_CODE = "Plus Code"
    """``8QF72P9Q+Q6``"""
    GEO_URI = "geo URI"
    """``geo:39.0194,125.7381``"""
    LINK = "map link"
    """The address of a map site; read, never written."""


@dataclass(frozen=True, slots=True)
class Coordinate:
    """A point on WGS 84."""

    lon: float
    """Degrees east, -180 to 180."""
    lat: float
    """Degrees north, -90 to 90."""
    form: Form
    precision_m: float
    """Ground size at the equator of one step of the last digit written, or of the cell that was named: how
    finely the point was written, not how well it is known."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lon) and math.isfinite(self.lat)):
            raise CoordinateError(f"{self.lat}, {self.lon} is not a place")
        if abs(self.lat) > _MAX_LAT:
            raise CoordinateError(f"latitude {self.lat:g} is beyond a pole", hint=self._order_hint())
        if abs(self.lon) > _MAX_LON:
            hint = "Longitudes run from -180 to 180; west is negative"
            raise CoordinateError(f"longitude {self.lon:g} is beyond the antimeridian", hint=hint)
        if not (math.isfinite(self.precision_m) and self.precision_m > 0):
            raise CoordinateError(f"a precision of {self.precision_m:g} m is none")

    def _order_hint(self) -> str | None:
        if abs(self.lat) > _MAX_LON or abs(self.lon) > _MAX_LAT:
            return None
        return f"Longitude and latitude look swapped: write {self.lon:.6g}, {self.lat:.6g} (latitude first)"


def swap_hint(lon: float, lat: float, *, near: tuple[float, float, float, float]) -> str | None:
    """Return what to say when `lon` and `lat` are probably swapped, else None.

    >>> swap_hint(39.02, 125.74, near=(124.0, 37.5, 131.0, 43.1))
    'Longitude and latitude look swapped: 125.74 E, 39.02 N lies where the others are'

    Args:
        lon: Degrees, perhaps a latitude.
        lat: Degrees, perhaps a longitude.
        near: West, south, east, north of where sites are expected, such as the bounds of the catalogue.
    """
    west, south, east, north = near
    lies_near = west <= lon <= east and south <= lat <= north
    swapped_lies_near = west <= lat <= east and south <= lon <= north
    if lies_near or not swapped_lies_near:
        return None
    return f"Longitude and latitude look swapped: {lat:g} E, {lon:g} N lies where the others are"
