"""A simulated site: its dates, and for each date a chip and the truth behind it.

Everything follows from the specification and the generator. Each date has its own seed, so dates can be
made in any order, and some can be left out. Ground, dates and planted changes draw from streams of
their own: two sites that differ only in their changes are the same in all else.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.geometry import Point

from geo.grid import Grid, utm_crs
from imagery.masks import MaskScheme, clear_pixels, scene_classes
from imagery.model import CANONICAL_SCALE, Chip
from imagery.simulate.acquisitions import draw_acquisitions
from imagery.simulate.ground import make_ground
from imagery.simulate.materials import BANDS
from imagery.simulate.optics import MARGIN_PX
from imagery.simulate.parcels import Parcels
from imagery.simulate.planting import Planting, cover, outline
from imagery.simulate.rendering import Renderer
from imagery.simulate.spec import PIXEL_M

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray
    from shapely.geometry import Polygon

    from imagery.simulate.acquisitions import Acquisition
    from imagery.simulate.rendering import Picture
    from imagery.simulate.spec import Rectangle, SiteSpec

CREDIT = "Simulated by sitewatch: no satellite took this"

DILATE_PX = 1
"""As when chips are read from an archive."""

_SNAP_M = 20.0


@dataclass(frozen=True, slots=True, eq=False)
class Truth:
    """What one date really is; arrays are ``(y, x)`` of the frame."""

    acquisition: Acquisition
    """Shift, sky, snow, orbit."""
    progress: tuple[float, ...]
    """Of each planted change, how much is there, 0 to 1."""
    change: NDArray[np.float32]
    """Share of each pixel's light that is changed, 0 to 1."""
    cloud: NDArray[np.float32]
    """Opacity of cloud and cirrus together."""
    shadow: NDArray[np.float32]
    """Share of the sunlight that clouds keep away."""


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedLook:
    """One date: what a sensor would have shown, and the truth."""

    chip: Chip
    truth: Truth


class SimulatedSite:
    """A site whose every date is known; made by `simulate_site`."""

    def __init__(self, spec: SiteSpec, rng: np.random.Generator) -> None:
        """Draw all that is common to the dates; see `simulate_site`."""
        ground_rng, dates_rng, parcels_rng, changes_rng = rng.spawn(4)
        self.spec = spec
        self.acquisitions: tuple[Acquisition, ...] = draw_acquisitions(spec, dates_rng)
        """All dates, in order."""
        ground = make_ground(spec.ground, spec.frame_px, ground_rng)
        self._plantings = tuple(
            Planting(change, spec, stream)
            for change, stream in zip(spec.changes, changes_rng.spawn(len(spec.changes)), strict=True)
        )
        parcels = Parcels(ground.material, spec, parcels_rng)
        self._renderer = Renderer(spec, ground, parcels, self._plantings)

    @cached_property
    def grid(self) -> Grid:
        """The lattice of the frame: UTM, edges at multiples of 20 m."""
        return _grid(self.spec)

    @cached_property
    def area(self) -> Polygon:
        """The watched ground (the footprint, or the square that is searched), ``lon, lat``."""
        return self.polygon(self.spec.area)

    @cached_property
    def mixing(self) -> tuple[NDArray[np.float32], ...]:
        """Of each planted change its share of each pixel's light when it is whole, ``(y, x)``."""
        return tuple(planting.mixing() for planting in self._plantings)

    def weights(self, place: Rectangle | None = None) -> NDArray[np.float32]:
        """Return the share of each pixel inside a rectangle (the watched area if None), ``(y, x)``."""
        found = cover(place or self.spec.area, self.spec.frame_px, PIXEL_M)
        out = np.zeros((self.spec.frame_px, self.spec.frame_px), dtype=np.float32)
        out[found.rows, found.columns] = found.share
        return out

    def polygon(self, place: Rectangle) -> Polygon:
        """Return a rectangle of the specification, ``lon, lat``."""
        left, bottom, right, top = self.grid.bounds
        x, y = (left + right) / 2, (bottom + top) / 2
        moved = shapely.transform(outline(place), lambda xy: np.array([x, y]) + xy * np.array([1.0, -1.0]))
        polygon: Polygon = shapely.orient_polygons(self.grid.to_lonlat(moved))  # type: ignore[assignment]  # still one
        return polygon

    def picture(self, number: int) -> Picture:
        """Return what the sensor delivers of a date: counts and classes with a margin around the frame."""
        return self._renderer.picture(self.acquisitions[number])

    def look(self, number: int) -> SimulatedLook:
        """Return the chip and the truth of a date."""
        acquisition, picture = self.acquisitions[number], self.picture(number)
        frame = (slice(MARGIN_PX, -MARGIN_PX), slice(MARGIN_PX, -MARGIN_PX))
        progress = tuple(change.progress(acquisition.day) for change in self.spec.changes)
        changed = np.zeros((self.spec.frame_px, self.spec.frame_px), dtype=np.float32)
        for part, mixing in zip(progress, self.mixing, strict=True):
            if part:
                changed = np.maximum(changed, np.float32(part) * mixing)
        truth = Truth(acquisition, progress, changed, picture.opacity[frame], picture.shadow[frame])
        return SimulatedLook(self._chip(acquisition, picture), truth)

    def looks(self, *, overcast: bool = True) -> Iterator[SimulatedLook]:
        """Yield the dates in order.

        Args:
            overcast: Whether dates on which nothing of the ground is seen are made too.
        """
        for acquisition in self.acquisitions:
            if overcast or not acquisition.overcast:
                yield self.look(acquisition.number)

    def chips(self, *, overcast: bool = True) -> Iterator[Chip]:
        """Yield the chips alone; see `looks`."""
        for look in self.looks(overcast=overcast):
            yield look.chip

    def _chip(self, acquisition: Acquisition, picture: Picture) -> Chip:
        frame = (slice(MARGIN_PX, -MARGIN_PX), slice(MARGIN_PX, -MARGIN_PX))
        counts = picture.counts[:, *frame]
        classes = scene_classes(picture.codes.repeat(2, axis=0).repeat(2, axis=1), MaskScheme.SCL)
        below = counts < 0
        return Chip(
            grid=self.grid,
            solar_day=acquisition.day,
            acquired=acquisition.acquired,
            day_only=False,
            platform=acquisition.platform,
            series="sentinel-2",
            scene_ids=(f"{acquisition.platform}_{acquisition.acquired:%Y%m%dT%H%M%S}_{self.spec.site_id}",),
            bands=BANDS,
            dn=np.where(below, 0, counts).astype(np.uint16),
            scale=CANONICAL_SCALE,
            valid=np.ones(counts.shape[1:], dtype=np.bool_),
            clear=clear_pixels(classes, dilate_px=DILATE_PX)[frame],
            classes=classes[frame],
            mask_scheme=MaskScheme.SCL.value,
            clamped_px=int(np.count_nonzero(below)),
            simulated=True,
            credit=CREDIT,
            geometry=acquisition.geometry,
            processing_baseline=acquisition.processing_baseline,
        )


def simulate_site(spec: SiteSpec, rng: np.random.Generator) -> SimulatedSite:
    """Simulate a site.

    Args:
        spec: What is asked for.
        rng: All that is random; the same specification and generator give the same site, bit for bit.
    """
    return SimulatedSite(spec, rng)


def site_rng(seed: int, site_id: str) -> np.random.Generator:
    """Return the generator of one site of a population: sites don't depend on each other."""
    return np.random.default_rng([seed, zlib.crc32(site_id.encode())])


def _grid(spec: SiteSpec) -> Grid:
    crs = utm_crs(Point(spec.lon, spec.lat))
    # A grid of one pixel finds the projected place; the frame is then laid around it.
    probe = Grid.from_json(
        {"site_id": spec.site_id, "crs": crs, "transform": [PIXEL_M, 0, 0, 0, -PIXEL_M, 0], "shape": [1, 1]}
    )
    centre = probe.to_grid(Point(spec.lon, spec.lat)).centroid
    half_m = spec.frame_px * PIXEL_M / 2
    left, top = _snapped(centre.x - half_m), _snapped(centre.y + half_m)
    side = spec.frame_px
    return Grid.from_json(
        {
            "site_id": spec.site_id,
            "crs": crs,
            "transform": [PIXEL_M, 0.0, left, 0.0, -PIXEL_M, top],
            "shape": [side, side],
        }
    )


def _snapped(value_m: float) -> float:
    return round(value_m / _SNAP_M) * _SNAP_M
