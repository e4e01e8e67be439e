"""Medians of what is there: over time, over time without each one, and over a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def sorted_in_time(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Sort along time with NaN last.

    Args:
        values: ``(time, ...)``.

    Returns:
        The sorted values with time as the *last* axis (contiguous, so that sorting is fast), and the
        count of finite values.
    """
    lanes = np.array(np.moveaxis(values, 0, -1), order="C", copy=True)
    lanes.sort(axis=-1)
    return lanes, np.isfinite(lanes).sum(axis=-1)


def _at(lanes: NDArray[np.float32], position: NDArray[np.intp]) -> NDArray[np.float32]:
    inside = np.clip(position, 0, lanes.shape[-1] - 1)
    return np.take_along_axis(lanes, inside[..., None], axis=-1)[..., 0]


def median_in_time(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.intp]]:
    """Return the median over time and how many values it is of, ``(...)`` each; NaN where of none.

    Args:
        values: ``(time, ...)``, NaN where there is no value.
    """
    lanes, count = sorted_in_time(values)
    lower, upper = _at(lanes, (count - 1) // 2), _at(lanes, count // 2)
    return np.where(count > 0, (lower + upper) / 2, np.float32(np.nan)), count


def medians(values: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the median over time, and for each time the median of all the *others*, from one sort.

    Leaving one value out moves the median by one place at most, so the three values in the middle of
    the sorted history hold all answers.

    Args:
        values: ``(time, ...)``, NaN where there is no value.

    Returns:
        ``(...)`` median, NaN without values; and ``(time, ...)`` leave-one-out medians, NaN where the
        value itself is NaN or stands alone.
    """
    lanes, count = sorted_in_time(values)
    low, middle, high = (_at(lanes, count // 2 + step) for step in (-1, 0, 1))
    odd = count % 2 == 1
    # Taking a value out of an odd count leaves the mean of two neighbours, on the far side of it; out of
    # an even count, whichever of the two middle values lies on the far side.
    pivot = np.where(odd, middle, low)
    without_lower = np.where(odd, (middle + high) / 2, middle)
    without_higher = np.where(odd, (low + middle) / 2, low)
    without_pivot = np.where(odd, (low + high) / 2, middle)
    others = np.where(values > pivot, without_higher, without_pivot)
    np.copyto(others, without_lower, where=values < pivot)
    np.copyto(others, np.nan, where=np.isnan(values) | (count < 2))  # noqa: PLR2004 - one has no others
    return np.where(odd, middle, (low + middle) / 2), others


def finite_median(frames: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median of what is finite in each frame, ``(..., 1, 1)``; NaN without any."""
    lanes = np.sort(frames.reshape(*frames.shape[:-2], -1), axis=-1)
    count = np.isfinite(lanes).sum(axis=-1)
    middle = (_at(lanes, (count - 1) // 2) + _at(lanes, count // 2)) / np.float32(2)
    return middle[..., None, None]
