"""The page of one site as a reader meets it: real Chromium, no network."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from shapely.geometry import Point

from geo.dates import parse_edtf
from imagery.change.card import Card
from imagery.model import Look, NoScene, Outcome
from maps.dossier import Around, dossier_path, render_dossier
from maps.site_map import write_site_map
from maps.view import MapView, SiteEntry
from sites.model import Attribute, Name, Placement, Relation
from sites.observation import Measurement, Media, Observation, Source
from tests.maps.conftest import PAYLOADS, Watched

pytestmark = pytest.mark.browser

Open = Callable[..., Watched]
MakeLook = Callable[..., Look]
A4_POINTS = (595, 842)


def write(folder: Path, entry: SiteEntry, around: Around | None = None) -> Path:
    path = folder / dossier_path(entry.site.id)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render_dossier(entry, around or Around("Places")), encoding="utf-8")
    return path


@pytest.fixture
def opened(view: MapView, tmp_path: Path, open_page: Open) -> Watched:
    return open_page(write(tmp_path, view.entries[0]))


def test_a_page_asks_for_nothing_and_says_nothing(view: MapView, tmp_path: Path, open_page: Open) -> None:
    for entry in view.entries:
        watched = open_page(write(tmp_path, entry))
        watched.page.wait_for_timeout(100)
        assert watched.problems == []


def test_any_two_looks_can_be_compared(opened: Watched) -> None:
    page = opened.page
    box = page.locator("#compare")
    expect(box).to_be_visible()
    widths = box.locator("img").evaluate_all(
        "all => Promise.all(all.map(i => i.decode().then(() => i.naturalWidth)))"
    )
    assert widths
    assert min(widths) > 1
    pair = page.locator("[data-pair]")
    assert pair.locator(".outlines .line").count() == 2
    pair.get_by_label("Outline of the change").uncheck()
    expect(pair.locator(".outlines").first).to_be_hidden()
    pair.get_by_role("button", name="Swipe, fade or blink them").click()
    expect(box).to_be_focused()
    box.get_by_role("button", name="Side by side").click()
    assert box.locator(".ground-pane").count() == 2
    assert opened.problems == []


def test_pictures_are_drawn_from_one_copy_of_their_pixels(opened: Watched) -> None:
    boxes = opened.page.locator(".chip use").evaluate_all(
        "all => all.map(u => u.getBoundingClientRect().width)"
    )
    assert len(boxes) >= 3
    assert min(boxes) > 50


def test_files_can_be_saved_from_a_page_on_a_disk(opened: Watched) -> None:
    with opened.page.expect_download() as saving:
        opened.page.get_by_role("link", name="Site and notes, GeoJSON").click()
    saved = saving.value
    assert saved.suggested_filename == "valley.geojson"
    assert json.loads(Path(saved.path()).read_text())["features"][0]["id"] == "valley"
    with opened.page.expect_download() as saving:
        opened.page.get_by_role("link", name="Looks, CSV").click()
    assert Path(saving.value.path()).read_text("utf-8-sig").startswith("site,day,")
    assert opened.page.url.startswith("file:")


def test_the_map_leads_to_the_dossier_and_back(view: MapView, tmp_path: Path, open_page: Open) -> None:
    for entry in view.entries:
        write(tmp_path, entry)
    watched = open_page(write_site_map(replace(view, dossiers=True), tmp_path))
    page = watched.page
    watched.choose("valley")
    page.locator("#panel").get_by_role("link", name="Dossier").click()
    expect(page.locator("h1")).to_have_text("Quiet valley")
    assert page.url.endswith("/sites/valley.html")
    page.get_by_role("link", name="All sites on the map").click()
    expect(page.locator("#panel-title")).to_have_text("Quiet valley")
    page.locator("#rows").get_by_role("link", name="Dossier of Komsan Market").click()
    expect(page.locator("h1")).to_have_text("Komsan Market")
    assert watched.problems == []


def test_a_map_alone_leads_nowhere(view: MapView, tmp_path: Path, open_page: Open) -> None:
    watched = open_page(write_site_map(view, tmp_path))
    watched.choose("valley")
    assert watched.page.locator(".dossier-link, .dossier-line").count() == 0


def test_it_prints_on_a4_without_what_paper_cannot_do(opened: Watched) -> None:
    page = opened.page
    page.emulate_media(media="print")
    for hidden in ("nav", "#compare", ".files", ".pair-actions"):
        expect(page.locator(hidden).first).to_be_hidden()
    for shown in ("h1", ".plan", ".calendar", ".detection", ".pair", ".sheet", ".note", ".elsewhere"):
        expect(page.locator(shown).first).to_be_visible()
    expect(page.locator(".sources .printed-address").first).to_have_text("https://example.org/a?b=1&c=2")
    paper = page.pdf(prefer_css_page_size=True)
    sizes = {
        tuple(round(float(side)) for side in found.split()[2:])
        for found in re.findall(rb"/MediaBox \[([^\]]*)\]", paper)
    }
    assert sizes == {A4_POINTS}
    assert opened.problems == []


@pytest.mark.parametrize("width", [360, 768, 1440])
def test_it_fits_its_window(view: MapView, tmp_path: Path, open_page: Open, width: int) -> None:
    for entry in view.entries[:2]:
        page = open_page(write(tmp_path, entry), width=width).page
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_reads_without_script(view: MapView, tmp_path: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(write(tmp_path, view.entries[0]).as_uri())
    for shown in ("h1", ".plan", ".calendar", ".detection .pair", ".sheet", ".note-text"):
        expect(page.locator(shown).first).to_be_visible()
    expect(page.locator("#compare")).to_be_hidden()
    context.close()


def test_links_between_notes_lead_to_them(view: MapView, tmp_path: Path, open_page: Open) -> None:
    notes = (
        Observation("old", parse_edtf("2010"), "Twenty stalls."),
        Observation("new", parse_edtf("2011"), "Forty.", supersedes="old", contradicts=("other",)),
        Observation("other", parse_edtf("2012"), "None."),
    )
    entry = replace(view.entries[0], site=replace(view.entries[0].site, observations=notes), labels={})
    page = open_page(write(tmp_path, entry)).page
    columns = page.locator(".versus .note")
    tops = columns.evaluate_all("all => all.map(n => Math.round(n.getBoundingClientRect().top))")
    assert len(tops) == 2
    assert tops[0] == tops[1]
    page.get_by_role("link", name="the note of 2010").click()
    expect(page.locator("#note-old")).to_be_in_viewport()


def test_the_policy_stops_script_that_should_ever_get_in(opened: Watched) -> None:
    opened.page.evaluate(
        """() => {
          document.body.insertAdjacentHTML("beforeend", "<img src=x onerror=alert(1)>");
          const script = document.createElement("script");
          script.textContent = "alert(2)";
          document.body.append(script);
        }"""
    )
    opened.page.wait_for_timeout(200)
    assert opened.page.evaluate("window.__ran") == []
    assert any("Content Security Policy" in problem for problem in opened.problems)


ALL = "".join(PAYLOADS[:-3])
"""Every hostile text that is short, in one."""


def hostile_note(number: int, text: str) -> Observation:
    source = Source(
        text, text, text, parse_edtf("2016"), text, "https://example.org/?q=%3Cscript%3E", specificity=text
    )
    return Observation(
        f"n{number}",
        parse_edtf(str(1990 + number)),
        text,
        author=text,
        measurement=Measurement(text, text, 1.0),
        obscured_by=text,
        contradicts=("n1",) if number == 0 else (),
        sources=(source,),
        media=(Media(url="https://example.org/m", caption=text, credit=text, licence=text),),
    )


@pytest.fixture
def hostile_entry(view: MapView, make_look: MakeLook) -> SiteEntry:
    """A site whose every text is hostile."""
    entry = view.entries[0]
    detection = entry.detections[0]
    card = Card(ALL, (ALL,), (ALL,), {"alone": {ALL: ALL}, ALL: {"x": [ALL]}}, ALL)
    looks = tuple(
        make_look(
            "valley",
            day,
            outcome,
            grid_id=detection.grid_id,
            reason=ALL,
            platform=ALL,
            mask_scheme=ALL,
            scene_ids=(ALL,),
            card=card,
        )
        for day, outcome in (
            (detection.last_without, Outcome.UNCHANGED),
            (detection.first_with, Outcome.CHANGED),
        )
    )
    site = replace(
        entry.site,
        names=tuple(Name(text, text, scheme=text, span=parse_edtf("2016")) for text in PAYLOADS),
        observations=tuple(hostile_note(number, text) for number, text in enumerate(PAYLOADS)),
        attributes=(Attribute(ALL, 1.0, ALL),),
        relations=(Relation(ALL, "market"), Relation(ALL, "elsewhere")),
        placements=(Placement(Point(127, 39), source=ALL),),
        subtype=ALL,
        description=ALL,
        province=ALL,
        county=ALL,
        country=ALL,
        operator=ALL,
        complex=ALL,
        coordinate_source=ALL,
        coordinate_licence=ALL,
    )
    assert entry.album is not None
    pictures = tuple(
        replace(each, platform=ALL, bands=ALL, credit=ALL, reading=ALL, stretch=ALL, outcome=ALL)
        for each in entry.album.pictures
    )
    return replace(
        entry,
        site=site,
        looks=looks,
        no_scenes=(NoScene("valley", date(2010, 1, 1), date(2010, 1, 17)),),
        detections=(replace(detection, kind=ALL, flags=(ALL,), direction={ALL: 1.0}),),
        labels={note.id: note.text for note in site.observations},
        said={detection.id: ALL},
        album=replace(entry.album, pictures=pictures, place=ALL),
    )


def test_no_text_runs_and_every_text_is_shown_as_written(
    hostile_entry: SiteEntry, tmp_path: Path, open_page: Open
) -> None:
    around = Around(ALL, ALL, (ALL,), {"market": ALL})
    watched = open_page(write(tmp_path, hostile_entry, around), width=390, height=800)
    page = watched.page
    page.wait_for_timeout(300)
    assert page.evaluate("window.__ran") == []
    assert watched.problems == []
    assert page.locator(".note-text").all_text_contents() == list(PAYLOADS)
    assert page.locator("table tbody th bdi").all_text_contents()[: len(PAYLOADS)] == list(PAYLOADS)
    for place in (".facts", ".of", ".statement", ".thresholds", ".detection", ".card pre", ".sheet", ".said"):
        assert ALL in (page.locator(place).first.text_content() or ""), place
    assert ALL in (page.locator(".all-looks td").last.text_content() or "")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.pdf()
    assert page.evaluate("window.__ran") == []
