"""Scene classes at 20 m, with the faults that the real ones have.

Sentinel-2's classification (SCL) misses thin edges of clouds, small clouds and haze, and calls some bright
roofs cloud (Baetens, Desjardins and Hagolle 2019, Remote Sensing 11(4) 433, compare it with two others).
How often it does so here are choices of ours; how much is missed in effect is measured in
docs/simulation.md.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imagery.simulate.clouds import CloudLayers

DARK, SHADOW, VEGETATION, BARE, WATER, UNCLASSIFIED = 2, 3, 4, 5, 6, 7
CLOUD_MEDIUM, CLOUD_HIGH, CIRRUS, SNOW = 8, 9, 10, 11

_SNOW_NDSI, _SNOW_GREEN = 0.42, 0.18
_STRICT = (0.02, 0.02, 0.02, 9.0)
_SHADOW_MISSED = 0.25
"""Share of the days on which the classes don't find the shadow of a cloud that they see."""
_DARK_NIR = 0.1
_BRIGHT_RED = 0.33


def classify(
    values: NDArray[np.float32], layers: CloudLayers, *, faults: bool, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Return SCL codes at 20 m, ``(y / 2, x / 2)``.

    Args:
        values: What was seen, reflectance ``(band, y, x)`` at 10 m.
        layers: What truly lies over it.
        faults: Whether the classes have the faults of the real ones.
        rng: The thresholds of the day are drawn from it.
    """
    blue, green, red, nir, swir16, _ = _halved(values)
    codes = _ground(green, red, nir, swir16)
    soft, shade, thin, bright = _thresholds(rng) if faults else _STRICT
    if layers.shadow is not None:
        shadow = _halved(layers.shadow) > shade
        codes[_without_specks(shadow) if faults else shadow] = SHADOW
    if layers.cirrus is not None:
        codes[_halved(layers.cirrus) > thin] = CIRRUS
    if faults:
        codes[(blue > bright) & (codes != SNOW)] = CLOUD_MEDIUM
    if layers.cloud is not None:
        _mark_cloud(codes, _halved(layers.cloud), soft, faults=faults)
    return codes


def _thresholds(rng: np.random.Generator) -> tuple[float, ...]:
    """Return from which opacity, shadow, cirrus and blue reflectance on the classes of a day say so."""
    drawn = rng.uniform([0.12, 0.30, 0.06, 0.30], [0.42, 0.60, 0.24, 0.50])
    if rng.random() < _SHADOW_MISSED:
        drawn[1] = rng.uniform(0.62, 0.9)  # most or all of a shadow is below
    return tuple(float(value) for value in drawn)


def _mark_cloud(codes: NDArray[np.uint8], opacity: NDArray[np.float32], soft: float, *, faults: bool) -> None:
    medium = opacity > soft
    codes[_without_specks(medium) if faults else medium] = CLOUD_MEDIUM
    codes[opacity > max(soft, 0.65)] = CLOUD_HIGH


def _ground(
    green: NDArray[np.float32],
    red: NDArray[np.float32],
    nir: NDArray[np.float32],
    swir16: NDArray[np.float32],
) -> NDArray[np.uint8]:
    tiny = np.float32(1e-4)
    codes = np.where(nir - red > 0.4 * (nir + red), VEGETATION, BARE).astype(np.uint8)
    codes[(nir < _DARK_NIR) & (green >= nir)] = WATER
    codes[(nir < _DARK_NIR) & (green < nir) & (swir16 < _DARK_NIR)] = DARK
    ndsi = (green - swir16) / np.maximum(green + swir16, tiny)
    codes[(ndsi > _SNOW_NDSI) & (green > _SNOW_GREEN)] = SNOW
    codes[(red > _BRIGHT_RED) & (ndsi <= _SNOW_NDSI)] = UNCLASSIFIED
    return codes


def _halved(values: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = values.shape[-2:]
    return np.asarray(values.reshape(*values.shape[:-2], rows // 2, 2, columns // 2, 2).mean(axis=(-3, -1)))


def _without_specks(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the mask without pixels that have fewer than two neighbours in it."""
    padded = np.pad(mask, 1).astype(np.uint8)
    tall = padded[:-2] + padded[1:-1] + padded[2:]
    around = tall[:, :-2] + tall[:, 1:-1] + tall[:, 2:]
    return np.asarray(mask & (around > 2))  # noqa: PLR2004 - itself and two more
