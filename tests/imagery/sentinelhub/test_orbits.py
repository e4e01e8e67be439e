from __future__ import annotations

from datetime import UTC, datetime

import pytest
from shapely.geometry import box, mapping

from imagery.model import AcquisitionGeometry
from imagery.sentinelhub.acquisitions import Acquisition, Granule, _granule, _is_wanted, _platform
from imagery.sentinelhub.orbits import radar_facts, series_of
from imagery.sentinelhub.products import product_for

RADAR, LANDSAT = product_for("sentinel-1-grd"), product_for("landsat-ot-l2")
TIME = datetime(2021, 11, 3, 21, 41, 5, tzinfo=UTC)


NAME = "S1A_EW_GRDM_1SSH_20181103T235855_20181103T235955_024430_02AD5D_5616"


def granule(name: str, orbit: str = "", platform: str = "sentinel-1a") -> Granule:
    geometry = AcquisitionGeometry(orbit)
    return Granule(name, platform, TIME, box(0, 0, 1, 1), None, None, (), simulated=False, geometry=geometry)


def orbit_of(name: str) -> int | None:
    acquired = datetime.strptime(name[17:32], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    platform = f"sentinel-1{name[2].lower()}"
    found: int | None = radar_facts(name, platform, acquired, {}).get("sat:relative_orbit")
    return found


def test_an_orbit_is_read_from_the_name_of_a_product() -> None:
    # The example of the satellite extension of STAC: absolute orbit 24430 is relative orbit 33.
    assert orbit_of(NAME) == 33
    assert radar_facts("x", "sentinel-1a", TIME, {"sat:absolute_orbit": 24430}) == {"sat:relative_orbit": 33}
    assert radar_facts("x", "sentinel-1a", TIME, {}) == radar_facts(NAME, "sentinel-2a", TIME, {}) == {}
    # As the Copernicus catalogue has it.
    assert orbit_of("S1D_IW_GRDH_1SDV_20260927T112236_20260927T112305_004762_008EC4_A3A7") == 171


@pytest.mark.parametrize(
    ("one", "other", "orbit"),
    [
        (  # over Korea, before Sentinel-1C was moved: a cycle and a day apart
            "S1C_IW_SLC__1SDV_20260531T214004_20260531T214029_007903_010126_2310",
            "S1D_IW_SLC__1SDV_20260613T214015_20260613T214042_003223_0059FE_D74F",
            32,
        ),
        (  # after it: six days apart
            "S1C_IW_GRDH_1SDV_20260710T100242_20260710T100307_008479_010C90_0000",
            "S1D_IW_GRDH_1SDV_20260716T100235_20260716T100300_003697_0069D4_0000",
            156,
        ),
        (  # one day apart
            "S1C_IW_SLC__1SDV_20260624T224958_20260624T225025_008254_010515_304A",
            "S1A_IW_SLC__1SDV_20260623T225050_20260623T225120_065103_0834C8_BAD5",
            106,
        ),
    ],
)
def test_satellites_over_one_place_at_one_hour_are_on_one_orbit(one: str, other: str, orbit: int) -> None:
    assert orbit_of(one) == orbit_of(other) == orbit


def test_while_it_was_moved_a_satellite_was_on_no_orbit() -> None:
    assert orbit_of("S1C_IW_GRDH_1SDV_20260612T100242_20260612T100307_008071_010000_0000") is None


def test_a_granule_takes_its_orbit_from_its_name_where_the_catalogue_has_none() -> None:
    properties = {
        "datetime": "2018-11-03T23:58:55Z",
        "platform": "sentinel-1",
        "sat:orbit_state": "ASCENDING",
    }
    feature = {"id": NAME, "geometry": mapping(box(0, 0, 1, 1)), "properties": properties}
    read = _granule(feature, RADAR)
    assert (read.platform, read.geometry.orbit) == ("sentinel-1a", "33-ascending")
    stated = _granule(feature | {"properties": {**properties, "sat:relative_orbit": 61}}, RADAR)
    assert stated.geometry.orbit == "61-ascending"


@pytest.mark.parametrize("orbit", ["", "33", "ascending", "33-geostationary"])
def test_a_pass_without_an_orbit_or_a_direction_is_in_no_series(orbit: str) -> None:
    assert not _is_wanted(granule("x", orbit), RADAR)
    assert _is_wanted(granule("x", "33-ascending"), RADAR)


def test_directions_make_two_series_of_one_orbit() -> None:
    series = {
        series_of(RADAR, Acquisition((granule("x", orbit),))) for orbit in ("7-ascending", "7-descending")
    }
    assert series == {"sentinel-1-asc-007", "sentinel-1-desc-007"}


def test_a_satellite_is_named_by_its_product_where_the_catalogue_names_the_mission() -> None:
    assert _platform("sentinel-1", "S1C_IW_GRDH", RADAR) == "sentinel-1c"
    assert _platform("", "S1A_IW_GRDH", RADAR) == "sentinel-1a"
    assert _platform("sentinel-1b", "whatever", RADAR) == "sentinel-1b"
    assert _platform("landsat", "LC09_L2SP_118032", LANDSAT) == "landsat-9"
    assert _platform("LANDSAT_8", "LC08_L2SP_118032", LANDSAT) == "landsat-8"


def test_landsat_scenes_of_the_second_tier_are_left_out() -> None:
    assert _is_wanted(granule("LC08_L2SP_118032_20191003_20200825_02_T1", platform="landsat-8"), LANDSAT)
    assert not _is_wanted(granule("LC08_L2SP_118032_20191003_20200825_02_T2", platform="landsat-8"), LANDSAT)
    assert not _is_wanted(
        granule("LC08_L2SP_118032_20191003_20200825_02_T2_SR", platform="landsat-8"), LANDSAT
    )
