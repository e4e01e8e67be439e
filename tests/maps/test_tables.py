from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.dates import parse_edtf
from imagery.model import NoScene
from maps.safetext import clean
from maps.tables import detections_geojson, looks_csv, notes_csv, sites_geojson
from maps.view import MapView, SiteEntry
from sites.catalogue import Catalogue
from sites.categories import Category
from sites.columns import unquoted
from sites.geojson import read_document
from sites.model import Name, Site
from sites.observation import Observation

MADE = datetime(2026, 1, 2, tzinfo=UTC)
SITE = Site("a", (Name("A"),), Category.MARKET)
FORMULAS = ("=cmd|' /C calc'!A0", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "'=1")


def rows(data: bytes) -> list[dict[str, str]]:
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def noted(view: MapView, *texts: str) -> MapView:
    notes = []
    for number, text in enumerate(texts):
        note = Observation(f"n{number}", parse_edtf("2016"), "x")
        object.__setattr__(note, "text", text)  # also what the model refuses
        notes.append(note)
    return replace(view, entries=(SiteEntry(replace(view.entries[0].site, observations=tuple(notes))),))


def test_sites_come_back_as_they_were(view: MapView) -> None:
    data = sites_geojson(view)
    back = read_document(data, "sites.geojson")
    assert not back.faults
    assert {site.id: site for site in back.records()} == {entry.site.id: entry.site for entry in view.entries}
    assert back.foreign["title"] == "Places"
    assert json.loads(data)["type"] == "FeatureCollection"
    assert sites_geojson(replace(view, entries=view.entries[::-1])) == data


def test_a_catalogue_takes_the_sites(view: MapView, tmp_path: Path) -> None:
    (tmp_path / "sites.geojson").write_bytes(sites_geojson(view))
    assert sorted(site.id for site in Catalogue.read(tmp_path)) == ["lost", "market", "valley"]


def test_detections_say_their_bracket_and_where(view: MapView) -> None:
    (feature,) = json.loads(detections_geojson(view))["features"]
    assert feature["id"] == "valley/d1"
    assert feature["properties"]["bracket"] == "2010-06-02/2010-07-04"
    assert feature["properties"]["simulated"] is True
    assert shapely.from_geojson(json.dumps(feature["geometry"])).equals(
        view.entries[0].detections[0].geometry
    )
    hidden = replace(view.entries[0].detections[0], geometry=shapely.Polygon())
    blurred = replace(view, entries=(SiteEntry(view.entries[0].site, detections=(hidden,)),))
    assert json.loads(detections_geojson(blurred))["features"][0]["geometry"] is None


def test_notes_and_looks_are_tables_with_their_denominator(view: MapView) -> None:
    first, last = rows(notes_csv(view))
    assert (first["site"], first["date"], first["earliest"], first["latest"]) == (
        "valley",
        "2011~",
        "2011-01-01",
        "2011-12-31",
    )
    assert (first["grades"], last["text"]) == ("B2", "A shed was built.")
    window = NoScene("valley", view.entries[0].looks[0].solar_day, view.entries[0].looks[1].solar_day)
    with_gap = replace(view, entries=(replace(view.entries[0], no_scenes=(window,)),))
    looks = rows(looks_csv(with_gap))
    assert [row["outcome"] for row in looks].count("NoScene") == 1
    assert len(looks) == 11 and looks[0]["clear_fraction"] in {"0.83", ""}
    assert [row["day"] for row in looks] == sorted(row["day"] for row in looks)


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(view: MapView, text: str) -> None:
    (row,) = rows(notes_csv(noted(view, text)))
    assert row["text"].startswith("'")
    assert unquoted(row["text"]) == clean(text)


@given(text=st.text(max_size=60))
def test_any_text_comes_back(text: str) -> None:
    note = Observation("n", parse_edtf("2016"), "x")
    object.__setattr__(note, "text", text)
    site = replace(SITE, observations=(note,))
    view = MapView("t", MADE, (SiteEntry(site),))
    (row,) = rows(notes_csv(view))
    assert unquoted(row["text"]) == clean(text)
    assert json.loads(sites_geojson(view))["features"][0]["properties"]["observations"][0]["text"] == text


def test_lone_surrogates_are_replaced(view: MapView) -> None:
    hostile = noted(view, "a\ud800b\x00")
    assert "a\ufffdb" in rows(notes_csv(hostile))[0]["text"]
    text = json.loads(sites_geojson(hostile))["features"][0]["properties"]["observations"][0]["text"]
    assert text == "a\ufffdb\x00"
