from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagery.acquisition import acquisition_properties, baseline_of, geometry_of, joint_geometry
from imagery.errors import ImageError
from imagery.model import UNKNOWN_GEOMETRY, AcquisitionGeometry, orbit_key
from imagery.sensors import sensor_for

S2, LANDSAT = sensor_for("sentinel-2a"), sensor_for("landsat-9")

orbits = st.builds(
    orbit_key,
    st.none() | st.integers(1, 400),
    st.sampled_from(["", "ascending", "descending", "geostationary"]),
)


def angles(limit: float) -> st.SearchStrategy[float | None]:
    return st.none() | st.integers(0, round(limit * 1000)).map(lambda thousandths: thousandths / 1000)


geometries = st.builds(AcquisitionGeometry, orbits, angles(180), angles(360), angles(90), angles(360))


@given(geometries, st.sampled_from(["", "04.00", "05.11", "LPGS_16.0.0"]), st.sampled_from([S2, LANDSAT]))
def test_what_is_written_comes_back(geometry: AcquisitionGeometry, baseline: str, sensor: Any) -> None:  # noqa: ANN401 - Sensor
    properties = acquisition_properties(geometry, baseline, sensor)
    assert None not in properties.values()
    assert geometry_of(properties) == geometry
    assert baseline_of(properties) == baseline


@given(geometries)
def test_a_key_of_an_orbit_holds_number_and_direction(geometry: AcquisitionGeometry) -> None:
    assert orbit_key(geometry.relative_orbit, geometry.orbit_state) == geometry.orbit


def test_a_baseline_is_named_as_its_mission_names_it() -> None:
    assert acquisition_properties(UNKNOWN_GEOMETRY, "04.00", S2) == {"s2:processing_baseline": "04.00"}
    assert acquisition_properties(UNKNOWN_GEOMETRY, "4", S2) == {"processing:version": "4"}
    assert acquisition_properties(UNKNOWN_GEOMETRY, "04.00", LANDSAT) == {"processing:version": "04.00"}


def test_the_angle_at_the_ground_goes_before_that_at_the_satellite() -> None:
    assert geometry_of({"view:off_nadir": 10.0}).view_zenith_deg == 10.0
    assert geometry_of({"view:off_nadir": 10.0, "view:incidence_angle": 11.3}).view_zenith_deg == 11.3
    assert geometry_of({"view:off_nadir": 10.0, "view:incidence_angle": 0}).view_zenith_deg == 0.0


@pytest.mark.parametrize(
    "properties",
    [
        {"sat:relative_orbit": 0},
        {"sat:relative_orbit": "3"},
        {"sat:relative_orbit": True},
        {"sat:orbit_state": "up"},
        {"view:sun_elevation": 90.5},
        {"view:sun_azimuth": -1},
        {"view:azimuth": float("nan")},
        {"view:incidence_angle": "steep"},
    ],
)
def test_what_can_not_be_is_refused(properties: dict[str, Any]) -> None:
    with pytest.raises(ImageError):
        geometry_of(properties)


@pytest.mark.parametrize(
    "orbit", ["3-", "-3", "-ascending", "03", "0", "descending-3", "3 descending", "3-down", "R003"]
)
def test_what_is_no_key_of_an_orbit_is_refused(orbit: str) -> None:
    with pytest.raises(ImageError, match="no key of an orbit"):
        AcquisitionGeometry(orbit)


def test_of_several_scenes_each_fact_is_that_of_the_first_that_knows_it() -> None:
    first = AcquisitionGeometry("", 50.0, None, None, 100.0)
    second = AcquisitionGeometry("3", 51.0, 160.0, None, 101.0)
    assert joint_geometry([first, second]) == AcquisitionGeometry("3", 50.0, 160.0, None, 100.0)
    assert joint_geometry([second, first]) == second
