from __future__ import annotations

import dataclasses
import errno
import multiprocessing
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from geo.area import square_around
from geo.grid import Grid, grid_box_lonlat, site_grid
from imagery.archive import Archive
from imagery.errors import ArchiveError, ImageError
from imagery.intake import IntakeOptions, plan_intake
from imagery.local import LocalArchive
from imagery.model import Chip, Scene
from imagery.provider import Provider, solar_days
from imagery.stack import STACKS_FOLDER, Stacked, stacked_archive
from sitewatch_hub.simulated import CRS, LEFT, STEP_PX, TOP, make_archive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.imagery.conftest import WriteTif


class Counting(LocalArchive):
    """Counts how often the scenes themselves are read."""

    reads = 0

    def read(self, grid: Grid, scenes: Sequence[Scene], bands: Sequence[str] | None = None) -> Chip:
        self.reads += 1
        return super().read(grid, scenes, bands)


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("made") / "archive", np.random.default_rng(7))


@pytest.fixture
def archive(made: Archive, tmp_path: Path) -> Archive:
    shutil.copytree(made.root, tmp_path / "archive")
    return Archive(tmp_path / "archive")


@pytest.fixture
def grid() -> Grid:
    """Return pixels on both sides of the seam between two tiles; their number is no multiple of 8."""
    transform = [10.0, 0.0, LEFT + 10.0 * (STEP_PX - 20), 0.0, -10.0, TOP - 400.0]
    return Grid.from_json({"site_id": "a", "crs": CRS, "transform": transform, "shape": [33, 45]})


def days(provider: Provider, grid: Grid) -> list[tuple[Scene, ...]]:
    return list(solar_days(provider.search(grid), grid_box_lonlat(grid).centroid.x).values())


def stack_file(archive: Archive) -> Path:
    (path,) = (archive.root / STACKS_FOLDER).rglob("*.stack")
    return path


def assert_equal(found: Chip, expected: Chip) -> None:
    for field in dataclasses.fields(Chip):
        ours, theirs = getattr(found, field.name), getattr(expected, field.name)
        if isinstance(theirs, np.ndarray):
            assert (ours.dtype, ours.shape, ours.tobytes()) == (theirs.dtype, theirs.shape, theirs.tobytes())
            assert ours.flags.writeable
        else:
            assert (type(ours), ours) == (type(theirs), theirs)


@pytest.mark.parametrize("bands", [None, ("nir", "red")])
def test_a_chip_of_the_stack_is_the_archives_own_in_every_field(
    archive: Archive, grid: Grid, bands: tuple[str, ...] | None
) -> None:
    local = LocalArchive(archive)
    expected = [local.read(grid, scenes, bands) for scenes in days(local, grid)]
    assert any(len(chip.scene_ids) > 1 for chip in expected)
    assert any((~chip.clear).any() for chip in expected)
    for reads in (len(expected), 0):
        counting = Counting(archive)
        stacked = Stacked(counting, archive, settings="")
        for scenes, chip in zip(days(stacked, grid), expected, strict=True):
            assert_equal(stacked.read(grid, tuple(reversed(scenes)), bands), chip)
        assert counting.reads == reads


def test_a_real_image_comes_back_as_it_is(tmp_path: Path, test_data: Path) -> None:
    path = test_data / "imagery" / "landsat-taizhou-pair" / "taizhou_2000-03-17.tif"
    archive = Archive(tmp_path / "archive")
    archive.add(plan_intake([path], IntakeOptions(acquired="2000-03-17", platform="LE7", credit="é")).scenes)
    (scene,) = archive.scenes()
    file = scene.bands[0]
    here = square_around(scene.footprint.centroid, 300.0)
    anchor = (file.transform.c, file.transform.f)
    grid = site_grid("t", here, crs=file.crs, resolution_m=30.0, anchor=anchor)
    expected = LocalArchive(archive).read(grid, [scene])
    assert len(np.unique(expected.dn)) > 20
    for _ in range(2):
        assert_equal(stacked_archive(archive).read(grid, [scene]), expected)


def test_other_content_settings_bands_or_ground_are_never_served(archive: Archive, grid: Grid) -> None:
    local = Counting(archive, dilate_px=0)
    stacked = Stacked(local, archive, settings="dilate_px=0")
    scenes = days(stacked, grid)[0]
    stacked.read(grid, scenes)
    moved = Grid(grid.site_id, grid.geobox.translate_pix(1, 0))
    stacked.read(moved, scenes)
    stacked.read(grid, scenes, ["red"])
    stacked.read(grid, scenes[:1])
    replaced = [dataclasses.replace(scene, content_sha="0" * 64) for scene in scenes]
    stacked.read(grid, replaced)
    renamed = [dataclasses.replace(scene, credit="somebody else") for scene in scenes]
    assert stacked.read(grid, renamed).credit == "somebody else"
    assert local.reads == 6
    other = Counting(archive, dilate_px=1)
    Stacked(other, archive, settings="dilate_px=1").read(grid, scenes)
    assert other.reads == 1


def test_scenes_that_are_not_fetched_yet_are_not_kept(archive: Archive, grid: Grid) -> None:
    stacked = stacked_archive(archive)
    scenes = [dataclasses.replace(scene, content_sha="") for scene in days(stacked, grid)[0]]
    stacked.read(grid, scenes)
    assert not (archive.root / STACKS_FOLDER).exists()
    with pytest.raises(ImageError, match="no scenes"):
        stacked.read(grid, [])


def test_deleting_the_stacks_loses_nothing(archive: Archive, grid: Grid) -> None:
    counting = Counting(archive)
    stacked = Stacked(counting, archive, settings="")
    every = days(stacked, grid)
    before = [stacked.read(grid, scenes) for scenes in every]
    shutil.rmtree(archive.root / STACKS_FOLDER)
    for scenes, chip in zip(every, before, strict=True):
        assert_equal(stacked.read(grid, scenes), chip)
    assert counting.reads == 2 * len(every)
    for scenes, chip in zip(every, before, strict=True):
        assert_equal(stacked.read(grid, scenes), chip)
    assert counting.reads == 2 * len(every)


def test_a_day_more_leaves_the_others_bytes_alone(archive: Archive, grid: Grid) -> None:
    stacked = stacked_archive(archive)
    first, *others = days(stacked, grid)
    stacked.read(grid, first)
    before = stack_file(archive).read_bytes()
    for scenes in others:
        stacked.read(grid, scenes)
    after = stack_file(archive).read_bytes()
    assert after.startswith(before)
    assert len(after) > len(before)


def test_a_file_cut_short_anywhere_serves_what_is_whole_and_mends(archive: Archive, grid: Grid) -> None:
    first, second, *_ = days(LocalArchive(archive), grid)
    expected = [LocalArchive(archive).read(grid, scenes) for scenes in (first, second)]
    filling = stacked_archive(archive)
    filling.read(grid, first)
    path = stack_file(archive)
    start = path.stat().st_size
    filling.read(grid, second)
    whole = path.read_bytes()
    for length in [*range(0, len(whole), len(whole) // 20), start - 1, start, start + 1, start + 30]:
        path.write_bytes(whole[:length])
        counting = Counting(archive)
        stacked = Stacked(counting, archive, settings="local dilate_px=1")
        for _ in range(2):
            assert_equal(stacked.read(grid, first), expected[0])
            assert_equal(stacked.read(grid, second), expected[1])
        assert counting.reads == (2 if length < start else 1)
        assert path.read_bytes() == whole


def test_a_flipped_bit_anywhere_is_read_from_the_scenes_again(archive: Archive, grid: Grid) -> None:
    (scenes, *_) = days(LocalArchive(archive), grid)
    expected = LocalArchive(archive).read(grid, scenes)
    stacked_archive(archive).read(grid, scenes)
    path = stack_file(archive)
    whole = path.read_bytes()
    for position in [*range(28), *range(28, len(whole), len(whole) // 50), len(whole) - 1]:
        damaged = bytearray(whole)
        damaged[position] ^= 0x10
        path.write_bytes(damaged)
        for _ in range(2):
            assert_equal(stacked_archive(archive).read(grid, scenes), expected)


def _fill(root: str, grid_document: dict[str, object], start: object) -> None:
    archive, grid = Archive(Path(root)), Grid.from_json(grid_document)
    stacked = stacked_archive(archive)
    every = days(stacked, grid)
    start.wait()  # type: ignore[attr-defined]
    for scenes in every:
        stacked.read(grid, scenes)


def test_two_processes_fill_one_file(archive: Archive, grid: Grid) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    arguments = (str(archive.root), grid.to_json(), start)
    processes = [context.Process(target=_fill, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    counting = Counting(archive)
    stacked = Stacked(counting, archive, settings="local dilate_px=1")
    for scenes in days(stacked, grid):
        assert_equal(stacked.read(grid, scenes), LocalArchive(archive).read(grid, scenes))
    assert counting.reads == 0


@pytest.mark.parametrize("name", ["../x", ".x", "", "a/b", "x" * 201])
def test_a_name_that_leaves_the_folder_is_refused(archive: Archive, grid: Grid, name: str) -> None:
    stacked = stacked_archive(archive)
    scenes = days(stacked, grid)[0]
    with pytest.raises(ImageError, match="can't name a file"):
        stacked.read(Grid(name, grid.geobox), scenes)
    with pytest.raises(ImageError, match="can't name a file"):
        stacked.read(grid, [dataclasses.replace(scene, series=name) for scene in scenes])


def test_where_a_stack_can_not_be_kept_chips_come_all_the_same(archive: Archive, grid: Grid) -> None:
    (archive.root / STACKS_FOLDER).write_text("a file where the folder should be")
    stacked = stacked_archive(archive)
    local = LocalArchive(archive)
    assert stacked.trouble is None
    for scenes in days(stacked, grid):
        assert_equal(stacked.read(grid, scenes), local.read(grid, scenes))
    assert isinstance(stacked.trouble, ArchiveError)
    assert "stack can't be" in str(stacked.trouble)


def test_a_stack_that_is_no_file_is_left_alone(archive: Archive, grid: Grid) -> None:
    (scenes, *_) = days(LocalArchive(archive), grid)
    stacked_archive(archive).read(grid, scenes)
    path = stack_file(archive)
    path.unlink()
    path.mkdir()
    stacked = stacked_archive(archive)
    assert_equal(stacked.read(grid, scenes), LocalArchive(archive).read(grid, scenes))
    assert stacked.trouble is not None


def test_a_full_disk_keeps_no_half_of_a_chip(
    archive: Archive, grid: Grid, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_ = days(LocalArchive(archive), grid)
    stacked = stacked_archive(archive)
    stacked.read(grid, first)
    whole = stack_file(archive).read_bytes()
    real = os.pwrite

    def full(descriptor: int, data: bytes, offset: int) -> int:
        if offset > len(whole):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data[:1000], offset)

    monkeypatch.setattr(os, "pwrite", full)
    assert_equal(stacked.read(grid, second), LocalArchive(archive).read(grid, second))
    assert "No space left" in str(stacked.trouble)
    assert stack_file(archive).read_bytes() == whole
    assert_equal(stacked.read(grid, first), LocalArchive(archive).read(grid, first))


def test_counts_stay_counts(tmp_path: Path, write_tif: WriteTif) -> None:
    archive = Archive(tmp_path / "archive")
    path = write_tif("a.tif", np.arange(30, dtype=np.uint16).reshape(6, 5), nodata=7)
    options = IntakeOptions(acquired="2019-01-27", platform="S2A", bands=("red",))
    archive.add(plan_intake([path], options).scenes)
    (scene,) = archive.scenes()
    file = scene.bands[0]
    document = {"site_id": "a", "crs": file.crs, "transform": list(file.transform[:6]), "shape": [6, 5]}
    grid = Grid.from_json(document)
    stacked_archive(archive).read(grid, [scene])
    chip = stacked_archive(archive).read(grid, [scene])
    assert chip.scale is None
    assert (~chip.valid).sum() == 1
    assert_equal(chip, LocalArchive(archive).read(grid, [scene]))
