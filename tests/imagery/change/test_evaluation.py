from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
from scipy import stats

from imagery.change.evaluation import (
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
)
from imagery.change.tracks import Alarm, Change, Level, SiteTrack

START = date(2023, 1, 1)
DAYS = tuple(START + timedelta(days=10 * k) for k in range(36))


def site(
    name: str, alarms: tuple[Alarm, ...] = (), *, side: float | None = None, contrast: float = 0.15
) -> SiteTrack:
    change = None if side is None else Change(DAYS[20], DAYS[20], side**2, contrast)
    return SiteTrack(name, 2.0, DAYS, (0.0,) * len(DAYS), alarms, change)


def test_power_is_told_by_contrast_and_size() -> None:
    hit, late = Alarm(DAYS[21], confirmed=DAYS[23]), Alarm(DAYS[30])
    sites = [
        *(site(f"a{k}", (hit,) if k < 3 else (), side=20) for k in range(10)),
        *(site(f"b{k}", (hit,) if k < 9 else (late,), side=40) for k in range(10)),
        site("c", (hit,), side=20, contrast=0.05),
        site("quiet", (hit,)),
    ]
    cells = power_cells(sites, Level.CANDIDATE, within_looks=4)
    assert [(c.contrast, c.side_m, c.found.successes, c.found.trials) for c in cells] == [
        (0.05, 20.0, 1, 1),
        (0.15, 20.0, 3, 10),
        (0.15, 40.0, 9, 10),
    ]
    assert power_cells(sites, Level.CANDIDATE)[2].found.successes == 10
    assert recall(sites, Level.CONFIRMED).successes == 13


def test_false_alarms_are_counted_on_quiet_sites_only_and_retracted_ones_too() -> None:
    alarms = (Alarm(DAYS[3], retracted=DAYS[4]), Alarm(DAYS[20], confirmed=DAYS[24]))
    sites = [site("a", alarms), site("b"), site("c", (Alarm(DAYS[2]),), side=20)]
    found = false_alarms(sites, Level.CANDIDATE)
    assert (found.events, found.site_years) == (2, 4.0)
    assert found.per_100 == 50
    assert false_alarms(sites, Level.CONFIRMED).events == 1


def test_intervals_are_worth_what_they_hold() -> None:
    def found(name: str, first: int, last: int) -> SiteTrack:
        bracket = (DAYS[first], DAYS[last])
        inner = (DAYS[first] + timedelta(days=2), DAYS[last])
        area = (300.0 if last % 2 else 500.0, 600.0)
        alarm = Alarm(DAYS[21], bracket=bracket, date_interval=inner, area_m2=440.0, area_interval_m2=area)
        return site(name, (alarm,), side=20)

    sites = [found("a", 19, 21), found("b", 19, 20), found("c", 20, 21), found("d", 21, 22)]
    held = bracket_coverage(sites, Level.CANDIDATE)
    assert (held.covered.successes, held.covered.trials, held.median_width) == (3, 4, 10.0)
    stated = date_interval_coverage(sites, Level.CANDIDATE)
    assert (stated.covered.successes, stated.median_width) == (2, 8.0)
    error = date_error(sites, Level.CANDIDATE)
    assert (error.count, error.median, error.median_absolute) == (4, 3.5, 5.0)
    assert area_error(sites, Level.CANDIDATE).median == pytest.approx(0.1)
    areas = area_coverage(sites, Level.CANDIDATE)
    assert (areas.covered.successes, areas.covered.trials) == (2, 4)
    assert areas.median_width == pytest.approx(0.5)


def test_delay_counts_the_looks_that_were_needed() -> None:
    sites = [site("a", (Alarm(DAYS[20], confirmed=DAYS[22]),), side=20)]
    assert delay_looks(sites, Level.CANDIDATE).median == 1
    assert delay_looks(sites, Level.CONFIRMED).median == 3


def test_what_nobody_states_has_no_coverage() -> None:
    held = bracket_coverage([site("a", (Alarm(DAYS[21]),), side=20)], Level.CANDIDATE)
    assert held.covered.trials == 0
    assert math.isnan(held.median_width)


def test_precision_follows_from_base_rate_recall_and_false_alarms() -> None:
    """The measured example: 1,000 sites, 0.05 changes and 0.1 false alarms each, 0.9 found: 45 of 145."""
    hit = (Alarm(DAYS[21]),)
    sites = [
        *(site(f"q{k}", hit if k < 20 else ()) for k in range(100)),
        *(site(f"c{k}", hit if k < 9 else (), side=20) for k in range(10)),
    ]
    rare, usual, often = precision_at(sites, Level.CANDIDATE)
    assert usual.precision == pytest.approx(45 / 145)
    assert usual.false_discovery_rate == pytest.approx(100 / 145)
    assert rare.precision < usual.precision < often.precision
    for each in (rare, usual, often):
        assert each.recall == 0.9
        assert each.false_discovery_rate < each.false_discovery_upper < 1


def test_the_bound_of_the_false_discovery_rate_holds() -> None:
    """In 95 % of repetitions or more the true rate lies below its bound."""
    rng = np.random.default_rng(4)
    power, alarm_rate, base = 0.7, 0.05, 0.05
    truth = alarm_rate / (base * power + alarm_rate)
    hit, held = (Alarm(DAYS[21]),), 0
    for _ in range(200):
        events, found = rng.poisson(alarm_rate * 200), rng.binomial(30, power)
        sites = [
            *(site(f"q{k}", hit if k < events else ()) for k in range(100)),
            *(site(f"c{k}", hit if k < found else (), side=20) for k in range(30)),
        ]
        held += truth <= precision_at(sites, Level.CANDIDATE, base_rates=[base])[0].false_discovery_upper
    assert held >= 190


def test_without_any_alarm_the_false_discovery_rate_is_unknown_but_bounded() -> None:
    nothing = precision_at([site("q"), site("c", side=20)], Level.CANDIDATE)[0]
    assert math.isnan(nothing.false_discovery_rate)
    assert nothing.false_discovery_upper == 1
    assert precision_at([], Level.CANDIDATE)[0].false_discovery_upper == 1


def test_reliability_is_the_distance_to_uniform() -> None:
    values = np.random.default_rng(1).uniform(size=500)
    fair = reliability([*values.tolist(), math.nan])
    oracle = stats.kstest(values, "uniform")
    assert (fair.count, fair.distance, fair.p) == (500, oracle.statistic, oracle.pvalue)
    assert fair.below[0][1].successes == (values <= 0.01).sum()
    squared = reliability((values**2).tolist())
    assert squared.p < 1e-6 < fair.p
    assert reliability([]).count == 0
