"""From parcels to light: the ground in cells, with its shadows, as it reflects on one date."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from imagery.compiled import compiled
from imagery.simulate.canvas import CELL_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIFFUSE = np.array([0.50, 0.42, 0.36, 0.28, 0.18, 0.15], dtype=np.float32)
"""What is left of the reflectance in a building's shadow: the light of the sky, bluer than the sun's.
Choices of ours; after the correction a shadow in the blue keeps about half."""


@compiled
def paint(
    label: NDArray[np.int32],
    texture: NDArray[np.float32],
    reflectance: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Fill ``out (band, y, x)`` with the reflectance ``(band, parcel)`` of the cells' parcels."""
    for band in range(out.shape[0]):
        table = reflectance[band]
        for row in range(out.shape[1]):
            for column in range(out.shape[2]):
                out[band, row, column] = table[label[row, column]] * texture[row, column]


def cast_shadows(
    height_m: NDArray[np.float32], sun_zenith_deg: float, sun_azimuth_deg: float
) -> NDArray[np.bool_]:
    """Return which cells lie in the shadow of higher ones, ``(y, x)``."""
    azimuth = math.radians(sun_azimuth_deg)
    shaded = np.zeros(height_m.shape, dtype=np.bool_)
    fall_m = CELL_M / math.tan(math.radians(sun_zenith_deg))
    _cast(height_m, math.cos(azimuth), -math.sin(azimuth), fall_m, shaded)
    return shaded


@compiled
def _cast(
    height_m: NDArray[np.float32], down: float, right: float, fall_m: float, shaded: NDArray[np.bool_]
) -> None:
    rows, columns = height_m.shape
    for row in range(rows):
        for column in range(columns):
            height = height_m[row, column]
            step = 1
            while height - step * fall_m > 0.0:
                y = row + math.floor(step * down + 0.5)
                x = column + math.floor(step * right + 0.5)
                if y < 0 or x < 0 or y >= rows or x >= columns:
                    break
                if step == 1 and height_m[y, x] == height:
                    break  # the roof goes on: the next cell casts all of this
                if height_m[y, x] < height - step * fall_m:
                    shaded[y, x] = True
                step += 1


@compiled
def _darken(image: NDArray[np.float32], shaded: NDArray[np.bool_], left: NDArray[np.float32]) -> None:
    for band in range(image.shape[0]):
        for row in range(image.shape[1]):
            for column in range(image.shape[2]):
                if shaded[row, column]:
                    image[band, row, column] *= left[band]


def darken(image: NDArray[np.float32], shaded: NDArray[np.bool_]) -> None:
    """Leave only the light of the sky in shaded cells of ``image (band, y, x)``."""
    _darken(image, shaded, _DIFFUSE)


def relief_factor(
    slope: NDArray[np.float32], sun_zenith_deg: float, sun_azimuth_deg: float
) -> NDArray[np.float32]:
    """Return how much more light than level ground a slope has, after a correction that leaves half.

    The cosine of the sun's angle to the slope over that to level ground, without the slope's own length
    (Teillet, Guindon and Goodenough 1982, Canadian Journal of Remote Sensing 8, cosine correction).

    Args:
        slope: ``(2, y, x)``: rise per metre to the east and to the south.
        sun_zenith_deg: Of the date.
        sun_azimuth_deg: Clockwise from north.
    """
    azimuth, tangent = math.radians(sun_azimuth_deg), math.tan(math.radians(sun_zenith_deg))
    # Ground that rises towards the east turns its face to the west.
    towards = -slope[0] * math.sin(azimuth) + slope[1] * math.cos(azimuth)
    return np.asarray(np.clip(1.0 + 0.5 * tangent * towards, 0.3, 1.7), dtype=np.float32)
