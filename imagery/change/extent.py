"""How large a change is: the sum of its mixing fractions, with an interval, and its outline.

Below nine pixels the sensor sees contrast times area and cannot tell the two apart: a small bright roof and
a larger dull one look alike. There a family of squares is fitted, and the area is the range of squares that
explain the residuals as well as the best one (profile likelihood), as far as the ground can show their
contrast. From nine pixels on the inside of the patch shows the contrast by itself, and the area is the
sum of the fractions over the patch and its rim.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imagery.change.regions import NEIGHBOURS
from imagery.change.templates import profile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.change.matched import Residuals

MIN_PATCH_PX = 9
"""Fewer pixels than these are never counted: their contrast and their area can't be told apart."""

SIDES_PX = tuple(float(side) for side in np.geomspace(0.6, 14.0, 24))
"""Sides of the squares that are fitted."""

_DROP_90 = 1.3528
"""Half of the chi-square of one degree that 90 % lie below."""
_Z_90 = 1.6449
_OFFSETS = np.arange(-6, 7) * 0.25
_PSF_DOUBT = 0.08
"""Relative error of an area that the unknown point spread function leaves."""
_WIDER = (2.2, 1.1)
"""By how much the interval of a small change is longer than its likelihood says, below and above the area,
as a power: bands that are seen at 20 m spread it. Chosen on simulated changes, to hold nine in ten."""
_MAX_PATCH_NOISE = 0.3
_RIM_PX = 2
_MIN_CORE_PX = 1
_TINY = 1e-12


@dataclass(frozen=True, slots=True, eq=False)
class Fractions:
    """How much of a change each pixel shows, in units of a stated contrast."""

    values: NDArray[np.float64]
    """``(y, x)``: 1 where the whole contrast is seen; 0 where unknown."""
    weight: NDArray[np.float64]
    """``(y, x)``: 1 / variance of each; 0 where unknown."""


@dataclass(frozen=True, slots=True, eq=False)
class Extent:
    """The size and outline of a change, in pixels."""

    area_px: float
    interval_px: tuple[float, float]
    """Holds the area with 90 %."""
    scale: float
    """The full contrast over the stated one."""
    square: tuple[float, float, float] | None
    """Row and column of its centre and its side, where a square stands for it; None where `patch` does."""
    patch: NDArray[np.bool_] | None
    """``(y, x)`` on the window; None below nine pixels."""

    @property
    def is_ambiguous(self) -> bool:
        """Whether contrast and area could not be told apart."""
        return self.patch is None


def fractions_of(
    frames: Sequence[Residuals], contrast: Sequence[float], join: NDArray[np.float32]
) -> Fractions:
    """Return the mean of some looks projected on a contrast.

    Args:
        frames: Looks that show the change, of one window.
        contrast: By band.
        join: ``(band, band)``: inverse correlation of the bands.
    """
    total: NDArray[np.float64] = np.zeros(frames[0].values.shape)
    pull = np.zeros_like(total)
    for frame in frames:
        values, weight, _ = frame.weighted()
        pull += values
        total += weight
    spread = np.sqrt(np.maximum(total, _TINY))
    want = np.asarray(contrast)[:, None, None] * spread
    have = pull / spread
    steer = np.einsum("ab,byx->ayx", join.astype(np.float64), want)
    power = (steer * want).sum(axis=0)
    seen = (total > 0).all(axis=0) & (power > _TINY)
    values = np.where(seen, (steer * have).sum(axis=0) / np.maximum(power, _TINY), 0.0)
    return Fractions(np.asarray(values, dtype=np.float64), np.asarray(np.where(seen, power, 0.0)))


def measure(
    fractions: Fractions,
    centre: tuple[float, float],
    *,
    inflation: float = 1.0,
    most: float = math.inf,
    largest_px: float = math.inf,
) -> Extent:
    """Measure a change around a place.

    Args:
        fractions: Of a window.
        centre: Row and column in it, where the change was found.
        inflation: Of the variance, for what neighbours share.
        most: How many times the stated contrast the ground can show; bounds a small change from below.
        largest_px: A larger patch is not taken for the change: something faint runs on into what else moved.
    """
    patch = _patch(fractions, centre)
    if patch is not None and patch.sum() <= largest_px:
        return _of_patch(fractions, patch, inflation)
    return _of_squares(fractions, centre, inflation, most)


def _patch(fractions: Fractions, centre: tuple[float, float]) -> NDArray[np.bool_] | None:
    """Return the pixels of a change that is large and plain enough to be outlined, else None."""
    near = _at(fractions.values.shape, centre)
    level = 1.0
    patch = np.zeros(fractions.values.shape, dtype=np.bool_)
    for _ in range(2):
        labels, _count = ndimage.label(fractions.values > level / 2, structure=NEIGHBOURS)
        label = _label_near(labels, near)
        if label == 0:
            return None
        patch = labels == label
        core = _core(patch, fractions)
        if core.sum() < _MIN_CORE_PX:
            return None
        level = float(fractions.values[core].mean())
    noise = 1 / math.sqrt(float(np.median(fractions.weight[patch]))) / level
    return patch if patch.sum() >= MIN_PATCH_PX and noise < _MAX_PATCH_NOISE else None


def _at(shape: tuple[int, ...], centre: tuple[float, float]) -> tuple[int, int]:
    row, column = (int(np.clip(round(at), 0, size - 1)) for at, size in zip(centre, shape, strict=True))
    return row, column


def _label_near(labels: NDArray[np.int32], near: tuple[int, int]) -> int:
    """Return the label at a place or, between pixels, beside it; 0 where there is none."""
    row, column = near
    around = labels[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
    found = around[around > 0]
    return int(labels[row, column] or (np.bincount(found).argmax() if found.size else 0))


def _core(patch: NDArray[np.bool_], fractions: Fractions) -> NDArray[np.bool_]:
    """Return the pixels so far inside that they show the whole contrast."""
    inner = ndimage.binary_erosion(patch, NEIGHBOURS) & (fractions.weight > 0)
    return np.asarray(inner, dtype=np.bool_)


def _of_patch(fractions: Fractions, patch: NDArray[np.bool_], inflation: float) -> Extent:
    core = _core(patch, fractions)
    level = float(fractions.values[core].mean())
    reach = ndimage.binary_dilation(patch, NEIGHBOURS, iterations=_RIM_PX) & (fractions.weight > 0)
    # What lies further in than the rim is whole; only the rim's fractions are summed, with their noise.
    rim = reach & ~core
    area = float(core.sum() + (fractions.values[rim] / level).sum())
    noise = math.sqrt(inflation * float((1 / fractions.weight[rim]).sum())) / level
    uneven = float(fractions.values[core].std()) / level / math.sqrt(core.sum()) * float(rim.sum()) / 2
    edge = _PSF_DOUBT * math.sqrt(max(area, 1.0)) * 2
    error = _Z_90 * math.hypot(noise, uneven, edge / _Z_90)
    area = max(area, float(MIN_PATCH_PX) / 2)
    return Extent(area, (max(area - error, 1.0), area + error), level, None, patch)


def _of_squares(fractions: Fractions, centre: tuple[float, float], inflation: float, most: float) -> Extent:
    fits = [_best_square(fractions, centre, side) for side in SIDES_PX]
    gain = np.array([each[0] for each in fits]) / inflation / 2
    scale = np.array([each[1] for each in fits])
    possible = (scale > 0) & (scale <= most)
    if not possible.any():
        possible[:] = True
    gain[~possible] = -np.inf
    best = int(np.argmax(gain))
    inside = np.flatnonzero(gain >= gain[best] - _DROP_90)
    low, high = _edges(gain, int(inside[0]), int(inside[-1]), gain[best] - _DROP_90)
    side = _peak_side(gain, best)
    area = side**2
    low_px, high_px = min(low**2 * (1 - _PSF_DOUBT), area), max(high**2 * (1 + _PSF_DOUBT), area)
    interval = (area * (low_px / area) ** _WIDER[0], area * (high_px / area) ** _WIDER[1])
    return Extent(area, interval, float(scale[best]), (*fits[best][2], side), None)


def _edges(gain: NDArray[np.float64], first: int, last: int, level: float) -> tuple[float, float]:
    """Return the sides at which the likelihood falls to a level, between the fitted ones."""

    def crossing(inner: int, outer: int) -> float:
        if not 0 <= outer < len(SIDES_PX) or not np.isfinite(gain[outer]):
            return SIDES_PX[inner]
        part = (gain[inner] - level) / (gain[inner] - gain[outer])
        return float(SIDES_PX[inner] * (SIDES_PX[outer] / SIDES_PX[inner]) ** part)

    return crossing(first, first - 1), crossing(last, last + 1)


def _peak_side(gain: NDArray[np.float64], best: int) -> float:
    """Return the side at the top of the parabola through the best fit and its neighbours."""
    if not 0 < best < len(gain) - 1 or not np.isfinite(gain[best - 1 : best + 2]).all():
        return SIDES_PX[best]
    left, middle, right = gain[best - 1 : best + 2]
    bend = left - 2 * middle + right
    step = 0.5 * (left - right) / bend if bend < 0 else 0.0
    return float(SIDES_PX[best] * (SIDES_PX[1] / SIDES_PX[0]) ** np.clip(step, -0.5, 0.5))


def _best_square(
    fractions: Fractions, centre: tuple[float, float], side: float
) -> tuple[float, float, tuple[float, float]]:
    """Return what a square of that side explains, its contrast in units of the stated one, and its centre."""
    radius = math.ceil(SIDES_PX[-1] / 2 + 3)
    row, column = _at(fractions.values.shape, centre)
    padded_values, padded_weight = (
        np.pad(each, radius)[row : row + 2 * radius + 1, column : column + 2 * radius + 1]
        for each in (fractions.values, fractions.weight)
    )
    rows = np.stack([profile(side, centre[0] - row + step, radius=radius) for step in _OFFSETS])
    columns = np.stack([profile(side, centre[1] - column + step, radius=radius) for step in _OFFSETS])
    pull = rows @ (padded_values * padded_weight) @ columns.T
    power = np.maximum(np.square(rows) @ padded_weight @ np.square(columns).T, _TINY)
    explained = np.sign(pull) * np.square(pull) / power
    at = np.unravel_index(int(np.argmax(explained)), explained.shape)
    place = (centre[0] + float(_OFFSETS[at[0]]), centre[1] + float(_OFFSETS[at[1]]))
    return float(explained[at]), float(pull[at] / power[at]), place
