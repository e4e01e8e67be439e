"""The sky, the snow and the wetness of each date, by the calendar of the peninsula.

The shares below are choices of ours. Their shape is that of the climate as it is commonly described: dry
clear winters, dust in spring (March to May), a rainy season from late June to late July with a second one
in August and September, a clear October. Their level is set so that about two dates in five are usable,
which is what one should expect of 73 acquisitions a year there; see docs/simulation.md for what comes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imagery.simulate.spec import SiteSpec


class Sky(StrEnum):
    """What is above the frame."""

    CLEAR = "clear"
    """No cloud, though there may be cirrus or haze."""
    BROKEN = "broken"
    OVERCAST = "overcast"


_MID_MONTHS = np.array([15, 46, 75, 105, 136, 166, 197, 228, 258, 289, 319, 350], dtype=np.float64)
_CLEAR = np.array([0.47, 0.44, 0.41, 0.38, 0.36, 0.25, 0.10, 0.18, 0.34, 0.47, 0.39, 0.45])
_OVERCAST = np.array([0.34, 0.36, 0.38, 0.38, 0.40, 0.50, 0.70, 0.57, 0.43, 0.32, 0.40, 0.36])
_DRY_DAYS = np.array([9.0, 9.0, 7.0, 6.0, 6.0, 4.0, 2.5, 3.0, 5.0, 8.0, 6.0, 8.0])
"""Mean days since the last rain or thaw on a date that is not overcast."""

_SEASON_SHIFT_SD_DAYS = 7.0
"""How much earlier or later the rains come from year to year."""
_DUST_MONTHS = (3, 4, 5)
_DUST_SHARE = 0.12
_CIRRUS_SHARE = 0.2
_DRYING_DAYS = 2.5
_FIRST_SNOW, _LAST_SNOW = 328, 72
"""Days of the year between which snow falls that stays: 24 November to 13 March."""
_SNOWFALL_EVERY_DAYS = 15.0


@dataclass(frozen=True, slots=True)
class Weather:
    """What one date is like."""

    sky: Sky
    cover: float
    """Share of the sky that is cloud; 1 when overcast."""
    cirrus: float
    """Peak opacity of thin high cloud, 0 to 1."""
    dust: float
    """Reflectance that dust adds in the blue and red."""
    snow: float
    """Snow on the ground: places that hold less well than this are white, 0 to about 1.3."""
    ice: float
    """Share of still water that is frozen, 0 to 1."""
    wetness: float
    """0 dry, 1 soaked."""


def draw_weather(days: Sequence[date], spec: SiteSpec, rng: np.random.Generator) -> tuple[Weather, ...]:
    """Return the weather of each day."""
    shifts = {
        year: rng.normal(0.0, _SEASON_SHIFT_SD_DAYS) for year in range(spec.start.year, spec.end.year + 1)
    }
    snow = _snow_cover(days, spec, rng)
    winters = {year: rng.uniform(0.3, 1.0) for year in range(spec.start.year, spec.end.year + 2)}
    return tuple(
        _weather(day, shifts[day.year], cover, winters, spec, rng)
        for day, cover in zip(days, snow, strict=True)
    )


def _weather(
    day: date,
    shift_days: float,
    snow: float,
    winters: dict[int, float],
    spec: SiteSpec,
    rng: np.random.Generator,
) -> Weather:
    turn = day.timetuple().tm_yday - shift_days
    sky, cover = _sky(turn, spec, rng)
    cirrus = rng.uniform(0.01, 0.15) if rng.random() < _CIRRUS_SHARE else 0.0
    dusty = rng.random() < _DUST_SHARE and day.month in _DUST_MONTHS
    dust = rng.uniform(0.01, 0.06)
    dry_days = rng.exponential(_by_month(_DRY_DAYS, turn))
    rough = spec.difficulty.radiometry
    return Weather(
        sky=sky,
        cover=cover,
        cirrus=cirrus if spec.difficulty.clouds else 0.0,
        dust=dust if dusty and spec.difficulty.dust else 0.0,
        snow=snow,
        ice=_ice(day, winters) if spec.difficulty.snow else 0.0,
        wetness=float(np.exp(-dry_days / _DRYING_DAYS)) if rough > 0 else 0.0,
    )


def _sky(turn: float, spec: SiteSpec, rng: np.random.Generator) -> tuple[Sky, float]:
    drawn, cover = rng.random(), rng.beta(1.1, 1.3)
    if not spec.difficulty.clouds or drawn < _by_month(_CLEAR, turn):
        return Sky.CLEAR, 0.0
    if drawn > 1.0 - _by_month(_OVERCAST, turn):
        return Sky.OVERCAST, 1.0
    return Sky.BROKEN, float(np.clip(cover, 0.03, 0.97))


def _by_month(values: np.ndarray, turn: float) -> float:
    return float(np.interp(turn, _MID_MONTHS, values, period=365.0))


def _ice(day: date, winters: dict[int, float]) -> float:
    """Rivers freeze from mid December and open until early March; some winters are mild."""
    turn = day.timetuple().tm_yday
    into_winter = turn - 345 if turn > 180 else turn + 20  # noqa: PLR2004 - the middle of the year
    winter = day.year + 1 if turn > 180 else day.year  # noqa: PLR2004 - as above
    level = np.interp(into_winter, [0, 25, 65, 85], [0.0, 1.0, 1.0, 0.0])
    return float(level * winters[winter])


def _snow_cover(days: Sequence[date], spec: SiteSpec, rng: np.random.Generator) -> np.ndarray:
    """Return the cover on each day: falls that melt in a few days, longer the further north."""
    cover = np.zeros(len(days))
    if not spec.difficulty.snow:
        return cover
    stay_days = float(np.clip(6.0 + 2.5 * (spec.lat - 39.0), 2.0, 20.0))
    ordinals = np.array([day.toordinal() for day in days])
    fall = spec.start - timedelta(days=30)
    while fall <= spec.end:
        fall += timedelta(days=1 + int(rng.exponential(_SNOWFALL_EVERY_DAYS)))
        depth, lasts = rng.uniform(0.3, 1.3), rng.exponential(stay_days) + 1.0
        turn = fall.timetuple().tm_yday
        if turn >= _FIRST_SNOW or turn <= _LAST_SNOW:
            age = ordinals - fall.toordinal()
            cover = np.maximum(cover, np.where(age >= 0, depth * (1.0 - age / lasts), 0.0))
    return cover
