"""One band of the archive on the pixels of a frame: copied where the edges agree, else warped once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from affine import Affine
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.warp import reproject, transform_bounds
from rasterio.windows import Window

from geo.errors import Where
from imagery.canonical import canonical_counts, to_reflectance_counts, valid_pixels
from imagery.errors import ArchiveError, ImageError
from imagery.geotiff import GDAL_OPTIONS, bounds_of
from imagery.masks import MaskScheme, SceneClass, scene_classes
from imagery.model import CANONICAL_SCALE
from imagery.tiled_reader import read_window

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imagery.model import BandFile

_EDGE_TOLERANCE_PX = 1e-3
"""Pixel edges that differ by less are the same edges: a GeoTIFF's numbers are rounded when written."""

_COUNT_MAX = 65535

_MARGIN_PX = 4
"""Source pixels read around a window that is warped; a cubic kernel reaches two."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The pixels to fill: square, north up."""

    crs: str
    transform: Affine
    shape: tuple[int, int]

    @property
    def side_m(self) -> float:
        """Side of a pixel in metres."""
        return float(self.transform.a)

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top in the CRS."""
        return bounds_of(self.transform, self.shape)

    def grown(self, margin_px: int) -> Frame:
        """Return the frame with that many pixels more on each side."""
        rows, columns = self.shape
        corner = self.transform @ Affine.translation(-margin_px, -margin_px)
        return Frame(self.crs, corner, (rows + 2 * margin_px, columns + 2 * margin_px))

    def moved(self, dx_px: float, dy_px: float) -> Frame:
        """Return the frame of as many pixels that lies so far right and down."""
        return Frame(self.crs, self.transform @ Affine.translation(dx_px, dy_px), self.shape)


def is_copied(file: BandFile, frame: Frame) -> bool:
    """Return whether a file's pixels are the frame's, so that reading resamples nothing."""
    return _aligned_offset(file, frame) is not None


def read_counts(
    file: BandFile, frame: Frame
) -> tuple[NDArray[np.uint16], NDArray[np.bool_], NDArray[np.bool_]]:
    """Return canonical counts, where they are valid, and where they were below zero, each ``(y, x)``.

    Raises:
        ArchiveError: The file is damaged or missing.
    """
    offset_px = _aligned_offset(file, frame)
    if offset_px is None:
        return _warped_counts(file, frame)
    raw, inside = _copied(file, offset_px, frame.shape)
    valid = inside & valid_pixels(raw, file.nodata)
    counts, below = canonical_counts(raw, valid, file.scale, file.offset)
    return counts, valid, below


def read_classes(file: BandFile, scheme: MaskScheme, frame: Frame) -> NDArray[np.uint8]:
    """Return the `SceneClass` of each pixel, ``(y, x)``; no data outside the file.

    Raises:
        ArchiveError: The file is damaged or missing.
    """
    offset_px = _aligned_offset(file, frame)
    if offset_px is not None:
        codes, inside = _copied(file, offset_px, frame.shape)
        return np.where(inside, scene_classes(codes, scheme), np.uint8(SceneClass.NODATA))
    classes = np.full(frame.shape, SceneClass.NODATA, dtype=np.uint8)
    found = _needed(file, frame)
    if found is not None:
        codes, transform = found
        _warp(scene_classes(codes, scheme), transform, file.crs, classes, frame, Resampling.nearest)
    return classes


def _aligned_offset(file: BandFile, frame: Frame) -> tuple[int, int] | None:
    """Return the row and column of the frame's first pixel in the file, or None where edges differ."""
    side = frame.side_m
    # Over the whole frame a difference of the sides adds up, so it is judged at the far edge.
    if file.crs != frame.crs or abs(file.transform.a - side) * max(file.shape) > _EDGE_TOLERANCE_PX * side:
        return None
    row = (file.transform.f - frame.transform.f) / side
    column = (frame.transform.c - file.transform.c) / side
    if max(abs(row - round(row)), abs(column - round(column))) > _EDGE_TOLERANCE_PX:
        return None
    return round(row), round(column)


def _copied(
    file: BandFile, offset_px: tuple[int, int], shape: tuple[int, int]
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the file's own values on the frame, and where the frame lies inside the file."""
    rows, columns = (
        _overlap(offset_px[0], shape[0], file.shape[0]),
        _overlap(offset_px[1], shape[1], file.shape[1]),
    )
    pixels = _read(file, rows, columns)
    if pixels.shape == shape:
        return pixels, np.ones(shape, dtype=np.bool_)
    inside = np.zeros(shape, dtype=np.bool_)
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
    found = None
    if rows.start < rows.stop and columns.start < columns.stop:
        try:
            found = read_window(file.path, file.shape, rows, columns)
        except ImageError as error:
            raise _damaged(file, error.problem) from error
    return _read_by_gdal(file, rows, columns) if found is None else found


def _read_by_gdal(file: BandFile, rows: slice, columns: slice) -> NDArray[Any]:
    try:
        with rasterio.Env(**GDAL_OPTIONS), rasterio.open(file.path, driver="GTiff") as dataset:
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
    file: BandFile, frame: Frame
) -> tuple[NDArray[np.uint16], NDArray[np.bool_], NDArray[np.bool_]]:
    found = _needed(file, frame)
    if found is None:
        nothing = np.zeros(frame.shape, dtype=np.bool_)
        return np.zeros(frame.shape, dtype=np.uint16), nothing, nothing
    raw, transform = found
    source_valid = valid_pixels(raw, file.nodata)
    # Offsets go before the warp, or sums of float32 would round otherwise where they went at the source.
    in_counts = raw if file.scale is None else to_reflectance_counts(raw, file.scale, file.offset)
    source = np.where(source_valid, in_counts, np.nan).astype(np.float32)
    values = np.full(frame.shape, np.nan, dtype=np.float32)
    nearest = np.zeros(frame.shape, dtype=np.uint8)
    _warp(source, transform, file.crs, values, frame, Resampling.cubic)
    _warp(source_valid.astype(np.uint8), transform, file.crs, nearest, frame, Resampling.nearest)
    valid = (nearest == 1) & np.isfinite(values)
    whole = values if file.scale is not None else np.clip(np.rint(values), 0, _COUNT_MAX)
    scale = None if file.scale is None else CANONICAL_SCALE
    counts, below = canonical_counts(whole, valid, scale, 0.0)
    return counts, valid, below


def _needed(file: BandFile, frame: Frame) -> tuple[NDArray[Any], Affine] | None:
    """Return the source pixels that a frame needs and their transform, or None where there are none."""
    left, bottom, right, top = transform_bounds(frame.crs, file.crs, *frame.bounds)
    inverse = ~file.transform
    first_column, first_row = inverse @ (left, top)
    last_column, last_row = inverse @ (right, bottom)
    margin = _MARGIN_PX * max(1.0, frame.side_m / file.transform.a)
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
    frame: Frame,
    resampling: Resampling,
) -> None:
    nodata = np.nan if np.issubdtype(source.dtype, np.floating) else 0
    reproject(
        source,
        target,
        src_transform=transform,
        src_crs=crs,
        src_nodata=nodata,
        dst_transform=frame.transform,
        dst_crs=frame.crs,
        dst_nodata=nodata,
        resampling=resampling,
    )
