"""All figures of one detector from its records, twice: by its own alarms, and at one false-alarm rate.

By its own alarms it is told what a user gets. At the empirical threshold (`imagery.change.thresholds`), found
for each mode by itself, detectors can be compared with each other.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.evaluation import (
    Interval,
    PowerCell,
    Precision,
    Reliability,
    Spread,
    area_coverage,
    area_error,
    bracket_coverage,
    date_error,
    date_interval_coverage,
    delay_looks,
    false_alarms,
    power_cells,
    precision_at,
    recall,
    reliability,
    size_and_contrast,
    told,
)
from imagery.change.evidence import alone_mode
from imagery.change.null import MIN_SCORES, Null, Stratum, null_of, stratum
from imagery.change.smallest import Smallest, smallest_detectable
from imagery.change.thresholds import (
    DEAD_TIME_DAYS,
    TARGET_RATE,
    EmpiricalThreshold,
    alarms_above,
    empirical_threshold,
)
from imagery.change.tracks import Level, changed, halves, quiet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imagery.change.bounds import Proportion, Rate
    from imagery.change.tracks import SiteTrack

HORIZONS = (4, 6)
"""Clear looks after a change by which it should be found."""


@dataclass(frozen=True, slots=True)
class PowerCurve:
    """Detection probability by size, for one mode, contrast and horizon."""

    mode: str
    contrast: float
    within_looks: int | None
    cells: tuple[PowerCell, ...]
    half: Smallest
    """MDC50"""
    most: Smallest
    """MDC90"""


@dataclass(frozen=True, slots=True)
class LevelFigures:
    """What a detector's own alarms are worth at a level."""

    level: Level
    false_alarms: Rate
    by_mode: tuple[tuple[str, Rate], ...]
    """False alarms in each mode."""
    found: Proportion
    """Of all changes, by the end of the monitored time."""
    curves: tuple[PowerCurve, ...]
    precision: tuple[Precision, ...]
    bracket: Interval
    date_interval: Interval
    date_error: Spread
    """Days."""
    delay: Spread
    """Clear looks."""
    area_error: Spread
    area_interval: Interval


@dataclass(frozen=True, slots=True)
class TargetFigures:
    """What its score is worth in one mode at the threshold that all detectors get in the same way."""

    mode: str
    threshold: EmpiricalThreshold
    found: Proportion
    curves: tuple[PowerCurve, ...]
    precision: tuple[Precision, ...]


@dataclass(frozen=True, slots=True)
class Scorecard:
    """All figures of one detector."""

    detector: str
    quiet_sites: int
    changed_sites: int
    quiet_site_years: float
    clear_looks: int
    judged_looks: int
    levels: tuple[LevelFigures, ...]
    """Candidate, probable, confirmed."""
    at_target: tuple[TargetFigures, ...]
    """By mode; none where there are too few quiet sites."""
    p_values: Reliability
    """Of one look of each quiet site in one half, by the null of the other half."""


def scorecard(
    name: str,
    tracks: Sequence[SiteTrack],
    *,
    seed: int,
    target: float = TARGET_RATE,
    dead_time_days: int = DEAD_TIME_DAYS,
) -> Scorecard:
    """Return all figures of a detector.

    Args:
        name: Of the detector.
        tracks: One a site, quiet and changed ones; their stratum is the mode.
        seed: Of the split into halves, of the bootstrap and of the look that is drawn from each site.
        target: Alarms per site-year of the common threshold.
        dead_time_days: See `imagery.change.thresholds`.
    """
    scores = [score for track in tracks for score in track.scores]
    return Scorecard(
        detector=name,
        quiet_sites=len(quiet(tracks)),
        changed_sites=len(changed(tracks)),
        quiet_site_years=math.fsum(track.site_years for track in quiet(tracks)),
        clear_looks=len(scores),
        judged_looks=sum(math.isfinite(score) for score in scores),
        levels=tuple(_level(tracks, level, seed) for level in Level),
        at_target=tuple(_at_target(tracks, seed, target, dead_time_days)),
        p_values=_p_values(tracks, seed),
    )


def _level(tracks: Sequence[SiteTrack], level: Level, seed: int) -> LevelFigures:
    return LevelFigures(
        level=level,
        false_alarms=false_alarms(tracks, level),
        by_mode=tuple((mode, false_alarms(of_mode(tracks, mode), level)) for mode in modes(tracks)),
        found=recall(tracks, level),
        curves=power_curves(tracks, level, seed=seed),
        precision=precision_at(tracks, level),
        bracket=bracket_coverage(tracks, level),
        date_interval=date_interval_coverage(tracks, level),
        date_error=date_error(tracks, level),
        delay=delay_looks(tracks, level),
        area_error=area_error(tracks, level),
        area_interval=area_coverage(tracks, level),
    )


def modes(tracks: Sequence[SiteTrack]) -> tuple[str, ...]:
    """Return the modes that sites were watched in."""
    return tuple(sorted({track.stratum for track in tracks}))


def of_mode(tracks: Sequence[SiteTrack], mode: str) -> tuple[SiteTrack, ...]:
    """Return the sites of a mode."""
    return tuple(track for track in tracks if track.stratum == mode)


def power_curves(tracks: Sequence[SiteTrack], level: Level, *, seed: int) -> tuple[PowerCurve, ...]:
    """Return the detection probability by size for each mode and contrast, at each of `HORIZONS`."""
    groups: dict[tuple[str, float], list[SiteTrack]] = defaultdict(list)
    for track in told(tracks, max(HORIZONS)):
        groups[track.stratum, size_and_contrast(track)[0]].append(track)
    return tuple(
        _curve(mode, contrast, horizon, sites, level, seed)
        for (mode, contrast), sites in sorted(groups.items())
        for horizon in HORIZONS
    )


def _curve(
    mode: str, contrast: float, horizon: int, sites: Sequence[SiteTrack], level: Level, seed: int
) -> PowerCurve:
    half, most = (
        smallest_detectable(
            sites,
            level,
            probability=probability,
            rng=np.random.default_rng(seed),
            within_looks=horizon,
        )
        for probability in (0.5, 0.9)
    )
    cells = power_cells(sites, level, within_looks=horizon)
    return PowerCurve(mode, contrast, horizon, cells, half, most)


def _at_target(
    tracks: Sequence[SiteTrack], seed: int, target: float, dead_time_days: int
) -> Iterator[TargetFigures]:
    for mode in modes(tracks):
        sites = of_mode(tracks, mode)
        watched = [track for track in quiet(sites) if track.days and track.site_years]
        if min(len(half) for half in halves(watched, seed=seed)) == 0:
            continue
        found = empirical_threshold(watched, target=target, dead_time_days=dead_time_days, seed=seed)
        _, held_out = halves(watched, seed=seed)
        again = [
            replace(track, alarms=alarms_above(track, found.value, dead_time_days=dead_time_days))
            for track in (*held_out, *changed(sites))
        ]
        yield TargetFigures(
            mode,
            found,
            recall(again, Level.CANDIDATE),
            power_curves(again, Level.CANDIDATE, seed=seed),
            precision_at(again, Level.CANDIDATE),
        )


def quiet_null(tracks: Sequence[SiteTrack], *, source: str, min_scores: int = MIN_SCORES) -> Null:
    """Return the null of the scores of quiet sites, of their single looks too where a detector tells them."""
    scores = [each for track in quiet(tracks) for each in (*_with_strata(track), *_single_looks(track))]
    return null_of(scores, source=source, min_scores=min_scores)


def _with_strata(track: SiteTrack) -> list[tuple[Stratum, float]]:
    return [
        (stratum(track.stratum, day, track.history_looks + position), score)
        for position, (day, score) in enumerate(zip(track.days, track.scores, strict=True))
        if math.isfinite(score)
    ]


def _single_looks(track: SiteTrack) -> list[tuple[Stratum, float]]:
    """Return the scores of single looks: outside what was suspected, and in its place since."""
    mode, looks = alone_mode(track.stratum), track.history_looks
    later = [
        (stratum(mode, alarm.day, looks + sum(day < alarm.day for day in track.days)), score)
        for alarm in track.alarms
        for score in alarm.later
    ]
    return later + [
        (stratum(mode, day, looks + position), score)
        for position, (day, score) in enumerate(zip(track.days, track.alone, strict=bool(track.alone)))
        if math.isfinite(score)
    ]


def _p_values(tracks: Sequence[SiteTrack], seed: int) -> Reliability:
    learned, held_out = halves(quiet(tracks), seed=seed)
    null = quiet_null(learned, source="the other half of the quiet sites")
    rng = np.random.default_rng(seed)
    values = []
    for track in sorted(held_out, key=lambda each: each.site_id):
        looks = _with_strata(track)
        if looks:
            where, score = looks[int(rng.integers(len(looks)))]
            found = null.p_value(score, where)
            values.append(math.nan if found is None else found.p)
    return reliability(values)
