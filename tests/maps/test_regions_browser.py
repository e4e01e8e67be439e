"""Provinces and comparisons as a reader meets them: real Chromium, no network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect
from shapely.geometry import Point

from geo.dates import parse_edtf
from imagery.model import Detection, Look, Outcome
from maps.comparison import compare
from maps.regions import Regions
from maps.site_map import write_site_map
from maps.tally import What
from maps.view import Context, MapView, SiteEntry
from sites.categories import Category
from sites.context import Figure, Series
from sites.model import Name, Site
from sites.observation import Expectation, Observation, Source
from tests.maps.conftest import Watched

pytestmark = pytest.mark.browser

NOTES = ("2014", "2015-05/2016-06", "2016", "2016-02-01", "2018")


@pytest.fixture
def provinces(valley: Site, make_look: Callable[..., Look], detection: Detection) -> MapView:
    """Rason watched with a change, Pyongyang noted but never seen, Kangwon seen without a change."""

    def note(number: int, day: str) -> Observation:
        return Observation(f"n{number}", parse_edtf(day), "Built.", expects=Expectation.CONSTRUCTION)

    def site(name: str, province: str | None, **parts: Any) -> Site:  # noqa: ANN401 - fields of any type
        bare = replace(
            valley, id=name.lower().replace(" ", "-"), names=(Name(name),), country="PRK", province=province
        )
        return replace(bare, **({"observations": ()} | parts))

    def looks(name: str, year: int) -> tuple[Look, ...]:
        return tuple(make_look(name, date(year, month, 9), Outcome.UNCHANGED) for month in range(3, 11))

    found = replace(detection, site_id="mill", first_with=date(2016, 7, 4), last_without=date(2016, 6, 2))
    source = Source("Daily NK")
    rice = tuple(
        Series(f"rice-{place}", "rice_price", place, "KPW/kg", (Figure(parse_edtf("2016"), value, source),))
        for place, value in (("Pyongyang", 5000.0), ("Rason", 5100.0))
    )
    entries = (
        SiteEntry(site("Mill", "Rason", county="Rajin"), looks=looks("mill", 2016), detections=(found,)),
        SiteEntry(
            site("Hall", "Pyongyang", observations=tuple(note(k, day) for k, day in enumerate(NOTES[:4])))
        ),
        SiteEntry(site("Rajin Port", "라선시", category=Category.PORT, observations=(note(9, NOTES[4]),))),
        SiteEntry(site("Pier", "Kangwon"), looks=looks("pier", 2017)),
        SiteEntry(site("Jetty", "Nampo", geometry=Point(125.4, 38.74))),
        SiteEntry(replace(valley, observations=())),
    )
    return MapView("Regions", datetime(2026, 1, 1, tzinfo=UTC), entries, context=Context(rice))


@pytest.fixture
def opened(provinces: MapView, tmp_path: Path, open_page: Callable[..., Watched]) -> Watched:
    watched = open_page(write_site_map(provinces, tmp_path))
    expect(watched.page.locator("#by-province")).to_be_visible()
    return watched


def go(watched: Watched, fragment: str) -> None:
    watched.page.evaluate("text => { location.hash = text; }", fragment)


def legend(watched: Watched) -> list[list[str]]:
    rows = watched.page.locator("#region-legend li").evaluate_all(
        """all => all.map(row => [row.querySelector("rect").getAttribute("fill"),
          ...[...row.querySelectorAll("span")].map(part => part.textContent)])"""
    )
    return [list(map(str, row)) for row in rows]


def fills(watched: Watched) -> dict[str, int]:
    found = watched.page.locator(".leaflet-provinces-pane path").evaluate_all(
        "all => all.map(path => path.getAttribute('fill'))"
    )
    return {str(fill): found.count(fill) for fill in found}


def test_what_nobody_saw_is_hatched_and_never_coloured_as_nothing(opened: Watched) -> None:
    assert opened.page.locator(".leaflet-provinces-pane path").count() == 0
    opened.page.get_by_label("Colour provinces by").select_option("detections")
    expect(opened.page.locator("#region-legend li")).to_have_count(3)
    assert legend(opened) == [
        ["#ffffff", "0", "1 province"],  # Kangwon was looked at
        ["#1764ab", "1", "1 province"],
        ["url(#no-data)", "nothing known: no site, look or note behind it", "9 provinces"],
    ]
    assert fills(opened) == {"#ffffff": 1, "#1764ab": 1, "url(#no-data)": 9}
    assert "colour=detections" in opened.page.url
    assert opened.problems == []


def test_rates_stand_on_looks_and_the_table_has_their_interval(opened: Watched, provinces: MapView) -> None:
    go(opened, "colour=per_100_looks")
    expect(opened.page.locator("#region-legend li")).to_have_count(3)
    assert legend(opened)[1][1] == "13"
    cells = opened.page.locator(".regions-table tbody tr").evaluate_all(
        "all => all.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    rows = {row[0]: row[1:] for row in cells}
    assert len(rows) == 14
    row = Regions.of(provinces.entries).row(Regions.of(provinces.entries).group("Rason"))
    assert row.detected is not None
    rate = f"{row.detected.estimate:.2g} ({row.detected.low:.2g} to {row.detected.high:.2g})"
    assert rows["Rason라선시"] == [
        "2", "1", "1", "1", "1", "0", "8", "8", f"{row.watched.site_years:.2g}", "1", rate,
    ]  # fmt: skip
    assert rows["Pyongyang평양시"][-2:] == ["not known", "not known"]
    assert rows["Kangwon강원도"][-2] == "0"
    assert rows["Nampo남포시"][0] == "1"
    assert rows["Colorado"][0] == "1"


def test_the_span_moves_the_colours_and_keeps_what_stands_behind(opened: Watched) -> None:
    go(opened, "colour=detections&from=2017-01-01&to=2017-12-31")
    expect(opened.page.locator("#region-legend figcaption")).to_contain_text("2017-01-01 to 2017-12-31")
    # the pier has neither note nor detection in the span, and so is not listed; its looks still count
    assert fills(opened) == {"#ffffff": 1, "url(#no-data)": 10}


def test_classes_can_be_steps_of_equal_height(opened: Watched) -> None:
    go(opened, "colour=notes")
    expect(opened.page.locator("#region-legend figcaption")).to_contain_text("quantiles")
    opened.page.get_by_label("steps of equal height").check()
    expect(opened.page.locator("#region-legend figcaption")).to_contain_text("equal height")
    assert "classes=equal" in opened.page.url


def test_a_context_series_of_provinces_can_be_shown(opened: Watched) -> None:
    opened.page.get_by_label("Colour provinces by").select_option(label="rice price (KPW/kg)")
    expect(opened.page.locator("#region-legend li")).to_have_count(3)
    assert [row[1] for row in legend(opened)] == ["5,000", "5,100", "no figure"]


def test_a_province_tells_what_its_colour_stands_on(opened: Watched) -> None:
    go(opened, "colour=detections")
    path = opened.page.locator(".leaflet-provinces-pane path[fill='#1764ab']")
    path.dispatch_event("click")
    popup = opened.page.locator(".region-popup")
    expect(popup).to_contain_text("Rason 라선시")
    expect(popup).to_contain_text("Detections: 1")
    expect(popup).to_contain_text("2 sites, 8 judged looks in 0.59 site-years")


def test_two_groups_are_compared_as_the_command_compares_them(opened: Watched, provinces: MapView) -> None:
    page = opened.page
    page.get_by_label("Place 1").select_option(label="Pyongyang")
    page.get_by_label("Place 2").select_option(label="Rajin")
    page.get_by_label("What is counted", exact=True).select_option(label="Notes of construction")
    result = page.locator(".comparison-result")
    expect(result.locator("h3")).to_have_text("Notes of construction: Pyongyang against Rajin")
    expect(result.locator(".line-key li").nth(1)).to_contain_text(
        "2 sites; 1 site in Rajin by their own name alone"
    )
    assert result.locator(".line-plot").count() == 2
    dashes = result.locator(".line-plot").first.locator("path[stroke-dasharray]").count()
    assert dashes == 1
    cells = result.locator("tbody tr").evaluate_all(
        "all => all.map(r => [...r.cells].map(c => c.textContent))"
    )
    regions = Regions.of(provinces.entries)
    found = compare(regions, regions.group("Pyongyang"), regions.group("Rajin"), What.CONSTRUCTION)
    expected = []
    for period, pair in zip(found.periods, zip(*found.cells, strict=True), strict=True):
        row = [period.label]
        for cell in pair:
            count = cell.count
            doubt = "" if count.sure == count.possible else f" ({count.sure} to {count.possible})"
            row += [
                f"{count.count}{doubt}" if cell.is_known else "not known",
                str(cell.behind and cell.behind.count),
            ]
        if any(cell.count.possible or (cell.behind and cell.behind.possible) for cell in pair):
            expected.append(row)
    assert cells == expected
    assert opened.problems == []


def test_a_comparison_is_a_permalink(opened: Watched) -> None:
    go(
        opened,
        "compare=province%3Drason&compare=category%3Dport&count=per_site_year&step=month&from=2016-01-01&to=2016-12-31",
    )
    result = opened.page.locator(".comparison-result")
    expect(result.locator("h3")).to_have_text("Detections a site-year: Rason against Port")
    assert opened.page.get_by_label("Place 1").input_value() == "province=rason"
    assert opened.page.get_by_label("Category 2").input_value() == "port"
    cells = result.locator("tbody tr").evaluate_all(
        "all => all.map(r => [...r.cells].map(c => c.textContent))"
    )
    july = next(row for row in cells if row[0] == "2016-07")
    assert july[1].startswith("12 (0.3 to 66)")
    assert july[4] == "not known"
    opened.page.reload()
    expect(result.locator("h3")).to_have_text("Detections a site-year: Rason against Port")
    opened.page.get_by_label("Length of a period").select_option("year")
    assert "step=month" not in opened.page.url
    go(opened, "compare=province%3Datlantis&compare=x")
    expect(result).to_contain_text("Choose two groups that this page has.")


@pytest.mark.parametrize("width", [360, 1280])
def test_regions_fit_their_window(
    provinces: MapView, tmp_path: Path, open_page: Callable[..., Watched], width: int
) -> None:
    opened = open_page(write_site_map(provinces, tmp_path), width=width)
    go(opened, "colour=notes&compare=province%3Drason&compare=province%3Dpyongyang")
    expect(opened.page.locator(".line-plot")).to_have_count(1)
    expect(opened.page.locator(".regions-table").first).to_be_visible()
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.problems == []


def test_a_page_without_the_country_offers_only_comparisons(
    valley: Site, tmp_path: Path, open_page: Callable[..., Watched]
) -> None:
    view = MapView("t", datetime(2026, 1, 1, tzinfo=UTC), (SiteEntry(valley),))
    opened = open_page(write_site_map(view, tmp_path))
    go(opened, "colour=notes")
    expect(opened.page.get_by_label("Place 1")).to_be_visible()
    assert opened.page.get_by_label("Colour provinces by").count() == 0
    assert opened.page.locator("#region-legend").inner_text() == ""
    assert opened.problems == []
