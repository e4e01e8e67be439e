from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin

from watch.workspace import Workspace

Sitewatch = Callable[..., tuple[int, str, str]]


def tree(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".sitewatch.lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def feature(**changes: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON values
    properties = {"name": "Komsan-ri Market", "category": "market"} | changes.pop("properties", {})
    base = {"type": "Feature", "id": "komsan", "geometry": {"type": "Point", "coordinates": [128.17, 41.4]}}
    return base | changes | {"properties": properties}


def write_geojson(path: Path, *features: dict[str, Any]) -> Path:
    path.write_text(json.dumps({"type": "FeatureCollection", "features": list(features)}))
    return path


def test_init_list_show_check_and_map(tmp_path: Path, sitewatch: Sitewatch) -> None:
    folder = str(tmp_path / "w")
    code, out, _ = sitewatch("init", folder)
    assert code == 0
    assert "190 sites" in out
    code, out, _ = sitewatch("sites", "list", "--workspace", folder, "--json")
    assert code == 0
    collection = json.loads(out)
    assert len(collection["features"]) == 190
    code, out, _ = sitewatch("sites", "show", "new-yalu-river-bridge", "--workspace", folder)
    assert code == 0
    assert "watched over" in out
    assert sitewatch("sites", "check", "--workspace", folder)[0] == 0
    code, out, _ = sitewatch("map", "--workspace", folder)
    assert code == 0
    assert Path(out.strip()).is_file()
    assert sitewatch("init", folder)[0] == 2


def test_adding_sites_reports_and_then_changes_nothing(tmp_path: Path, sitewatch: Sitewatch) -> None:
    folder = str(tmp_path / "w")
    sitewatch("init", folder, "--empty")
    file = str(write_geojson(tmp_path / "new.geojson", feature()))
    code, out, _ = sitewatch("sites", "add", file, "--workspace", folder, "--dry-run", "--json")
    assert code == 0
    assert json.loads(out)["new"] == ["komsan"]
    assert json.loads(out)["written"] == []
    assert sitewatch("sites", "add", file, "--workspace", folder)[0] == 0
    before = tree(tmp_path / "w")
    code, out, _ = sitewatch("sites", "add", file, "--workspace", folder, "--json")
    assert code == 0
    assert json.loads(out)["same"] == ["komsan"]
    assert tree(tmp_path / "w") == before


BAD_FEATURES = {
    "swapped": (feature(geometry={"type": "Point", "coordinates": [41.4, 128.17]}), "swapped"),
    "category": (feature(properties={"category": "markt"}), "market"),
    "path as id": (feature(id="../../x"), "id"),
    "date": (
        feature(properties={"observations": [{"date": "2016/06", "text": "A roof.", "kind": "imagery"}]}),
        "observations[0].date",
    ),
}


@pytest.mark.parametrize("name", BAD_FEATURES)
def test_bad_sites_are_refused_by_file_feature_and_field(
    tmp_path: Path, sitewatch: Sitewatch, name: str
) -> None:
    bad, word = BAD_FEATURES[name]
    folder = tmp_path / "w"
    sitewatch("init", str(folder), "--empty")
    before = tree(folder)
    file = write_geojson(tmp_path / "bad.geojson", feature(id="good"), bad)
    code, _, err = sitewatch("sites", "add", str(file), "--workspace", str(folder))
    assert code == 2
    message = next(line for line in err.splitlines() if "refused" in line)
    assert str(file) in message
    assert "feature 2" in message
    assert word in message
    assert "Traceback" not in err
    assert tree(folder) == before


BAD_FILES = {
    "syntax error": '{"type": "FeatureCollection",\n "features": [}',
    "not a number": json.dumps(feature(geometry={"type": "Point", "coordinates": [float("nan"), 41.4]})),
    "deep": "[" * 1000 + "]" * 1000,
    "empty": "",
    "not GeoJSON": '{"a": 1}',
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files_are_refused(tmp_path: Path, sitewatch: Sitewatch, name: str) -> None:
    folder = tmp_path / "w"
    sitewatch("init", str(folder), "--empty")
    before = tree(folder)
    file = tmp_path / "bad.geojson"
    file.write_text(BAD_FILES[name])
    code, _, err = sitewatch("sites", "add", str(file), "--workspace", str(folder))
    assert code == 2
    assert str(file) in err
    assert len(err.strip().splitlines()) <= 2
    assert tree(folder) == before


def test_one_id_twice_is_refused(tmp_path: Path, sitewatch: Sitewatch) -> None:
    folder = tmp_path / "w"
    sitewatch("init", str(folder), "--empty")
    before = tree(folder)
    file = write_geojson(tmp_path / "bad.geojson", feature(), feature(properties={"name": "Another"}))
    code, _, err = sitewatch("sites", "add", str(file), "--workspace", str(folder))
    assert code == 2
    assert "komsan" in err
    assert tree(folder) == before


def geotiff(path: Path, *, crs: str | None = "EPSG:32651") -> Path:
    profile = {"driver": "GTiff", "width": 8, "height": 8, "count": 1, "dtype": "uint16"}
    place = {"crs": crs, "transform": from_origin(700_000, 4_300_000, 10, 10)} if crs else {}
    with rasterio.open(path, "w", **profile, **place) as dataset:
        dataset.write(np.ones((8, 8), dtype=np.uint16), 1)
    return path


def test_bad_images_are_refused(tmp_path: Path, sitewatch: Sitewatch) -> None:
    folder = tmp_path / "w"
    sitewatch("init", str(folder), "--empty")
    before = tree(folder)
    good = geotiff(tmp_path / "good.tif")
    (tmp_path / "text.tif").write_text("not an image")
    (tmp_path / "vrt.tif").write_text(
        '<VRTDataset rasterXSize="8" rasterYSize="8"><VRTRasterBand dataType="UInt16" band="1"><SimpleSource>'
        f"<SourceFilename>{good}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand>"
        "</VRTDataset>"
    )
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        geotiff(tmp_path / "nowhere.tif", crs=None)
    for name, word in {
        "text.tif": "TIFF",
        "vrt.tif": "TIFF",
        "nowhere.tif": "coordinate reference system",
    }.items():
        arguments = ("archive", "add", str(good), str(tmp_path / name), "--acquired", "2020-01-01")
        code, _, err = sitewatch(*arguments, "--bands", "red", "--workspace", str(folder))
        assert code == 2, err
        assert name in err
        assert word in err
    code, _, err = sitewatch(
        "archive", "add", str(good), "--acquired", "2020-31-31", "--workspace", str(folder)
    )
    assert code == 2
    assert "acquired" in err
    assert "2020-31-31" in err
    assert tree(folder) == before


def test_run_json_has_the_documented_form(
    make_workspace: Callable[[str], Workspace],
    add_scenes: Callable[[Workspace, list[Path]], None],
    scenes: Callable[..., list[Path]],
    days: list[date],
    now: datetime,
    sitewatch: Sitewatch,
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days))
    folder = str(workspace.root)
    code, out, err = sitewatch("run", "--now", now.isoformat(), "--workspace", folder, "--json")
    assert (code, err) == (0, "")
    report = json.loads(out)
    assert set(report["looks"]) == {"Learning", "Unchanged", "Changed", "Obscured", "Failed"}
    assert sum(report["looks"].values()) == len(days)
    (detection,) = report["detections"]
    assert set(detection) >= {"id", "site", "state", "bracket", "area_m2", "magnitude", "p_value", "geometry"}
    code, out, _ = sitewatch("looks", "yard", "--workspace", folder, "--json")
    assert code == 0
    assert len(json.loads(out)["looks"]) == len(days)
    code, out, _ = sitewatch("looks", "yard", "--workspace", folder)
    assert f"{len(days)} looks" in out
    code, out, _ = sitewatch("looks", "yard", "--card", str(days[-1]), "--workspace", folder, "--json")
    assert code == 0
    (shown,) = json.loads(out)["looks"]
    assert shown["card"]["outcome"] == "Changed"
    assert shown["card"]["sections"]["clear"]["needed_of_footprint"] == 0.5
    code, out, _ = sitewatch("looks", "yard", "--card", str(days[-1]), "--workspace", folder)
    assert "because" in out and "threshold" in out
    code, _, err = sitewatch("looks", "yard", "--card", "1999-01-01", "--workspace", folder)
    assert code == 2 and "no look on '1999-01-01'" in err
    code, out, _ = sitewatch("archive", "list", "--workspace", folder, "--json")
    assert len(json.loads(out)) == len(days)
    assert sitewatch("archive", "verify", "--workspace", folder)[0] == 0
    code, out, _ = sitewatch("map", "--workspace", folder)
    assert code == 0
    assert "simulated" in Path(out.strip()).read_text()


def test_detect_names_what_it_compared_and_writes_its_evidence(
    make_workspace: Callable[[str], Workspace],
    add_scenes: Callable[[Workspace, list[Path]], None],
    scenes: Callable[..., list[Path]],
    days: list[date],
    tmp_path: Path,
    sitewatch: Sitewatch,
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days))
    command = [
        "detect",
        "yard",
        "--before",
        "2020",
        "--after",
        "2021-05-19",
        "--workspace",
        str(workspace.root),
    ]
    code, out, _ = sitewatch(*command, "--out", str(tmp_path / "out"), "--json")
    assert code == 0
    collection = json.loads(out)
    assert collection["sitewatch"]["after"]["solar_day"] == "2021-05-19"
    assert collection["sitewatch"]["before"]["solar_day"].startswith("2020-")
    assert collection["sitewatch"]["simulated"] is True
    (found,) = collection["features"]
    assert found["properties"]["in_footprint"] is True
    assert found["properties"]["area_m2"] == pytest.approx(36 * 900, rel=0.35)
    assert json.loads((tmp_path / "out" / "change.geojson").read_text()) == collection
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "change.geojson",
        "picture.png",
        "score.tif",
    ]
    with rasterio.open(tmp_path / "out" / "score.tif") as dataset:
        assert float(dataset.tags()["threshold"]) == pytest.approx(
            collection["sitewatch"]["threshold"], abs=1e-5
        )
    quiet = ["detect", "yard", "--before", "2020-05-03", "--after", "2020-05-19"]
    code, out, _ = sitewatch(*quiet, "--workspace", str(workspace.root), "--json")
    assert json.loads(out)["features"] == []


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["run", "--now", "yesterday"], "ISO 8601"),
        (["detect", "yard", "--before", "2021", "--after", "2020"], "before"),
        (["detect", "yard", "--before", "20x1", "--after", "2022"], "20x1"),
        (["detect", "nowhere", "--before", "2020", "--after", "2021"], "nowhere"),
        (["detect", "yard", "--before", "2020", "--after", "2021"], "archive add"),
        (["looks", "nowhere"], "nowhere"),
    ],
)
def test_wrong_words_are_refused(
    make_workspace: Callable[[str], Workspace], sitewatch: Sitewatch, arguments: list[str], word: str
) -> None:
    workspace = make_workspace("w")
    code, out, err = sitewatch(*arguments, "--workspace", str(workspace.root))
    assert code == 2
    assert out == ""
    assert word in err


def test_outside_a_workspace_it_says_how_to_make_one(tmp_path: Path, sitewatch: Sitewatch) -> None:
    code, _, err = sitewatch("run", "--workspace", str(tmp_path))
    assert code == 2
    assert "sitewatch init" in err
