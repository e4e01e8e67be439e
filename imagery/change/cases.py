"""A track told in the world's terms: outline, area with its interval, what it looks like, how sure it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import shapely
from scipy import ndimage
from shapely import Point, Polygon

from imagery.change.evidence import beside
from imagery.change.extent import Extent, Fractions, fractions_of, measure
from imagery.change.follow import dated
from imagery.change.kinds import UNNAMED, KindFound, kind_of
from imagery.change.regions import pixel_outline
from imagery.change.search import fractions_at
from imagery.change.templates import square
from imagery.model import Detection, Region

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.grid import Grid
    from imagery.change.changedate import ChangeDate
    from imagery.change.evidence import Evidence
    from imagery.change.follow import Track
    from imagery.change.learned import Window
    from imagery.change.matched import Place, Residuals
    from imagery.change.null import Null
    from imagery.change.search import Shapes

BRIGHTEST = 0.6
"""Reflectance that no roof or ground but snow exceeds in all bands."""

REBASE_MARGIN_PX = 2
"""Pixels around a confirmed change that start afresh with it: the point spread function reaches so far."""

_SHOWN_FRACTION = 0.05

_BEYOND_PX = 1
"""Pixels beyond a drawn footprint's own that still count: it may be drawn some metres off."""


@dataclass(frozen=True, slots=True)
class Case:
    """A track, and what was made of it."""

    track: Track
    join: tuple[tuple[float, ...], ...]
    """``(band, band)``: inverse correlation of the bands when it was raised."""
    inflation: tuple[float, ...]
    """By band: of the variance of its contrast."""
    evidence: Evidence
    before: Mapping[str, float]
    """Predicted reflectance by band in its place, on the day on which it was raised."""
    notes: tuple[str, ...] = ()
    """Causes that were noted and did not hold it."""
    geometry: BaseGeometry = field(default_factory=Polygon)
    """``lon, lat``."""
    area_m2: float = 0.0
    area_interval_m2: tuple[float, float] = (0.0, 0.0)
    is_ambiguous: bool = True
    """Whether contrast and area could not be told apart."""
    contrast: tuple[float, ...] = ()
    """By band: of the ground that changed."""
    kind: KindFound = UNNAMED
    pixels: tuple[tuple[int, int], ...] = ()
    """Row and column on the grid of the pixels that show it."""

    @property
    def joined(self) -> NDArray[np.float32]:
        """The inverse correlation as an array."""
        return np.array(self.join, dtype=np.float32)

    @property
    def when(self) -> ChangeDate:
        """When it happened, by what its looks say."""
        return dated(self.track, self.joined)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """Where the arrays of a site lie."""

    grid: Grid
    window: Window
    bands: tuple[str, ...]
    scale: float | None
    shapes: Shapes
    drawn: BaseGeometry | None = None
    """The footprint, ``lon, lat``, where it is the template."""

    @property
    def corner(self) -> tuple[int, int]:
        """Row and column of the window on the grid."""
        return int(self.window[0].start), int(self.window[1].start)

    def centre_of(self, place: Place) -> tuple[float, float]:
        """Return row and column on the window of a place's centre, sub-pixel phase included."""
        if not place.is_listed:
            return place.row + place.phase[0], place.column + place.phase[1]
        fractions, _ = fractions_at(place, self.shapes)
        rows, columns = np.indices(fractions.shape)
        total = float(fractions.sum())
        return float((rows * fractions).sum()) / total, float((columns * fractions).sum()) / total

    def pixel_of(self, place: Place) -> tuple[int, int]:
        """Return row and column on the grid of the pixel at a place's centre."""
        row, column = self.centre_of(place)
        return self.corner[0] + round(row), self.corner[1] + round(column)

    def to_map(self, row: float, column: float) -> tuple[float, float]:
        """Return the CRS coordinates of a point of the window; whole numbers are pixels' centres."""
        side, transform = self.grid.resolution_m, self.grid.transform
        x = transform.c + (self.corner[1] + column + 0.5) * side
        return float(x), float(transform.f - (self.corner[0] + row + 0.5) * side)

    def lonlat_of(self, place: Place) -> tuple[float, float]:
        """Return longitude and latitude of a place's centre."""
        point = self.grid.to_lonlat(Point(*self.to_map(*self.centre_of(place)))).centroid
        return float(point.x), float(point.y)


def resized(case: Case, frames: Sequence[tuple[date, Residuals]], frame: Frame) -> Case:
    """Return a case measured and named on the looks that show it.

    Args:
        case: Its track already holds the latest look.
        frames: Days and window residuals of the latest clear looks.
        frame: Where the window lies.
    """
    track = case.track
    first = case.when.first_with
    shown = [each for day, each in frames if first <= day <= track.last_with] or [frames[-1][1]]
    share = _in_place(fractions_of(shown, track.contrast, case.joined), track.place, frame)
    extent = measure(
        share,
        frame.centre_of(track.place),
        inflation=float(np.mean(case.inflation)),
        most=_most(case.before, dict(zip(frame.bands, track.contrast, strict=True)), frame.scale),
        largest_px=_largest_px(track.place),
    )
    is_drawn = track.place.is_listed and frame.drawn is not None and extent.is_ambiguous
    outline = frame.drawn if is_drawn and frame.drawn is not None else _outline(extent, frame)
    unit = frame.grid.resolution_m**2
    contrast = tuple(extent.scale * each for each in track.contrast)
    named = {band: each for band, each in zip(frame.bands, contrast, strict=True) if band in case.before}
    top, left = frame.corner
    return replace(
        case,
        geometry=outline,
        area_m2=extent.area_px * unit,
        area_interval_m2=(extent.interval_px[0] * unit, extent.interval_px[1] * unit),
        is_ambiguous=extent.is_ambiguous,
        contrast=contrast,
        kind=kind_of(case.before, named) if frame.scale is not None else UNNAMED,
        pixels=tuple(
            (top + int(row), left + int(column))
            for row, column in np.argwhere(_shown(extent, track.place, frame))
        ),
    )


def _largest_px(place: Place) -> float:
    """Return what a change can cover that this square showed best: a far larger one shows it better."""
    return float("inf") if place.is_listed else (4 * place.side_px + 4) ** 2


def _in_place(share: Fractions, place: Place, frame: Frame) -> Fractions:
    """Forget what lies beyond a footprint that was drawn: it is what may change, and no more."""
    if not place.is_listed or frame.shapes.listed is None:
        return share
    near = ndimage.binary_dilation(frame.shapes.listed > _SHOWN_FRACTION, iterations=_BEYOND_PX)
    return Fractions(np.where(near, share.values, 0.0), np.where(near, share.weight, 0.0))


def _most(before: Mapping[str, float], contrast: Mapping[str, float], scale: float | None) -> float:
    """Return how many times the stated contrast the ground can show at most: it reflects 0 to `BRIGHTEST`."""
    if scale is None:
        return float("inf")
    room = [
        (before[band] if each < 0 else BRIGHTEST - before[band]) / abs(each)
        for band, each in contrast.items()
        if band in before and each
    ]
    return max(min(room, default=float("inf")), 1.0)


def _shown(extent: Extent, place: Place, frame: Frame) -> NDArray[np.bool_]:
    """Return the pixels of the window that show any of the change."""
    if extent.patch is not None:
        return extent.patch
    shape = frame.shapes.allowed.shape[1:]
    shown = np.zeros(shape, dtype=np.bool_)
    if place.is_listed and frame.shapes.listed is not None:
        shown |= frame.shapes.listed > _SHOWN_FRACTION
    if extent.square is not None:
        row, column, side = extent.square
        whole = round(row), round(column)
        template = square(side, (row - whole[0], column - whole[1]))
        reach = template.rows.size // 2
        for y, x in np.argwhere(template.fractions > _SHOWN_FRACTION):
            at = whole[0] + int(y) - reach, whole[1] + int(x) - reach
            if 0 <= at[0] < shape[0] and 0 <= at[1] < shape[1]:
                shown[at] = True
    return shown


def _outline(extent: Extent, frame: Frame) -> BaseGeometry:
    """Return the outline of a change as ``lon, lat``: its pixels, or the square that stands for it."""
    top, left = frame.corner
    if extent.patch is not None:
        rows, columns = np.nonzero(extent.patch)
        row, column = int(rows.min()), int(columns.min())
        part = extent.patch[row : rows.max() + 1, column : columns.max() + 1]
        return pixel_outline(part, frame.grid, row=top + row, column=left + column)
    row_px, column_px, side_px = extent.square or (0.0, 0.0, 1.0)
    x, y = frame.to_map(row_px, column_px)
    half = side_px * frame.grid.resolution_m / 2
    return frame.grid.to_lonlat(shapely.normalize(shapely.box(x - half, y - half, x + half, y + half)))


def mean_over(values: NDArray[np.float32], place: Place, shapes: Shapes) -> NDArray[np.float64]:
    """Return the mean of each band over a place, weighted by its fractions, ``(band)``; NaN where unknown."""
    fractions, (row, column) = fractions_at(place, shapes)
    rows, columns = values.shape[1:]
    top, left = max(row, 0), max(column, 0)
    bottom, right = min(row + fractions.shape[0], rows), min(column + fractions.shape[1], columns)
    part = values[:, top:bottom, left:right].astype(np.float64)
    weight = fractions[top - row : bottom - row, left - column : right - column].astype(np.float64)
    known = np.isfinite(part).all(axis=0)
    total = float(weight[known].sum())
    if total <= 0:
        return np.full(len(values), np.nan)
    return np.asarray((part[:, known] * weight[known]).sum(axis=1) / total)


def detection_id(frame: Frame, series: str, track: Track) -> str:
    """Return an id that follows from the site's first id, grid, series, day and rank."""
    content = (frame.grid.first_id, frame.grid.grid_id, series, track.opened.isoformat(), track.rank)
    return f"det-{hashlib.sha256(repr(content).encode()).hexdigest()[:12]}"


def detection_of(case: Case, frame: Frame, series: str, *, null: Null | None, simulated: bool) -> Detection:
    """Return a case as a detection."""
    track, when, found = case.track, case.when, beside(case.evidence, null)
    return Detection(
        id=detection_id(frame, series, track),
        site_id=frame.grid.site_id,
        grid_id=frame.grid.grid_id,
        series=series,
        state=track.state,
        bracket=f"{when.last_without.isoformat()}/{when.first_with.isoformat()}",
        last_without=when.last_without,
        first_with=when.first_with,
        last_with=track.last_with,
        looks_with=track.looks_with,
        geometry=case.geometry,
        area_m2=case.area_m2,
        magnitude=track.ratio,
        p_value=None if found is None else found.p,
        evidence=case.evidence,
        direction=dict(zip(frame.bands, case.contrast, strict=True)),
        simulated=simulated,
        date_interval_90="/".join(day.isoformat() for day in when.interval_90),
        area_interval_m2=case.area_interval_m2,
        kind=case.kind.text,
        flags=case.notes,
    )


def region_of(case: Case, frame: Frame) -> Region:
    """Return what a look shows of a case."""
    return Region(
        geometry=case.geometry,
        area_m2=case.area_m2,
        pixels=len(case.pixels),
        magnitude=case.track.ratio,
        direction=dict(zip(frame.bands, case.contrast, strict=True)),
    )
