"""The threshold of any detector, found in one way: by counting its alarms where nothing happened.

Every method gives one score a look. Its threshold is the lowest score at and above which quiet sites raise
no more alarms per site-year than a target, as at every higher one. It is found on one half of the sites and
its rate is told on the other half, so that two methods can be compared at one false-alarm rate whatever
their scores mean.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.bounds import Rate, rate
from imagery.change.tracks import Alarm, halves, quiet

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from imagery.change.tracks import SiteTrack

TARGET_RATE = 0.1
"""Alarms per quiet site-year that an analyst can live with."""

DEAD_TIME_DAYS = 60
"""An exceedance so soon after the last one of its site belongs to the same alarm."""


@dataclass(frozen=True, slots=True)
class EmpiricalThreshold:
    """A threshold and what it costs."""

    value: float
    """Scores above it are alarms."""
    target: float
    """Alarms per site-year that it was fitted to."""
    dead_time_days: int
    fitted: Rate
    """On the sites that it was fitted on."""
    held_out: Rate
    """On the others: the figure to quote."""


def empirical_threshold(
    tracks: Sequence[SiteTrack],
    *,
    target: float = TARGET_RATE,
    dead_time_days: int = DEAD_TIME_DAYS,
    seed: int = 0,
) -> EmpiricalThreshold:
    """Fit a threshold on one half of the quiet sites and tell its rate on the other half.

    Args:
        tracks: Sites with the score of each look; those where something changed are passed over.
        target: Alarms per site-year.
        dead_time_days: See `run_starts`.
        seed: Which halves (`imagery.change.tracks.halves`).

    Raises:
        ValueError: Fewer than two quiet sites or groups with a score.
    """
    fitted_on, held_out = halves([track for track in quiet(tracks) if track.days], seed=seed)
    if not fitted_on or not held_out:
        message = f"{len(quiet(tracks))} quiet sites can't be split into two halves"
        raise ValueError(message)
    value = threshold_for(fitted_on, target=target, dead_time_days=dead_time_days)
    return EmpiricalThreshold(
        value,
        target,
        dead_time_days,
        fitted=alarm_rate(fitted_on, value, dead_time_days=dead_time_days),
        held_out=alarm_rate(held_out, value, dead_time_days=dead_time_days),
    )


def threshold_for(tracks: Sequence[SiteTrack], *, target: float, dead_time_days: int) -> float:
    """Return the lowest score at and above which the sites raise at most `target` alarms a site-year.

    Alarms are raised above a threshold, so on these sites one alarm less than the target allows is left: on
    others the rate is then the target's on average, since the next exceedance is as likely to lie on either
    side. With less exposure than one alarm takes at the target, it is the highest score of all. Runs merge
    when a threshold falls, so the count isn't monotone; the search goes down from the top and stops where
    the target is first passed. Minus infinity says that no score passes it.
    """
    steps: dict[float, int] = {}
    for track in tracks:
        for score, change in _steps(track, dead_time_days):
            steps[score] = steps.get(score, 0) + change
    allowed = target * math.fsum(track.site_years for track in tracks)
    alarms, lowest = 0, math.inf
    for score in sorted(steps, reverse=True):
        alarms += steps[score]
        if alarms > allowed:
            return min(lowest, max(steps))
        lowest = score
    return -math.inf


def _steps(track: SiteTrack, dead_time_days: int) -> list[tuple[float, int]]:
    """Return at each score, highest first, by how much the alarms grow once it exceeds the threshold."""
    scores = np.asarray(track.scores, dtype=np.float64)
    days = _ordinals(track.days)
    judged = np.isfinite(scores)
    levels = np.unique(scores[judged])[::-1]
    counts = [len(_starts(days, scores >= level, dead_time_days, judged)) for level in levels]
    return list(zip(levels.tolist(), np.diff([0, *counts]).tolist(), strict=True))


def alarm_rate(tracks: Sequence[SiteTrack], threshold: float, *, dead_time_days: int) -> Rate:
    """Return the alarms per site-year that a threshold raises."""
    runs = sum(len(run_starts(track, threshold, dead_time_days=dead_time_days)) for track in tracks)
    return rate(runs, math.fsum(track.site_years for track in tracks))


def run_starts(track: SiteTrack, threshold: float, *, dead_time_days: int) -> tuple[int, ...]:
    """Return the positions of the looks that raise an alarm.

    A look whose score is above the threshold raises one, unless the judged look before it was above it too,
    or the last one above it lies no more than `dead_time_days` back: then it belongs to that run. A NaN is
    no judged look. Where something changed the count starts afresh on the change's first day, so that a
    false alarm just before hides nothing.
    """
    scores = np.asarray(track.scores, dtype=np.float64)
    days = _ordinals(track.days)
    if track.change is None:
        return tuple(_starts(days, scores > threshold, dead_time_days, np.isfinite(scores)))
    cut = int(np.searchsorted(days, track.change.first_day.toordinal()))
    parts = ((slice(0, cut), 0), (slice(cut, None), cut))
    return tuple(
        offset + start
        for part, offset in parts
        for start in _starts(days[part], scores[part] > threshold, dead_time_days, np.isfinite(scores[part]))
    )


def _starts(
    days: NDArray[np.int64],
    above: NDArray[np.bool_],
    dead_time_days: int,
    judged: NDArray[np.bool_],
) -> list[int]:
    rank = np.cumsum(judged)
    positions = np.flatnonzero(above)
    if not positions.size:
        return []
    apart = (np.diff(days[positions]) > dead_time_days) & (np.diff(rank[positions]) > 1)
    return [int(positions[0]), *(int(each) for each in positions[1:][apart])]


def _ordinals(days: Sequence[date]) -> NDArray[np.int64]:
    return np.array([day.toordinal() for day in days], dtype=np.int64)


def alarms_above(
    track: SiteTrack, threshold: float, *, dead_time_days: int = DEAD_TIME_DAYS
) -> tuple[Alarm, ...]:
    """Return the alarms that a threshold makes of a site's scores: candidates, as a peer would raise them."""
    starts = run_starts(track, threshold, dead_time_days=dead_time_days)
    return tuple(Alarm(day=track.days[start], score=track.scores[start]) for start in starts)
