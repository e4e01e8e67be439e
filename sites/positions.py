"""GeoJSON geometries (RFC 7946, section 3.1) to and from shapely, strictly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import shapely
from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from geo.errors import CoordinateError, Where
from sites.checks import shown
from sites.members import number
from sites.shapes import MAX_VERTICES, check_geometry, is_on_earth, off_the_earth

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sites.model import SiteGeometry

DECIMALS = 7
"""Of a degree: 11 mm at the equator; finer digits are noise in a diff."""

_RING_MIN = 4
_LINE_MIN = 2
_MAX_PARTS = 1000
_MANY = 16


def read_geometry(raw: object) -> SiteGeometry:
    """Return the geometry of a GeoJSON object; heights are not kept.

    Raises:
        CoordinateError: With the position inside the object as its field.
    """
    if not isinstance(raw, dict):
        _refuse(f"a geometry is an object, not {shown(raw)}", "", "Write null for an unplaced site")
    kind = raw.get("type")
    read = _READERS.get(kind) if isinstance(kind, str) else None
    if read is None:
        hint = f"Use one of {', '.join(_READERS)}, or null for an unplaced site"
        _refuse(f"a site cannot be a {shown(kind)}", "type", hint)
    geometry = read(raw.get("coordinates"), "coordinates")
    if not isinstance(geometry, Point):  # whose position has been looked at already
        check_geometry(geometry, "coordinates")
    return geometry


def plain_points(geometries: Sequence[object]) -> list[Point | None]:
    """Return the points of those GeoJSON objects that surely are points, made in one go; None for others.

    Making them one by one would take a tenth of the time in which a large catalogue is read; for a
    few it is not worth the while, and all are None.
    """
    if len(geometries) < _MANY:
        return [None] * len(geometries)
    found = [_plain_position(raw) for raw in geometries]
    places = np.array([place for place in found if place is not None]).reshape(-1, 2)
    points = iter(np.asarray(shapely.points(places.round(DECIMALS))).reshape(-1))
    return [None if place is None else next(points) for place in found]


def _plain_position(raw: object) -> list[float] | None:
    if type(raw) is not dict or raw.get("type") != "Point":
        return None
    match raw.get("coordinates"):
        case [float(lon), float(lat)] if is_on_earth(lon, lat):
            return [lon, lat]
    return None


def write_geometry(geometry: SiteGeometry) -> dict[str, Any]:
    """Return a geometry as a GeoJSON object, coordinates rounded to `DECIMALS`."""
    return {"type": geometry.geom_type, "coordinates": _coordinates(geometry)}


def _coordinates(geometry: SiteGeometry) -> list[Any]:
    if isinstance(geometry, Point):
        return _rounded(geometry.x, geometry.y)
    if isinstance(geometry, LineString):
        return _line(geometry)
    if isinstance(geometry, Polygon):
        return [_line(ring) for ring in (geometry.exterior, *geometry.interiors)]
    return [_coordinates(part) for part in geometry.geoms]


def _line(line: LineString) -> list[list[float]]:
    return [_rounded(*position[:2]) for position in line.coords]


def _rounded(lon: float, lat: float) -> list[float]:
    # Adding zero turns -0.0 into 0.0, so that one place has one spelling.
    return [round(lon, DECIMALS) + 0.0, round(lat, DECIMALS) + 0.0]


def _position(raw: object, field: str) -> tuple[float, float]:
    if not isinstance(raw, list) or not 2 <= len(raw) <= 3:  # noqa: PLR2004 - lon, lat and perhaps height
        _refuse(f"a position is [longitude, latitude], not {shown(raw)}", field)
    try:
        lon, lat = float(number(raw[0])), float(number(raw[1]))
    except ValueError as error:
        raise CoordinateError(str(error), where=Where(field=field)) from None
    if not is_on_earth(lon, lat):
        raise off_the_earth(lon, lat, lon, lat, field)
    return round(lon, DECIMALS), round(lat, DECIMALS)


def _positions(raw: object, field: str, least: int) -> list[tuple[float, float]]:
    if not isinstance(raw, list) or len(raw) < least:
        _refuse(f"at least {least} positions are wanted", field)
    if len(raw) > MAX_VERTICES:
        problem = f"{len(raw)} vertices are too many; the limit is {MAX_VERTICES}"
        _refuse(problem, field, "Simplify the outline")
    return [_position(item, f"{field}[{index}]") for index, item in enumerate(raw)]


def _point(raw: object, field: str) -> Point:
    return Point(_position(raw, field))


def _line_string(raw: object, field: str) -> LineString:
    return LineString(_positions(raw, field, _LINE_MIN))


def _polygon(raw: object, field: str) -> Polygon:
    if not isinstance(raw, list) or not raw:
        _refuse("a polygon is a list of rings", field)
    if len(raw) > _MAX_PARTS:
        _refuse(f"{len(raw)} rings are too many; the limit is {_MAX_PARTS}", field)
    shell, *holes = [_ring(ring, f"{field}[{index}]") for index, ring in enumerate(raw)]
    return Polygon(shell, holes)


def _ring(raw: object, field: str) -> list[tuple[float, float]]:
    positions = _positions(raw, field, _RING_MIN)
    if positions[0] != positions[-1]:
        _refuse("the ring is not closed", field, "Repeat the first position at the end")
    return positions


def _multi_polygon(raw: object, field: str) -> MultiPolygon:
    if not isinstance(raw, list) or not raw:
        _refuse("a multipolygon is a list of polygons", field)
    if len(raw) > _MAX_PARTS:
        _refuse(f"{len(raw)} polygons are too many; the limit is {_MAX_PARTS}", field)
    return MultiPolygon([_polygon(part, f"{field}[{index}]") for index, part in enumerate(raw)])


_READERS: dict[str, Callable[[object, str], SiteGeometry]] = {
    "Point": _point,
    "LineString": _line_string,
    "Polygon": _polygon,
    "MultiPolygon": _multi_polygon,
}


def _refuse(problem: str, field: str, hint: str | None = None) -> NoReturn:
    raise CoordinateError(problem, where=Where(field=field), hint=hint)
