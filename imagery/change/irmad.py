"""Iteratively reweighted multivariate alteration detection (IR-MAD): what moved between two dates.

The two dates are rotated into pairs of canonical variates; the differences of the pairs (the MAD
variates) are uncorrelated, so their standardised squares add up to one number Z a pixel, which does not
care about gain and offset of any band at either date. Pixels that look unchanged get more weight in
the next round.

Source: A. A. Nielsen, "The regularized iteratively reweighted MAD method for change detection in multi-
and hyperspectral data", IEEE Transactions on Image Processing 16(2), 2007, 463-478. One thing is added:
weighting by the chi-square tail also shrinks the variances of pixels that did *not* change (with one or
two bands down to zero, round by round), so the weighted variances are divided by the factor by which it
shrinks Gaussian noise. With that Z keeps its scale on noise whatever the number of bands.

Z is a score. On real frames its tail is far heavier than the chi-square's, so it is never turned into a
p-value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import integrate, special

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_ITERATIONS = 50
"""Rounds of reweighting at most; real frames settle in 10 to 30."""

_TOLERANCE = 1e-4
_RANK_TOLERANCE = 1e-9
_MIN_NOISE = 1e-12
_PIXELS_PER_BAND = 10


@dataclass(frozen=True, slots=True, eq=False)
class IrMad:
    """What IR-MAD found out about two dates."""

    z: NDArray[np.float64]
    """``(y, x)``: sum of squared standardised MAD variates; NaN where either date has no value."""
    weights: NDArray[np.float64]
    """``(y, x)``: 1 = surely unchanged, 0 = surely changed; 0 where `z` is NaN."""
    correlations: NDArray[np.float64]
    """Canonical correlations, largest first; as many as there are independent bands, 0 if unfit."""
    iterations: int

    @property
    def degrees(self) -> int:
        """Number of MAD variates: the independent bands. 0 says that nothing could be fitted."""
        return int(self.correlations.size)


def irmad(
    before: NDArray[np.floating],
    after: NDArray[np.floating],
    *,
    max_iterations: int = MAX_ITERATIONS,
) -> IrMad:
    """Compare two dates of the same pixels.

    Bands that are constant at either date, and combinations of bands that repeat others, carry no
    information and are left out.

    Args:
        before: ``(band, y, x)`` in any linear unit; NaN where there is no value.
        after: The same pixels and bands at the other date; its units may differ band by band.
        max_iterations: Rounds of reweighting; 0 gives the plain MAD of the first round.

    Returns:
        The statistic and the no-change weights. With fewer than ten pixels a band, or without any band
        that varies, `z` is all NaN and `correlations` is empty.

    Raises:
        ValueError: The two arrays differ in shape or aren't three-dimensional.
    """
    if before.shape != after.shape or before.ndim != 3:  # noqa: PLR2004 - band, y, x
        message = f"expected two (band, y, x) arrays of one shape, got {before.shape} and {after.shape}"
        raise ValueError(message)
    valid = np.isfinite(before).all(axis=0) & np.isfinite(after).all(axis=0)
    x = np.asarray(before[:, valid], dtype=np.float64)
    y = np.asarray(after[:, valid], dtype=np.float64)
    x, y = _standardise(x, y)
    if not len(x) or x.shape[1] < _PIXELS_PER_BAND * len(x):
        return _unfit(valid.shape)
    return _iterate(x, y, valid, max_iterations)


def _unfit(shape: tuple[int, ...]) -> IrMad:
    return IrMad(np.full(shape, np.nan), np.zeros(shape), np.empty(0), 0)


def _standardise(
    x: NDArray[np.float64], y: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Centre and scale each band, ``(band, pixel)``; drop the bands that are constant at either date."""
    if not x.shape[1]:
        return x[:0], y[:0]
    varies = (np.ptp(x, axis=1) > 0) & (np.ptp(y, axis=1) > 0)
    x, y = x[varies], y[varies]
    x = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    y = (y - y.mean(axis=1, keepdims=True)) / y.std(axis=1, keepdims=True)
    return x, y


def _iterate(
    x: NDArray[np.float64], y: NDArray[np.float64], valid: NDArray[np.bool_], max_iterations: int
) -> IrMad:
    weights = np.ones(x.shape[1])
    z, rho = mad(x, y, weights)
    iterations = 0
    while iterations < max_iterations:
        iterations += 1
        weights = special.gammaincc(rho.size / 2, z / 2)
        if weights.sum() < _PIXELS_PER_BAND * len(x):
            break
        previous = rho
        z, rho = mad(x, y, weights)
        z *= shrinkage(rho.size)
        if rho.size == previous.size and np.abs(rho - previous).max() < _TOLERANCE:
            break
    return _on_grid(z, rho, iterations, valid)


def _on_grid(
    z: NDArray[np.float64], rho: NDArray[np.float64], iterations: int, valid: NDArray[np.bool_]
) -> IrMad:
    if not rho.size:
        return _unfit(valid.shape)
    z_grid = np.full(valid.shape, np.nan)
    weights_grid = np.zeros(valid.shape)
    z_grid[valid] = z
    weights_grid[valid] = special.gammaincc(rho.size / 2, z / 2)
    return IrMad(z_grid, weights_grid, rho, iterations)


def mad(
    x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Z of each pixel and the canonical correlations of one weighted round.

    Args:
        x: ``(band, pixel)``, bands of similar scale.
        y: The same at the other date.
        weights: ``(pixel,)``, not all zero.
    """
    x_white = _whiten(x, weights)
    y_white = _whiten(y, weights)
    cross = (x_white * weights) @ y_white.T / weights.sum()
    left, rho, right = np.linalg.svd(cross, full_matrices=False)
    rho = np.clip(rho, 0.0, 1.0)
    variates = left.T @ x_white - right @ y_white
    noise = np.maximum(2 * (1 - rho), _MIN_NOISE)
    z: NDArray[np.float64] = (variates**2 / noise[:, None]).sum(axis=0)
    return z, rho


def _whiten(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return uncorrelated combinations of unit weighted variance; directions without variance drop out."""
    total = weights.sum()
    centred = values - (values @ weights / total)[:, None]
    covariance = (centred * weights) @ centred.T / total
    size = np.sqrt(np.maximum(np.diag(covariance), _MIN_NOISE))
    variance, vectors = np.linalg.eigh(covariance / np.outer(size, size))
    keep = variance > _RANK_TOLERANCE * variance[-1]
    rotation = vectors[:, keep] / np.sqrt(variance[keep]) / size[:, None]
    whitened: NDArray[np.float64] = rotation.T @ centred
    return whitened


@cache
def shrinkage(degrees: int) -> float:
    """Return how far weighting by the chi-square tail shrinks the variance of Gaussian noise.

    The weight of a pixel is the chance that another draw Z' exceeds its Z, so the weighted mean of Z
    is the mean of the smaller of two independent draws: E min(Z, Z') = integral of P(Z > t)^2 over t.

    >>> round(shrinkage(1), 3)  # 1 - 2 / pi
    0.363
    """
    smaller, _ = integrate.quad(lambda t: special.gammaincc(degrees / 2, t / 2) ** 2, 0, np.inf)
    return float(smaller) / degrees
