"""From ground, sky and orbit to what the sensor delivers of one date: counts and scene classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imagery.simulate.acquisitions import BASELINE_04_OFFSET
from imagery.simulate.atmosphere import add_dust, add_noise, draw_air, to_counts
from imagery.simulate.classes import CLOUD_HIGH, classify
from imagery.simulate.clouds import CloudLayers, draw_clouds, overcast
from imagery.simulate.materials import BANDS, surface
from imagery.simulate.optics import ground_cells, observe_coarse, observe_pixels, rendered_px
from imagery.simulate.painting import cast_shadows, darken, paint, relief_factor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.simulate.acquisitions import Acquisition
    from imagery.simulate.ground import Ground
    from imagery.simulate.parcels import Parcels
    from imagery.simulate.planting import Planting
    from imagery.simulate.spec import SiteSpec

_FINE_BANDS = 4
"""The first four bands have pixels of 10 m, the two others of 20 m."""

_CLOUD_LIGHT = np.array([0.62, 0.68, 0.72, 0.80, 0.92, 0.94], dtype=np.float32)
"""How much of the light that a cloud keeps away is lost in each band: the blue sky lights its shadow."""


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """One date as delivered, with `optics.MARGIN_PX` pixels around the frame, and what lay over it."""

    counts: NDArray[np.int32]
    """``(band, y, x)``: canonical, not yet clamped at 0."""
    codes: NDArray[np.uint8]
    """``(y / 2, x / 2)``: scene classes (SCL) at 20 m."""
    opacity: NDArray[np.float32]
    """``(y, x)``: of cloud and cirrus, 0 to 1."""
    shadow: NDArray[np.float32]
    """``(y, x)``: share of the light that clouds keep away."""


class Renderer:
    """Makes the pictures of one site; a date depends on nothing but its acquisition."""

    def __init__(
        self, spec: SiteSpec, ground: Ground, parcels: Parcels, plantings: Sequence[Planting]
    ) -> None:
        """Take what the dates have in common."""
        self._spec, self._ground, self._parcels, self._plantings = spec, ground, parcels, plantings
        self._side = rendered_px(spec.frame_px)
        cells = ground_cells(spec.frame_px)
        self._image = np.empty((len(BANDS), cells, cells), dtype=np.float32)
        self._height_m = ground.height_m[ground.label]

    def picture(self, acquisition: Acquisition) -> Picture:
        """Return the picture of a date."""
        rng = np.random.Generator(np.random.SFC64(acquisition.seed))
        if acquisition.overcast:
            return self._closed(acquisition, rng)
        values = self._surface(acquisition)
        layers = draw_clouds(acquisition, self._side, rng)
        _cover(values, layers)
        rough = self._spec.difficulty.radiometry
        if acquisition.weather.dust:
            add_dust(values, acquisition.weather.dust, rng)
        self._finish(values, rough, rng)
        codes = classify(values, layers, faults=self._spec.difficulty.mask_faults, rng=rng)
        return Picture(
            self._counts(values, acquisition),
            codes,
            _opacity(layers, self._side),
            _filled(layers.shadow, self._side),
        )

    def _surface(self, acquisition: Acquisition) -> NDArray[np.float32]:
        """Return surface reflectance as it falls into the pixels, ``(band, y, x)``."""
        image, texture = self._image, self._ground.texture
        reflectance = np.ascontiguousarray(self._parcels.reflectance(acquisition).T, dtype=np.float32)
        paint(self._ground.label, texture, reflectance, image)
        for planting in self._plantings:
            planting.apply(image, texture, acquisition)
        if self._spec.difficulty.shadows:
            darken(image, cast_shadows(self._heights(acquisition), *acquisition.sun_deg))
        fine = observe_pixels(image[:_FINE_BANDS], self._side, acquisition.shift_px)
        coarse = observe_coarse(image[_FINE_BANDS:], self._side, acquisition.shift_px)
        values = np.concatenate([fine, coarse])
        if self._ground.slope is not None:
            values *= relief_factor(self._ground.slope, *acquisition.sun_deg)
        return values

    def _heights(self, acquisition: Acquisition) -> NDArray[np.float32]:
        built = [planting for planting in self._plantings if planting.change.height_m]
        if not built:
            return self._height_m
        height_m = self._height_m.copy()
        for planting in built:
            planting.raise_heights(height_m, acquisition)
        return height_m

    def _closed(self, acquisition: Acquisition, rng: np.random.Generator) -> Picture:
        opacity = overcast(self._side, rng)
        values = surface("cloud")[:, None, None] * opacity
        codes = np.full((self._side // 2, self._side // 2), CLOUD_HIGH, dtype=np.uint8)
        return Picture(self._counts(values, acquisition), codes, opacity, np.zeros_like(opacity))

    @staticmethod
    def _finish(values: NDArray[np.float32], rough: float, rng: np.random.Generator) -> None:
        air = draw_air(rough, rng)
        values *= air.gain[:, None, None]
        values += air.offset[:, None, None]
        add_noise(values, rough, rng)

    @staticmethod
    def _counts(values: NDArray[np.float32], acquisition: Acquisition) -> NDArray[np.int32]:
        # A stored count is 1 at the least, since 0 says that there are no data.
        counts = to_counts(values, 1 - acquisition.raised)
        return counts + BASELINE_04_OFFSET if acquisition.unharmonised else counts


def _cover(values: NDArray[np.float32], layers: CloudLayers) -> None:
    """Lay shadow, cirrus and cloud over ``(band, y, x)`` in place."""
    if layers.shadow is not None:
        values *= 1.0 - _CLOUD_LIGHT[:, None, None] * layers.shadow
    white = surface("cloud")[:, None, None]
    for opacity in (layers.cirrus, layers.cloud):
        if opacity is not None:
            values += opacity * (white - values)


def _opacity(layers: CloudLayers, side: int) -> NDArray[np.float32]:
    seen = (1.0 - _filled(layers.cloud, side)) * (1.0 - _filled(layers.cirrus, side))
    return np.asarray(1.0 - seen, dtype=np.float32)


def _filled(layer: NDArray[np.float32] | None, side: int) -> NDArray[np.float32]:
    return np.zeros((side, side), dtype=np.float32) if layer is None else layer
