from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.errors import DateError
from geo.sun import sun_position

moments = st.datetimes(datetime(1972, 1, 1), datetime(2049, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants naive limits
lons, lats = st.floats(-180, 180), st.floats(-89, 89)


def test_the_published_example_of_a_finer_algorithm() -> None:
    # Reda and Andreas 2004 (NREL/TP-560-34302), appendix A.5; the zenith without refraction.
    moment = datetime(2003, 10, 17, 12, 30, 30, tzinfo=timezone(timedelta(hours=-7)))
    sun = sun_position(moment, -105.1786, 39.742476)
    assert sun.zenith_deg == pytest.approx(90.0 - 39.872046, abs=0.01)
    assert sun.azimuth_deg == pytest.approx(194.340241, abs=0.01)


@pytest.mark.parametrize(
    ("moment", "lat"),
    [
        # Equinoxes and solstices (US Naval Observatory): the sun stands over 0 and 23.436 degrees.
        ("2021-03-20T09:37Z", 0.0),
        ("2021-06-21T03:32Z", 23.436),
        ("2021-12-21T15:59Z", -23.436),
    ],
)
def test_at_the_turns_of_the_year_the_sun_passes_overhead(moment: str, lat: float) -> None:
    instant = datetime.fromisoformat(moment)
    least = min(sun_position(instant, lon / 4.0, lat).zenith_deg for lon in range(-720, 720))
    assert least < 0.13  # an eighth of a degree of longitude is the step's half


@given(moments, lons, lats)
def test_opposite_places_see_opposite_suns(moment: datetime, lon: float, lat: float) -> None:
    here, there = sun_position(moment, lon, lat), sun_position(moment, lon + 180.0, -lat)
    assert here.zenith_deg + there.zenith_deg == pytest.approx(180.0, abs=1e-5)
    assert 0.0 <= here.azimuth_deg < 360.0


@given(moments, lons, lats)
def test_a_turn_of_the_earth_is_an_hour_each_15_degrees(moment: datetime, lon: float, lat: float) -> None:
    later = sun_position(moment + timedelta(hours=1), lon - 15.0, lat)
    # In an hour the sun itself moves by 0.04 degrees of right ascension and 0.02 of declination.
    assert later.zenith_deg == pytest.approx(sun_position(moment, lon, lat).zenith_deg, abs=0.06)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(DateError, match="no zone"):
        sun_position(datetime(2021, 6, 21), 0.0, 0.0)  # noqa: DTZ001 - the fault that is shown
