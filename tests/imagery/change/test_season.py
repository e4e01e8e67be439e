from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagery.change.season import same_season, season_distance_days

DAYS = st.dates(date(1984, 1, 1), date(2050, 12, 31))


@given(a=DAYS, b=DAYS)
def test_distance_is_symmetric_and_at_most_half_a_year(a: date, b: date) -> None:
    distance = season_distance_days(a, b)
    assert distance == season_distance_days(b, a)
    assert 0 <= distance <= 182.5


@pytest.mark.parametrize(
    ("a", "b", "days"),
    [
        (date(2019, 12, 31), date(2021, 1, 1), 1.0),
        (date(2020, 12, 31), date(2021, 1, 1), 365 / 366),
        (date(2019, 7, 1), date(2011, 7, 1), 0.0),
        (date(2019, 1, 15), date(2019, 3, 1), 45.0),
    ],
)
def test_distance_goes_round_the_year(a: date, b: date, days: float) -> None:
    assert season_distance_days(a, b) == pytest.approx(days)


@given(day=DAYS, offsets=st.lists(st.integers(-3000, 3000), max_size=40), limit=st.integers(1, 10))
def test_only_earlier_days_of_the_season_the_latest_in_order(
    day: date, offsets: list[int], limit: int
) -> None:
    earlier = [day + timedelta(days=offset) for offset in offsets]
    chosen = [earlier[position] for position in same_season(day, earlier, half_width_days=45, limit=limit)]
    fitting = [d for d in earlier if d < day and season_distance_days(d, day) <= 45]
    assert chosen == sorted(fitting)[-limit:]


def test_nothing_earlier_is_nothing() -> None:
    assert same_season(date(2020, 1, 1), [], half_width_days=45, limit=5) == ()
