from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from geo.dates import Span, parse_edtf
from geo.errors import InputError
from imagery.change.bounds import rate
from imagery.model import Detection, Look, Outcome
from maps.charts import stacked
from maps.comparison import Step, charts, compare, periods_of
from maps.regions import Regions
from maps.tally import Count, What
from maps.view import SiteEntry
from sites.model import Site
from sites.observation import Expectation, Observation

NAMES = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def regions(valley: Site, make_look: Callable[..., Look], detection: Detection) -> Regions:
    def built(number: int, day: str) -> Observation:
        return Observation(f"n{number}", parse_edtf(day), "Built.", expects=Expectation.CONSTRUCTION)

    north = replace(valley, id="north", country="PRK", province="Chagang", observations=(built(1, "2010"),))
    south = replace(
        valley,
        id="south",
        country="PRK",
        province="Rason",
        observations=(built(2, "2012/2013"), built(3, "2013")),
    )
    looks = tuple(make_look("north", date(2010 + k, 6, 1), Outcome.UNCHANGED) for k in range(3))
    found = replace(detection, site_id="north", first_with=date(2011, 7, 4), bracket="2010-06-02/2011-07-04")
    return Regions.of([SiteEntry(north, looks=looks, detections=(found,)), SiteEntry(south)])


def test_periods_cover_a_span_without_a_gap() -> None:
    wide = Span(date(2019, 11, 30), date(2020, 3, 1))
    assert [each.label for each in periods_of(wide, Step.YEAR)] == ["2019", "2020"]
    months = periods_of(wide, Step.MONTH)
    assert [each.label for each in months] == ["2019-11", "2019-12", "2020-01", "2020-02", "2020-03"]
    assert all((b.span.start - a.span.end).days == 1 for a, b in pairwise(months))
    assert periods_of(None, Step.YEAR) == ()
    with pytest.raises(InputError, match="9999 periods"):
        periods_of(Span(date.min, date.max), Step.YEAR)


def test_counts_of_two_groups_stand_beside_what_is_behind_them(regions: Regions) -> None:
    found = compare(regions, regions.group("Chagang"), regions.group("Rason"), What.CONSTRUCTION)
    assert [each.label for each in found.periods] == ["2010", "2011", "2012", "2013"]
    north, south = ([cell.count for cell in row] for row in found.cells)
    assert north == [Count(1, 1, 1), Count(0, 0, 0), Count(0, 0, 0), Count(0, 0, 0)]
    assert south == [Count(0, 0, 0), Count(0, 0, 0), Count(0, 0, 1), Count(2, 1, 2)]
    assert [cell.is_known for cell in found.cells[0]] == [True, False, False, False]


def test_detections_have_their_exact_interval_and_none_where_nothing_could_be_judged(
    regions: Regions,
) -> None:
    found = compare(regions, regions.group("Chagang"), regions.group("Rason"), What.DETECTIONS)
    by_year = dict(zip([each.label for each in found.periods], zip(*found.cells, strict=True), strict=True))
    watched, unwatched = by_year["2011"]
    assert watched.rate == rate(1, watched.watched.site_years)
    assert watched.watched.site_years == pytest.approx(365 / 365.25)
    assert unwatched.rate is None
    assert not unwatched.is_known
    assert unwatched.behind == Count(0, 0, 0)


def test_a_chart_tells_the_groups_apart_without_colour_and_leaves_gaps(regions: Regions) -> None:
    found = compare(regions, regions.group("Chagang"), regions.group("Rason"), What.DETECTIONS)
    text = stacked(charts(found))
    assert text == stacked(charts(found))
    root = ET.fromstring(text)  # noqa: S314 - our own text
    above, rates, below = root.findall(f"{NAMES}svg")
    lines = above.findall(f"{NAMES}polyline")
    assert len(lines) == 1  # the other one was never looked at: nothing is known of it, and nothing drawn
    assert next(each.text for each in rates.iter(f"{NAMES}text")) == "Detections a site-year"
    assert len(rates.findall(f"{NAMES}circle")) == 3 + 1  # years with exposure, and the legend's
    dashes = [line.get("stroke-dasharray") for line in below.findall(f"{NAMES}polyline")]
    assert dashes == [None, "7 4"]
    squares = [each for each in below.findall(f"{NAMES}rect") if each.get("width") == "7"]
    circles = below.findall(f"{NAMES}circle")
    assert len(squares) == len(circles) == len(found.periods) + 1
    words = [each.text or "" for each in root.iter(f"{NAMES}text")]
    assert "Detections: Chagang against Rason" in words
    assert "Chagang (1 site)" in words


def test_months_of_a_span_can_be_compared(regions: Regions) -> None:
    span = Span(date(2010, 5, 1), date(2010, 7, 31))
    pair = regions.group("Chagang"), regions.group("Rason")
    found = compare(regions, *pair, What.LOOKS, span=span, step=Step.MONTH)
    assert [cell.count.count for cell in found.cells[0]] == [0, 1, 0]
    (chart,) = charts(found)
    assert [word for _, word in chart.x_ticks] == ["2010-05", "2010-06", "2010-07"]


def test_nothing_against_nothing_is_still_a_chart(valley: Site) -> None:
    bare = Regions.of([SiteEntry(replace(valley, province="Rason", country="PRK", observations=()))])
    found = compare(bare, bare.group("Rason"), bare.group("factory"), What.NOTES)
    assert found.periods == ()
    ET.fromstring(stacked(charts(found)))  # noqa: S314 - our own text
