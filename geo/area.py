"""Geodesic measures on the WGS 84 ellipsoid, and footprints around points.

Geometries are shapely objects in ``lon, lat`` degrees (EPSG:4326, x first).
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from pyproj import Geod
from shapely.geometry import Point, Polygon

from geo.errors import CoordinateError

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry


@cache
def wgs84() -> Geod:
    """Return the WGS 84 ellipsoid (Karney 2013, the algorithm behind PROJ's geodesics)."""
    return Geod(ellps="WGS84")


def geodesic_area_m2(geometry: BaseGeometry) -> float:
    """Return the area of a polygon or multipolygon in square metres; 0 for points and lines.

    >>> geodesic_area_m2(Point(125.7, 39.0))
    0.0
    """
    area, _ = wgs84().geometry_area_perimeter(geometry)
    return abs(float(area))


def geodesic_distance_m(a: Point, b: Point) -> float:
    """Return the shortest distance along the ellipsoid between two points, in metres."""
    _, _, distance = wgs84().inv(a.x, a.y, b.x, b.y)
    return float(distance)


def geodesic_length_m(geometry: BaseGeometry) -> float:
    """Return the length of lines, or the perimeter of polygons, along the ellipsoid in metres.

    >>> geodesic_length_m(Point(125.7, 39.0))
    0.0
    """
    return float(wgs84().geometry_length(geometry))


def bearing_deg(a: Point, b: Point) -> float:
    """Return the direction in which the geodesic from `a` to `b` sets out: 0 north, 90 east, below 360.

    >>> bearing_deg(Point(125.0, 39.0), Point(125.0, 40.0))
    0.0

    Raises:
        CoordinateError: The points are the same, so there is no direction.
    """
    azimuth, _, distance = wgs84().inv(a.x, a.y, b.x, b.y)
    if not distance:
        raise CoordinateError(f"{a.y:g}, {a.x:g} has no bearing to itself")
    # Twice, because a hair west of north modulo 360 rounds to 360 itself.
    return float(azimuth) % 360.0 % 360.0


def square_around(point: Point, half_width_m: float) -> Polygon:
    """Return a square of side ``2 * half_width_m``, sides along the meridian and the parallel.

    The corners are reached by geodesics from the centre, so the square is true to about a
    millionth of its size for the half-widths used here (up to a few kilometres).
    """
    diagonal = half_width_m * 2**0.5
    bearings = (45.0, 135.0, 225.0, 315.0)
    corners = [wgs84().fwd(point.x, point.y, bearing, diagonal)[:2] for bearing in bearings]
    return Polygon(corners)
