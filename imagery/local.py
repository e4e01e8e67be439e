"""Chips from the archive: the provider that needs no network.

A scene whose pixel edges are the grid's is copied, not resampled. Any other is warped once, from its
source pixels, over the window that the grid needs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.warp import reproject, transform_bounds
from rasterio.windows import Window

from geo.errors import Where
from geo.grid import grid_box_lonlat
from imagery.canonical import canonical_counts, valid_pixels
from imagery.errors import ArchiveError, ImageError
from imagery.masks import MaskScheme, SceneClass, clear_pixels, scene_classes
from imagery.model import CANONICAL_SCALE, NO_MASK, BandFile, Chip, Scene
from imagery.scene_index import SceneIndex
from imagery.sensors import in_band_order

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from geo.dates import Span
    from geo.grid import Grid
    from imagery.archive import Archive
    from imagery.provider import Provider

DEFAULT_DILATE_PX = 1
"""Haze and thin shadow rim what a mask calls cloud. Of 105 Landsat frames 59 stay half clear without
a rim, 57 with one pixel and 56 with two: one is nearly free."""

_EDGE_TOLERANCE_PX = 1e-3
"""Pixel edges that differ by less are the same edges: a GeoTIFF's numbers are rounded when written."""

_COUNT_MAX = 65535

_MARGIN_PX = 4
"""Source pixels read around a window that is warped; a cubic kernel reaches two."""

_ENV = {"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO"}


@dataclass(frozen=True, slots=True, eq=False)
class _Layer:
    """One scene on a grid."""

    dn: NDArray[np.uint16]
    """``(band, y, x)``"""
    below: NDArray[np.bool_]
    """``(band, y, x)``: was below zero."""
    valid: NDArray[np.bool_]
    """``(y, x)``"""
    clear: NDArray[np.bool_]
    """``(y, x)``"""


class LocalArchive:
    """The scenes of an archive as they were at the first search."""

    def __init__(
        self, archive: Archive, *, index: SceneIndex | None = None, dilate_px: int = DEFAULT_DILATE_PX
    ) -> None:
        """Take an archive; no Item is read before the first search.

        Args:
            archive: Where the scenes are.
            index: Its scenes, where the caller has read them already.
            dilate_px: Pixels around cloud, cirrus and shadow that count as covered too.
        """
        self._archive = archive
        self._given = index
        self._dilate_px = dilate_px

    @cached_property
    def index(self) -> SceneIndex:
        """The scenes, read once.

        Raises:
            ArchiveError: An Item is damaged.
        """
        return self._given or SceneIndex(self._archive.scenes())

    def search(self, grid: Grid, span: Span | None = None) -> tuple[Scene, ...]:
        """Return the scenes that touch a grid's frame, by (acquired, id); see `Provider`."""
        frame = grid_box_lonlat(grid)
        lon = frame.centroid.x
        found = self.index.covering(frame)
        return tuple(scene for scene in found if span is None or span.contains(scene.solar_day(lon)))

    def read(self, grid: Grid, scenes: Sequence[Scene], bands: Sequence[str] | None = None) -> Chip:
        """Return one solar day of one series on a grid, the first valid pixel of each; see `Provider`."""
        ordered = sorted(scenes, key=lambda scene: (scene.acquired, scene.id))
        day = _one_day(ordered, grid_box_lonlat(grid).centroid.x)
        names = _chosen_bands(ordered, bands)
        scale = _one_scale(ordered, names)
        with rasterio.Env(**_ENV):
            layers = [_layer(scene, names, grid, self._dilate_px) for scene in ordered]
        merged = _merged(layers)
        first = ordered[0]
        return Chip(
            grid=grid,
            solar_day=day,
            acquired=first.acquired,
            day_only=first.day_only,
            platform=first.platform,
            series=first.series,
            scene_ids=tuple(scene.id for scene in ordered),
            bands=names,
            dn=merged.dn,
            scale=scale,
            valid=merged.valid,
            clear=merged.clear,
            mask_scheme=_one_scheme(ordered),
            clamped_px=int(np.count_nonzero(merged.below)),
            simulated=any(scene.simulated for scene in ordered),
            credit="; ".join(dict.fromkeys(scene.credit for scene in ordered if scene.credit)),
        )


def _one_day(scenes: Sequence[Scene], lon: float) -> date:
    if not scenes:
        raise ImageError("no scenes were given to read", hint="Search first; an empty day is no chip")
    kinds = {(scene.solar_day(lon), scene.series) for scene in scenes}
    if len(kinds) > 1:
        found = ", ".join(f"{day} {series}" for day, series in sorted(kinds))
        raise ImageError(f"the scenes are not of one solar day and series: {found}", hint="Use solar_days")
    return kinds.pop()[0]


def _chosen_bands(scenes: Sequence[Scene], wanted: Sequence[str] | None) -> tuple[str, ...]:
    held = [{file.name for file in scene.bands} for scene in scenes]
    if wanted is None:
        names = in_band_order(set.intersection(*held))
        if not names:
            ids = ", ".join(scene.id for scene in scenes)
            raise ImageError("the scenes of the day have no band in common", where=Where(feature=ids))
        return names
    for scene, names_held in zip(scenes, held, strict=True):
        lacking = [name for name in wanted if name not in names_held]
        if lacking:
            problem = f"it has no band {', '.join(lacking)}; it has {', '.join(in_band_order(names_held))}"
            raise ImageError(problem, where=Where(feature=scene.id))
    return tuple(wanted)


def _one_scale(scenes: Sequence[Scene], names: Sequence[str]) -> float | None:
    calibrated = {_band(scene, name).scale is not None for scene in scenes for name in names}
    if len(calibrated) > 1:
        ids = ", ".join(scene.id for scene in scenes)
        problem = "some bands of the day are calibrated and some are counts"
        raise ImageError(problem, where=Where(feature=ids), hint="Add them again with --scale")
    return CANONICAL_SCALE if calibrated.pop() else None


def _one_scheme(scenes: Sequence[Scene]) -> str:
    # One scene without a mask leaves clouds in the chip, so the chip can't claim to have one.
    schemes = dict.fromkeys(scene.mask_scheme for scene in scenes)
    return NO_MASK if NO_MASK in schemes else "+".join(schemes)


def _band(scene: Scene, name: str) -> BandFile:
    return next(file for file in scene.bands if file.name == name)


def _layer(scene: Scene, names: Sequence[str], grid: Grid, dilate_px: int) -> _Layer:
    read = [_counts(_band(scene, name), grid) for name in names]
    dn = np.stack([counts for counts, _, _ in read])
    valid = np.logical_and.reduce([band_valid for _, band_valid, _ in read])
    below = np.stack([band_below for _, _, band_below in read])
    clear = valid
    if scene.mask is not None:
        classes = _classes(scene.mask, MaskScheme(scene.mask_scheme), grid)
        clear = valid & clear_pixels(classes, dilate_px=dilate_px)
    return _Layer(np.where(valid, dn, np.uint16(0)), below & valid, valid, clear)


def _merged(layers: Sequence[_Layer]) -> _Layer:
    merged = layers[0]
    for layer in layers[1:]:
        take = ~merged.valid & layer.valid
        merged = _Layer(
            np.where(take, layer.dn, merged.dn),
            np.where(take, layer.below, merged.below),
            merged.valid | take,
            np.where(take, layer.clear, merged.clear),
        )
    return merged


def _counts(file: BandFile, grid: Grid) -> tuple[NDArray[np.uint16], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return counts, where they are valid, and where they were below zero, each ``(y, x)``."""
    offset_px = _aligned_offset(file, grid)
    if offset_px is None:
        return _warped_counts(file, grid)
    raw, inside = _copied(file, offset_px, grid.shape)
    valid = inside & valid_pixels(raw, file.nodata)
    counts, below = canonical_counts(raw, valid, file.scale, file.offset)
    return counts, valid, below


def _classes(file: BandFile, scheme: MaskScheme, grid: Grid) -> NDArray[np.uint8]:
    offset_px = _aligned_offset(file, grid)
    if offset_px is not None:
        codes, inside = _copied(file, offset_px, grid.shape)
        return np.where(inside, scene_classes(codes, scheme), np.uint8(SceneClass.NODATA))
    classes = np.full(grid.shape, SceneClass.NODATA, dtype=np.uint8)
    found = _needed(file, grid)
    if found is not None:
        codes, transform = found
        _warp(scene_classes(codes, scheme), transform, file.crs, classes, grid, Resampling.nearest)
    return classes


def _aligned_offset(file: BandFile, grid: Grid) -> tuple[int, int] | None:
    """Return the row and column of the grid's first pixel in the file, or None where edges differ."""
    side = grid.resolution_m
    # Over the whole frame a difference of the sides adds up, so it is judged at the far edge.
    if file.crs != grid.crs or abs(file.transform.a - side) * max(file.shape) > _EDGE_TOLERANCE_PX * side:
        return None
    row = (file.transform.f - grid.transform.f) / side
    column = (grid.transform.c - file.transform.c) / side
    if max(abs(row - round(row)), abs(column - round(column))) > _EDGE_TOLERANCE_PX:
        return None
    return round(row), round(column)


def _copied(
    file: BandFile, offset_px: tuple[int, int], shape: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the file's own values on the grid, and where the grid lies inside the file."""
    rows, columns = (
        _overlap(offset_px[0], shape[0], file.shape[0]),
        _overlap(offset_px[1], shape[1], file.shape[1]),
    )
    inside = np.zeros(shape, dtype=np.bool_)
    pixels = _read(file, rows, columns)
    raw = np.zeros(shape, dtype=pixels.dtype)
    target = (
        slice(rows.start - offset_px[0], rows.stop - offset_px[0]),
        slice(columns.start - offset_px[1], columns.stop - offset_px[1]),
    )
    raw[target] = pixels
    inside[target] = True
    return raw, inside


def _overlap(first: int, length: int, limit: int) -> slice:
    start = min(max(first, 0), limit)
    return slice(start, max(start, min(first + length, limit)))


def _read(file: BandFile, rows: slice, columns: slice) -> NDArray[Any]:
    try:
        with rasterio.open(file.path, driver="GTiff") as dataset:
            if dataset.shape != file.shape:
                raise _damaged(file, f"it is {dataset.shape} pixels and its item says {file.shape}")
            window = Window.from_slices(rows, columns)
            pixels: NDArray[Any] = dataset.read(1, window=window)
    except RasterioError as error:
        raise _damaged(file, " ".join(str(error.__cause__ or error).split())) from error
    return pixels


def _damaged(file: BandFile, reason: str) -> ArchiveError:
    hint = "Move its folder out of the archive and add its images again"
    return ArchiveError(f"the band can't be read: {reason}", where=Where(file.path), hint=hint)


def _warped_counts(
    file: BandFile, grid: Grid
) -> tuple[NDArray[np.uint16], NDArray[np.bool_], NDArray[np.bool_]]:
    found = _needed(file, grid)
    if found is None:
        nothing = np.zeros(grid.shape, dtype=np.bool_)
        return np.zeros(grid.shape, dtype=np.uint16), nothing, nothing
    raw, transform = found
    source_valid = valid_pixels(raw, file.nodata)
    source = np.where(source_valid, raw, np.nan).astype(np.float32)
    values = np.full(grid.shape, np.nan, dtype=np.float32)
    nearest = np.zeros(grid.shape, dtype=np.uint8)
    _warp(source, transform, file.crs, values, grid, Resampling.cubic)
    _warp(source_valid.astype(np.uint8), transform, file.crs, nearest, grid, Resampling.nearest)
    valid = (nearest == 1) & np.isfinite(values)
    whole = values if file.scale is not None else np.clip(np.rint(values), 0, _COUNT_MAX)
    counts, below = canonical_counts(whole, valid, file.scale, file.offset)
    return counts, valid, below


def _needed(file: BandFile, grid: Grid) -> tuple[NDArray[Any], Affine] | None:
    """Return the source pixels that a grid needs and their transform, or None where there are none."""
    left, bottom, right, top = transform_bounds(grid.crs, file.crs, *grid.bounds)
    inverse = ~file.transform
    first_column, first_row = inverse @ (left, top)
    last_column, last_row = inverse @ (right, bottom)
    margin = _MARGIN_PX * max(1.0, grid.resolution_m / file.transform.a)
    row, column = math.floor(first_row - margin), math.floor(first_column - margin)
    rows = _overlap(row, math.ceil(last_row + margin) - row, file.shape[0])
    columns = _overlap(column, math.ceil(last_column + margin) - column, file.shape[1])
    if rows.start == rows.stop or columns.start == columns.stop:
        return None
    return _read(file, rows, columns), file.transform @ Affine.translation(columns.start, rows.start)


def _warp(
    source: NDArray[Any],
    transform: Affine,
    crs: str,
    target: NDArray[Any],
    grid: Grid,
    resampling: Resampling,
) -> None:
    nodata = np.nan if np.issubdtype(source.dtype, np.floating) else 0
    reproject(
        source,
        target,
        src_transform=transform,
        src_crs=crs,
        src_nodata=nodata,
        dst_transform=grid.transform,
        dst_crs=grid.crs,
        dst_nodata=nodata,
        resampling=resampling,
    )


if TYPE_CHECKING:

    def conforms(local: LocalArchive) -> Provider:
        """Let the type checker prove that the archive is a provider."""
        return local
