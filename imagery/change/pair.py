"""One diff: what changed between two dates of the same pixels.

Two dates cannot know what is usual between two dates, so the threshold is a multiple of what most of the
frame did. It is scale-free, finds nothing in independent noise and does not ask for a share of change
(Otsu's threshold, the customary choice, always finds some).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage, special

from imagery.change.irmad import MAX_ITERATIONS, irmad
from imagery.change.regions import label_patches

if TYPE_CHECKING:
    from numpy.typing import NDArray


TRIM_MULTIPLE = 3.0
"""Scores above so many medians are left out of the median."""

CAP = 3.5
"""The statistic is capped at so many times the square of the threshold. A pixel beside a straight edge
takes 0.22 of its value from across it, at the default smoothing: less than the threshold."""

_ROUNDING = 1e-3
_MAX_TRIMS = 20


@dataclass(frozen=True, slots=True)
class PairSettings:
    """How two dates are compared."""

    smoothing_px: float = 0.7
    """Standard deviation of the Gaussian that smooths the statistic."""
    median_multiple: float = 2.0
    """Threshold over the median score of what did not change, unless noise alone could reach further."""
    min_pixels: int = 4
    """Smaller patches are dropped."""
    max_iterations: int = MAX_ITERATIONS
    """Rounds of IR-MAD."""


@dataclass(frozen=True, slots=True, eq=False)
class PairResult:
    """What changed between two dates."""

    score: NDArray[np.float32]
    """``(y, x)``: root of the smoothed IR-MAD statistic; NaN where not judged."""
    threshold: float
    """Scores above it are changes; NaN when nothing could be judged."""
    changed: NDArray[np.bool_]
    """``(y, x)``: above the threshold and in a patch of at least `min_pixels`."""
    judged: NDArray[np.bool_]
    """``(y, x)``: both dates have a value in every band."""
    difference: NDArray[np.float32]
    """``(band, y, x)``: after, on the scale of before, minus before; NaN where not judged."""
    gain: NDArray[np.float64]
    """``(band)``: after * gain + offset is on the scale of before."""
    offset: NDArray[np.float64]
    """``(band)``."""
    correlations: NDArray[np.float64]
    """Canonical correlations; empty when nothing could be fitted."""
    iterations: int
    """Rounds of IR-MAD."""

    @property
    def changed_fraction(self) -> float:
        """Share of the judged pixels that changed, 0 to 1; 0 when none was judged."""
        count = int(self.judged.sum())
        return float(self.changed.sum()) / count if count else 0.0


def compare(
    before: NDArray[np.floating], after: NDArray[np.floating], settings: PairSettings | None = None
) -> PairResult:
    """Compare two dates of the same pixels.

    Args:
        before: ``(band, y, x)``, reflectance or counts, NaN where not clear.
        after: The same bands and pixels later; gain and offset of each band may differ.
        settings: How; the default was chosen on frames where nothing happened.

    Raises:
        ValueError: The two arrays differ in shape or aren't three-dimensional.
    """
    settings = settings or PairSettings()
    fit = irmad(before, after, max_iterations=settings.max_iterations)
    level = threshold(smooth_score(fit.z, settings.smoothing_px), fit.degrees, settings)
    # A bright roof stands at a hundred times the threshold, and smoothing would carry it two pixels away.
    score = smooth_score(np.minimum(fit.z, CAP * level**2), settings.smoothing_px)
    judged = np.isfinite(score)
    labels, _ = label_patches(judged & (score > level), settings.min_pixels)
    gain, offset = normalisation(before, after, fit.weights)
    matched = after * gain[:, None, None] + offset[:, None, None]
    difference = np.where(judged, matched - before, np.nan).astype(np.float32)
    return PairResult(
        score=score,
        threshold=level,
        changed=labels > 0,
        judged=judged,
        difference=difference,
        gain=gain,
        offset=offset,
        correlations=fit.correlations,
        iterations=fit.iterations,
    )


def smoothing_kernel(smoothing_px: float) -> NDArray[np.float64]:
    """Return the one-dimensional Gaussian kernel, ``(2 * radius + 1)``, of sum 1."""
    if smoothing_px == 0:
        return np.ones(1)
    radius = int(4 * smoothing_px + 0.5)
    weights = np.exp(-0.5 * (np.arange(-radius, radius + 1) / smoothing_px) ** 2)
    kernel: NDArray[np.float64] = weights / weights.sum()
    return kernel


def smooth_score(z: NDArray[np.float64], smoothing_px: float) -> NDArray[np.float32]:
    """Return the root of the smoothed statistic, ``(y, x)``.

    Beside gaps and at the frame's edge the mean runs over fewer pixels and would be noisier; there it is
    drawn towards the median of the statistic until its noise is that of a full mean.

    Args:
        z: ``(y, x)``, NaN where not judged.
        smoothing_px: Standard deviation of the Gaussian.
    """
    known = np.isfinite(z)
    if not known.any():
        return z.astype(np.float32)
    kernel = smoothing_kernel(smoothing_px)
    mean = float(np.median(z[known]))
    excess = _convolve(np.where(known, z - mean, 0.0), kernel)
    energy = _convolve(known.astype(np.float64), kernel**2)
    full_energy = float((kernel**2).sum()) ** 2
    # Divided by the kernel's share of what is known this would be the mean; divided by the root of its
    # energy it has the same noise everywhere.
    smoothed = mean + excess[known] * np.sqrt(full_energy / energy[known])
    score = np.full(z.shape, np.nan, dtype=np.float32)
    score[known] = np.sqrt(np.maximum(smoothed, 0))
    return score


def _convolve(values: NDArray[np.float64], kernel: NDArray[np.float64]) -> NDArray[np.float64]:
    """Convolve both axes with one kernel; nothing lies beyond the frame."""
    for axis in (0, 1):
        values = ndimage.convolve1d(values, kernel, axis=axis, mode="constant")
    return values


def threshold(score: NDArray[np.float32], degrees: int, settings: PairSettings) -> float:
    """Return the score above which a pixel changed; NaN when there is nothing to judge.

    A multiple of the median of what did not change, and never below what independent Gaussian noise of
    as many bands reaches.

    Args:
        score: ``(y, x)`` from `smooth_score`, NaN where not judged.
        degrees: Number of MAD variates.
        settings: How.
    """
    values = score[np.isfinite(score)]
    if not values.size or not degrees:
        return float("nan")
    multiple = max(settings.median_multiple, noise_multiple(degrees, values.size, settings.smoothing_px))
    return max(multiple * unchanged_median(values), _ROUNDING)


def unchanged_median(values: NDArray[np.floating]) -> float:
    """Return the median of the values below three times itself, found by repetition.

    Where two fifths of a frame changed, the plain median has climbed into the tail of what did not, and
    the changes would hide themselves.

    Args:
        values: Finite scores, at least one.
    """
    median = float(np.median(values))
    for _ in range(_MAX_TRIMS):
        trimmed = float(np.median(values[values <= TRIM_MULTIPLE * median]))
        if trimmed == median:
            break
        median = trimmed
    return median


def noise_multiple(degrees: int, pixels: int, smoothing_px: float) -> float:
    """Return how far noise reaches, in medians of the score: exceeded once in a hundred frames.

    The smoothed statistic of Gaussian noise is a weighted sum of chi-square variables. It is replaced by
    the shifted and scaled chi-square of the same mean, variance and skewness (Buckley & Eagleson 1988,
    "An approximation to the distribution of quadratic forms in normal random variables", Australian
    Journal of Statistics 30A, 150-159); without the skewness its tail would be too short for one band.
    """
    kernel = smoothing_kernel(smoothing_px)
    square, cube = (float((kernel**power).sum()) ** 2 for power in (2, 3))
    freedom = degrees * square**3 / cube**2
    mean, spread = float(degrees), np.sqrt(degrees * square / freedom)

    def quantile(tail: float) -> float:
        chi_square = 2 * special.gammainccinv(freedom / 2, tail)
        return float(mean + spread * (chi_square - freedom))

    return float(np.sqrt(quantile(1 / (100 * pixels)) / quantile(0.5)))


def normalisation(
    before: NDArray[np.floating], after: NDArray[np.floating], weights: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return gain and offset of each band that put `after` on the scale of `before`.

    Orthogonal regression (both dates carry noise) over the pixels that did not change, weighted by how
    surely (Canty & Nielsen 2008, "Automatic radiometric normalization of multitemporal satellite imagery
    with the iteratively re-weighted MAD transformation", Remote Sensing of Environment 112, 1025-1036).

    Args:
        before: ``(band, y, x)``.
        after: ``(band, y, x)``.
        weights: ``(y, x)`` no-change weights; 0 where either date has no value.
    """
    used = weights > 0
    if not used.any():
        return np.ones(len(before)), np.zeros(len(before))
    lines = [
        _orthogonal_line(x[used].astype(np.float64), y[used].astype(np.float64), weights[used])
        for x, y in zip(after, before, strict=True)
    ]
    gain, offset = np.array(lines).T
    return gain, offset


def _orthogonal_line(
    x: NDArray[np.float64], y: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Return slope and intercept of y on x; slope 1 where a band is constant or the dates disagree."""
    x_mean, y_mean = np.average(x, weights=weights), np.average(y, weights=weights)
    xx = np.average((x - x_mean) ** 2, weights=weights)
    yy = np.average((y - y_mean) ** 2, weights=weights)
    xy = np.average((x - x_mean) * (y - y_mean), weights=weights)
    slope = 1.0
    if xy > 0:
        slope = float((yy - xx + np.sqrt((yy - xx) ** 2 + 4 * xy**2)) / (2 * xy))
    return slope, float(y_mean - slope * x_mean)
