from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import folium
import pytest

from imagery.model import Detection
from maps import site_map
from maps.errors import PageError
from maps.offline import problems, read_text
from maps.site_map import SCRIPTS, render_site_map, write_site_map
from maps.view import MapView, SiteEntry
from sites.model import Site

BY_ITSELF = """
from datetime import UTC, datetime
from hashlib import sha256
from shapely.geometry import Point
from maps.site_map import render_site_map
from maps.view import MapView, SiteEntry
from sites.categories import Category
from sites.model import Name, Site

site = Site("a", (Name("A"),), Category.MARKET, Point(127, 39))
view = MapView("t", datetime(2026, 1, 1, tzinfo=UTC), (SiteEntry(site),))
print(sha256(render_site_map(view).encode()).hexdigest())
"""


def test_equal_views_give_equal_bytes(view: MapView, tmp_path: Path) -> None:
    first = write_site_map(view, tmp_path / "a")
    second = write_site_map(view, tmp_path / "b")
    assert first == tmp_path / "a" / "index.html"
    assert first.read_bytes() == second.read_bytes()


def test_other_processes_give_the_same_bytes() -> None:
    root = Path(__file__).parent.parent.parent
    digests = {
        subprocess.run(
            [sys.executable, "-c", BY_ITSELF],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            check=True,
            capture_output=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(digests) == 1


def test_the_page_is_one_file_that_names_no_other(view: MapView, tmp_path: Path) -> None:
    path = write_site_map(view, tmp_path)
    html = path.read_text()
    assert problems(html) == []
    assert "cdn." not in html  # compressed blocks may spell the three letters, but have no dot
    assert html.count("Redistributions in binary form must reproduce") == 1
    assert [item.name for item in tmp_path.iterdir()] == ["index.html"]
    assert html.startswith('<!DOCTYPE html>\n<html lang="en">')


def test_folium_keeps_its_own_lists(view: MapView) -> None:
    before = (list(folium.Map.default_js), list(folium.Map.default_css))
    render_site_map(view)
    assert (folium.Map.default_js, folium.Map.default_css) == before
    assert before[0]


def test_a_page_that_would_ask_for_something_is_not_written(
    view: MapView, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Leaky(site_map.SiteMap):
        def __init__(self) -> None:
            super().__init__()
            self.default_js = [("leaflet", "https://example.org/leaflet.js")]

    monkeypatch.setattr(site_map, "SiteMap", Leaky)
    (tmp_path / "index.html").write_text("the last good one")
    with pytest.raises(PageError, match=r"src='https://example.org/leaflet.js' on <script>"):
        write_site_map(view, tmp_path)
    assert (tmp_path / "index.html").read_text() == "the last good one"


def test_an_empty_catalogue_still_makes_a_page(view: MapView) -> None:
    assert problems(render_site_map(replace(view, entries=()))) == []


def test_rows_of_another_site_are_refused(valley: Site, detection: Detection) -> None:
    with pytest.raises(PageError, match="site 'elsewhere' was given to site 'valley'"):
        SiteEntry(valley, detections=(replace(detection, site_id="elsewhere"),))


def test_rows_under_a_former_id_are_taken(valley: Site, detection: Detection) -> None:
    entry = SiteEntry(replace(valley, id="glen", former_ids=("valley",)), detections=(detection,))
    assert entry.detections == (detection,)


def test_pictures_of_unknown_detections_are_refused(view: MapView) -> None:
    with pytest.raises(PageError, match="unknown detections of site 'valley': d1"):
        replace(view.entries[0], detections=())


def test_a_site_given_twice_is_refused(view: MapView) -> None:
    with pytest.raises(PageError, match="sites given twice: valley"):
        replace(view, entries=(view.entries[0], view.entries[0]))


def test_a_time_without_a_zone_is_refused(view: MapView) -> None:
    with pytest.raises(PageError, match="has no time zone"):
        replace(view, made=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the fault


def test_no_two_scripts_declare_the_same_name() -> None:
    """They share one scope, where the later of two functions would quietly take the place of the other."""
    declared = re.compile(r"^(?:async )?(?:function\*?|class|const|let) (\w+)", re.MULTILINE)
    names = Counter(name for script in SCRIPTS for name in declared.findall(read_text("page", script)))
    assert [name for name, count in names.items() if count > 1] == []
