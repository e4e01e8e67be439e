from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point

from geo.area import square_around
from imagery.model import Detection, DetectionState, Look, Outcome
from maps.chips import choose

START = date(2010, 1, 1)


def _look(day: int, *, clear: float = 1.0, series: str = "landsat") -> Look:
    when = START + timedelta(days=day)
    acquired = datetime(when.year, when.month, when.day, tzinfo=UTC)
    return Look(
        "valley", "g", when, series, "landsat-5", ("s",), acquired, False, Outcome.UNCHANGED, "",
        clear, clear, "fmask", 9, 0.5, 1.0,
    )  # fmt: skip


def _detection(number: int, without: int, first: int) -> Detection:
    before, after = START + timedelta(days=without), START + timedelta(days=first)
    return Detection(
        f"d{number}", "valley", "g", "landsat", DetectionState.CANDIDATE, f"{before}/{after}",
        before, after, after, 2, square_around(Point(0, 0), 50), 100.0, 2.0, None,
    )  # fmt: skip


def _days(chosen: object) -> list[int]:
    return [(each.solar_day - START).days for each in chosen]  # type: ignore[attr-defined]


def test_nothing_clear_gives_no_picture() -> None:
    assert choose((), ()) == ()


def test_the_latest_look_is_always_among_them() -> None:
    (only,) = choose([_look(day) for day in range(0, 300, 30)], (), limit=1)
    assert only.solar_day == START + timedelta(days=270)
    assert only.reasons == ("latest clear look",)


def test_a_detection_brings_the_looks_around_it_and_a_look_in_two_pairs_comes_once() -> None:
    looks = [_look(day) for day in range(0, 300, 30)]
    chosen = choose(looks, (_detection(1, 60, 90), _detection(2, 90, 270)), limit=1)
    assert _days(chosen) == [60, 90, 270]
    assert chosen[1].reasons == ("first with d1", "last without d2")
    assert chosen[2].reasons == ("first with d2", "latest clear look")


def test_the_rest_lies_spread_over_time() -> None:
    assert _days(choose([_look(day) for day in range(0, 801, 100)], (), limit=5)) == [0, 200, 400, 600, 800]


def test_a_hazy_look_yields_to_a_clear_one_nearby() -> None:
    looks = [_look(0), _look(500, clear=0.4), _look(510, clear=1.0), _look(1000)]
    assert _days(choose(looks, (), limit=3)) == [0, 510, 1000]


def test_each_series_has_a_spread_of_its_own() -> None:
    looks = [_look(day) for day in (0, 100, 200)] + [_look(day, series="sentinel-2") for day in (1, 101, 201)]
    chosen = choose(looks, (), limit=4)
    assert sorted(each.series for each in chosen) == ["landsat"] * 2 + ["sentinel-2"] * 2


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 3000), st.floats(0, 1)), min_size=1, max_size=40, unique_by=lambda x: x[0]
    ),
    st.lists(st.integers(0, 38), max_size=4),
    st.integers(1, 15),
    st.randoms(use_true_random=False),
)
def test_pairs_and_the_latest_are_kept_the_limit_holds_and_order_does_not_matter(
    days: list[tuple[int, float]], pairs: list[int], limit: int, shuffle: object
) -> None:
    looks = [_look(day, clear=clear) for day, clear in sorted(days)]
    found = [
        _detection(n, (looks[k].solar_day - START).days, (looks[k + 1].solar_day - START).days)
        for n, k in enumerate(pairs)
        if k + 1 < len(looks)
    ]
    chosen = choose(looks, found, limit)
    needed = {day for each in found for day in (each.last_without, each.first_with)} | {looks[-1].solar_day}
    kept = {each.solar_day for each in chosen}
    assert needed <= kept
    assert len(chosen) == len(kept) == min(len(looks), max(limit, len(needed)))
    again = list(looks)
    shuffle.shuffle(again)  # type: ignore[attr-defined]
    assert choose(again, reversed(found), limit) == chosen


def test_a_detection_whose_looks_are_gone_is_still_asked_for(
    make_look: Callable[..., Look], detection: Detection
) -> None:
    look = make_look("valley", date(2012, 1, 1), Outcome.UNCHANGED)
    chosen = choose((look,), (replace(detection, grid_id="old"),))
    assert [each.grid_id for each in chosen] == ["old", "old", "g"]
