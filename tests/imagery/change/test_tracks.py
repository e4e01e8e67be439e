from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagery.change.tracks import Alarm, Change, Level, SiteTrack, changed, halves, quiet

START = date(2023, 1, 1)
DAYS = tuple(START + timedelta(days=10 * k) for k in range(36))
BUILT = DAYS[20]
CHANGE = Change(BUILT, BUILT, area_m2=204.0, contrast=0.15)


def track(site_id: str = "a", *alarms: Alarm, change: Change | None = CHANGE) -> SiteTrack:
    return SiteTrack(site_id, 1.0, DAYS, (0.0,) * len(DAYS), alarms, change)


def test_only_an_alarm_after_the_change_and_on_it_finds_it() -> None:
    early, elsewhere, right = Alarm(DAYS[18]), Alarm(DAYS[21], on_change=False), Alarm(DAYS[22])
    assert track("a", early, elsewhere).detected(Level.CANDIDATE) is None
    assert track("a", early, elsewhere, right).detected(Level.CANDIDATE) is right
    assert track("a", right, change=None).detected(Level.CANDIDATE) is None


def test_a_level_must_be_reached_within_so_many_looks() -> None:
    alarm = Alarm(DAYS[20], probable=DAYS[21], confirmed=DAYS[23])
    site = track("a", alarm)
    assert site.detected(Level.CANDIDATE, within_looks=1) is alarm
    assert site.detected(Level.CONFIRMED, within_looks=3) is None
    assert site.detected(Level.CONFIRMED, within_looks=4) is alarm
    assert track("a", replace(alarm, confirmed=None)).detected(Level.CONFIRMED) is None


def test_looks_after_the_change_begin_with_its_first_day() -> None:
    assert track().looks_after_change() == DAYS[20:]
    assert track(change=None).looks_after_change() == ()


@given(
    seed=st.integers(0, 99),
    names=st.lists(st.text("abc", min_size=1, max_size=4), min_size=1, max_size=40, unique=True),
    order=st.randoms(use_true_random=False),
)
def test_halves_are_even_within_strata_and_know_no_order(seed: int, names: list[str], order: object) -> None:
    sites = [replace(track(name), stratum=name[0]) for name in names]
    first, second = halves(sites, seed=seed)
    assert {site.site_id for site in (*first, *second)} == set(names)
    for stratum in "abc":
        sizes = [sum(site.stratum == stratum for site in half) for half in (first, second)]
        assert sizes[0] - sizes[1] in {0, 1}
    order.shuffle(sites)  # type: ignore[attr-defined]  # a hypothesis Random
    again = halves(sites, seed=seed)
    assert [{s.site_id for s in half} for half in again] == [{s.site_id for s in h} for h in (first, second)]


def test_sites_of_a_group_stay_together() -> None:
    sites = [replace(track(f"s{k}"), group=f"tile{k % 7}") for k in range(70)]
    first, second = halves(sites)
    assert {site.group for site in first}.isdisjoint({site.group for site in second})
    assert len(first) == 40 and len(second) == 30


def test_quiet_and_changed_part_the_sites() -> None:
    sites = (track("a"), track("b", change=None))
    assert [site.site_id for site in quiet(sites)] == ["b"]
    assert [site.site_id for site in changed(sites)] == ["a"]


def test_records_that_contradict_themselves_are_refused() -> None:
    with pytest.raises(ValueError, match="2 days, 1 scores"):
        SiteTrack("a", 1.0, DAYS[:2], (0.0,))
    with pytest.raises(ValueError, match="out of order"):
        SiteTrack("a", 1.0, DAYS[1::-1], (0.0, 0.0))
    with pytest.raises(ValueError, match="is none"):
        Change(DAYS[1], DAYS[0], 100.0, 0.1)
    with pytest.raises(ValueError, match="is none"):
        Change(DAYS[0], DAYS[0], 0.0, 0.1)
