"""Many sites at once, drawn evenly over kinds of ground and over how well a place is known."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING

from imagery.simulate.spec import (
    PIXEL_M,
    Change,
    ChangeKind,
    Difficulty,
    GroundKind,
    Rectangle,
    SiteSpec,
)

if TYPE_CHECKING:
    import numpy as np

ROOF_CONTRAST = (0.14, 0.145, 0.15, 0.10, 0.08, 0.07)
"""A new light roof: 0.15 more in the red and 0.10 more in the near infrared than the ground below it."""

_LONGITUDES, _LATITUDES = (125.2, 127.2), (38.0, 41.0)
"""Mostly land of the northern half of the peninsula."""
_LISTED_SIDES_M = (12.0, 60.0)
_SEARCH_SIDES_M = (200.0, 400.0)
_QUIET_END_DAYS = 60
"""No change falls into the last days of a site, where nobody could see it twice."""


@dataclass(frozen=True, slots=True)
class Population:
    """What the sites of a population have in common, and over what they vary."""

    frame_px: int = 64
    start: date = date(2021, 1, 1)
    end: date = date(2024, 6, 30)
    grounds: tuple[GroundKind, ...] = tuple(GroundKind)
    listed: tuple[bool, ...] = (True, False)
    """Whether sites have a footprint (True), are searched (False), or half of each."""
    sizes_m: tuple[tuple[float, float], ...] = (
        (10.0, 10.0),
        (17.0, 12.0),
        (20.0, 20.0),
        (30.0, 30.0),
        (40.0, 40.0),
        (60.0, 60.0),
    )
    """Width and height of the changes."""
    contrasts: tuple[tuple[float, ...] | None, ...] = (ROOF_CONTRAST,)
    """Added reflectance in each band; None: the materials of a kind of change, drawn evenly."""
    kinds: tuple[ChangeKind, ...] = tuple(ChangeKind)
    """Kinds of change where a contrast is None."""
    ramps_days: tuple[int, ...] = (0,)
    warm_up_days: int = 548
    """No change before so many days: the site must be known first."""
    difficulty: Difficulty = field(default_factory=Difficulty)


USUAL = Population()


def random_specs(
    count: int,
    rng: np.random.Generator,
    *,
    quiet: bool,
    population: Population = USUAL,
    prefix: str = "simulated",
) -> tuple[SiteSpec, ...]:
    """Draw sites; kinds of ground, modes, sizes, contrasts and ramps come in turn, so all as often.

    Args:
        count: How many.
        rng: Positions, days and the like.
        quiet: Whether nothing is planted.
        population: Over what they vary.
        prefix: Their ids are ``<prefix>-0001`` and so on.
    """
    return tuple(_spec(number, rng, population, quiet=quiet, prefix=prefix) for number in range(count))


def _spec(number: int, rng: np.random.Generator, among: Population, *, quiet: bool, prefix: str) -> SiteSpec:
    among_all = (among.grounds, among.listed, among.sizes_m, among.contrasts, among.ramps_days)
    turns = _turns(number, [len(values) for values in among_all])
    ground, listed = among.grounds[turns[0]], among.listed[turns[1]]
    size, contrast = among.sizes_m[turns[2]], among.contrasts[turns[3]]
    ramp_days = among.ramps_days[turns[4]]
    lon, lat = rng.uniform(*_LONGITUDES), rng.uniform(*_LATITUDES)
    search_side_m = min(float(rng.uniform(*_SEARCH_SIDES_M)), (among.frame_px - 8) * PIXEL_M)
    sub_pixel_m = rng.uniform(-PIXEL_M, PIXEL_M, size=2)
    side_m = rng.uniform(*_LISTED_SIDES_M, size=2)
    listed_size = (float(side_m[0]), float(side_m[1])) if quiet else size
    footprint = Rectangle(*listed_size, *(float(value) for value in sub_pixel_m)) if listed else None
    change = _change(rng, among, footprint, search_side_m, size, contrast, ramp_days)
    return SiteSpec(
        site_id=f"{prefix}-{number + 1:04d}",
        ground=ground,
        frame_px=among.frame_px,
        lon=float(lon),
        lat=float(lat),
        start=among.start,
        end=among.end,
        footprint=footprint,
        search_side_m=search_side_m,
        changes=() if quiet else (change,),
        difficulty=among.difficulty,
    )


def _turns(number: int, lengths: list[int]) -> list[int]:
    """Return an index for each list: neighbours differ in all, and each combination comes equally often."""
    turns, before = [], 1
    for length in lengths:
        turns.append((number // before + number % before) % length)
        before *= length
    return turns


def _change(
    rng: np.random.Generator,
    among: Population,
    footprint: Rectangle | None,
    search_side_m: float,
    size: tuple[float, float],
    contrast: tuple[float, ...] | None,
    ramp_days: int,
) -> Change:
    reach_m = max(0.0, (search_side_m - max(size)) / 2)
    east_m, south_m = (float(value) for value in rng.uniform(-reach_m, reach_m, size=2))
    drawn = among.kinds[int(rng.integers(len(among.kinds)))]
    first = among.start + timedelta(days=among.warm_up_days)
    days = max(1, (among.end - first).days - _QUIET_END_DAYS - ramp_days)
    day = first + timedelta(days=int(rng.integers(days)))
    return Change(
        ChangeKind.NEW_ROOF if contrast is not None else drawn,
        footprint or Rectangle(*size, east_m, south_m),
        day,
        ramp_days,
        contrast,
    )
