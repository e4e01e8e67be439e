from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from scipy import ndimage

from geo.area import square_around
from geo.dates import Span
from geo.grid import Grid, site_grid
from imagery.archive import Archive
from imagery.errors import ArchiveError, ImageError
from imagery.intake import IntakeOptions, plan_intake
from imagery.local import LocalArchive
from imagery.masks import MaskScheme, SceneClass, scene_classes
from imagery.model import CANONICAL_SCALE, AcquisitionGeometry
from imagery.provider import solar_days
from imagery.resampling import shifted
from imagery.shift import Shift

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from tests.imagery.conftest import WriteTif

CRS = "EPSG:32652"
LEFT, TOP, SIDE = 280005.0, 4440015.0, 30.0
TRANSFORM = Affine(SIDE, 0.0, LEFT, 0.0, -SIDE, TOP)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


@pytest.fixture
def add(archive: Archive, write_tif: WriteTif) -> Callable[..., None]:
    """Archive one file of bands; options of the intake and of the file are told apart by name."""

    def put(
        name: str,
        pixels: NDArray[Any],
        bands: tuple[str, ...],
        file: dict[str, Any] | None = None,
        **intake: Any,  # noqa: ANN401 - the fields of IntakeOptions
    ) -> None:
        path = write_tif(name, pixels, **{"transform": TRANSFORM, **(file or {})})
        options = {"acquired": "2019-01-27T02:11:30Z", "platform": "S2A", "bands": bands, **intake}
        archive.add(plan_intake([path], IntakeOptions(**options)).scenes)

    return put


def grid(row: float, column: float, rows: int, columns: int, *, side: float = SIDE, crs: str = CRS) -> Grid:
    """Return a grid whose first pixel corner lies at a row and column of the test image."""
    left, top = LEFT + column * SIDE, TOP - row * SIDE
    document = {
        "site_id": "a",
        "crs": crs,
        "transform": [side, 0.0, left, 0.0, -side, top],
        "shape": [rows, columns],
    }
    return Grid.from_json(document)


def counts(rows: int, columns: int, bands: int = 1) -> NDArray[np.uint16]:
    return np.random.default_rng(5).integers(1, 9999, (bands, rows, columns), dtype=np.uint16)


def ramp(rows: int, columns: int) -> NDArray[np.uint16]:
    """Return 1000 + 10 a row + 4 a column: linear, so cubic interpolation must be exact inside."""
    row, column = np.mgrid[:rows, :columns]
    return np.asarray(1000 + 10 * row + 4 * column, dtype=np.uint16)


def test_a_window_on_the_same_edges_is_a_copy(archive: Archive, add: Callable[..., None]) -> None:
    pixels = counts(40, 50, 2)
    add("a.tif", pixels, ("red", "nir"))
    local = LocalArchive(archive)
    chip = local.read(grid(7, 11, 20, 25), local.index.scenes)
    assert chip.dn.tobytes() == np.ascontiguousarray(pixels[:, 7:27, 11:36]).tobytes()
    assert chip.valid.all()
    assert (chip.scale, chip.bands, chip.mask_scheme) == (None, ("red", "nir"), "none")


def test_a_copy_of_a_real_image_equals_what_rasterio_reads(archive: Archive, test_data: Path) -> None:
    path = test_data / "imagery" / "landsat-taizhou-pair" / "taizhou_2000-03-17.tif"
    plan = plan_intake([path], IntakeOptions(acquired="2000-03-17", platform="LE7"))
    archive.add(plan.scenes)
    local = LocalArchive(archive)
    (scene,) = local.index.scenes
    footprint = square_around(scene.footprint.centroid, 200.0)
    file = scene.bands[0]
    on_file = site_grid(
        "t", footprint, crs=file.crs, resolution_m=30.0, anchor=(file.transform.c, file.transform.f)
    )
    chip = local.read(on_file, local.search(on_file))
    with rasterio.open(path) as dataset:
        window = rasterio.windows.from_bounds(*on_file.bounds, dataset.transform)
        expected = dataset.read(window=window.round_offsets().round_lengths())
    assert chip.bands == ("blue", "green", "red", "nir", "swir16", "swir22")
    assert chip.dn.tobytes() == expected.astype(np.uint16).tobytes()


def test_outside_the_image_nothing_is_valid(archive: Archive, add: Callable[..., None]) -> None:
    pixels = counts(10, 10)
    add("a.tif", pixels, ("red",))
    local = LocalArchive(archive)
    chip = local.read(grid(-3, -2, 16, 15), local.index.scenes)
    expected = np.zeros((16, 15), dtype=bool)
    expected[3:13, 2:12] = True
    assert np.array_equal(chip.valid, expected)
    assert np.array_equal(chip.dn[0, 3:13, 2:12], pixels[0])
    assert not chip.dn[0][~expected].any()
    assert local.read(grid(50, 50, 4, 4), local.index.scenes).valid.sum() == 0
    assert local.read(grid(50.5, 50.5, 4, 4), local.index.scenes).valid.sum() == 0


def test_calibrated_counts_are_canonical_and_clamped_at_zero(
    archive: Archive, add: Callable[..., None]
) -> None:
    pixels = np.array([[-300, -9999, 0], [7000, 20000, 32000]], dtype=np.int16)
    add("a.tif", pixels, ("red",), {"nodata": -9999}, scale=1e-4)
    local = LocalArchive(archive)
    chip = local.read(grid(0, 0, 2, 3), local.index.scenes)
    assert chip.scale == CANONICAL_SCALE
    assert chip.dn[0].tolist() == [[0, 0, 0], [7000, 20000, 32000]]
    assert chip.valid.tolist() == [[True, False, True], [True, True, True]]
    assert chip.clamped_px == 1


def test_scale_and_offset_are_applied_once_and_rounded(archive: Archive, add: Callable[..., None]) -> None:
    raw = np.array([[7273, 10000, 43636]], dtype=np.uint16)
    add("a.tif", raw, ("red",), scale=2.75e-5, offset=-0.2)
    local = LocalArchive(archive)
    chip = local.read(grid(0, 0, 1, 3), local.index.scenes)
    assert chip.dn[0, 0].tolist() == [0, 750, 10000]


def test_floats_with_gaps(archive: Archive, add: Callable[..., None]) -> None:
    raw = np.array([[0.25, np.nan, 0.12341]], dtype=np.float32)
    add("a.tif", raw, ("red",), scale=1.0)
    local = LocalArchive(archive)
    chip = local.read(grid(0, 0, 1, 3), local.index.scenes)
    assert chip.dn[0, 0].tolist() == [2500, 0, 1234]
    assert chip.valid[0].tolist() == [True, False, True]


def test_every_band_must_have_data(archive: Archive, add: Callable[..., None]) -> None:
    pixels = np.array([[[5, 0, 7]], [[0, 6, 7]]], dtype=np.uint16)
    add("a.tif", pixels, ("red", "nir"), {"nodata": 0})
    local = LocalArchive(archive)
    chip = local.read(grid(0, 0, 1, 3), local.index.scenes)
    assert chip.valid[0].tolist() == [False, False, True]
    assert chip.dn[:, 0, :2].sum() == 0
    assert local.read(grid(0, 0, 1, 3), local.index.scenes, ["nir"]).valid[0].tolist() == [False, True, True]


def test_classes_become_clear_pixels_and_a_rim(archive: Archive, add: Callable[..., None]) -> None:
    scl = np.full((9, 9), 4, dtype=np.uint16)
    scl[4, 4] = 9
    scl[0, 0] = 11
    add("a.tif", np.stack([counts(9, 9)[0], scl]), ("red", "scl"), scale=1e-4)
    plain = LocalArchive(archive, dilate_px=0)
    chip = plain.read(grid(0, 0, 9, 9), plain.index.scenes)
    assert (chip.bands, chip.mask_scheme) == (("red",), "scl")
    assert chip.valid.all()
    assert np.argwhere(~chip.clear).tolist() == [[0, 0], [4, 4]]
    rimmed = LocalArchive(archive)
    assert (~rimmed.read(grid(0, 0, 9, 9), rimmed.index.scenes).clear).sum() == 1 + 9
    outside = plain.read(grid(0, -2, 9, 9), plain.index.scenes)
    assert not outside.clear[:, :2].any()
    classes = np.full((9, 9), SceneClass.CLEAR)
    classes[4, 4], classes[0, 0] = SceneClass.CLOUD, SceneClass.SNOW
    for found in (chip, rimmed.read(grid(0, 0, 9, 9), rimmed.index.scenes)):
        assert found.classes.dtype == np.uint8
        assert np.array_equal(found.classes, classes)
    assert (outside.classes[:, :2] == SceneClass.NODATA).all()
    assert np.array_equal(outside.classes[:, 2:], classes[:, :7])


def test_without_a_mask_what_is_valid_is_clear(archive: Archive, add: Callable[..., None]) -> None:
    add("a.tif", np.array([[[5, 0, 7]]], dtype=np.uint16), ("red",), {"nodata": 0})
    local = LocalArchive(archive)
    chip = local.read(grid(0, 0, 1, 3), local.index.scenes)
    assert chip.classes[0].tolist() == [SceneClass.CLEAR, SceneClass.NODATA, SceneClass.CLEAR]


def test_a_chip_of_two_tiles_says_how_the_pass_was_taken(archive: Archive, write_tif: WriteTif) -> None:
    geometries = (AcquisitionGeometry("", 51.8), AcquisitionGeometry("3", 52.0, 160.0))
    for number, geometry in enumerate(geometries):
        moved = TRANSFORM @ Affine.translation(10 * number, 0)
        path = write_tif(f"{number}.tif", counts(10, 10), transform=moved)
        acquired = f"2019-01-27T02:11:3{number}Z"
        options = IntakeOptions(acquired=acquired, platform="S2A", bands=("red",))
        (planned,) = plan_intake([path], options).scenes
        archive.add([replace(planned, geometry=geometry, processing_baseline="02.0" + "78"[number])])
    local = LocalArchive(archive)
    chip = local.read(grid(0, 0, 10, 20), local.index.scenes)
    assert chip.valid.all()
    assert chip.geometry == AcquisitionGeometry("3", 51.8, 160.0)
    assert chip.processing_baseline == "02.07"
    eastern = local.read(grid(0, 12, 5, 5), local.search(grid(0, 12, 5, 5)))
    assert (eastern.geometry, eastern.processing_baseline) == (geometries[1], "02.08")


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_a_pixel_is_as_clear_in_a_small_frame_as_in_a_large_one(
    archive: Archive, add: Callable[..., None], shift: float
) -> None:
    scl = np.where(np.random.default_rng(8).random((40, 40)) < 0.03, 9, 4).astype(np.uint16)
    add("a.tif", np.stack([counts(40, 40)[0], scl]), ("red", "scl"), scale=1e-4)
    local = LocalArchive(archive)
    scenes = local.index.scenes
    large = local.read(grid(5 + shift, 5 + shift, 30, 30), scenes)
    small = local.read(grid(15 + shift, 12 + shift, 8, 9), scenes)
    assert np.array_equal(small.clear, large.clear[10:18, 7:16])
    assert np.array_equal(small.dn, large.dn[:, 10:18, 7:16])
    assert small.clear.any()
    assert not small.clear.all()


@pytest.mark.parametrize(("row", "column"), [(5.5, 7.5), (5.25, 7.0), (5.0, 7.75)])
def test_a_shift_of_part_of_a_pixel_is_exact_on_a_ramp(
    archive: Archive, add: Callable[..., None], row: float, column: float
) -> None:
    add("a.tif", ramp(40, 50), ("red",), scale=1e-4)
    local = LocalArchive(archive)
    chip = local.read(grid(row, column, 20, 20), local.index.scenes)
    rows, columns = np.mgrid[:20, :20]
    expected = 1000 + 10 * (rows + row) + 4 * (columns + column)
    assert chip.valid.all()
    assert np.abs(chip.dn[0] - expected).max() <= 0.5 + 1e-3


def test_another_utm_zone_is_warped_to_where_it_lies(archive: Archive, add: Callable[..., None]) -> None:
    add("a.tif", ramp(120, 120), ("red",), scale=1e-4)
    local = LocalArchive(archive)
    transformer = Transformer.from_crs(CRS, "EPSG:32651", always_xy=True)
    x, y = transformer.transform(LEFT + 60 * SIDE, TOP - 60 * SIDE)
    other = Grid.from_json(
        {
            "site_id": "a",
            "crs": "EPSG:32651",
            "transform": [SIDE, 0, round(x), 0, -SIDE, round(y)],
            "shape": [20, 20],
        }
    )
    chip = local.read(other, local.search(other))
    rows, columns = np.mgrid[:20, :20] + 0.5
    east, north = transformer.transform(
        other.transform.c + columns * SIDE, other.transform.f - rows * SIDE, direction="INVERSE"
    )
    expected = 1000 + 10 * ((TOP - north) / SIDE - 0.5) + 4 * ((east - LEFT) / SIDE - 0.5)
    assert chip.valid.all()
    # Rounding, and a hundredth of a pixel of the kernel; a whole zone off would be tens of thousands.
    assert np.abs(chip.dn[0] - expected).max() < 0.6


def test_a_hole_does_not_bleed_when_it_is_warped(archive: Archive, add: Callable[..., None]) -> None:
    pixels = np.full((30, 30), 5000, dtype=np.uint16)
    pixels[10:14, 10:14] = 0
    add("a.tif", pixels, ("red",), {"nodata": 0}, scale=1e-4)
    local = LocalArchive(archive)
    chip = local.read(grid(2.25, 2.25, 20, 20), local.index.scenes)
    expected = np.ones((20, 20), dtype=bool)
    expected[8:12, 8:12] = False
    assert np.array_equal(chip.valid, expected)
    assert set(chip.dn[0][chip.valid].tolist()) == {5000}


def test_classes_are_never_interpolated(archive: Archive, add: Callable[..., None]) -> None:
    scl = np.where(np.arange(30)[:, None] < 15, 3, 9) * np.ones((1, 30), dtype=np.int64)
    add("a.tif", np.stack([counts(30, 30)[0], scl.astype(np.uint16)]), ("red", "scl"), scale=1e-4)
    local = LocalArchive(archive, dilate_px=0)
    # Between shadow (3) and cloud (9) lie clear land and water: interpolating would open a gap.
    assert not local.read(grid(5.5, 5.5, 20, 20), local.index.scenes).clear.any()


@pytest.mark.parametrize("side", [10.0, 20.0, 60.0])
def test_other_pixel_sides(archive: Archive, add: Callable[..., None], side: float) -> None:
    pixels = np.full((60, 60), 4321, dtype=np.uint16)
    add("a.tif", pixels, ("red",), scale=1e-4)
    local = LocalArchive(archive)
    chip = local.read(grid(10, 10, 12, 12, side=side), local.index.scenes)
    assert chip.valid.all()
    assert set(chip.dn.ravel().tolist()) == {4321}


def test_the_first_valid_pixel_of_the_day_wins(archive: Archive, add: Callable[..., None]) -> None:
    first, second = counts(10, 10), counts(10, 10) + np.uint16(1)
    first[0, :, 5:] = 0
    add("a.tif", first, ("red",), {"nodata": 0}, acquired="2019-01-27T02:11:30Z", credit="one")
    add("b.tif", second, ("red",), {"nodata": 0}, acquired="2019-01-27T02:11:45Z", credit="two")
    local = LocalArchive(archive)
    chip = local.read(grid(0, 0, 10, 10), tuple(reversed(local.index.scenes)))
    assert chip.valid.all()
    assert np.array_equal(chip.dn[0, :, :5], first[0, :, :5])
    assert np.array_equal(chip.dn[0, :, 5:], second[0, :, 5:])
    assert chip.scene_ids == tuple(scene.id for scene in local.index.scenes)
    assert (chip.acquired, chip.credit) == (local.index.scenes[0].acquired, "one; two")


def test_one_scene_without_a_mask_leaves_the_day_without_one(
    archive: Archive, add: Callable[..., None]
) -> None:
    masked = np.stack([counts(5, 5)[0], np.full((5, 5), 4, dtype=np.uint16)])
    add("a.tif", masked, ("red", "scl"))
    add("b.tif", counts(5, 5), ("red",), acquired="2019-01-27T02:11:45Z")
    local = LocalArchive(archive)
    assert local.read(grid(0, 0, 5, 5), local.index.scenes).mask_scheme == "none"
    assert local.read(grid(0, 0, 5, 5), local.index.scenes[:1]).mask_scheme == "scl"


def test_what_can_not_be_one_chip_is_refused(archive: Archive, add: Callable[..., None]) -> None:
    add("a.tif", counts(5, 5), ("red",), scale=1e-4)
    add("b.tif", counts(5, 5), ("red",), acquired="2019-01-27T02:11:45Z")
    add("c.tif", counts(5, 5), ("red",), acquired="2019-01-28T02:11:45Z", scale=1e-4)
    add("d.tif", counts(5, 5), ("nir08",), acquired="2019-01-27T02:12:00Z", scale=1e-4)
    add("e.tif", counts(5, 5), ("red",), platform="LE7", scale=1e-4)
    local = LocalArchive(archive)
    by_name = {
        (s.platform, s.acquired.day, s.acquired.minute, s.acquired.second): s for s in local.index.scenes
    }
    a, b = by_name["sentinel-2a", 27, 11, 30], by_name["sentinel-2a", 27, 11, 45]
    here = grid(0, 0, 5, 5)
    cases = {
        "no scenes": (),
        "calibrated and some are counts": (a, b),
        "not of one solar day": (a, by_name["sentinel-2a", 28, 11, 45]),
        "no band in common": (a, by_name["sentinel-2a", 27, 12, 0]),
        "landsat-tm": (a, by_name["landsat-7", 27, 11, 30]),
    }
    for problem, scenes in cases.items():
        with pytest.raises(ImageError, match=problem):
            local.read(here, scenes)
    with pytest.raises(ImageError, match=r"no band nir; it has red"):
        local.read(here, [a], ["red", "nir"])


def test_damaged_pixels_are_an_error_and_never_no_data(archive: Archive, add: Callable[..., None]) -> None:
    add("a.tif", counts(200, 200), ("red",))
    local = LocalArchive(archive)
    path = Path(local.index.scenes[0].bands[0].path)
    whole = path.read_bytes()
    for content in (whole[: len(whole) // 2], b"<VRTDataset/>", None):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ArchiveError, match="can't be read") as caught:
            local.read(grid(0, 0, 200, 200), local.index.scenes)
        assert caught.value.where.file == str(path)
        path.write_bytes(whole)


def test_a_search_is_by_frame_and_solar_day(archive: Archive, add: Callable[..., None]) -> None:
    # 23:30 UTC is the morning of the next day in Korea.
    add("a.tif", counts(20, 20), ("red",), acquired="2019-01-26T23:30:00Z")
    add("b.tif", counts(20, 20), ("red",), acquired="2019-02-06T02:11:30Z")
    local = LocalArchive(archive)
    here = grid(0, 0, 5, 5)
    assert local.search(here) == archive.scenes()
    span = Span(date(2019, 1, 27), date(2019, 1, 27))
    assert [scene.acquired.day for scene in local.search(here, span)] == [26]
    assert local.search(grid(2000, 0, 5, 5)) == ()
    given = LocalArchive(Archive(Path("/nowhere")), index=local.index)
    assert given.search(here, span) == local.search(here, span)


def test_reading_is_deterministic(archive: Archive, add: Callable[..., None]) -> None:
    add("a.tif", counts(60, 60, 2), ("red", "nir"), scale=1e-4)
    local = LocalArchive(archive)
    a, b = (local.read(grid(5.3, 5.7, 30, 30), local.index.scenes) for _ in range(2))
    assert a.dn.tobytes() == b.dn.tobytes()


def test_a_real_series_gives_a_chip_a_day(archive: Archive, test_data: Path) -> None:
    files = sorted((test_data / "imagery" / "s2-valladolid-fields").glob("*.tif"))
    options = IntakeOptions(pattern=r"s2_(?P<acquired>[\d-]{10})\.tif", scale=1e-4, nodata=0, platform="S2")
    archive.add(plan_intake(files, options).scenes)
    local = LocalArchive(archive, dilate_px=0)
    file = local.index.scenes[0].bands[0]
    whole = Grid.from_json(
        {"site_id": "v", "crs": file.crs, "transform": list(file.transform[:6]), "shape": list(file.shape)}
    )
    days = solar_days(local.search(whole), -4.9)
    assert len(days) == 33
    for (day, series), scenes in days.items():
        chip = local.read(whole, scenes)
        path = test_data / "imagery" / "s2-valladolid-fields" / f"s2_{day}.tif"
        with rasterio.open(path) as dataset:
            red, nir, scl = dataset.read()
        valid = (red != 0) & (nir != 0)
        assert (series, chip.bands) == ("sentinel-2", ("red", "nir"))
        assert np.array_equal(chip.valid, valid)
        assert np.array_equal(chip.dn, np.where(valid, np.stack([red, nir]), 0))
        assert np.array_equal(chip.clear, valid & np.isin(scl, (2, 4, 5, 6, 7)))
        assert np.array_equal(chip.classes, np.where(valid, scene_classes(scl, MaskScheme.SCL), 0))


def test_a_shift_is_taken_out_in_the_one_resampling(archive: Archive, add: Callable[..., None]) -> None:
    rng = np.random.default_rng(0)
    smooth = ndimage.gaussian_filter(rng.uniform(0, 9000, (40, 50)), 1.5)
    add("a.tif", smooth[None].astype(np.uint16), ("red",))
    local, target = LocalArchive(archive), grid(5, 6, 24, 30)
    scenes = local.search(target)
    shift = Shift(0.4, -0.3)
    assert local.copies(target, scenes)
    once = local.read_shifted(target, scenes, shift)
    plain = local.read(grid(3, 4, 28, 34), scenes).values()
    np.testing.assert_allclose(once.values(), shifted(plain, shift)[:, 2:-2, 2:-2], atol=1.1)
    assert not np.array_equal(once.dn, local.read(target, scenes).dn)


def test_a_shift_of_warped_scenes_moves_the_grid(archive: Archive, add: Callable[..., None]) -> None:
    add("a.tif", ramp(40, 50)[None], ("red",))
    local, target = LocalArchive(archive), grid(6, 7, 20, 20, side=20.0)
    scenes = local.search(target)
    assert not local.copies(target, scenes)
    plain = local.read(target, scenes).values()
    moved = local.read_shifted(target, scenes, Shift(1.5, -0.75)).values()
    # Twenty metres are two thirds of a source pixel: 4 a column, 10 a row.
    np.testing.assert_allclose(moved - plain, (1.5 * 4 - 0.75 * 10) * 2 / 3, atol=1.1)


def test_no_shift_reads_the_same_bits(archive: Archive, add: Callable[..., None]) -> None:
    add("a.tif", counts(20, 20), ("red",))
    local, target = LocalArchive(archive), grid(2, 3, 10, 10)
    scenes = local.search(target)
    still = local.read_shifted(target, scenes, Shift(0.0, 0.0))
    assert np.array_equal(still.dn, local.read(target, scenes).dn)
