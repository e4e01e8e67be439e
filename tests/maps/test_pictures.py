from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine
from numpy.typing import NDArray
from odc.geo.geobox import GeoBox
from PIL import Image

from geo.grid import Grid
from imagery.model import Chip, Region
from maps.composites import NODATA_RGB, Stretch, choose_bands, composite, stretch_of
from maps.drawing import OUTLINE_RGB, edges, scale_length_m, wrap
from maps.errors import PageError
from maps.pictures import before_after, overlay_png, picture
from maps.sheets import change_picture

MakeChip = Callable[..., Chip]


def _pixels(data: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))


@pytest.mark.parametrize(
    ("bands", "kind", "chosen"),
    [
        (("blue", "green", "red", "nir", "swir16"), "natural colour", ("red", "green", "blue")),
        (("green", "red", "nir"), "false colour", ("nir", "red", "green")),
        (("red", "nir", "swir16"), "false colour", ("swir16", "nir", "red")),
        (("red", "nir"), "grey", ("red", "red", "red")),
        (("vv",), "grey", ("vv", "vv", "vv")),
    ],
)
def test_the_best_composite_of_what_exists_is_chosen(
    bands: tuple[str, ...], kind: str, chosen: tuple[str, ...]
) -> None:
    assert choose_bands(bands) == (kind, chosen)


def test_a_chip_without_bands_is_refused() -> None:
    with pytest.raises(PageError, match="without bands"):
        choose_bands(())


def test_the_stretch_runs_from_the_2nd_to_the_98th_percentile_of_clear_pixels(make_chip: MakeChip) -> None:
    chip = make_chip()
    clear = chip.clear.copy()
    clear[:5] = False
    dn = chip.dn.copy()
    dn[:, :5] = 9000  # a cloud, which must not decide
    chip = replace(chip, dn=dn, clear=clear)
    stretch = stretch_of(chip)
    expected = np.percentile(chip.dn[0][clear] * 1e-4, (2, 98))
    np.testing.assert_allclose((stretch.low[0], stretch.high[0]), expected, rtol=1e-5)


def test_a_uniform_scene_stays_uniform(make_chip: MakeChip) -> None:
    rng = np.random.default_rng(0)
    chip = make_chip(dn=(1000 + rng.normal(0, 5, (3, 40, 50))).astype(np.uint16))
    colour = composite(chip, stretch_of(chip))
    assert colour.std() < 5
    assert 110 < colour.mean() < 145


def test_counts_without_a_scale_are_stretched_too(make_chip: MakeChip) -> None:
    chip = make_chip(scale=None, dn=np.full((3, 40, 50), 70, np.uint16))
    stretch = stretch_of(chip)
    assert (stretch.low[0] + stretch.high[0]) / 2 == 70
    assert not stretch.calibrated


def test_a_chip_without_any_clear_pixel_is_still_drawn(make_chip: MakeChip) -> None:
    nothing = np.zeros((40, 50), bool)
    assert (composite(make_chip(clear=nothing, valid=nothing), stretch_of(make_chip())) == NODATA_RGB).all()
    assert picture(make_chip(clear=nothing, valid=nothing)).clear_fraction == 0


def test_values_run_from_black_to_full_in_the_order_of_the_bands(make_chip: MakeChip) -> None:
    dn = np.zeros((3, 40, 50), np.uint16)
    dn[0], dn[1], dn[2] = 1000, 2000, 3000
    stretch = Stretch("natural colour", ("red", "green", "blue"), (0.1,) * 3, (0.3,) * 3, calibrated=True)
    assert composite(make_chip(dn=dn), stretch)[0, 0].tolist() == pytest.approx([0, 127.5, 255], abs=1)


def test_what_is_not_clear_is_grey_and_veiled_and_what_is_missing_is_dark(make_chip: MakeChip) -> None:
    valid = np.ones((40, 50), bool)
    valid[:, :10] = False
    clear = valid.copy()
    clear[:, 10:20] = False
    made = picture(make_chip(valid=valid, clear=clear))
    shown = _pixels(made.png)
    assert (shown[:, :10] == NODATA_RGB).all()
    veiled = shown[:, 10:20]
    assert (veiled.max(axis=-1) == veiled.min(axis=-1)).all()
    alpha = np.asarray(Image.open(io.BytesIO(made.veil)).convert("RGBA"))[..., 3]
    np.testing.assert_array_equal(alpha > 0, valid & ~clear)


def test_a_clear_picture_carries_no_veil(make_chip: MakeChip) -> None:
    assert picture(make_chip()).veil == b""


def test_other_programs_get_the_hatching_in_the_pixels(make_chip: MakeChip) -> None:
    clear = np.ones((40, 50), bool)
    clear[:, 10:20] = False
    made = picture(make_chip(clear=clear))
    drawn, plain = _pixels(overlay_png(made)), np.kron(_pixels(made.png), np.ones((8, 8, 1), np.uint8))
    assert drawn.shape == plain.shape == (320, 400, 3)
    differs = (drawn != plain).any(axis=-1)
    assert differs[:, 80:160].mean() == pytest.approx(0.25, abs=0.01)
    assert not differs[:, :80].any()
    assert not differs[:, 160:].any()


def test_pixels_stay_pixels(make_chip: MakeChip) -> None:
    chip = make_chip()
    shown = picture(chip)
    assert (shown.width, shown.height) == (50, 40)
    assert shown.metres_per_px == shown.resolution_m == 30
    np.testing.assert_array_equal(_pixels(shown.png), composite(chip, stretch_of(chip)))


def test_a_picture_says_where_its_pixels_lie(make_chip: MakeChip, grid: Grid) -> None:
    shown = picture(make_chip())
    assert (shown.site_id, shown.grid_id, shown.crs) == ("valley", grid.grid_id, "EPSG:32651")
    assert shown.corner_m == (300015, 4500015)
    assert shown.key == f"2020-05-01.landsat.{grid.grid_id}"


def test_two_places_are_no_pair(make_chip: MakeChip) -> None:
    other = Grid("market", GeoBox((40, 50), Affine(30, 0, 300015, 0, -30, 4500015), "EPSG:32651"))
    with pytest.raises(PageError, match="'market'"):
        before_after(make_chip(), make_chip(grid=other), ())


def test_a_large_chip_is_thinned_out(make_chip: MakeChip) -> None:
    big = Grid("valley", GeoBox((2100, 30), Affine(10, 0, 300000, 0, -10, 4500000), "EPSG:32651"))
    rows = np.ones(big.shape, bool)
    chip = make_chip(grid=big, dn=np.full((3, *big.shape), 900, np.uint16), valid=rows, clear=rows)
    shown = picture(chip)
    assert (shown.width, shown.height) == (10, 700)
    assert shown.metres_per_px == 30


def test_both_sides_have_the_stretch_of_the_earlier(make_chip: MakeChip, region: Region) -> None:
    before, after = make_chip(), make_chip(date(2020, 6, 1), dn=np.full((3, 40, 50), 5000, np.uint16))
    pair = before_after(before, after, (region,))
    assert pair.same_stretch
    assert pair.before.stretch == pair.after.stretch
    assert (_pixels(pair.after.png) == 255).all()


def test_counts_of_two_days_are_not_forced_into_one_stretch(make_chip: MakeChip) -> None:
    before = make_chip(scale=None)
    after = make_chip(date(2020, 6, 1), scale=None, dn=np.full((3, 40, 50), 50, np.uint16))
    pair = before_after(before, after, ())
    assert not pair.same_stretch
    assert 100 < _pixels(pair.after.png).mean() < 156


def test_only_bands_that_both_have_are_shown(make_chip: MakeChip) -> None:
    pair = before_after(make_chip(), make_chip(date(2020, 6, 1), ("nir", "red", "green")), ())
    assert pair.before.bands == pair.after.bands == "grey (red)"


def test_the_outline_lies_where_the_change_is(make_chip: MakeChip, region: Region) -> None:
    (ring,) = before_after(make_chip(), make_chip(), (region,)).before.outlines
    xs, ys = zip(*ring, strict=True)
    assert (min(xs), max(xs)) == pytest.approx((10, 20), abs=0.02)
    assert (min(ys), max(ys)) == pytest.approx((8, 16), abs=0.02)


def test_captions_say_what_the_reader_must_know(make_chip: MakeChip) -> None:
    shown = picture(make_chip(simulated=True, mask_scheme="none"))
    assert shown.simulated
    assert not shown.masked
    assert shown.bands == "natural colour (red, green, blue)"
    assert shown.credit == "USGS Landsat, public domain"
    assert shown.solar_day == date(2020, 5, 1)
    assert shown.stretch.endswith("(reflectance)")


def test_equal_chips_give_equal_bytes(make_chip: MakeChip) -> None:
    assert picture(make_chip()).png == picture(make_chip()).png


def test_a_change_picture_outlines_what_is_reported(make_chip: MakeChip) -> None:
    score = np.linspace(0, 3, 2000).reshape(40, 50)
    score[0] = np.nan
    changed = score > 2.9
    data = change_picture(make_chip(), make_chip(date(2020, 6, 1)), score, changed, "Quiet valley, 조용한")
    shown = _pixels(data)
    assert (shown == OUTLINE_RGB).all(axis=-1).sum() == 3 * edges(
        np.kron(changed, np.ones((8, 8), bool))
    ).sum()
    assert data == change_picture(
        make_chip(), make_chip(date(2020, 6, 1)), score, changed, "Quiet valley, 조용한"
    )


def test_a_change_picture_of_nothing_has_no_outline(make_chip: MakeChip) -> None:
    data = change_picture(make_chip(), make_chip(), np.full((40, 50), np.nan), np.zeros((40, 50), bool), "")
    assert not (_pixels(data) == OUTLINE_RGB).all(axis=-1).any()


def test_a_change_picture_refuses_arrays_of_another_grid(make_chip: MakeChip) -> None:
    with pytest.raises(PageError, match="must share one grid"):
        change_picture(make_chip(), make_chip(), np.zeros((4, 5)), np.zeros((40, 50), bool), "")


def test_real_landsat_pixels_become_a_picture_with_contrast(test_data: Path, make_chip: MakeChip) -> None:
    with rasterio.open(test_data / "imagery/landsat-taizhou-pair/taizhou_2000-03-17.tif") as source:
        dn = source.read().astype(np.uint16)
        grid = Grid("taizhou", GeoBox(dn.shape[1:], source.transform, str(source.crs)))
    valid = np.ones(grid.shape, bool)
    bands = ("blue", "green", "red", "nir", "swir16", "swir22")
    shown = _pixels(
        picture(make_chip(bands=bands, grid=grid, dn=dn, scale=None, valid=valid, clear=valid)).png
    )
    assert shown.shape == (400, 400, 3)
    assert shown.reshape(-1, 3).std(axis=0).min() > 40


def test_a_stretch_that_runs_backwards_is_refused() -> None:
    with pytest.raises(PageError, match="low below high"):
        Stretch("grey", ("a", "a", "a"), (1, 1, 1), (1, 2, 2), calibrated=True)


def test_a_stretch_of_other_bands_is_refused(make_chip: MakeChip) -> None:
    with pytest.raises(PageError, match="does not fit"):
        composite(make_chip(bands=("vv", "vh")), stretch_of(make_chip()))


@pytest.mark.parametrize(
    ("width_m", "length_m"), [(2300, 500), (1500, 500), (599, 100), (0.5, 1), (1e6, 200_000)]
)
def test_scale_bars_are_round_and_at_most_a_third(width_m: float, length_m: int) -> None:
    assert scale_length_m(width_m) == length_m


def test_long_captions_are_broken_and_cut() -> None:
    lines = wrap("word " * 100, 120, 13, 2)
    assert len(lines) == 2
    assert lines[-1].endswith("...")
    assert wrap("x" * 10_000, 120, 13, 2)[0].endswith("...")
