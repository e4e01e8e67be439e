from __future__ import annotations

import math
from dataclasses import replace
from datetime import date

import pytest
from shapely.geometry import Polygon

from geo.dates import parse_edtf
from imagery.model import Detection, NoScene
from maps.blocks import unpacked
from maps.data_block import OUTCOMES, site_details, view_block, web_address
from maps.errors import PageError
from maps.site_map import page_blocks
from maps.view import MapView, SiteEntry
from sites.model import Site
from sites.observation import Observation, ObservationKind


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        " javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//example.org/",
        "example.org",
        "https://",
        "https://user:secret@example.org/",
        "https://[broken",
        "",
        None,
    ],
)
def test_only_plain_web_addresses_become_links(url: str | None) -> None:
    assert web_address(url) == ""


def test_a_plain_web_address_stays_as_it_is() -> None:
    assert web_address("https://example.org/a?b=1&c=%20#d") == "https://example.org/a?b=1&c=%20#d"


def test_every_note_of_a_site_is_in_its_details(view: MapView) -> None:
    valley, market, lost = (site_details(entry) for entry in view.entries)
    assert [note["date"] for note in valley["notes"]] == ["2011~", "2015-05-25/2016-06-27"]
    assert valley["accuracy"] == "good to about 25 m"
    assert "looks" not in market
    assert lost["accuracy"] == "not placed yet"
    assert lost["area"] == []


def test_looks_name_their_outcome_by_position(view: MapView) -> None:
    looks = site_details(view.entries[0])["looks"]
    assert [OUTCOMES[look[1]] for look in looks[:3]] == ["Learning", "Learning", "Unchanged"]
    assert view_block(view)["counts"] == {
        "Learning": 2, "Unchanged": 3, "Changed": 1, "Obscured": 4, "Failed": 0, "NoScene": 0,
    }  # fmt: skip


def test_an_outline_is_steps_from_the_point_of_its_site(view: MapView) -> None:
    entry = view.entries[0]
    (steps,) = site_details(entry)["area"]
    lat = [40.5 + sum(steps[0 : k + 1 : 2]) / 1e6 for k in range(0, len(steps), 2)]
    lon = [-107.35 + sum(steps[1 : k + 2 : 2]) / 1e6 for k in range(0, len(steps), 2)]
    assert isinstance(entry.site.area, Polygon)
    drawn = list(entry.site.area.exterior.coords)
    assert list(zip(lon, lat, strict=True)) == [pytest.approx(each, abs=1e-6) for each in drawn]


def test_each_site_with_pictures_has_a_block_of_its_own(view: MapView) -> None:
    (block,) = (text for text in page_blocks(view) if "sitewatch-pictures-" in text)
    found = unpacked(block.removesuffix("</script>").partition(">")[2])
    assert 'id="sitewatch-pictures-0"' in block
    assert (found["site"], found["pairs"]) == ("valley", {"d1": [0, 1]})
    assert found["pictures"][1]["simulated"] is True
    assert len(found["outlines"]["d1"]) == 1


def test_numbers_that_json_can_not_hold_become_null(valley: Site, detection: Detection) -> None:
    odd = replace(detection, area_m2=math.nan, magnitude=math.inf)
    shown = site_details(SiteEntry(valley, detections=(odd,)))["detections"][0]
    assert (shown["area_m2"], shown["magnitude"]) == (None, None)


def test_what_analysts_said_stands_beside_the_state(
    valley: Site, detection: Detection, view: MapView
) -> None:
    entry = SiteEntry(valley, detections=(detection,), said={detection.id: "dismissed by <b>bo</b> (dust)"})
    shown = site_details(entry)["detections"][0]
    assert shown["said"] == "dismissed by <b>bo</b> (dust)"
    assert shown["state"] == str(detection.state)
    assert "said" not in site_details(view.entries[0])["detections"][0]


def test_notes_that_replace_or_contradict_say_so(valley: Site) -> None:
    notes = (
        Observation("a", parse_edtf("2015"), "Grew."),
        Observation("b", parse_edtf("2016"), "Shrank.", contradicts=("a",)),
        Observation("c", parse_edtf("2017"), "Grew a little.", supersedes="a"),
    )
    entry = SiteEntry(replace(valley, observations=notes))
    shown = site_details(entry)["notes"]
    marks = [note.get("marks", []) for note in shown]
    assert marks == [["replaced by the note of 2017"], ["contradicts the note of 2015"], []]


def test_windows_without_an_image_are_kept(valley: Site, view: MapView) -> None:
    entry = SiteEntry(valley, no_scenes=(NoScene("valley", date(2020, 1, 1), date(2020, 2, 1)),))
    assert site_details(entry)["gaps"] == [["2020-01-01", "2020-02-01"]]
    assert view_block(replace(view, entries=(entry,)))["counts"]["NoScene"] == 1


def test_a_note_says_where_the_looks_kept_here_could_not_show_it(valley: Site) -> None:
    note = Observation("n9", parse_edtf("2015"), "A roof.", kind=ObservationKind.IMAGERY)
    site = replace(valley, observations=(*valley.observations, note))
    label = "not observable in the looks kept here: </script> 14 m"
    shown = site_details(SiteEntry(site, labels={"n9": label}))["notes"]
    notes = {each["text"]: each.get("looks") for each in shown}
    assert notes.pop("A roof.") == label
    assert set(notes.values()) == {None}
    with pytest.raises(PageError, match="labels of unknown notes"):
        SiteEntry(valley, labels={"n9": label})
