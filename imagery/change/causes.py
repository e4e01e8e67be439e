"""What else would look like this: causes that are weighed before a change raises an alarm.

Each rule looks at plain numbers of one look and one changed place and says nothing, or what it saw with
the values it saw it by. A flag that *holds* keeps the look from counting for a detection; a *note* only
stands beside it. Without a calendar of the place no season is assumed, and rules that need one are silent.

Sources: NDSI of 0.4 and reflectance over 0.10 as snow, Hall and Riggs (MODIS snow products, ATBD MOD10);
MNDWI above 0 as open water, Xu 2006 (International Journal of Remote Sensing 27, 3025); scattering by haze
and smoke falls with wavelength and that by dust less so, hence haze is bluest and dust raises red most.
The limits that no source gives are ours and stand beside their names.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from imagery.change.calendar import Calendar

SNOW_NDSI = 0.4
SNOW_MIN_GREEN = 0.10
SNOW_NEAR_SHARE = 0.2
"""Share of snow by the scene classes around the place from which on bare snow at its edge is likely."""

THIN_SNOW_STEP = 0.02
THIN_SNOW_SWIR_PART = 0.13
"""Short-wave infrared goes with green by at most this part of it; for a small roof by a fifth and more, since
it is seen at 20 m."""
THIN_SNOW_WET_PART = 0.3
THIN_SNOW_MNDWI = 0.05
"""Or by at most the one, and MNDWI is then at least the other: hardly any roof or soil has that."""

SHADOW_MAX_RATIO = 0.75
"""Every band is at most this part of what was predicted: a shadow dims all bands."""
SHADOW_SPREAD = 0.35
"""The ratios of the bands differ by less than this: a shadow has no colour of its own but some blue."""
SHADOW_MIN_SUN_ZENITH_DEG = 40.0
"""With the sun higher than this a storey throws a shadow shorter than half a pixel."""

WATER_MNDWI_RISE = 0.15
DRYING_MIN_RISE = 0.02
"""Reflectance: red rose by at least this."""
DRYING_BLUE_PART = 0.75
"""Blue rose by at most this part of red: straw and maize are yellow, concrete and roofs are grey."""

CROP_NDVI_STEP = 0.10
CROP_NDVI = 0.25
"""NDVI from which on plants are taken to stand there."""
CROP_NIR_STEP = 0.05
CROP_RED_PART = 0.25
"""Near infrared rose by at least the one, and red by at most this part of it: a crop that stands better."""

HAZE_REACH_PX = 6.0
HAZE_BLUE_PART = 1.15
"""Blue rose by at least this multiple of red."""
DUST_MIN_RISE = 0.015
"""Reflectance: the surroundings' own red rose by at least this."""

NEW_ORBIT_LOOKS = 3
"""Fewer earlier clear looks of an orbit than this know nothing of how it sees the ground."""


class Cause(StrEnum):
    """What may have made a place look changed, other than a change."""

    SNOW = "snow"
    THIN_SNOW = "snow on a part of it"
    CAST_SHADOW = "cast shadow"
    PADDY_FLOODING = "paddy flooding"
    HARVEST_DRYING = "harvest laid out to dry"
    CROP = "another crop"
    DUST = "dust"
    HAZE_EDGE = "edge of haze or cloud"
    ORBIT_SWITCH = "another orbit"
    ALIGNMENT_OUTLIER = "badly aligned"
    BASELINE_CHANGE = "another processing baseline"


class Effect(StrEnum):
    """What a flag does to an alarm."""

    HOLD = "hold"
    """The look does not count for a detection."""
    WAIT = "wait"
    """Nothing is raised by it while the season lasts; what stands after it will be."""
    NOTE = "note"
    """It counts; the flag is shown beside it."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One cause that fits."""

    cause: Cause
    effect: Effect
    reason: str
    """In words, with the numbers."""
    values: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What is known of one changed place in one look; reflectances are means weighted by its template."""

    day: date
    observed: Mapping[str, float]
    """Reflectance by canonical band."""
    predicted: Mapping[str, float]
    """What the model predicted for that day."""
    surroundings: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    """Median residual of the surroundings by band, before it was taken off."""
    snow_share: float = 0.0
    """Of the pixels around the place, by the scene classes, 0 to 1."""
    masked_distance_px: float = math.inf
    """To the nearest pixel that cloud or shadow hid."""
    sun_zenith_deg: float | None = None
    orbit: str = ""
    orbit_looks: int | None = None
    """Earlier clear looks of this orbit; None where orbits are not known."""
    shift_px: float = 0.0
    """Length of the shift that alignment took out."""
    usual_shift_px: float = math.inf
    """Nine in ten earlier looks moved less."""
    baseline_is_new: bool = False
    """No earlier clear look was made by this processing baseline."""

    def change(self, band: str) -> float:
        """Return observed minus predicted of a band; NaN where either is unknown."""
        return self.observed.get(band, math.nan) - self.predicted.get(band, math.nan)


def flags(evidence: Evidence, calendar: Calendar | None) -> tuple[Flag, ...]:
    """Return every cause that fits, in the order of `Cause`; empty where none does.

    Args:
        evidence: Of one look and place.
        calendar: Of the place; None assumes no season.
    """
    found = (rule(evidence, calendar) for rule in _RULES)
    return tuple(flag for flag in found if flag is not None)


def holds(found: tuple[Flag, ...]) -> bool:
    """Return whether any flag keeps the look from counting for a detection."""
    return any(flag.effect is Effect.HOLD for flag in found)


def waits(found: tuple[Flag, ...]) -> bool:
    """Return whether any flag says to wait for the end of a season."""
    return any(flag.effect is Effect.WAIT for flag in found)


def _index(values: Mapping[str, float], first: str, second: str) -> float:
    """Return the normalised difference of two bands; NaN where either is unknown or both are dark."""
    a, b = values.get(first, math.nan), values.get(second, math.nan)
    return (a - b) / (a + b) if a + b > 0 else math.nan


def _snow(evidence: Evidence, calendar: Calendar | None) -> Flag | None:
    ndsi = _index(evidence.observed, "green", "swir16")
    green = evidence.observed.get("green", math.nan)
    is_snow = ndsi >= SNOW_NDSI and green >= SNOW_MIN_GREEN and evidence.change("green") > 0
    near = evidence.snow_share >= SNOW_NEAR_SHARE
    if not (is_snow or near):
        return None
    if calendar is not None and calendar.season("snow", evidence.day) is None:
        return None
    values = {"ndsi": ndsi, "green": green, "snow_share": evidence.snow_share}
    words = f"NDSI {ndsi:.2f} with green {green:.2f}" if is_snow else "the classes show snow around it"
    return _flag(
        Cause.SNOW, Effect.HOLD, f"{words}; {evidence.snow_share:.0%} of its surroundings are snow", values
    )


def _cast_shadow(evidence: Evidence, _calendar: Calendar | None) -> Flag | None:
    ratios = [
        evidence.observed[band] / value
        for band, value in evidence.predicted.items()
        if value > 0 and band in evidence.observed
    ]
    zenith = evidence.sun_zenith_deg
    if len(ratios) < 3 or zenith is None or zenith < SHADOW_MIN_SUN_ZENITH_DEG:  # noqa: PLR2004 - a colour needs three
        return None
    if max(ratios) > SHADOW_MAX_RATIO or max(ratios) - min(ratios) > SHADOW_SPREAD:
        return None
    mean = sum(ratios) / len(ratios)
    height = 90 - zenith
    reason = (
        f"all bands fell alike, to {mean:.0%} of what was predicted, with the sun {height:.0f} degrees high"
    )
    return _flag(Cause.CAST_SHADOW, Effect.HOLD, reason, {"ratio": mean, "sun_zenith_deg": zenith})


def _paddy_flooding(evidence: Evidence, calendar: Calendar | None) -> Flag | None:
    if calendar is None or calendar.season("paddy_flooding", evidence.day) is None:
        return None
    before = _index(evidence.predicted, "green", "swir16")
    after = _index(evidence.observed, "green", "swir16")
    if not (after - before >= WATER_MNDWI_RISE and evidence.change("swir16") < 0):
        return None
    reason = f"MNDWI rose from {before:.2f} to {after:.2f} in the weeks in which paddies are flooded"
    return _flag(Cause.PADDY_FLOODING, Effect.HOLD, reason, {"mndwi_before": before, "mndwi": after})


def _harvest_drying(evidence: Evidence, calendar: Calendar | None) -> Flag | None:
    if calendar is None or calendar.season("harvest", evidence.day) is None:
        return None
    blue, red = evidence.change("blue"), evidence.change("red")
    if not (red >= DRYING_MIN_RISE and blue <= DRYING_BLUE_PART * red):
        return None
    reason = f"red rose by {red:.3f} and blue by {blue:.3f} after the harvest: crops are laid out to dry then"
    return _flag(Cause.HARVEST_DRYING, Effect.HOLD, reason, {"red": red, "blue": blue})


def _crop(evidence: Evidence, calendar: Calendar | None) -> Flag | None:
    """Find a field that bears another crop than in other years, or was harvested early."""
    if calendar is None:
        return None
    before, after = (_index(each, "nir", "red") for each in (evidence.predicted, evidence.observed))
    blue, red, nir = (evidence.change(band) for band in ("blue", "red", "nir"))
    greener = after - before >= CROP_NDVI_STEP or (nir >= CROP_NIR_STEP and red <= CROP_RED_PART * nir)
    if greener and after >= CROP_NDVI:
        name, words = "growing", "a field that bears another crop than in other years is greener for months"
    elif before - after >= CROP_NDVI_STEP and before >= CROP_NDVI and blue <= DRYING_BLUE_PART * red:
        name, words = "early_harvest", "winter cereals and early potatoes leave bare soil and straw"
    else:
        return None
    season = calendar.season(name, evidence.day)
    if season is None:
        return None
    until = f"{season.end[0]:02d}-{season.end[1]:02d}"
    reason = f"NDVI went from {before:.2f} to {after:.2f}: {words}; what stands after {until} counts"
    return _flag(Cause.CROP, Effect.WAIT, reason, {"ndvi_before": before, "ndvi": after})


def _thin_snow(evidence: Evidence, calendar: Calendar | None) -> Flag | None:
    """Find snow on a part of a pixel, or snow that is missing there: the short waves hardly know of it."""
    season = None if calendar is None else calendar.season("snow", evidence.day)
    green, swir = evidence.change("green"), evidence.change("swir16")
    if season is None or not abs(green) >= THIN_SNOW_STEP or _snow(evidence, calendar):
        return None
    # Where snow is missing, it is the prediction that is wet.
    wet = _index(evidence.observed if green > 0 else evidence.predicted, "green", "swir16") >= THIN_SNOW_MNDWI
    along = swir if green > 0 else -swir
    if not along <= (THIN_SNOW_WET_PART if wet else THIN_SNOW_SWIR_PART) * abs(green):
        return None
    until = f"{season.end[0]:02d}-{season.end[1]:02d}"
    what = "snow or ice on a part of it" if green > 0 else "snow that lies there in other years"
    went = f"green went by {green:+.3f} and swir16 by {swir:+.3f}, as with {what}"
    reason = f"{went}; what stands after {until} counts"
    return _flag(Cause.THIN_SNOW, Effect.WAIT, reason, {"green": green, "swir16": swir})


def _dust(evidence: Evidence, calendar: Calendar | None) -> Flag | None:
    if calendar is None or calendar.season("dust", evidence.day) is None:
        return None
    blue, red = (evidence.surroundings.get(band, math.nan) for band in ("blue", "red"))
    if not (red >= DUST_MIN_RISE and red >= blue):
        return None
    reason = f"the surroundings' red rose by {red:.3f} and their blue by {blue:.3f}, in the season of dust"
    return _flag(Cause.DUST, Effect.NOTE, reason, {"red": red, "blue": blue})


def _haze_edge(evidence: Evidence, _calendar: Calendar | None) -> Flag | None:
    blue, red = evidence.change("blue"), evidence.change("red")
    near = evidence.masked_distance_px <= HAZE_REACH_PX
    if not (near and red > 0 and blue >= HAZE_BLUE_PART * red):
        return None
    distance = evidence.masked_distance_px
    reason = (
        f"blue rose most ({blue:.3f}, red {red:.3f}), {distance:.0f} pixels from what cloud or its shadow hid"
    )
    return _flag(Cause.HAZE_EDGE, Effect.HOLD, reason, {"blue": blue, "red": red, "distance_px": distance})


def _orbit_switch(evidence: Evidence, _calendar: Calendar | None) -> Flag | None:
    looks = evidence.orbit_looks
    if looks is None or looks >= NEW_ORBIT_LOOKS:
        return None
    reason = f"only {looks} earlier clear looks from orbit {evidence.orbit}: its view is not known yet"
    return _flag(Cause.ORBIT_SWITCH, Effect.HOLD, reason, {"looks": float(looks)})


def _alignment_outlier(evidence: Evidence, _calendar: Calendar | None) -> Flag | None:
    if evidence.shift_px <= max(evidence.usual_shift_px, _LEAST_SHIFT_PX):
        return None
    usual = evidence.usual_shift_px
    reason = (
        f"the image lay {evidence.shift_px:.2f} pixels off, nine in ten earlier ones less than {usual:.2f}"
    )
    return _flag(
        Cause.ALIGNMENT_OUTLIER, Effect.NOTE, reason, {"shift_px": evidence.shift_px, "usual_px": usual}
    )


def _baseline_change(evidence: Evidence, _calendar: Calendar | None) -> Flag | None:
    if not evidence.baseline_is_new:
        return None
    reason = "the first clear look made by its processing baseline"
    return _flag(Cause.BASELINE_CHANGE, Effect.NOTE, reason, {})


def _flag(cause: Cause, effect: Effect, reason: str, values: dict[str, float]) -> Flag:
    known = {name: value for name, value in values.items() if math.isfinite(value)}
    return Flag(cause, effect, reason, MappingProxyType(known))


_LEAST_SHIFT_PX = 0.5
"""A shift below half a pixel is no outlier, however still the others lay."""

_RULES: tuple[Callable[[Evidence, Calendar | None], Flag | None], ...] = (
    _snow,
    _thin_snow,
    _cast_shadow,
    _paddy_flooding,
    _harvest_drying,
    _crop,
    _dust,
    _haze_edge,
    _orbit_switch,
    _alignment_outlier,
    _baseline_change,
)
