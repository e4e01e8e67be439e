from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.dates import Span, parse_edtf
from imagery.model import Detection, DetectionState, Look, Outcome
from maps.comparison import Step, periods_of
from maps.tally import Count, Records, Tally, What, speaks_of_investment
from maps.view import SiteEntry
from sites.model import Site
from sites.observation import Expectation, Observation

ALL = np.array([True])


def span(first: str, last: str) -> Span:
    return Span(date.fromisoformat(first), date.fromisoformat(last))


def note(text: str, number: int = 0) -> Observation:
    return Observation(f"n{number}", parse_edtf(text), "Words.")


@pytest.mark.parametrize(
    ("text", "year", "expected"),
    [
        ("2016", 2016, Count(1, 1, 1)),
        ("2016-05-03~", 2016, Count(1, 1, 1)),
        ("2015-05-25/2016-06-27", 2015, Count(0, 0, 1)),
        ("2015-05-25/2016-06-27", 2016, Count(1, 0, 1)),
        ("2015-05-25/2016-06-27", 2017, Count(0, 0, 0)),
        ("2014/..", 2014, Count(1, 0, 1)),
        ("2014/..", 2020, Count(0, 0, 1)),
        ("../2014", 2014, Count(1, 0, 1)),
        ("../2014", 1950, Count(0, 0, 1)),
        ("201X", 2019, Count(1, 0, 1)),
    ],
)
def test_a_note_counts_once_and_says_how_surely(valley: Site, text: str, year: int, expected: Count) -> None:
    tally = Tally.of([SiteEntry(replace(valley, observations=(note(text),)))])
    assert tally.count(What.NOTES, ALL, span(f"{year}-01-01", f"{year}-12-31")) == expected
    assert tally.count(What.NOTES, ALL) == Count(1, 1, 1)


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 900)), max_size=20),
    st.integers(0, 2000),
    st.integers(0, 900),
)
def test_counts_agree_with_a_plain_loop_and_lie_between_sure_and_possible(
    rows: list[tuple[int, int]], start: int, length: int
) -> None:
    base = date(2000, 1, 1).toordinal()
    first = np.array([base + a for a, _ in rows], np.int32)
    last = np.array([base + a + b for a, b in rows], np.int32)
    records = Records(np.zeros(len(rows), np.int32), first, last)
    tally = Tally(1, {What.NOTES: records}, np.zeros(1, np.int32), np.zeros(1, np.int32))
    low, high = base + start, base + start + length
    found = tally.count(What.NOTES, ALL, Span(date.fromordinal(low), date.fromordinal(high)))
    pairs = list(zip(first.tolist(), last.tolist(), strict=True))
    assert found == Count(
        sum(low <= b <= high for _, b in pairs),
        sum(low <= a and b <= high for a, b in pairs),
        sum(a <= high and b >= low for a, b in pairs),
    )
    assert found.sure <= found.count <= found.possible


def test_years_add_up_to_all_time(valley: Site, make_look: Callable[..., Look], detection: Detection) -> None:
    looks = tuple(
        make_look(
            "valley",
            date(2010 + k // 3, 1 + 4 * (k % 3), 5),
            Outcome.UNCHANGED if k % 2 else Outcome.OBSCURED,
        )
        for k in range(12)
    )
    tally = Tally.of([SiteEntry(valley, looks=looks, detections=(detection,))])
    years = periods_of(span("2009-01-01", "2017-01-01"), Step.YEAR)
    for what in (What.NOTES, What.LOOKS, What.JUDGED, What.DETECTIONS, What.NAMED):
        assert sum(tally.count(what, ALL, each.span).count for each in years) == tally.count(what, ALL).count
    whole = tally.watched(ALL)
    parts = [tally.watched(ALL, each.span) for each in years]
    assert sum(part.site_years for part in parts) == pytest.approx(whole.site_years)
    assert sum(part.judged for part in parts) == whole.judged == 6
    assert whole.looks == 12
    days = [look.solar_day for look in looks if look.outcome is Outcome.UNCHANGED]
    assert whole.site_years == pytest.approx((max(days) - min(days)).days / 365.25)
    assert (parts[0].looked, parts[1].looked, parts[1].seen) == (0, 1, 1)


def test_what_is_withdrawn_or_replaced_is_not_counted(valley: Site, detection: Detection) -> None:
    gone = replace(detection, id="d2", state=DetectionState.RETRACTED)
    notes = (note("2016", 1), replace(note("2017", 2), supersedes="n1"))
    entry = SiteEntry(replace(valley, observations=notes), detections=(detection, gone))
    tally = Tally.of([entry])
    assert tally.count(What.DETECTIONS, ALL).count == 1
    assert tally.count(What.NOTES, ALL).count == 1
    assert tally.count(What.NOTES, ALL, span("2016-01-01", "2016-12-31")).possible == 0


def test_a_detection_counts_when_it_was_first_seen(valley: Site, detection: Detection) -> None:
    wide = replace(detection, last_without=date(2009, 11, 1), bracket="2009-11-01/2010-07-04")
    tally = Tally.of([SiteEntry(valley, detections=(wide,))])
    assert tally.count(What.DETECTIONS, ALL, span("2009-01-01", "2009-12-31")) == Count(0, 0, 1)
    assert tally.count(What.DETECTIONS, ALL, span("2010-01-01", "2010-12-31")) == Count(1, 0, 1)


def test_a_site_is_named_by_its_first_note_and_no_later_than_any(valley: Site) -> None:
    notes = (note("2012/2015", 1), note("2013", 2), note("2020", 3))
    tally = Tally.of([SiteEntry(replace(valley, observations=notes))])
    rows = tally.records[What.NAMED]
    assert date.fromordinal(int(rows.earliest[0])) == date(2012, 1, 1)
    assert date.fromordinal(int(rows.latest[0])) == date(2013, 12, 31)


def test_sites_are_those_with_anything_dated(valley: Site, make_look: Callable[..., Look]) -> None:
    look = make_look("valley", date(2020, 5, 1), Outcome.FAILED)
    tally = Tally.of([SiteEntry(valley, looks=(look,)), SiteEntry(replace(valley, id="b", observations=()))])
    both = np.array([True, True])
    assert tally.count(What.SITES, both).count == 2
    assert tally.count(What.SITES, both, span("2020-01-01", "2020-12-31")) == Count(1, 1, 1)
    assert tally.count(What.SITES, both, span("2015-06-01", "2015-07-01")) == Count(0, 0, 1)
    assert tally.count(What.SITES, ~both).count == 0


def test_kinds_of_notes_are_told_by_what_they_expect_and_say(valley: Site) -> None:
    notes = (
        replace(note("2016", 1), expects=Expectation.CONSTRUCTION),
        replace(note("2016", 2), expects=Expectation.CLOSED, text="합영회사가 자금을 투입하였다."),
        note("2016", 3),
    )
    tally = Tally.of([SiteEntry(replace(valley, observations=notes))])
    kinds = (What.NOTES, What.CONSTRUCTION, What.CHANGES, What.INVESTMENT)
    assert [tally.count(what, ALL).count for what in kinds] == [3, 1, 2, 1]
    assert speaks_of_investment(replace(notes[2], text="A joint venture was founded."))
    assert not speaks_of_investment(replace(notes[2], text="Reinvested nothing; a vest was sewn."))


def test_nothing_can_be_counted_too() -> None:
    tally = Tally.of([])
    nothing = np.zeros(0, bool)
    assert tally.count(What.DETECTIONS, nothing) == Count(0, 0, 0)
    assert tally.watched(nothing).site_years == 0.0
    assert tally.span(tuple(tally.records), nothing) is None
