from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagery.change.thresholds import (
    alarm_rate,
    alarms_above,
    empirical_threshold,
    run_starts,
    threshold_for,
)
from imagery.change.tracks import Change, SiteTrack

START = date(2022, 1, 1)


def series(name: str, scores: list[float], *, step_days: int = 10, change: Change | None = None) -> SiteTrack:
    days = tuple(START + timedelta(days=step_days * k) for k in range(len(scores)))
    return SiteTrack(name, step_days * len(scores) / 365.25, days, tuple(scores), (), change)


def test_a_run_is_one_alarm_and_so_is_what_follows_soon() -> None:
    site = series("a", [0, 5, 5, 0, 5, 0, 0, 0, 0, 0, 0, 5, math.nan, 5])
    assert run_starts(site, 4, dead_time_days=60) == (1, 11)
    assert run_starts(site, 4, dead_time_days=15) == (1, 4, 11)
    assert run_starts(site, 4, dead_time_days=0) == (1, 4, 11)
    assert run_starts(site, 5, dead_time_days=0) == ()


def test_a_run_has_no_longest_time() -> None:
    assert run_starts(series("a", [9.0] * 10, step_days=100), 4, dead_time_days=60) == (0,)


def test_a_false_alarm_before_a_change_does_not_hide_it() -> None:
    change = Change(START + timedelta(days=30), START + timedelta(days=30), 400.0, 0.1)
    site = series("a", [0, 0, 5, 5, 5], change=change)
    assert run_starts(site, 4, dead_time_days=60) == (2, 3)
    assert [alarm.day for alarm in alarms_above(site, 4)] == [site.days[2], site.days[3]]


@given(
    scores=st.lists(
        st.lists(st.integers(0, 12).map(float) | st.just(math.nan), min_size=1, max_size=30),
        min_size=1,
        max_size=6,
    ),
    target=st.sampled_from([0.1, 0.5, 1.0, 3.0]),
    dead=st.sampled_from([0, 15, 60]),
)
def test_the_threshold_is_the_lowest_that_keeps_the_target_above_it(
    scores: list[list[float]], target: float, dead: int
) -> None:
    sites = [series(str(k), each) for k, each in enumerate(scores)]
    chosen = threshold_for(sites, target=target, dead_time_days=dead)
    levels = sorted({s for each in scores for s in each if math.isfinite(s)})

    def kept(level: float) -> bool:
        at_it = math.nextafter(level, -math.inf)
        return alarm_rate(sites, at_it, dead_time_days=dead).estimate <= target

    fitting = [level for level in levels if all(kept(above) for above in levels if above >= level)]
    if len(fitting) == len(levels):
        assert chosen == -math.inf
    else:
        assert chosen == min(fitting, default=levels[-1])


def test_the_held_out_half_keeps_the_rate_of_a_known_process() -> None:
    """Independent Gaussian looks every 10 days: the threshold is near the quantile for 0.1 a year."""
    rng = np.random.default_rng(3)
    sites = [series(f"s{k}", rng.normal(size=73).tolist()) for k in range(1200)]
    found = empirical_threshold(sites, target=0.1, dead_time_days=0)
    assert found.fitted.estimate <= 0.1
    assert found.held_out.low <= 0.1 <= found.held_out.high
    assert found.value == pytest.approx(2.777, abs=0.15)  # P(Z > z) = 0.1 / 36.5
    assert found.fitted.site_years == pytest.approx(found.held_out.site_years)


def test_changed_sites_fit_nothing() -> None:
    change = Change(START, START, 400.0, 0.1)
    sites = [series(f"q{k}", [1.0, 2.0, 3.0]) for k in range(4)]
    loud = [series(f"c{k}", [90.0] * 3, change=change) for k in range(4)]
    assert empirical_threshold([*sites, *loud]) == empirical_threshold(sites)


def test_too_few_sites_are_refused() -> None:
    with pytest.raises(ValueError, match="1 quiet sites"):
        empirical_threshold([series("a", [1.0])])
