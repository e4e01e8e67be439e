from __future__ import annotations

import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest
import rasterio
from shapely.geometry import Point

from imagery.archive import AddReport, Archive, planned_sha
from imagery.canonical import PixelSource
from imagery.errors import ArchiveError, ImageError
from imagery.geotiff import write_cog
from imagery.intake import IntakeOptions, IntakePlan, plan_intake
from imagery.model import AcquisitionGeometry

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from tests.imagery.conftest import WriteTif

DAYS = ("2019-01-27", "2019-02-06", "2019-02-11")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


@pytest.fixture
def plan(write_tif: WriteTif) -> IntakePlan:
    rng = np.random.default_rng(3)
    paths = []
    for day in DAYS:
        pixels = rng.integers(0, 9999, (3, 6, 5), dtype=np.uint16)
        pixels[2] = rng.integers(0, 12, (6, 5))
        paths.append(write_tif(f"s2_{day}.tif", pixels, descriptions=("red", "nir", "scl"), nodata=0))
    return plan_intake(
        paths, IntakeOptions(pattern=r"s2_(?P<acquired>[\d-]+)\.tif", platform="S2A", scale=1e-4)
    )


def one(path: Path, **options: Any) -> IntakePlan:  # noqa: ANN401 - the fields of IntakeOptions
    return plan_intake([path], IntakeOptions(**{"acquired": "2019-01-27", "platform": "S2A", **options}))


def everything(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_scenes_come_back_as_they_were_given(archive: Archive, plan: IntakePlan) -> None:
    report = archive.add(plan.scenes)
    assert report == AddReport(tuple(scene.id for scene in plan.scenes), (), ())
    kept = archive.scenes()
    assert [scene.id for scene in kept] == [scene.id for scene in plan.scenes]
    for scene, planned in zip(kept, plan.scenes, strict=True):
        assert scene.content_sha == planned_sha(planned)
        for file, source in zip(scene.bands, planned.bands, strict=True):
            assert (file.name, file.transform, file.scale) == (
                source.file.name,
                source.file.transform,
                source.file.scale,
            )
            with rasterio.open(file.path) as ours, rasterio.open(source.file.path) as given:
                assert np.array_equal(ours.read(1), given.read(source.index))
    assert archive.verify() == ()


def test_an_archive_that_is_not_there_is_empty(archive: Archive) -> None:
    assert archive.scenes() == ()
    assert archive.verify() == ()


def test_the_same_scene_again_adds_nothing(archive: Archive, plan: IntakePlan) -> None:
    archive.add(plan.scenes)
    before = everything(archive.root)
    report = archive.add(plan.scenes)
    assert report.new == ()
    assert len(report.same) == 3
    assert everything(archive.root) == before


def test_two_archives_of_the_same_images_are_equal_byte_by_byte(plan: IntakePlan, tmp_path: Path) -> None:
    a, b = Archive(tmp_path / "a"), Archive(tmp_path / "b")
    a.add(plan.scenes)
    for scene in reversed(plan.scenes):
        b.add([scene])
    assert everything(a.root) == everything(b.root)


def test_content_does_not_depend_on_how_the_file_is_packed(write_tif: WriteTif) -> None:
    pixels = np.arange(90, dtype=np.int16).reshape(3, 6, 5)
    names = ("red", "green", "blue")
    one_file = write_tif("rgb.tif", pixels, descriptions=names, compress="lzw", interleave="pixel")
    single = [
        write_tif(f"{name}.tif", pixels[position], descriptions=(name,), compress="zstd")
        for position, name in enumerate(names)
    ]
    options = IntakeOptions(acquired="2019-01-27", platform="S2A")
    (a,), (b,) = plan_intake([one_file], options).scenes, plan_intake(single, options).scenes
    assert planned_sha(a) == planned_sha(b)


def test_a_mask_tells_how_cloudy_a_scene_is(archive: Archive, write_tif: WriteTif) -> None:
    scl = np.full((6, 5), 4, dtype=np.uint16)
    scl[0], scl[1, :2], scl[5] = 9, 10, 0
    planned = one(write_tif("a.tif", np.stack([scl + 1, scl]), descriptions=("red", "scl"))).scenes[0]
    told = replace(planned, id="told", cloud_percent=3.0)
    bare = replace(planned, id="bare", mask=None, mask_scheme="none")
    archive.add([planned, told, bare])
    clouds = {scene.id: scene.cloud_percent for scene in archive.scenes()}
    assert clouds == {planned.id: 28.0, "told": 3.0, "bare": None}
    assert archive.verify() == ()


def test_how_a_scene_was_taken_is_kept_and_is_no_content(archive: Archive, plan: IntakePlan) -> None:
    geometry = AcquisitionGeometry("3-descending", 51.8, 162.5)
    told = [replace(scene, geometry=geometry, processing_baseline="04.00") for scene in plan.scenes]
    assert [planned_sha(scene) for scene in told] == [planned_sha(scene) for scene in plan.scenes]
    archive.add(told)
    assert {(scene.geometry, scene.processing_baseline) for scene in archive.scenes()} == {
        (geometry, "04.00")
    }
    before = everything(archive.root)
    assert len(archive.add(plan.scenes).same) == 3
    assert everything(archive.root) == before
    assert archive.verify() == ()


@pytest.mark.parametrize(
    "change",
    [{"scale": 2e-4}, {"scale": 1e-4, "offset": -0.01}, {"scale": 1e-4, "nodata": 5}, {"bands": ("nir",)}],
)
def test_content_is_pixels_and_what_they_mean(write_tif: WriteTif, change: dict[str, Any]) -> None:
    path = write_tif("a.tif", descriptions=("red",))
    (a,), (b,) = one(path, scale=1e-4).scenes, one(path, **{"scale": 1e-4, **change}).scenes
    assert planned_sha(a) != planned_sha(b)


def test_other_content_of_the_same_scene_is_refused_with_the_reason(
    archive: Archive, write_tif: WriteTif
) -> None:
    archive.add(one(write_tif("a.tif", descriptions=("red",))).scenes)
    before = everything(archive.root)
    changed = one(write_tif("b.tif", np.ones((6, 5), dtype=np.uint16), descriptions=("red",)))
    with pytest.raises(ImageError, match="other content"):
        archive.add(changed.scenes)
    assert everything(archive.root) == before


def test_one_refused_scene_keeps_all_out_unless_it_is_skipped(archive: Archive, write_tif: WriteTif) -> None:
    good = one(write_tif("good.tif", descriptions=("red",)))
    negative = np.full((6, 5), -7, dtype=np.int16)
    bad = one(write_tif("bad.tif", negative, descriptions=("red",)), acquired="2019-01-28")
    scenes = [*good.scenes, *bad.scenes]
    with pytest.raises(ImageError, match=r"counts from -7 to -7.*--scale"):
        archive.add(scenes)
    assert everything(archive.root) == {".adding.lock": b""}
    report = archive.add(scenes, skip_refused=True)
    assert report.new == (good.scenes[0].id,)
    assert [refusal.scene_id for refusal in report.refused] == [bad.scenes[0].id]
    assert len(archive.scenes()) == 1


def test_negative_nodata_is_no_negative_count(archive: Archive, write_tif: WriteTif) -> None:
    pixels = np.array([[-9999, 3], [4, 5]], dtype=np.int16)
    archive.add(one(write_tif("a.tif", pixels, descriptions=("red",), nodata=-9999)).scenes)
    assert len(archive.scenes()) == 1


def test_a_scale_that_can_not_be_true_is_refused(archive: Archive, write_tif: WriteTif) -> None:
    pixels = np.full((6, 5), 3000, dtype=np.int16)
    with pytest.raises(ImageError, match=r"100% of band 'red' would lie outside reflectance"):
        archive.add(one(write_tif("a.tif", pixels, descriptions=("red",)), scale=1.0).scenes)


def test_a_mask_band_that_holds_no_classes_is_refused(archive: Archive, write_tif: WriteTif) -> None:
    pixels = np.stack([np.full((6, 5), 90), np.full((6, 5), 77)]).astype(np.uint8)
    path = write_tif("a.tif", pixels, descriptions=("red", "scl"))
    with pytest.raises(ImageError, match="the scl scheme has no code 77") as caught:
        archive.add(one(path).scenes)
    assert caught.value.where.field == "scl"


def test_a_scene_of_nodata_alone_is_taken(archive: Archive, write_tif: WriteTif) -> None:
    path = write_tif("a.tif", np.zeros((6, 5), dtype=np.uint16), descriptions=("red",), nodata=0)
    assert len(archive.add(one(path, scale=1e-4).scenes).new) == 1


def test_scenes_by_place_and_time(archive: Archive, plan: IntakePlan) -> None:
    archive.add(plan.scenes)
    inside = plan.scenes[0].footprint.centroid
    assert len(archive.scenes(covering=inside)) == 3
    assert archive.scenes(covering=Point(inside.x + 1.0, inside.y)) == ()
    until = datetime(2019, 2, 6, 12, tzinfo=UTC)
    assert [scene.acquired.date().isoformat() for scene in archive.scenes(until=until)] == list(DAYS[:2])


def test_progress_counts_checks_and_writes(archive: Archive, plan: IntakePlan) -> None:
    steps: list[tuple[int, int]] = []
    archive.add(plan.scenes, lambda done, total, _: steps.append((done, total)))
    assert steps == [(step, 6) for step in range(1, 7)]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"id": "x"}', b"\xff\xfe"])
def test_a_damaged_item_is_an_error_that_names_it(archive: Archive, plan: IntakePlan, content: bytes) -> None:
    archive.add(plan.scenes)
    path = next(archive.root.rglob("*sentinel-2a_20190206*.json"))
    path.write_bytes(content)
    for covering in (None, plan.scenes[0].footprint):
        with pytest.raises(ArchiveError) as caught:
            archive.scenes(covering=covering)
        assert caught.value.where.file == str(path)


@pytest.mark.parametrize(
    "damage", [{"sat:relative_orbit": -3}, {"view:sun_elevation": 120}, {"eo:cloud_cover": "much"}]
)
def test_verify_finds_a_fact_that_can_not_be(
    archive: Archive, plan: IntakePlan, damage: dict[str, Any]
) -> None:
    archive.add(plan.scenes)
    path = next(archive.root.rglob("*sentinel-2a_20190206*.json"))
    document = orjson.loads(path.read_bytes())
    document["properties"] |= damage
    path.write_bytes(orjson.dumps(document))
    assert [fault.where.file for fault in archive.verify()] == [str(path)]


def test_verify_finds_changed_pixels_and_a_missing_band(archive: Archive, plan: IntakePlan) -> None:
    archive.add(plan.scenes)
    first, second, _ = archive.scenes()
    with rasterio.open(first.bands[0].path, "r+", IGNORE_COG_LAYOUT_BREAK="YES") as dataset:
        pixels: NDArray[np.uint16] = dataset.read(1)
        pixels[2, 2] += 1
        dataset.write(pixels, 1)
    (archive.root / second.bands[1].path).unlink()
    faults = archive.verify()
    assert [str(fault.where.file).rsplit("/", 1)[1] for fault in faults] == [
        f"{first.id}.json",
        f"{second.id}.json",
    ]


def test_what_a_crash_left_is_not_a_scene_and_goes_with_the_next_add(
    archive: Archive, plan: IntakePlan
) -> None:
    archive.add(plan.scenes[:1])
    staging = next(archive.root.rglob("2019")) / ".sentinel-2a_x.abc.part"
    staging.mkdir()
    (staging / "red.tif").write_bytes(b"half")
    assert len(archive.scenes()) == 1
    assert len(archive.add(plan.scenes).new) == 2
    assert not staging.exists()


def test_collections_are_drawn_up_again_after_a_crash(archive: Archive, plan: IntakePlan) -> None:
    archive.add(plan.scenes)
    whole = everything(archive.root)
    next(archive.root.rglob("collection.json")).unlink()
    (archive.root / "catalog.json").write_text("{}")
    assert len(archive.add(plan.scenes[:1]).same) == 1
    assert everything(archive.root) == whole


def test_a_file_cut_short_anywhere_is_refused_and_nothing_is_written(
    archive: Archive, write_tif: WriteTif
) -> None:
    pixels = np.random.default_rng(4).integers(0, 9999, (6, 5), dtype=np.uint16)
    path = write_tif("a.tif", pixels, descriptions=("red",), compress="deflate")
    whole = path.read_bytes()
    for length in range(0, len(whole) - 1, 5):
        path.write_bytes(whole[:length])
        with pytest.raises(ImageError):
            archive.add(one(path).scenes)
    assert archive.scenes() == ()
    path.write_bytes(whole)
    assert len(archive.add(one(path).scenes).new) == 1


def test_an_add_that_was_stopped_anywhere_and_run_again_equals_an_undisturbed_one(
    plan: IntakePlan, tmp_path: Path
) -> None:
    undisturbed = Archive(tmp_path / "undisturbed")
    undisturbed.add(plan.scenes)
    for stop in range(1, 7):

        def interrupt(done: int, _total: int, _scene_id: str, stop: int = stop) -> None:
            if done == stop:
                raise KeyboardInterrupt

        archive = Archive(tmp_path / f"stopped-{stop}")
        with pytest.raises(KeyboardInterrupt):
            archive.add(plan.scenes, interrupt)
        assert len(archive.scenes()) == max(0, stop - 3)
        archive.add(plan.scenes)
        assert everything(archive.root) == everything(undisturbed.root)


def _add(root: str, plan: IntakePlan, start: Any) -> None:  # noqa: ANN401 - a barrier of any context
    start.wait()
    Archive(Path(root)).add(plan.scenes)


def test_two_processes_that_add_at_once_leave_one_whole_archive(
    archive: Archive, plan: IntakePlan, tmp_path: Path
) -> None:
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(2)
    workers = [context.Process(target=_add, args=(str(archive.root), plan, start)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    alone = Archive(tmp_path / "alone")
    alone.add(plan.scenes)
    assert everything(archive.root) == everything(alone.root)


def test_drawing_up_later_leaves_what_drawing_up_at_once_does(plan: IntakePlan, tmp_path: Path) -> None:
    at_once, later = Archive(tmp_path / "a"), Archive(tmp_path / "b")
    later.draw_up()
    (later.root / "scenes" / "sentinel-9z" / "2019").mkdir(parents=True)
    later.draw_up()
    assert everything(later.root).keys() == {".adding.lock"}
    at_once.add(plan.scenes)
    for scene in plan.scenes:
        later.add([scene], draw_up=False)
    assert everything(later.root).keys() < everything(at_once.root).keys()
    later.draw_up()
    assert everything(later.root) == everything(at_once.root)


def test_threads_add_side_by_side_while_the_archive_is_held(plan: IntakePlan, tmp_path: Path) -> None:
    one_by_one, at_once = Archive(tmp_path / "a"), Archive(tmp_path / "b")
    one_by_one.add(plan.scenes)
    leftover = at_once.root / "scenes" / "sentinel-2a" / "2019" / ".x.part"
    leftover.mkdir(parents=True)
    with at_once.held(), ThreadPoolExecutor(3) as pool:
        assert not leftover.exists()
        reports = list(pool.map(lambda scene: at_once.add([scene], draw_up=False), plan.scenes))
    at_once.draw_up()
    assert [report.new for report in reports] == [(scene.id,) for scene in plan.scenes]
    assert everything(at_once.root) == everything(one_by_one.root)


def test_pixels_in_memory_are_archived_like_those_of_files(plan: IntakePlan, tmp_path: Path) -> None:
    def in_memory(source: PixelSource) -> PixelSource:
        with rasterio.open(source.file.path) as dataset:
            pixels = dataset.read(source.index)
        return replace(source, file=replace(source.file, path=""), pixels=pixels)

    of_files, of_memory = Archive(tmp_path / "a"), Archive(tmp_path / "b")
    of_files.add(plan.scenes)
    for scene in plan.scenes:
        assert scene.mask is not None
        bands = tuple(in_memory(source) for source in scene.bands)
        of_memory.add([replace(scene, bands=bands, mask=in_memory(scene.mask))])
    assert everything(of_memory.root) == everything(of_files.root)


def test_a_scene_whose_file_is_not_what_was_checked_is_not_kept(
    plan: IntakePlan, archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def bent(path: Path, pixels: NDArray[Any], **arguments: Any) -> None:  # noqa: ANN401 - handed on
        write_cog(path, pixels[::-1], **arguments)

    monkeypatch.setattr("imagery.archive.write_cog", bent)
    with pytest.raises(ArchiveError, match="its pixels are not those it was made of"):
        archive.add(plan.scenes)
    assert archive.scenes() == ()
