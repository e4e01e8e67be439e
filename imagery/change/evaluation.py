"""How good a detector is, from records alone: what it finds, what it invents, whether its p-values hold.

Every figure is a pure function of `imagery.change.tracks.SiteTrack` and comes with an interval. The unit is
the site, never the look: looks of a site share its history and its errors. Formulas: `docs/evaluation.md`.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.bounds import Proportion, Rate, clopper_pearson, garwood_upper, proportion, rate
from imagery.change.tracks import Level, quiet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from imagery.change.tracks import Alarm, Change, SiteTrack

BASE_RATES = (0.01, 0.05, 0.2)
"""True changes per site-year at which precision is told."""

_P_LEVELS = (0.01, 0.05, 0.1, 0.5)


@dataclass(frozen=True, slots=True)
class PowerCell:
    """How often changes of one size and contrast are found."""

    side_m: float
    """Side of the square of the same area, to a decimetre."""
    contrast: float
    """To the thousandth."""
    found: Proportion


@dataclass(frozen=True, slots=True)
class Interval:
    """What an interval that a detector states is worth."""

    covered: Proportion
    """How often it holds the truth."""
    median_width: float
    """In the unit of the interval; NaN without any."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles of an error; NaN without any value."""

    count: int
    median: float
    median_absolute: float
    low: float
    """Lower quartile."""
    high: float
    """Upper quartile."""


@dataclass(frozen=True, slots=True)
class Precision:
    """What share of the alarms is true, were changes as frequent as stated."""

    base_rate: float
    """True changes per site-year."""
    recall: float
    precision: float
    false_discovery_rate: float
    false_discovery_upper: float
    """One-sided bound (95 %), from the bounds of both parts at 97.5 %."""


@dataclass(frozen=True, slots=True)
class Reliability:
    """Whether p-values on quiet sites are what they say."""

    count: int
    distance: float
    """Kolmogorov-Smirnov distance to the uniform distribution; NaN without values."""
    p: float
    """Of that distance, if the values were independent."""
    below: tuple[tuple[float, Proportion], ...]
    """For some levels: the share of values at or below it."""


def power_cells(
    tracks: Sequence[SiteTrack], level: Level, *, within_looks: int | None = None
) -> tuple[PowerCell, ...]:
    """Return the detection probability by contrast, then size, with exact intervals.

    Args:
        tracks: Sites; those without a change are passed over.
        level: How far an alarm must get to count.
        within_looks: By how many clear looks after the change; None is the end of the monitored time. Sites
            that had fewer are passed over.
    """
    cells: dict[tuple[float, float], list[bool]] = defaultdict(list)
    for track in told(tracks, within_looks):
        key = size_and_contrast(track)
        cells[key].append(track.detected(level, within_looks=within_looks) is not None)
    return tuple(
        PowerCell(side, contrast, proportion(sum(found), len(found)))
        for (contrast, side), found in sorted(cells.items())
    )


def told(tracks: Sequence[SiteTrack], within_looks: int | None) -> tuple[SiteTrack, ...]:
    """Return the changed sites that had so many clear looks after the change."""
    return tuple(track for track in tracks if track.can_tell(within_looks))


def size_and_contrast(track: SiteTrack) -> tuple[float, float]:
    """Return the contrast and the side in metres of a site's change, rounded so that equals are equal."""
    change = _change(track)
    return round(change.contrast, 3), round(change.side_m, 1)


def _change(track: SiteTrack) -> Change:
    if track.change is None:
        message = f"nothing changed at site {track.site_id}"
        raise ValueError(message)
    return track.change


def false_alarms(tracks: Sequence[SiteTrack], level: Level) -> Rate:
    """Return the alarms on quiet sites that got to a level, retracted ones too, per site-year."""
    sites = quiet(tracks)
    events = sum(alarm.reached(level) is not None for site in sites for alarm in site.alarms)
    return rate(events, math.fsum(site.site_years for site in sites))


def _found(tracks: Sequence[SiteTrack], level: Level) -> list[tuple[Change, Alarm]]:
    pairs = [(site.change, site.detected(level)) for site in tracks]
    return [(change, alarm) for change, alarm in pairs if change is not None and alarm is not None]


def bracket_coverage(tracks: Sequence[SiteTrack], level: Level) -> Interval:
    """Return how often the bracket of a found change holds it; the width is in days.

    The change lies between its first and its last day; a bracket that meets them holds it.
    """
    stated = [(change, alarm.bracket) for change, alarm in _found(tracks, level)]
    return _date_coverage([(change, span) for change, span in stated if span is not None])


def date_interval_coverage(tracks: Sequence[SiteTrack], level: Level) -> Interval:
    """Return how often the 90 % interval of the date of a found change holds it; the width is in days."""
    stated = [(change, alarm.date_interval) for change, alarm in _found(tracks, level)]
    return _date_coverage([(change, span) for change, span in stated if span is not None])


def _date_coverage(pairs: Sequence[tuple[Change, tuple[date, date]]]) -> Interval:
    held = [span[0] <= change.last_day and change.first_day <= span[1] for change, span in pairs]
    widths = [(span[1] - span[0]).days for _, span in pairs]
    return Interval(proportion(sum(held), len(held)), float(median(widths)) if widths else math.nan)


def date_error(tracks: Sequence[SiteTrack], level: Level) -> Spread:
    """Return the middle of the stated dates minus the change's first day, in days."""
    errors = []
    for change, alarm in _found(tracks, level):
        span = alarm.date_interval or alarm.bracket
        if span is not None:
            middle = (span[0].toordinal() + span[1].toordinal()) / 2
            errors.append(middle - change.first_day.toordinal())
    return spread(errors)


def delay_looks(tracks: Sequence[SiteTrack], level: Level) -> Spread:
    """Return how many clear looks a found change needed until it got to a level; 1 is the first."""
    delays = []
    for site in tracks:
        alarm = site.detected(level)
        reached = alarm.reached(level) if alarm else None
        if reached is not None:
            delays.append(float(sum(day <= reached for day in site.looks_after_change())))
    return spread(delays)


def area_error(tracks: Sequence[SiteTrack], level: Level) -> Spread:
    """Return the stated area over the true one, minus 1."""
    found = _found(tracks, level)
    return spread(
        [alarm.area_m2 / change.area_m2 - 1 for change, alarm in found if alarm.area_m2 is not None]
    )


def area_coverage(tracks: Sequence[SiteTrack], level: Level) -> Interval:
    """Return how often the stated interval of the area holds the true one; the width is relative to it."""
    held, widths = [], []
    for change, alarm in _found(tracks, level):
        if alarm.area_interval_m2 is not None:
            low, high = alarm.area_interval_m2
            held.append(low <= change.area_m2 <= high)
            widths.append((high - low) / change.area_m2)
    return Interval(proportion(sum(held), len(held)), float(median(widths)) if widths else math.nan)


def spread(errors: Sequence[float]) -> Spread:
    """Return median, median absolute value and quartiles."""
    if not errors:
        return Spread(0, math.nan, math.nan, math.nan, math.nan)
    low, middle, high = (float(each) for each in np.quantile(errors, (0.25, 0.5, 0.75)))
    return Spread(len(errors), middle, float(np.median(np.abs(errors))), low, high)


def recall(tracks: Sequence[SiteTrack], level: Level, *, within_looks: int | None = None) -> Proportion:
    """Return the share of all changes that were found."""
    sites = told(tracks, within_looks)
    found = sum(site.detected(level, within_looks=within_looks) is not None for site in sites)
    return proportion(found, len(sites))


def precision_at(
    tracks: Sequence[SiteTrack],
    level: Level,
    *,
    base_rates: Iterable[float] = BASE_RATES,
    within_looks: int | None = None,
) -> tuple[Precision, ...]:
    """Return precision and false-discovery rate, were changes as frequent as stated.

    A site-year then holds ``base_rate`` changes, of which `recall` are found, and as many false alarms as a
    quiet one: precision = base_rate * recall / (base_rate * recall + false alarms per site-year). The mix of
    sizes and contrasts is that of the changed sites.

    Args:
        tracks: Quiet and changed sites in any proportion; each kind is weighted anew.
        level: How far an alarm must get to count.
        base_rates: Changes per site-year.
        within_looks: As in `power_cells`.
    """
    found, false = recall(tracks, level, within_looks=within_looks), false_alarms(tracks, level)
    least, _ = clopper_pearson(found.successes, found.trials)
    most = garwood_upper(false.events, confidence=0.975) / false.site_years if false.site_years else math.inf
    return tuple(_precision(base, found, false, least, most) for base in base_rates)


def _precision(base_rate: float, found: Proportion, false: Rate, least: float, most: float) -> Precision:
    true = base_rate * found.estimate
    alarms = true + false.estimate
    share = true / alarms if alarms > 0 else math.nan
    lowest = base_rate * least
    upper = 1.0 if not math.isfinite(most) else most / (lowest + most)
    return Precision(base_rate, found.estimate, share, 1 - share, upper)


def reliability(p_values: Sequence[float], *, levels: Iterable[float] = _P_LEVELS) -> Reliability:
    """Compare p-values of quiet sites with the uniform distribution.

    Args:
        p_values: One a site, or of looks far enough apart to be independent; NaN is passed over.
        levels: Where the share at or below is told.
    """
    values = np.asarray(p_values, dtype=np.float64)
    values = values[np.isfinite(values)]
    below = tuple((level, proportion(int((values <= level).sum()), values.size)) for level in levels)
    if not values.size:
        return Reliability(0, math.nan, math.nan, below)
    from scipy import stats  # noqa: PLC0415 - half a second that judging, which takes words from here, has no use for

    test = stats.kstest(values, "uniform")
    return Reliability(int(values.size), float(test.statistic), float(test.pvalue), below)
