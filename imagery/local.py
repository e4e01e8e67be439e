"""Chips from the archive: the provider that needs no network.

A scene whose pixel edges are the grid's is copied, not resampled. Any other is warped once, from its
source pixels, over the window that the grid needs.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import Where
from geo.grid import grid_box_lonlat
from imagery.acquisition import joint_baseline, joint_geometry
from imagery.errors import ImageError
from imagery.frame import Frame, is_copied, read_classes, read_counts
from imagery.masks import MaskScheme, SceneClass, clear_pixels, unmasked_classes
from imagery.model import CANONICAL_SCALE, NO_MASK, BandFile, Chip, Scene
from imagery.provenance import joint_provenance
from imagery.provider import NO_LIMITS, Limits, within
from imagery.scene_index import SceneIndex
from imagery.sensors import in_band_order

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from affine import Affine
    from numpy.typing import NDArray

    from geo.dates import Span
    from geo.grid import Grid
    from imagery.archive import Archive
    from imagery.provider import Provider
    from imagery.shift import Shift

DEFAULT_DILATE_PX = 1
"""Haze and thin shadow rim what a mask calls cloud. Of 105 Landsat frames 59 stay half clear without
a rim, 57 with one pixel and 56 with two: one is nearly free."""


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
    classes: NDArray[np.uint8]
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
        self._lons: dict[tuple[str, Affine, tuple[int, int]], float] = {}

    @cached_property
    def index(self) -> SceneIndex:
        """The scenes, read once.

        Raises:
            ArchiveError: An Item is damaged.
        """
        return self._given or SceneIndex(self._archive.scenes())

    def search(self, grid: Grid, span: Span | None = None, limits: Limits = NO_LIMITS) -> tuple[Scene, ...]:
        """Return the scenes that touch a grid's frame, by (acquired, id); see `Provider`."""
        frame = grid_box_lonlat(grid)
        lon = frame.centroid.x
        found = self.index.covering(frame)
        days = [scene for scene in found if span is None or span.contains(scene.solar_day(lon))]
        return within(days, limits, lon)

    def copies(self, grid: Grid, scenes: Sequence[Scene]) -> bool:
        """Return whether a chip of the scenes holds their own pixels, so that it may still be resampled once.

        Where not, `read_shifted` reads them anew.
        """
        frame = Frame(grid.crs, grid.transform, grid.shape)
        return all(is_copied(file, frame) for scene in scenes for file in scene.bands)

    def read(self, grid: Grid, scenes: Sequence[Scene], bands: Sequence[str] | None = None) -> Chip:
        """Return one solar day of one series on a grid, the first valid pixel of each; see `Provider`."""
        return self._chip(grid, scenes, bands, Frame(grid.crs, grid.transform, grid.shape))

    def read_shifted(
        self, grid: Grid, scenes: Sequence[Scene], shift: Shift, bands: Sequence[str] | None = None
    ) -> Chip:
        """Return a chip as `read` does, resampled once onto the grid and by a shift together.

        Args:
            grid: The lattice.
            scenes: The day's.
            shift: Where their content lies beside where it belongs.
            bands: Their names; None: those that all scenes have.
        """
        frame = Frame(grid.crs, grid.transform, grid.shape).moved(shift.dx_px, shift.dy_px)
        return self._chip(grid, scenes, bands, frame)

    def _chip(self, grid: Grid, scenes: Sequence[Scene], bands: Sequence[str] | None, frame: Frame) -> Chip:
        ordered = sorted(scenes, key=lambda scene: (scene.acquired, scene.id))
        day = _one_day(ordered, self._centre_lon(grid))
        names = _chosen_bands(ordered, bands)
        scale = _one_scale(ordered, names)
        layers = [_layer(scene, names, frame, self._dilate_px) for scene in ordered]
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
            classes=merged.classes,
            mask_scheme=_one_scheme(ordered),
            clamped_px=int(np.count_nonzero(merged.below)),
            simulated=any(scene.simulated for scene in ordered),
            credit="; ".join(dict.fromkeys(scene.credit for scene in ordered if scene.credit)),
            geometry=joint_geometry([scene.geometry for scene in ordered]),
            processing_baseline=joint_baseline(scene.processing_baseline for scene in ordered),
            provenance=joint_provenance([scene.provenance for scene in ordered]),
            quantity=first.quantity,
        )

    def _centre_lon(self, grid: Grid) -> float:
        # A site's grid is asked for once a date, and taking it to degrees costs as much as reading a band.
        place = (grid.crs, grid.transform, grid.shape)
        if place not in self._lons:
            self._lons[place] = float(grid_box_lonlat(grid).centroid.x)
        return self._lons[place]


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


def _layer(scene: Scene, names: Sequence[str], frame: Frame, dilate_px: int) -> _Layer:
    read = [read_counts(_band(scene, name), frame) for name in names]
    dn = np.stack([counts for counts, _, _ in read])
    valid = np.logical_and.reduce([band_valid for _, band_valid, _ in read])
    below = np.stack([band_below for _, _, band_below in read])
    clear, classes = valid, unmasked_classes(valid)
    if scene.mask is not None:
        # With a margin, so that a cloud just outside rims the frame's edge as it would inside.
        around = frame.grown(dilate_px)
        found = read_classes(scene.mask, MaskScheme(scene.mask_scheme), around)
        inner = tuple(slice(dilate_px, dilate_px + length) for length in frame.shape)
        clear = valid & clear_pixels(found, dilate_px=dilate_px)[inner]
        classes = np.where(valid, found[inner], np.uint8(SceneClass.NODATA))
    if not valid.all():
        dn, below = np.where(valid, dn, np.uint16(0)), below & valid
    return _Layer(dn, below, valid, clear, classes)


def _merged(layers: Sequence[_Layer]) -> _Layer:
    merged = layers[0]
    for layer in layers[1:]:
        take = ~merged.valid & layer.valid
        merged = _Layer(
            np.where(take, layer.dn, merged.dn),
            np.where(take, layer.below, merged.below),
            merged.valid | take,
            np.where(take, layer.clear, merged.clear),
            np.where(take, layer.classes, merged.classes),
        )
    return merged


if TYPE_CHECKING:

    def conforms(local: LocalArchive) -> Provider:
        """Let the type checker prove that the archive is a provider."""
        return local
