from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj.aoi import AreaOfInterest
from pyproj.database import query_utm_crs_info
from shapely.geometry import Point, box

from geo.area import geodesic_area_m2, square_around
from geo.errors import CoordinateError
from geo.grid import Grid, site_grid, utm_crs

PYONGYANG = Point(125.75, 39.02)


def test_lattice_keeps_the_pixel_edges_of_the_first_scene() -> None:
    grid = site_grid(
        "a", square_around(PYONGYANG, 150), crs="EPSG:32651", resolution_m=30, anchor=(336375.0, 4462425.0)
    )
    assert (grid.transform.c - 336375.0) % 30 == 0
    assert (grid.transform.f - 4462425.0) % 30 == 0
    assert grid.transform.c % 30 == 15


def test_frame_holds_footprint_and_context() -> None:
    footprint = square_around(PYONGYANG, 150)
    grid = site_grid("a", footprint, crs="EPSG:32651", resolution_m=10)
    left, bottom, right, top = grid.to_grid(footprint).bounds
    frame = grid.bounds
    assert frame[0] <= left - 999 and frame[1] <= bottom - 999
    assert frame[2] >= right + 999 and frame[3] >= top + 999


@given(
    half_width=st.floats(2, 400),
    east=st.floats(-15, 15),
    north=st.floats(-15, 15),
    resolution=st.sampled_from([10.0, 20.0, 30.0]),
)
def test_weights_sum_to_the_area_whatever_the_phase(
    half_width: float, east: float, north: float, resolution: float
) -> None:
    grid = site_grid("a", square_around(PYONGYANG, 500), crs="EPSG:32651", resolution_m=resolution)
    centre = grid.to_grid(PYONGYANG)
    assert isinstance(centre, Point)
    square = box(
        centre.x + east - half_width,
        centre.y + north - half_width,
        centre.x + east + half_width,
        centre.y + north + half_width,
    )
    weights = grid.weights(grid.to_lonlat(square))
    assert weights.min() >= 0
    assert weights.max() <= 1 + 1e-6
    assert float(weights.sum(dtype=np.float64)) * resolution**2 == pytest.approx(
        (2 * half_width) ** 2, rel=1e-4
    )


def test_footprint_outside_the_frame_weighs_nothing() -> None:
    grid = site_grid("a", square_around(PYONGYANG, 150), crs="EPSG:32651", resolution_m=10)
    assert grid.weights(square_around(Point(126.5, 39.0), 150)).sum() == 0


def test_grid_survives_its_json_and_its_id_follows_its_place() -> None:
    grid = site_grid("a", square_around(PYONGYANG, 150), crs="EPSG:32651", resolution_m=10)
    assert Grid.from_json(grid.to_json()) == grid
    moved = site_grid("a", square_around(Point(125.76, 39.02), 150), crs="EPSG:32651", resolution_m=10)
    assert moved.grid_id != grid.grid_id
    renamed = site_grid("b", square_around(PYONGYANG, 150), crs="EPSG:32651", resolution_m=10)
    assert renamed.grid_id == grid.grid_id


def test_square_is_as_large_as_it_says() -> None:
    assert geodesic_area_m2(square_around(PYONGYANG, 500)) == pytest.approx(1e6, rel=1e-6)


def test_utm_zone_by_longitude() -> None:
    assert utm_crs(PYONGYANG) == "EPSG:32651"
    assert utm_crs(Point(126.1, 39.0)) == "EPSG:32652"
    with pytest.raises(CoordinateError, match="outside the UTM zones"):
        utm_crs(Point(0, 88))
    with pytest.raises(CoordinateError):
        utm_crs(Point(float("nan"), 39.0))


@pytest.mark.parametrize(
    ("lon", "lat"),
    [
        (126.0, 39.0),
        (-180.0, 10.0),
        (180.0, 10.0),
        (0.0, 0.0),
        (5.0, 84.0),
        (5.0, -80.0),
        (4.0, 60.5),
        (10.0, 78.0),
    ]
    + [(37.31 * step % 360 - 180, 41.7 * step % 163 - 79.5) for step in range(12)],
)
def test_utm_zones_are_those_of_projs_database(lon: float, lat: float) -> None:
    area = AreaOfInterest(lon, lat, lon, lat)
    found = query_utm_crs_info(datum_name="WGS 84", area_of_interest=area)
    assert utm_crs(Point(lon, lat)) == f"EPSG:{found[0].code}"


@pytest.mark.parametrize(("crs", "half_width"), [("EPSG:4326", 100), ("EPSG:32651", 50_000)])
def test_refuses_what_is_no_lattice(crs: str, half_width: float) -> None:
    with pytest.raises(CoordinateError):
        site_grid("a", square_around(PYONGYANG, half_width), crs=crs, resolution_m=10)
