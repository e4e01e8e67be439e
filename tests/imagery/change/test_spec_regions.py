from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis.extra import numpy as hnp
from odc.geo.geobox import GeoBox
from rasterio import features
from shapely.geometry import shape
from shapely.ops import unary_union

from geo.grid import Grid
from imagery.change.regions import label_patches, pixel_outline, pixels_inside, regions
from imagery.change.spec import WatchSpec

GRID = Grid("a", GeoBox((12, 10), Affine(30, 0, 336375, 0, -30, 4462425), "EPSG:32613"))
MASKS = hnp.arrays(np.bool_, (12, 10))


def _weights() -> np.ndarray:
    weights = np.zeros((12, 10), dtype=np.float32)
    weights[3:6, 3:6] = 1
    return weights


@pytest.mark.parametrize(
    "rules",
    [
        {"pixel_area_m2": 0.0},
        {"min_area_m2": -1.0},
        {"min_area_m2": float("nan")},
        {"season_half_width_days": 0.0},
        {"min_history": 2},
        {"max_history": 5},
        {"min_clear_footprint": 1.5},
        {"min_clear_frame": -0.1},
    ],
)
def test_spec_refuses_rules_out_of_range(rules: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(rules))):
        WatchSpec(**{"weights": _weights(), "pixel_area_m2": 900.0, **rules})


def test_spec_refuses_a_footprint_off_the_grid() -> None:
    with pytest.raises(ValueError, match="no pixel"):
        WatchSpec(np.zeros((4, 4), dtype=np.float32), 900.0)
    with pytest.raises(ValueError, match="finite"):
        WatchSpec(np.full((4, 4), np.nan, dtype=np.float32), 900.0)


@pytest.mark.parametrize(("area", "pixels"), [(0, 2), (1800, 2), (1801, 3), (9000, 10)])
def test_min_area_in_pixels(area: float, pixels: int) -> None:
    assert WatchSpec(_weights(), 900.0, min_area_m2=area).min_pixels == pixels


@given(mask=MASKS)
@settings(max_examples=60, deadline=None)
def test_outlines_agree_with_rasterio(mask: np.ndarray) -> None:
    expected = unary_union(
        [
            shape(geometry)
            for geometry, value in features.shapes(mask.astype(np.uint8), transform=GRID.transform)
            if value == 1
        ]
    )
    outline = GRID.to_grid(pixel_outline(mask, GRID, row=0, column=0))
    assert outline.symmetric_difference(expected).area < 1.0


@given(mask=MASKS)
@settings(max_examples=60, deadline=None)
def test_an_outline_holds_its_own_pixels(mask: np.ndarray) -> None:
    assert np.array_equal(pixels_inside(pixel_outline(mask, GRID, row=0, column=0), GRID), mask)


def test_regions_have_area_direction_and_order() -> None:
    changed = np.zeros((12, 10), dtype=bool)
    changed[1, 1] = changed[2, 2] = True  # joined at a corner
    changed[6:9, 5:9] = True
    magnitude = np.ones((12, 10), dtype=np.float32)
    magnitude[7, 7] = 2.5
    residual = np.zeros((2, 12, 10), dtype=np.float32)
    residual[0, 6:9, 5:9], residual[1, 1, 1] = 0.1, np.nan
    large, small = regions(changed, magnitude, residual, GRID, bands=("red", "nir"))
    assert (large.pixels, small.pixels) == (12, 2)
    assert large.area_m2 == pytest.approx(12 * 900, rel=2e-3)
    assert large.magnitude == 2.5 and small.magnitude == 1.0
    assert large.direction["red"] == pytest.approx(0.1)
    assert small.direction == {"red": 0.0, "nir": 0.0}
    assert GRID.to_grid(large.geometry).bounds == pytest.approx((336525, 4462155, 336645, 4462245), abs=0.01)


def test_no_change_no_regions_and_small_ones_dropped() -> None:
    nothing = np.zeros((12, 10), dtype=bool)
    residual = np.zeros((1, 12, 10), dtype=np.float32)
    assert regions(nothing, residual[0], residual, GRID, bands=("red",)) == ()
    one = nothing.copy()
    one[4, 4] = True
    assert regions(one, residual[0], residual, GRID, bands=("red",), min_pixels=2) == ()
    assert label_patches(one, 1)[1] == 1
