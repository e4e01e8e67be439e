"""When a site is seen, from where, and how well: everything about a date but its pixels.

A site is seen every five days from two relative orbits in turn, by two satellites. (In truth two orbits
overlap over a part of the ground only, where they give about 146 passes a year, three and two days apart.)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np

from geo.sun import sun_position
from imagery.model import AcquisitionGeometry, orbit_key
from imagery.simulate.weather import Sky, Weather, draw_weather

if TYPE_CHECKING:
    from imagery.simulate.spec import SiteSpec

REVISIT_DAYS = 5

BASELINE_04_DAY = date(2022, 1, 25)
"""From here on stored counts are raised by `BASELINE_04_OFFSET` (ESA, processing baseline 04.00)."""
BASELINE_04_OFFSET = 1000

MAX_SHIFT_PX = 2.2

_ANGLE_DIGITS = 4
"""Decimals of the sun's angles in degrees; an archive keeps no more than six."""


@dataclass(frozen=True, slots=True)
class Orbit:
    """One of the tracks a site is seen from."""

    key: str
    view_zenith_deg: float
    view_azimuth_deg: float
    """From the point below the satellite to the site, clockwise from north."""
    minute: int
    """Minutes after 2 h UTC at which it passes."""


_ORBITS = (
    Orbit(orbit_key(46, "descending"), 8.6, 104.0, 11),
    Orbit(orbit_key(89, "descending"), 8.2, 287.0, 21),
)


@dataclass(frozen=True, slots=True)
class Acquisition:
    """One date of a site."""

    number: int
    """From 0, in order of time."""
    acquired: datetime
    platform: str
    geometry: AcquisitionGeometry
    weather: Weather
    shift_px: tuple[float, float]
    """True misregistration: how far right and down of its place the content lies."""
    unharmonised: bool
    """Its canonical counts still carry the offset of baseline 04.00."""
    seed: int
    """All that is random in its pixels comes from this."""

    @property
    def day(self) -> date:
        """The day; over Korea the solar day is that of UTC."""
        return self.acquired.date()

    @property
    def sun_deg(self) -> tuple[float, float]:
        """Zenith and azimuth (clockwise from north) of the sun."""
        return self.geometry.sun_zenith_deg or 0.0, self.geometry.sun_azimuth_deg or 0.0

    @property
    def view_deg(self) -> tuple[float, float]:
        """Zenith of the line of sight, and the direction in which the satellite stands from the site."""
        return self.geometry.view_zenith_deg or 0.0, ((self.geometry.view_azimuth_deg or 0.0) + 180) % 360

    @property
    def overcast(self) -> bool:
        """Whether nothing of the ground is seen."""
        return self.weather.sky is Sky.OVERCAST

    @property
    def processing_baseline(self) -> str:
        """The baseline a product of that day had."""
        return "04.00" if self.day >= BASELINE_04_DAY else "03.01"

    @property
    def raised(self) -> int:
        """Counts that a stored product of that day is raised by."""
        return BASELINE_04_OFFSET if self.day >= BASELINE_04_DAY else 0


def draw_acquisitions(spec: SiteSpec, rng: np.random.Generator) -> tuple[Acquisition, ...]:
    """Return the dates of a site in order."""
    first = spec.start + timedelta(days=int(rng.integers(REVISIT_DAYS)))
    count = (spec.end - first).days // REVISIT_DAYS + 1
    days = [first + timedelta(days=REVISIT_DAYS * number) for number in range(count)]
    weather = draw_weather(days, spec, rng)
    shifts = _shifts(count, spec, rng)
    raised = rng.random(count) < spec.difficulty.unharmonised
    seeds = rng.integers(2**63, size=count)
    return tuple(
        _acquisition(
            number, day, weather[number], shifts[number], bool(raised[number]), int(seeds[number]), spec
        )
        for number, day in enumerate(days)
    )


def _acquisition(
    number: int,
    day: date,
    weather: Weather,
    shift: np.ndarray,
    raised: bool,  # noqa: FBT001 - as above
    seed: int,
    spec: SiteSpec,
) -> Acquisition:
    orbit = _ORBITS[number % 2 if spec.difficulty.two_orbits else 0]
    acquired = datetime(day.year, day.month, day.day, 2, orbit.minute, 31 + seed % 20, tzinfo=UTC)
    sun = sun_position(acquired, spec.lon, spec.lat)
    return Acquisition(
        number=number,
        acquired=acquired,
        platform="sentinel-2a" if number // 2 % 2 else "sentinel-2b",
        geometry=AcquisitionGeometry(
            orbit.key,
            round(sun.zenith_deg, _ANGLE_DIGITS),
            round(sun.azimuth_deg, _ANGLE_DIGITS),
            orbit.view_zenith_deg,
            orbit.view_azimuth_deg,
        ),
        weather=weather,
        shift_px=(float(shift[0]), float(shift[1])),
        unharmonised=raised and day >= BASELINE_04_DAY,
        seed=seed,
    )


def _shifts(count: int, spec: SiteSpec, rng: np.random.Generator) -> np.ndarray:
    """Return right and down of each date, ``(count, 2)``."""
    usual = rng.normal(0.0, 1.0, (count, 2)) * spec.difficulty.shift_sd_px
    turn, length = rng.uniform(0, 2 * np.pi, count), rng.uniform(1.0, 2.0, count)
    far = np.stack([length * np.cos(turn), length * np.sin(turn)], axis=1)
    is_far = rng.random(count) < spec.difficulty.shift_outliers
    return np.clip(np.where(is_far[:, None], far, usual), -MAX_SHIFT_PX, MAX_SHIFT_PX)
