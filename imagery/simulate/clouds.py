"""Clouds with soft edges, the shadows they cast, and thin cirrus.

A cloud field is layered noise (scales from 3 km to 80 m) above a threshold; opacity is 1 - exp(-depth), so
edges are thin and middles opaque. The shadow is the same field, moved by the cloud's height away from the
sun: near enough for small clouds, which lie outside a frame of 640 m as often as not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

from imagery.simulate.noise import layered_noise, smooth_noise
from imagery.simulate.spec import PIXEL_M
from imagery.simulate.weather import Sky

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imagery.simulate.acquisitions import Acquisition

_SCALES_M = (3000.0, 1500.0, 700.0, 350.0, 170.0, 80.0)
_FALL = 0.62
_CIRRUS_SCALES_M = (2500.0, 900.0, 300.0)
_HEIGHT_M = (800.0, 4000.0)
_SHADOW_DEPTH = 0.75
"""Share of the direct light that an opaque cloud takes away from the ground below the sun's ray."""


@dataclass(frozen=True, slots=True, eq=False)
class CloudLayers:
    """What lies between ground and satellite: each ``(y, x)`` in rendered pixels, 0 to 1, or None."""

    cloud: NDArray[np.float32] | None
    """Opacity of cloud."""
    shadow: NDArray[np.float32] | None
    """Share of the light that is missing."""
    cirrus: NDArray[np.float32] | None
    """Opacity of cirrus."""


def draw_clouds(acquisition: Acquisition, side_px: int, rng: np.random.Generator) -> CloudLayers:
    """Draw the clouds of a date that is not overcast over `side_px` pixels."""
    weather = acquisition.weather
    cloud = shadow = cirrus = None
    if weather.sky is Sky.BROKEN:
        cloud, shadow = _broken(acquisition, side_px, rng)
    if weather.cirrus:
        axis = np.arange(side_px) * PIXEL_M
        field = layered_noise(axis, axis, _CIRRUS_SCALES_M, 0.5, rng)
        cirrus = np.float32(weather.cirrus) * np.clip(0.5 + 0.5 * field, 0.0, 1.5)
    return CloudLayers(cloud, shadow, cirrus)


def overcast(side_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """Return the opacity of a closed cover, ``(y, x)``: all but opaque."""
    axis = np.arange(side_px) * PIXEL_M
    return np.float32(0.97) + np.float32(0.01) * np.clip(smooth_noise(axis, axis, 200.0, rng), -3.0, 3.0)


def _broken(
    acquisition: Acquisition, side_px: int, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    height_m = rng.uniform(*_HEIGHT_M)
    sharpness = rng.uniform(1.5, 6.0)
    zenith, azimuth = (math.radians(angle) for angle in acquisition.sun_deg)
    away_m = height_m * math.tan(zenith)
    axis = np.arange(side_px) * PIXEL_M
    # The ground at a place is shaded by the cloud that lies from it towards the sun.
    rows = np.concatenate([axis, axis - away_m * math.cos(azimuth)])
    columns = np.concatenate([axis, axis + away_m * math.sin(azimuth)])
    field = layered_noise(rows, columns, _SCALES_M, _FALL, rng)
    depth = np.maximum(field + np.float32(ndtri(acquisition.weather.cover)), 0.0) * np.float32(sharpness)
    opacity = 1.0 - np.exp(-depth)
    return opacity[:side_px, :side_px], np.float32(_SHADOW_DEPTH) * opacity[side_px:, side_px:]
