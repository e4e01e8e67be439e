"""What stays in surface reflectance of air and instrument: gain, offset, haze, noise, counts.

Choices of ours, with what they lean on: Sentinel-2 Level-2A surface reflectance is within about 0.005 + 5 %
of the truth (the specification of the ACIX comparisons, Doxani et al. 2018), of which most is common to
a frame; the instrument's noise is below 1 % of usual radiances (signal to noise above 150 for most bands,
ESA, Sentinel-2 User Handbook).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imagery.simulate.noise import smooth_noise
from imagery.simulate.spec import PIXEL_M

if TYPE_CHECKING:
    from numpy.typing import NDArray

_GAIN_SD, _BAND_GAIN_SD = 0.015, 0.007
_OFFSET_SD = 0.003
_HAZE_SLOPE = np.array([1.6, 1.25, 1.0, 0.6, 0.25, 0.15], dtype=np.float32)
"""How aerosol that was not corrected falls with wavelength, over red (about lambda to the -1.3)."""
_DUST_SLOPE = np.array([0.7, 0.95, 1.1, 1.0, 0.7, 0.5], dtype=np.float32)
"""Dust is coarse and yellow: it hides blue less and the infrared more than haze does."""
_NOISE_SD = np.array([0.0012, 0.0011, 0.0012, 0.0017, 0.0016, 0.0014], dtype=np.float32)
_SPECKLE_SD = 0.014
"""Relative change of a pixel from date to date that no model here explains: traffic, wind, moisture."""


@dataclass(frozen=True, slots=True, eq=False)
class Air:
    """What the atmospheric correction of a date left, by band."""

    gain: NDArray[np.float32]
    offset: NDArray[np.float32]


def draw_air(factor: float, rng: np.random.Generator) -> Air:
    """Draw what is left on a date; `factor` scales all of it."""
    common, each = rng.normal(0, _GAIN_SD), rng.normal(0, _BAND_GAIN_SD, 6)
    haze = rng.normal(0, _OFFSET_SD)
    gain = 1.0 + factor * (common + each)
    offset = factor * haze * _HAZE_SLOPE
    return Air(gain.astype(np.float32), offset.astype(np.float32))


def add_dust(values: NDArray[np.float32], amount: float, rng: np.random.Generator) -> None:
    """Lay dust over ``(band, y, x)`` in place: it adds light and dims what is below."""
    axis = np.arange(values.shape[-1]) * PIXEL_M
    thickness = np.float32(amount) * (1.0 + np.float32(0.2) * smooth_noise(axis, axis, 700.0, rng))
    values *= 1.0 - 2.0 * thickness
    values += _DUST_SLOPE[:, None, None] * thickness


def add_noise(values: NDArray[np.float32], factor: float, rng: np.random.Generator) -> None:
    """Add noise to ``(band, y, x)`` in place: the instrument's, and what differs from date to date."""
    if not factor:
        return
    noise = rng.standard_normal(values.shape, dtype=np.float32)
    noise *= (np.float32(factor) * _NOISE_SD)[:, None, None]
    values *= 1.0 + np.float32(factor * _SPECKLE_SD) * rng.standard_normal(values.shape[1:], dtype=np.float32)
    values += noise


def to_counts(values: NDArray[np.float32], lowest: int) -> NDArray[np.int32]:
    """Return reflectance as counts of 1/10,000, not below `lowest`."""
    return np.asarray(np.maximum(np.rint(values * np.float32(10_000)), lowest), dtype=np.int32)
