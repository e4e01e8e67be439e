from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import InputError
from watch.timetable import Daily, Every, Timetable, local_zone, read_clock, spread, zone_named

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ("Asia/Pyongyang", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia", "UTC")


def kept(table: Timetable, start: datetime, end: datetime) -> list[datetime]:
    found = []
    moment = table.after(start)
    while moment <= end:
        found.append(moment)
        moment = table.after(moment)
    return found


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("at", [time(0, 30), time(2, 30), time(6), time(23, 59)])
def test_each_day_of_a_year_once_at_its_hour(zone: str, at: time) -> None:
    place = ZoneInfo(zone)
    start = datetime(2026, 1, 1, tzinfo=place)
    moments = kept(
        Daily(at, place), start - timedelta(seconds=1), start + timedelta(days=365) - timedelta(seconds=1)
    )
    local = [moment.astimezone(place) for moment in moments]
    assert [moment.date() for moment in local] == [(start + timedelta(days=n)).date() for n in range(365)]
    # But for the one day on which the clocks jump over the hour.
    assert sum(moment.time() != at for moment in local) <= 1


def test_spring_forward_is_not_skipped_and_fall_back_not_doubled() -> None:
    table = Daily(time(2, 30), BERLIN)
    spring = datetime(2026, 3, 29, tzinfo=BERLIN)
    (moment,) = kept(table, spring, spring + timedelta(hours=20))
    assert moment == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert moment.astimezone(BERLIN).time() == time(3, 30)
    autumn = datetime(2026, 10, 25, tzinfo=BERLIN)
    (moment,) = kept(table, autumn, autumn + timedelta(hours=23))
    assert moment == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # the first of the two


def test_a_day_that_a_place_never_had_is_not_looked_for() -> None:
    apia = ZoneInfo("Pacific/Apia")  # it had no 30 December 2011
    moments = kept(Daily(time(6), apia), datetime(2011, 12, 28, tzinfo=UTC), datetime(2012, 1, 2, tzinfo=UTC))
    assert [moment.astimezone(apia).day for moment in moments] == [28, 29, 31, 1, 2]


@given(
    zone=st.sampled_from(ZONES),
    instant=st.integers(0, 10 * 365 * 24 * 3600),
    minute=st.integers(0, 1439),
    jitter=st.integers(0, 6 * 60),
    hours=st.integers(1, 100),
)
def test_the_one_before_and_the_one_after_enclose_every_instant(
    zone: str, instant: int, minute: int, jitter: int, hours: int
) -> None:
    now = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=instant)
    daily = Daily(time(minute // 60, minute % 60), ZoneInfo(zone))
    every = Every(timedelta(hours=hours))
    for table in (
        daily,
        every,
        spread(daily, timedelta(minutes=jitter), "a"),
        spread(every, timedelta(minutes=min(jitter, hours * 15)), "a"),
    ):
        before, after = table.at_or_before(now), table.after(now)
        assert before <= now < after
        assert table.after(before) == after
        assert table.at_or_before(after) == after
        assert table.at_or_before(after - timedelta.resolution) == before


def test_jitter_is_drawn_from_the_seed_and_the_day() -> None:
    start, table = datetime(2026, 1, 1, tzinfo=UTC), Daily(time(6), UTC)
    most = timedelta(minutes=30)
    one, same, other = (spread(table, most, seed) for seed in ("a", "a", "b"))
    end = start + timedelta(days=60)
    assert kept(one, start, end) == kept(same, start, end) != kept(other, start, end)
    late = [moment - table.at_or_before(moment) for moment in kept(one, start, end)]
    assert timedelta(0) <= min(late) < timedelta(minutes=5)
    assert timedelta(minutes=25) < max(late) < most
    assert spread(table, timedelta(0), "a") is table
    with pytest.raises(InputError, match="quarter of"):
        spread(Every(timedelta(hours=1)), most, "a")


@pytest.mark.parametrize(("text", "expected"), [("06:00", time(6)), ("6", time(6)), ("23:59", time(23, 59))])
def test_reads_an_hour(text: str, expected: time) -> None:
    assert read_clock(text) == expected


@pytest.mark.parametrize("text", ["", "24:00", "6:60", "-1", "6:0:0", "٦", "six", "06:00Z", ":30"])
def test_refuses_what_is_no_hour(text: str) -> None:
    with pytest.raises(InputError):
        read_clock(text)


@pytest.mark.parametrize("name", ["Asia/Pyongjang", "", "../../etc/passwd", "/etc/passwd", "a\0b", "Asia"])
def test_refuses_what_is_no_zone(name: str) -> None:
    with pytest.raises(InputError, match="time zone"):
        zone_named(name)


def test_the_machines_zone_has_its_daylight_saving(tmp_path: Path) -> None:
    assert local_zone({"TZ": ":Europe/Berlin"}) == BERLIN
    assert local_zone({}, tmp_path / "localtime") is UTC
    (tmp_path / "localtime").write_text("nonsense")
    assert local_zone({}, tmp_path / "localtime") is UTC
    source = Path("/usr/share/zoneinfo/Europe/Berlin")
    if source.exists():
        zone = local_zone({}, source)
        offsets = {datetime(2026, month, 1, tzinfo=zone).utcoffset() for month in (1, 7)}
        assert offsets == {timedelta(hours=1), timedelta(hours=2)}
