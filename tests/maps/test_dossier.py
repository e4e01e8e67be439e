"""The page of one site, as text; what a browser makes of it stands in `test_dossier_browser`."""

from __future__ import annotations

import base64
import csv
import io
import itertools
import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from shapely.geometry import LineString, Point

from geo.dates import parse_edtf
from imagery.change.card import METHOD, Card
from imagery.model import Detection, DetectionState, Look, NoScene, Outcome
from maps.dossier import Around, dossier_path, render_dossier
from maps.dossier_links import deep_links
from maps.dossier_notes import disputes
from maps.offline import problems
from maps.view import MapView, SiteEntry
from sites.errors import SiteError
from sites.model import Name, Placement, Relation, Site
from sites.observation import Media, Observation, Source

MakeLook = Callable[..., Look]
AROUND = Around(
    "Places", "Colorado.", ("A look needs 50 % clear.",), {"valley": "Quiet valley", "market": "M"}
)


def plain(html: str) -> str:
    """Return the words of a page, one space between them."""
    body = re.sub(r"<(style|title).*?</\1>", " ", html, flags=re.DOTALL)
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def note(name: str, day: str, text: str = "Words.", **parts: Any) -> Observation:  # noqa: ANN401 - fields of any type
    return Observation(name, parse_edtf(day), text, **parts)


@pytest.fixture
def entry(view: MapView) -> SiteEntry:
    return view.entries[0]


def test_equal_entries_give_equal_bytes_and_the_page_is_safe(entry: SiteEntry) -> None:
    html = render_dossier(entry, AROUND)
    assert html == render_dossier(entry, AROUND)
    assert problems(html) == []
    assert "2026" not in html  # nothing tells when it was published


def test_each_entry_of_a_view_has_a_page(view: MapView) -> None:
    for each in view.entries:
        assert problems(render_dossier(each, AROUND)) == []
    assert "Nobody has placed it yet" in plain(render_dossier(view.entries[2], AROUND))


def test_names_stand_by_the_time_in_which_they_were_used(valley: Site) -> None:
    names = (
        Name("Now", "en"),
        Name("Later", span=parse_edtf("2010/..")),
        Name("First", span=parse_edtf("1970")),
    )
    html = render_dossier(SiteEntry(replace(valley, names=names)), AROUND)
    table = html[html.index("<table") : html.index("</table>")]
    assert re.findall(r'scope="row"><bdi[^>]*>(\w+)', table) == ["First", "Later", "Now"]
    assert "3 names, 2 of them dated (EDTF)" in table


def test_headings_go_down_one_step_at_a_time(entry: SiteEntry) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])", render_dossier(entry, AROUND))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))


def test_tables_have_captions_and_headed_rows(entry: SiteEntry) -> None:
    html = render_dossier(entry, AROUND)
    tables = re.findall(r"<table.*?</table>", html, re.DOTALL)
    assert len(tables) >= 4
    for table in tables:
        assert "<caption>" in table
        assert 'scope="col"' in table


def test_looks_say_what_they_cannot_say(entry: SiteEntry) -> None:
    text = plain(render_dossier(entry, AROUND))
    assert "4 of 10 looks could be judged." in text
    assert "6 say nothing about change: 4 obscured, 2 still learning." in text
    assert "6 of 10" in text  # clear of the looks of 2010
    assert "what would have been missed is not known" in text


def test_a_year_without_a_look_is_drawn(valley: Site, make_look: MakeLook) -> None:
    looks = tuple(make_look("valley", date(year, 5, 1), Outcome.UNCHANGED) for year in (2010, 2013))
    gaps = (NoScene("valley", date(2012, 5, 1), date(2012, 5, 17)),)
    html = render_dossier(SiteEntry(valley, looks, gaps), AROUND)
    rows = re.findall(r'<th scope="row">(\d{4})</th>.*?share">([^<]*)', html, re.DOTALL)
    assert rows == [("2010", "1 of 1"), ("2011", "no look"), ("2012", "no look"), ("2013", "1 of 1")]


def test_the_smallest_building_is_told_with_its_days(valley: Site, make_look: MakeLook) -> None:
    def card(half: float, nine: float | None) -> Card:
        def size(side: float | None) -> dict[str, Any]:
            return {"side_m": side, "low_m": side, "high_m": side, "at_most": False}

        told = {"half": size(half), "nine": size(nine), "shares": [0.5]}
        section = {"what": "a bright roof", "trials": 96, "sides_m": [10.0], "looks": {"4": told}}
        return Card("Unchanged", (), sections={"detectable": section})

    cards = [card(20.0, 40.0), card(15.0, 28.0), card(16.0, 30.0)]
    looks = tuple(
        make_look("valley", date(2011 + k, 5, 1), Outcome.UNCHANGED, card=each)
        for k, each in enumerate(cards)
    )
    text = plain(render_dossier(SiteEntry(valley, looks), AROUND))
    assert "down to 30 m would have been seen, nine times in ten, as of 2013-05-01" in text
    assert "known since 2011-05-01" in text
    assert "landsat 2011-05-01 2013-05-01 16 m 30 m 28 m to 40 m" in text
    never = (make_look("valley", date(2014, 5, 1), Outcome.UNCHANGED, card=card(16.0, None)),)
    assert "no size that was tried is seen nine times in ten" in plain(
        render_dossier(SiteEntry(valley, never), AROUND)
    )


def test_a_detection_shows_what_it_rests_on(entry: SiteEntry, make_look: MakeLook) -> None:
    found, grid_id = entry.detections[0], entry.detections[0].grid_id
    card = Card("Changed", ("because it stands out",), sections={"alone": {"score": 4.25}})
    pair = (
        make_look(
            "valley", found.last_without, Outcome.UNCHANGED, grid_id=grid_id, scene_ids=("scene-before",)
        ),
        make_look(
            "valley",
            found.first_with,
            Outcome.CHANGED,
            grid_id=grid_id,
            score=4.25,
            card=card,
            mask_scheme="none",
        ),
    )
    text = plain(render_dossier(replace(entry, looks=pair, said={"d1": "confirmed by anna"}), AROUND))
    for words in (
        "scene-before",
        "4.25",
        "because it stands out",
        "no mask",
        "confirmed by anna",
        f"method {METHOD}",
    ):
        assert words in text
    assert text.count("Changed between 2010-06-02 and 2010-07-04") == 1
    assert "not kept here any more" in plain(render_dossier(replace(entry, looks=()), AROUND))


def test_the_looks_of_another_lattice_are_not_taken_for_those_of_a_detection(
    entry: SiteEntry, make_look: MakeLook
) -> None:
    found = entry.detections[0]
    stranger = make_look("valley", found.first_with, Outcome.CHANGED, grid_id="other", scene_ids=("wrong",))
    html = render_dossier(replace(entry, looks=(stranger,)), AROUND)
    assert "not kept here any more" in html
    assert "wrong" not in html


def test_pixels_stand_in_the_page_once(entry: SiteEntry) -> None:
    html = render_dossier(entry, AROUND)
    sources = re.findall(r'href="(data:image/png[^"]*)"', html)
    assert len(sources) == len(set(sources)) == 3
    assert html.count('<use href="#px') == 6  # before, after, latest, and the sheet of all three
    assert html.count(">simulated<") >= 1


def test_notes_that_contradict_stand_side_by_side() -> None:
    notes = [
        note("a", "2010", contradicts=("c",)),
        note("b", "2011"),
        note("c", "2012"),
        note("d", "2013", contradicts=("c", "gone")),
    ]
    assert [[each.id for each in group] for group in disputes(notes)] == [["a", "c", "d"], ["b"]]


def test_what_replaced_what_and_what_contradicts_what_are_links(valley: Site) -> None:
    notes = (
        note("old", "2010", "A market of 20 stalls."),
        note("new", "2011", "A market of 40 stalls.", supersedes="old"),
        note("other", "2012", "No market.", contradicts=("new", "lost-one")),
    )
    html = render_dossier(SiteEntry(replace(valley, observations=notes)), AROUND)
    text = plain(html)
    assert "Replaced by the note of 2011" in text
    assert "Replaces the note of 2010" in text
    assert "These 2 notes contradict one another." in text
    assert "a note that is not here ( lost-one )" in text
    assert {"#note-old", "#note-new"} <= set(re.findall(r'href="(#note-[^"]*)"', html))
    assert html.index('id="note-old"') < html.index('class="versus"') < html.index('id="note-new"')


def test_sources_stand_with_their_grades_in_words(valley: Site) -> None:
    sources = (
        Source("Daily", reliability="B", credibility="2"),
        Source("Rumour", reliability="E"),
        Source("X"),
    )
    html = render_dossier(
        SiteEntry(replace(valley, observations=(note("a", "2010", sources=sources),))), AROUND
    )
    text = plain(html)
    assert "B2 usually reliable; probably true" in text
    assert "E- unreliable; information not graded" in text
    assert "X not graded" in text


def test_labels_and_private_media(valley: Site) -> None:
    media = (
        Media(file="media/secret.jpg", private=True),
        Media(url="https://example.org/p", caption="A photo"),
    )
    notes = (note("a", "2010", media=media),)
    site = SiteEntry(
        replace(valley, observations=notes), labels={"a": "not observable in the looks kept here: x"}
    )
    html = render_dossier(site, AROUND)
    files = b"".join(saved(html).values())
    assert "Not observable in the looks kept here" in html
    assert "A photo" in html
    assert b"A photo" in files
    assert "secret.jpg" not in html
    assert b"secret.jpg" not in files


def test_related_sites_are_links_where_they_have_a_page(valley: Site) -> None:
    relations = (Relation("served_by", "market"), Relation("part_of", "elsewhere"))
    before = (Placement(Point(127, 39), accuracy_m=5000, source="a map", until=parse_edtf("2015")),)
    html = render_dossier(SiteEntry(replace(valley, relations=relations, placements=before)), AROUND)
    assert '<a href="market.html"><bdi>M</bdi></a>' in html
    assert 'href="elsewhere.html"' not in html
    assert "39.00000, 127.00000, good to about 5 km , a map , until 2015" in plain(html)


def test_a_line_is_drawn_as_a_line(valley: Site) -> None:
    site = replace(valley, geometry=LineString([(127.0, 39.0), (127.01, 39.0)]), coordinate_accuracy_m=None)
    html = render_dossier(SiteEntry(site), AROUND)
    assert 'class="watched"' in html
    assert "How well the place is known was not stated." in html


def test_links_elsewhere_name_the_place_and_the_day() -> None:
    copernicus, street, earth = (address for _, address in deep_links(124.3925, 40.115, date(2020, 5, 1)))
    assert "lat=40.11500&lng=124.39250&fromTime=2020-05-01T00%3A00%3A00.000Z" in copernicus
    assert "toTime=2020-05-01T23%3A59%3A59.999Z" in copernicus
    assert street.endswith("#map=15/40.11500/124.39250")
    assert earth.startswith("https://earth.google.com/web/@40.11500,124.39250,")


def test_files_hold_what_the_page_shows(entry: SiteEntry) -> None:
    html = render_dossier(entry, AROUND)
    files = saved(html)
    names = ["valley-detections.geojson", "valley-looks.csv", "valley-notes.csv", "valley.geojson"]
    assert sorted(files) == names
    (feature,) = json.loads(files["valley.geojson"])["features"]
    assert feature["id"] == "valley"
    assert len(feature["properties"]["observations"]) == 2
    assert json.loads(files["valley-detections.geojson"])["features"][0]["properties"]["state"] == "confirmed"
    rows = list(csv.DictReader(io.StringIO(files["valley-notes.csv"].decode("utf-8-sig"))))
    assert [row["date"] for row in rows] == ["2011~", "2015-05-25/2016-06-27"]


def saved(html: str) -> dict[str, bytes]:
    """Return the files that a page offers, by name."""
    return {
        name: base64.b64decode(data)
        for data, name in re.findall(r'href="data:[a-z+/]*;base64,([^"]*)" download="([^"]*)"', html)
    }


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx"])
def test_a_spreadsheet_runs_no_note(valley: Site, text: str) -> None:
    site = replace(valley, observations=(note("a", "2010", f'{text}\n"x", y'),))
    table = saved(render_dossier(SiteEntry(site), AROUND))["valley-notes.csv"].decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table, newline="")))
    assert rows[0]["text"] == f'\'{text}\n"x", y'


def test_the_table_of_looks_has_every_look(entry: SiteEntry) -> None:
    table = saved(render_dossier(entry, AROUND))["valley-looks.csv"].decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(table)))
    assert [row["day"] for row in rows] == [look.solar_day.isoformat() for look in entry.looks]
    assert {row["clear_fraction"] for row in rows} == {"0.83"}


def test_retracted_detections_are_not_on_the_plan(entry: SiteEntry, detection: Detection) -> None:
    assert 'class="changed-ground"' in render_dossier(entry, AROUND)
    gone = replace(detection, state=DetectionState.RETRACTED)
    html = render_dossier(replace(entry, detections=(gone,)), AROUND)
    assert 'class="changed-ground"' not in html
    assert "detected by machine" not in html


@pytest.mark.parametrize("name", ["../x", "A", "con", "lpt1", "a.b", "a/b", "a\\b", "", "x" * 65, "nul"])
def test_an_id_that_could_not_be_a_file_never_gets_here(valley: Site, name: str) -> None:
    with pytest.raises(SiteError):
        replace(valley, id=name)


def test_a_page_is_named_by_its_site() -> None:
    assert dossier_path("sinuiju-customs") == "sites/sinuiju-customs.html"


def test_time_is_drawn_by_what_a_date_says(valley: Site) -> None:
    dates = ("2010-05-01", "2011", "2012~", "2013-01/2014-06", "2015/..", "../2009", "/2008")
    notes = tuple(note(f"n{number}", text) for number, text in enumerate(dates))
    html = render_dossier(SiteEntry(replace(valley, observations=notes)), AROUND)
    drawn = re.findall(r'<(circle|rect)[^>]*class="(when[^"]*)"><title>([^<]*)', html)
    assert sorted(drawn, key=lambda each: each[2]) == [
        ("rect", "when soft", "../2009"),
        ("rect", "when soft", "/2008"),
        ("circle", "when", "2010-05-01"),
        ("rect", "when", "2011"),
        ("rect", "when vague", "2012~"),
        ("rect", "when soft", "2013-01/2014-06"),
        ("rect", "when soft", "2015/.."),
    ]
    assert html.count('class="arrow"') == 2
    assert html.count('class="arrow hollow"') == 1


def test_notes_of_one_time_stand_in_lanes(valley: Site) -> None:
    notes = (*(note(f"n{number}", "2010/2012") for number in range(4)), note("later", "2014"))
    html = render_dossier(SiteEntry(replace(valley, observations=notes)), AROUND)
    places = [float(y) for y in re.findall(r'<rect x="[^"]*" y="([^"]*)"[^>]*class="when', html)]
    assert len(set(places)) == 4
    assert places[-1] == places[0]


@pytest.mark.parametrize("text", ["0001", "9999", "0001/9999", "1900/2100"])
def test_time_reaches_as_far_as_a_date_can(valley: Site, text: str) -> None:
    notes = (note("a", text), note("b", "2020-01-01"))
    assert problems(render_dossier(SiteEntry(replace(valley, observations=notes)), AROUND)) == []


def test_one_day_makes_no_line_of_time(valley: Site) -> None:
    site = replace(valley, observations=(note("a", "2010-05-01"),))
    assert "Through time" not in render_dossier(SiteEntry(site), AROUND).replace("Names through time", "")


def test_numbers_stand_beside_what_they_are_counted_out_of(view: MapView) -> None:
    text = plain(render_dossier(view.entries[0], AROUND))
    assert "Notes 2 With a source 1 of 2 Looks judged 4 of 10 Changes detected 1 in 4 judged" in text
    text = plain(render_dossier(view.entries[1], AROUND))
    assert "Looks judged never looked at Changes detected not known" in text


def test_ground_that_nobody_watches_is_not_drawn_as_watched(valley: Site) -> None:
    assert 'class="watched"' in render_dossier(SiteEntry(valley), AROUND)
    vague = replace(valley, coordinate_accuracy_m=12_000.0)
    html = render_dossier(SiteEntry(vague), AROUND)
    assert 'class="watched"' not in html
    assert "the place lies within 12 km" in html


def test_before_sentinel_2_the_link_names_no_day() -> None:
    (name, address), *_ = deep_links(-106.9, 40.3, date(2013, 5, 27))
    assert name == "Copernicus Browser"
    assert "Time" not in address
    assert "datasetId" not in address


def test_surroundings_without_a_coast_or_border_are_drawn_wider(valley: Site) -> None:
    near = replace(valley, geometry=Point(127.0, 39.0))
    assert "10 degrees of latitude across" in render_dossier(SiteEntry(near), AROUND)
    inland = replace(valley, geometry=Point(-107.35, 40.5))
    assert "60 degrees of latitude across" in render_dossier(SiteEntry(inland), AROUND)


def test_a_country_that_reaches_over_the_antimeridian_is_not_drawn_around_the_earth(valley: Site) -> None:
    site = replace(valley, geometry=Point(-100.0, 62.0))
    html = render_dossier(SiteEntry(site), AROUND)
    land = re.search(r'<path d="([^"]*)" class="land"', html)
    assert land is not None
    places = [tuple(map(float, each.split())) for each in re.findall(r"-?[\d.]+ -?[\d.]+", land[1])]
    steps = [abs(a[0] - b[0]) for a, b in itertools.pairwise(places) if a[1] == b[1] and 0 < a[1] < 360]
    assert max(steps, default=0) < 300
