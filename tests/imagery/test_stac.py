from __future__ import annotations

import hashlib
import tomllib
from dataclasses import replace
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest

from imagery.acquisition import SATELLITE, SENTINEL_2, VIEW
from imagery.archive import Archive
from imagery.errors import ArchiveError
from imagery.intake import IntakeOptions, plan_intake
from imagery.model import UNKNOWN_GEOMETRY, AcquisitionGeometry
from imagery.stac import item_document, item_scene
from imagery.stac_schema import validate_stac

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from imagery.assembly import PlannedScene
    from tests.imagery.conftest import WriteTif

SHA = "0" * 64


@pytest.fixture
def planned(write_tif: WriteTif) -> PlannedScene:
    pixels = np.ones((3, 6, 5), dtype=np.uint16)
    path = write_tif("a.tif", pixels, descriptions=("B4", "B8", "SCL"), nodata=0)
    options = IntakeOptions(
        acquired="2019-01-27T02:11:30Z", platform="S2A", scale=1e-4, credit="Copernicus", licence="CC-BY-4.0"
    )
    return plan_intake([path], options).scenes[0]


@pytest.fixture
def item(planned: PlannedScene) -> dict[str, Any]:
    return orjson_copy(item_document(planned, SHA))


def orjson_copy(document: dict[str, Any]) -> dict[str, Any]:
    copy: dict[str, Any] = orjson.loads(orjson.dumps(document))
    return copy


def test_an_item_is_valid_and_says_what_it_holds(item: dict[str, Any]) -> None:
    validate_stac(item)
    assert item["properties"]["datetime"] == "2019-01-27T02:11:30Z"
    assert item["properties"]["license"] == "CC-BY-4.0"
    assert list(item["assets"]) == ["red", "nir", "scl"]
    red = item["assets"]["red"]
    assert red["raster:bands"][0] == {
        "data_type": "uint16",
        "spatial_resolution": 30.0,
        "nodata": 0.0,
        "scale": 1e-4,
        "offset": 0.0,
    }
    assert red["eo:bands"] == [{"name": "red", "common_name": "red", "center_wavelength": 0.665}]
    assert "scale" not in item["assets"]["scl"]["raster:bands"][0]
    assert all(asset["href"].startswith("./") for asset in item["assets"].values())


def test_an_item_tells_how_it_was_taken_in_the_extensions_names(
    item: dict[str, Any], planned: PlannedScene, tmp_path: Path
) -> None:
    geometry = AcquisitionGeometry("3-descending", 51.8, 162.5, 4.2, 104.0)
    told = replace(planned, geometry=geometry, processing_baseline="04.00")
    document = orjson_copy(item_document(told, SHA))
    validate_stac(document)
    assert document["stac_extensions"] == [*item["stac_extensions"], SATELLITE, VIEW, SENTINEL_2]
    assert document["properties"] == item["properties"] | {
        "sat:relative_orbit": 3,
        "sat:orbit_state": "descending",
        "view:sun_elevation": 38.2,
        "view:sun_azimuth": 162.5,
        "view:incidence_angle": 4.2,
        "view:azimuth": 104.0,
        "s2:processing_baseline": "04.00",
    }
    scene = item_scene(document, tmp_path / f"{item['id']}.json")
    assert (scene.geometry, scene.processing_baseline) == (geometry, "04.00")


def test_what_is_unknown_is_not_written_and_comes_back_unknown(item: dict[str, Any], tmp_path: Path) -> None:
    assert not [name for name in item["properties"] if name.startswith(("sat:", "view:", "s2:"))]
    scene = item_scene(item, tmp_path / f"{item['id']}.json")
    assert (scene.geometry, scene.processing_baseline) == (UNKNOWN_GEOMETRY, "")


def test_a_day_is_an_interval(write_tif: WriteTif) -> None:
    path = write_tif("a.tif", descriptions=("red",))
    (planned,) = plan_intake([path], IntakeOptions(acquired="2019-01-27")).scenes
    document = item_document(planned, SHA)
    validate_stac(document)
    assert document["properties"]["datetime"] is None
    assert document["properties"]["start_datetime"] == "2019-01-27T00:00:00Z"
    assert document["properties"]["end_datetime"] == "2019-01-27T23:59:59Z"


def test_a_scene_comes_back_from_its_item(item: dict[str, Any], tmp_path: Path) -> None:
    scene = item_scene(item, tmp_path / f"{item['id']}.json")
    assert (scene.platform, scene.series, scene.credit) == ("sentinel-2a", "sentinel-2", "Copernicus")
    assert scene.acquired.isoformat() == "2019-01-27T02:11:30+00:00"
    assert [file.name for file in scene.bands] == ["red", "nir"]
    assert scene.mask is not None
    assert scene.mask.path == f"{tmp_path}/scl.tif"
    assert scene.footprint.is_valid
    assert list(scene.footprint.bounds) == item["bbox"]


def _href(item: dict[str, Any]) -> None:
    item["assets"]["red"]["href"] = "../../../../etc/passwd"


def _absolute(item: dict[str, Any]) -> None:
    item["assets"]["/etc/passwd"] = item["assets"]["red"] | {"href": ".//etc/passwd.tif"}


def _renamed(item: dict[str, Any]) -> None:
    item["id"] = "another"


def _zoneless(item: dict[str, Any]) -> None:
    item["properties"]["datetime"] = "2019-01-27T02:11:30"


def _maskless(item: dict[str, Any]) -> None:
    item["properties"]["sitewatch:mask_scheme"] = "none"


def _unprojected(item: dict[str, Any]) -> None:
    del item["assets"]["red"]["proj:transform"]


def _flat(item: dict[str, Any]) -> None:
    item["geometry"] = {"type": "Point", "coordinates": [1, 2]}


def _upside_down(item: dict[str, Any]) -> None:
    item["properties"]["view:sun_elevation"] = 91


def _overcast(item: dict[str, Any]) -> None:
    item["properties"]["eo:cloud_cover"] = 101


def _orbiting_nothing(item: dict[str, Any]) -> None:
    item["properties"]["sat:relative_orbit"] = "3; 4"


DAMAGES = [
    _href,
    _absolute,
    _renamed,
    _zoneless,
    _maskless,
    _unprojected,
    _flat,
    _upside_down,
    _overcast,
    _orbiting_nothing,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_item_is_named(
    item: dict[str, Any], tmp_path: Path, damage: Callable[[dict[str, Any]], None]
) -> None:
    path = tmp_path / f"{item['id']}.json"
    damage(item)
    with pytest.raises(ArchiveError) as caught:
        item_scene(item, path)
    assert caught.value.where.file == str(path)


def test_validation_reaches_every_schema(planned: PlannedScene) -> None:
    geometry = AcquisitionGeometry("3", 51.8)
    told = replace(planned, geometry=geometry, processing_baseline="04.00")
    item = orjson_copy(item_document(told, SHA))
    validate_stac(item)
    breakages: list[Callable[[dict[str, Any]], object]] = [
        lambda broken: broken.pop("geometry"),
        lambda broken: broken["properties"].update(datetime="yesterday"),
        lambda broken: broken["properties"].update(gsd=-1),
        lambda broken: broken["properties"].update(license=5),
        lambda broken: broken["assets"]["red"].update({"proj:shape": [1]}),
        lambda broken: broken["assets"]["red"]["raster:bands"][0].update(data_type="uint12"),
        lambda broken: broken["assets"]["red"]["eo:bands"][0].update(common_name="reddish"),
        lambda broken: broken["properties"].update({"sat:orbit_state": "sideways"}),
        lambda broken: broken["properties"].update({"view:azimuth": 361}),
        lambda broken: broken["properties"].update({"s2:processing_baseline": "4"}),
        lambda broken: broken.update(stac_extensions=["https://example.org/schema.json"]),
        lambda broken: broken.update(type="Feather"),
    ]
    for breakage in breakages:
        broken = orjson_copy(item)
        breakage(broken)
        with pytest.raises(ArchiveError):
            validate_stac(broken)


def test_everything_in_an_archive_is_valid(write_tif: WriteTif, tmp_path: Path) -> None:
    path = write_tif(
        "a.tif", descriptions=("red",), nodata=float("nan"), pixels=np.ones((4, 4), dtype=np.float32)
    )
    plan = plan_intake([path], IntakeOptions(acquired="2019-01-27", scale=1.0))
    Archive(tmp_path / "archive").add(plan.scenes)
    documents = [orjson.loads(file.read_bytes()) for file in (tmp_path / "archive").rglob("*.json")]
    assert sorted(document["type"] for document in documents) == ["Catalog", "Collection", "Feature"]
    for document in documents:
        validate_stac(document)


def test_everything_in_an_archive_is_reached_by_relative_links(write_tif: WriteTif, tmp_path: Path) -> None:
    archive = Archive(tmp_path / "archive")
    for number, platform in enumerate(["S2A", "S2A", "LE7"]):
        path = write_tif(f"{number}.tif", descriptions=("red",))
        options = IntakeOptions(acquired=f"2019-01-2{number}", platform=platform)
        archive.add(plan_intake([path], options).scenes)
    # Moved, so that no link can lead to where it was made.
    moved = archive.root.rename(tmp_path / "elsewhere")
    seen: set[Path] = set()
    waiting = [moved / "catalog.json"]
    while waiting:
        file = waiting.pop()
        if file not in seen:
            seen.add(file)
            waiting += _led_to(file, moved)
    assert seen == {file for file in moved.rglob("*") if file.is_file() and file.suffix != ".lock"}
    assert len(seen) == 1 + 2 + 3 * 2


def _led_to(file: Path, root: Path) -> list[Path]:
    if file.suffix != ".json":
        return []
    document = orjson.loads(file.read_bytes())
    hrefs = [entry["href"] for entry in (*document["links"], *document.get("assets", {}).values())]
    assert all(href.startswith(("./", "../")) for href in hrefs)
    targets = [(file.parent / href).resolve() for href in hrefs]
    assert all(target.is_relative_to(root.resolve()) and target.is_file() for target in targets)
    return targets


def test_the_kept_schemas_are_those_of_the_manifest() -> None:
    folder = files("imagery") / "schemas"
    entries = tomllib.loads((folder / "manifest.toml").read_text("utf-8"))["schema"]
    kept = {file.name for file in folder.iterdir() if file.name.endswith(".json")}
    assert {entry["file"] for entry in entries} == kept
    for entry in entries:
        assert hashlib.sha256((folder / entry["file"]).read_bytes()).hexdigest() == entry["sha256"]
        assert entry["licence"] == "Apache-2.0"
