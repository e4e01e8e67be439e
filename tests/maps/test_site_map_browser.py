"""The page as a reader meets it: real Chromium, no network."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect
from shapely.geometry import Point

from geo.dates import parse_edtf
from maps.site_map import write_site_map
from maps.tiles import Tiles
from maps.view import MapView, SiteEntry
from sites.categories import Category
from sites.model import Name, Site
from sites.observation import Observation, Source
from tests.maps.conftest import PAYLOADS, Watched

pytestmark = pytest.mark.browser


def _hostile_site(number: int, text: str) -> Site:
    source = Source(text, title=text, author=text, url="https://example.org/?q=%3Cscript%3E")
    note = Observation("n", parse_edtf("2016"), text, author=text, sources=(source,))
    return Site(
        f"site-{number}",
        (Name(text), Name(text, language="ko", scheme=text)),
        list(Category)[number % len(Category)],
        Point(125.0 + number * 0.1, 39.0),
        subtype=text,
        description=text,
        province=text,
        county=text,
        country=text,
        operator=text,
        coordinate_source=text,
        observations=(note,),
    )


@pytest.fixture
def hostile_view() -> MapView:
    entries = tuple(SiteEntry(_hostile_site(number, text)) for number, text in enumerate(PAYLOADS))
    text = PAYLOADS[0] + PAYLOADS[1]
    return MapView(text, datetime(2026, 1, 1, tzinfo=UTC), entries, text, (text,))


def test_a_quiet_page_says_nothing_to_the_console_and_asks_for_nothing(opened_view: Watched) -> None:
    opened_view.choose("valley")
    opened_view.page.wait_for_timeout(200)
    assert opened_view.problems == []


def test_placed_sites_are_on_the_map_and_all_sites_in_the_table(opened_view: Watched) -> None:
    opened_view.page.get_by_role("button", name="Everything").click()
    labels = opened_view.page.locator(".site-icon").evaluate_all(
        "all => all.map(e => e.getAttribute('aria-label'))"
    )
    assert sorted(labels) == [
        "Komsan Market, Market, never looked at",
        "Quiet valley, Factory, 10 looks, 1 change detected",
    ]
    assert opened_view.page.locator("#rows tr").count() == 3
    assert "1 not on the map" in opened_view.text("#shown")


def test_files_beside_the_page_are_links_below_it(opened_view: Watched) -> None:
    files = opened_view.page.get_by_role("region", name="Everything here as files").get_by_role("link")
    assert files.evaluate_all("all => all.map(a => [a.textContent, a.getAttribute('href')])") == [
        ["Notes, CSV", "data/notes.csv"]
    ]


def test_a_click_on_a_sign_opens_the_popup_and_the_panel(opened_view: Watched) -> None:
    opened_view.page.get_by_role("button", name="United States").click()
    opened_view.page.locator(".site-icon").first.click()
    assert "Quiet valley" in opened_view.text(".leaflet-popup-content")
    assert "4 of 10 looks could be judged." in opened_view.text(".leaflet-popup-content")
    assert opened_view.page.evaluate("location.hash") == "#site=valley"
    assert opened_view.text("#panel-title") == "Quiet valley"


def test_the_panel_tells_what_looks_say_and_what_they_do_not(opened_view: Watched) -> None:
    opened_view.choose("valley")
    verdict = opened_view.text(".verdict")
    assert "4 of 10 looks could be judged." in verdict
    assert "6 say nothing about change: 4 obscured, 2 still learning." in verdict
    cells = opened_view.page.locator(".calendar .cell").evaluate_all("all => all.map(e => e.title)")
    assert len(cells) == 10
    assert cells[0] == "2010-01-05 Learning, landsat-5: score 0.6 against a threshold of 1.0 (83 % clear)"
    counts = opened_view.page.locator(".outcomes tr").evaluate_all(
        "all => all.map(r => [r.cells[0].textContent.trim(), r.cells[1].textContent])"
    )
    assert dict(counts) == {
        "Unchanged": "3", "Changed": "1", "Learning": "2", "Obscured": "4", "Failed": "0", "No scene": "0",
    }  # fmt: skip
    opened_view.page.locator(".all-looks summary").click()
    rows = opened_view.page.locator(".all-looks tbody tr")
    rows.first.wait_for()  # a fold tells that it was opened after the click has returned
    assert rows.count() == 10


def test_a_site_without_looks_is_never_said_to_be_unchanged(opened_view: Watched) -> None:
    opened_view.choose("market")
    assert "Never looked at: nothing is known about change here." in opened_view.text(".verdict")
    row = opened_view.text("#rows tr[data-site=market]")
    assert "never looked at" in row
    assert "not known" in row
    assert "none in" not in row


def test_a_detection_shows_its_bracket_and_its_pictures(opened_view: Watched) -> None:
    opened_view.choose("valley")
    card = opened_view.text(".detection")
    for words in ("2010-06-02/2010-07-04", "confirmed", "simulated", "72,000 m²", "2.5 times the threshold"):
        assert words in card
    widths = opened_view.page.locator(".pair img").evaluate_all(
        "all => Promise.all(all.map(i => i.decode().then(() => i.naturalWidth)))"
    )
    assert widths == [50, 50]
    alts = opened_view.page.locator(".pair img").evaluate_all("all => all.map(i => i.alt)")
    assert alts[0] == "Before: 2010-06-02, landsat-8, natural colour (red, green, blue)"
    assert alts[1].endswith(", simulated")
    assert opened_view.page.locator(".pair .outlines .line").count() == 2
    opened_view.page.get_by_label("Outline of the change").uncheck()
    assert not opened_view.page.locator(".pair .outlines").first.is_visible()


def test_notes_stand_by_date_with_their_sources_and_grades(opened_view: Watched) -> None:
    opened_view.choose("valley")
    dates = opened_view.page.locator(".note .edtf").all_text_contents()
    assert dates == ["2011~", "2015-05-25/2016-06-27"]
    link = opened_view.page.locator(".sources a")
    assert link.get_attribute("href") == "https://example.org/a?b=1&c=2"
    assert link.get_attribute("rel") == "noopener noreferrer"
    assert opened_view.text(".grade") == "B2"


def test_search_finds_hangul_and_the_legend_filters_list_and_map(opened_view: Watched) -> None:
    page = opened_view.page
    page.get_by_role("button", name="Everything").click()
    page.get_by_label("Search all names").fill("골짜기")
    expect(page.locator("#rows tr")).to_have_count(1)
    assert page.locator(".site-icon").count() == 1
    page.get_by_label("Search all names").fill("")
    expect(page.locator("#rows tr")).to_have_count(3)
    page.locator(".legend-item", has_text="Market").click()
    assert page.locator("#rows tr").count() == 1
    assert "1 of 3 sites" in opened_view.text("#shown")


def test_a_link_to_a_site_opens_it_and_escape_closes_it(opened_view: Watched) -> None:
    page = opened_view.page
    page.goto(page.url.split("#")[0] + "#market")
    page.reload()
    page.wait_for_selector("#panel-title")
    assert opened_view.text("#panel-title") == "Komsan Market"
    page.keyboard.press("Escape")
    assert page.locator("#panel-title").count() == 0
    expect(page.locator(".leaflet-popup")).to_have_count(0)
    assert "#" not in page.url


def test_opening_a_cluster_spreads_it(
    open_page: Callable[..., Watched], valley: Site, tmp_path: Path
) -> None:
    points = (Point(127.0, 39.0), Point(127.001, 39.0), Point(129.0, 41.0), Point(129.0, 41.0))
    sites = [replace(valley, id=f"s{number}", geometry=point) for number, point in enumerate(points)]
    view = MapView("t", datetime(2026, 1, 1, tzinfo=UTC), tuple(SiteEntry(site) for site in sites))
    page = open_page(write_site_map(view, tmp_path)).page
    clusters = page.locator(".cluster-icon")
    assert (
        clusters.evaluate_all("all => all.map(e => e.getAttribute('aria-label'))")
        == ["2 sites here; open to spread them"] * 2
    )
    clusters.first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".site-icon")).to_have_count(2)


def test_the_keyboard_reaches_a_site_in_the_list_and_on_the_map(opened_view: Watched) -> None:
    page = opened_view.page
    page.locator("#rows tr[data-site=lost] a").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#panel")).to_be_focused()
    expect(page.locator("#panel")).to_contain_text("Not placed yet")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="United States").click()
    page.locator(".site-icon").first.focus()
    page.keyboard.press("Enter")
    assert opened_view.text("#panel-title") == "Quiet valley"


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_the_page_fits_its_window(
    view: MapView, tmp_path: Path, open_page: Callable[..., Watched], width: int
) -> None:
    opened = open_page(write_site_map(view, tmp_path), width=width)
    opened.choose("valley")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width


def test_no_text_runs_and_every_text_is_shown_as_written(
    hostile_view: MapView, tmp_path: Path, open_page: Callable[..., Watched]
) -> None:
    opened = open_page(write_site_map(hostile_view, tmp_path))
    names = opened.page.locator("#rows tr th .site-link").all_text_contents()
    assert names == list(PAYLOADS)
    for number, text in enumerate(PAYLOADS):
        opened.choose(f"site-{number}")
        assert opened.text("#panel-title") == text
        assert opened.page.locator(".popup-name").last.text_content() == text
        assert opened.text(".note-text") == text
        assert text in opened.text(".sources")
        assert text in opened.text(".facts")
    opened.page.wait_for_timeout(300)
    assert opened.page.evaluate("window.__ran") == []
    assert opened.problems == []
    assert opened.page.title() == " ".join(hostile_view.title.split())


def test_long_texts_do_not_burst_a_phone(
    hostile_view: MapView, tmp_path: Path, open_page: Callable[..., Watched]
) -> None:
    opened = open_page(write_site_map(hostile_view, tmp_path), width=390, height=800)
    opened.choose(f"site-{PAYLOADS.index('x' * 10_000)}")
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_policy_stops_script_that_should_ever_get_in(opened_view: Watched) -> None:
    opened_view.page.evaluate(
        """() => {
          document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=alert(1)>");
          const script = document.createElement("script");
          script.textContent = "alert(2)";
          document.body.append(script);
        }"""
    )
    opened_view.page.wait_for_timeout(200)
    assert opened_view.page.evaluate("window.__ran") == []
    assert any("Content Security Policy" in problem for problem in opened_view.problems)


def test_five_thousand_sites_open_and_can_be_searched(
    valley: Site, tmp_path: Path, open_page: Callable[..., Watched]
) -> None:
    notes = tuple(replace(valley.observations[0], id=f"n{k}", text=f"Note {k} on a shed.") for k in range(3))
    entries = tuple(
        SiteEntry(
            replace(
                valley,
                id=f"site-{number}",
                names=(Name(f"Works {number}"),),
                geometry=Point(124.5 + number % 71 * 0.08, 38 + number // 71 * 0.06),
                observations=notes,
            )
        )
        for number in range(5000)
    )
    view = MapView("Many", datetime(2026, 1, 1, tzinfo=UTC), entries)
    path = write_site_map(view, tmp_path)
    assert path.stat().st_size < 8_000_000
    opened = open_page(path)
    assert opened.page.locator(".cluster-icon").count() > 5
    assert opened.page.locator("#rows tr").count() == 60
    opened.page.get_by_label("Search all names").fill("works 4321")
    expect(opened.page.locator("#rows tr")).to_have_count(1)
    assert opened.problems == []


def test_filters_narrow_one_another_and_say_what_each_choice_would_leave(opened_view: Watched) -> None:
    page = opened_view.page
    page.locator("#filters summary").click()
    page.get_by_label("Never looked at").check()
    expect(page.locator("#rows tr")).to_have_count(2)
    assert "2 of 3 sites" in opened_view.text("#shown")
    counts = page.locator(".legend-item").evaluate_all("all => all.map(e => e.textContent)")
    assert sorted(counts) == ["Factory0", "Market1", "Mine1"]
    page.get_by_role("button", name="Market").click()
    expect(page.locator("#rows tr")).to_have_count(1)
    page.get_by_role("button", name="Clear all filters").click()
    expect(page.locator("#rows tr")).to_have_count(3)
    assert not page.get_by_label("Never looked at").is_checked()
    assert opened_view.problems == []


def test_what_is_filtered_is_a_link_and_back_goes_back(opened_view: Watched) -> None:
    page = opened_view.page
    page.locator("#filters summary").click()
    page.get_by_label("Colorado").check()
    page.get_by_label("From day").fill("2016-01-01")
    page.get_by_label("To day").fill("2016-02-01")
    page.locator("#rows a").click()
    page.wait_for_selector("#panel[data-site=valley]")
    address = page.evaluate("location.hash")
    assert dict(pair.split("=") for pair in address[1:].split("&")) == {
        "site": "valley", "province": "Colorado", "from": "2016-01-01", "to": "2016-02-01",
    }  # fmt: skip
    page.goto("about:blank")
    page.go_back()
    page.wait_for_selector("html[data-ready]")
    assert page.evaluate("location.hash") == address
    assert opened_view.text("#panel-title") == "Quiet valley"
    expect(page.locator("#rows tr")).to_have_count(1)
    page.evaluate("history.back()")
    expect(page.locator("#panel-title")).to_have_count(0)
    assert page.get_by_label("Colorado").is_checked()
    assert opened_view.text("#filters summary") == "More filters (1 in use)"
    assert page.get_by_label("Colorado").is_visible()  # a link opens the fold that it uses
    assert opened_view.problems == []


def test_a_span_of_days_keeps_the_sites_that_a_note_allows(opened_view: Watched) -> None:
    page = opened_view.page
    for span, left in (("from=2012-01-01&to=2015-05-24", 0), ("from=2016-06-27", 1), ("to=2011-01-01", 1)):
        page.evaluate("hash => { location.hash = hash; }", span)
        expect(page.locator("#rows tr")).to_have_count(left)


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("CHOYONGHAN", 1),
        ("ch'oyŏng", 1),
        ("조용한 골", 1),
        (unicodedata.normalize("NFD", "조용한"), 1),
        ("ㄱㅉㄱ", 1),
        ("고", 0),
        ("komsan market", 1),
    ],
)
def test_search_takes_names_however_they_are_typed(opened_view: Watched, typed: str, found: int) -> None:
    opened_view.page.evaluate("q => { location.hash = 'q=' + encodeURIComponent(q); }", typed)
    expect(opened_view.page.locator("#rows tr")).to_have_count(found)


def test_a_syllable_that_is_still_being_typed_may_go_on(opened_view: Watched) -> None:
    page = opened_view.page
    page.evaluate(
        """() => {
          const input = document.getElementById("search");
          input.value = "조용한 고";
          input.dispatchEvent(new InputEvent("input", { isComposing: true, bubbles: true }));
        }"""
    )
    expect(page.locator("#rows tr")).to_have_count(1)
    page.evaluate("document.getElementById('search').dispatchEvent(new CompositionEvent('compositionend'))")
    expect(page.locator("#rows tr")).to_have_count(0)


def test_choices_of_one_group_widen_and_those_of_another_narrow(opened_view: Watched) -> None:
    page = opened_view.page
    for link, left in (
        ("category=market&category=mine", 2),
        ("category=market&category=mine&province=", 2),
        ("category=market&category=factory&province=Colorado", 1),
        ("status=never&status=looked", 3),
        ("status=unknown&status=unwatched", 1),
        ("evidence=note-report", 1),
        ("evidence=no-notes&evidence=no-detections", 2),
        ("evidence=confirmed&evidence=no-notes", 0),
        ("reliability=B&reliability=A", 1),
        ("reliability=-", 2),
        ("category=nothing-of-this-kind", 3),
    ):
        page.evaluate("hash => { location.hash = hash; }", link)
        expect(page.locator("#rows tr")).to_have_count(left)


def test_columns_sort_and_say_so(opened_view: Watched) -> None:
    page = opened_view.page
    ids = "all => all.map(row => row.dataset.site)"
    page.get_by_role("button", name="Site", exact=True).click()
    assert page.locator("#rows tr").evaluate_all(ids) == ["market", "lost", "valley"]
    page.get_by_role("button", name="Notes", exact=True).click()
    assert page.locator("#rows tr").evaluate_all(ids) == ["valley", "market", "lost"]
    assert page.locator("th[data-sort=notes]").get_attribute("aria-sort") == "descending"
    assert page.locator("th[data-sort=name]").get_attribute("aria-sort") is None


def test_sites_at_one_place_are_listed(
    open_page: Callable[..., Watched], valley: Site, tmp_path: Path
) -> None:
    sites = [replace(valley, id=f"s{number}", names=(Name(f"Works {number}"),)) for number in range(3)]
    view = MapView("t", datetime(2026, 1, 1, tzinfo=UTC), tuple(SiteEntry(site) for site in sites))
    page = open_page(write_site_map(view, tmp_path)).page
    page.locator(".cluster-icon").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".same-place button")).to_have_text(["Works 0", "Works 1", "Works 2"])
    expect(page.locator(".same-place button").first).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("#panel[data-site=s1]")
    assert page.locator("#panel-title").text_content() == "Works 1"


def test_tiles_are_asked_for_when_a_reader_switches_them_on(
    view: MapView, tmp_path: Path, open_page: Callable[..., Watched]
) -> None:
    tiles = Tiles("https://tile.example.org/{z}/{x}/{y}.png", PAYLOADS[0])
    opened = open_page(write_site_map(replace(view, tiles=(tiles,)), tmp_path))
    assert opened.problems == []
    assert "asks tile.example.org for tiles of the map when you switch them on" in opened.text("footer")
    asked: list[str] = []

    def give(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(
            body=view.entries[0].latest.png if view.entries[0].latest else b"", content_type="image/png"
        )

    opened.page.context.route(re.compile("^https:"), give)
    choice = opened.page.locator("#tiles label", has_text=PAYLOADS[0])
    choice.click()
    expect(opened.page.locator(".leaflet-tile-loaded").first).to_be_attached()
    assert asked
    assert all(url.startswith("https://tile.example.org/") for url in asked)
    opened.page.evaluate(
        "() => { document.body.append(Object.assign(new Image(), {src: 'https://else.example.org/a.png'})); }"
    )
    opened.page.wait_for_timeout(100)
    assert not [url for url in asked if "else" in url]
    opened.page.locator("#tiles label").first.click()
    expect(opened.page.locator(".leaflet-tile")).to_have_count(0)
    assert opened.page.evaluate("window.__ran") == []


def test_a_page_without_tiles_offers_none(opened_view: Watched) -> None:
    assert opened_view.text("#tiles") == ""
    assert "This file asks for nothing" in opened_view.text("footer")
