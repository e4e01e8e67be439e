"""Over what ground a site is watched, decided by how well its place is known."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
import shapely
from pyproj import Transformer
from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from geo.area import square_around
from sites.categories import HALF_WIDTH_M

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from sites.model import Site

VAGUE_FROM_M = 2000.0
"""Coordinates this bad or worse are not watched: any change nearby could be another place."""


class WatchMode(StrEnum):
    """How a site is watched."""

    FOOTPRINT = "footprint"
    """Over the outline or course that was drawn."""
    SQUARE = "square"
    """Over a square of its category's half-width around its point."""
    SEARCH = "search"
    """Over the whole circle in which it may lie, at its own threshold."""
    UNPLACED = "unplaced"
    TOO_VAGUE = "too_vague"
    """Not watched until it is placed better."""
    RETIRED = "retired"

    @property
    def is_watched(self) -> bool:
        """Whether a run looks at it at all."""
        return self in {WatchMode.FOOTPRINT, WatchMode.SQUARE, WatchMode.SEARCH}


def watching_mode(site: Site) -> WatchMode:
    """Return how a site is watched."""
    if site.retired is not None:
        return WatchMode.RETIRED
    if _outline(site) is not None:
        return WatchMode.FOOTPRINT
    if site.geometry is None:
        return WatchMode.UNPLACED
    accuracy_m = site.coordinate_accuracy_m or 0.0
    if accuracy_m >= VAGUE_FROM_M:
        return WatchMode.TOO_VAGUE
    return WatchMode.SEARCH if accuracy_m > HALF_WIDTH_M[site.category] else WatchMode.SQUARE


def watch_reason(site: Site) -> str:
    """Return the mode in words an analyst reads, with the numbers it rests on."""
    half_width_m = HALF_WIDTH_M[site.category]
    accuracy_m = site.coordinate_accuracy_m
    known = "of unstated accuracy" if accuracy_m is None else f"good to {accuracy_m:g} m"
    match watching_mode(site):
        case WatchMode.RETIRED:
            return f"not watched: retired, {site.retired.reason if site.retired else ''}"
        case WatchMode.FOOTPRINT:
            return "watched over the footprint that was drawn"
        case WatchMode.UNPLACED:
            return "not watched: nobody has placed it yet"
        case WatchMode.TOO_VAGUE:
            return f"not watched: its point is only {known}; place it to {VAGUE_FROM_M:g} m or better"
        case WatchMode.SEARCH:
            return (
                f"watched in search mode over {2 * (accuracy_m or 0):g} m a side: its point is only {known}, "
                f"worse than the {half_width_m:g} m half-width of a {site.category} site"
            )
        case WatchMode.SQUARE:
            return f"watched over {2 * half_width_m:g} m a side around a point {known}"


def watched_area(site: Site) -> Polygon | MultiPolygon | None:
    """Return the ground a look judges, ``lon, lat``; None for an unplaced site.

    A polygon is taken as drawn, a line is widened by the category's half-width, a point becomes a
    square of that half-width, or of its uncertainty where that is larger.
    """
    half_width_m = HALF_WIDTH_M[site.category]
    outline = _outline(site)
    if isinstance(outline, LineString):
        return widen(outline, half_width_m)
    if outline is not None:
        return outline
    if not isinstance(site.geometry, Point):
        return None
    return square_around(site.geometry, max(half_width_m, site.coordinate_accuracy_m or 0.0))


def widen(line: LineString, half_width_m: float) -> Polygon | MultiPolygon:
    """Return the ground within `half_width_m` of a line, ``lon, lat``.

    Buffered in an azimuthal equidistant projection around its middle (Snyder 1987, chapter 25),
    whose scale error within 10 km of the centre is below one in a million.
    """
    middle = line.interpolate(0.5, normalized=True)
    local = f"+proj=aeqd +lat_0={middle.y!r} +lon_0={middle.x!r} +datum=WGS84 +units=m"
    there = Transformer.from_crs("EPSG:4326", local, always_xy=True)
    back = Transformer.from_crs(local, "EPSG:4326", always_xy=True)
    wide = shapely.transform(line, _mover(there)).buffer(half_width_m)
    return shapely.transform(wide, _mover(back))


def _mover(transformer: Transformer) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    def move(coordinates: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(coordinates[:, 0], coordinates[:, 1]))

    return move


def _outline(site: Site) -> LineString | Polygon | MultiPolygon | None:
    if site.footprint is not None:
        return site.footprint
    return None if site.geometry is None or isinstance(site.geometry, Point) else site.geometry
