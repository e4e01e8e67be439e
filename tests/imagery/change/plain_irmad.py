"""IR-MAD as NumPy writes it: the oracle of the compiled one, and what benchmarks measure it beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from imagery.change.irmad import shrinkage

if TYPE_CHECKING:
    from numpy.typing import NDArray

_RANK_TOLERANCE = 1e-9
_MIN_NOISE = 1e-12
_PIXELS_PER_BAND = 10


def plain_irmad(
    before: NDArray[np.floating],
    after: NDArray[np.floating],
    *,
    max_iterations: int = 50,
    tolerance: float = 1e-4,
) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Return Z ``(y, x)``, the canonical correlations and the rounds it took."""
    valid = np.isfinite(before).all(axis=0) & np.isfinite(after).all(axis=0)
    x, y = (np.asarray(date[:, valid], dtype=np.float64) for date in (before, after))
    x, y = _standardise(x, y)
    z, rho = mad(x, y, np.ones(x.shape[1]))
    iterations = 0
    while iterations < max_iterations:
        iterations += 1
        weights = special.gammaincc(rho.size / 2, z / 2)
        if weights.sum() < _PIXELS_PER_BAND * len(x):
            break
        previous = rho
        z, rho = mad(x, y, weights)
        z *= shrinkage(rho.size)
        if rho.size == previous.size and np.abs(rho - previous).max() < tolerance:
            break
    grid = np.full(valid.shape, np.nan)
    grid[valid] = z
    return grid, rho, iterations


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
