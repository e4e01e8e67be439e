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

The rounds approach their end slowly, so the moments of the next are mixed from the last few (Anderson):
fewer rounds end nearer to the fixed point than repetition until the correlations stand still.

Z is a score. On real frames its tail is far heavier than the chi-square's, so it is never turned into a
p-value.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from imagery.change.irmad_passes import finite_pixels, packed, round_moments, statistic, tail_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_ITERATIONS = 50
"""Rounds of reweighting at most; real frames settle in 5 to 12."""

_TOLERANCE = 3e-4
_RANK_TOLERANCE = 1e-9
_MIN_NOISE = 1e-12
_PIXELS_PER_BAND = 10
_PLAIN_ROUNDS = 2
_MIXED = 4


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
    kind = np.dtype(np.float32 if np.can_cast(np.result_type(before, after), np.float32) else np.float64)
    shape = before.shape[1:]
    x, y = (np.ascontiguousarray(date.reshape(len(date), -1), dtype=kind) for date in (before, after))
    pixels = _packed(x, y)
    if pixels is None:
        return _unfit(shape)
    variates, rho, iterations = _iterate(pixels, max_iterations)
    if not rho.size:
        return _unfit(shape)
    table = tail_table(rho.size, np.dtype(np.float64))
    z, weights = statistic(pixels.blocks, pixels.scaling, variates, pixels.valid, table)
    return IrMad(z.reshape(shape), weights.reshape(shape), rho, iterations)


@dataclass(frozen=True, slots=True, eq=False)
class _Pixels:
    """The valid pixels of both dates, bands that are constant left out."""

    blocks: NDArray[np.floating]
    """``(block, 2 * band, lane)``"""
    count: int
    scaling: NDArray[np.float64]
    """``(2, 2 * band)``: centre and inverse spread, roughly: they only keep numbers near one."""
    valid: NDArray[np.bool_]
    """``(pixel)``: of the frame."""

    @property
    def kind(self) -> np.dtype[np.floating]:
        return self.blocks.dtype

    def moments(self, variates: NDArray[np.float64], table: NDArray[np.floating]) -> NDArray[np.float64]:
        return round_moments(self.blocks, self.count, self.scaling, variates, table)


def _unfit(shape: tuple[int, ...]) -> IrMad:
    return IrMad(np.full(shape, np.nan), np.zeros(shape), np.empty(0), 0)


def _packed(x: NDArray[np.floating], y: NDArray[np.floating]) -> _Pixels | None:
    """Return the pixels of two ``(band, pixel)`` dates; None where nothing could be fitted to them."""
    valid = finite_pixels(x, y)
    where = np.flatnonzero(valid)
    count = where.size
    if not count:
        return None
    blocks, bounds = packed(x, y, where)
    varies = (bounds[1] > bounds[0]).reshape(2, -1).all(axis=0)
    if not varies.any() or count < _PIXELS_PER_BAND * int(varies.sum()):
        return None
    kept = np.tile(varies, 2)
    if not varies.all():
        blocks, bounds = np.ascontiguousarray(blocks[:, kept]), bounds[:, kept]
    return _Pixels(blocks, count, _scaling(blocks, bounds), valid)


def _scaling(blocks: NDArray[np.floating], bounds: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return centre and inverse spread of each variable, from some of the pixels, ``(2, variable)``."""
    sample = blocks[:: max(1, len(blocks) // 16)].astype(np.float64)
    centre = sample.mean(axis=(0, 2))
    spread = sample.std(axis=(0, 2))
    spread = np.where(spread > 0, spread, bounds[1] - bounds[0])
    return np.stack([centre, 1 / spread])


@dataclass(frozen=True, slots=True, eq=False)
class _Round:
    """Where the reweighting stands."""

    state: NDArray[np.float64]
    """Moments that the variates were made from."""
    variates: NDArray[np.float64]
    rho: NDArray[np.float64]
    iterations: int


def _iterate(pixels: _Pixels, max_iterations: int) -> tuple[NDArray[np.float64], NDArray[np.float64], int]:
    """Reweight until nothing moves; return variates, correlations and how many rounds it took."""
    bands = pixels.blocks.shape[1] // 2
    state = pixels.moments(np.empty((0, 2 * bands + 1)), tail_table(1, pixels.kind))
    variates, rho = canonical_variates(state)
    mixing = Mixing()
    for iteration in range(1, max_iterations + 1):
        found = pixels.moments(variates, tail_table(rho.size, pixels.kind))
        if found[-1, -1] < _PIXELS_PER_BAND * bands:
            return variates, rho, iteration
        last = _settled(state, found) or iteration == max_iterations
        mixed = mixing.mixed(state, found) if iteration > _PLAIN_ROUNDS and not last else found
        state, fit = mixed, _shrunk_variates(mixed)
        if mixed is not found and (fit[1].size != rho.size or fit[1][0] >= 1):  # mixed out of what can be
            mixing, state, fit = Mixing(), found, _shrunk_variates(found)
        if not fit[1].size:  # all weight has gone to pixels that are alike
            return variates, rho, iteration
        variates, rho = fit
        if last:
            return variates, rho, iteration
    return variates, rho, 0


def _settled(state: NDArray[np.float64], found: NDArray[np.float64]) -> bool:
    size = np.sqrt(np.maximum(np.diag(found), _MIN_NOISE) / found[-1, -1])
    moved = found / found[-1, -1] - state / state[-1, -1]
    return bool((np.abs(moved) < _TOLERANCE * np.outer(size, size)).all())


def _shrunk_variates(
    moments: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    variates, rho = canonical_variates(moments)
    return variates * np.sqrt(shrinkage(rho.size) if rho.size else 1.0), rho


class Mixing:
    """Anderson's mixing: the next guess of a fixed point from the last few, where steps shrink slowly.

    Source: H. F. Walker, P. Ni, "Anderson acceleration for fixed-point iterations", SIAM Journal on
    Numerical Analysis 49(4), 2011, 1715-1735.
    """

    def __init__(self) -> None:
        self._steps: list[NDArray[np.float64]] = []
        self._images: list[NDArray[np.float64]] = []

    def mixed(self, point: NDArray[np.float64], image: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the next point to try.

        Args:
            point: Moments with which the map was evaluated; their scale, the last diagonal, means nothing.
            image: What it gave.
        """
        point, image = point / point[-1, -1], image / image[-1, -1]
        self._steps = [*self._steps[-_MIXED:], (image - point).ravel()]
        self._images = [*self._images[-_MIXED:], image]
        if len(self._steps) == 1:
            return image
        turns = np.diff(np.array(self._steps), axis=0).T
        weights, *_ = np.linalg.lstsq(turns, self._steps[-1], rcond=1e-10)
        moves = np.diff(np.array(self._images), axis=0)
        return np.asarray(image - np.tensordot(weights, moves, axes=1))


def canonical_variates(moments: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the differences of the canonical variates, and the canonical correlations.

    Args:
        moments: ``(2 * band + 1, 2 * band + 1)``: weighted products of all bands of both dates and 1.

    Returns:
        ``(variate, 2 * band + 1)``: coefficients and constant of each difference, over its standard
        deviation; and ``(variate)``, largest first.
    """
    bands = len(moments) // 2
    mean = moments[-1, :-1] / moments[-1, -1]
    covariance = moments[:-1, :-1] / moments[-1, -1] - np.outer(mean, mean)
    x_white = _whitening(covariance[:bands, :bands])
    y_white = _whitening(covariance[bands:, bands:])
    left, rho, right = np.linalg.svd(x_white.T @ covariance[:bands, bands:] @ y_white, full_matrices=False)
    rho = np.clip(rho, 0.0, 1.0)
    noise = np.maximum(2 * (1 - rho), _MIN_NOISE)
    coefficients = np.hstack([left.T @ x_white.T, -right @ y_white.T]) / np.sqrt(noise)[:, None]
    return np.hstack([coefficients, -(coefficients @ mean)[:, None]]), rho


def _whitening(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ``(band, direction)`` to uncorrelated unit variance; directions without variance drop out."""
    size = np.sqrt(np.maximum(np.diag(covariance), _MIN_NOISE))
    variance, vectors = np.linalg.eigh(covariance / np.outer(size, size))
    keep = variance > _RANK_TOLERANCE * variance[-1]
    whitening: NDArray[np.float64] = vectors[:, keep] / np.sqrt(variance[keep]) / size[:, None]
    return whitening


@cache
def shrinkage(degrees: int) -> float:
    """Return how far weighting by the chi-square tail shrinks the variance of Gaussian noise.

    The weight of a pixel is the chance that another draw Z' exceeds its Z, so the weighted mean of Z
    is the mean of the smaller of two independent draws: E min(Z, Z') = integral of P(Z > t)^2 over t.

    >>> round(shrinkage(1), 3)  # 1 - 2 / pi
    0.363
    """
    from scipy import integrate  # noqa: PLC0415 - a quarter of a second, and pairs alone need it

    smaller, _ = integrate.quad(lambda t: special.gammaincc(degrees / 2, t / 2) ** 2, 0, np.inf)
    return float(smaller) / degrees
