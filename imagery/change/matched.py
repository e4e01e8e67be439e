"""The matched filter: how strong a change of a known shape is at each place, and how sure that is.

For mixing fractions p, residuals r and variances v the contrast of band b and its standard error are
    a_b = sum(p r_b / v_b) / sum(p^2 / v_b),    SE_b^2 = inflation / sum(p^2 / v_b)
The inflation stands for what neighbours share (weather, misregistration); it is measured on the site's own
quiet looks. The bands' z_b = a_b / SE_b are joined by the inverse of the residuals' own correlation W:
    score = sqrt(z' W z)
What whole parcels share (an early year, a brighter one) leaves a contrast of a known direction; z is whitened
against it, so that it counts for little in that direction and in full in all others.
Residuals are observed minus predicted. Nothing here is a probability.

Source: G. L. Turin, "An introduction to matched filters", IRE Transactions on Information Theory 6(3), 1960.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

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
    """``(band, y, x)``: of each value by itself, prediction and registration included."""
    drifts: NDArray[np.float32] | None = None
    """``(drift, band, y, x)``: what one standard deviation of something that whole parcels share leaves in
    each value: an early year, a brighter one. None: nothing is shared."""

    def part(self, window: tuple[slice, slice]) -> Residuals:
        """Return a window of it, not copied."""
        inside = (slice(None), *window)
        drifts = None if self.drifts is None else self.drifts[(slice(None), *inside)]
        return Residuals(self.values[inside], self.variance[inside], drifts)

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
    drifts: tuple[tuple[float, ...], ...] = ()
    """By drift and band: the contrast that one standard deviation of it leaves."""

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
def product_row(out: NDArray[np.float32], row: NDArray[np.float32], z: NDArray[np.float32], y: int) -> None:
    """Write the sum over the bands of ``row (band)`` times z along one line of places into ``out (x)``."""
    out[:] = 0
    for b in range(row.size):
        weight = row[b]
        for x in range(out.size):
            out[x] += weight * z[b, y, x]


@compiled
def joined(z: NDArray[np.float32], join: NDArray[np.float32], seen: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return ``sqrt(z' W z)`` at each place, ``(y, x)``; -1 where it was not seen."""
    bands, height, width = z.shape
    score = np.empty((height, width), dtype=np.float32)
    # Rows at a time, so that the inner loops run along x.
    total, part = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    for y in range(height):
        total[:] = 0
        for a in range(bands):
            product_row(part, join[a], z, y)
            for x in range(width):
                total[x] += part[x] * z[a, y, x]
        for x in range(width):
            score[y, x] = np.sqrt(max(total[x], np.float32(0))) if seen[y, x] else np.float32(-1)
    return score


def standardised(residuals: Residuals, template: Square) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the uninflated z of a square at every place, ``(band, y, x)``, and the clear power ``(y, x)``.

    The power is relative to that of the whole template, 0 to 1; z is 0 where nothing is clear.
    """
    z, _, power = _filtered(residuals.weighted(), template)
    return z, power


def _filtered(
    weighted: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]], template: Square
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Return z and sum(p^2 / v), each ``(band, y, x)``, and the clear power, ``(y, x)``."""
    pull, inverse, known = weighted
    numerator = _separable(pull, template.rows, template.columns)
    rows, columns = np.square(template.rows), np.square(template.columns)
    weight = _separable(inverse, rows, columns)
    power = _separable(known[None], rows, columns)[0] / np.float32(rows.sum() * columns.sum())
    z = numerator / np.sqrt(np.maximum(weight, np.float32(_TINY)))
    return z, weight, power


def map_of(
    residuals: Residuals, template: Square, yard_inflation: NDArray[np.float32], join: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return the z of a square centred on each pixel, ``(band, y, x)``, and where it was seen, ``(y, x)``.

    Args:
        residuals: Of a window.
        template: The square.
        yard_inflation: ``(band)``: of the variance of a contrast at this size.
        join: ``(band, band)``: inverse correlation of the bands.
    """
    return maps_at(residuals, [template], yard_inflation[None], join)[0]


def maps_at(
    residuals: Residuals,
    templates: Sequence[Square],
    inflation: NDArray[np.float32],
    join: NDArray[np.float32],
) -> list[tuple[NDArray[np.float32], NDArray[np.bool_]]]:
    """Return what `map_of` does for each template; what they have in common is worked out once.

    Args:
        residuals: Of a window.
        templates: Squares.
        inflation: ``(template, band)``.
        join: ``(band, band)``: inverse correlation of the bands.
    """
    weighted, found = residuals.weighted(), []
    drifts = None if residuals.drifts is None else np.nan_to_num(residuals.drifts)
    smooth: dict[int, list[NDArray[np.float32]]] = {}
    for template, own in zip(templates, inflation, strict=True):
        z, weight, power = _filtered(weighted, template)
        width = np.sqrt(own.astype(np.float32))[:, None, None]
        z /= width
        if drifts is not None:
            size = max(1, round(template.side_px))
            if size not in smooth:
                smooth[size] = [ndimage.uniform_filter(drift, (0, size, size)) for drift in drifts]
            total, square = float(template.fractions.sum()), float(np.square(template.fractions).sum())
            # An error that neighbours share looks to a small template like a larger contrast.
            scale = np.float32(total / square) * np.sqrt(weight) / width
            shared = [(each * scale).astype(np.float32) for each in smooth[size]]
            for number, each in enumerate(shared):
                # What is whitened already must not be whitened once more along the next drift.
                for other in (z, *shared[number + 1 :]):
                    _whiten(other, each, join)
        found.append((z, np.asarray(power >= MIN_COVER, dtype=np.bool_)))
    return found


@compiled
def _whiten(z: NDArray[np.float32], shared: NDArray[np.float32], join: NDArray[np.float32]) -> None:
    """Whiten z in place against a shared error u at each place: ``z - a u (u' W z)``.

    With h = u' W u and a = (1 - 1 / sqrt(1 + h)) / h the squared length of what is left is z' M z, M the
    inverse of the correlation with ``u u'`` added (Sherman, Morrison 1950).
    """
    bands, height, width = z.shape
    along, size = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    part = np.empty(width, dtype=np.float32)
    one = np.float32(1)
    for y in range(height):
        along[:] = 0
        size[:] = 0
        for a in range(bands):
            product_row(part, join[a], z, y)
            for x in range(width):
                along[x] += part[x] * shared[a, y, x]
            product_row(part, join[a], shared, y)
            for x in range(width):
                size[x] += part[x] * shared[a, y, x]
        for x in range(width):
            least = max(size[x], np.float32(1e-9))
            share = (one - one / np.sqrt(one + least)) / least * along[x]
            part[x] = share if size[x] > np.float32(1e-9) else np.float32(0)
        for a in range(bands):
            for x in range(width):
                z[a, y, x] -= part[x] * shared[a, y, x]


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
    drifts: tuple[tuple[float, ...], ...] = ()
    if residuals.drifts is not None:
        shared = residuals.drifts[(slice(None), slice(None), *inside)][:, :, known].astype(np.float64)
        left = (share * np.nan_to_num(shared) / variance).sum(axis=2) / weight
        drifts = tuple(tuple(map(float, each)) for each in left)
    return Reading(tuple(map(float, contrast)), tuple(map(float, error)), drifts)


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


def whitened(reading: Reading, contrast: Sequence[float], join: NDArray[np.float32]) -> NDArray[np.float64]:
    """Return a contrast over the errors of a reading, whitened against its drifts, ``(band)``."""
    error, weight = np.array(reading.error), join.astype(np.float64)
    z: NDArray[np.float64] = np.array(contrast) / error
    shared = [np.array(each) / error for each in reading.drifts]
    while shared:
        first, *rest = shared
        z = _against(first, z, weight)
        # What is whitened already must not be whitened once more along the next drift.
        shared = [_against(first, each, weight) for each in rest]
    return z


def _against(
    shared: NDArray[np.float64], z: NDArray[np.float64], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    size = float(shared @ weight @ shared)
    if size <= _TINY:
        return z
    share = (1 - 1 / np.sqrt(1 + size)) / size
    left: NDArray[np.float64] = z - share * float(shared @ weight @ z) * shared
    return left


def joined_score(reading: Reading, join: NDArray[np.float32]) -> float:
    """Return ``sqrt(z' W z)`` of a reading; 0 where it is unknown."""
    if not reading.is_known:
        return 0.0
    z = whitened(reading, reading.contrast, join)
    return math.sqrt(max(float(z @ join.astype(np.float64) @ z), 0.0))


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
    scale = np.sqrt(np.median(np.square(sample), axis=1, keepdims=True) / MEDIAN_CHI2)
    # A few bad pixels must not make all bands look alike.
    sample = np.clip(sample / np.maximum(scale, _TINY), -_FAR, _FAR)
    sample /= np.maximum(np.sqrt(np.square(sample).mean(axis=1, keepdims=True)), _TINY)
    correlation = sample @ sample.T / count
    target = np.eye(bands)
    distance = np.square(correlation - target).sum()
    scatter = (np.square(np.square(sample).sum(axis=0)).sum() / count - np.square(correlation).sum()) / count
    shrink = min(scatter / distance, 1.0) if distance > 0 else 1.0
    shrink = max(shrink, _LEAST_SHRINKAGE)
    return np.linalg.inv((1 - shrink) * correlation + shrink * target).astype(np.float32)


_FAR = 4.0
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
    for frame in frames:
        weighted = frame.weighted()
        for template in templates:
            z, _, power = _filtered(weighted, template)
            by_side.setdefault(template.side_px, []).append(z[:, inside & (power >= MIN_COVER)])
    found = {side: _spread_of(np.concatenate(each, axis=1)) for side, each in by_side.items()}
    return np.stack([found[template.side_px] for template in templates])


MEDIAN_CHI2 = 0.4549364
"""Median of a chi-square of one degree of freedom."""


def _spread_of(z: NDArray[np.float32]) -> NDArray[np.float32]:
    if not z.shape[1]:
        return np.ones(len(z), dtype=np.float32)
    return np.maximum(np.median(np.square(z), axis=1) / np.float32(MEDIAN_CHI2), np.float32(1))
