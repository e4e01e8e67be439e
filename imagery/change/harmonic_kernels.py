"""The compiled loops of the harmonic fit: tiles of pixels side by side, so that a step is one vector.

All looks of a tile stay in the cache while it is fitted. Each pixel's arithmetic is its own: what a tile
holds beside it changes no bit of the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imagery.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

TILE_PX = 128
"""Pixels fitted side by side: values, mask and residuals of 60 looks fill 92 kB, well inside the cache."""

SEASON_COLUMNS = 5
"""Constant, and cosine and sine of the year and of the half year: always there, zero where not supported."""

MIN_ORBIT_LOOKS = 6
"""An orbit gets an offset from this many looks on, where a pixel has as many with it and without it."""

HUBER_CLIP = np.float32(1.345)
"""Residuals pull with at most this many standard deviations: 95 % efficient on Gaussian noise."""

TRUNCATION = np.float32(3.0)
"""Residuals further out than this many (robust) deviations say nothing of the spread."""

MAD_TO_SIGMA = np.float32(1.4826)
_TRUNCATED_SD = np.float32(0.98658)  # standard deviation of a Gaussian cut at +-3
_ROUNDS = 3
_STEPS = 2
_COARSE_BITS = 12
_FINE_BITS = 15
_TOP_BIT = 14


@compiled
def gather_mask(history: NDArray[np.float32], start: int, width: int, mask: NDArray[np.float32]) -> None:
    """Fill ``mask (time, TILE_PX)`` with 1 where every band has a value, else 0."""
    looks, bands, _ = history.shape
    for look in range(looks):
        for lane in range(TILE_PX):
            mask[look, lane] = np.float32(1.0) if lane < width else np.float32(0.0)
        for band in range(bands):
            for lane in range(width):
                value = history[look, band, start + lane]
                mask[look, lane] = mask[look, lane] if np.isfinite(value) else np.float32(0.0)


@compiled
def gather_values(
    history: NDArray[np.float32],
    band: int,
    start: int,
    width: int,
    mask: NDArray[np.float32],
    values: NDArray[np.float32],
) -> None:
    """Fill ``values (time, TILE_PX)`` with one band, 0 where the mask is."""
    for look in range(len(history)):
        for lane in range(width):
            value = history[look, band, start + lane]
            values[look, lane] = value if mask[look, lane] > 0 else np.float32(0.0)


@compiled
def gram(
    design: NDArray[np.float32],
    mask: NDArray[np.float32],
    out: NDArray[np.float64],
    work: NDArray[np.float32],
) -> None:
    """Fill ``out (coef, coef, TILE_PX)`` with the sums of products of the columns over what is clear."""
    looks, columns = design.shape
    total = work[0]
    for row in range(columns):
        for column in range(row + 1):
            total[:] = np.float32(0.0)
            for look in range(looks):
                product = design[look, row] * design[look, column]
                for lane in range(TILE_PX):
                    total[lane] += product * mask[look, lane]
            for lane in range(TILE_PX):
                out[row, column, lane] = out[column, row, lane] = np.float64(total[lane])


@compiled
def support(sums: NDArray[np.float64], needed: NDArray[np.float64], used: NDArray[np.float64]) -> None:
    """Fill ``used (coef, TILE_PX)`` with 1 where a pixel's own looks support a column, else 0.

    A column of the season needs `needed` values; an orbit's offset needs `MIN_ORBIT_LOOKS` with it and as
    many without it.
    """
    for column in range(len(sums)):
        for lane in range(TILE_PX):
            count = sums[0, 0, lane]
            enough = count >= needed[column]
            if column >= SEASON_COLUMNS:
                own = sums[0, column, lane]
                enough = enough and own >= MIN_ORBIT_LOOKS and count - own >= MIN_ORBIT_LOOKS
            used[column, lane] = 1.0 if enough else 0.0


@compiled
def restrict(sums: NDArray[np.float64], used: NDArray[np.float64], ridge: NDArray[np.float64]) -> None:
    """Add the ridge, and cut the columns that are not used off from the others."""
    columns = len(sums)
    for row in range(columns):
        for column in range(columns):
            for lane in range(TILE_PX):
                sums[row, column, lane] *= used[row, lane] * used[column, lane]
        for lane in range(TILE_PX):
            sums[row, row, lane] += ridge[row] + 1.0 - used[row, lane]


@compiled
def invert(sums: NDArray[np.float64]) -> None:
    """Invert ``sums (coef, coef, TILE_PX)`` in place, lane by lane.

    Gauss-Jordan without pivoting, which is stable on positive definite matrices.
    """
    columns = len(sums)
    for pivot in range(columns):
        for lane in range(TILE_PX):
            sums[pivot, pivot, lane] = 1.0 / sums[pivot, pivot, lane]
        for row in range(columns):
            if row != pivot:
                for lane in range(TILE_PX):
                    sums[row, pivot, lane] *= sums[pivot, pivot, lane]
                for column in range(columns):
                    if column != pivot:
                        for lane in range(TILE_PX):
                            sums[row, column, lane] -= sums[row, pivot, lane] * sums[pivot, column, lane]
        for column in range(columns):
            if column != pivot:
                for lane in range(TILE_PX):
                    sums[pivot, column, lane] *= -sums[pivot, pivot, lane]


@compiled
def predict_look(
    row: NDArray[np.float32], coefficients: NDArray[np.float32], out: NDArray[np.float32]
) -> None:
    """Fill ``out (TILE_PX)`` with what ``coefficients (coef, TILE_PX)`` predict for one row of the design."""
    level, cos1, sin1, cos2, sin2 = row[0], row[1], row[2], row[3], row[4]
    for lane in range(TILE_PX):
        out[lane] = (
            level * coefficients[0, lane]
            + cos1 * coefficients[1, lane]
            + sin1 * coefficients[2, lane]
            + cos2 * coefficients[3, lane]
            + sin2 * coefficients[4, lane]
        )
    for column in range(SEASON_COLUMNS, len(row)):
        for lane in range(TILE_PX):
            out[lane] += row[column] * coefficients[column, lane]


@compiled
def add_pulls(
    values: NDArray[np.float32],
    mask: NDArray[np.float32],
    design: NDArray[np.float32],
    clip: NDArray[np.float32],
    coefficients: NDArray[np.float32],
    total: NDArray[np.float32],
) -> None:
    """Add each look's capped residuals, times its row, to ``total (coef, TILE_PX)``: the season alone.

    One loop over few arrays, so that it becomes one vector loop and only totals go through memory.
    """
    for look in range(len(values)):
        row = design[look]
        level, cos1, sin1, cos2, sin2 = row[0], row[1], row[2], row[3], row[4]
        for lane in range(TILE_PX):
            predicted = (
                level * coefficients[0, lane]
                + cos1 * coefficients[1, lane]
                + sin1 * coefficients[2, lane]
                + cos2 * coefficients[3, lane]
                + sin2 * coefficients[4, lane]
            )
            residual = (values[look, lane] - predicted) * mask[look, lane]
            capped = min(max(residual, -clip[lane]), clip[lane])
            total[0, lane] += level * capped
            total[1, lane] += cos1 * capped
            total[2, lane] += sin1 * capped
            total[3, lane] += cos2 * capped
            total[4, lane] += sin2 * capped


@compiled
def add_pulls_of_orbits(
    values: NDArray[np.float32],
    mask: NDArray[np.float32],
    design: NDArray[np.float32],
    clip: NDArray[np.float32],
    coefficients: NDArray[np.float32],
    total: NDArray[np.float32],
    pull: NDArray[np.float32],
) -> None:
    """Do the same for a design of any number of columns."""
    for look in range(len(values)):
        predict_look(design[look], coefficients, pull)
        for lane in range(TILE_PX):
            residual = (values[look, lane] - pull[lane]) * mask[look, lane]
            pull[lane] = min(max(residual, -clip[lane]), clip[lane])
        for column in range(len(total)):
            for lane in range(TILE_PX):
                total[column, lane] += design[look, column] * pull[lane]


@compiled
def step(
    values: NDArray[np.float32],
    mask: NDArray[np.float32],
    design: NDArray[np.float32],
    inverse: NDArray[np.float32],
    ridge: NDArray[np.float32],
    clip: NDArray[np.float32],
    coefficients: NDArray[np.float32],
    work: NDArray[np.float32],
) -> None:
    """Move the coefficients by the pull of the residuals, each capped at ``clip (TILE_PX)``.

    Huber's modified residuals: the fixed point is that of reweighting, and the inverse stays the same
    for all bands and steps.
    """
    columns = len(coefficients)
    total = work[:columns]
    total[:] = np.float32(0.0)
    if columns == SEASON_COLUMNS:
        add_pulls(values, mask, design, clip, coefficients, total)
    else:
        add_pulls_of_orbits(values, mask, design, clip, coefficients, total, work[columns])
    for column in range(columns):
        for lane in range(TILE_PX):
            total[column, lane] -= ridge[column] * coefficients[column, lane]
    for column in range(columns):
        for other in range(columns):
            for lane in range(TILE_PX):
                coefficients[column, lane] += inverse[column, other, lane] * total[other, lane]


@compiled
def residuals(
    values: NDArray[np.float32],
    mask: NDArray[np.float32],
    design: NDArray[np.float32],
    coefficients: NDArray[np.float32],
    sizes: NDArray[np.float32],
    ranked: NDArray[np.int16],
) -> None:
    """Fill ``sizes (time, TILE_PX)`` with the size of each residual, infinite where the mask is 0.

    `ranked` gets their upper halves: non-negative floats sort like their bits, and 16 of them tell sizes
    apart to a hundredth.
    """
    bits = sizes.view(np.int32)
    for look in range(len(values)):
        predict_look(design[look], coefficients, sizes[look])
        for lane in range(TILE_PX):
            size = abs(values[look, lane] - sizes[look, lane])
            sizes[look, lane] = size if mask[look, lane] > 0 else np.float32(np.inf)
        for lane in range(TILE_PX):
            ranked[look, lane] = np.int16(bits[look, lane] >> 16)


@compiled
def middle(
    ranked: NDArray[np.int16],
    rank: NDArray[np.int16],
    depth: int,
    out: NDArray[np.float32],
    work: NDArray[np.int16],
) -> None:
    """Fill ``out (TILE_PX)`` with the size of a rank (from 1) over time, cut off after `depth` bits.

    The answer is built bit by bit, by counting: no branch, no sorting.
    """
    found, guess, below = work[0], work[1], work[2]
    found[:] = 0
    for place in range(depth):
        weight = np.int16(1 << (_TOP_BIT - place))
        for lane in range(TILE_PX):
            guess[lane] = found[lane] | weight
            below[lane] = 0
        for look in range(len(ranked)):
            for lane in range(TILE_PX):
                below[lane] += np.int16(ranked[look, lane] < guess[lane])
        for lane in range(TILE_PX):
            found[lane] = guess[lane] if below[lane] < rank[lane] else found[lane]
    bits = out.view(np.int32)
    for lane in range(TILE_PX):
        bits[lane] = np.int32(found[lane]) << 16


@compiled
def truncated_deviation(
    sizes: NDArray[np.float32],
    rough: NDArray[np.float32],
    freedom: NDArray[np.float32],
    work: NDArray[np.float32],
    out: NDArray[np.float32],
) -> None:
    """Fill ``out (TILE_PX)`` with the deviation of the residuals within `TRUNCATION` rough ones."""
    total, number = work[0], work[1]
    total[:] = np.float32(0.0)
    number[:] = np.float32(0.0)
    for look in range(len(sizes)):
        for lane in range(TILE_PX):
            size = sizes[look, lane]
            inside = size <= TRUNCATION * rough[lane]
            total[lane] += size * size if inside else np.float32(0.0)
            number[lane] += np.float32(1.0) if inside else np.float32(0.0)
    for lane in range(TILE_PX):
        mean = total[lane] / max(number[lane], np.float32(1.0))
        out[lane] = np.sqrt(mean) * freedom[lane] / _TRUNCATED_SD


@compiled
def fit_band(
    values: NDArray[np.float32],
    mask: NDArray[np.float32],
    design: NDArray[np.float32],
    inverse: NDArray[np.float32],
    ridge: NDArray[np.float32],
    rank: NDArray[np.int16],
    freedom: NDArray[np.float32],
    floor: np.float32,
    found: NDArray[np.float32],
    deviation: NDArray[np.float32],
    rooms: tuple[NDArray[np.float32], NDArray[np.int16], NDArray[np.float32], NDArray[np.int16]],
) -> None:
    """Fill ``found (coef, TILE_PX)`` and ``deviation (TILE_PX)`` from the looks of one band in a tile."""
    sizes, ranked, work, counts = rooms
    clip = deviation
    found[:] = np.float32(0.0)
    clip[:] = np.float32(np.inf)
    step(values, mask, design, inverse, ridge, clip, found, work)
    for _ in range(_ROUNDS):
        residuals(values, mask, design, found, sizes, ranked)
        middle(ranked, rank, _COARSE_BITS, clip, counts)
        for lane in range(TILE_PX):
            clip[lane] = HUBER_CLIP * max(MAD_TO_SIGMA * clip[lane] * freedom[lane], floor)
        for _ in range(_STEPS):
            step(values, mask, design, inverse, ridge, clip, found, work)
    residuals(values, mask, design, found, sizes, ranked)
    rough = work[2]
    middle(ranked, rank, _FINE_BITS, rough, counts)
    for lane in range(TILE_PX):
        rough[lane] = max(MAD_TO_SIGMA * rough[lane] * freedom[lane], floor)
    truncated_deviation(sizes, rough, freedom, work, deviation)


@compiled
def fit_all(
    history: NDArray[np.float32],
    design: NDArray[np.float32],
    needed: NDArray[np.float64],
    ridge: NDArray[np.float64],
    floor: float,
    out: tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int32], NDArray[np.float32]],
) -> None:
    """Fit every pixel; see `imagery.change.harmonics.fit`.

    Args:
        history: ``(time, band, pixel)``, NaN where hidden.
        design: ``(time, coef)``.
        needed: ``(coef)``: values that a pixel needs for a column.
        ridge: ``(coef)``.
        floor: Lowest scale of residuals while fitting, in units of the values.
        out: Coefficients ``(coef, band, pixel)``, deviation ``(band, pixel)``, count ``(pixel)``, and the
            inverse ``(coef * (coef + 1) / 2, pixel)``: its lower triangle, row by row.
    """
    coefficients, deviation, count, inverse = out
    looks, bands, pixels = history.shape
    columns = design.shape[1]
    mask = np.empty((looks, TILE_PX), np.float32)
    values = np.zeros((looks, TILE_PX), np.float32)
    sums = np.empty((columns, columns, TILE_PX), np.float64)
    used = np.empty((columns, TILE_PX), np.float64)
    found = np.empty((columns, TILE_PX), np.float32)
    spread = np.empty(TILE_PX, np.float32)
    rank = np.empty(TILE_PX, np.int16)
    freedom = np.empty(TILE_PX, np.float32)
    work = np.empty((columns + 1, TILE_PX), np.float32)
    sizes = np.empty((looks, TILE_PX), np.float32)
    ranked = np.empty((looks, TILE_PX), np.int16)
    rooms = (sizes, ranked, work, np.empty((3, TILE_PX), np.int16))
    weak = ridge.astype(np.float32)
    for start in range(0, pixels, TILE_PX):
        width = min(TILE_PX, pixels - start)
        gather_mask(history, start, width, mask)
        gram(design, mask, sums, work)
        support(sums, needed, used)
        for lane in range(TILE_PX):
            number, spent = sums[0, 0, lane], used[:, lane].sum()
            rank[lane] = np.int16((number + 1) // 2)
            freedom[lane] = np.float32(np.sqrt(number / max(number - spent, 1.0)))
        for lane in range(width):
            count[start + lane] = np.int32(sums[0, 0, lane])
        restrict(sums, used, ridge)
        invert(sums)
        place = 0
        for row in range(columns):
            for lane in range(TILE_PX):
                sums[row, row, lane] *= used[row, lane]
            for column in range(row + 1):
                for lane in range(width):
                    inverse[place, start + lane] = np.float32(sums[row, column, lane])
                place += 1
        shared = sums.astype(np.float32)
        for band in range(bands):
            gather_values(history, band, start, width, mask, values)
            fit_band(
                values, mask, design, shared, weak, rank, freedom, np.float32(floor), found, spread, rooms
            )
            for lane in range(width):
                deviation[band, start + lane] = spread[lane]
            for column in range(columns):
                for lane in range(width):
                    coefficients[column, band, start + lane] = found[column, lane]
