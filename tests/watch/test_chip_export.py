from __future__ import annotations

import io
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio
from PIL import Image

from geo.dates import Span
from imagery.errors import NoClearLookError
from watch.chip_export import export_chips
from watch.workspace import Workspace

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def workspace(
    make_workspace: Callable[[str], Workspace],
    add_scenes: Callable[[Workspace, list[Path]], None],
    scenes: Callable[..., list[Path]],
    days: list[date],
) -> Workspace:
    made = make_workspace("w")
    add_scenes(made, scenes(days[:5]))
    return made


def test_a_named_day_is_written_with_pixels_place_and_credit(
    workspace: Workspace, days: list[date], tmp_path: Path
) -> None:
    (only,) = export_chips(workspace, "yard", tmp_path / "out", days=days[:1]).files
    assert only.geotiff.name == f"yard_{days[0]}_landsat-tm.tif"
    with rasterio.open(only.geotiff) as dataset:
        assert dataset.descriptions == ("red", "nir", "clear")
        assert dataset.scales == (1e-4, 1e-4, 1.0)
        assert str(dataset.crs) == "EPSG:32651"
        assert dataset.res == (30, 30)
        tags = dataset.tags()
        shown = dataset.read(1)
        left, top = dataset.bounds.left, dataset.bounds.top
    source = tmp_path / "images" / f"LE7_{days[0]:%Y%m%d}_red.tif"
    with rasterio.open(source) as original:
        row, column = original.index(left + 15, top - 15)
        size = (slice(row, row + shown.shape[0]), slice(column, column + shown.shape[1]))
        np.testing.assert_array_equal(shown, original.read(1)[size])
    assert (tags["site"], tags["name"], tags["solar_day"]) == ("yard", "Yard", str(days[0]))
    assert tags["credit"] == "made for a test"
    assert tags["simulated"].startswith("SIMULATED")
    assert tags["outcome"] == "not looked at"
    assert Image.open(io.BytesIO(only.picture.read_bytes())).width > 300


def test_what_is_cloud_stays_and_is_marked(workspace: Workspace, days: list[date], tmp_path: Path) -> None:
    (only,) = export_chips(workspace, "yard", tmp_path, days=[days[3]]).files
    with rasterio.open(only.geotiff) as dataset:
        clear = dataset.read(3)
    assert set(np.unique(clear)) == {0, 1}


def test_a_span_writes_every_image_in_it(workspace: Workspace, days: list[date], tmp_path: Path) -> None:
    done = export_chips(workspace, "yard", tmp_path, span=Span(days[1], days[3]))
    assert [each.solar_day for each in done.files] == days[1:4]


def test_equal_chips_give_equal_files(workspace: Workspace, days: list[date], tmp_path: Path) -> None:
    one, two = (export_chips(workspace, "yard", tmp_path / name, days=days[:2]).files for name in "ab")
    for first, second in zip(one, two, strict=True):
        assert first.geotiff.read_bytes() == second.geotiff.read_bytes()
        assert first.picture.read_bytes() == second.picture.read_bytes()


def test_a_day_without_an_image_is_refused_and_the_nearest_named(
    workspace: Workspace, tmp_path: Path
) -> None:
    with pytest.raises(NoClearLookError, match="no image of site 'yard' of 2018-04-02") as caught:
        export_chips(workspace, "yard", tmp_path / "out", days=[date(2018, 4, 2)])
    assert "2018-04-01" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_without_a_run_and_without_days_nothing_is_chosen(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(NoClearLookError, match="has no image here"):
        export_chips(workspace, "yard", tmp_path)


def test_the_command_says_what_it_wrote(
    sitewatch: Call, workspace: Workspace, days: list[date], tmp_path: Path
) -> None:
    place = "--workspace", str(workspace.root), "--out", str(tmp_path / "out")
    code, out, _ = sitewatch("chips", "export", "yard", "--day", str(days[0]), "--json", *place)
    (chip,) = json.loads(out)["chips"]
    assert code == 0
    assert chip["simulated"] is True
    assert Path(chip["picture"]).is_file()
    code, _, err = sitewatch("chips", "export", "yard", "--day", "May", *place)
    assert code == 2
    assert "'May' is not a day" in err
