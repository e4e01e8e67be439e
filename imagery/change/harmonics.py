"""What a pixel should look like on a day: a constant, the year, the half year, an offset a further orbit.

    value(t) = a + sum over k of (c_k cos(2 pi k t / 365.25) + s_k sin(2 pi k t / 365.25)) + offset(orbit)

There is no trend: a slow building would be taken for one. The fit is robust (Huber 1964), so the cloud that
the mask missed pulls no more than a residual of 1.345 standard deviations. Residuals are observed minus
predicted.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.harmonic_kernels import MIN_ORBIT_LOOKS, SEASON_COLUMNS, fit_all
from imagery.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

YEAR_DAYS = 365.25

LOOKS_FOR_ORDER = (0, 12, 24)
"""Clear looks of the lattice from which on the season has this many harmonics."""

MIN_VALUES = 6
"""A pixel with fewer values has no model."""

VALUES_PER_COEFFICIENT = 3
"""A pixel's own values carry a harmonic only when there are this many for each coefficient of the season."""

MAX_FURTHER_ORBITS = 3
"""At most so many offsets, the most frequent orbits first; others count as the first orbit."""

RIDGE = 0.01
"""Weight of the assumption that harmonics and offsets are zero, in looks. It moves a coefficient that the
looks determine by a thousandth, and keeps one that they don't within about ten standard deviations."""

PRIOR_LOOKS = 6.0
"""A pixel's own spread counts as many looks as it has, the frame's typical spread as many as these."""

_BLOCK_PX = 4096


@dataclass(frozen=True, slots=True, eq=False)
class HarmonicModel:
    """What a history predicts for each pixel, and how well."""

    orbits: tuple[str, ...]
    """Orbits the model tells apart; the first has no offset."""
    looks: int
    """Clear looks that it was fitted to."""
    coefficients: NDArray[np.float32]
    """``(coef, band, y, x)``: constant, cos 1, sin 1, cos 2, sin 2, then an offset a further orbit, in the
    values' units; 0 where a pixel's looks don't support one, NaN where they support nothing."""
    sigma: NDArray[np.float32]
    """``(band, y, x)``: standard deviation of one residual, in the values' units; NaN without a model."""
    count: NDArray[np.int32]
    """``(y, x)``: values of the pixel."""
    inverse_gram: NDArray[np.float32]
    """``(coef * (coef + 1) / 2, y, x)``: the inverse of design' design + ridge, its lower triangle."""

    @property
    def order(self) -> int:
        """Harmonics of the season: 0, 1 or 2; a pixel with few values of its own may have fewer."""
        return order_for(self.looks)

    def part(self, window: tuple[slice, slice]) -> HarmonicModel:
        """Return the model of a window of the frame, copied."""
        inside = (..., *window)
        return HarmonicModel(
            self.orbits,
            self.looks,
            np.ascontiguousarray(self.coefficients[inside]),
            np.ascontiguousarray(self.sigma[inside]),
            np.ascontiguousarray(self.count[inside]),
            np.ascontiguousarray(self.inverse_gram[inside]),
        )

    def knows(self, orbit: str) -> bool:
        """Return whether the orbit has its own level; others are predicted like the first."""
        return orbit in self.orbits

    def predict(self, day: date, orbit: str = "") -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Predict the values of a day.

        Returns:
            ``(band, y, x)`` predicted values, and ``(y, x)`` leverage: the variance of the prediction's own
            error in units of sigma squared, so that a residual has variance sigma^2 (1 + leverage). It is
            large in a season that the history has not seen. NaN where there is no model.
        """
        row = design_matrix([day], [orbit], self.orbits)[0]
        bands, rows, columns = self.sigma.shape
        predicted = np.empty((bands, rows * columns), dtype=np.float32)
        leverage = np.empty(rows * columns, dtype=np.float32)
        flat = self.coefficients.reshape(len(row), bands, rows * columns)
        _predict(row, flat, self.inverse_gram.reshape(-1, rows * columns), predicted, leverage)
        return predicted.reshape(bands, rows, columns), leverage.reshape(rows, columns)


def order_for(looks: int) -> int:
    """Return how many harmonics a number of clear looks carries.

    >>> [order_for(n) for n in (0, 11, 12, 23, 24, 500)]
    [0, 0, 1, 1, 2, 2]
    """
    return sum(looks >= least for least in LOOKS_FOR_ORDER) - 1


def design_matrix(days: Sequence[date], orbits: Sequence[str], known: Sequence[str]) -> NDArray[np.float32]:
    """Return the columns of the model, ``(time, coef)``; see `HarmonicModel.coefficients`.

    Args:
        days: One a look.
        orbits: One a look.
        known: Orbits that the model tells apart; the first has no column, unknown ones count as it.
    """
    angle = 2 * np.pi * np.array([day.toordinal() for day in days], dtype=np.float64) / YEAR_DAYS
    season = [np.ones_like(angle)]
    for k in (1, 2):
        season += [np.cos(k * angle), np.sin(k * angle)]
    offsets = [np.array([orbit == each for orbit in orbits], dtype=np.float64) for each in known[1:]]
    return np.stack([*season, *offsets], axis=1).astype(np.float32)


def orbits_told_apart(orbits: Sequence[str]) -> tuple[str, ...]:
    """Return the orbits with a level of their own, the most frequent (then the first by name) first."""
    ranked = sorted(Counter(orbits).items(), key=lambda item: (-item[1], item[0]))
    further = [name for name, looks in ranked[1:] if looks >= MIN_ORBIT_LOOKS]
    return tuple([name for name, _ in ranked[:1]] + further[:MAX_FURTHER_ORBITS])


def fit(
    history: NDArray[np.float32],
    days: Sequence[date],
    orbits: Sequence[str] | None = None,
    *,
    resolution: float,
) -> HarmonicModel:
    """Fit the model of every pixel and band to a history.

    Huber's M-estimate by modified residuals (Huber 1964; Huber 1981, 7.8): three rounds of a scale (median
    absolute residual) and two steps each, from least squares; always as many, so equal inputs give equal
    bits. The number of looks sets the order (`LOOKS_FOR_ORDER`), a pixel's own values limit it.

    Sigma is the standard deviation of the residuals within three robust ones. Few values know their own
    spread badly, so it is drawn towards the frame's median as if that had been seen `PRIOR_LOOKS` times,
    and it is never below one step of quantisation.

    Args:
        history: ``(time, band, y, x)``; a pixel counts in a look where all its bands are finite.
        days: One a look.
        orbits: One a look, opaque keys; None: all the same.
        resolution: Smallest step of the values, in their units.
    """
    looks, bands, rows, columns = history.shape
    names = [""] * looks if orbits is None else list(orbits)
    known = orbits_told_apart(names) or ("",)
    design = design_matrix(days, names, known)
    size = design.shape[1]
    pixels = rows * columns
    coefficients = np.empty((size, bands, pixels), dtype=np.float32)
    deviation = np.empty((bands, pixels), dtype=np.float32)
    count = np.empty(pixels, dtype=np.int32)
    inverse = np.empty((size * (size + 1) // 2, pixels), dtype=np.float32)
    ridge = np.full(size, RIDGE)
    ridge[0] = 0.0
    flat = np.ascontiguousarray(history, dtype=np.float32).reshape(looks, bands, pixels)
    needed = _values_needed(order_for(looks), size)
    fit_all(flat, design, needed, ridge, resolution / 2, (coefficients, deviation, count, inverse))
    for array in (coefficients, deviation, inverse):
        array[..., count < MIN_VALUES] = np.nan
    return HarmonicModel(
        orbits=known,
        looks=looks,
        coefficients=coefficients.reshape(size, bands, rows, columns),
        sigma=_pooled(deviation.reshape(bands, rows, columns), count.reshape(rows, columns), resolution),
        count=count.reshape(rows, columns),
        inverse_gram=inverse.reshape(-1, rows, columns),
    )


def _values_needed(order: int, size: int) -> NDArray[np.float64]:
    needed = np.full(size, float(MIN_VALUES))
    for k in (1, 2):
        own = float(VALUES_PER_COEFFICIENT * (2 * k + 1)) if k <= order else np.inf
        needed[2 * k - 1 : 2 * k + 1] = own
    needed[SEASON_COLUMNS:] = 2 * MIN_ORBIT_LOOKS
    return needed


def _pooled(
    deviation: NDArray[np.float32], count: NDArray[np.int32], resolution: float
) -> NDArray[np.float32]:
    variance = np.square(deviation)
    known = count.astype(np.float32)
    share = known / (known + np.float32(PRIOR_LOOKS))
    typical = [_frame_median(plane) for plane in variance]
    pooled = share * variance + (1 - share) * np.array(typical, dtype=np.float32)[:, None, None]
    sigma: NDArray[np.float32] = np.sqrt(pooled + np.float32(resolution**2))
    return sigma


def _frame_median(plane: NDArray[np.float32]) -> np.float32:
    known = plane[np.isfinite(plane)]
    return np.float32(np.median(known)) if known.size else np.float32(np.nan)


@compiled
def _predict(
    row: NDArray[np.float32],
    coefficients: NDArray[np.float32],
    inverse: NDArray[np.float32],
    predicted: NDArray[np.float32],
    leverage: NDArray[np.float32],
) -> None:
    """Fill ``predicted (band, pixel)`` and ``leverage (pixel)``, a block of pixels at a time."""
    bands, pixels = predicted.shape
    for start in range(0, pixels, _BLOCK_PX):
        stop = min(start + _BLOCK_PX, pixels)
        for band in range(bands):
            out = predicted[band, start:stop]
            out[:] = np.float32(0.0)
            for column in range(len(row)):
                plane = coefficients[column, band, start:stop]
                for pixel in range(len(out)):
                    out[pixel] += row[column] * plane[pixel]
        out = leverage[start:stop]
        out[:] = np.float32(0.0)
        place = 0
        for column in range(len(row)):
            for other in range(column + 1):
                twice = np.float32(1.0) if column == other else np.float32(2.0)
                weight = twice * row[column] * row[other]
                plane = inverse[place, start:stop]
                for pixel in range(len(out)):
                    out[pixel] += weight * plane[pixel]
                place += 1
