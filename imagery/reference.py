"""What looks are laid onto: a reference image made of many of them, and the bands that show edges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.medians import median_in_time
from imagery.change.season import season_distance_days

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

EDGE_BANDS = ("blue", "green", "red", "nir")
"""The bands of Sentinel-2 that are sharp to 10 m. Aligned jointly, each with a gain and bias of its own,
they are truer through the year than the mean of red and nir or the size of gradients (`docs/method.md`)."""


SEASON_DAYS = 60
"""Days of the year on either side of a look that are its season. Of 31 dates over fields in Spain 29 align on
the others of so many days, and 14 on those of the whole year."""

SEASON_LOOKS = 4
"""Looks of a season that make a reference of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class ContextReference:
    """A stable picture of a frame."""

    values: NDArray[np.float32]
    """``(band, y, x)``; NaN where no look was ever clear."""
    count: NDArray[np.intp]
    """``(y, x)``: clear looks behind each pixel."""


def structure(values: NDArray[np.floating], bands: Sequence[str]) -> NDArray[np.float32]:
    """Return the bands to align by, ``(band, y, x)``: the sharp ones, or all where there is none of them.

    Args:
        values: ``(band, y, x)``.
        bands: Their names.
    """
    chosen = [position for position, name in enumerate(bands) if name in EDGE_BANDS]
    return np.asarray(values[chosen or slice(None)], dtype=np.float32)


def context_reference(
    history: NDArray[np.floating], days: Sequence[date], *, near: date | None = None
) -> ContextReference:
    """Return the median of the months' medians, in which each month has one voice.

    Clear looks crowd in dry winters; a plain median would be a winter's image, on which a summer's fields
    and shadows fit less well.

    Args:
        history: ``(time, band, y, x)``, aligned with each other, NaN where not clear.
        days: ``(time)``: when they were taken.
        near: The day of the look that is to be laid on it: looks of its season alone are taken where there
            are enough, since fields may be others half a year away.

    Raises:
        ValueError: There are not as many days as images, or none.
    """
    if len(days) != len(history) or not days:
        raise ValueError(f"expected a day for each of at least one image, got {len(days)} for {len(history)}")
    if near is not None:
        seasonal = np.array([season_distance_days(day, near) <= SEASON_DAYS for day in days])
        if seasonal.sum() >= SEASON_LOOKS:
            history, days = history[seasonal], [day for day, kept in zip(days, seasonal, strict=True) if kept]
    months = np.array([day.month for day in days])
    by_month = [
        median_in_time(np.asarray(history[months == month], dtype=np.float32))
        for month in sorted(set(months))
    ]
    values, _ = median_in_time(np.stack([median for median, _ in by_month]))
    count = np.isfinite(history).all(axis=1).sum(axis=0)
    return ContextReference(values, count)
