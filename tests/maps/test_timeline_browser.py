"""Time as a reader drives it: real Chromium, no network."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect
from shapely.geometry import Point

from geo.dates import Span, parse_edtf
from imagery.model import Detection, DetectionState, NoScene, Outcome
from maps.offline import read_text
from maps.site_map import write_site_map
from maps.timeline import Mark, day_number, times_block
from maps.view import Context, MapView, SiteEntry
from sites.categories import Category
from sites.context import Event, Figure, Flag, Happened, Series
from sites.model import Name, Site
from sites.observation import Observation, Source
from tests.maps.conftest import PAYLOADS, MakeLook, Watched

pytestmark = pytest.mark.browser

MADE = datetime(2020, 6, 30, tzinfo=UTC)

DATES = (
    "2014-03-05", "2014-06", "2015", "2015-05-25/2016-06-27", "2016~", "2016-08-01~", "2017?", "2018%",
    "2012/2013~",    "201X", "2014-21", "2016-XX-15", "[2011, 2013]", "2017/..", "../2011", "2018/", "/2012",
)  # fmt: skip


def place(site_id: str, *texts: str) -> Site:
    notes = tuple(
        Observation(f"n{k:02}", parse_edtf(text), f"Note of {text}.") for k, text in enumerate(texts)
    )
    return Site(site_id, (Name(site_id.title()),), Category.MARKET, Point(125, 39), observations=notes)


def figures(*rows: tuple[str, float]) -> tuple[Figure, ...]:
    return tuple(Figure(parse_edtf(text), value, Source("Paper")) for text, value in rows)


RICE = Series(
    "rice",
    "rice_price",
    "Hyesan",
    "KPW/kg",
    (
        *figures(("2012-01", 4000), ("2012-02", 4200), ("2012-03", 4100), ("2016-01", 5000)),
        Figure(parse_edtf("2016-02~"), 5100, Source("Other"), Flag.LOWER_BOUND, "at least"),
    ),
)
SHUT = Event(
    "shut", parse_edtf("2016-08-20"), "closure", "The border closes.", (Source("Paper"),), Happened.NO
)


@pytest.fixture(scope="module")
def timed(make_look: MakeLook, detection: Detection) -> MapView:
    """A site with every kind of date, one of 2013 alone, one of 2019 alone, one with nothing."""
    ends = (Outcome.LEARNING, Outcome.UNCHANGED, Outcome.OBSCURED, Outcome.CHANGED, Outcome.FAILED)
    looks = tuple(
        make_look("all", date(2015, 1, 9) + timedelta(days=40 * k), end) for k, end in enumerate(ends)
    )
    found = (
        replace(detection, site_id="all", date_interval_90="2010-06-10/2010-06-20"),
        replace(detection, id="d2", site_id="all", state=DetectionState.RETRACTED, simulated=False),
    )
    empty = (NoScene("all", date(2016, 1, 1), date(2016, 2, 1)),)
    entries = (
        SiteEntry(place("all", *DATES), looks, empty, found),
        SiteEntry(place("early", "2013-02-03")),
        SiteEntry(place("late", "2019-05")),
        SiteEntry(place("empty")),
    )
    return MapView("Times", MADE, entries, context=Context((RICE,), (SHUT,)))


@pytest.fixture(scope="module")
def timed_page(timed: MapView, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_site_map(timed, tmp_path_factory.mktemp("timed"))


@pytest.fixture
def opened(timed_page: Path, open_page: Callable[..., Watched]) -> Watched:
    return open_page(timed_page)


def rows(page: Page) -> list[str]:
    found: list[str] = page.locator("#rows tr").evaluate_all("all => all.map(row => row.dataset.site)")
    return sorted(found)


def fields(page: Page) -> tuple[str, str]:
    return page.get_by_label("From day").input_value(), page.get_by_label("To day").input_value()


def set_span(page: Page, first: str, last: str) -> None:
    page.get_by_label("From day").fill(first)
    page.get_by_label("To day").fill(last)
    page.wait_for_function("to => location.hash.includes(`to=${to}`)", arg=last)


# The parts that need no page


@pytest.fixture(scope="module")
def bare(browser: Browser) -> Page:
    """A blank page."""
    return browser.new_page()


def asked(page: Page, view: MapView, expression: str, **values: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return what an expression over the scripts gives, with `times` read from the view's block."""
    source = "\n".join(
        read_text("page", name)
        for name in ("times.js", "timescale.js", "timeglyphs.js", "timeplay.js", "timespan.js")
    )
    given = json.dumps({"block": times_block(view), **values})
    body = f"const given = {given}; times = unpackTimes(given.block); return {expression};"
    return page.evaluate(f"() => {{ {source}\n{body} }}")


@pytest.mark.parametrize(
    ("first", "last"),
    [("2013-01-01", "2013-12-31"), ("2019-05-31", "2019-06-01"), ("2019-06-01", "2019-06-01"),
     ("1900-01-01", "2010-12-31")],
)  # fmt: skip
def test_sites_within_a_span_are_those_with_a_note_that_shares_a_day(
    bare: Page, timed: MapView, first: str, last: str
) -> None:
    span = Span(date.fromisoformat(first), date.fromisoformat(last))
    kept = asked(bare, timed, "Array.from(sitesWithin(given.span, ['notes']))", span=[first, last])
    wanted = [any(note.date.overlaps(span) for note in each.site.observations) for each in timed.entries]
    assert [bool(each) for each in kept] == wanted


def test_each_kind_can_put_a_site_into_a_span(bare: Page, timed: MapView) -> None:
    only = replace(timed, entries=(replace(timed.entries[0], site=place("all")),))
    for kind, span, kept in (
        ("detections", ["2010-06-02", "2010-06-02"], 1), ("detections", ["2010-07-05", "2010-07-05"], 0),
        ("looks", ["2015-01-31", "2015-02-01"], 1), ("looks", ["2016-01-20", "2016-01-21"], 1),
        ("looks", ["2014-12-01", "2014-12-31"], 0),
        ("notes", ["2000-01-01", "2020-01-01"], 0),
    ):  # fmt: skip
        assert asked(bare, only, "sitesWithin(given.span, [given.kind])[0]", span=span, kind=kind) == kept


def test_density_spreads_each_note_over_the_days_it_allows(bare: Page, timed: MapView) -> None:
    """Against a count day by day."""
    low, high = asked(bare, timed, "times.range")
    daily = np.zeros(high - low + 1)
    for entry in timed.entries:
        for note in entry.site.observations:
            first = low if note.date.earliest is None else day_number(note.date.earliest)
            last = high if note.date.latest is None else day_number(note.date.latest)
            daily[first - low : last - low + 1] += 1 / (last - first + 1)
    start, width = low + 400, 7
    bins = (high - start) // width
    told = asked(bare, timed, "Array.from(noteDensity(given.from, given.to, given.bins, null))",
                 **{"from": start, "to": start + bins * width, "bins": bins})  # fmt: skip
    wanted = daily[start - low :][: bins * width].reshape(bins, width).sum(axis=1)
    np.testing.assert_allclose(told, wanted, atol=1e-9)


def test_density_leaves_out_what_the_mask_leaves_out(bare: Page, timed: MapView) -> None:
    told = asked(bare, timed, "noteDensity(...times.range, 10, [0, 1, 0, 0]).reduce((a, b) => a + b)")
    assert told == pytest.approx(1.0)


def test_what_is_drawn_covers_every_day_that_a_date_allows(bare: Page, timed: MapView) -> None:
    scale = "timeScale(given.from, given.to, 800)"
    for first, last, marks in (
        (0, 0, 0),
        (10, 400, 0),
        (-5000, 9000, 0),
        (50, 50, Mark.APPROXIMATE),
        (700, 701, Mark.UNCERTAIN),
    ):
        left, right, x0, x1 = asked(
            bare, timed,
            f"(() => {{ const s = {scale}; const {{ first, last, code }} = given;"
            " return [...drawnRange(first, last, code, s), s.x(first), s.x(last + 1)]; })()",
            **{"from": -100, "to": 3000, "first": first, "last": last, "code": int(marks)},
        )  # fmt: skip
        assert left <= x0 < x1 <= right


@pytest.mark.parametrize(
    ("day", "months", "wanted"),
    [("2016-01-31", 1, "2016-02-29"), ("2015-12-31", 2, "2016-02-29"), ("1970-01-01", -1, "1969-12-01"),
     ("1900-03-15", -12, "1899-03-15")],
)  # fmt: skip
def test_months_are_stepped_by_the_calendar(
    bare: Page, timed: MapView, day: str, months: int, wanted: str
) -> None:
    assert (
        asked(bare, timed, "isoDay(shiftMonths(dayNumber(given.day), given.months))", day=day, months=months)
        == wanted
    )


def test_a_span_of_whole_months_stays_one(bare: Page, timed: MapView) -> None:
    told = asked(
        bare, timed, "shiftSpan(given.days.map(dayNumber), 1).map(isoDay)", days=["2016-01-01", "2016-01-31"]
    )
    assert told == ["2016-02-01", "2016-02-29"]


# The page


def test_a_span_filters_list_map_and_counts(opened: Watched) -> None:
    page = opened.page
    assert rows(page) == ["all", "early", "empty", "late"]
    set_span(page, "2019-05-10", "2019-05-20")
    expect(page.locator("#rows tr")).to_have_count(2)
    assert rows(page) == ["all", "late"]
    summary = opened.text(".time-summary")
    assert summary.startswith("2019-05-10 to 2019-05-20: 2 sites of 4 with a note or a detection")
    assert "No looks in these months: nothing is known about change." in summary
    page.get_by_role("button", name="All time").click()
    expect(page.locator("#rows tr")).to_have_count(4)
    assert "6 looks were due: 2 could judge, 4 could not" in opened.text(".time-summary")
    assert opened.problems == []


def test_handles_are_sliders_that_keys_move(opened: Watched) -> None:
    page = opened.page
    first, last = (
        page.get_by_role("slider", name=name) for name in ("First day of the span", "Last day of the span")
    )
    assert (first.get_attribute("aria-valuetext") or "").startswith("no limit")
    first.focus()
    page.keyboard.press("End")
    assert first.get_attribute("aria-valuetext") == "2020-06-30"
    page.keyboard.press("PageDown")
    page.keyboard.press("PageDown")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Shift+ArrowRight")
    assert first.get_attribute("aria-valuetext") == "2018-05-31"
    assert int(first.get_attribute("aria-valuenow") or 0) == day_number(date(2018, 5, 31))
    assert rows(page) == ["all", "late"]
    last.focus()
    page.keyboard.press("PageDown")
    assert fields(page) == ("2018-05-31", "2019-06-30")
    page.wait_for_function("() => location.hash.includes('from=2018-05-31&to=2019-06-30')")
    assert opened.problems == []


def test_the_mouse_drags_handles_a_new_span_and_the_whole_span(opened: Watched) -> None:
    page = opened.page
    page.locator(".time-plot").scroll_into_view_if_needed()

    def drag(x: float, y: float, by: float) -> None:
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + by / 2, y)
        page.mouse.move(x + by, y)
        page.mouse.up()

    plot = page.locator(".time-whole-notes canvas").bounding_box()
    assert plot is not None
    drag(plot["x"] + 300, plot["y"] + 20, 300)
    brushed = fields(page)
    assert "" not in brushed
    knob = page.locator(".time-handle-to .time-knob").bounding_box()
    assert knob is not None
    drag(knob["x"] + 11, knob["y"] + 12, 100)
    assert fields(page)[0] == brushed[0]
    assert fields(page)[1] > brushed[1]
    stretched = [date.fromisoformat(each) for each in fields(page)]
    grip = page.locator(".time-grip").bounding_box()
    assert grip is not None
    drag(grip["x"] + grip["width"] / 2, grip["y"] + 4, -120)
    moved = [date.fromisoformat(each) for each in fields(page)]
    assert moved[0] < stretched[0]
    assert moved[1] - moved[0] == stretched[1] - stretched[0]
    assert opened.problems == []


def test_steps_keep_the_length_and_play_stops_at_the_end(opened: Watched) -> None:
    page = opened.page
    set_span(page, "2019-01-01", "2019-01-31")
    page.get_by_role("button", name="One step on").click()
    assert fields(page) == ("2019-02-01", "2019-02-28")
    page.get_by_label("Step by").select_option("year")
    page.get_by_role("button", name="One step back").click()
    assert fields(page) == ("2018-02-01", "2018-02-28")
    page.get_by_label("Speed").select_option("fast")
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".time-play")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function(
        "() => document.querySelector('.time-play').getAttribute('aria-pressed') === 'false'"
    )
    assert fields(page)[1] == "2020-06-30"
    assert opened.problems == []


def test_play_grows_the_span_and_pauses(opened: Watched) -> None:
    page = opened.page
    set_span(page, "2012-01-01", "2012-01-31")
    page.get_by_label("How to play").select_option("growing span")
    page.get_by_label("Speed").select_option("fast")
    page.get_by_role("button", name="Play").click()
    page.wait_for_function("() => document.querySelectorAll('.time-fields input')[1].value > '2012-02-29'")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator(".time-play")).to_have_attribute("aria-pressed", "false")
    assert fields(page)[0] == "2012-01-01"


def test_nothing_plays_unasked(opened: Watched) -> None:
    expect(opened.page.locator(".time-play")).to_have_attribute("aria-pressed", "false")
    assert fields(opened.page) == ("", "")


def test_zoom_and_pan_by_buttons_keys_and_wheel(opened: Watched) -> None:
    page = opened.page
    plot = page.locator(".time-plot")

    def window() -> tuple[float, float]:
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        return float(plot.get_attribute("data-from") or 0), float(plot.get_attribute("data-to") or 0)

    whole = window()
    page.get_by_role("button", name="Show a shorter stretch").click()
    zoomed = window()
    assert whole[0] < zoomed[0]
    assert zoomed[1] < whole[1]
    plot.focus()
    page.keyboard.press("ArrowLeft")
    panned = window()
    assert panned[0] < zoomed[0]
    assert panned[1] - panned[0] == pytest.approx(zoomed[1] - zoomed[0])
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 400, box["y"] + 60)
    page.mouse.wheel(0, -200)
    page.wait_for_function("length => { const p = document.querySelector('.time-plot').dataset;"
                           " return p.to - p.from < length; }",
                           arg=panned[1] - panned[0] - 1)  # fmt: skip
    page.keyboard.press("0")
    assert window()[0] <= whole[0]


def test_a_view_of_time_is_a_link(opened: Watched) -> None:
    page = opened.page
    page.locator(".lane-chooser summary").click()
    page.locator(".lane-chooser").get_by_label("rice price").check()
    page.get_by_label("a detection").uncheck()
    set_span(page, "2012-01-01", "2013-12-31")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    assert fields(page) == ("2012-01-01", "2013-12-31")
    assert not page.get_by_label("a detection").is_checked()
    assert page.locator(".context-lane").evaluate_all("all => all.map(lane => lane.dataset.lane)") == [
        "events",
        "rice",
    ]
    assert rows(page) == ["all", "early"]


def test_a_site_is_drawn_date_by_date_by_its_precision(opened: Watched) -> None:
    opened.choose("all")
    page = opened.page
    page.wait_for_selector("[data-item='note:0']")
    glyphs = page.evaluate(
        """() => {
          const plot = document.querySelector(".time-plot");
          const [from, to, width] = [Number(plot.dataset.from), Number(plot.dataset.to), plot.clientWidth];
          const x = (day) => ((day - from) * width) / (to - from);
          return [...plot.querySelectorAll("[data-item^='note:']")].map((item) => {
            const box = item.querySelector(".extent").getBBox();
            const [first, last] = [Number(item.dataset.first), Number(item.dataset.last)];
            const count = (selector) => item.querySelectorAll(selector).length;
            const extent = item.querySelector(".extent");
            return { label: item.getAttribute("aria-label"), shape: extent.getAttribute("class"),
              covers: box.x <= Math.max(0, x(first)) + 0.01
                && box.x + box.width >= Math.min(width, x(last + 1)) - 0.01,
              feathers: count(".feather"), arrows: count(".open-end"), unknown: count(".unknown-end"),
              dashed: extent.hasAttribute("stroke-dasharray"),
              soft: extent.getAttribute("fill") === "url(#time-soft)" };
          });
        }"""
    )
    by_date = {glyph["label"].split(":")[0].removeprefix("Note, ").split(" (")[0]: glyph for glyph in glyphs}
    assert set(by_date) == set(DATES)
    assert [glyph["label"] for glyph in glyphs if not glyph["covers"]] == []
    assert by_date["2014-03-05"]["shape"] == "extent tick"
    assert by_date["2015"]["shape"] == "extent bar"
    assert by_date["2015-05-25/2016-06-27"]["soft"]
    assert {text for text, glyph in by_date.items() if glyph["shape"] == "extent wavy"} == {
        "2016~",
        "2016-08-01~",
        "2018%",
        "2012/2013~",
    }
    assert {text for text, glyph in by_date.items() if glyph["feathers"]} == {
        "2016~",
        "2016-08-01~",
        "2018%",
        "2012/2013~",
    }
    assert {text for text, glyph in by_date.items() if glyph["dashed"]} == {
        "2017?",
        "2018%",
        "2016-XX-15",
        "[2011, 2013]",
    }
    assert {text for text, glyph in by_date.items() if glyph["arrows"]} == {"2017/..", "../2011"}
    assert {text for text, glyph in by_date.items() if glyph["unknown"]} == {"2018/", "/2012"}
    assert "approximately" in by_date["2016~"]["label"]
    assert "still so" in by_date["2017/.."]["label"]
    assert opened.problems == []


def test_a_site_can_be_zoomed_to(opened: Watched) -> None:
    opened.choose("early")
    page = opened.page
    page.get_by_role("button", name="Zoom to its dates").click()
    page.wait_for_function(
        "() => { const p = document.querySelector('.time-plot').dataset; return p.to - p.from < 60; }"
    )
    plot = page.locator(".time-plot")
    day = day_number(date(2013, 2, 3))
    assert float(plot.get_attribute("data-from") or 0) < day < float(plot.get_attribute("data-to") or 0)


def test_a_span_outside_what_is_shown_is_brought_into_view(opened: Watched) -> None:
    opened.choose("early")
    page = opened.page
    page.get_by_role("button", name="Zoom to its dates").click()
    set_span(page, "2018-01-01", "2018-01-31")
    page.wait_for_function(
        "day => Number(document.querySelector('.time-plot').dataset.to) > day",
        arg=day_number(date(2018, 1, 1)),
    )


def test_detections_show_bracket_and_likely_days_and_looks_their_outcome(opened: Watched) -> None:
    opened.choose("all")
    page = opened.page
    page.wait_for_selector("[data-item='detection:0']")
    assert page.locator(".detection-glyph.state-confirmed .likely").count() == 1
    assert page.locator(".detection-glyph.state-retracted .likely").count() == 0
    label = page.locator("[data-item='detection:0']").get_attribute("aria-label") or ""
    assert (
        "simulated imagery: changed between 2010-06-02 and 2010-07-04; with 90 % between 2010-06-10 and 2010"
        in label
    )
    shapes = page.locator(".look-glyph").evaluate_all(
        "all => all.map(glyph => glyph.getAttribute('class').split('look-').at(-1))"
    )
    assert shapes == ["learning", "unchanged", "obscured", "changed", "failed", "noscene"]
    assert "2 of 6 could be judged" in opened.text(".time-site")


def test_a_row_is_one_stop_of_the_tab_key_and_enter_opens_what_has_the_focus(opened: Watched) -> None:
    opened.choose("all")
    page = opened.page
    page.wait_for_selector("[data-item='note:0']")
    assert page.locator(".time-rows-notes [tabindex='0']").count() == 1
    page.locator(".time-rows-notes [tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    focused = page.evaluate("document.activeElement.getAttribute('data-item')")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    expect(page.locator(".time-tip")).to_be_visible()
    assert opened.text(".time-tip strong") in label
    page.keyboard.press("Escape")
    expect(page.locator(".time-tip")).to_be_hidden()
    assert page.locator("#panel-title").count() == 1
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel .pointed-at")
    note = page.evaluate("document.activeElement.textContent")
    assert label.split(": ")[-1] in note
    assert int(focused.split(":")[1]) == page.evaluate(
        "[...document.querySelectorAll('#panel .note')].indexOf(document.activeElement)"
    )


def test_a_click_on_a_detection_opens_it(opened: Watched) -> None:
    opened.choose("all")
    opened.page.locator("[data-item='detection:0']").click()
    opened.page.wait_for_selector("#panel .detection.pointed-at")


def test_figures_have_unit_source_and_gaps(opened: Watched) -> None:
    page = opened.page
    page.locator(".lane-chooser summary").click()
    page.locator(".lane-chooser").get_by_label("rice price").check()
    lane = page.locator("[data-lane='rice']")
    expect(lane).to_be_visible()
    assert lane.locator(".time-item").count() == 5
    assert lane.locator(".figure-gap").count() == 1
    assert lane.locator(".figure-line").count() == 3
    assert "in KPW/kg, 5 figures" in (lane.text_content() or "")
    assert "Sources: Paper; Other" in (lane.text_content() or "")
    labels = lane.locator(".time-item").evaluate_all(
        "all => all.map(item => item.getAttribute('aria-label'))"
    )
    assert (
        labels[-1]
        == "rice price, Hyesan: 5,100 KPW/kg, 2016-02~ (a month; approximately); lower bound. Source: Other"
    )
    page.get_by_role("button", name="Take rice price, Hyesan away").click()
    expect(lane).to_have_count(0)


def test_events_stand_by_date_and_say_what_did_not_happen(opened: Watched) -> None:
    event = opened.page.locator("[data-item='event:shut']")
    assert (
        event.get_attribute("aria-label")
        == "closure (announced, did not happen), 2016-08-20: The border closes."
    )
    opened.page.get_by_role("button", name="Take the events away").click()
    expect(event).to_have_count(0)


def test_the_same_stands_in_a_table(opened: Watched) -> None:
    page = opened.page
    page.locator(".time-table summary").click()
    page.wait_for_selector(".time-table tbody tr")
    table = page.locator(".time-table tbody tr").evaluate_all(
        "all => all.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    years = {row[0]: row[1:] for row in table}
    assert years["2015"][2:] == ["2", "3"]
    assert years["2016"][2:] == ["0", "1"]
    assert years["2010"][1] == "2"


def test_no_text_of_context_runs(timed: MapView, tmp_path: Path, open_page: Callable[..., Watched]) -> None:
    series = tuple(
        Series(f"{text[:200]}{k}", text, text, text,
               (Figure(parse_edtf("2016"), k, Source(text, title=text), None, text),))
        for k, text in enumerate(PAYLOADS)
    )  # fmt: skip
    events = tuple(
        Event(f"e{k}", parse_edtf("2016-03"), text, text, (Source(text),)) for k, text in enumerate(PAYLOADS)
    )
    page = (
        opened := open_page(write_site_map(replace(timed, context=Context(series, events)), tmp_path))
    ).page
    page.locator(".lane-chooser summary").click()
    for k in range(3):
        page.locator(".lane-list input").nth(1 + k * 5).check()
    expect(page.locator(".context-lane")).to_have_count(4)
    for item in page.locator(".context-lane [data-item]").all()[:30]:
        item.focus()
    assert page.locator(".lane-list label").count() == 1 + len(PAYLOADS)
    assert page.locator(".lane-list input:disabled").count() == len(PAYLOADS) - 3
    assert page.evaluate("window.__ran") == []
    assert opened.problems == []


def test_series_are_found_and_at_most_three_are_shown(opened: Watched) -> None:
    page = opened.page
    page.locator(".lane-chooser summary").click()
    page.get_by_label("Find a series").fill("coal")
    assert "Nothing like it here." in opened.text(".lane-list")
    page.get_by_label("Find a series").fill("KPW rice")
    assert page.locator(".lane-list label").count() == 1


@pytest.mark.parametrize("width", [360, 1280])
def test_time_fits_its_window(timed_page: Path, open_page: Callable[..., Watched], width: int) -> None:
    opened = open_page(timed_page, width=width)
    opened.choose("all")
    opened.page.wait_for_selector("[data-item^='note:']")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width
    knobs = opened.page.locator(".time-knob").evaluate_all(
        "all => all.map(each => each.getBoundingClientRect().toJSON())"
    )
    assert all(knob["left"] >= 0 and knob["right"] <= width for knob in knobs)


def test_a_page_without_context_offers_none(
    view: MapView, tmp_path: Path, open_page: Callable[..., Watched]
) -> None:
    opened = open_page(write_site_map(view, tmp_path))
    assert opened.page.locator(".lane-chooser").count() == 0
    assert opened.page.locator(".time-plot").is_visible()
