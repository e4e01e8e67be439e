from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import geopandas
import pytest

from sites.catalogue import Catalogue
from sites.errors import SiteError
from sites.frames import from_geodataframe, to_geodataframe


def test_a_catalogue_survives_its_frame(test_data: Path) -> None:
    catalogue = Catalogue.read(test_data / "sites" / "dprk_sites.geojson")
    frame = to_geodataframe(catalogue)
    assert len(frame) == 138
    assert frame.loc["new-yalu-river-bridge", "category"] == "bridge"
    assert frame.crs.to_epsg() == 4326
    assert from_geodataframe(frame).records() == tuple(catalogue)


def test_the_built_in_notes_survive_their_frame() -> None:
    catalogue = Catalogue.read(Path(__file__).parents[2] / "sites" / "builtin")
    assert from_geodataframe(to_geodataframe(catalogue)).records() == tuple(catalogue)


def test_metres_become_degrees_and_rows_are_named() -> None:
    points = geopandas.points_from_xy([125.7, 126.0], [39.0, 39.5])
    data = {
        "name": ["Haebang Market", "B"],
        "category": ["market", "bazaar"],
        "coordinate_accuracy_m": [50, None],
    }
    frame = geopandas.GeoDataFrame(data, geometry=points, crs="EPSG:4326").to_crs("EPSG:32652")
    document = from_geodataframe(frame)
    (found,) = document.found
    assert found.record.id == "haebang-market"
    assert document.faults[0].where.feature == "feature 2 ('b')"
    with pytest.raises(SiteError, match="unknown category 'bazaar'"):
        document.records()


def test_an_empty_catalogue_is_an_empty_frame() -> None:
    frame = to_geodataframe([])
    assert len(frame) == 0
    assert from_geodataframe(frame).records() == ()


def test_reading_a_catalogue_loads_no_data_frames() -> None:
    heavy = ["pandas", "geopandas", "rasterio", "folium", "odc", "scipy", "sqlalchemy"]
    code = "import json, sys, sites.catalogue, sites.additions; print(json.dumps(sorted(sys.modules)))"
    out = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert not set(heavy) & set(json.loads(out.stdout))
