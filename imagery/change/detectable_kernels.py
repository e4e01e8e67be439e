"""The compiled passes of `imagery.change.detectable`: what templates read of planted squares.

A matched filter is linear: with the residual r of a real look and a planted change of contrast c and mixing
fractions f, the filter of a template p reads
    z = (sum(p r / v) + c sum(p f / v)) / sqrt(inflation sum(p^2 / v))
so the sums over the template's pixels are all that is needed, and none of the look's other pixels.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.matched import MIN_COVER
from imagery.change.templates import PSF_SIGMA_PX
from imagery.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEVER = 1_000_000
"""The look that sees what no look sees."""

_SPREAD = 1 / (PSF_SIGMA_PX * math.sqrt(2))
_REACH_PX = 2.5
_LEAST = 1e-12


@compiled
def _lay(profile: NDArray[np.float64], centre: float, side: float) -> None:
    """Write the mixing fractions of a blurred interval along one axis, 0 where it does not reach."""
    half = side / 2
    profile[:] = 0
    first = max(math.floor(centre - half - _REACH_PX), 0)
    last = min(math.ceil(centre + half + _REACH_PX), profile.size - 1)
    for at in range(first, last + 1):
        away = at - centre
        profile[at] = 0.5 * (math.erf((away + half) * _SPREAD) - math.erf((away - half) * _SPREAD))


@compiled
def _whiten(z: NDArray[np.float64], shared: NDArray[np.float64], join: NDArray[np.float64]) -> None:
    """Whiten each row of z against one shared error: ``z - a u (u' W z)``, as the judge does."""
    bands = shared.size
    size = 0.0
    for a in range(bands):
        for b in range(bands):
            size += shared[a] * join[a, b] * shared[b]
    if size <= _LEAST:
        return
    share = (1 - 1 / math.sqrt(1 + size)) / size
    for row in range(z.shape[0]):
        along = 0.0
        for a in range(bands):
            for b in range(bands):
                along += shared[a] * join[a, b] * z[row, b]
        for a in range(bands):
            z[row, a] -= share * along * shared[a]


@compiled
def planted_z(
    pull: NDArray[np.float32],
    inverse: NDArray[np.float32],
    known: NDArray[np.bool_],
    drifts: NDArray[np.float32],
    taps: NDArray[np.float64],
    at: NDArray[np.int64],
    starts: NDArray[np.int64],
    width: NDArray[np.float64],
    rough: NDArray[np.float64],
    join: NDArray[np.float64],
    places: NDArray[np.int64],
    runs: NDArray[np.int64],
    before: int,
    centres: NDArray[np.float64],
    sides: NDArray[np.float64],
    contrast: NDArray[np.float64],
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return what each template reads in each look of each trial, and whether it sees its place.

    Args:
        pull: ``(look, y, x, band)``: r / v, 0 where unknown.
        inverse: ``(look, y, x, band)``: 1 / v, 0 where unknown.
        known: ``(look, y, x)``.
        drifts: ``(look, y, x, drift, band)``: see `imagery.change.matched.Residuals`.
        taps: ``(tap)``: mixing fractions of all templates, one after the other.
        at: ``(tap, 2)``: row and column of each tap beside the template's place.
        starts: ``(template + 1)``: where the taps of each begin.
        width: ``(template, band)``: square root of the inflation.
        rough: ``(template, y, x)``: by what z is divided besides; 1 by 1 where all places are alike.
        join: ``(band, band)``: inverse correlation of the bands.
        places: ``(trial, template, 2)``: row and column; a row below 0 is no place.
        runs: ``(trial, time)``: which look comes when.
        before: Times before the change.
        centres: ``(trial, time, 2)``: row and column of the planted square's centre as this look shows it.
        sides: ``(size)``: of the planted squares, in pixels.
        contrast: ``(band)``.

    Returns:
        z, ``(trial, size, time, template, band)``, and seen, ``(trial, time, template)``.
    """
    trials, times = runs.shape
    _, height, breadth, bands = pull.shape
    count, sizes, kinds = starts.size - 1, sides.size, drifts.shape[3]
    z = np.zeros((trials, sizes, times, count, bands), dtype=np.float32)
    seen = np.zeros((trials, times, count), dtype=np.bool_)
    down, across = np.zeros((sizes, height)), np.zeros((sizes, breadth))
    signal, weight, noise = np.zeros((sizes, bands)), np.zeros(bands), np.zeros(bands)
    shared, rows = np.zeros((kinds, bands)), np.zeros((sizes, bands))
    for trial in range(trials):
        for time in range(times):
            look, stands = runs[trial, time], time >= before
            if stands:
                for size in range(sizes):
                    _lay(down[size], centres[trial, time, 0], sides[size])
                    _lay(across[size], centres[trial, time, 1], sides[size])
            for number in range(count):
                row, column = places[trial, number, 0], places[trial, number, 1]
                if row < 0:
                    continue
                signal[:], weight[:], noise[:], shared[:] = 0, 0, 0, 0
                power, cover = 0.0, 0.0
                for tap in range(starts[number], starts[number + 1]):
                    p = taps[tap]
                    power += p * p
                    y, x = row + at[tap, 0], column + at[tap, 1]
                    if y < 0 or y >= height or x < 0 or x >= breadth or not known[look, y, x]:
                        continue
                    cover += p * p
                    for band in range(bands):
                        held = p * inverse[look, y, x, band]
                        weight[band] += p * held
                        noise[band] += p * pull[look, y, x, band]
                        for kind in range(kinds):
                            shared[kind, band] += held * drifts[look, y, x, kind, band]
                    if stands:
                        for size in range(sizes):
                            fraction = p * down[size, y] * across[size, x]
                            if fraction > 0:
                                for band in range(bands):
                                    signal[size, band] += fraction * inverse[look, y, x, band]
                if cover < MIN_COVER * power:
                    continue
                seen[trial, time, number] = True
                for band in range(bands):
                    yard = math.sqrt(max(weight[band], _LEAST)) * width[number, band]
                    for size in range(sizes):
                        rows[size, band] = (noise[band] + contrast[band] * signal[size, band]) / yard
                    for kind in range(kinds):
                        shared[kind, band] /= yard
                for kind in range(kinds):
                    _whiten(rows, shared[kind], join)
                    # What is whitened already must not be whitened once more along the next drift.
                    _whiten(shared[kind + 1 :], shared[kind], join)
                uneven = rough[number, row % rough.shape[1], column % rough.shape[2]]
                for size in range(sizes):
                    for band in range(bands):
                        z[trial, size, time, number, band] = rows[size, band] / uneven
    return z, seen


@compiled
def _product(one: NDArray[np.float64], join: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    total = 0.0
    for a in range(one.size):
        for b in range(one.size):
            total += one[a] * join[a, b] * other[b]
    return total


@compiled
def first_seen(
    z: NDArray[np.float32],
    seen: NDArray[np.bool_],
    before: int,
    join: NDArray[np.float64],
    bars: NDArray[np.float64],
    back: NDArray[np.int64],
    cut: float,
) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return whether the first look with the change stands out alone, and how many looks a candidate takes.

    Args:
        z: ``(trial, size, time, template, band)``.
        seen: ``(trial, time, template)``.
        before: Times before the change.
        join: ``(band, band)``.
        bars: Thresholds of one look alone, of two that agree, of three, of the sum.
        back: How many looks back the one may lie that agrees, the two may, and how many are summed.
        cut: Standard deviations that one look may add to it.

    Returns:
        Both ``(trial, size)``; `NEVER` where no look raises one.
    """
    trials, sizes, times, count, bands = z.shape
    alone = np.zeros((trials, sizes), dtype=np.bool_)
    found = np.full((trials, sizes), NEVER, dtype=np.int64)
    one, other, third, total = np.zeros(bands), np.zeros(bands), np.zeros(bands), np.zeros(bands)
    agreeing, thrice, sum_looks = back
    for trial in range(trials):
        for size in range(sizes):
            for time in range(before, times):
                if found[trial, size] < NEVER:
                    break
                for number in range(count):
                    if not seen[trial, time, number]:
                        continue
                    for band in range(bands):
                        one[band] = z[trial, size, time, number, band]
                    own = _product(one, join, one)
                    if time == before and math.sqrt(max(own, 0.0)) >= bars[0]:
                        alone[trial, size] = True
                    for earlier in range(max(time - agreeing, before), time):
                        if not seen[trial, earlier, number]:
                            continue
                        for band in range(bands):
                            other[band] = z[trial, size, earlier, number, band]
                        louder = math.sqrt(max(own, _product(other, join, other), _LEAST))
                        if math.sqrt(2) * _product(one, join, other) / louder >= bars[1]:
                            found[trial, size] = time - before + 1
                    for earlier in range(max(time - thrice, before), time):
                        if not seen[trial, earlier, number]:
                            continue
                        for band in range(bands):
                            other[band] = z[trial, size, earlier, number, band]
                        for between in range(earlier + 1, time):
                            if not seen[trial, between, number]:
                                continue
                            for band in range(bands):
                                third[band] = z[trial, size, between, number, band]
                                total[band] = one[band] + other[band] + third[band]
                            length = math.sqrt(max(_product(total, join, total), _LEAST))
                            least = min(
                                _product(one, join, total),
                                _product(other, join, total),
                                _product(third, join, total),
                            )
                            if math.sqrt(3) * least / length >= bars[2]:
                                found[trial, size] = time - before + 1
                first = time + 1 - sum_looks
                if first < 0:
                    continue
                for number in range(count):
                    held = 0
                    total[:] = 0
                    for each in range(first, time + 1):
                        if seen[trial, each, number]:
                            held += 1
                            for band in range(bands):
                                total[band] += min(max(z[trial, size, each, number, band], -cut), cut)
                    if held < max(sum_looks - 1, 1):
                        continue
                    if math.sqrt(max(_product(total, join, total), 0.0) / held) >= bars[3]:
                        found[trial, size] = time - before + 1
    return alone, found
