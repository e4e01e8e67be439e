"""A site's fixed lattice: which pixels, in which CRS, for ever.

One lattice for each (site, native resolution). It takes the CRS *and the pixel edges* of the
first scene that covers the site, so that reading such a scene is a copy and not a resampling:
any regridding loses accuracy before a detector has seen the first pixel.

The only module that imports `odc.geo`, which takes a second.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import shapely
from affine import Affine
from odc.geo import xy_
from odc.geo.geobox import GeoBox
from pyproj import CRS, Transformer
from shapely.geometry import box

from geo.errors import CoordinateError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry import Point
    from shapely.geometry.base import BaseGeometry

DEFAULT_CONTEXT_M = 1000.0
"""Ground kept around the footprint on each side: it tells whether the surroundings moved too."""

_MAX_SIDE_PX = 4096
_WHOLE_LON_DEG = 180.0
_UTM_ZONE_DEG = 6.0
_UTM_SOUTH_DEG, _UTM_NORTH_DEG = -80.0, 84.0


@dataclass(frozen=True, slots=True)
class Grid:
    """The pixels on which a site is watched at one native resolution."""

    site_id: str
    geobox: GeoBox
    """CRS, affine transform (pixel edge, north up) and shape ``(rows, columns)``."""
    former_id: str = field(default="", compare=False)
    """The first id of a site that was renamed: names and draws that follow from it stay as they were."""

    @property
    def first_id(self) -> str:
        """The id that the site had first."""
        return self.former_id or self.site_id

    @property
    def crs(self) -> str:
        """The CRS as ``EPSG:n`` where it has a code, else as WKT."""
        return str(self.geobox.crs)

    @property
    def transform(self) -> Affine:
        """From ``(column, row)`` of a pixel's upper left corner to CRS coordinates."""
        return self.geobox.affine

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, columns."""
        rows, columns = self.geobox.shape
        return int(rows), int(columns)

    @property
    def resolution_m(self) -> float:
        """Side of a pixel in metres; pixels are square."""
        return float(abs(self.transform.a))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top in the grid's CRS."""
        left, bottom, right, top = self.geobox.extent.boundingbox
        return left, bottom, right, top

    @property
    def grid_id(self) -> str:
        """Twelve hexadecimal digits that change when CRS, transform or shape do."""
        text = repr((self.crs, tuple(round(v, 6) for v in self.transform[:6]), self.shape))
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def to_json(self) -> dict[str, Any]:
        """Return the grid as plain values, for the file that pins it."""
        return {
            "site_id": self.site_id,
            "grid_id": self.grid_id,
            "crs": self.crs,
            "transform": list(self.transform[:6]),
            "shape": list(self.shape),
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        """Read what `to_json` wrote."""
        rows, columns = document["shape"]
        geobox = GeoBox((rows, columns), Affine(*document["transform"]), document["crs"])
        return cls(document["site_id"], geobox)

    def to_grid(self, geometry: BaseGeometry) -> BaseGeometry:
        """Return a ``lon, lat`` geometry in the grid's CRS."""
        return _reproject(geometry, "EPSG:4326", self.crs)

    def to_lonlat(self, geometry: BaseGeometry) -> BaseGeometry:
        """Return a geometry of the grid's CRS as ``lon, lat`` degrees."""
        return _reproject(geometry, self.crs, "EPSG:4326")

    def corners_lonlat(self) -> NDArray[np.float64]:
        """Return the outer corners, upper left first and clockwise, ``(4, 2)`` as lon, lat."""
        left, bottom, right, top = self.bounds
        transformer = Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)
        lon, lat = transformer.transform([left, right, right, left], [top, top, bottom, bottom])
        return np.column_stack([lon, lat])

    def weights(self, footprint: BaseGeometry) -> NDArray[np.float32]:
        """Return the share of each pixel that lies inside a ``lon, lat`` polygon, ``(y, x)``, 0 to 1.

        Exact to rounding (polygon clipping, no sub-sampling): for a 17 m by 12 m market on 10 m
        pixels, testing pixel centres would be off by a third of the signal.
        """
        polygon = self.to_grid(footprint)
        rows, columns = self.shape
        weights = np.zeros((rows, columns), dtype=np.float32)
        inverse = ~self.transform
        left, bottom, right, top = polygon.bounds
        first_column, first_row = inverse @ (left, top)
        last_column, last_row = inverse @ (right, bottom)
        row_range = np.arange(max(0, math.floor(first_row)), min(rows, math.ceil(last_row)))
        column_range = np.arange(max(0, math.floor(first_column)), min(columns, math.ceil(last_column)))
        if not (row_range.size and column_range.size):
            return weights
        column, row = np.meshgrid(column_range, row_range)
        side = self.resolution_m
        x = self.transform.c + column * side
        y = self.transform.f - row * side
        cells = shapely.box(x, y - side, x + side, y)
        shapely.prepare(polygon)
        share: NDArray[np.float32] = np.asarray(shapely.contains_properly(polygon, cells), dtype=np.float32)
        edge = (share == 0) & shapely.intersects(polygon, cells)
        share[edge] = shapely.area(shapely.intersection(cells[edge], polygon)) / side**2
        weights[row_range[0] : row_range[-1] + 1, column_range[0] : column_range[-1] + 1] = share
        return weights


def utm_crs(point: Point) -> str:
    """Return the UTM zone of a point by longitude, as ``EPSG:326zz`` (north) or ``EPSG:327zz``.

    A point on the meridian between two zones is in the western one, one on the equator in the north. It is
    reckoned, since a search of PROJ's database takes 80 ms; EPSG has no exceptions for Norway and Svalbard.

    Raises:
        CoordinateError: The point lies outside 80 S to 84 N, where UTM is not defined.
    """
    if not (abs(point.x) <= _WHOLE_LON_DEG and _UTM_SOUTH_DEG <= point.y <= _UTM_NORTH_DEG):
        message = f"{point.y:.4f} degrees of latitude is outside the UTM zones (80 S to 84 N)"
        raise CoordinateError(message)
    zone = max(1, math.ceil((point.x + _WHOLE_LON_DEG) / _UTM_ZONE_DEG))
    return f"EPSG:{326 if point.y >= 0 else 327}{zone:02d}"


def site_grid(
    site_id: str,
    footprint: BaseGeometry,
    *,
    crs: str,
    resolution_m: float,
    anchor: tuple[float, float] = (0.0, 0.0),
    context_m: float = DEFAULT_CONTEXT_M,
) -> Grid:
    """Lay the lattice of a site: footprint plus context, on the pixel edges of its first scene.

    Args:
        site_id: The site; part of the grid, not of its id.
        footprint: Polygon in ``lon, lat`` degrees.
        crs: Projected CRS in metres, that of the first scene, else `utm_crs` of the centre.
        resolution_m: Native pixel side.
        anchor: CRS coordinates of any pixel corner of the first scene; Landsat's lie at odd
            multiples of 15 m, so zero would cut through its pixels.
        context_m: Ground around the footprint on each side.

    Raises:
        CoordinateError: `crs` is not in metres, or the frame would be larger than 4,096 pixels a side.
    """
    projected = CRS.from_user_input(crs)
    if not projected.is_projected or projected.axis_info[0].unit_name != "metre":
        message = f"{crs} is not a projected CRS in metres"
        raise CoordinateError(message, hint="Warp the image to its UTM zone first")
    frame = _reproject(footprint, "EPSG:4326", crs).buffer(context_m, join_style="mitre").bounds
    side_px = max(frame[2] - frame[0], frame[3] - frame[1]) / resolution_m
    if side_px > _MAX_SIDE_PX:
        message = f"site {site_id!r} would need {side_px:.0f} pixels a side; the limit is {_MAX_SIDE_PX}"
        raise CoordinateError(message, hint="Give it a smaller footprint")
    fraction = xy_(anchor[0] / resolution_m % 1.0, anchor[1] / resolution_m % 1.0)
    return Grid(site_id, GeoBox.from_bbox(frame, crs, resolution=resolution_m, anchor=fraction))


def _reproject(geometry: BaseGeometry, source: str, target: str) -> BaseGeometry:
    transformer = Transformer.from_crs(source, target, always_xy=True)

    def move(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(coordinates[:, 0], coordinates[:, 1]))

    moved: BaseGeometry = shapely.transform(geometry, move)
    return moved


def grid_box_lonlat(grid: Grid) -> BaseGeometry:
    """Return the frame of a grid as a ``lon, lat`` polygon."""
    return grid.to_lonlat(box(*grid.bounds))
