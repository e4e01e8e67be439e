from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from affine import Affine
from shapely.affinity import translate

from geo.area import square_around
from imagery.archive import Archive
from imagery.errors import ArchiveError, ImageError
from imagery.intake import IntakeOptions, plan_intake
from imagery.pins import grid_for, grids_for, native_resolution_m, read_pins

if TYPE_CHECKING:
    from pathlib import Path

    from shapely.geometry import Polygon

    from tests.imagery.conftest import WriteTif

SIDE_PX = 100


@pytest.fixture
def archive(tmp_path: Path, write_tif: WriteTif) -> Archive:
    archive = Archive(tmp_path / "archive")
    add(archive, write_tif, "2019-02-06", origin_m=280005.0)
    return archive


def add(archive: Archive, write_tif: WriteTif, day: str, *, origin_m: float, side_m: float = 30.0) -> None:
    pixels = np.ones((SIDE_PX, SIDE_PX), dtype=np.uint16)
    transform = Affine(side_m, 0.0, origin_m, 0.0, -side_m, 4440015.0)
    path = write_tif(f"{day}-{origin_m}.tif", pixels, descriptions=("red",), transform=transform)
    archive.add(plan_intake([path], IntakeOptions(acquired=day, platform="LE7")).scenes)


@pytest.fixture
def footprint(archive: Archive) -> Polygon:
    return square_around(archive.scenes()[0].footprint.centroid, 150.0)


def test_a_grid_takes_the_pixel_edges_of_the_first_scene(archive: Archive, footprint: Polygon) -> None:
    grids = grids_for(archive, "a", footprint, context_m=300)
    assert list(grids) == [30.0]
    grid = grids[30.0]
    assert grid.crs == "EPSG:32652"
    assert (grid.transform.c - 280005.0) % 30.0 == 0
    assert (grid.transform.f - 4440015.0) % 30.0 == 0


def test_an_earlier_scene_that_comes_later_does_not_move_it(
    archive: Archive, footprint: Polygon, write_tif: WriteTif
) -> None:
    pinned = grids_for(archive, "a", footprint)[30.0]
    add(archive, write_tif, "2018-01-01", origin_m=280017.0)
    assert archive.scenes()[0].bands[0].transform.c == 280017.0
    assert grids_for(archive, "a", footprint)[30.0] == pinned
    assert grid_for(archive, "a", footprint, resolution_m=30.0) == pinned
    assert grids_for(archive, "b", footprint)[30.0].transform.c % 30 == 280017.0 % 30


def test_each_native_resolution_has_its_grid(
    archive: Archive, footprint: Polygon, write_tif: WriteTif
) -> None:
    add(archive, write_tif, "2019-03-01", origin_m=280400.0, side_m=20.0)
    grids = grids_for(archive, "a", footprint, context_m=300)
    assert list(grids) == [20.0, 30.0]
    assert [native_resolution_m(scene) for scene in archive.scenes()] == [30.0, 20.0]
    assert grids[20.0].grid_id != grids[30.0].grid_id
    given = grids_for(archive, "c", footprint, context_m=300, scenes=archive.scenes())
    assert {side: grid.grid_id for side, grid in given.items()} == {
        side: grid.grid_id for side, grid in grids.items()
    }


def test_moving_a_site_makes_a_new_grid_and_keeps_the_old(archive: Archive, footprint: Polygon) -> None:
    old = grids_for(archive, "a", footprint, context_m=300)[30.0]
    new = grids_for(archive, "a", translate(footprint, 0.003, 0.0), context_m=300)[30.0]
    wide = grids_for(archive, "a", footprint, context_m=600)[30.0]
    assert [pin.grid.grid_id for pin in read_pins(archive, "a")] == [
        old.grid_id,
        new.grid_id,
        wide.grid_id,
    ]
    assert grids_for(archive, "a", footprint, context_m=300)[30.0] == old
    assert read_pins(archive, "a")[0].scene_id == archive.scenes()[0].id


def test_a_site_without_scenes_has_none_and_takes_its_utm_zone_when_asked(
    archive: Archive, footprint: Polygon
) -> None:
    away = translate(footprint, 6.0, 0.0)
    assert grids_for(archive, "far", away) == {}
    grid = grid_for(archive, "far", away, resolution_m=10.0)
    assert (grid.crs, grid.transform.c % 10) == ("EPSG:32653", 0)
    assert read_pins(archive, "far")[0].scene_id is None


@pytest.mark.parametrize("site_id", ["", "../a", ".hidden", "a/b", "x" * 300])
def test_site_ids_that_can_not_name_a_file(archive: Archive, footprint: Polygon, site_id: str) -> None:
    with pytest.raises(ImageError):
        grids_for(archive, site_id, footprint)


@pytest.mark.parametrize("damage", [b"{", b"{}", b'{"pins": [{}]}'])
def test_damaged_pins_are_an_error_and_not_a_new_grid(
    archive: Archive, footprint: Polygon, damage: bytes
) -> None:
    grids_for(archive, "a", footprint)
    path = archive.root / "grids" / "a.json"
    path.write_bytes(damage)
    with pytest.raises(ArchiveError) as caught:
        grids_for(archive, "a", footprint)
    assert caught.value.where.file == str(path)


def test_a_pin_whose_numbers_were_edited_is_refused(archive: Archive, footprint: Polygon) -> None:
    grids_for(archive, "a", footprint)
    path = archive.root / "grids" / "a.json"
    path.write_text(path.read_text().replace("-30.0", "-31.0"))
    with pytest.raises(ArchiveError, match="does not match its own numbers"):
        read_pins(archive, "a")
