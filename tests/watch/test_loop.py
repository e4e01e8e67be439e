"""The loop, for a year of a clock that only passes when it is waited for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from shapely.geometry import Point

from sites.categories import Category
from sites.model import Name, Site, WatchRules
from watch.agenda import make_plan
from watch.ledger import Examined
from watch.loop import RETRY_S, believed, keep
from watch.timetable import Daily, Every, Timetable, spread

START = datetime(2026, 1, 1, tzinfo=UTC)
NAP_S = 900.0
BERLIN = ZoneInfo("Europe/Berlin")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Virtual:
    """A clock that passes as it is waited for, and that somebody sets now and then."""

    def __init__(self, steps: dict[timedelta, timedelta] | None = None) -> None:
        self.true = START
        self.error = timedelta(0)
        self.steps = dict(steps or {})
        self.waits = 0

    def now(self) -> datetime:
        return self.true + self.error

    def elapsed_s(self) -> float:
        return (self.true - START).total_seconds()

    def wait(self, seconds: float) -> None:
        self.waits += 1
        self.true += timedelta(seconds=seconds)
        for when in [when for when in self.steps if self.true - START >= when]:
            self.error += self.steps.pop(when)


def play(
    table: Timetable,
    clock: Virtual,
    days: float,
    *,
    look: Callable[[datetime], int] | None = None,
    last: datetime | None = None,
) -> list[tuple[datetime, datetime]]:
    """Return the looks of so many days: their slot, and the true time at which they were made."""
    looks: list[tuple[datetime, datetime]] = []

    def looking(slot: datetime) -> int:
        code = look(slot) if look else 0
        if code == 0:
            looks.append((slot, clock.true))
        return code

    end = clock.true + timedelta(days=days)
    keep(
        table, looking, clock=clock, halt=lambda: "over" if clock.true >= end else "", last=last, nap_s=NAP_S
    )
    return looks


@pytest.mark.parametrize("zone", ["Asia/Pyongyang", "Europe/Berlin"])
def test_every_day_of_a_year_is_looked_after_once(zone: str) -> None:
    place = ZoneInfo(zone)
    table = spread(Daily(time(2, 30), place), timedelta(minutes=20), "workspace")
    looks = play(table, Virtual(), 365, last=table.at_or_before(START))
    days = [slot.astimezone(place).date() for slot, _ in looks]
    first = table.after(START).astimezone(place).date()
    assert days == [first + n * DAY for n in range(365)]
    assert all(timedelta(0) <= made - slot < timedelta(seconds=1) for slot, made in looks)


def test_no_sleep_is_longer_than_a_nap_and_none_is_busy() -> None:
    clock = Virtual()
    play(Daily(time(6), UTC), clock, 10, last=START)
    assert 10 * 86400 / NAP_S <= clock.waits <= 10 * 86400 / NAP_S + 20


def test_a_week_off_is_caught_up_on_by_one_look() -> None:
    clock = Virtual()
    table = Daily(time(6), UTC)
    before = play(table, clock, 10, last=START)
    clock.true += 7 * DAY  # suspended in the middle of a nap, or switched off
    after = play(table, clock, 10, last=before[-1][0])
    assert [slot.day for slot, _ in before] == list(range(1, 11))
    assert [slot.day for slot, _ in after] == list(range(17, 28))
    assert after[0][1] == START + 17 * DAY


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_a_clock_set_back_an_hour_repeats_nothing(hour: int) -> None:
    clock = Virtual({5 * DAY + hour * HOUR + timedelta(minutes=20): -HOUR})
    looks = play(Daily(time(6), UTC), clock, 20, last=START)
    assert [slot for slot, _ in looks] == [START + n * DAY + 6 * HOUR for n in range(len(looks))]
    assert len(looks) == 20


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_a_clock_set_forward_a_day_loses_nothing(hour: int) -> None:
    clock = Virtual({5 * DAY + hour * HOUR: DAY})
    looks = play(Daily(time(6), UTC), clock, 20, last=START)
    slots = [slot for slot, _ in looks]
    assert slots == sorted(set(slots))
    assert slots[-1] == Daily(time(6), UTC).at_or_before(clock.now())
    # The day that the clock left out may have no look of its own: the next one stands for it.
    gaps = [(later - earlier) / DAY for earlier, later in pairwise(slots)]
    assert gaps.count(1) == len(gaps) - (1 if 2 in gaps else 0)
    waits = [(later - earlier) / HOUR for (_, earlier), (_, later) in pairwise(looks)]
    assert max(waits) <= 24


def test_a_clock_that_was_a_day_ahead_for_an_hour_loses_no_true_day() -> None:
    for hour in range(24):
        clock = Virtual({5 * DAY + hour * HOUR: DAY, 5 * DAY + (hour + 1) * HOUR: -DAY})
        looks = play(Daily(time(6), UTC), clock, 20, last=START)
        made = Counter(moment.date() for _, moment in looks)
        assert all(made[(START + n * DAY).date()] >= 1 for n in range(20)), hour
        assert sum(made.values()) <= 21


def test_a_look_that_could_not_be_made_is_tried_again_and_never_without_pause() -> None:
    clock, tried = Virtual(), []

    def failing(slot: datetime) -> int:
        tried.append((slot, clock.true))
        return 1 if clock.true < START + 6 * HOUR + timedelta(minutes=40) else 0

    looks = play(Daily(time(6), UTC), clock, 2, look=failing, last=START)
    assert [slot.day for slot, _ in looks] == [1, 2]
    moments = [moment for _, moment in tried]
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(moments)]
    assert min(pauses) >= RETRY_S
    tried.clear()
    play(Daily(time(6), UTC), Virtual(), 10, look=lambda _: 1)


def test_hopeless_looks_are_tried_a_few_times_a_day() -> None:
    tried = Counter[date]()
    clock = Virtual()

    def failing(_slot: datetime) -> int:
        tried[clock.true.date()] += 1
        return 2

    play(Daily(time(6), UTC), clock, 10, look=failing)
    assert max(tried.values()) <= 10
    assert min(tried.values()) >= 3


def test_told_to_end_it_begins_nothing_more() -> None:
    clock = Virtual()
    assert play(Daily(time(6), UTC), clock, 0) == []
    asked: list[datetime] = []

    def look(slot: datetime) -> int:
        asked.append(slot)
        return 0

    keep(Every(HOUR), look, clock=clock, halt=lambda: "SIGTERM" if asked else "")
    assert len(asked) == 1


def test_what_was_last_looked_after_is_believed_unless_the_clock_was_wrong() -> None:
    table = Daily(time(6), UTC)
    six = START + 6 * HOUR
    assert believed(None, six, table) is None
    assert believed(six, six - HOUR, table) == six
    assert believed(six + 300 * DAY, six + HOUR, table) == six


@pytest.mark.parametrize(("zone", "jitter"), [("Asia/Pyongyang", 0), ("Europe/Berlin", 45)])
def test_every_due_window_of_every_site_is_examined_once(zone: str, jitter: int) -> None:
    """A year of plans over three cadences, with a week off and clocks that are set."""
    cadences = {"daily": 1, "weekly": 7, "slow": 16}
    sites = [
        Site(
            id=name,
            names=(Name(name),),
            category=Category.MARKET,
            geometry=Point(125.75, 39.02),
            watch=WatchRules(cadence=timedelta(days=days)),
        )
        for name, days in cadences.items()
    ]
    examined: dict[str, Examined] = {}
    made: dict[str, list[datetime]] = {name: [] for name in cadences}
    clock = Virtual({100 * DAY + 7 * HOUR: -HOUR, 150 * DAY: HOUR})

    def look(_slot: datetime) -> int:
        plan = make_plan(sites, examined, now=clock.now(), cadence=5 * DAY)
        for site in plan.due:
            made[site.site_id].append(clock.now())
            examined[site.site_id] = Examined(clock.now().date(), clock.now())
        return 0

    table = spread(Daily(time(6), ZoneInfo(zone)), timedelta(minutes=jitter), "w")
    looks = play(table, clock, 200, look=look)
    clock.true += 7 * DAY
    play(table, clock, 158, look=look, last=looks[-1][0])
    place = ZoneInfo(zone)
    daily = [moment.astimezone(place).date() for moment in made["daily"]]
    assert len(daily) == len(set(daily))
    assert 365 - 8 <= len(daily) <= 365 - 5
    for name, days in cadences.items():
        gaps = [(later - earlier) / DAY for earlier, later in pairwise(made[name])]
        late = [gap for gap in gaps if gap > days + 0.5]
        assert len(late) <= 1, name  # the week off
        assert all(gap < 7 + days + 0.5 for gap in late)
        assert min(gaps) > days - 0.5, name
