"""One new date against what was predicted: standardised residuals, their EWMA and a two-sided CUSUM.

All of it is of constant size: what a date costs does not depend on how many there were. An unseen pixel's
state stays as it is. A residual enters the state with at most `CAP` standard deviations, so a single spike
(a cloud that the mask missed, a glint) moves the EWMA by 0.9 and the CUSUM by 2.5, and is forgotten again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from imagery.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

EWMA_WEIGHT = 0.3
"""Weight of the newest innovation (lambda)."""

CUSUM_SLACK = 0.5
"""What a CUSUM forgives at each date (k), in standard deviations: half of the shift it finds soonest."""

CAP = 3.0
"""Innovations enter the state with at most this many standard deviations."""

_BLOCK_PX = 4096
_MOST = np.uint16(65535)
_MANY = 200
"""After so many updates the variance of the EWMA is at its limit, to the last bit."""


@dataclass(frozen=True, slots=True, eq=False)
class Monitored:
    """What the dates so far have left for each pixel and band; updated in place."""

    ewma: NDArray[np.float32]
    """``(band, y, x)``: of the capped innovations, in standard deviations of one; see `ewma_z`."""
    above: NDArray[np.float32]
    """``(band, y, x)``: Page's CUSUM for values higher than predicted."""
    below: NDArray[np.float32]
    """``(band, y, x)``: the same for lower ones; both are 0 or more."""
    updates: NDArray[np.uint16]
    """``(y, x)``: dates that entered, counted up to 65,535."""

    @classmethod
    def fresh(cls, bands: int, shape: tuple[int, int]) -> Self:
        """Return the state before the first date."""
        planes = np.zeros((3, bands, *shape), dtype=np.float32)
        return cls(planes[0].copy(), planes[1].copy(), planes[2].copy(), np.zeros(shape, dtype=np.uint16))

    def reset(self, pixels: NDArray[np.bool_]) -> None:
        """Forget everything where ``pixels (y, x)`` is True."""
        for array in (self.ewma, self.above, self.below, self.updates):
            array[..., pixels] = 0


def deviations(
    sigma: NDArray[np.float32],
    leverage: NDArray[np.float32],
    extra_variance: NDArray[np.float32] | float = 0.0,
) -> NDArray[np.float32]:
    """Return the standard deviation of a residual, ``(band, y, x)``.

        sqrt(sigma^2 (1 + leverage) + extra variance)

    Args:
        sigma: ``(band, y, x)``.
        leverage: ``(y, x)``.
        extra_variance: ``(band, y, x)`` or what can be broadcast to it, in the values' units squared: what
            an uncertain alignment adds.
    """
    total = np.square(sigma) * (1 + leverage) + np.asarray(extra_variance, dtype=np.float32)
    deviation: NDArray[np.float32] = np.sqrt(total)
    return deviation


def update(
    monitored: Monitored,
    values: NDArray[np.float32],
    predicted: NDArray[np.float32],
    deviation: NDArray[np.float32],
) -> NDArray[np.float32]:
    """Take one date into the state, in place.

    EWMA (Roberts 1959; on harmonic residuals Brooks et al. 2014) and CUSUM (Page 1954):

        e = e + 0.3 (c - e),  above = max(0, above + c - 0.5),  below = max(0, below - c - 0.5)

    with c the standardised residual z capped at 3.

    Args:
        monitored: Updated where the pixel is seen in all bands and has a model.
        values: ``(band, y, x)``, NaN where not clear.
        predicted: ``(band, y, x)``, NaN without a model.
        deviation: ``(band, y, x)``: see `deviations`.

    Returns:
        ``(band, y, x)``: z, not capped; NaN where the state was left alone.
    """
    bands, pixels = len(values), values[0].size
    z = np.empty(values.shape, dtype=np.float32)
    given = [np.ascontiguousarray(each, dtype=np.float32) for each in (values, predicted, deviation)]
    kept = [monitored.ewma, monitored.above, monitored.below, z]
    observed, expected, spread, ewma, above, below, out = (
        each.reshape(bands, pixels) for each in [*given, *kept]
    )
    _take(observed, expected, spread, ewma, above, below, out, monitored.updates.reshape(pixels))
    return z


def ewma_z(monitored: Monitored) -> NDArray[np.float32]:
    """Return the EWMA over its own standard deviation, ``(band, y, x)``; NaN before the first update.

    After n updates its variance is lambda / (2 - lambda) (1 - (1 - lambda)^2n) exactly, for independent
    innovations of variance 1; capping at 3 takes half a percent off that variance, and is not made up for.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        z: NDArray[np.float32] = monitored.ewma / _EWMA_DEVIATION[np.minimum(monitored.updates, _MANY)]
    z[:, monitored.updates == 0] = np.nan
    return z


def ewma_deviation(updates: int) -> float:
    """Return the exact standard deviation of the EWMA of that many independent innovations.

    >>> [round(ewma_deviation(n), 4) for n in (0, 1, 2, 1000)]
    [0.0, 0.3, 0.3662, 0.4201]
    """
    limit = EWMA_WEIGHT / (2 - EWMA_WEIGHT)
    return float(np.sqrt(limit * -np.expm1(2 * updates * np.log1p(-EWMA_WEIGHT))))


_EWMA_DEVIATION = np.array([ewma_deviation(n) for n in range(_MANY + 1)], dtype=np.float32)


@compiled
def advance(
    z: NDArray[np.float32], ewma: NDArray[np.float32], above: NDArray[np.float32], below: NDArray[np.float32]
) -> None:
    """Take the standardised residuals ``(pixel)`` of one band into the state; NaN leaves it alone."""
    weight, slack, cap = np.float32(EWMA_WEIGHT), np.float32(CUSUM_SLACK), np.float32(CAP)
    for pixel in range(len(z)):
        seen = z[pixel] == z[pixel]  # false for NaN alone, and one instruction
        capped = min(max(z[pixel], -cap), cap)
        old = ewma[pixel]
        up = max(above[pixel] + capped - slack, np.float32(0.0))
        down = max(below[pixel] - capped - slack, np.float32(0.0))
        ewma[pixel] = old + weight * (capped - old) if seen else old
        above[pixel] = up if seen else above[pixel]
        below[pixel] = down if seen else below[pixel]


@compiled
def _take(
    values: NDArray[np.float32],
    predicted: NDArray[np.float32],
    deviation: NDArray[np.float32],
    ewma: NDArray[np.float32],
    above: NDArray[np.float32],
    below: NDArray[np.float32],
    z: NDArray[np.float32],
    updates: NDArray[np.uint16],
) -> None:
    """Do `update` on ``(band, pixel)``, a block of pixels at a time so that it stays in the cache."""
    bands, pixels = values.shape
    nothing = np.float32(np.nan)
    all_bands = np.empty(_BLOCK_PX, np.float32)
    for start in range(0, pixels, _BLOCK_PX):
        stop = min(start + _BLOCK_PX, pixels)
        hidden = all_bands[: stop - start]
        hidden[:] = np.float32(0.0)
        for band in range(bands):
            block = z[band, start:stop]
            observed, expected = values[band, start:stop], predicted[band, start:stop]
            spread = deviation[band, start:stop]
            for pixel in range(len(block)):
                block[pixel] = (observed[pixel] - expected[pixel]) / spread[pixel]
            for pixel in range(len(block)):
                hidden[pixel] += block[pixel] - block[pixel]
        for band in range(bands):
            block = z[band, start:stop]
            for pixel in range(len(block)):
                block[pixel] = block[pixel] if hidden[pixel] == 0 else nothing
            advance(block, ewma[band, start:stop], above[band, start:stop], below[band, start:stop])
        count = updates[start:stop]
        for pixel in range(len(count)):
            more = hidden[pixel] == 0 and count[pixel] < _MOST
            count[pixel] += np.uint16(1) if more else np.uint16(0)
