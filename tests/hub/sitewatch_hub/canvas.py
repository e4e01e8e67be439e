"""The pixels that a request asks for: from ``bounds`` and ``output`` to a CRS, a transform and a shape."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely
from affine import Affine
from rasterio.features import geometry_mask
from rasterio.warp import transform_geom
from shapely.geometry import box, mapping, shape

from sitewatch_hub.messages import field_refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

MAX_SIDE_PX = 2500
DEFAULT_SIDE_PX = 256

_EPSG_URI = re.compile(r"https?://www\.opengis\.net/def/crs/EPSG/0/(\d{4,6})")
_CRS84_URI = re.compile(r"https?://www\.opengis\.net/def/crs/OGC/1\.3/CRS84")
_BOX_NUMBERS = 4


@dataclass(frozen=True, slots=True)
class Ground:
    """Where a request looks."""

    crs: str
    """``EPSG:n``; CRS84 is ``EPSG:4326``, always in x, y order."""
    bounds: tuple[float, float, float, float]
    """Left, bottom, right, top."""
    geometry: BaseGeometry | None
    """In the same CRS; pixels whose centre is outside have no data."""

    def lonlat(self) -> BaseGeometry:
        """Return the ground as a ``lon, lat`` geometry, with edges fine enough to bend."""
        outline = self.geometry if self.geometry is not None else box(*self.bounds)
        left, bottom, right, top = outline.bounds
        segment = max(right - left, top - bottom) / 16 or 1.0
        moved = transform_geom(self.crs, "EPSG:4326", mapping(shapely.segmentize(outline, segment)))
        return shape(moved)


@dataclass(frozen=True, slots=True)
class Canvas:
    """The pixels to fill, north up; their sides may differ."""

    ground: Ground
    shape: tuple[int, int]
    """Rows, columns."""

    @property
    def crs(self) -> str:
        """``EPSG:n``."""
        return self.ground.crs

    @property
    def transform(self) -> Affine:
        """From ``(column, row)`` of a pixel's upper left corner to CRS coordinates."""
        left, bottom, right, top = self.ground.bounds
        rows, columns = self.shape
        return Affine((right - left) / columns, 0.0, left, 0.0, (bottom - top) / rows, top)

    def inside(self) -> NDArray[np.bool_]:
        """Return where pixel centres lie inside the geometry, ``(y, x)``; everywhere without one."""
        if self.ground.geometry is None:
            return np.ones(self.shape, dtype=np.bool_)
        found: NDArray[np.bool_] = geometry_mask(
            [mapping(self.ground.geometry)], self.shape, self.transform, invert=True
        )
        return found


def parse_ground(bounds: object) -> Ground:
    """Read ``input.bounds``.

    Raises:
        RefusedError: Neither box nor geometry, an unknown CRS, or a box without area.
    """
    if not isinstance(bounds, dict) or not ({"bbox", "geometry"} & bounds.keys()):
        raise field_refusal("input->bounds", bounds, "bbox or geometry must be given")
    crs = _crs(bounds.get("properties", {}))
    geometry = _geometry(bounds["geometry"]) if "geometry" in bounds else None
    corners = _corners(bounds["bbox"]) if "bbox" in bounds else None
    if corners is None:
        corners = geometry.bounds if geometry is not None else (0.0, 0.0, 0.0, 0.0)
    left, bottom, right, top = corners
    if not (left < right and bottom < top):
        raise field_refusal("input->bounds->bbox", list(corners), "must have an area")
    return Ground(crs, (left, bottom, right, top), geometry)


def parse_canvas(ground: Ground, output: Mapping[str, Any], parameter: str) -> Canvas:
    """Read ``width`` and ``height`` or ``resx`` and ``resy``; `parameter` is the path of `output`.

    Raises:
        RefusedError: Both kinds, not positive numbers, or more than 2500 pixels a side.
    """
    sized, resolved = {"width", "height"} & output.keys(), {"resx", "resy"} & output.keys()
    if sized and resolved:
        raise field_refusal(parameter, sorted(sized | resolved), "give width and height, or resx and resy")
    left, bottom, right, top = ground.bounds
    if resolved:
        columns = _from_resolution(output, "resx", right - left, parameter)
        rows = _from_resolution(output, "resy", top - bottom, parameter)
    else:
        columns, rows = (_side(output, name, parameter) for name in ("width", "height"))
    for name, side in (("width", columns), ("height", rows)):
        if not 1 <= side <= MAX_SIDE_PX:
            raise field_refusal(f"{parameter}->{name}", side, f"must be between 1 and {MAX_SIDE_PX}")
    return Canvas(ground, (rows, columns))


def _side(output: Mapping[str, Any], name: str, parameter: str) -> int:
    value = output.get(name, DEFAULT_SIDE_PX)
    if not isinstance(value, int) or isinstance(value, bool):
        raise field_refusal(f"{parameter}->{name}", value, "must be a whole number")
    return value


def _from_resolution(output: Mapping[str, Any], name: str, length: float, parameter: str) -> int:
    value = output.get(name)
    side = float(value) if value is not None and _is_number(value) else 0.0
    if side <= 0:
        raise field_refusal(f"{parameter}->{name}", value, "must be a positive number")
    return max(1, round(length / side))


def _crs(properties: object) -> str:
    uri = (
        properties.get("crs", "http://www.opengis.net/def/crs/OGC/1.3/CRS84")
        if isinstance(properties, dict)
        else ""
    )
    if _CRS84_URI.fullmatch(str(uri)):
        return "EPSG:4326"
    match = _EPSG_URI.fullmatch(str(uri))
    if match is None:
        raise field_refusal("input->bounds->properties->crs", uri, "unknown CRS")
    return f"EPSG:{match[1]}"


def _corners(value: object) -> tuple[float, float, float, float]:
    if not isinstance(value, list) or len(value) != _BOX_NUMBERS or not all(map(_is_number, value)):
        raise field_refusal("input->bounds->bbox", value, "must be four numbers")
    left, bottom, right, top = (float(number) for number in value)
    return left, bottom, right, top


def _geometry(value: Any) -> BaseGeometry:  # noqa: ANN401 - whatever JSON the client sent
    violation = "must be a valid Polygon or MultiPolygon"
    try:
        geometry = shape(value)
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        raise field_refusal("input->bounds->geometry", value, violation) from None
    areal = geometry.geom_type in {"Polygon", "MultiPolygon"} and not geometry.is_empty
    if not areal or not geometry.is_valid:
        raise field_refusal("input->bounds->geometry", value, violation)
    return geometry


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and bool(np.isfinite(value))
