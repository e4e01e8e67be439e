"""Compiled passes of IR-MAD: pixels packed in blocks, one pass a round that judges, weighs and sums.

A round needs the weighted second moments of all bands of both dates, and the weights come from the round
before. One pass does both while a block of pixels lies in the nearest cache. Products are made in the
pixels' own precision and summed in float64.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from imagery.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

LANES = 128
"""Pixels in a block."""

LAST_ROOT = 10.0
"""The chi-square tail is tabled over the root of the statistic up to here, and beyond it is that here: at
most 3e-15, and never so small that arithmetic slows down."""

_FLUSH = 16
"""Blocks that are summed in the pixels' precision before the sums move to float64."""


@cache
def tail_table(degrees: int, kind: np.dtype[np.floating]) -> NDArray[np.floating]:
    """Return the chi-square tail as cubics over the root of the statistic, ``(piece, 4)``, constant first.

    Hermite interpolation: good to 2e-10 in float64 and to 3e-7 in float32, for 1 to 13 degrees.
    """
    pieces = 1024 if kind.itemsize > 4 else 256  # noqa: PLR2004 - bytes of a float32
    root, step = np.linspace(0, LAST_ROOT, pieces + 1, retstep=True)
    tail = special.gammaincc(degrees / 2, root**2 / 2)
    # The slope over the root is minus the density of the chi distribution.
    log_scale = (1 - degrees / 2) * np.log(2) - special.gammaln(degrees / 2)
    slope = -step * np.exp(log_scale - root**2 / 2) * root ** (degrees - 1)
    drop = tail[1:] - tail[:-1]
    square = 3 * drop - 2 * slope[:-1] - slope[1:]
    cube = slope[:-1] + slope[1:] - 2 * drop
    return np.stack([tail[:-1], slope[:-1], square, cube], axis=1).astype(kind)


@compiled
def finite_pixels(before: NDArray[np.floating], after: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Return where every band of both ``(band, pixel)`` dates is finite, ``(pixel)``."""
    bands, pixels = before.shape
    valid = np.ones(pixels, dtype=np.bool_)
    for date in (before, after):
        for band in range(bands):
            for i in range(pixels):
                valid[i] &= np.isfinite(date[band, i])
    return valid


@compiled
def packed(
    before: NDArray[np.floating], after: NDArray[np.floating], where: NDArray[np.intp]
) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Return some pixels of both ``(band, pixel)`` dates, and the least and largest value of each.

    Args:
        before: ``(band, pixel)``.
        after: The same.
        where: The pixels, at least one.

    Returns:
        ``(block, 2 * band, lane)``, the last pixel repeated to the end, and ``(2, 2 * band)``.
    """
    bands = len(before)
    blocks = (where.size + LANES - 1) // LANES
    out = np.empty((blocks, 2 * bands, LANES), dtype=before.dtype)
    bounds = np.empty((2, 2 * bands), dtype=before.dtype)
    least, largest = np.empty(LANES, before.dtype), np.empty(LANES, before.dtype)
    for variable in range(2 * bands):
        source = before[variable] if variable < bands else after[variable - bands]
        least[:] = source[where[0]]
        largest[:] = source[where[0]]
        for block in range(blocks):
            first = block * LANES
            here = min(LANES, where.size - first)
            for lane in range(here):
                out[block, variable, lane] = source[where[first + lane]]
            out[block, variable, here:] = source[where[-1]]
            for lane in range(LANES):
                value = out[block, variable, lane]
                least[lane] = min(least[lane], value)
                largest[lane] = max(largest[lane], value)
        bounds[0, variable], bounds[1, variable] = least.min(), largest.max()
    return out, bounds


@compiled
def round_moments(
    blocks: NDArray[np.floating],
    count: int,
    scaling: NDArray[np.float64],
    variates: NDArray[np.float64],
    table: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Weigh each pixel by what the last round's variates say, and sum.

    Args:
        blocks: From `packed`.
        count: Pixels in them.
        scaling: ``(2, variable)``: centre and inverse spread of each band of each date.
        variates: ``(variate, variable + 1)``: coefficients of the scaled values and a constant; the squares
            of the variates add up to the statistic. Without any, all pixels weigh 1.
        table: From `tail_table`.

    Returns:
        ``(variable + 1, variable + 1)``: weighted products of the scaled values and 1 (last).
    """
    variables = blocks.shape[1]
    kind = blocks.dtype
    x = np.ones((variables + 1, LANES), kind)
    weight = np.ones(LANES, kind)
    sums = np.zeros(((variables + 1) * (variables + 2) // 2, LANES), kind)
    total = np.zeros(((variables + 1) * (variables + 2) // 2, LANES))
    centre, inverse = scaling[0].astype(kind), scaling[1].astype(kind)
    coefficients = variates.astype(kind)
    for block in range(len(blocks)):
        for v in range(variables):
            c, s = centre[v], inverse[v]
            for lane in range(LANES):
                x[v, lane] = (blocks[block, v, lane] - c) * s
        if len(variates):
            _weigh(x, coefficients, table, weight)
        if block == len(blocks) - 1:
            weight[count - block * LANES :] = 0
        _add_products(x, weight, sums)
        if block % _FLUSH == _FLUSH - 1:
            total += sums
            sums[:] = 0
    total += sums
    out = np.empty((variables + 1, variables + 1))
    pair = 0
    for i in range(variables + 1):
        for k in range(i, variables + 1):
            out[i, k] = out[k, i] = total[pair].sum()
            pair += 1
    return out


@compiled
def _weigh(
    x: NDArray[np.floating],
    variates: NDArray[np.floating],
    table: NDArray[np.floating],
    weight: NDArray[np.floating],
) -> None:
    z = np.zeros(LANES, x.dtype)
    u = np.empty(LANES, x.dtype)
    variables = x.shape[0] - 1
    for k in range(len(variates)):
        u[:] = variates[k, variables]
        for v in range(0, variables, 2):
            a, b = variates[k, v], variates[k, v + 1]
            for lane in range(LANES):
                u[lane] += a * x[v, lane] + b * x[v + 1, lane]
        for lane in range(LANES):
            z[lane] += u[lane] * u[lane]
    tails(z, table, weight)


@compiled
def tails(z: NDArray[np.floating], table: NDArray[np.floating], out: NDArray[np.floating]) -> None:
    """Fill in the tail of each statistic; past the table's end it is that at the end."""
    pieces = len(table)
    place = np.empty(z.size, z.dtype)
    scale = z.dtype.type(pieces / LAST_ROOT)
    end = z.dtype.type(pieces) - z.dtype.type(0.001)
    for lane in range(z.size):
        place[lane] = min(np.sqrt(z[lane]) * scale, end)
    for lane in range(z.size):
        piece = np.int32(place[lane])
        t = place[lane] - z.dtype.type(piece)
        tail = ((table[piece, 3] * t + table[piece, 2]) * t + table[piece, 1]) * t + table[piece, 0]
        out[lane] = min(tail, z.dtype.type(1))


@compiled
def _add_products(x: NDArray[np.floating], weight: NDArray[np.floating], sums: NDArray[np.floating]) -> None:
    variables = x.shape[0]
    weighted = np.empty(LANES, x.dtype)
    pair = 0
    for i in range(variables):
        for lane in range(LANES):
            weighted[lane] = weight[lane] * x[i, lane]
        for k in range(i, variables):
            for lane in range(LANES):
                sums[pair, lane] += weighted[lane] * x[k, lane]
            pair += 1


@compiled
def statistic(
    blocks: NDArray[np.floating],
    scaling: NDArray[np.float64],
    variates: NDArray[np.float64],
    valid: NDArray[np.bool_],
    table: NDArray[np.floating],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return statistic and weight of each pixel, ``(pixel)`` each, NaN and 0 where not valid; in float64."""
    variables = blocks.shape[1]
    z = np.full(valid.size, np.nan)
    weights = np.zeros(valid.size)
    x = np.ones((variables + 1, LANES))
    square = np.empty(LANES)
    weight = np.empty(LANES)
    u = np.empty(LANES)
    block = 0
    lane = LANES
    for i in range(valid.size):
        if not valid[i]:
            continue
        if lane == LANES:
            for v in range(variables):
                for k in range(LANES):
                    x[v, k] = (blocks[block, v, k] - scaling[0, v]) * scaling[1, v]
            square[:] = 0
            for variate in range(len(variates)):
                u[:] = variates[variate, variables]
                for v in range(variables):
                    for k in range(LANES):
                        u[k] += variates[variate, v] * x[v, k]
                for k in range(LANES):
                    square[k] += u[k] * u[k]
            tails(square, table, weight)
            block += 1
            lane = 0
        z[i] = square[lane]
        weights[i] = weight[lane]
        lane += 1
    return z, weights
