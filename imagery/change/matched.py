"""The matched filter: how strong a change of a known shape is at each place, and how sure that is.

For mixing fractions p, residuals r and variances v the contrast of band b and its standard error are
    a_b = sum(p r_b / v_b) / sum(p^2 / v_b),    SE_b^2 = inflation / sum(p^2 / v_b)
The inflation stands for what neighbours share (weather, misregistration); it is measured on the site's own
quiet looks. The bands' z_b = a_b / SE_b are joined by the inverse of the residuals' own correlation W:
    score = sqrt(z' W z)
Residuals are observed minus predicted. Nothing here is a probability.

Source: G. L. Turin, "An introduction to matched filters", IRE Transactions on Information Theory 6(3), 1960.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imagery.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.change.templates import Square

MIN_COVER = 0.6
"""Share of a template's power (the sum of its squared fractions) that must lie on clear pixels."""

_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Residuals:
    """What one look shows against its prediction, on a window of the site's grid."""

    values: NDArray[np.float32]
    """``(band, y, x)``: observed minus predicted; NaN where unknown."""
    variance: NDArray[np.float32]
    """``(band, y, x)``: of each value, prediction and registration included."""

    def weighted(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Return r / v and 1 / v, ``(band, y, x)``, and known ``(y, x)`` as 0 or 1; 0 where unknown."""
        known = _known(self.values, self.variance)
        with np.errstate(divide="ignore", invalid="ignore"):
            inverse = np.where(known, np.float32(1) / self.variance, np.float32(0))
            pull = np.where(known, self.values * inverse, np.float32(0))
        return pull.astype(np.float32), inverse.astype(np.float32), known.astype(np.float32)


def _known(values: NDArray[np.floating], variance: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return where every band has a value and a variance, ``(y, x)``."""
    with np.errstate(invalid="ignore"):
        usable = np.isfinite(values) & np.isfinite(variance) & (variance > 0)
    return np.asarray(usable.all(axis=0), dtype=np.bool_)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a template stands: which one, and the row and column of its central pixel on the grid."""

    side_px: float
    """Side of the square; 0 stands for the footprint that was drawn."""
    phase: tuple[float, float]
    row: int
    column: int

    @property
    def is_listed(self) -> bool:
        """Whether this is the drawn footprint itself."""
        return self.side_px == 0


@dataclass(frozen=True, slots=True)
class Reading:
    """The contrast at one place in one look."""

    contrast: tuple[float, ...]
    """By band, in the chip's units; empty where too little was clear."""
    error: tuple[float, ...]
    """Standard error of each."""

    @property
    def is_known(self) -> bool:
        """Whether the place was seen at all."""
        return bool(self.contrast)


UNSEEN = Reading((), ())


@dataclass(frozen=True, slots=True)
class Peak:
    """The place of the largest score."""

    score: float
    place: Place
    reading: Reading


@compiled
def _separable(
    values: NDArray[np.float32], rows: NDArray[np.float32], columns: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Correlate each band with ``outer(rows, columns)``, zero outside."""
    bands, height, width = values.shape
    reach = rows.size // 2
    out = np.zeros_like(values)
    across = np.zeros((height, width), dtype=np.float32)
    for band in range(bands):
        across[:] = 0
        for tap in range(columns.size):
            step = tap - reach
            weight = columns[tap]
            first, last = max(0, -step), min(width, width - step)
            for y in range(height):
                for x in range(first, last):
                    across[y, x] += weight * values[band, y, x + step]
        for tap in range(rows.size):
            step = tap - reach
            weight = rows[tap]
            for y in range(max(0, -step), min(height, height - step)):
                for x in range(width):
                    out[band, y, x] += weight * across[y + step, x]
    return out


@compiled
def _joined(
    z: NDArray[np.float32], join: NDArray[np.float32], power: NDArray[np.float32], least: float
) -> NDArray[np.float32]:
    """Return ``sqrt(z' W z)`` where enough power is clear, else -1; ``(y, x)``."""
    bands, height, width = z.shape
    score = np.empty((height, width), dtype=np.float32)
    for y in range(height):
        for x in range(width):
            total = np.float32(0)
            for a in range(bands):
                part = np.float32(0)
                for b in range(bands):
                    part += join[a, b] * z[b, y, x]
                total += part * z[a, y, x]
            score[y, x] = np.sqrt(max(total, np.float32(0))) if power[y, x] >= least else np.float32(-1)
    return score


def standardised(residuals: Residuals, template: Square) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the uninflated z of a square at every place, ``(band, y, x)``, and the clear power ``(y, x)``.

    The power is relative to that of the whole template, 0 to 1; z is 0 where nothing is clear.
    """
    pull, inverse, known = residuals.weighted()
    numerator = _separable(pull, template.rows, template.columns)
    rows, columns = np.square(template.rows), np.square(template.columns)
    weight = _separable(inverse, rows, columns)
    power = _separable(known[None], rows, columns)[0] / np.float32(rows.sum() * columns.sum())
    z = numerator / np.sqrt(np.maximum(weight, np.float32(_TINY)))
    return z, power


def score_map(
    residuals: Residuals, template: Square, join: NDArray[np.float32], inflation: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the score of a square centred on each pixel, ``(y, x)``; -1 where too little is clear.

    Args:
        residuals: Of a window.
        template: The square.
        join: ``(band, band)``: inverse correlation of the bands.
        inflation: ``(band)``: of the variance of a contrast at this size.
    """
    z, power = standardised(residuals, template)
    width = np.sqrt(inflation.astype(np.float32))
    scaled: NDArray[np.float32] = np.asarray(z / width[:, None, None], dtype=np.float32)
    return _joined(scaled, join, power, MIN_COVER)


def reading_at(
    residuals: Residuals,
    fractions: NDArray[np.float32],
    inflation: NDArray[np.float32],
    corner: tuple[int, int] = (0, 0),
) -> Reading:
    """Return the contrast of a template in one place.

    Args:
        residuals: Of a window.
        fractions: ``(y, x)``: mixing fractions, any part of them outside the window is left out.
        inflation: ``(band)``.
        corner: Row and column of the window at which the fractions begin; may be negative.
    """
    inside, part = _overlap(fractions.shape, corner, residuals.values.shape[1:])
    share = fractions[part].astype(np.float64)
    values = residuals.values[(slice(None), *inside)].astype(np.float64)
    variance = residuals.variance[(slice(None), *inside)].astype(np.float64)
    known = _known(values, variance)
    power = float(np.square(fractions.astype(np.float64)).sum())
    if not known.any() or np.square(share[known]).sum() < MIN_COVER * power:
        return UNSEEN
    share, values, variance = share[known], values[:, known], variance[:, known]
    weight = (np.square(share) / variance).sum(axis=1)
    contrast = (share * values / variance).sum(axis=1) / weight
    error = np.sqrt(inflation.astype(np.float64) / weight)
    return Reading(tuple(map(float, contrast)), tuple(map(float, error)))


def _overlap(
    shape: tuple[int, ...], corner: tuple[int, int], frame: tuple[int, ...]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return which part of the frame a template covers, and which part of the template that is."""
    inside, part = [], []
    for size, first, limit in zip(shape, corner, frame, strict=True):
        start, stop = max(first, 0), max(min(first + size, limit), 0)
        stop = max(start, stop)
        inside.append(slice(start, stop))
        part.append(slice(start - first, stop - first))
    return (inside[0], inside[1]), (part[0], part[1])


def joined_score(reading: Reading, join: NDArray[np.float32]) -> float:
    """Return ``sqrt(z' W z)`` of a reading; 0 where it is unknown."""
    if not reading.is_known:
        return 0.0
    z = np.array(reading.contrast) / np.array(reading.error)
    return float(np.sqrt(max(z @ join.astype(np.float64) @ z, 0.0)))


def band_join(z: NDArray[np.floating]) -> NDArray[np.float32]:
    """Return the inverse of the bands' correlation, shrunk towards none (Ledoit-Wolf), ``(band, band)``.

    Source: O. Ledoit, M. Wolf, "A well-conditioned estimator for large-dimensional covariance matrices",
    Journal of Multivariate Analysis 88(2), 2004, 365-411, with the identity as the target.

    Args:
        z: ``(band, sample)``: standardised residuals; samples with a NaN are left out.
    """
    sample = z[:, np.isfinite(z).all(axis=0)].astype(np.float64)
    bands, count = sample.shape
    if count <= bands:
        return np.eye(bands, dtype=np.float32)
    scale = np.sqrt(np.square(sample).mean(axis=1, keepdims=True))
    sample = sample / np.maximum(scale, _TINY)
    correlation = sample @ sample.T / count
    target = np.eye(bands)
    distance = np.square(correlation - target).sum()
    scatter = (np.square(np.square(sample).sum(axis=0)).sum() / count - np.square(correlation).sum()) / count
    shrink = min(scatter / distance, 1.0) if distance > 0 else 1.0
    shrink = max(shrink, _LEAST_SHRINKAGE)
    return np.linalg.inv((1 - shrink) * correlation + shrink * target).astype(np.float32)


_LEAST_SHRINKAGE = 0.01
"""Bands that repeat one another must not make an inverse without bounds."""


def inflations(
    frames: Sequence[Residuals], templates: Sequence[Square], inside: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return how much wider contrasts scatter than independent pixels would let them, ``(template, band)``.

    From the median of z squared over all places and quiet looks, so that changes and bad looks in the
    history don't widen it; never below 1.

    Args:
        frames: Residuals of quiet looks, each judged without itself.
        templates: Squares; those of one side share one inflation.
        inside: ``(y, x)``: places that count.
    """
    by_side: dict[float, list[NDArray[np.float32]]] = {}
    for template in templates:
        for frame in frames:
            z, power = standardised(frame, template)
            by_side.setdefault(template.side_px, []).append(z[:, inside & (power >= MIN_COVER)])
    found = {side: _spread_of(np.concatenate(each, axis=1)) for side, each in by_side.items()}
    return np.stack([found[template.side_px] for template in templates])


MEDIAN_CHI2 = 0.4549364
"""Median of a chi-square of one degree of freedom."""


def _spread_of(z: NDArray[np.float32]) -> NDArray[np.float32]:
    if not z.shape[1]:
        return np.ones(len(z), dtype=np.float32)
    return np.maximum(np.median(np.square(z), axis=1) / np.float32(MEDIAN_CHI2), np.float32(1))
