"""Which pixels are asked for: the site's frame, a rim for resampling, on the product's own pixel edges."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from affine import Affine
from pyproj import CRS

from imagery.errors import ImageError
from imagery.frame import Frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.grid import Grid
    from imagery.sentinelhub.products import Product

MAX_SIDE_PX = 2500
"""The largest output of one Process request (Sentinel Hub documentation, "Process API")."""

_RIM_PX = 5
"""A cubic kernel reaches two source pixels; the window around it is rounded outwards."""
_RIM_GRID_PX = 4
"""Cloud is grown by a pixel or so of the grid."""
_SOUTH_ORIGIN_M = 10_000_000.0
"""False northing of the southern UTM zones (EPSG:16100 series)."""


def fetch_frame(grid: Grid, product: Product, bands: Sequence[str]) -> Frame:
    """Return the frame to ask for, in the grid's CRS, its edges those of the product's pixels.

    Raises:
        ImageError: It would be larger than one request may be.
    """
    coarsest_m = max([product.gsd_m(band) for band in bands] + [product.mask_gsd_m])
    rim_m = _RIM_PX * coarsest_m + _RIM_GRID_PX * grid.resolution_m
    left, bottom, right, top = grid.bounds
    wanted = (left - rim_m, bottom - rim_m, right + rim_m, top + rim_m)
    return snapped_frame(wanted, grid.crs, product, grid.site_id)


def snapped_frame(
    bounds: tuple[float, float, float, float], crs: str, product: Product, site_id: str
) -> Frame:
    """Return the smallest frame on the product's own pixel edges that holds some ground.

    Args:
        bounds: Left, bottom, right, top in the CRS.
        crs: ``EPSG:n``.
        product: Whose pixels they are.
        site_id: For the error.

    Raises:
        ImageError: It would be larger than one request may be.
    """
    left, bottom, right, top = bounds
    x_origin, y_origin = product.edge_m, _northing_origin(crs) + product.edge_m
    snap = product.snap_m
    west, south = _down(left, snap, x_origin), _down(bottom, snap, y_origin)
    east, north = -_down(-right, snap, -x_origin), -_down(-top, snap, -y_origin)
    side = product.resolution_m
    rows, columns = round((north - south) / side), round((east - west) / side)
    if max(rows, columns) > MAX_SIDE_PX:
        problem = f"site {site_id!r} needs {columns} x {rows} pixels; a request gives {MAX_SIDE_PX} a side"
        raise ImageError(problem, hint="Give it a smaller footprint or a smaller context_m")
    return Frame(crs, Affine(side, 0.0, west, 0.0, -side, north), (rows, columns))


def _down(value: float, step: float, origin: float) -> float:
    return math.floor((value - origin) / step) * step + origin


def _northing_origin(crs: str) -> float:
    # Northings in the south count from 10,000 km, which is no multiple of 60 m.
    zone = CRS.from_user_input(crs).utm_zone or ""
    return _SOUTH_ORIGIN_M if zone.endswith("S") else 0.0
