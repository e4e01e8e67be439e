from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from affine import Affine

from imagery.errors import ImageError
from imagery.intake import IntakeOptions, plan_intake

if TYPE_CHECKING:
    from tests.imagery.conftest import WriteTif

LANDSAT = r"^(?P<platform>L[ET]\d)\d{6}(?P<acquired>\d{7})\w+_(?P<band>b\d|fmask)\.tif$"


def landsat(**changes: Any) -> IntakeOptions:  # noqa: ANN401 - the fields of IntakeOptions
    settings: dict[str, Any] = {"pattern": LANDSAT, "date_format": "%Y%j", "scale": 1e-4, "nodata": -9999}
    return IntakeOptions(**{**settings, **changes})


@pytest.fixture
def landsat_files(write_tif: WriteTif) -> list[Path]:
    signed = np.arange(30, dtype=np.int16).reshape(6, 5)
    names = ["LE70350322008118EDC00", "LT50350322008126PAC01"]
    files = [write_tif(f"{name}_b{band}.tif", signed, nodata=-9999) for name in names for band in (5, 4, 3)]
    return files + [write_tif(f"{name}_fmask.tif", np.zeros((6, 5), dtype=np.uint8)) for name in names]


def refusal(files: list[Path], options: IntakeOptions) -> ImageError:
    with pytest.raises(ImageError) as caught:
        plan_intake(files, options)
    assert caught.value.exit_code == 2
    return caught.value


def test_files_of_one_acquisition_and_platform_are_one_scene(landsat_files: list[Path]) -> None:
    plan = plan_intake(landsat_files, landsat())
    assert [scene.platform for scene in plan.scenes] == ["landsat-7", "landsat-5"]
    first = plan.scenes[0]
    assert [source.file.name for source in first.bands] == ["red", "nir", "swir16"]
    assert first.id.startswith("landsat-7_20080427_")
    assert (first.day_only, first.series, first.mask_scheme) == (True, "landsat-tm", "fmask")
    assert first.mask is not None
    assert first.mask.file.nodata is None  # --nodata is of the bands
    assert plan.notes == ()


def test_the_order_and_repetition_of_files_do_not_matter(landsat_files: list[Path]) -> None:
    again = plan_intake([*reversed(landsat_files), landsat_files[0]], landsat())
    assert again == plan_intake(landsat_files, landsat())


def test_bands_by_option_description_and_rename(write_tif: WriteTif) -> None:
    pixels = np.ones((2, 6, 5), dtype=np.uint16)
    path = write_tif("a.tif", pixels, descriptions=("B04", "B08"))
    day: dict[str, Any] = {"acquired": "2019-01-27", "platform": "S2A"}
    described = plan_intake([path], IntakeOptions(**day)).scenes[0]
    assert [source.file.name for source in described.bands] == ["red", "nir"]
    named = plan_intake([path], IntakeOptions(bands=("nir", "red"), **day)).scenes[0]
    assert [(s.file.name, s.index) for s in named.bands] == [("red", 2), ("nir", 1)]
    renamed = plan_intake([path], IntakeOptions(rename={"b04": "blue"}, **day)).scenes[0]
    assert [source.file.name for source in renamed.bands] == ["blue", "nir"]


def test_a_file_can_say_its_scale_and_an_option_goes_before_it(write_tif: WriteTif) -> None:
    path = write_tif("a.tif", descriptions=("red",))
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (2.75e-5,), (-0.2,)
    said = plan_intake([path], IntakeOptions(acquired="2019-01-27")).scenes[0].bands[0].file
    assert (said.scale, said.offset) == (2.75e-5, -0.2)
    given = plan_intake([path], IntakeOptions(acquired="2019-01-27", scale=1e-4)).scenes[0].bands[0].file
    assert (given.scale, given.offset) == (1e-4, 0.0)


def test_bands_that_some_scenes_lack_are_reported(landsat_files: list[Path]) -> None:
    plan = plan_intake(
        [file for file in landsat_files if "LT5" not in file.name or "b5" not in file.name], landsat()
    )
    assert any("1 scenes have the bands red nir (" in note for note in plan.notes)


def test_no_mask_and_no_platform_are_reported(write_tif: WriteTif) -> None:
    plan = plan_intake([write_tif("a.tif", descriptions=("red",))], IntakeOptions(acquired="2019-01-27"))
    assert plan.scenes[0].mask_scheme == "none"
    assert any("without a cloud mask" in note for note in plan.notes)
    assert any("does not know" in note for note in plan.notes)


def test_adjacent_tiles_of_one_pass_are_two_scenes(write_tif: WriteTif) -> None:
    here = write_tif("west.tif", descriptions=("red",))
    east = Affine(30.0, 0.0, 280005.0 + 150, 0.0, -30.0, 4440015.0)
    there = write_tif("east.tif", descriptions=("red",), transform=east)
    options = IntakeOptions(acquired="2019-01-27T02:11:30Z", platform="S2A")
    both = [scene.id for scene in plan_intake([here, there], options).scenes]
    assert len(set(both)) == 2
    alone = [plan_intake([path], options).scenes[0].id for path in (here, there)]
    assert sorted(both) == sorted(alone)  # an id does not hang on what it is added with


def test_bands_of_different_pixel_sides_are_one_scene(write_tif: WriteTif) -> None:
    red = write_tif("red.tif", np.ones((6, 6), dtype=np.uint16), descriptions=("red",))
    pan = write_tif(
        "pan.tif",
        np.ones((12, 12), dtype=np.uint16),
        descriptions=("pan",),
        transform=Affine(15.0, 0.0, 280012.5, 0.0, -15.0, 4440007.5),
    )
    plan = plan_intake([red, pan], IntakeOptions(acquired="2019-01-27", platform="LE7"))
    assert [[source.file.name for source in scene.bands] for scene in plan.scenes] == [["red", "pan"]]


def test_two_crs_in_one_scene_are_refused(write_tif: WriteTif) -> None:
    files = [
        write_tif("red.tif", descriptions=("red",)),
        write_tif("nir.tif", descriptions=("nir",), crs="EPSG:32651"),
    ]
    error = refusal(files, IntakeOptions(acquired="2019-01-27", platform="S2A"))
    assert "other ground" in error.problem


def test_one_band_twice_is_refused(write_tif: WriteTif) -> None:
    files = [write_tif("a.tif", descriptions=("red",)), write_tif("b.tif", descriptions=("red",))]
    error = refusal(files, IntakeOptions(acquired="2019-01-27"))
    assert "band 'red'" in error.problem
    assert (error.where.file, error.where.field) == (str(files[1]), "band")


@pytest.mark.parametrize(
    ("changes", "field", "problem"),
    [
        ({"pattern": r"(?P<acquired>\d{9})_"}, "pattern", "does not match"),
        ({"date_format": "%Y%m%d"}, "acquired", "is not a date in the form"),
        ({"mask_band": "scl"}, "mask_band", "no band 'scl'"),
        ({"rename": {"b9": "cirrus"}}, "rename", "no file has a band 'b9'"),
        ({"nodata": 70000}, "nodata", "can't occur in pixels of type int16"),
        ({"nodata": 0.5}, "nodata", "can't occur"),
        ({"bands": ("red", "nir")}, "bands", "has 1 bands and --bands names 2"),
    ],
)
def test_refusals_name_file_and_field(
    landsat_files: list[Path], changes: dict[str, Any], field: str, problem: str
) -> None:
    error = refusal(landsat_files, landsat(**changes))
    assert problem in error.problem
    assert error.where.field == field
    assert error.hint


def test_a_scene_without_its_mask_is_refused_when_one_was_asked_for(landsat_files: list[Path]) -> None:
    files = [file for file in landsat_files if not ("LT5" in file.name and "fmask" in file.name)]
    error = refusal(files, landsat(mask_band="fmask"))
    assert "LT5" in str(error.where.file)
    assert len(plan_intake(files, landsat()).scenes) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"scale": 0.0},
        {"scale": float("nan")},
        {"offset": -0.1},
        {"scale": 1.0, "offset": float("inf")},
        {"mask_band": "clouds"},
        {"rename": {"b3": "../red"}},
    ],
)
def test_options_that_can_not_be(options: dict[str, Any]) -> None:
    with pytest.raises(ImageError):
        IntakeOptions(acquired="2019-01-27", **options)


@pytest.mark.parametrize("name", ["../../etc", "a b", "1st", "x" * 40, ""])
def test_band_names_become_file_names_and_are_checked(write_tif: WriteTif, name: str) -> None:
    path = write_tif("a.tif")
    error = refusal([path], IntakeOptions(acquired="2019-01-27", bands=(name,)))
    assert "can't be a band name" in error.problem


def test_numbers_with_a_fraction_need_a_scale(write_tif: WriteTif) -> None:
    path = write_tif("a.tif", np.full((6, 5), 0.25, dtype=np.float32), descriptions=("red",))
    assert "no scale is known" in refusal([path], IntakeOptions(acquired="2019-01-27")).problem
    assert plan_intake([path], IntakeOptions(acquired="2019-01-27", scale=1.0)).scenes


def test_a_hidden_mask_is_refused_unless_a_nodata_value_is_given(write_tif: WriteTif) -> None:
    pixels = np.full((2, 6, 5), 255, dtype=np.uint8)
    path = write_tif("a.tif", pixels, photometric="MINISBLACK", alpha="YES", descriptions=("red", "alpha"))
    assert "alpha band" in refusal([path], IntakeOptions(acquired="2019-01-27")).problem
    assert plan_intake([path], IntakeOptions(acquired="2019-01-27", nodata=0)).scenes


def test_a_frame_across_the_180th_meridian_is_refused(write_tif: WriteTif) -> None:
    path = write_tif(
        "a.tif",
        np.ones((10, 4000), dtype=np.uint8),
        descriptions=("red",),
        crs="EPSG:32601",
        transform=Affine(30.0, 0.0, 300000.0, 0.0, -30.0, 7500000.0),
    )
    assert "180th meridian" in refusal([path], IntakeOptions(acquired="2019-01-27")).problem


def test_a_refusal_names_the_file_as_it_was_written(
    write_tif: WriteTif, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_tif("a.tif")
    monkeypatch.chdir(path.parent)
    error = refusal([Path("./a.tif"), path], IntakeOptions(acquired="2019-01-27"))
    assert error.where.file == str(path)
    assert refusal([Path("a.tif")], IntakeOptions(acquired="2019-01-27")).where.file == "a.tif"


def test_nothing_given_is_refused() -> None:
    assert "no files" in refusal([], IntakeOptions()).problem


def test_the_real_sentinel_2_series(test_data: Path) -> None:
    files = sorted((test_data / "imagery" / "s2-valladolid-fields").glob("*.tif"))
    options = IntakeOptions(pattern=r"s2_(?P<acquired>[\d-]{10})\.tif", scale=1e-4, nodata=0, platform="S2")
    plan = plan_intake(files, options)
    assert len(plan.scenes) == 33
    assert {scene.mask_scheme for scene in plan.scenes} == {"scl"}
    assert {tuple(source.file.name for source in scene.bands) for scene in plan.scenes} == {("red", "nir")}
