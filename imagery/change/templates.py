"""What a small change looks like to the sensor: the share of each pixel's signal that it makes up.

A sensor sees the ground through its point spread function, here a Gaussian. A building of constant
contrast then leaves a residual of contrast times **mixing fraction**, and a matched filter needs the
fractions alone. For a square they are the product of one profile along the rows and one along the columns.

The width of 0.53 pixels is that of a modulation transfer function of 0.25 at the Nyquist frequency,
``exp(-2 (pi sigma f)^2)`` at f = 0.5 per pixel; the pixel's own aperture is part of it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage, special

if TYPE_CHECKING:
    from numpy.typing import NDArray

PSF_SIGMA_PX = 0.53
"""Standard deviation of the sensor's point spread function, pixel aperture included."""

SIDES_PX = (1.0, 2.0, 4.0, 8.0)
"""Sides of the squares that are searched for: 10, 20, 40 and 80 m on pixels of 10 m."""

PHASES_PX = (0.0, 0.5)
"""Centres of the squares: on a pixel's centre and on its edge, along each axis."""

PHASED_UP_TO_PX = 2.0
"""Larger squares stand on pixels' centres only: half a pixel costs them little."""

_REACH_SIGMAS = 2.5
_APERTURE_VARIANCE = 1 / 12


@dataclass(frozen=True, slots=True, eq=False)
class Square:
    """The mixing fractions of a square: ``outer(rows, columns)``, centred on the middle tap."""

    side_px: float
    phase: tuple[float, float]
    """How far its centre lies below and to the right of the middle of the central pixel, in pixels."""
    rows: NDArray[np.float32]
    """Profile along y, an odd number of taps."""
    columns: NDArray[np.float32]
    """Profile along x."""

    @property
    def fractions(self) -> NDArray[np.float32]:
        """Mixing fractions, ``(y, x)``."""
        return np.outer(self.rows, self.columns).astype(np.float32)


def profile(side_px: float, phase_px: float, *, radius: int | None = None) -> NDArray[np.float64]:
    """Return the mixing fractions of a blurred interval at the pixels around its centre.

    Args:
        side_px: Length of the interval.
        phase_px: Where its centre lies, right of the middle tap.
        radius: Taps on each side of the middle; as many as matter when absent.

    >>> profile(2, 0).round(2).tolist()
    [0.0, 0.03, 0.5, 0.94, 0.5, 0.03, 0.0]
    """
    reach = radius if radius is not None else taps_beside(side_px, phase_px)
    distance = np.arange(-reach, reach + 1) - phase_px
    half = side_px / 2
    upper, lower = (distance + half) / PSF_SIGMA_PX, (distance - half) / PSF_SIGMA_PX
    fractions: NDArray[np.float64] = special.ndtr(upper) - special.ndtr(lower)
    return fractions


def taps_beside(side_px: float, phase_px: float) -> int:
    """Return how many taps on each side of the middle a profile needs."""
    return math.ceil(side_px / 2 + abs(phase_px) + _REACH_SIGMAS * PSF_SIGMA_PX)


@cache
def square(side_px: float, phase: tuple[float, float] = (0.0, 0.0)) -> Square:
    """Return the template of a square of that side at a sub-pixel phase."""
    radius = max(taps_beside(side_px, each) for each in phase)
    rows, columns = (profile(side_px, each, radius=radius).astype(np.float32) for each in phase)
    return Square(side_px, phase, rows, columns)


@cache
def squares() -> tuple[Square, ...]:
    """Return the squares that are searched for, the smallest first; the small ones at every phase."""
    return tuple(
        square(side, phase)
        for side in SIDES_PX
        for phase in product(PHASES_PX if side <= PHASED_UP_TO_PX else (0.0,), repeat=2)
    )


def listed_fractions(weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mixing fractions of a footprint that was drawn, ``(y, x)``.

    Area weights are what a pixel's own aperture sees. The rest of the point spread function, of variance
    ``PSF_SIGMA_PX**2 - 1/12`` along each axis, is laid over them by the three taps that have that variance;
    a sampled Gaussian of half a pixel would be too narrow.

    Args:
        weights: ``(y, x)``: share of each pixel inside the footprint (`geo.grid.Grid.weights`).
    """
    spread = PSF_SIGMA_PX**2 - _APERTURE_VARIANCE
    taps = np.array([spread / 2, 1 - spread, spread / 2])
    blurred = ndimage.correlate1d(weights.astype(np.float64), taps, axis=0, mode="constant")
    blurred = ndimage.correlate1d(blurred, taps, axis=1, mode="constant")
    return np.asarray(blurred, dtype=np.float32)
