"""Pixels of granules on a canvas: units, harmonisation, resampling, mosaics.

A granule whose pixel edges are the canvas's is copied; any other is warped once from its source pixels
by GDAL, nearest, bilinear or cubic. The service's own kernels are not published.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.warp import reproject, transform_bounds
from rasterio.windows import Window

from imagery.geotiff import GDAL_OPTIONS
from imagery.quantity import Quantity, linear_power
from sitewatch_hub.messages import refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.model import BandFile
    from sitewatch_hub.canvas import Canvas
    from sitewatch_hub.granules import Granule

DATA_MASK = "dataMask"

RESAMPLINGS = {
    "NEAREST": Resampling.nearest,
    "BILINEAR": Resampling.bilinear,
    "BICUBIC": Resampling.cubic,
}

_WARPING = threading.Lock()
"""rasterio silences its own warnings by `warnings.catch_warnings`, which threads undo for each other."""

_EDGE_TOLERANCE_PX = 1e-6
_MARGIN_PX = 4
_COUNTS_OF_ONE = 10_000.0
"""Counts of reflectance one."""


@dataclass(frozen=True, slots=True)
class Band:
    """A band that a script asks for."""

    name: str
    """As the service names it, or ``dataMask``."""
    unit: str
    """``DN``, ``REFLECTANCE``, ``LINEAR_POWER`` or ``METERS``; empty for masks and classes."""


@dataclass(frozen=True, slots=True)
class Rendering:
    """How source pixels become samples."""

    harmonise: bool
    upsampling: Resampling
    downsampling: Resampling


def read_mosaic(
    granules: Sequence[Granule], bands: Sequence[Band], canvas: Canvas, rendering: Rendering
) -> NDArray[np.float64]:
    """Return samples ``(band, y, x)``; each pixel from the first granule that has data there.

    Where none has, a band reads what its collection says for no data, and classes and ``dataMask`` 0.

    Args:
        granules: First seen first.
        bands: What to read; ``dataMask`` is 1 where a granule has data inside the geometry.
        canvas: The pixels to fill.
        rendering: Resampling and harmonisation.

    Raises:
        RefusedError: A granule lacks a band.
    """
    empty = granules[0].collection.no_data if granules else 0.0
    out = np.zeros((len(bands), *canvas.shape))
    out[[bool(band.unit) for band in bands]] = empty
    open_pixels = canvas.inside()
    with rasterio.Env(**GDAL_OPTIONS):
        for granule in granules:
            if not open_pixels.any():
                break
            values, valid = _read_granule(granule, bands, canvas, rendering)
            take = open_pixels & valid
            out[:, take] = values[:, take]
            open_pixels &= ~take
    return out


def _read_granule(
    granule: Granule, bands: Sequence[Band], canvas: Canvas, rendering: Rendering
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values = np.ones((len(bands), *canvas.shape))
    valid = np.ones(canvas.shape, dtype=np.bool_)
    for position, band in enumerate(bands):
        if band.name != DATA_MASK:
            file = _file(granule, band.name)
            values[position], band_valid = _read_band(granule, file, band, canvas, rendering)
            if band.unit:
                valid &= band_valid
    if not any(band.unit for band in bands):
        # Classes say nothing of where there is data, so the first band of the granule is asked.
        first = granule.scene.bands[0]
        valid = _read_band(granule, first, Band(first.name, "DN"), canvas, rendering)[1]
    return np.where(valid, values, 0.0), valid


def _file(granule: Granule, name: str) -> BandFile:
    file = granule.band(name)
    if file is None:
        raise refusal(400, "RENDERER_EXCEPTION", f"Band {name} is missing in {granule.id}.")
    return file


def _read_band(
    granule: Granule, file: BandFile, band: Band, canvas: Canvas, rendering: Rendering
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    values = np.zeros(canvas.shape)
    valid = np.zeros(canvas.shape, dtype=np.bool_)
    found = _source(file, canvas)
    if found is None:
        return values, valid
    raw, transform = found
    source_valid = np.isfinite(raw) & (raw != file.nodata if file.nodata is not None else True)
    harmonise = rendering.harmonise and granule.collection.harmonised
    source = _in_unit(raw, file, band, granule.scene.quantity, harmonise=harmonise)
    offset = _aligned(transform, file.crs, canvas)
    if offset is not None:
        target, part = _overlap(offset, raw.shape, canvas.shape)
        values[target], valid[target] = source[part], source_valid[part]
    else:
        resampling = _resampling(transform, file.crs, canvas, rendering) if band.unit else Resampling.nearest
        values = _warp(np.where(source_valid, source, np.nan), transform, file.crs, canvas, resampling)
        valid = _warp(source_valid.astype(np.float64), transform, file.crs, canvas, Resampling.nearest) == 1
        valid &= np.isfinite(values)
    return np.where(valid, values, 0.0), valid


def _in_unit(
    raw: NDArray[Any], file: BandFile, band: Band, quantity: Quantity, *, harmonise: bool
) -> NDArray[np.float64]:
    """Return raw values in a unit; harmonised counts are those before baseline 04.00, never negative."""
    counts = raw.astype(np.float64)
    if not band.unit:
        return counts
    if band.unit == "LINEAR_POWER" and quantity is Quantity.GAMMA0_DB:
        return linear_power(raw)
    if band.unit == "METERS":
        return counts
    if band.unit == "LINEAR_POWER":
        return counts if file.scale is None else counts * file.scale + file.offset
    reflectance = counts / _COUNTS_OF_ONE if file.scale is None else counts * file.scale + file.offset
    if harmonise:
        harmonised = np.clip(np.rint(reflectance * _COUNTS_OF_ONE), 0, None)
        return harmonised if band.unit == "DN" else harmonised / _COUNTS_OF_ONE
    return counts if band.unit == "DN" else reflectance


def _source(file: BandFile, canvas: Canvas) -> tuple[NDArray[Any], Affine] | None:
    """Return the source pixels that a canvas needs with their transform, or None where there are none."""
    bounds = transform_bounds(canvas.crs, file.crs, *canvas.ground.bounds)
    inverse = ~file.transform
    left, top = inverse @ (bounds[0], bounds[3])
    right, bottom = inverse @ (bounds[2], bounds[1])
    margin = _MARGIN_PX * max(1.0, (right - left) / canvas.shape[1])
    rows = slice(max(0, math.floor(top - margin)), min(file.shape[0], math.ceil(bottom + margin)))
    columns = slice(max(0, math.floor(left - margin)), min(file.shape[1], math.ceil(right + margin)))
    if rows.start >= rows.stop or columns.start >= columns.stop:
        return None
    with rasterio.open(file.path, driver="GTiff") as dataset:
        raw = dataset.read(1, window=Window.from_slices(rows, columns))
    return raw, file.transform @ Affine.translation(columns.start, rows.start)


def _aligned(transform: Affine, crs: str, canvas: Canvas) -> tuple[int, int] | None:
    """Return the canvas row and column of the source's first pixel, or None where edges differ."""
    if crs != canvas.crs:
        return None
    relative = ~canvas.transform @ transform
    slack = _EDGE_TOLERANCE_PX
    if max(abs(relative.a - 1), abs(relative.e - 1)) * max(canvas.shape) > slack:
        return None
    column, row = relative.c, relative.f
    if max(abs(column - round(column)), abs(row - round(row))) > slack:
        return None
    return round(row), round(column)


def _overlap(
    offset: tuple[int, int], source: tuple[int, ...], target: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the same pixels as slices of the canvas and of the source; empty where they don't meet."""
    into, out_of = [], []
    for first, length, limit in zip(offset, source, target, strict=True):
        start, stop = min(max(first, 0), limit), max(0, min(first + length, limit))
        stop = max(start, stop)
        into.append(slice(start, stop))
        out_of.append(slice(start - first, stop - first))
    return (into[0], into[1]), (out_of[0], out_of[1])


def _resampling(transform: Affine, crs: str, canvas: Canvas, rendering: Rendering) -> Resampling:
    left, _, right, _ = transform_bounds(canvas.crs, crs, *canvas.ground.bounds)
    finer = (right - left) / canvas.shape[1] < abs(transform.a)
    return rendering.upsampling if finer else rendering.downsampling


def _warp(
    source: NDArray[np.float64], transform: Affine, crs: str, canvas: Canvas, resampling: Resampling
) -> NDArray[np.float64]:
    target = np.full(canvas.shape, np.nan)
    with _WARPING:
        reproject(
            source,
            target,
            src_transform=transform,
            src_crs=crs,
            src_nodata=np.nan,
            dst_transform=canvas.transform,
            dst_crs=canvas.crs,
            dst_nodata=np.nan,
            resampling=resampling,
        )
    return target
