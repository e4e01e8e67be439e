"""When a change happened: the posterior of its first day, the bracket and the 90 % interval.

Between two looks nothing is known of the day, so the posterior is flat in each gap; how much a gap holds is
its length times the likelihood that the looks before it do not show the change and those after it do:
    weight(gap i) = days(i) * exp(sum of the evidence of the looks after it)
The bracket runs from the last look before which the change can hardly lie to the first look after which it
can hardly lie. A look that could not have shown it moves no weight and so closes no bracket.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

HARDLY = 0.025
"""Posterior that may be left outside the bracket on each side."""

COVERAGE = 0.9
"""Posterior inside `date_interval_90`."""


@dataclass(frozen=True, slots=True)
class ChangeDate:
    """When a change happened."""

    last_without: date
    """The last clear look that would have shown it and did not."""
    first_with: date
    """The first clear look that did."""
    interval_90: tuple[date, date]
    """First and last day of the days that hold 90 % of the posterior."""


def change_date(before: date, days: Sequence[date], evidences: Sequence[float]) -> ChangeDate:
    """Return when a change happened.

    Args:
        before: The look before the first one that was kept: the change is not older.
        days: The clear looks that were kept, in order, the last of them one that shows the change.
        evidences: Log likelihood ratio of each that the change was there (`imagery.change.weigh`).

    Raises:
        ValueError: No look, or days out of order.
    """
    edges = np.array([before.toordinal(), *(day.toordinal() for day in days)])
    if not days or len(days) != len(evidences) or (np.diff(edges) < 0).any():
        message = f"{len(days)} days after {before} in order, {len(evidences)} evidences"
        raise ValueError(message)
    mass = gap_masses(edges, np.asarray(evidences, dtype=np.float64))
    outside = np.concatenate([[0.0], np.cumsum(mass)])
    first = int(np.flatnonzero(outside <= HARDLY)[-1])
    last = int(np.flatnonzero(outside >= 1 - HARDLY)[0])
    return ChangeDate(
        last_without=date.fromordinal(int(edges[first])),
        first_with=date.fromordinal(int(edges[last])),
        interval_90=_interval(edges, outside),
    )


def gap_masses(edges: NDArray[np.integer], evidences: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the posterior of each gap between consecutive days, ``(gap)``; they add up to 1.

    Args:
        edges: Days as ordinals, one more than there are gaps.
        evidences: Of the look at the end of each gap.
    """
    after = np.cumsum(evidences[::-1])[::-1]
    # Two looks of one day leave a gap without a day in it.
    weight = np.diff(edges) * np.exp(after - after.max())
    if not weight.sum():
        weight = np.ones(len(evidences))
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def _interval(edges: NDArray[np.integer], outside: NDArray[np.float64]) -> tuple[date, date]:
    """Return the days between which the posterior's middle 90 % lies.

    A change of day d shows in the looks of that day and later, so a gap holds the days after its first edge
    up to its last. Ends are rounded to the day whose cut comes nearest to the wanted share, which neither
    widens nor narrows the interval on the whole.
    """
    tail = (1 - COVERAGE) / 2
    low, high = (float(np.interp(share, outside, edges)) for share in (tail, 1 - tail))
    first = date.fromordinal(round(low)) + timedelta(days=1)
    last = date.fromordinal(round(high))
    return min(first, last), max(first, last)
