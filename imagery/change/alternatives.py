"""What else could have made a place look changed on a day: the evidence for `imagery.change.causes`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imagery.change.cases import mean_over
from imagery.change.causes import Evidence, Flag, flags
from imagery.masks import SceneClass

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.change.day import Day
    from imagery.change.matched import Place
    from imagery.model import Chip

NEAR_PX = 16
"""Snow so near to a place speaks for snow on it."""


def flags_at(day: Day, place: Place) -> tuple[Flag, ...]:
    """Return what else would look like this, in a place; nothing where counts have no scale."""
    if day.frame.scale is None:
        return ()
    window = (slice(None), *day.frame.window)
    bands, shapes = day.frame.bands, day.frame.shapes
    row, column = day.frame.pixel_of(place)
    shift = day.result.shift
    evidence = Evidence(
        day=day.chip.solar_day,
        observed=by_band(bands, mean_over(day.result.values[window], place, shapes)),
        predicted=by_band(bands, mean_over(day.result.predicted[window], place, shapes)),
        surroundings=by_band(bands, -day.result.normalised.level),
        snow_share=_snow_share(day.chip, row, column),
        masked_distance_px=_masked_distance(day.chip, row, column),
        sun_zenith_deg=day.chip.geometry.sun_zenith_deg,
        orbit=day.chip.geometry.orbit,
        orbit_looks=day.record.orbit_looks,
        shift_px=0.0 if shift is None else shift.length_px,
        usual_shift_px=day.record.usual_shift_px,
        baseline_is_new=day.record.baseline_is_new,
    )
    return flags(evidence, day.material.calendar)


def by_band(bands: Sequence[str], values: NDArray[np.floating]) -> dict[str, float]:
    """Return the finite values by band."""
    return {band: float(value) for band, value in zip(bands, values, strict=True) if np.isfinite(value)}


def noted(known: tuple[str, ...], found: Sequence[Flag]) -> tuple[str, ...]:
    """Return the notes with those that were found, each once."""
    return tuple(dict.fromkeys((*known, *(f"{flag.cause}: {flag.reason}" for flag in found))))


def told(found: Sequence[Flag]) -> str:
    """Return flags as a part of a sentence."""
    return "; ".join(f"it may be {flag.cause} ({flag.reason})" for flag in found)


def _snow_share(chip: Chip, row: int, column: int) -> float:
    rows, columns = (slice(max(at - NEAR_PX, 0), at + NEAR_PX + 1) for at in (row, column))
    near = chip.classes[rows, columns]
    return float((near == SceneClass.SNOW).mean()) if near.size else 0.0


def _masked_distance(chip: Chip, row: int, column: int) -> float:
    """Return the distance to the nearest pixel that cloud or its shadow hid, in pixels."""
    hidden = np.isin(chip.classes, (SceneClass.CLOUD, SceneClass.CIRRUS, SceneClass.SHADOW))
    rows, columns = np.nonzero(hidden)
    return float(np.hypot(rows - row, columns - column).min()) if rows.size else float("inf")
