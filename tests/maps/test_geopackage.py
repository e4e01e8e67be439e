from __future__ import annotations

import sqlite3
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from geo.dates import parse_edtf
from imagery.model import NoScene
from maps.geopackage import CHANGED, geopackage
from maps.tables import NO_SCENE
from maps.view import MapView, SiteEntry
from sites.observation import Observation

HOSTILE = "'; DROP TABLE notes; --\x00\x1b]]>\ud800 <b>"


@pytest.fixture
def written(view: MapView, tmp_path: Path) -> Path:
    path = tmp_path / "sitewatch.gpkg"
    first, *others = view.entries
    windows = (NoScene("valley", first.looks[0].solar_day, first.looks[1].solar_day),)
    path.write_bytes(geopackage(replace(view, entries=(replace(first, no_scenes=windows), *others))))
    return path


def read(path: Path, layer: str) -> tuple[dict[str, str], dict[str, np.ndarray], np.ndarray]:
    meta, _, geometry, columns = pyogrio.raw.read(path, layer=layer)
    kinds = dict(zip(meta["fields"], pyogrio.read_info(path, layer=layer)["dtypes"], strict=True))
    return kinds, dict(zip(meta["fields"], columns, strict=True)), shapely.from_wkb(geometry)


def test_gdal_reads_dates_as_dates(written: Path) -> None:
    names = [name for name, _ in pyogrio.list_layers(written)]
    assert names == ["sites", "notes", "looks", "detections", "layer_styles"]
    kinds, notes, places = read(written, "notes")
    assert (kinds["start_date"], kinds["end_date"], kinds["date"]) == (
        "datetime64[D]",
        "datetime64[D]",
        "object",
    )
    assert [str(day) for day in notes["start_date"]] == ["2011-01-01", "2015-05-25"]
    assert [str(day) for day in notes["end_date"]] == ["2011-12-31", "2016-06-27"]
    assert list(notes["date"]) == ["2011~", "2015-05-25/2016-06-27"]
    assert list(notes["approximate"]) == [True, False]
    assert places[0].equals(shapely.Point(-107.35, 40.5))
    kinds, found, outlines = read(written, "detections")
    assert kinds["start_date"] == "datetime64[D]"
    assert str(found["start_date"][0]) == "2010-06-02" and str(found["end_date"][0]) == "2010-07-04"
    assert outlines[0].geom_type == "MultiPolygon"
    _, sites, places = read(written, "sites")
    assert list(sites["site"]) == ["valley", "market", "lost"]
    assert places[2] is None
    assert pyogrio.read_info(written, layer="sites")["crs"] == "EPSG:4326"


def test_looks_stand_beside_the_windows_without_any(written: Path) -> None:
    _, looks, _ = read(written, "looks")
    assert len(looks["site"]) == 11
    assert list(looks["outcome"]).count(NO_SCENE) == 1
    assert str(looks["end_date"][list(looks["outcome"]).index(NO_SCENE)]) == "2010-02-06"


def test_an_open_end_is_no_date(view: MapView, tmp_path: Path) -> None:
    site = replace(view.entries[0].site, observations=(Observation("n", parse_edtf("2016/.."), "x"),))
    path = tmp_path / "a.gpkg"
    path.write_bytes(geopackage(replace(view, entries=(SiteEntry(site),))))
    _, notes, _ = read(path, "notes")
    assert str(notes["start_date"][0]) == "2016-01-01"
    assert np.isnat(notes["end_date"][0])


def test_it_is_a_geopackage_and_the_same_one_each_time(view: MapView, written: Path) -> None:
    assert geopackage(view) == geopackage(replace(view))
    with sqlite3.connect(written) as connection:
        for query, answer in (
            ("PRAGMA integrity_check", "ok"),
            ("PRAGMA application_id", int.from_bytes(b"GPKG")),
            ("SELECT count(*) FROM gpkg_contents", 5),
        ):
            assert connection.execute(query).fetchone() == (answer,)
        assert {row[0] for row in connection.execute("SELECT last_change FROM gpkg_contents")} == {CHANGED}
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def test_the_styles_switch_the_temporal_controller_on(written: Path) -> None:
    with sqlite3.connect(written) as connection:
        styles = dict(connection.execute("SELECT f_table_name, styleQML FROM layer_styles"))
    connection.close()
    assert set(styles) == {"sites", "notes", "looks", "detections"}
    for name, qml in styles.items():
        root = ET.fromstring(qml)  # noqa: S314 - our own text
        temporal = root.find("temporal")
        assert temporal is not None
        told = (
            temporal.get("enabled"),
            temporal.get("mode"),
            temporal.get("startField"),
            temporal.get("endField"),
        )
        assert told == (("0", "2", "", "") if name == "sites" else ("1", "2", "start_date", "end_date"))
        symbols = {each.get("name") for each in root.iter("symbol")}
        assert symbols >= {each.get("symbol") for each in root.iter("category")}


def test_hostile_text_is_a_value(view: MapView, tmp_path: Path) -> None:
    note = Observation("n", parse_edtf("2016"), "x")
    object.__setattr__(note, "text", HOSTILE)
    site = replace(view.entries[0].site, observations=(note,))
    path = tmp_path / "a.gpkg"
    path.write_bytes(geopackage(replace(view, statement=HOSTILE, entries=(SiteEntry(site),))))
    _, notes, _ = read(path, "notes")
    assert notes["text"][0] == "'; DROP TABLE notes; --\ufffd\ufffd]]>\ufffd <b>"
