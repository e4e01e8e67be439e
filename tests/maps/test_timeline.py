"""When things were, as columns: what is drawn holds every day that a date allows, and says what it said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point

from geo.dates import Edtf, parse_edtf
from imagery.model import Detection, DetectionState, NoScene, Outcome
from maps.blocks import packed
from maps.timeline import LOOK_OUTCOMES, PRECISIONS, STATES, Mark, day_number, extent, times_block
from maps.view import MapView, SiteEntry
from sites.categories import Category
from sites.model import Name, Site
from sites.observation import Observation
from tests.maps.conftest import MakeLook

WRITTEN = (
    *("2016-06-01", "2016-06", "2016", "201X", "20XX", "1950S2", "2016-24", "2016-XX-15"),
    *("2016~", "2016-06?", "2016-06-01%", "2015-05-25/2016-06-27", "2015~/2016"),
    *("2015/..", "../2015", "2015/", "/2015", "[2011, 2013]", "{2010..2012}", "[..2011]", "{2012..}"),
)

days = st.dates(date(1, 1, 1), date(9999, 12, 31))
dates_written = st.one_of(
    st.sampled_from(WRITTEN),
    days.map(lambda day: day.isoformat()),
    st.tuples(days, days).map(lambda pair: "/".join(day.isoformat() for day in sorted(pair))),
    st.tuples(days, st.sampled_from(("", "~", "?", "%"))).map(lambda it: it[0].isoformat()[:7] + it[1]),
)


def site_of(texts: list[str]) -> Site:
    notes = tuple(Observation(f"n{k}", parse_edtf(text), "x") for k, text in enumerate(texts))
    return Site("place", (Name("Place"),), Category.OTHER, Point(125, 39), observations=notes)


def block_of(*entries: SiteEntry) -> dict[str, Any]:
    return times_block(MapView("t", datetime(2026, 1, 2, tzinfo=UTC), entries))


def rows_by_site(columns: dict[str, list[int]], *names: str) -> Iterator[list[tuple[int, ...]]]:
    """Read columns back as a page does: rows by site, the first of `names` delta coded within it."""
    at = 0
    for count in columns["counts"]:
        values = [columns[name][at : at + count] for name in names]
        yield list(zip(list(accumulate(values[0])), *values[1:], strict=True))
        at += count


def allows(row: tuple[int, ...], day: int) -> bool:
    start, length, code = row
    marks = Mark(code & 63)
    opened = bool(marks & (Mark.OPEN_START | Mark.UNKNOWN_START))
    ongoing = bool(marks & (Mark.OPEN_END | Mark.UNKNOWN_END))
    return (opened or start <= day) and (ongoing or day <= start + length)


@given(st.lists(dates_written, min_size=1, max_size=5), days)
def test_a_row_allows_exactly_the_days_between_the_bounds_of_its_date(texts: list[str], day: date) -> None:
    site = site_of(texts)
    (rows,) = rows_by_site(block_of(SiteEntry(site))["notes"], "starts", "lengths", "codes")
    by_date = sorted((note.date for note in site.observations), key=Edtf.sort_key)
    for row, written in zip(rows, by_date, strict=True):
        edges = [each for each in (written.earliest, written.latest) if each is not None]
        for each in (day, *edges, *(edge + timedelta(days=1) for edge in edges if edge < date.max)):
            assert allows(row, day_number(each)) == written.contains(each)


@given(dates_written)
def test_qualifiers_and_precision_are_kept(text: str) -> None:
    written = parse_edtf(text)
    *_, code = extent(written).row
    marks = Mark(code & 63)
    assert PRECISIONS[code >> 6] is written.precision
    assert (Mark.APPROXIMATE in marks, Mark.UNCERTAIN in marks) == (written.approximate, written.uncertain)
    assert (Mark.OPEN_START in marks, Mark.OPEN_END in marks) == (written.open_start, written.open_end)
    assert (Mark.UNKNOWN_START in marks) == written.unknown_start
    assert (Mark.UNKNOWN_END in marks) == written.unknown_end


def test_sites_without_anything_keep_their_place(view: MapView) -> None:
    block = times_block(view)
    assert block["notes"]["counts"] == [2, 0, 0]
    assert block["detections"]["counts"] == [1, 0, 0]
    assert block["looks"]["counts"][1:] == [0, 0]
    assert block["today"] == day_number(date(2026, 1, 2))


def test_nothing_at_all_is_a_block_too() -> None:
    assert block_of()["notes"] == {"counts": [], "starts": [], "lengths": [], "codes": []}
    assert block_of()["detections"]["likely"] == []


def test_a_detection_keeps_bracket_state_and_the_days_that_hold_it_with_90_percent(
    valley: Site, detection: Detection
) -> None:
    told = replace(
        detection, id="d2", state=DetectionState.RETRACTED, date_interval_90="2010-06-10/2010-06-20"
    )
    found = block_of(SiteEntry(valley, detections=(told, detection)))["detections"]
    assert found["starts"] == [day_number(detection.last_without)] * 2
    assert found["lengths"] == [32, 32]
    assert [STATES[code] for code in found["states"]] == [
        DetectionState.CONFIRMED,
        DetectionState.RETRACTED,
    ]
    assert (found["simulated"], found["likely_lengths"]) == ([1, 1], [-1, 10])
    assert found["likely"][1] == day_number(date(2010, 6, 10))


def test_looks_are_counted_by_month_and_outcome_with_those_that_had_no_scene(
    valley: Site, make_look: MakeLook
) -> None:
    looks = (
        make_look("valley", date(2010, 1, 5), Outcome.UNCHANGED),
        make_look("valley", date(2010, 1, 30), Outcome.OBSCURED),
        make_look("valley", date(1969, 12, 31), Outcome.LEARNING),
    )
    empty = (NoScene("valley", date(2010, 1, 31), date(2010, 2, 16)),)
    block = block_of(SiteEntry(valley, looks, empty))["looks"]
    (rows,) = rows_by_site(block, "months", "codes")
    counted = {month: dict(zip(LOOK_OUTCOMES, block["table"][code], strict=True)) for month, code in rows}
    assert list(counted) == [-1, 480]
    assert counted[-1]["Learning"] == 1
    assert {name: count for name, count in counted[480].items() if count} == {
        "Unchanged": 1,
        "Obscured": 1,
        "NoScene": 1,
    }


def test_a_look_stands_in_one_month_only(valley: Site, make_look: MakeLook) -> None:
    looks = tuple(
        make_look("valley", date(2009, 11, 3) + timedelta(days=11 * k), list(Outcome)[k % 5])
        for k in range(40)
    )
    block = block_of(SiteEntry(valley, looks))["looks"]
    assert sum(sum(block["table"][code]) for code in block["codes"]) == len(looks)


def test_notes_take_few_bytes_of_a_page() -> None:
    """53,722 sites with five notes each must stay below 1.5 MB in the page: 5.6 bytes a note."""
    count, start, entries = 1000, date(2002, 1, 1), []
    for number in range(count):
        firsts = [start + timedelta(days=(number * 7919 + k * 1811) % 8700) for k in range(5)]
        texts = [
            firsts[0].isoformat(),
            firsts[1].isoformat()[:7],
            f"{firsts[2]}/{firsts[2] + timedelta(days=number * 31 % 900)}",
            firsts[3].isoformat(),
            f"{firsts[4].isoformat()[:4]}~",
        ]
        entries.append(SiteEntry(replace(site_of(texts), id=f"s{number}")))
    assert len(packed(block_of(*entries)["notes"])) < 5.6 * 5 * count
