"""One resampling by a fraction of a pixel, so that a look lies on the site's reference.

Cubic convolution (R. G. Keys, "Cubic convolution interpolation for digital image processing", IEEE
Transactions on Acoustics, Speech, and Signal Processing 29(6), 1981, 1153-1160, a = -1/2) of 4 x 4 pixels. A
cubic B-spline blurs a quarter less, but every pixel of it leans on all others, so that the edge of a cloud
would reach far; `noise_gain` says how much the noise has been smoothed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imagery.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imagery.shift import Shift

MATERIAL_WEIGHT = 0.05
"""A pixel is unknown when any unknown one weighs at least so much in it; less is left out of the mean."""

_TAPS = 4


def shifted(values: NDArray[np.floating], shift: Shift) -> NDArray[np.float32]:
    """Return the values that lie where the reference's do: those at ``(x + dx, y + dy)``.

    A shift of nothing returns the same numbers, one of whole pixels moves them.

    Args:
        values: ``(band, y, x)`` or ``(y, x)``, NaN where not clear.
        shift: Where the content lies.

    Returns:
        The same shape. NaN where a pixel that weighs at least `MATERIAL_WEIGHT` is NaN or beyond the frame.
    """
    image = np.ascontiguousarray(values, dtype=np.float32)
    layers = image.reshape(-1, *image.shape[-2:])
    whole_x, whole_y = int(np.floor(shift.dx_px)), int(np.floor(shift.dy_px))
    down, across = cubic_taps(shift.dy_px - whole_y), cubic_taps(shift.dx_px - whole_x)
    return _cubic(layers, (whole_y, whole_x), down, across).reshape(image.shape)


def shifted_clear(clear: NDArray[np.bool_], shift: Shift) -> NDArray[np.bool_]:
    """Return where every pixel that weighs materially in the shifted one is True, ``(y, x)``."""
    known = np.where(clear, np.float32(0), np.float32(np.nan))
    return np.isfinite(shifted(known, shift))


def shifted_classes(classes: NDArray[np.uint8], shift: Shift, *, outside: int = 0) -> NDArray[np.uint8]:
    """Return the class of the nearest pixel, ``(y, x)``.

    Args:
        classes: ``(y, x)``.
        shift: Where the content lies.
        outside: The class of what lies beyond the frame.
    """
    rows, columns = classes.shape
    y = np.arange(rows) + int(np.floor(shift.dy_px + 0.5))
    x = np.arange(columns) + int(np.floor(shift.dx_px + 0.5))
    inside = ((y >= 0) & (y < rows))[:, None] & ((x >= 0) & (x < columns))[None]
    nearest = classes[y.clip(0, rows - 1)[:, None], x.clip(0, columns - 1)[None]]
    return np.where(inside, nearest, np.uint8(outside))


def noise_gain(shift: Shift) -> float:
    """Return the standard deviation that unit noise keeps: 1 for whole pixels, 0.64 at worst."""
    taps = (cubic_taps(part - np.floor(part)) for part in (shift.dx_px, shift.dy_px))
    return float(np.prod([np.sqrt((weights**2).sum()) for weights in taps]))


@compiled
def cubic_taps(fraction: float) -> NDArray[np.float64]:
    """Return the weights of the pixels at -1, 0, 1 and 2 for a place `fraction` right of 0, ``(4)``."""
    t = fraction
    taps = np.empty(4)
    taps[0] = ((-0.5 * t + 1.0) * t - 0.5) * t
    taps[1] = (1.5 * t - 2.5) * t * t + 1.0
    taps[2] = ((-1.5 * t + 2.0) * t + 0.5) * t
    taps[3] = (0.5 * t - 0.5) * t * t
    return taps


@compiled
def _cubic(
    layers: NDArray[np.float32],
    whole: tuple[int, int],
    down: NDArray[np.float64],
    across: NDArray[np.float64],
) -> NDArray[np.float32]:
    """Return the ``(band, y, x)`` layers read at ``whole`` (y, x) pixels and a fraction."""
    bands, rows, columns = layers.shape
    out = np.empty((bands, rows, columns), dtype=np.float32)
    column = np.empty(columns)
    first, last = max(0, 1 - whole[1]), min(columns, columns - whole[1] - 2)
    for band in range(bands):
        values = layers[band]
        for y in range(rows):
            top = y + whole[0] - 1
            inside = top >= 0 and top + _TAPS <= rows
            if inside:
                for x in range(columns):
                    column[x] = (
                        down[0] * values[top, x]
                        + down[1] * values[top + 1, x]
                        + down[2] * values[top + 2, x]
                        + down[3] * values[top + 3, x]
                    )
                for x in range(first, last):
                    at = x + whole[1]
                    out[band, y, x] = (
                        across[0] * column[at - 1]
                        + across[1] * column[at]
                        + across[2] * column[at + 1]
                        + across[3] * column[at + 2]
                    )
            for x in range(columns):
                if not inside or x < first or x >= last or np.isnan(out[band, y, x]):
                    out[band, y, x] = _careful(values, top, x + whole[1] - 1, down, across)
    return out


@compiled
def _careful(
    values: NDArray[np.float32],
    top: int,
    left: int,
    down: NDArray[np.float64],
    across: NDArray[np.float64],
) -> float:
    """Return the weighted mean of the known pixels; NaN where a material one is unknown."""
    rows, columns = values.shape
    total = 0.0
    known = 0.0
    for i in range(_TAPS):
        for j in range(_TAPS):
            weight = down[i] * across[j]
            y, x = top + i, left + j
            missing = y < 0 or y >= rows or x < 0 or x >= columns or np.isnan(values[y, x])
            if missing and abs(weight) >= MATERIAL_WEIGHT:
                return np.nan
            if not missing:
                total += weight * values[y, x]
                known += weight
    return total / known
