"""How far a look lies beside the site's reference image, to a fraction of a pixel, and how surely.

Whole pixels are found by masked correlation. The fraction comes from Gauss-Newton steps (B. Lucas,
T. Kanade, "An iterative image registration technique with an application to stereo vision", IJCAI 1981,
674-679) that fit shift, gain and bias together on the clear pixels, weighted so that what changed and the
edges of missed clouds don't pull. Both images lose their local mean first, because seasons and haze change
areas more than edges, and are smoothed alike, so that sampling does not matter.

The covariance is the sandwich of the weighted fit, with the scores summed over blocks of pixels: it stays
honest where neighbouring residuals are alike (crops, haze, the smoothing itself).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imagery.shift import Misaligned, MisalignedReason, Shift
from imagery.subpixel import (
    TAPS,
    bell_taps,
    detail,
    eroded,
    residual_sample,
    shift_moments,
    shift_scores,
    slope_taps,
    smoothed,
    whole_correlations,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

SMOOTHING_PX = 0.8
"""Standard deviation of the Gaussian that both images are smoothed by before they are compared."""

DETAIL_RADIUS_PX = 2
"""The mean of the square of so many pixels around each is taken off both images before."""

_MAX_REACH_PX = 7  # and as much again diagonally, and half a kernel, within subpixel.PAD
_MARGIN_PX = 2
_CUT_SPREADS = 3.0
_MAD_TO_SIGMA = 1.4826
_STEP_PX = 0.003
_MAX_STEPS = 15
_MAX_STEP_PX = 1.0
_SAMPLE_PX = 2048
_CAPTURE_ROWS = 16
_LARGE_PX = 128
_SMALL_PX = 56
_SMALL_BLOCK_PX = 12
_BLOCK_PX = 16
_MIN_BLOCKS = 9
_PARAMETERS = 4
_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class AlignSettings:
    """What is still taken as aligned."""

    max_shift_px: float = 1.5
    """A longer shift is refused: the product's own registration is better than that, or wholly wrong."""
    min_correlation: float = 0.5
    min_clear_px: int = 400
    """Pixels used at least; those beside the frame's edge and beside unclear ones don't count."""
    max_sigma_px: float = 0.25
    """Standard error of the shift at most, in its worse direction."""
    floor_px: float = 0.025
    """Standard error left on the sharpest images: sun and season move edges themselves."""
    reach_px: int = 3
    """Whole shifts are searched so far either way; 7 at most."""

    def __post_init__(self) -> None:
        """Refuse a search that leaves the padding of the compiled passes.

        Raises:
            ValueError: `reach_px` is below 1 or above 7.
        """
        if not 1 <= self.reach_px <= _MAX_REACH_PX:
            raise ValueError(f"reach_px must be 1 to {_MAX_REACH_PX}, not {self.reach_px}")


@dataclass(frozen=True, slots=True, eq=False)
class _Band:
    """One band of both images, ready to be compared."""

    look: NDArray[np.float32]
    """``(y, x)``, 0 where not clear."""
    reference: NDArray[np.float32]
    """``(y, x)``, smoothed."""
    slopes: NDArray[np.float32]
    """``(2, y, x)``: gradient of the reference along x and y."""


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """One band's line and shift equations at the current shift."""

    gain: float
    bias: float
    variance: float
    """Weighted mean square of the residuals."""
    correlation: float
    matrix: NDArray[np.float64]
    """``(2, 2)``: weighted products of the slopes, gain and bias taken off."""
    vector: NDArray[np.float64]
    """``(2)``: their products with the look."""
    partial: NDArray[np.float64]
    """``(2, 2)``: regression of each slope on (reference, 1)."""


def estimate_shift(
    look: NDArray[np.floating],
    reference: NDArray[np.floating],
    mask: NDArray[np.bool_] | None = None,
    settings: AlignSettings | None = None,
) -> Shift | Misaligned:
    """Return how far the look's content lies right and down of the reference's.

    Args:
        look: ``(y, x)`` or ``(band, y, x)``, any linear unit, NaN where not clear. Gain and bias of each
            band against the reference don't matter.
        reference: The same bands and pixels.
        mask: ``(y, x)``, True where both may be used; finite values are required besides.
        settings: What is refused.

    Returns:
        The shift, or why there is none: for weather and for places without texture that is an outcome.

    Raises:
        ValueError: The shapes don't match.
    """
    settings = settings or AlignSettings()
    look, reference, clear = _checked(look, reference, mask)
    usable = eroded(clear, _MARGIN_PX)
    count = int(usable.sum())
    if count < settings.min_clear_px:
        return Misaligned(MisalignedReason.FEW_CLEAR, count, settings.min_clear_px, count)
    bands = [_band(a, b, clear) for a, b in zip(look, reference, strict=True)]
    start = _whole_shift(bands, usable, settings.reach_px)
    return _refined(bands, usable, start, settings)


def _checked(
    look: NDArray[np.floating], reference: NDArray[np.floating], mask: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_]]:
    if look.shape != reference.shape or look.ndim not in {2, 3}:
        message = (
            f"expected two images (y, x) or (band, y, x) of one shape, got {look.shape}, {reference.shape}"
        )
        raise ValueError(message)
    shape = look.shape[-2:]
    look = look.reshape(-1, *shape).astype(np.float32)
    reference = reference.reshape(-1, *shape).astype(np.float32)
    clear = np.isfinite(look).all(axis=0) & np.isfinite(reference).all(axis=0)
    return look, reference, clear if mask is None else clear & mask


def _band(look: NDArray[np.float32], reference: NDArray[np.float32], clear: NDArray[np.bool_]) -> _Band:
    """Take local means off both, scale by the reference's spread, smooth the reference."""
    bell, slope = bell_taps(0.0, SMOOTHING_PX, TAPS), slope_taps(0.0, SMOOTHING_PX, TAPS)
    middle = reference[clear].mean(), look[clear].mean()  # float32 keeps more of small numbers
    detail_reference, detail_look = (
        detail(values - mean, clear, DETAIL_RADIUS_PX)
        for values, mean in zip((reference, look), middle, strict=True)
    )
    spread = np.float32(np.sqrt((detail_reference**2).mean()) or 1.0)
    filled, filled_reference = detail_look / spread, detail_reference / spread
    slopes = np.stack([smoothed(filled_reference, bell, slope), smoothed(filled_reference, slope, bell)])
    return _Band(filled, smoothed(filled_reference, bell, bell), slopes)


def _whole_shift(bands: list[_Band], clear: NDArray[np.float32], reach: int) -> tuple[float, float]:
    """Return the whole shift (dx, dy) at which the bands correlate best together, inverted or not."""
    row_step = max(1, clear.shape[0] * len(bands) // _CAPTURE_ROWS)
    total = np.zeros((2 * reach + 1,) * 2)
    for band in bands:
        look = band.look * clear
        total += whole_correlations(look, band.reference * clear, clear, reach, row_step) ** 2
    dy, dx = np.unravel_index(int(np.argmax(total)), total.shape)
    return float(dx - reach), float(dy - reach)


@dataclass(slots=True, eq=False)
class _Search:
    """The bands at the shift found so far."""

    bands: list[_Band]
    clear: NDArray[np.float32]
    """``(y, x)``, 1 where both images may be used."""
    shift: tuple[float, float]
    lines: list[tuple[float, float]]
    """Gain and bias of each band."""
    cuts: list[float]
    """Residual at which a pixel of each band weighs a quarter."""
    fits: list[_Fit]

    def settle(self, row_step: int, far_px: float) -> bool:
        """Step until the shift stands still; False when it runs away."""
        for _ in range(_MAX_STEPS):
            weighted = np.isfinite(self.cuts).all()
            self.fits = [
                _fit(band, self.clear, self.shift, line, cut, row_step)
                for band, line, cut in zip(self.bands, self.lines, self.cuts, strict=True)
            ]
            step = _step(self.fits)
            self.shift = (self.shift[0] + step[0], self.shift[1] + step[1])
            if not np.hypot(*self.shift) <= far_px:
                return False
            self.lines = [(fit.gain, fit.bias) for fit in self.fits]
            self.cuts = self._new_cuts()
            if weighted and max(abs(step[0]), abs(step[1])) < _STEP_PX:
                break
        return True

    def _new_cuts(self) -> list[float]:
        every = max(1, self.clear.size * len(self.bands) // _SAMPLE_PX)
        samples = (
            residual_sample(band.look, band.reference, self.clear, SMOOTHING_PX, self.shift, line, every)
            for band, line in zip(self.bands, self.lines, strict=True)
        )
        return [max(_CUT_SPREADS * _spread(sample), _TINY) for sample in samples]


def _refined(
    bands: list[_Band], clear: NDArray[np.float32], start: tuple[float, float], settings: AlignSettings
) -> Shift | Misaligned:
    count = len(bands)
    search = _Search(bands, clear, start, [(1.0, 0.0)] * count, [np.inf] * count, [])
    far_px = np.sqrt(2) * settings.reach_px + 1
    steps = (1,) if clear.shape[0] <= _LARGE_PX else (clear.shape[0] // 64, 1)
    for row_step in steps:
        if not search.settle(row_step, far_px):
            return Misaligned(
                MisalignedReason.UNLIKE, _correlation(search.fits), settings.min_correlation, int(clear.sum())
            )
    return _judged(search, settings)


def _judged(search: _Search, settings: AlignSettings) -> Shift | Misaligned:
    count = int(search.clear.sum())
    correlation = _correlation(search.fits)
    if abs(correlation) < settings.min_correlation:
        return Misaligned(MisalignedReason.UNLIKE, correlation, settings.min_correlation, count)
    covariance = _covariance(search) + settings.floor_px**2 * np.eye(2)
    (dx, dy) = search.shift
    shift = Shift(dx, dy, covariance[0, 0], covariance[1, 1], covariance[0, 1], correlation, count)
    if not shift.sigma_px <= settings.max_sigma_px:
        return Misaligned(MisalignedReason.UNCERTAIN, shift.sigma_px, settings.max_sigma_px, count)
    if shift.length_px > settings.max_shift_px:
        return Misaligned(MisalignedReason.FAR, shift.length_px, settings.max_shift_px, count)
    return shift


def _fit(
    band: _Band,
    clear: NDArray[np.float32],
    shift: tuple[float, float],
    line: tuple[float, float],
    cut: float,
    row_step: int,
) -> _Fit:
    """Return the line through the weighted pixels and what the slopes still explain."""
    moments = shift_moments(
        band.look, band.reference, band.slopes, clear, SMOOTHING_PX, shift, line, cut, row_step
    )
    weight = max(moments[1, 1], _TINY)  # none where strips of clear pixels miss each other
    mean = moments[1] / weight
    about = moments - weight * mean[:, None] * mean  # the bias taken off
    slope = about[0] / max(about[0, 0], _TINY)
    left = about - slope[:, None] * about[0]  # and the gain
    explained = 1 - left[4, 4] / max(about[4, 4], _TINY)
    return _Fit(
        gain=float(slope[4]),
        bias=float(mean[4] - slope[4] * mean[0]),
        variance=max(float(left[4, 4] / weight), _TINY),
        correlation=float(np.sign(slope[4]) * np.sqrt(max(explained, 0.0))),
        matrix=left[2:4, 2:4],
        vector=left[2:4, 4],
        partial=np.stack([slope[2:4], mean[2:4] - slope[2:4] * mean[0]], axis=1),
    )


def _step(fits: list[_Fit]) -> tuple[float, float]:
    """Return how much further right and down the bands together put the look."""
    # look(x + d + step) ~ gain * reference(x), so look(x + d) ~ gain * (reference - step . slopes)
    xx, xy, yy, x, y = _TINY, 0.0, _TINY, 0.0, 0.0
    for fit in fits:
        known, share = fit.gain**2 / fit.variance, -fit.gain / fit.variance
        xx, xy, yy = (
            xx + known * fit.matrix[0, 0],
            xy + known * fit.matrix[0, 1],
            yy + known * fit.matrix[1, 1],
        )
        x, y = x + share * fit.vector[0], y + share * fit.vector[1]
    determinant = xx * yy - xy * xy
    dx, dy = (yy * x - xy * y) / determinant, (xx * y - xy * x) / determinant
    shrink = max(1.0, float(np.hypot(dx, dy)) / _MAX_STEP_PX)
    return float(dx / shrink), float(dy / shrink)


def _spread(sample: NDArray[np.float32]) -> float:
    """Return the standard deviation that the median absolute residual stands for."""
    if not sample.size:
        return 0.0
    middle = sample.size // 2
    return _MAD_TO_SIGMA * float(np.partition(np.abs(sample), middle)[middle])


def _correlation(fits: list[_Fit]) -> float:
    """Return the bands' correlation, each weighing by what it knows of the shift; negative when inverted."""
    known = np.array([fit.gain**2 / fit.variance * np.trace(fit.matrix) for fit in fits])
    values = np.array([fit.correlation for fit in fits])
    total = known.sum()
    if not total > 0:
        return 0.0
    return float(np.copysign(np.abs(values) @ known / total, values @ known))


def _covariance(search: _Search) -> NDArray[np.float64]:
    """Return the sandwich covariance of (dx, dy), ``(2, 2)``; infinite where there are too few blocks."""
    block_px = _SMALL_BLOCK_PX if min(search.clear.shape) < _SMALL_PX else _BLOCK_PX
    scores: NDArray[np.float64] = np.zeros(0)
    steepness = np.zeros((2, 2))
    for band, fit, line, cut in zip(search.bands, search.fits, search.lines, search.cuts, strict=True):
        of_band, slope = shift_scores(
            band.look,
            band.reference,
            band.slopes,
            search.clear,
            SMOOTHING_PX,
            search.shift,
            line,
            cut,
            fit.partial,
            block_px,
        )
        share = fit.gain / fit.variance
        scores = share * of_band if not scores.size else scores + share * of_band
        steepness += share * slope
    scores = scores[np.abs(scores).any(axis=1)]
    blocks = len(scores)
    if blocks < _MIN_BLOCKS or np.linalg.det(steepness) <= 0:
        return np.full((2, 2), np.inf)
    inverse = np.linalg.inv(steepness)
    covariance: NDArray[np.float64] = inverse @ (scores.T @ scores) @ inverse.T
    return covariance * blocks / (blocks - _PARAMETERS)
