from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagery.change.changedate import change_date, gap_masses
from imagery.change.follow import (
    CONFIRMED_DAYS,
    KEPT_LOOKS,
    UNDECIDED_LOOKS,
    Suspicion,
    Track,
    advanced,
    dated,
    raised,
)
from imagery.change.matched import UNSEEN, Place, Reading
from imagery.change.weigh import DECIDES, Verdict, directed, log_ratio, verdict, weigh
from imagery.model import DetectionState

JOIN = np.eye(2, dtype=np.float32)
ROOF = (0.15, 0.10)
ERROR = (0.02, 0.02)
FIRST = date(2021, 1, 1)
PLACE = Place(2.0, (0.0, 0.0), 16, 16)


def day(number: int) -> date:
    return FIRST + timedelta(days=5 * number)


def reading(part: float = 0.0, error: tuple[float, float] = ERROR) -> Reading:
    return Reading(tuple(part * each for each in ROOF), error)


def began(parts: Sequence[float] = (0.0,) * 6, number: int = 10, *, accumulated: bool = False) -> Track:
    """Return a track that look `number` raised, after kept looks that show so much of the roof."""
    earlier = [(day(number - len(parts) + at), reading(part)) for at, part in enumerate(parts)]
    suspicion = Suspicion(PLACE, day(number), 1.6, 2.5, ROOF, accumulated=accumulated)
    return raised(suspicion, reading(1.0), earlier, day(number - len(parts) - 1))


def after(track: Track, *parts: float | None, apart: int = 30) -> Track:
    for step, part in enumerate(parts, start=1):
        shown = UNSEEN if part is None else reading(part)
        if track.is_open:
            track = advanced(track, track.opened + timedelta(days=apart * step), shown, 1.2, JOIN)
    return track


@given(st.floats(-1, 2), st.floats(0, 40))
def test_evidence_is_odd_about_the_middle_and_rises_with_what_is_shown(part: float, mu: float) -> None:
    t = part * mu
    assert log_ratio(t, mu) == pytest.approx(-log_ratio(mu - t, mu), abs=1e-9)
    assert log_ratio(t + 1, mu) >= log_ratio(t, mu) - 1e-12
    assert log_ratio(t, 0.0) == 0.0


def test_a_look_too_weak_to_show_it_decides_nothing() -> None:
    weak = reading(0.0, error=(0.2, 0.2))
    assert abs(weigh(weak, ROOF, JOIN)) < DECIDES
    assert verdict(weigh(weak, ROOF, JOIN)) is Verdict.CANNOT_TELL
    assert verdict(weigh(reading(0.0), ROOF, JOIN)) is Verdict.ABSENT
    assert verdict(weigh(reading(1.0), ROOF, JOIN)) is Verdict.SHOWN
    assert weigh(UNSEEN, ROOF, JOIN) == 0.0
    assert directed(reading(1.0), (0.0, 0.0), JOIN) == (0.0, 0.0)


@pytest.mark.parametrize("mu", [2.0, 4.0, 8.0])
def test_one_look_errs_less_often_than_its_odds_say(mu: float) -> None:
    noise = np.random.default_rng(0).normal(size=20_000)
    wrongly_shown = np.mean([log_ratio(each, mu) >= DECIDES for each in noise])
    wrongly_absent = np.mean([log_ratio(mu + each, mu) <= -DECIDES for each in noise])
    assert max(wrongly_shown, wrongly_absent) < 1 / 20


def test_a_look_that_shows_far_too_much_shows_something_else() -> None:
    assert verdict(weigh(reading(2.0), ROOF, JOIN)) is Verdict.SHOWN
    assert weigh(reading(4.0), ROOF, JOIN) == 0.0


def test_another_direction_is_not_the_same_change() -> None:
    assert verdict(weigh(Reading((-0.15, 0.10), ERROR), ROOF, JOIN)) is not Verdict.SHOWN
    assert verdict(weigh(Reading((-0.15, -0.10), ERROR), ROOF, JOIN)) is Verdict.ABSENT


def test_three_looks_confirm_and_two_make_it_probable() -> None:
    track = began()
    assert (track.state, track.looks_with, track.is_reported) == (DetectionState.CANDIDATE, 1, True)
    two = after(track, 1.0)
    assert (two.state, two.looks_with, two.probable) == (DetectionState.PROBABLE, 2, day(16))
    three = after(track, 1.0, 1.1)
    assert (three.state, three.looks_with, three.confirmed) == (DetectionState.CONFIRMED, 3, day(22))
    assert not three.is_open and three.last_with == day(22)


def test_looks_of_a_few_weeks_do_not_confirm_however_many_they_are() -> None:
    five = after(began(), 1.0, 1.0, 1.0, 1.0, 1.0, apart=10)
    assert (five.state, five.looks_with) == (DetectionState.PROBABLE, 6)
    assert five.confirmed_from == five.opened + timedelta(days=CONFIRMED_DAYS)
    assert after(began(), *[1.0] * 6, apart=10).state is DetectionState.CONFIRMED
    hidden = after(began(), *[1.0] * 5, None, apart=10)
    assert hidden.state is DetectionState.PROBABLE
    built_up = after(began(accumulated=True), *[1.0] * 6, apart=10)
    assert built_up.state is DetectionState.PROBABLE
    assert built_up.confirmed_from == built_up.opened + timedelta(days=10 + CONFIRMED_DAYS)


def test_what_accumulated_counts_as_no_look_of_its_own() -> None:
    track = began(accumulated=True)
    assert after(track, 1.0, 1.0).state is DetectionState.PROBABLE
    assert after(track, 1.0, 1.0, 1.0).state is DetectionState.CONFIRMED
    assert after(track).state is DetectionState.CANDIDATE


def test_a_candidate_without_it_is_dropped_and_a_probable_one_retracted() -> None:
    dropped = after(began(), 0.0, 0.0)
    assert (dropped.state, dropped.is_open, dropped.is_reported) == (DetectionState.CANDIDATE, False, False)
    gone = after(began(), 1.0, 0.0, 0.0)
    assert (gone.state, gone.is_reported) == (DetectionState.RETRACTED, True)
    back = after(began(), 0.0, 1.0)
    assert back.state is DetectionState.PROBABLE


def test_looks_that_cannot_tell_add_up_and_hidden_ones_do_not_count() -> None:
    faint = replace(began(), contrast=tuple(0.25 * each for each in ROOF))
    once = after(faint, 0.25)
    assert once.sightings[-1].verdict is Verdict.CANNOT_TELL and once.open_evidence > 0
    states = [after(faint, *[0.25] * count).state for count in range(8)]
    assert states[-1] is DetectionState.CONFIRMED and states[1] is DetectionState.CANDIDATE
    hidden = after(began(), None, None, 1.0)
    assert hidden.state is DetectionState.PROBABLE and len(hidden.sightings) == len(began().sightings) + 1


def test_a_candidate_that_nothing_decides_is_dropped_in_the_end() -> None:
    faint = replace(began(), contrast=tuple(0.1 * each for each in ROOF))
    ended = after(faint, *[0.05] * UNDECIDED_LOOKS)
    assert not ended.is_open and not ended.is_reported


def test_the_bracket_is_closed_by_looks_that_could_have_shown_it_only() -> None:
    plain = dated(after(began(), 1.0), JOIN)
    assert (plain.last_without, plain.first_with) == (day(9), day(10))
    track = began()
    blunt = list(track.sightings)
    blunt[-2] = replace(blunt[-2], reading=reading(0.5, error=(0.3, 0.3)))
    open_gap = dated(after(replace(track, sightings=tuple(blunt)), 1.0), JOIN)
    assert (open_gap.last_without, open_gap.first_with) == (day(8), day(10))
    assert open_gap.interval_90[0] <= day(9)


def test_the_backward_test_finds_looks_that_showed_it_before_it_was_raised() -> None:
    late = dated(after(began(parts=(0.0, 0.0, 0.0, 0.9, 1.0)), 1.0), JOIN)
    assert (late.last_without, late.first_with) == (day(7), day(8))
    older = dated(after(began(parts=(1.0, 0.9, 1.0)), 1.0), JOIN)
    assert older.last_without == day(6)


def test_only_the_kept_looks_are_tested_backwards() -> None:
    track = began(parts=(0.0,) * 12, number=20)
    assert len(track.sightings) == KEPT_LOOKS + 1
    assert track.older == day(11)


def test_a_search_overstates_what_it_picks() -> None:
    assert Suspicion(PLACE, FIRST, 1.0, 1.5, ROOF).expected[0] == pytest.approx(
        0.15 * math.sqrt(1 - 1 / 2.25)
    )
    assert Suspicion(PLACE, FIRST, 1.0, 0.5, ROOF).expected[0] == pytest.approx(0.075)
    assert Suspicion(PLACE, FIRST, 9.0, 30.0, ROOF).expected[0] == pytest.approx(0.15, rel=1e-3)


def test_dates_by_hand() -> None:
    days = [date(2020, 1, 11), date(2020, 1, 31), date(2020, 2, 10)]
    sure = change_date(date(2020, 1, 1), days, [-9.0, -9.0, 9.0])
    assert (sure.last_without, sure.first_with) == (days[1], days[2])
    assert sure.interval_90 == (date(2020, 2, 1), date(2020, 2, 9))
    blind = change_date(date(2020, 1, 1), days, [-9.0, 0.0, 9.0])
    assert (blind.last_without, blind.first_with) == (days[0], days[2])
    assert blind.interval_90 == (date(2020, 1, 13), date(2020, 2, 8))
    with pytest.raises(ValueError, match="in order"):
        change_date(date(2020, 3, 1), days, [0.0, 0.0, 9.0])
    with pytest.raises(ValueError, match="0 days"):
        change_date(date(2020, 3, 1), [], [])


def test_two_looks_of_one_day_leave_no_gap() -> None:
    same = [date(2020, 1, 11), date(2020, 1, 11)]
    assert change_date(date(2020, 1, 11), same, [-1.0, 5.0]).first_with == same[0]
    edges = np.array([date(2020, 1, 1).toordinal(), same[0].toordinal(), same[1].toordinal()])
    np.testing.assert_allclose(gap_masses(edges, np.array([0.0, 5.0])), [1, 0])


def test_the_interval_holds_nine_changes_in_ten_and_the_bracket_more() -> None:
    rng = np.random.default_rng(11)
    held, bracketed, runs = 0, 0, 1500
    for _ in range(runs):
        gaps = rng.choice([5, 10, 15, 25, 40], size=14)
        days = [FIRST + timedelta(days=int(each)) for each in np.cumsum(gaps)]
        true = days[2] + timedelta(days=int(rng.integers(1, (days[9] - days[2]).days + 1)))
        mu = rng.choice([2.5, 4.0, 8.0])
        t = rng.standard_t(5, size=len(days)) + mu * np.array([each >= true for each in days])
        found = change_date(FIRST, days, [log_ratio(each, mu) for each in t])
        held += found.interval_90[0] <= true <= found.interval_90[1]
        bracketed += found.last_without < true <= found.first_with
    assert held / runs == pytest.approx(0.9, abs=0.03)
    assert bracketed / runs > 0.95
