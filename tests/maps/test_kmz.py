from __future__ import annotations

import io
import xml.etree.ElementTree as ET
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely
from PIL import Image

from geo.dates import parse_edtf
from geo.grid import Grid, grid_box_lonlat
from maps.icons import SIDE_PX, icon_png, outlines
from maps.kmz import MAIN, kmz
from maps.overlays import overlays
from maps.symbols import SYMBOLS
from maps.view import MapView, SiteEntry
from sites.categories import Category
from sites.observation import Observation

KML = "{http://www.opengis.net/kml/2.2}"


def document(data: bytes) -> ET.Element:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] == MAIN
        return ET.fromstring(archive.read(MAIN))  # noqa: S314 - our own bytes


@pytest.fixture
def written(view: MapView, tmp_path: Path) -> Path:
    path = tmp_path / "sitewatch.kmz"
    path.write_bytes(kmz(view))
    return path


def read(path: Path, layer: str) -> dict[str, np.ndarray]:
    meta, _, geometry, columns = pyogrio.raw.read(path, layer=layer)
    return {"geometry": shapely.from_wkb(geometry), **dict(zip(meta["fields"], columns, strict=True))}


def test_gdal_reads_times_from_it(written: Path) -> None:
    assert pyogrio.detect_write_driver(written) == "LIBKML"
    notes = read(written, "Factory: notes")
    assert list(notes["Name"]) == ["Quiet valley, 2011~", "Quiet valley, 2015-05-25/2016-06-27"]
    days = [str(each)[:10] for each in notes["begin"]], [str(each)[:10] for each in notes["end"]]
    assert days == (["2011-01-01", "2015-05-25"], ["2011-12-31", "2016-06-27"])
    assert list(notes["edtf"]) == ["2011~", "2015-05-25/2016-06-27"]
    found = read(written, "Factory: changes detected")
    assert str(found["begin"][0])[:10] == "2010-06-02" and str(found["end"][0])[:10] == "2010-07-04"
    assert found["geometry"][0].geom_type in {"Polygon", "MultiPolygon"}
    assert "(simulated)" in found["Name"][0]
    sites = read(written, "Mine: sites")
    assert list(sites["site"]) == ["lost"] and sites["geometry"][0] is None


def test_gdal_reads_overlays_with_their_places_and_times(written: Path, grid: Grid) -> None:
    shown = read(written, "Factory: images")
    frame = grid_box_lonlat(grid)
    labels = [name.split(", ")[1] for name in shown["Name"]]
    assert labels == ["2010-06-02", "2010-07-04 (simulated)", "2020-05-01"]
    assert [str(each)[:10] for each in shown["end"]] == ["2010-07-04", "2020-05-01", "NaT"]
    for outline in shown["geometry"]:
        assert shapely.intersection(outline, frame).area > 0.999 * frame.area
        assert outline.area < 1.2 * frame.area
    with zipfile.ZipFile(written) as archive:
        for icon in shown["icon"]:
            image = Image.open(io.BytesIO(archive.read(icon)))
            assert image.mode == "RGBA"


def test_an_overlay_shows_each_pixel_where_it_lies(view: MapView, grid: Grid) -> None:
    entry = view.entries[0]
    first = overlays(entry)[0]
    image = np.asarray(Image.open(io.BytesIO(first.png)))
    source = np.asarray(Image.open(io.BytesIO(first.picture.png)).convert("RGB"))
    rows, columns = image.shape[:2]
    for row, column in [(3, 5), (17, 20), (36, 47)]:
        at = grid.to_lonlat(shapely.Point(grid.transform @ (column + 0.5, row + 0.5)))
        assert isinstance(at, shapely.Point)
        x = (at.x - first.west) / (first.east - first.west) * columns
        y = (first.north - at.y) / (first.north - first.south) * rows
        assert image[int(y), int(x), 3] == 255
        assert tuple(image[int(y), int(x), :3]) == tuple(source[row, column])
    assert (image[..., 3] == 0).any()


def test_equal_views_give_equal_bytes(view: MapView) -> None:
    assert kmz(view) == kmz(replace(view))
    with zipfile.ZipFile(io.BytesIO(kmz(view))) as archive:
        assert {info.date_time for info in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


HOSTILE = "<b>$[name]</b> ]]> &amp; \"'\r\n\x00\x1b\ud800 <script>alert(1)</script> \N{BELL}"


def test_hostile_text_stays_text_for_both_readers(view: MapView) -> None:
    entry = view.entries[0]
    note = Observation("n", parse_edtf("2016/.."), "x", author="y")
    # The model refuses control characters; what got into a ledger or a table some other way must not pass.
    object.__setattr__(note, "text", HOSTILE)
    site = replace(entry.site, observations=(note,))
    object.__setattr__(site.names[0], "text", HOSTILE)
    hostile = replace(view, title=HOSTILE, statement=HOSTILE, entries=(SiteEntry(site),))
    root = document(kmz(hostile))
    mark = next(
        each for each in root.iter(f"{KML}Placemark") if "-note" in (each.findtext(f"{KML}styleUrl") or "")
    )
    told = mark.findtext(f"{KML}description") or ""
    assert "&lt;script&gt;alert(1)" in told and "<script" not in told and "$[" not in told
    assert mark.findtext(f"{KML}TimeSpan/{KML}begin") == "2016-01-01"
    assert mark.find(f"{KML}TimeSpan/{KML}end") is None
    assert "<b>$[name]</b> ]]> &amp;" in (root.findtext(f"{KML}Document/{KML}name") or "")


@pytest.mark.parametrize("category", Category)
def test_each_category_has_a_sign_of_its_own(category: Category) -> None:
    image = np.asarray(Image.open(io.BytesIO(icon_png(category))))
    assert image.shape == (SIDE_PX, SIDE_PX, 4)
    assert image[0, 0, 3] == 0 and (image[..., 3] == 255).mean() > 0.1
    assert all(-1 <= x <= 25 and -1 <= y <= 25 for line in outlines(SYMBOLS[category].path) for x, y in line)
    assert len({icon_png(each) for each in Category}) == len(Category)


def test_arcs_lie_on_their_circle() -> None:
    (line,) = outlines("M12 3A9 9 0 1 1 12 21A9 9 0 1 1 12 3Z")
    away = [float(np.hypot(x - 12, y - 12)) for x, y in line]
    assert min(away) == pytest.approx(9) == max(away)
    assert {round(x) for x, _ in line} >= {3, 21}
    with pytest.raises(ValueError, match="'C' is not drawn"):
        outlines("M0 0C1 1 2 2 3 3Z")
