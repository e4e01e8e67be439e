from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from geo.area import bearing_deg, geodesic_area_m2, geodesic_distance_m, geodesic_length_m, square_around
from geo.errors import CoordinateError

LON, LAT = st.floats(-179, 179), st.floats(-85, 85)


def test_one_degree_of_the_equator_and_of_the_meridian() -> None:
    # Semi-axes of WGS 84: a degree of the equator is a * pi / 180.
    assert geodesic_length_m(LineString([(0, 0), (1, 0)])) == pytest.approx(111_319.4908, abs=1e-3)
    assert geodesic_distance_m(Point(0, 0), Point(0, 1)) == pytest.approx(110_574.3886, abs=1e-3)


def test_length_of_a_line_is_that_of_its_legs() -> None:
    a, b, c = Point(125.7, 39.0), Point(125.8, 39.1), Point(125.75, 39.3)
    line = LineString([a, b, c])
    assert geodesic_length_m(line) == pytest.approx(geodesic_distance_m(a, b) + geodesic_distance_m(b, c))


def test_measures_of_a_square() -> None:
    square = square_around(Point(125.75, 39.02), 150)
    assert geodesic_length_m(square) == pytest.approx(1200, rel=1e-6)
    assert geodesic_area_m2(square) == pytest.approx(90_000, rel=1e-6)
    assert geodesic_area_m2(Polygon(square.exterior.coords[::-1])) == pytest.approx(90_000, rel=1e-6)
    assert geodesic_area_m2(MultiPolygon([square])) == pytest.approx(90_000, rel=1e-6)


def test_empty_geometries_measure_nothing() -> None:
    assert geodesic_length_m(LineString()) == 0
    assert geodesic_area_m2(Polygon()) == 0
    assert geodesic_length_m(Point(1, 2)) == 0


@pytest.mark.parametrize(("lon", "lat", "bearing"), [(0, 1, 0), (1, 0, 90), (0, -1, 180), (-1, 0, 270)])
def test_bearings_of_the_compass(lon: float, lat: float, bearing: float) -> None:
    assert bearing_deg(Point(0, 0), Point(lon, lat)) == pytest.approx(bearing)


def test_a_hair_west_of_north_is_still_below_360() -> None:
    assert bearing_deg(Point(0, 0), Point(-1e-17, 1)) == 0


@settings(deadline=None)
@given(LON, LAT, LON, LAT)
def test_bearings_stay_in_range_and_distance_is_symmetric(x: float, y: float, u: float, v: float) -> None:
    a, b = Point(x, y), Point(u, v)
    distance = geodesic_distance_m(a, b)
    assert distance == pytest.approx(geodesic_distance_m(b, a), abs=1e-6)
    if distance > 0:
        assert 0 <= bearing_deg(a, b) < 360


def test_no_bearing_to_oneself() -> None:
    with pytest.raises(CoordinateError, match="no bearing"):
        bearing_deg(Point(1, 2), Point(1, 2))
