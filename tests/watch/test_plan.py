from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from imagery.model import NoScene
from watch.plan import due, empty_windows, windows

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
FIVE_DAYS = timedelta(days=5)


def test_due_when_never_examined_or_when_the_cadence_has_passed() -> None:
    assert due(None, now=NOW, cadence=FIVE_DAYS).is_due
    assert due(NOW - FIVE_DAYS, now=NOW, cadence=FIVE_DAYS).is_due
    later = due(NOW - FIVE_DAYS + timedelta(seconds=1), now=NOW, cadence=FIVE_DAYS)
    assert not later.is_due
    assert later.reason == "next due 2026-01-31 12:00 UTC"


def test_due_says_what_was_missed() -> None:
    state = due(NOW - timedelta(days=21), now=NOW, cadence=FIVE_DAYS)
    assert state.is_due
    assert "catching up 3 missed" in state.reason


def test_a_window_with_any_acquisition_is_not_empty() -> None:
    days = [date(2026, 1, 1), date(2026, 1, 12)]
    found = empty_windows("a", days, since=date(2026, 1, 10), now=NOW, cadence=FIVE_DAYS)
    assert found == [
        NoScene("a", date(2026, 1, 6), date(2026, 1, 11)),
        NoScene("a", date(2026, 1, 16), date(2026, 1, 21)),
        NoScene("a", date(2026, 1, 21), date(2026, 1, 26)),
        NoScene("a", date(2026, 1, 26), date(2026, 1, 31)),
    ]


def test_a_window_is_not_empty_before_it_is_over() -> None:
    assert empty_windows("a", [], since=date(2026, 1, 30), now=NOW, cadence=FIVE_DAYS) == []


@given(
    days=st.lists(st.dates(date(2020, 1, 1), date(2020, 12, 31)), max_size=60),
    cadence=st.integers(1, 40),
    length=st.integers(0, 400),
)
def test_empty_windows_are_exactly_those_that_hold_no_day(
    days: list[date], cadence: int, length: int
) -> None:
    since = date(2020, 3, 1)
    now = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=length)
    step = timedelta(days=cadence)
    found = empty_windows("a", days, since=since, now=now, cadence=step)
    start = min([since, *days])
    expected = [
        NoScene("a", first, after)
        for first, after in windows(start, now, step)
        if not any(first <= day < after for day in days)
    ]
    assert found == expected
    assert all(window.end <= now.date() for window in found)
