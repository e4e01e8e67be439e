from __future__ import annotations

import hashlib
import json
from importlib.resources import files
from pathlib import Path

import pytest
from shapely.geometry import shape

VENDOR = Path(str(files("maps"))) / "vendor"
TEST_VENDOR = Path(__file__).parent / "vendor"
"""What only tests use; it is in no wheel and on no page."""
BASEMAP = Path(str(files("maps"))) / "basemap"


@pytest.mark.parametrize("vendor", [VENDOR, TEST_VENDOR])
def test_every_vendored_file_is_in_the_manifest_and_as_it_was_fetched(vendor: Path) -> None:
    manifest = json.loads((vendor / "manifest.json").read_text())
    listed = {entry["path"]: entry["sha256"] for package in manifest for entry in package["files"]}
    found = {
        path.relative_to(vendor).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in vendor.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    assert found == listed


@pytest.mark.parametrize(
    ("vendor", "licences"), [(VENDOR, {"MIT", "BSD-2-Clause"}), (TEST_VENDOR, {"MPL-2.0"})]
)
def test_every_vendored_package_names_its_licence_and_brings_its_text(
    vendor: Path, licences: set[str]
) -> None:
    for package in json.loads((vendor / "manifest.json").read_text()):
        assert package["licence"] in licences
        names = [Path(entry["path"]).name for entry in package["files"]]
        assert any("LICEN" in name for name in names)


@pytest.mark.parametrize(("name", "count"), [("world", 175), ("korea", 6), ("provinces", 11)])
def test_the_basemap_is_valid_polygons_with_names(name: str, count: int) -> None:
    features = json.loads((BASEMAP / f"{name}.json").read_text())["features"]
    assert len(features) == count
    for feature in features:
        assert feature["properties"]["name"]
        assert shape(feature["geometry"]).geom_type in {"Polygon", "MultiPolygon"}
        west, south, east, north = shape(feature["geometry"]).bounds
        assert -180.01 <= west < east <= 180.01
        assert -90.01 <= south < north <= 90.01
