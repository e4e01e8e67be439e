from __future__ import annotations

import re

import pytest

from imagery.sensors import BAND_ORDER, UNKNOWN_PLATFORM, in_band_order, sensor_for


@pytest.mark.parametrize(
    ("written", "platform", "series"),
    [
        ("LT5", "landsat-5", "landsat-tm"),
        ("LE07", "landsat-7", "landsat-tm"),
        ("lc08", "landsat-8", "landsat-oli"),
        ("Landsat 9", "landsat-9", "landsat-oli"),
        ("S2A", "sentinel-2a", "sentinel-2"),
        ("sentinel-2c", "sentinel-2c", "sentinel-2"),
        ("S1A", "sentinel-1a", "sentinel-1"),
    ],
)
def test_a_platform_is_known_by_its_aliases(written: str, platform: str, series: str) -> None:
    sensor = sensor_for(written)
    assert (sensor.platform, sensor.series) == (platform, series)


def test_an_unknown_platform_is_its_own_series() -> None:
    sensor = sensor_for("KOMPSAT 3/A")
    assert (sensor.platform, sensor.series, sensor.instrument) == ("kompsat-3-a", "kompsat-3-a", None)
    assert sensor.canonical_band("B3") == "b3"
    assert sensor_for(" ").platform == UNKNOWN_PLATFORM


@pytest.mark.parametrize(
    ("platform", "written", "name"),
    [
        ("LE7", "b3", "red"),
        ("LT5", "SR_B3", "red"),
        ("LC08", "SR_B3", "green"),
        ("LC08", "SR_B5", "nir08"),
        ("S2A", "B03", "green"),
        ("S2B", "B8A", "nir08"),
        ("S2B", "B11", "swir16"),
        ("S2B", "red", "red"),
        ("S1A", "VV", "vv"),
    ],
)
def test_bands_get_their_canonical_names(platform: str, written: str, name: str) -> None:
    assert sensor_for(platform).canonical_band(written) == name


@pytest.mark.parametrize("platform", ["LT4", "LE7", "LC8", "S2A", "S1A"])
def test_no_name_means_two_bands_of_one_sensor(platform: str) -> None:
    bands = sensor_for(platform).bands
    names = [name for band in bands for name in (band.name, *band.written)]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names)


@pytest.mark.parametrize("platform", ["LT5", "LE7", "LC8", "S2A"])
def test_the_band_order_is_that_of_the_wavelengths(platform: str) -> None:
    bands = [band for band in sensor_for(platform).bands if band.name in BAND_ORDER]
    ordered = in_band_order(band.name for band in bands)
    waves = {band.name: band.centre_um or 0.0 for band in bands}
    assert [waves[name] for name in ordered] == sorted(waves.values())


def test_other_bands_follow_by_the_alphabet() -> None:
    assert in_band_order(["vv", "swir22", "red", "cirrus", "blue"]) == (
        "blue",
        "red",
        "swir22",
        "cirrus",
        "vv",
    )
