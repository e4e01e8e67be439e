from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point

from geo.area import geodesic_distance_m
from geo.coarse import RADII_M, coarse
from geo.errors import CoordinateError

lons = st.floats(-180, 180)
lats = st.floats(-90, 90)
radii = st.sampled_from(RADII_M)


@given(lons, lats, radii)
def test_a_place_lies_within_the_radius_of_what_is_told(lon: float, lat: float, radius_m: int) -> None:
    told = Point(coarse(lon, lat, radius_m))
    assert -180 <= told.x <= 180 and -90 <= told.y <= 90
    assert geodesic_distance_m(Point(lon, lat), told) <= radius_m
    assert coarse(told.x, told.y, radius_m) == (told.x, told.y)


@given(lons, lats, radii, radii)
def test_finer_cells_fill_coarser_ones_so_that_both_tell_no_more_than_the_finer(
    lon: float, lat: float, one: int, other: int
) -> None:
    fine, rough = sorted((one, other))
    assert coarse(*coarse(lon, lat, fine), rough) == coarse(lon, lat, rough)


@given(st.floats(-179, 179), st.floats(-85, 85), radii)
def test_a_cell_is_no_sliver(lon: float, lat: float, radius_m: int) -> None:
    # Points a third of the radius around the middle of a cell are told as the same place.
    x, y = coarse(lon, lat, radius_m)
    if x == 180.0 or not -84 < y < 84:
        return
    near_deg = radius_m / 3 / 111_320
    assert {
        coarse(x + dx, y + dy, radius_m) for dx in (-near_deg, near_deg) for dy in (-near_deg, near_deg)
    } == {(x, y)}


def test_other_radii_are_refused() -> None:
    with pytest.raises(CoordinateError, match="1250, 2500, 5000"):
        coarse(0.0, 0.0, 3_000)
