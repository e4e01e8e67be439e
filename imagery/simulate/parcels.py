"""How each parcel looks on each date: its season, its year, its wear, snow, wetness, orbit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imagery.simulate.directions import directional_factor
from imagery.simulate.materials import BANDS, DAYS, materials, surface

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from imagery.simulate.acquisitions import Acquisition
    from imagery.simulate.spec import SiteSpec

_KNOT_DAYS = 24
"""Drift is drawn this far apart and joined by straight lines."""
_TILT_SD = 0.04
"""Parcels of one material differ in colour by this much from band to band, relative."""
_WET_BY_BAND = np.array([0.8, 0.85, 0.9, 1.0, 1.35, 1.5], dtype=np.float32)
"""Water darkens soil most where it absorbs."""
_DRYING_PLACES = ("concrete", "asphalt", "yard", "bare_soil")
_DRYING_SHARE = 0.12
_ROTATED_SHARE = 0.05
_ROTATION = {
    "paddy": ("grass",),
    "dry_field": ("grass", "winter_cereal"),
    "winter_cereal": ("dry_field", "grass"),
}
"""What may grow on a field instead, in one year of twenty."""
_STILL_DAY = 213
"""The day that a site without seasons shows: 1 August."""


class Parcels:
    """The parcels of one site through its whole time."""

    def __init__(self, material: NDArray[np.intp], spec: SiteSpec, rng: np.random.Generator) -> None:
        """Draw everything that stays or changes slowly.

        Args:
            material: ``(parcel,)``: rows of `materials`.
            spec: The site.
            rng: Where it is drawn from.
        """
        table, count = materials(), material.size
        rough = min(1.0, spec.difficulty.radiometry)
        self._spec, self._material, self._table = spec, material, table
        years = spec.end.year - spec.start.year + 2
        spread = rng.normal(0, 1, (count, 1)) * table.spread[material][:, None]
        tilt = rng.normal(0, _TILT_SD, (count, len(BANDS)))
        self._colour = np.exp(np.clip(spread + tilt, -0.6, 0.6)).astype(np.float32)
        sd = table.shift_days[material].T
        self._shift_days = (
            rng.normal(0, 1, (years, 1)) * sd[0]
            + rng.normal(0, 1, count) * sd[1]
            + rng.normal(0, 1, (years, count)) * sd[2]
        )
        self._yearly = 1 + rough * rng.normal(0, 1, (years, count)) * table.yearly[material]
        knots = (spec.end - spec.start).days // _KNOT_DAYS + 3
        self._drift = rough * rng.standard_normal((knots, count), dtype=np.float32) * table.drift[material]
        self._glint = 1 + rng.normal(0, 1, (2, count)) * table.glint[material]
        self._snow_hold = table.snow_hold[material] + rng.normal(0, 0.08, count)
        self._drying = _drying(material, years, rng)
        self._grown = _rotation(material, years, rng)

    def reflectance(self, acquisition: Acquisition) -> NDArray[np.float32]:
        """Return the reflectance of each parcel on a date, ``(parcel, band)``."""
        day, weather = acquisition.day, acquisition.weather
        values = self._season(day)
        self._mix_drying(values, day)
        values *= self._colour
        wet = (
            np.float32(self._spec.difficulty.radiometry and weather.wetness) * self._table.wet[self._material]
        )
        values *= 1.0 - np.minimum(wet[:, None] * _WET_BY_BAND, np.float32(0.6))
        values *= self._brightness(acquisition)[:, None].astype(np.float32)
        if weather.ice:
            self._mix(values, "ice", np.float32(weather.ice) * self._table.freezes[self._material])
        if weather.snow > 0:
            self._mix(values, "snow", np.clip((weather.snow - self._snow_hold) / 0.25, 0.0, 0.95))
        return self._by_direction(values, acquisition)

    def _season(self, day: date) -> NDArray[np.float32]:
        turn = day.timetuple().tm_yday if self._spec.difficulty.seasons else _STILL_DAY
        year = day.year - self._spec.start.year
        place = np.mod(turn - 1 - self._shift_days[year], DAYS - 1)
        low = place.astype(np.intp)
        part = (place - low).astype(np.float32)[:, None]
        curves = self._table.curves
        grown = self._grown[year] if self._spec.difficulty.seasons else self._material
        return np.asarray(curves[grown, low] * (1.0 - part) + curves[grown, low + 1] * part)

    def _brightness(self, acquisition: Acquisition) -> NDArray[np.float64]:
        since = (acquisition.day - self._spec.start).days / _KNOT_DAYS
        low = int(since)
        drift = self._drift[low] * (1 - (since - low)) + self._drift[low + 1] * (since - low)
        yearly = self._yearly[acquisition.day.year - self._spec.start.year]
        orbit = acquisition.number % 2 if self._spec.difficulty.two_orbits else 0
        return np.asarray((1 + drift) * yearly * self._glint[orbit])

    def _mix_drying(self, values: NDArray[np.float32], day: date) -> None:
        start, end, amount = self._drying[:, day.year - self._spec.start.year]
        turn = day.timetuple().tm_yday
        spread = np.where((start <= turn) & (turn < end), amount, 0.0).astype(np.float32)
        if self._spec.difficulty.seasons and spread.any():
            self._mix(values, "grain", spread)

    def _by_direction(self, values: NDArray[np.float32], acquisition: Acquisition) -> NDArray[np.float32]:
        (sun_deg, sun_azimuth_deg), (view_deg, view_azimuth_deg) = acquisition.sun_deg, acquisition.view_deg
        factor = directional_factor(sun_deg, view_deg, sun_azimuth_deg - view_azimuth_deg)
        share = self._table.directional[self._material][:, None]
        return np.asarray(values * (1.0 + share * (factor - 1.0)), dtype=np.float32)

    @staticmethod
    def _mix(values: NDArray[np.float32], name: str, share: NDArray[np.float32]) -> None:
        part = share[:, None].astype(np.float32)
        values *= 1.0 - part
        values += part * surface(name)


def _rotation(material: NDArray[np.intp], years: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Return what grows on each parcel in each year, ``(year, parcel)``: some fields change or lie fallow."""
    grown = np.tile(material, (years, 1))
    changed = rng.random(grown.shape) < _ROTATED_SHARE
    for name, others in _ROTATION.items():
        rows = [materials().index(other) for other in others]
        here = changed & (material == materials().index(name))
        grown[here] = rng.choice(rows, size=int(np.count_nonzero(here)))
    return grown


def _drying(material: NDArray[np.intp], years: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return first day, day after the last and share of grain laid out, ``(3, year, parcel)``.

    After the harvest rice and maize lie on roads and yards to dry, from late September into November.
    """
    shape = (years, material.size)
    start = rng.uniform(268, 300, shape)
    end = start + rng.uniform(8, 30, shape)
    places = np.isin(material, [materials().index(name) for name in _DRYING_PLACES])
    used = places & (rng.random(shape) < _DRYING_SHARE)
    return np.stack([start, end, np.where(used, rng.uniform(0.25, 0.9, shape), 0.0)])
