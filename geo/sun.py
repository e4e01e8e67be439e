"""Where the sun stands over a place at an instant.

Source: Meeus, Astronomical Algorithms, second edition: chapter 25 (solar coordinates, low accuracy: 0.01
degrees), 12 (sidereal time) and 13 (horizontal coordinates). Neither refraction nor parallax is added: at 80
degrees of zenith they are 0.09 and 0.002.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from geo.errors import DateError

if TYPE_CHECKING:
    from datetime import timedelta

_J2000 = datetime(2000, 1, 1, 12, tzinfo=UTC)
_CENTURY_DAYS = 36525.0
_DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class SunPosition:
    """Direction from the ground to the centre of the sun."""

    zenith_deg: float
    """0 overhead, above 90 below the horizon."""
    azimuth_deg: float
    """Clockwise from north, 0 to 360."""


def sun_position(moment: datetime, lon: float, lat: float) -> SunPosition:
    """Return where the sun stands, to about 0.01 degrees from 1950 to 2050.

    >>> noon = sun_position(datetime(2021, 6, 21, 3, 30, tzinfo=UTC), 127.0, 39.0)
    >>> round(noon.zenith_deg), round(noon.azimuth_deg)
    (16, 177)

    Args:
        moment: Aware instant.
        lon: Degrees east.
        lat: Degrees north.

    Raises:
        DateError: The instant has no zone.
    """
    if moment.tzinfo is None:
        raise DateError(f"{moment} has no zone", hint="Give an aware instant")
    days = _days(moment - _J2000)
    right_ascension, declination = _equatorial(days / _CENTURY_DAYS)
    sidereal_deg = 280.46061837 + 360.98564736629 * days
    hour = math.radians((sidereal_deg + lon) % 360.0) - right_ascension
    phi = math.radians(lat)
    up = math.sin(phi) * math.sin(declination) + math.cos(phi) * math.cos(declination) * math.cos(hour)
    west = math.cos(declination) * math.sin(hour)
    south = math.sin(phi) * math.cos(declination) * math.cos(hour) - math.cos(phi) * math.sin(declination)
    azimuth = (math.degrees(math.atan2(west, south)) + 180.0) % 360.0
    return SunPosition(math.degrees(math.acos(max(-1.0, min(1.0, up)))), azimuth)


def _days(since: timedelta) -> float:
    return since.total_seconds() / _DAY_S


def _equatorial(centuries: float) -> tuple[float, float]:
    """Return right ascension and declination in radians, apparent, at centuries from J2000."""
    t = centuries
    mean_longitude = 280.46646 + 36000.76983 * t + 0.0003032 * t * t
    anomaly = math.radians(357.52911 + 35999.05029 * t - 0.0001537 * t * t)
    centre = (
        (1.914602 - 0.004817 * t - 0.000014 * t * t) * math.sin(anomaly)
        + (0.019993 - 0.000101 * t) * math.sin(2.0 * anomaly)
        + 0.000289 * math.sin(3.0 * anomaly)
    )
    node = math.radians(125.04 - 1934.136 * t)
    longitude = math.radians(mean_longitude + centre - 0.00569 - 0.00478 * math.sin(node))
    obliquity = math.radians(23.4392911 - 0.0130042 * t + 0.00256 * math.cos(node))
    right_ascension = math.atan2(math.cos(obliquity) * math.sin(longitude), math.cos(longitude))
    return right_ascension, math.asin(math.sin(obliquity) * math.sin(longitude))
