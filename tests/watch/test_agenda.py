from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point

from imagery.provenance import Charge
from sites.categories import Category
from sites.errors import SiteError
from sites.model import Name, Site, WatchRules
from watch.agenda import Plan, Standing, Window, free, make_plan
from watch.budget import Allowance
from watch.ledger import Examined

if TYPE_CHECKING:
    from watch.agenda import Estimate

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
FIVE_DAYS = timedelta(days=5)


def site(site_id: str, priority: int | None = None, *, days: int | None = None, placed: bool = True) -> Site:
    cadence = None if days is None else timedelta(days=days)
    return Site(
        id=site_id,
        names=(Name(site_id),),
        category=Category.MARKET,
        geometry=Point(125.75, 39.02) if placed else None,
        watch=WatchRules(cadence=cadence, priority=priority),
    )


def examined(**ago: float) -> dict[str, Examined]:
    moments = {name: NOW - timedelta(days=days) for name, days in ago.items()}
    return {name: Examined(moment.date(), moment) for name, moment in moments.items()}


def planned(
    sites: list[Site],
    known: dict[str, Examined],
    *,
    estimate: Estimate = free,
    left: Allowance | None = None,
) -> Plan:
    return make_plan(sites, known, now=NOW, cadence=FIVE_DAYS, estimate=estimate, left=left)


def test_every_site_stands_somewhere_and_the_due_ones_come_first() -> None:
    sites = [site("fresh"), site("late"), site("new"), site("nowhere", placed=False), site("slow", days=16)]
    plan = planned(sites, examined(fresh=1, late=6, slow=6))
    assert {each.site_id: each.standing for each in plan.sites} == {
        "late": Standing.DUE,
        "new": Standing.DUE,
        "fresh": Standing.NOT_DUE,
        "slow": Standing.NOT_DUE,
        "nowhere": Standing.NOT_WATCHED,
    }
    assert [each.site_id for each in plan.due] == ["new", "late"]
    assert plan.next_due() == NOW + timedelta(days=4)
    assert plan.cost == Charge()


def test_by_priority_then_by_how_long_it_waits_then_by_id() -> None:
    sites = [site("b"), site("a"), site("longer"), site("first", 1), site("last", 9)]
    plan = planned(sites, examined(a=6, b=6, longer=20, first=5, last=90))
    assert [each.site_id for each in plan.due] == ["first", "longer", "a", "b", "last"]


@pytest.mark.parametrize("priority", [0, 10, -1, 1.5])
def test_a_priority_is_one_to_nine(priority: int) -> None:
    with pytest.raises(SiteError, match="1 \\(first\\) to 9"):
        site("a", priority)


def test_a_daily_timer_that_comes_a_little_early_finds_what_is_due() -> None:
    plan = planned([site("a", days=1)], examined(a=1 - 1 / 24))
    assert plan.due
    assert not planned([site("a", days=1)], examined(a=0.5)).due


def test_missed_windows_are_named_and_the_present_one_is_not_missed() -> None:
    (late,) = planned([site("a", days=2)], examined(a=7)).sites
    start = NOW - timedelta(days=7)
    step = timedelta(days=2)
    assert late.missed == (Window(start + step, start + 2 * step), Window(start + 2 * step, start + 3 * step))
    assert "catching up 2 missed" in late.reason
    assert planned([site("a", days=2)], examined(a=2)).missed == 0
    assert planned([site("a", days=2)], {}).missed == 0


def test_what_a_wrong_clock_examined_in_the_future_is_due() -> None:
    (ahead,) = planned([site("a")], examined(a=-400)).sites
    assert ahead.standing is Standing.DUE
    assert "yet to come" in ahead.reason
    assert ahead.missed == ()
    assert planned([site("a")], examined(a=-1)).due
    assert not planned([site("a")], examined(a=-1 / 24)).due  # a clock set back an hour repeats nothing


def test_the_budget_cuts_the_lowest_priority_first_and_names_it() -> None:
    sites = [site("low", 9), site("high", 1), site("middle")]
    plan = planned(
        sites, {}, estimate=lambda _site, _until: Charge(4, 1.0), left=Allowance(9, processing_units=None)
    )
    assert [each.site_id for each in plan.due] == ["high", "middle"]
    (cut,) = plan.cut
    assert cut.site_id == "low"
    assert "4 requests, 1.00 processing units" in cut.reason
    assert plan.cost == Charge(8, 2.0)


def test_only_what_is_due_is_estimated() -> None:
    asked = []

    def estimate(which: Site, until: datetime | None) -> Charge:
        asked.append((which.id, until))
        return Charge()

    planned([site("a"), site("b")], examined(a=1, b=5), estimate=estimate)
    assert asked == [("b", NOW - FIVE_DAYS)]


costs = st.integers(0, 6)


@given(wanted=st.lists(st.tuples(st.integers(1, 9), costs), max_size=12), limit=st.integers(0, 20))
def test_nothing_of_more_weight_is_cut_for_something_of_less(
    wanted: list[tuple[int, int]], limit: int
) -> None:
    sites = [site(f"s{number:02}", priority) for number, (priority, _) in enumerate(wanted)]
    prices = {each.id: price for each, (_, price) in zip(sites, wanted, strict=True)}
    plan = planned(sites, {}, estimate=lambda each, _: Charge(prices[each.id]), left=Allowance(limit, None))
    assert plan.cost.requests <= limit
    assert sorted(each.site_id for each in plan.sites) == sorted(prices)
    for cut in plan.cut:
        assert prices[cut.site_id] > 0
        behind = [each for each in plan.due if (each.priority, each.site_id) > (cut.priority, cut.site_id)]
        if prices[cut.site_id] <= limit:
            assert all(each.cost == Charge() for each in behind)
    if sum(price for price in prices.values()) <= limit:
        assert plan.cut == ()
