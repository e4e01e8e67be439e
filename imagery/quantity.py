"""What the numbers of a scene measure: reflectance, or the backscatter of a radar.

Radar from a service is kept as gamma nought in decibels, one count a hundredth of a decibel above -50 dB,
so that it takes the same 16 bits as reflectance. Rounding moves a value by 0.005 dB at most, 0.12 % of its
power; speckle of a ground range detected image is some 2 dB (equivalent looks 4.4: ESA, Sentinel-1 Product
Definition). -50 dB lies far below the noise of the instrument (-22 dB).
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

STEP_DB = 0.01
"""Decibels of one count."""
FLOOR_DB = -50.0
"""Decibels of count zero, which also stands for anything weaker."""
TOP_COUNT = 65534
"""The largest count; the one above it stands for no data in a file."""


class Quantity(StrEnum):
    """What is measured, and how its counts are to be read."""

    REFLECTANCE = "reflectance"
    """Share of light that comes back; counts without a scale are its uncalibrated stand-in."""
    GAMMA0_DB = "gamma0-db"
    """Radar backscatter, gamma nought in decibels: `STEP_DB` and `FLOOR_DB` read its counts."""
    BACKSCATTER = "backscatter"
    """Radar backscatter of a file whose own coding nobody has told."""

    @property
    def is_optical(self) -> bool:
        """Whether the optical detectors may judge it."""
        return self is Quantity.REFLECTANCE


def decibels(counts: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return gamma nought in decibels of counts, any shape.

    >>> decibels(np.array([0, 5000, 4000])).tolist()
    [-50.0, 0.0, -10.0]
    """
    values = counts.astype(np.float64) * STEP_DB + FLOOR_DB
    return values.astype(np.float32)


def linear_power(counts: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return gamma nought as a ratio of powers, any shape."""
    power: NDArray[np.float64] = 10.0 ** ((counts.astype(np.float64) * STEP_DB + FLOOR_DB) / 10.0)
    return power


def counts_of_power(power: NDArray[np.floating]) -> NDArray[np.uint16]:
    """Return the counts of gamma nought given as a ratio of powers, any shape; 0 for no power at all."""
    with np.errstate(divide="ignore"):
        steps = (10.0 * np.log10(np.maximum(power, 0.0)) - FLOOR_DB) / STEP_DB
    counts: NDArray[np.uint16] = np.clip(np.floor(steps + 0.5), 0, TOP_COUNT).astype(np.uint16)
    return counts
