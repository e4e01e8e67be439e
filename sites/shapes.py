"""Which geometries a catalogue takes: on the Earth, simple, closed, not across the antimeridian."""

from __future__ import annotations

from typing import TYPE_CHECKING

import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon
from shapely.validation import explain_validity

from geo.errors import CoordinateError, Where

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

MAX_VERTICES = 10_000
"""Of one geometry; a site's outline needs a few dozen."""

_WIDEST_DEGREES = 180.0


def check_geometry(geometry: BaseGeometry | None, field: str) -> None:
    """Refuse a geometry that cannot be a site; None is fine.

    Raises:
        CoordinateError: Wrong type, empty, off the Earth, too many vertices, self-intersecting,
            or wider than half the globe (which is how crossing the antimeridian shows).
    """
    if geometry is None:
        return
    if isinstance(geometry, Point) and not geometry.is_empty and is_on_earth(geometry.x, geometry.y):
        return
    where = Where(field=field)
    if not isinstance(geometry, Point | LineString | Polygon | MultiPolygon):
        hint = "Use a Point, LineString, Polygon or MultiPolygon"
        raise CoordinateError(f"a site cannot be a {geometry.geom_type}", where=where, hint=hint)
    left, bottom, right, top = geometry.bounds if not geometry.is_empty else (0.0, 0.0, 0.0, 0.0)
    if geometry.is_empty:
        raise CoordinateError("the geometry is empty", where=where, hint="Write null for an unplaced site")
    if not (is_on_earth(left, bottom) and is_on_earth(right, top)):
        raise off_the_earth(left, bottom, right, top, field)
    _check_shape(geometry, right - left, where)


def is_on_earth(lon: float, lat: float) -> bool:
    """Tell whether these are degrees of a place; False for NaN."""
    return -180 <= lon <= 180 and -90 <= lat <= 90  # noqa: PLR2004 - degrees


def off_the_earth(left: float, bottom: float, right: float, top: float, field: str) -> CoordinateError:
    """Return the error of bounds outside 180 W to 180 E, 90 S to 90 N."""
    lat = bottom if abs(bottom) > abs(top) else top
    swapped = abs(lat) <= 180 and max(abs(left), abs(right)) <= 90  # noqa: PLR2004 - degrees
    hint = "Longitude comes first; they look swapped" if swapped else "Write degrees, longitude first"
    problem = f"[{left:g}, {bottom:g}]" + (
        f" to [{right:g}, {top:g}]" if (left, bottom) != (right, top) else ""
    )
    return CoordinateError(f"{problem} is off the Earth", where=Where(field=field), hint=hint)


def representative_point(geometry: BaseGeometry | None) -> Point | None:
    """Return the point itself, the middle of a line, or a point surely inside a polygon."""
    if geometry is None or isinstance(geometry, Point):
        return geometry
    if isinstance(geometry, LineString):
        return geometry.interpolate(0.5, normalized=True)
    return geometry.representative_point()


def _check_shape(geometry: BaseGeometry, width: float, where: Where) -> None:
    vertices = int(shapely.get_num_coordinates(geometry))
    if vertices > MAX_VERTICES:
        problem = f"{vertices} vertices are too many; the limit is {MAX_VERTICES}"
        raise CoordinateError(problem, where=where, hint="Simplify the outline")
    if width > _WIDEST_DEGREES:
        hint = "Cut it at 180 degrees, or use a point"
        raise CoordinateError("the geometry crosses the antimeridian", where=where, hint=hint)
    if not geometry.is_valid:
        problem = f"the geometry is not valid: {explain_validity(geometry)}"
        raise CoordinateError(problem, where=where, hint="Redraw it without crossing lines")
