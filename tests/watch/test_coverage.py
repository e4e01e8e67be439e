from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from geo.dates import Span
from imagery.model import Look, NoScene, Outcome
from watch.coverage import Blind, Seen, coverage
from watch.ledger import Ledger
from watch.seen import CLEAR, JUDGED

WALL = datetime(2026, 1, 31, 12, 30, 1, tzinfo=UTC)
LOOK = Look(
    "a",
    "g",
    date(2020, 1, 1),
    "s",
    "p",
    ("x",),
    WALL,
    day_only=False,
    outcome=Outcome.UNCHANGED,
    reason="",
    clear_fraction=1.0,
    frame_clear_fraction=1.0,
    mask_scheme="scl",
    history=9,
    score=1.0,
    threshold=2.0,
)


@pytest.fixture
def ledger(ledger_place: Path | str) -> Iterator[Ledger]:
    found = Ledger.open(ledger_place)
    yield found
    found.close()


def fill(ledger: Ledger, looks: list[Look], windows: list[NoScene] | None = None) -> None:
    with ledger.transaction() as transaction:
        for look in looks:
            transaction.add_look(look, run_id="r", judged_at=WALL)
        for window in windows or []:
            transaction.set_no_scenes(window.site_id, [window], run_id="r")


def test_a_ledger_without_looks_and_a_site_without_any(ledger: Ledger) -> None:
    assert coverage(ledger).sites == ()
    assert coverage(ledger).longest is None
    (site,) = coverage(ledger, ["a"]).sites
    assert (site.looks, site.clear, site.judged_share, site.clear_a_month) == (0, 0, None, None)
    assert (site.span, site.longest, site.gaps, site.months) == (None, None, (), {})


def test_it_tells_what_it_could_see_from_what_it_could_not(ledger: Ledger) -> None:
    days = {
        date(2020, 1, 3): Outcome.LEARNING,
        date(2020, 1, 20): Outcome.UNCHANGED,
        date(2020, 2, 9): Outcome.OBSCURED,
        date(2020, 4, 25): Outcome.CHANGED,
        date(2020, 4, 26): Outcome.FAILED,
    }
    looks = [replace(LOOK, solar_day=day, outcome=outcome) for day, outcome in days.items()]
    window = NoScene("b", date(2020, 3, 1), date(2020, 3, 6))
    fill(ledger, looks, [window])
    a, b = coverage(ledger).sites
    assert (a.site_id, a.looks, a.clear, a.judged, a.no_scene) == ("a", 5, 3, 2, 0)
    assert a.judged_share == 0.4
    assert a.longest == Blind(date(2020, 1, 20), date(2020, 4, 25))
    assert a.gaps == (a.longest,)
    assert a.months == {"2020-01": Seen(2, 2, 1), "2020-02": Seen(1, 0, 0), "2020-04": Seen(2, 1, 1)}
    assert a.clear_a_month == pytest.approx(3 / (115 / 30.4375))
    assert (b.site_id, b.looks, b.no_scene) == ("b", 0, 1)
    asked = coverage(ledger, ["a", "b"], span=Span(date(2020, 2, 1), date(2020, 3, 31)), gap_days=90)
    assert [(site.looks, site.clear, site.no_scene) for site in asked.sites] == [(1, 0, 0), (0, 0, 1)]
    assert asked.sites[0].longest == Blind(date(2020, 2, 1), date(2020, 3, 31))
    assert asked.sites[0].gaps == ()
    assert asked.outcomes[Outcome.OBSCURED] == 1


@pytest.mark.parametrize("named", [True, False])
def test_it_agrees_with_counting_one_by_one(ledger: Ledger, *, named: bool) -> None:
    rng = random.Random(4)
    looks = {
        (f"s{rng.randrange(6)}", date(1969, 11, 1) + timedelta(days=rng.randrange(900)), rng.choice("xy")): (
            rng.choice(list(Outcome))
        )
        for _ in range(400)
    }
    made = [
        replace(LOOK, site_id=site, solar_day=day, series=series, outcome=outcome)
        for (site, day, series), outcome in looks.items()
    ]
    fill(ledger, made)
    found = coverage(ledger, [f"s{n}" for n in range(1200)] if named else None, gap_days=20)
    for site in found.sites:
        own = sorted((look for look in made if look.site_id == site.site_id), key=lambda look: look.solar_day)
        assert site.outcomes == {each: sum(look.outcome is each for look in own) for each in Outcome}
        assert site.judged == sum(look.outcome in JUDGED for look in own)
        assert sum(month.looks for month in site.months.values()) == len(own)
        if own:
            clear = [look.solar_day for look in own if look.outcome in CLEAR]
            points = [own[0].solar_day, *clear, own[-1].solar_day]
            gaps = [Blind(a, b) for a, b in pairwise(points)]
            assert site.longest is not None
            assert site.longest.days == max(gap.days for gap in gaps)
            assert site.gaps == tuple(gap for gap in gaps if gap.days > 20)
    assert sum(month.clear for month in found.months.values()) == sum(look.outcome in CLEAR for look in made)
    assert list(found.months) == sorted(found.months)
