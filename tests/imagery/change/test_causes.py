from __future__ import annotations

import math
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagery.change.calendar import Calendar, calendar_for
from imagery.change.causes import Cause, Effect, Evidence, Flag, flags, holds, waits

KOREA = calendar_for(125.75, 39.02)
GROUND = {"blue": 0.08, "green": 0.10, "red": 0.11, "nir": 0.22, "swir16": 0.24, "swir22": 0.18}
ROOF = {"blue": 0.20, "green": 0.23, "red": 0.26, "nir": 0.32, "swir16": 0.30, "swir22": 0.26}
SUMMER = date(2021, 8, 10)


def causes(
    observed: dict[str, float],
    day: date = SUMMER,
    calendar: Calendar | None = KOREA,
    **more: Any,  # noqa: ANN401 - any field of Evidence
) -> list[Cause]:
    evidence = Evidence(day=day, observed=observed, predicted=GROUND, **more)
    return [flag.cause for flag in flags(evidence, calendar)]


def changed(**bands: float) -> dict[str, float]:
    return GROUND | {band: GROUND[band] + by for band, by in bands.items()}


@pytest.mark.parametrize("month", range(1, 13))
def test_a_grey_roof_in_plain_weather_is_no_other_cause(month: int) -> None:
    assert causes(ROOF, date(2021, month, 15), sun_zenith_deg=60.0, masked_distance_px=40.0) == []


def test_snow_is_bright_in_green_and_dark_in_the_short_waves_of_infrared() -> None:
    snow = {"blue": 0.6, "green": 0.6, "red": 0.58, "nir": 0.5, "swir16": 0.08, "swir22": 0.06}
    assert causes(snow, date(2021, 1, 20)) == [Cause.SNOW]
    assert causes(ROOF, date(2021, 1, 20), snow_share=0.4) == [Cause.SNOW]
    assert causes(snow, SUMMER) == []
    assert causes(snow, SUMMER, calendar=None) == [Cause.SNOW]


def test_a_shadow_dims_all_bands_alike_under_a_low_sun() -> None:
    dark = {band: 0.5 * value for band, value in GROUND.items()}
    assert causes(dark, sun_zenith_deg=62.0) == [Cause.CAST_SHADOW]
    assert causes(dark, sun_zenith_deg=25.0) == []
    assert causes(dark) == []
    burnt = GROUND | {"nir": 0.05, "swir16": 0.25}
    assert causes(burnt, sun_zenith_deg=62.0) == []


def test_water_on_a_field_is_a_paddy_only_in_its_weeks_and_where_there_is_a_calendar() -> None:
    wet = changed(nir=-0.12, swir16=-0.17, swir22=-0.13)
    assert causes(wet, date(2021, 5, 25)) == [Cause.PADDY_FLOODING]
    assert causes(wet, SUMMER) == []
    assert causes(wet, date(2021, 5, 25), calendar=calendar_for(-105.0, 40.0)) == []


def test_a_harvest_dries_yellow_and_a_new_roof_is_grey() -> None:
    yellow = changed(blue=0.01, green=0.04, red=0.07, nir=0.08, swir16=0.06)
    october = date(2021, 10, 5)
    assert causes(yellow, october) == [Cause.HARVEST_DRYING]
    assert causes(yellow, SUMMER) == []
    assert causes(changed(blue=0.12, green=0.13, red=0.15, nir=0.10), october) == []


def test_a_field_that_is_greener_waits_for_the_end_of_the_growing_season() -> None:
    greener = changed(red=-0.03, nir=0.12, swir16=0.02)
    assert causes(greener, date(2021, 5, 20)) == [Cause.CROP]
    assert causes(changed(blue=0.01, green=0.01, nir=0.06), date(2021, 5, 20)) == [Cause.CROP]
    assert causes(greener, date(2021, 12, 1)) == []
    assert causes(greener, date(2021, 5, 20), calendar=None) == []
    (flag,) = flags(Evidence(day=date(2021, 5, 20), observed=greener, predicted=GROUND), KOREA)
    assert flag.effect is Effect.WAIT and waits((flag,)) and not holds((flag,))
    assert "after 10-31 counts" in flag.reason


def test_soil_where_a_crop_stood_waits_for_the_second_one_and_a_grey_roof_does_not() -> None:
    crop = GROUND | {"red": 0.06, "nir": 0.35}
    bare = crop | {"blue": 0.09, "green": 0.12, "red": 0.15, "nir": 0.25}
    roof = crop | {"blue": 0.20, "green": 0.21, "red": 0.21, "nir": 0.30}
    for observed, day, expected in (
        (bare, date(2021, 6, 25), [Cause.CROP]),
        (bare, date(2021, 8, 10), []),
        (roof, date(2021, 6, 25), []),
    ):
        found = flags(Evidence(day=day, observed=observed, predicted=crop), KOREA)
        assert [flag.cause for flag in found] == expected


def test_snow_on_a_part_of_a_pixel_brightens_all_but_the_short_waves() -> None:
    patchy = changed(blue=0.10, green=0.10, red=0.09, nir=0.06, swir16=0.01, swir22=0.01)
    assert causes(patchy, date(2021, 2, 10)) == [Cause.THIN_SNOW]
    wet = {"blue": 0.30, "green": 0.32, "red": 0.30, "nir": 0.30, "swir16": 0.28, "swir22": 0.20}
    assert causes(wet, date(2021, 2, 10)) == [Cause.THIN_SNOW]
    missing = changed(blue=-0.05, green=-0.06, red=-0.06, nir=-0.04)
    assert causes(missing, date(2021, 2, 10)) == [Cause.THIN_SNOW]
    assert causes(patchy, SUMMER) == causes(patchy, date(2021, 5, 1)) == []
    assert causes(patchy, date(2021, 2, 10), calendar=None) == []
    assert causes(changed(**{band: ROOF[band] - GROUND[band] for band in ROOF}), date(2021, 2, 10)) == []


def test_haze_is_blue_and_near_what_cloud_hid() -> None:
    hazy = changed(blue=0.08, green=0.06, red=0.05, nir=0.02)
    assert causes(hazy, masked_distance_px=3.0) == [Cause.HAZE_EDGE]
    assert causes(hazy, masked_distance_px=20.0) == []


def test_dust_reddens_the_surroundings_and_is_a_note() -> None:
    evidence = Evidence(
        day=date(2021, 4, 10), observed=ROOF, predicted=GROUND, surroundings={"blue": 0.01, "red": 0.03}
    )
    (flag,) = flags(evidence, KOREA)
    assert (flag.cause, flag.effect) == (Cause.DUST, Effect.NOTE)
    assert not holds((flag,))


def test_a_new_orbit_holds_and_a_new_baseline_or_a_large_shift_is_noted() -> None:
    assert causes(ROOF, orbit="R089D", orbit_looks=1) == [Cause.ORBIT_SWITCH]
    assert causes(ROOF, orbit="R089D", orbit_looks=3) == []
    assert causes(ROOF, orbit_looks=None) == []
    assert causes(ROOF, baseline_is_new=True) == [Cause.BASELINE_CHANGE]
    assert causes(ROOF, shift_px=0.9, usual_shift_px=0.3) == [Cause.ALIGNMENT_OUTLIER]
    assert causes(ROOF, shift_px=0.4, usual_shift_px=0.1) == []


def test_a_flag_says_its_numbers_and_holds() -> None:
    evidence = Evidence(day=SUMMER, observed=ROOF, predicted=GROUND, orbit="R089D", orbit_looks=1)
    found = flags(evidence, KOREA)
    assert holds(found)
    assert "only 1 earlier clear looks from orbit R089D" in found[0].reason
    assert found[0].values == {"looks": 1.0}


@given(
    observed=st.dictionaries(st.sampled_from(sorted(GROUND)), st.floats(-0.1, 1.5), max_size=6),
    predicted=st.dictionaries(st.sampled_from(sorted(GROUND)), st.floats(-0.1, 1.5), max_size=6),
    day=st.dates(date(2016, 1, 1), date(2030, 1, 1)),
    sun=st.none() | st.floats(10, 85),
)
def test_whatever_is_known_flags_are_finite_and_in_order(
    observed: dict[str, float], predicted: dict[str, float], day: date, sun: float | None
) -> None:
    evidence = Evidence(day=day, observed=observed, predicted=predicted, sun_zenith_deg=sun)
    found: tuple[Flag, ...] = flags(evidence, KOREA)
    order = list(Cause)
    assert [order.index(flag.cause) for flag in found] == sorted(order.index(flag.cause) for flag in found)
    assert all(math.isfinite(value) for flag in found for value in flag.values.values())


def test_the_calendar_speaks_for_korea_and_for_no_other_place() -> None:
    assert KOREA is not None
    assert calendar_for(116.4, 39.9) is None
    days = [date(2021, 1, 1) + timedelta(days=number) for number in range(365)]
    counts = {season.name: sum(season.holds(day) for day in days) for season in KOREA.seasons}
    assert counts["dust"] == 92
    assert counts["snow"] == 181
    assert all(season.source for season in KOREA.seasons)
    assert KOREA.season("river_ice", date(2021, 12, 1)) is not None
    assert KOREA.season("river_ice", date(2021, 11, 30)) is None
