from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest

from imagery.change.null import Stratum
from imagery.change.scorecard import quiet_null, scorecard
from imagery.change.tracks import Alarm, Change, Level, SiteTrack

START = date(2023, 1, 1)
DAYS = tuple(START + timedelta(days=10 * k) for k in range(55))
SIDES = (10.0, 20.0, 40.0)
FOUND = {10.0: 0.1, 20.0: 0.6, 40.0: 1.0}


def tracks(rng: np.random.Generator, *, quiet: int, changed: int) -> list[SiteTrack]:
    """Return sites with Gaussian scores; a change that shows adds ten to all scores after it."""
    made = []
    for k in range(quiet + changed):
        mode = ("listed", "search")[k % 2]
        scores = rng.normal(size=len(DAYS))
        change = None
        if k >= quiet:
            side = SIDES[k % len(SIDES)]
            change = Change(DAYS[30], DAYS[30], side**2, 0.15)
            if (k // 6) % 10 < 10 * FOUND[side]:
                scores[30:] += 10
        alarms = tuple(
            Alarm(day, confirmed=day + timedelta(days=20))
            for day, score in zip(DAYS, scores, strict=True)
            if score > 8
        )[:1]
        made.append(
            SiteTrack(f"s{k}", 1.5, DAYS, tuple(scores.tolist()), alarms, change, mode, history_looks=20)
        )
    return made


@pytest.fixture(scope="module")
def sites() -> list[SiteTrack]:
    return tracks(np.random.default_rng(0), quiet=160, changed=240)


def test_a_known_detector_gets_known_figures(sites: list[SiteTrack]) -> None:
    card = scorecard("known", sites, seed=0)
    assert (card.quiet_sites, card.changed_sites, card.quiet_site_years) == (160, 240, 240.0)
    candidate, _, confirmed = card.levels
    assert [each.level for each in card.levels] == list(Level)
    assert [(mode, rate.site_years) for mode, rate in candidate.by_mode] == [("listed", 120), ("search", 120)]
    assert candidate.false_alarms.events == 0
    assert candidate.found.estimate == pytest.approx(1.7 / 3)
    assert candidate.delay.median == 1
    assert confirmed.delay.median == 3
    for curve in candidate.curves:
        for cell in curve.cells:
            assert cell.found.low <= FOUND[cell.side_m] <= cell.found.high
        assert curve.half.low <= 18 <= curve.half.high


def test_each_mode_gets_its_own_threshold_on_held_out_sites(sites: list[SiteTrack]) -> None:
    card = scorecard("known", sites, seed=0)
    assert [figures.mode for figures in card.at_target] == ["listed", "search"]
    for figures in card.at_target:
        assert 2.3 < figures.threshold.value < 4.5
        assert figures.threshold.fitted.estimate <= 0.1
        assert figures.threshold.fitted.site_years + figures.threshold.held_out.site_years == 120
        assert {curve.within_looks for curve in figures.curves} == {4, 6}
        assert figures.curves[0].cells[-1].found.estimate == 1


def test_p_values_of_the_other_half_are_uniform(sites: list[SiteTrack]) -> None:
    found = scorecard("known", sites, seed=0).p_values
    assert found.count == 80
    assert found.p > 0.01


def test_a_null_is_made_of_quiet_looks_only(sites: list[SiteTrack]) -> None:
    null = quiet_null(sites, source="simulated", min_scores=100)
    found = null.p_value(9.0, Stratum("listed"))
    assert found is not None
    assert found.count == 80 * len(DAYS)
    assert found.p == 1 / (1 + found.count)
    assert set(null.tails) >= {Stratum("listed", "winter", "12-23"), Stratum("search", "summer")}


def test_with_one_site_much_stays_unknown_and_nothing_breaks() -> None:
    (one,) = tracks(np.random.default_rng(1), quiet=1, changed=0)
    card = scorecard("known", [one], seed=0)
    assert card.at_target == ()
    assert card.p_values.count == 0
    assert math.isnan(card.levels[0].found.estimate)
    assert card.levels[0].curves == ()
