"""From looks to detections: what consecutive clear looks agree on.

A fold over the looks of one site and series in order of their days, so that a replay gives the same
detections with the same ids.

    one look that shows it          nothing is said yet
    two in a row that agree         probable
    three in a row that agree       confirmed: the change becomes part of the baseline
    a judged look without it        one look: forgotten; probable: retracted; confirmed: stays

Looks that could not judge (Obscured, Failed, Learning) and looks that show it only faintly (a region
whose magnitude is below 1) neither agree nor disagree.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from shapely import Polygon, get_parts, normalize, union_all

from geo.area import geodesic_area_m2
from imagery.model import Detection, DetectionState, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from shapely.geometry.base import BaseGeometry

    from imagery.model import Look, Region

PROBABLE_LOOKS = 2
CONFIRMED_LOOKS = 3

MIN_COSINE = 0.5
"""Two regions agree when their directions point the same way: within 60 degrees."""

MIN_OVERLAP = 0.5
"""And when they share at least this part of the smaller one."""

_ONE_PIXEL = 0.99


@dataclass(frozen=True, slots=True)
class _Track:
    """A change that is being followed."""

    first: Look
    rank: int
    """Position among the regions of its first look."""
    last_without: date
    last_with: date
    looks_with: int
    seen_once: BaseGeometry
    """What any of its looks shows."""
    seen_twice: BaseGeometry
    """What at least two of its looks show; empty after the first."""
    magnitude: float
    direction: dict[str, float]
    state: DetectionState

    @property
    def is_open(self) -> bool:
        """Whether later looks may still add to it or take it back."""
        return self.state in {DetectionState.CANDIDATE, DetectionState.PROBABLE}


def detections(looks: Sequence[Look]) -> tuple[Detection, ...]:
    """Return the detections of one site, grid and series, in the order in which they were first seen.

    Args:
        looks: In order of their days; each already judged against the detections before it.

    Raises:
        ValueError: Looks of different sites, grids or series, or out of order.
    """
    _check_one_series(looks)
    tracks: tuple[_Track, ...] = ()
    for position, look in enumerate(looks):
        if look.outcome in {Outcome.UNCHANGED, Outcome.CHANGED}:
            tracks = _advance(tracks, look, looks[:position])
    return tuple(_detection(track) for track in tracks if track.looks_with >= PROBABLE_LOOKS)


def _check_one_series(looks: Sequence[Look]) -> None:
    keys = {(look.site_id, look.grid_id, look.series) for look in looks}
    if len(keys) > 1:
        message = f"looks of {len(keys)} sites, grids or series can't be folded together: {sorted(keys)}"
        raise ValueError(message)
    for before, after in pairwise(looks):
        if after.solar_day < before.solar_day:
            message = f"looks are out of order: {after.solar_day} comes after {before.solar_day}"
            raise ValueError(message)


def _advance(tracks: tuple[_Track, ...], look: Look, earlier: Sequence[Look]) -> tuple[_Track, ...]:
    """Add one judged look to the tracks: carry on, take back or drop the open ones, begin new ones."""
    moved = []
    taken: set[int] = set()
    for track in tracks:
        agreeing = [rank for rank, region in enumerate(look.regions) if _agree(track, region)]
        seen = [rank for rank in agreeing if look.regions[rank].magnitude > 1]
        taken.update(seen)
        if track.is_open and seen:
            moved.append(_carried(track, look, [look.regions[rank] for rank in seen]))
        elif not track.is_open or agreeing:
            moved.append(track)
        elif track.state is DetectionState.PROBABLE:
            moved.append(replace(track, state=DetectionState.RETRACTED))
    begun = [
        _begun(look, rank, earlier)
        for rank, region in enumerate(look.regions)
        if region.magnitude > 1 and rank not in taken
    ]
    return (*moved, *begun)


def _agree(track: _Track, region: Region) -> bool:
    """Whether a region and a track cover each other, and changed in the same direction."""
    return overlaps(track.seen_once, region) and cosine(track.direction, region.direction) >= MIN_COSINE


def overlaps(geometry: BaseGeometry, region: Region) -> bool:
    """Whether the overlap is a pixel or more, and at least half of the smaller of the two."""
    shared = geodesic_area_m2(geometry.intersection(region.geometry))
    smaller = min(region.area_m2, geodesic_area_m2(geometry))
    return shared >= max(_ONE_PIXEL * region.area_m2 / region.pixels, MIN_OVERLAP * smaller)


def cosine(a: dict[str, float], b: dict[str, float]) -> float:
    """Return the cosine of the angle between two directions; 1 where either says nothing.

    >>> cosine({"red": 0.1}, {"red": -0.2})
    -1.0
    """
    shared = sorted(a.keys() & b.keys())
    product = sum(a[band] * b[band] for band in shared)
    size = math.hypot(*(a[band] for band in shared)) * math.hypot(*(b[band] for band in shared))
    return product / size if size else 1.0


def _begun(look: Look, rank: int, earlier: Sequence[Look]) -> _Track:
    region = look.regions[rank]
    return _Track(
        first=look,
        rank=rank,
        last_without=_last_without(look, region, earlier),
        last_with=look.solar_day,
        looks_with=1,
        seen_once=region.geometry,
        seen_twice=Polygon(),
        magnitude=region.magnitude,
        direction=region.direction,
        state=DetectionState.CANDIDATE,
    )


def _last_without(look: Look, region: Region, earlier: Sequence[Look]) -> date:
    """Return the day of the latest look that would have shown a region and did not, not even faintly.

    Without such a look it is the latest one that the baseline was learned from, else the look's own day.
    """
    score = region.magnitude * (look.threshold or 0.0)
    learned = [other.solar_day for other in earlier if other.outcome is Outcome.LEARNING]
    for other in reversed(earlier):
        could_show = other.threshold is not None and other.threshold <= score
        if could_show and not any(overlaps(region.geometry, faint) for faint in other.regions):
            return other.solar_day
    return learned[-1] if learned else look.solar_day


def _carried(track: _Track, look: Look, agreeing: Sequence[Region]) -> _Track:
    looks_with = track.looks_with + 1
    shown = union_all([region.geometry for region in agreeing])
    return replace(
        track,
        last_with=look.solar_day,
        looks_with=looks_with,
        seen_once=track.seen_once.union(shown),
        seen_twice=polygons(track.seen_twice.union(track.seen_once.intersection(shown))),
        magnitude=max(track.magnitude, *(region.magnitude for region in agreeing)),
        state=DetectionState.CONFIRMED if looks_with >= CONFIRMED_LOOKS else DetectionState.PROBABLE,
    )


def polygons(geometry: BaseGeometry) -> BaseGeometry:
    """Return the polygons of a geometry without the points and lines where outlines only touch."""
    parts = [part for part in get_parts(geometry) if part.area > 0]
    merged: BaseGeometry = normalize(union_all(parts))
    return merged


def _detection(track: _Track) -> Detection:
    first = track.first
    return Detection(
        id=_id(first, track.rank),
        site_id=first.site_id,
        grid_id=first.grid_id,
        series=first.series,
        state=track.state,
        bracket=f"{track.last_without.isoformat()}/{first.solar_day.isoformat()}",
        last_without=track.last_without,
        first_with=first.solar_day,
        last_with=track.last_with,
        looks_with=track.looks_with,
        geometry=track.seen_twice,
        area_m2=geodesic_area_m2(track.seen_twice),
        magnitude=track.magnitude,
        p_value=None,
        direction=track.direction,
        simulated=first.simulated,
    )


def _id(first: Look, rank: int) -> str:
    content = (first.site_id, first.grid_id, first.series, first.solar_day.isoformat(), rank)
    return f"det-{hashlib.sha256(repr(content).encode()).hexdigest()[:12]}"
