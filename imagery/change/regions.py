"""From changed pixels to polygons: connected patches, their outlines, areas and directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy import ndimage

from geo.area import geodesic_area_m2
from imagery.model import Region

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.grid import Grid

NEIGHBOURS = np.ones((3, 3), dtype=np.bool_)
"""Eight neighbours: a road or a wall that crosses the lattice at an angle touches only at corners."""


def label_patches(changed: NDArray[np.bool_], min_pixels: int) -> tuple[NDArray[np.int32], int]:
    """Number the connected patches of at least `min_pixels` pixels.

    Args:
        changed: ``(y, x)``.
        min_pixels: Smaller patches are dropped.

    Returns:
        ``(y, x)`` labels, 0 outside, 1... in order of each patch's first pixel (row by row); and how
        many there are.
    """
    labels, _ = ndimage.label(changed, structure=NEIGHBOURS)
    sizes = np.bincount(labels.ravel())
    keep = sizes >= min_pixels
    keep[0] = False
    renumber = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return renumber[labels], int(keep.sum())


def regions(
    changed: NDArray[np.bool_],
    magnitude: NDArray[np.floating],
    residual: NDArray[np.floating],
    grid: Grid,
    *,
    bands: Sequence[str],
    min_pixels: int = 1,
) -> tuple[Region, ...]:
    """Return the connected patches of changed pixels, the largest first.

    Args:
        changed: ``(y, x)``.
        magnitude: ``(y, x)``: the score in units of its threshold.
        residual: ``(band, y, x)``: observed minus predicted, NaN where unknown.
        grid: The lattice of all three.
        bands: Names of the residual's bands.
        min_pixels: Smaller patches are dropped.
    """
    labels, count = label_patches(changed, min_pixels)
    found = []
    for number, window in enumerate(ndimage.find_objects(labels, max_label=count), start=1):
        inside = labels[window] == number
        outline = pixel_outline(inside, grid, row=window[0].start, column=window[1].start)
        found.append(_region(inside, magnitude[window], residual[(slice(None), *window)], outline, bands))
    # Python's sort is stable: patches of one size stay in the order of their first pixel.
    return tuple(sorted(found, key=lambda region: -region.pixels))


def _region(
    inside: NDArray[np.bool_],
    magnitude: NDArray[np.floating],
    residual: NDArray[np.floating],
    outline: BaseGeometry,
    bands: Sequence[str],
) -> Region:
    means = {}
    for name, values in zip(bands, residual, strict=True):
        known = values[inside & np.isfinite(values)]
        if known.size:
            means[name] = float(known.mean(dtype=np.float64))
    return Region(
        geometry=outline,
        area_m2=geodesic_area_m2(outline),
        pixels=int(inside.sum()),
        magnitude=float(magnitude[inside].max()),
        direction=means,
    )


def pixel_outline(inside: NDArray[np.bool_], grid: Grid, *, row: int, column: int) -> BaseGeometry:
    """Return the outline of pixels as ``lon, lat``, straight from corner to corner.

    Args:
        inside: ``(y, x)`` part of the grid.
        grid: The lattice.
        row: Row of the part's first pixel.
        column: Column of the part's first pixel.
    """
    rows, first, last = _runs(inside)
    side = grid.resolution_m
    left = grid.transform.c + (column + first) * side
    right = grid.transform.c + (column + last) * side
    top = grid.transform.f - (row + rows) * side
    outline = shapely.union_all(shapely.box(left, top - side, right, top))
    return grid.to_lonlat(shapely.normalize(outline))


def _runs(inside: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return row, first column and the column after the last of each horizontal run of pixels."""
    edges = np.diff(np.pad(inside.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, first = np.nonzero(edges == 1)
    _, last = np.nonzero(edges == -1)
    return rows, first, last


def pixels_inside(geometry: BaseGeometry, grid: Grid) -> NDArray[np.bool_]:
    """Return the pixels whose centre lies in a ``lon, lat`` geometry, ``(y, x)``."""
    rows, columns = grid.shape
    side = grid.resolution_m
    x = grid.transform.c + (np.arange(columns) + 0.5) * side
    y = grid.transform.f - (np.arange(rows) + 0.5) * side
    placed = grid.to_grid(geometry)
    shapely.prepare(placed)
    return np.asarray(shapely.contains_xy(placed, *np.meshgrid(x, y)), dtype=np.bool_)
