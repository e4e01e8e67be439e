"""Compiled passes over pixels that aligning needs: correlation at whole shifts, moments at a fraction of one.

A look is compared with the reference at ``look(x + dx, y + dy)``: `dx`, `dy` say how far right and down of
the reference's the look's content lies. Sums run along rows into one accumulator a column, which the
compiler turns into vector instructions without reordering anything.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imagery.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

VARIABLES = 5
"""Rows and columns of the moments: reference, one, its x and y gradient, the look."""

TAPS = 8
"""Weights of a smoothing kernel; the fourth is at the pixel itself."""

PAD = 16
"""Pixels by which a look can be moved sideways, less half a kernel."""

_SUMS = 6
_FLUSH = 16
_PAIRS = 15


@compiled
def _row(columns: int) -> NDArray[np.float32]:
    return np.empty(columns, dtype=np.float32)


@compiled
def eroded(mask: NDArray[np.bool_], radius: int) -> NDArray[np.float32]:
    """Return 1 where the square around a pixel is True throughout and inside the frame, else 0."""
    rows, columns = mask.shape
    out = np.zeros((rows, columns), dtype=np.float32)
    run = np.zeros(columns, dtype=np.int64)
    for y in range(rows):
        along = 0
        for x in range(columns):
            run[x] = run[x] + 1 if mask[y, x] else 0
            along = along + 1 if run[x] > 2 * radius else 0
            if along > 2 * radius:
                out[y - radius, x - radius] = 1
    return out


@compiled
def detail(values: NDArray[np.float32], clear: NDArray[np.bool_], radius: int) -> NDArray[np.float32]:
    """Return each value less the mean of the clear ones in the square around it; 0 where not clear.

    What haze, soil moisture and crops change is smooth over some pixels and goes with the mean; edges stay.
    """
    rows, columns = values.shape
    out = np.zeros((rows, columns), dtype=np.float32)
    known, filled = np.zeros((rows, columns), np.float32), np.zeros((rows, columns), np.float32)
    for y in range(rows):
        for x in range(columns):
            if clear[y, x]:
                known[y, x] = 1
                filled[y, x] = values[y, x]
    count, total = _row(columns + 2 * radius), _row(columns + 2 * radius)
    for y in range(rows):
        count[:] = 0
        total[:] = 0
        for row in range(max(0, y - radius), min(rows, y + radius + 1)):
            for x in range(columns):
                count[radius + x] += known[row, x]
                total[radius + x] += filled[row, x]
        around, mean = _row(columns), _row(columns)
        around[:] = 0
        mean[:] = 0
        for step in range(2 * radius + 1):
            for x in range(columns):
                around[x] += count[x + step]
                mean[x] += total[x + step]
        for x in range(columns):
            out[y, x] = known[y, x] * (filled[y, x] - mean[x] / max(around[x], np.float32(1)))
    return out


@compiled
def whole_correlations(
    look: NDArray[np.float32],
    reference: NDArray[np.float32],
    clear: NDArray[np.float32],
    reach: int,
    row_step: int,
) -> NDArray[np.float64]:
    """Correlate at every whole shift of up to `reach` pixels over what is clear at both ends.

    Masked normalised cross-correlation (D. Padfield, "Masked object registration in the Fourier domain",
    IEEE Transactions on Image Processing 21(5), 2012, 2706-2718), summed directly: a few shifts of a small
    chip cost less so than by Fourier transforms.

    Args:
        look: ``(y, x)``, of mean zero, 0 where not clear.
        reference: The same.
        clear: ``(y, x)``, 1 or 0.
        reach: Largest shift either way, pixels.
        row_step: Every so many rows of the reference are used.

    Returns:
        ``(2 * reach + 1, 2 * reach + 1)`` by (dy, dx); 0 where nothing overlaps or varies.
    """
    rows, columns = look.shape
    side = 2 * reach + 1
    out = np.zeros((side, side))
    sums = np.empty((_SUMS, columns), dtype=np.float32)
    both, a, b = _row(columns), _row(columns), _row(columns)
    for shift in range(side * side):
        dy, dx = shift // side - reach, shift % side - reach
        sums[:] = 0
        first, last = max(0, -dx), min(columns, columns - dx)
        for y in range(max(0, -dy), min(rows, rows - dy), row_step):
            for x in range(first, last):
                both[x] = clear[y, x] * clear[y + dy, x + dx]
            for x in range(first, last):
                a[x] = reference[y, x] * both[x]
                b[x] = look[y + dy, x + dx] * both[x]
            for x in range(first, last):
                sums[0, x] += both[x]
                sums[1, x] += a[x]
                sums[2, x] += b[x]
            for x in range(first, last):
                sums[3, x] += a[x] * a[x]
                sums[4, x] += b[x] * b[x]
                sums[5, x] += a[x] * b[x]
        n, a1, b1, aa, bb, ab = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for x in range(columns):
            n += sums[0, x]
            a1 += sums[1, x]
            b1 += sums[2, x]
            aa += sums[3, x]
            bb += sums[4, x]
            ab += sums[5, x]
        if n > 0:
            spread = (aa - a1 * a1 / n) * (bb - b1 * b1 / n)
            if spread > 0:
                out[dy + reach, dx + reach] = (ab - a1 * b1 / n) / np.sqrt(spread)
    return out


@compiled
def bell_taps(fraction: float, sigma: float, taps: int) -> NDArray[np.float32]:
    """Return a Gaussian centred `fraction` right of the middle tap, of sum 1, ``(taps)``."""
    out = np.empty(taps)
    for tap in range(taps):
        out[tap] = np.exp(-0.5 * ((tap - taps // 2 + 1 - fraction) / sigma) ** 2)
    taps_of_one: NDArray[np.float32] = (out / out.sum()).astype(np.float32)
    return taps_of_one


@compiled
def slope_taps(fraction: float, sigma: float, taps: int) -> NDArray[np.float32]:
    """Return the kernel that takes the slope of what `bell_taps` smooths; a ramp has its own, ``(taps)``."""
    out = np.empty(taps)
    for tap in range(taps):
        offset = tap - taps // 2 + 1 - fraction
        out[tap] = offset * np.exp(-0.5 * (offset / sigma) ** 2)
    out -= out.mean()
    total = 0.0
    for tap in range(taps):
        total += out[tap] * tap
    taps_of_slope: NDArray[np.float32] = (out / total).astype(np.float32)
    return taps_of_slope


@compiled
def _moved_row(
    values: NDArray[np.float32],
    y: int,
    whole_x: int,
    down: NDArray[np.float32],
    across: NDArray[np.float32],
    column: NDArray[np.float32],
    moved: NDArray[np.float32],
) -> None:
    """Fill in what the kernels make of the pixels around row `y`, columns moved; zero lies beyond the frame.

    `column` is padded by `PAD` either side; more than that `whole_x` must not move.
    """
    rows, columns = values.shape
    column[:] = 0
    for tap in range(TAPS):
        row = y + tap - TAPS // 2 + 1
        if 0 <= row < rows:
            weight = down[tap]
            for x in range(columns):
                column[PAD + x] += weight * values[row, x]
    start = PAD + whole_x - TAPS // 2 + 1
    for x in range(columns):
        at = start + x
        moved[x] = (
            across[0] * column[at]
            + across[1] * column[at + 1]
            + across[2] * column[at + 2]
            + across[3] * column[at + 3]
            + across[4] * column[at + 4]
            + across[5] * column[at + 5]
            + across[6] * column[at + 6]
            + across[7] * column[at + 7]
        )


@compiled
def _used_row(
    clear: NDArray[np.float32], y: int, whole_y: int, whole_x: int, used: NDArray[np.float32]
) -> None:
    """Fill in 1 where row `y` is clear and so are the four pixels that it moved between."""
    rows, columns = clear.shape
    used[:] = 0
    top = y + whole_y
    if top < 0 or top + 1 >= rows:
        return
    for x in range(max(0, -whole_x), min(columns, columns - whole_x - 1)):
        at = x + whole_x
        used[x] = (
            clear[y, x] * clear[top, at] * clear[top, at + 1] * clear[top + 1, at] * clear[top + 1, at + 1]
        )


@compiled
def smoothed(
    values: NDArray[np.float32], down: NDArray[np.float32], across: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Correlate with a separable kernel of `TAPS` weights, the middle one the fourth, ``(y, x)``."""
    rows, columns = values.shape
    out = np.empty((rows, columns), dtype=np.float32)
    column = _row(columns + 2 * PAD)
    for y in range(rows):
        _moved_row(values, y, 0, down, across, column, out[y])
    return out


@compiled
def shift_moments(  # noqa: PLR0913, PLR0917 - compiled code takes arrays, not objects
    look: NDArray[np.float32],
    reference: NDArray[np.float32],
    slopes: NDArray[np.float32],
    clear: NDArray[np.float32],
    sigma: float,
    shift: tuple[float, float],
    line: tuple[float, float],
    cut: float,
    row_step: int,
) -> NDArray[np.float64]:
    """Return the weighted moments of (reference, 1, slope x, slope y, moved look), ``(5, 5)``.

    A pixel's weight is ``1 / (1 + (r / cut)^2)^2`` of its residual r from the line, which takes what
    changed out of the fit (S. Geman, D. McClure 1987); `cut` infinite weighs all alike.

    Args:
        look: ``(y, x)``, not smoothed yet, 0 where not clear.
        reference: ``(y, x)``, smoothed.
        slopes: ``(2, y, x)``, the reference's gradient along x and y.
        clear: ``(y, x)``, 1 or 0.
        sigma: Of the Gaussian that smooths the look, pixels.
        shift: (dx, dy) at which the look is read.
        line: Gain and bias: look ~ gain * reference + bias.
        cut: Residual at which a pixel weighs a quarter.
        row_step: Every so many rows are used.
    """
    rows, columns = look.shape
    whole_x, whole_y = int(np.floor(shift[0])), int(np.floor(shift[1]))
    down, across = bell_taps(shift[1] - whole_y, sigma, TAPS), bell_taps(shift[0] - whole_x, sigma, TAPS)
    gain, bias, steep = np.float32(line[0]), np.float32(line[1]), np.float32(1.0 / cut)
    one = np.float32(1)
    total = np.zeros((_PAIRS, columns))
    sums = np.zeros((_PAIRS, columns), dtype=np.float32)
    variables = np.ones((VARIABLES, columns), dtype=np.float32)
    weighted = np.empty((VARIABLES, columns), dtype=np.float32)
    column, weight = _row(columns + 2 * PAD), _row(columns)
    moved = variables[4]
    for number, y in enumerate(range(0, rows, row_step)):
        _used_row(clear, y, whole_y, whole_x, weight)
        _moved_row(look, y + whole_y, whole_x, down, across, column, moved)
        variables[0], variables[2], variables[3] = reference[y], slopes[0, y], slopes[1, y]
        for x in range(columns):
            u = (moved[x] - gain * reference[y, x] - bias) * steep
            spread = one + u * u
            weight[x] /= spread * spread
        _add_products(variables, weight, weighted, sums)
        if number % _FLUSH == _FLUSH - 1:
            total += sums
            sums[:] = 0
    total += sums
    out = np.empty((VARIABLES, VARIABLES))
    pair = 0
    for i in range(VARIABLES):
        for k in range(i, VARIABLES):
            out[i, k] = out[k, i] = total[pair].sum()
            pair += 1
    return out


@compiled
def _add_products(
    variables: NDArray[np.float32],
    weight: NDArray[np.float32],
    weighted: NDArray[np.float32],
    sums: NDArray[np.float32],
) -> None:
    """Add the weighted products of the rows of `variables`, column by column."""
    count, columns = variables.shape
    pair = 0
    for i in range(count):
        for x in range(columns):
            weighted[i, x] = weight[x] * variables[i, x]
        for k in range(i, count):
            for x in range(columns):
                sums[pair, x] += weighted[i, x] * variables[k, x]
            pair += 1


@compiled
def residual_sample(
    look: NDArray[np.float32],
    reference: NDArray[np.float32],
    clear: NDArray[np.float32],
    sigma: float,
    shift: tuple[float, float],
    line: tuple[float, float],
    row_step: int,
) -> NDArray[np.float32]:
    """Return the residuals of the moved look from the line in every `row_step`-th row, ``(pixels)``."""
    rows, columns = look.shape
    whole_x, whole_y = int(np.floor(shift[0])), int(np.floor(shift[1]))
    down, across = bell_taps(shift[1] - whole_y, sigma, TAPS), bell_taps(shift[0] - whole_x, sigma, TAPS)
    gain, bias = np.float32(line[0]), np.float32(line[1])
    column, moved, used = _row(columns + 2 * PAD), _row(columns), _row(columns)
    out = np.empty((rows // row_step + 1) * columns, dtype=np.float32)
    count = 0
    for y in range(0, rows, row_step):
        _used_row(clear, y, whole_y, whole_x, used)
        _moved_row(look, y + whole_y, whole_x, down, across, column, moved)
        for x in range(columns):
            out[count] = moved[x] - gain * reference[y, x] - bias
            count += 1 if used[x] > 0 else 0
    return out[:count]


@compiled
def shift_scores(  # noqa: PLR0913, PLR0917 - compiled code takes arrays, not objects
    look: NDArray[np.float32],
    reference: NDArray[np.float32],
    slopes: NDArray[np.float32],
    clear: NDArray[np.float32],
    sigma: float,
    shift: tuple[float, float],
    line: tuple[float, float],
    cut: float,
    partial: NDArray[np.float64],
    block_px: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return what each block of pixels adds to the shift's equations, and how steep those are.

    The steepness joins the slopes of both images: that of one alone would count its noise as texture.

    Args:
        look: As in `shift_moments`, and so is all down to `cut`.
        reference: See there.
        slopes: See there.
        clear: See there.
        sigma: See there.
        shift: See there.
        line: See there.
        cut: See there.
        partial: ``(2, 2)``: of slope x and y the (reference, 1) coefficients to take off, so that gain and
            bias take no part.
        block_px: Side of a block.

    Returns:
        ``(block, 2)``, the sums of weight * residual * slope, and ``(2, 2)``, their derivative by the shift.
    """
    rows, columns = look.shape
    whole_x, whole_y = int(np.floor(shift[0])), int(np.floor(shift[1]))
    down, across = bell_taps(shift[1] - whole_y, sigma, TAPS), bell_taps(shift[0] - whole_x, sigma, TAPS)
    downhill = slope_taps(shift[1] - whole_y, sigma, TAPS)
    sidehill = slope_taps(shift[0] - whole_x, sigma, TAPS)
    gain, bias, steep = np.float32(line[0]), np.float32(line[1]), np.float32(1.0 / cut)
    one, three = np.float32(1), np.float32(3)
    off = partial.astype(np.float32)
    wide = (columns + block_px - 1) // block_px
    scores = np.zeros(((rows + block_px - 1) // block_px * wide, 2))
    sums = np.zeros((4, columns))
    along = np.zeros((2, columns), dtype=np.float32)
    column, moved, used = _row(columns + 2 * PAD), _row(columns), _row(columns)
    slope_x, slope_y = _row(columns), _row(columns)
    for y in range(rows):
        _used_row(clear, y, whole_y, whole_x, used)
        _moved_row(look, y + whole_y, whole_x, down, across, column, moved)
        _moved_row(look, y + whole_y, whole_x, down, sidehill, column, slope_x)
        _moved_row(look, y + whole_y, whole_x, downhill, across, column, slope_y)
        for x in range(columns):
            r = reference[y, x]
            gx = slopes[0, y, x] - off[0, 0] * r - off[0, 1]
            gy = slopes[1, y, x] - off[1, 0] * r - off[1, 1]
            e = moved[x] - gain * r - bias
            u = e * steep
            inverse = one / (one + u * u)
            w = used[x] * inverse * inverse
            turn = w * (one - three * u * u) * inverse
            along[0, x] = w * e * gx
            along[1, x] = w * e * gy
            sums[0, x] += turn * gx * slope_x[x]
            sums[1, x] += turn * gx * slope_y[x]
            sums[2, x] += turn * gy * slope_x[x]
            sums[3, x] += turn * gy * slope_y[x]
        for x in range(columns):
            block = y // block_px * wide + x // block_px
            scores[block, 0] += along[0, x]
            scores[block, 1] += along[1, x]
    steepness = np.empty((2, 2))
    for i in range(4):
        steepness[i // 2, i % 2] = sums[i].sum()
    return scores, steepness
