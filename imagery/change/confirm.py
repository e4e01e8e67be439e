"""From looks to detections: what consecutive clear looks agree on.

A fold over the looks of one site and series in order of their days, so that a replay gives the same
detections with the same ids.

    one Changed look                nothing is said yet
    two in a row that agree         probable
    three in a row that agree       confirmed: the change becomes part of the baseline
    a clear look without it         one look: forgotten; probable: retracted; confirmed: stays

Looks that could not judge (Obscured, Failed, Learning) neither agree nor disagree.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from shapely import get_parts, normalize, union_all

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

_OVERLAP_PX = 0.99


@dataclass(frozen=True, slots=True)
class _Track:
    """A change that is being followed."""

    first: Look
    rank: int
    """Position among the regions of its first look."""
    last_without: date
    last_with: date
    looks_with: int
    geometry: BaseGeometry
    """Outline in the first look, then what the first two looks agree on."""
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
    learned = judged = None
    for look in looks:
        if look.outcome is Outcome.LEARNING:
            learned = look.solar_day
        elif look.outcome in {Outcome.UNCHANGED, Outcome.CHANGED}:
            tracks = _advance(tracks, look, judged or learned or look.solar_day)
            judged = look.solar_day
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


def _advance(tracks: tuple[_Track, ...], look: Look, last_without: date) -> tuple[_Track, ...]:
    """Add one judged look to the tracks: carry on, take back or drop the open ones, begin new ones."""
    moved = []
    taken: set[int] = set()
    for track in tracks:
        agreeing = [rank for rank, region in enumerate(look.regions) if _agree(track, region)]
        if not track.is_open:
            moved.append(track)
        elif agreeing:
            taken.update(agreeing)
            moved.append(_carried(track, look, [look.regions[rank] for rank in agreeing]))
        elif track.state is DetectionState.PROBABLE:
            moved.append(replace(track, state=DetectionState.RETRACTED))
    begun = [_begun(look, rank, last_without) for rank in range(len(look.regions)) if rank not in taken]
    return (*moved, *begun)


def _agree(track: _Track, region: Region) -> bool:
    """Whether a region covers at least a pixel of a track and changed in the same direction."""
    pixel_m2 = region.area_m2 / region.pixels
    shared = track.geometry.intersection(region.geometry)
    return (
        geodesic_area_m2(shared) >= _OVERLAP_PX * pixel_m2
        and cosine(track.direction, region.direction) >= MIN_COSINE
    )


def cosine(a: dict[str, float], b: dict[str, float]) -> float:
    """Return the cosine of the angle between two directions; 1 where either says nothing.

    >>> cosine({"red": 0.1}, {"red": -0.2})
    -1.0
    """
    shared = sorted(a.keys() & b.keys())
    product = sum(a[band] * b[band] for band in shared)
    size = math.hypot(*(a[band] for band in shared)) * math.hypot(*(b[band] for band in shared))
    return product / size if size else 1.0


def _begun(look: Look, rank: int, last_without: date) -> _Track:
    region = look.regions[rank]
    return _Track(
        first=look,
        rank=rank,
        last_without=last_without,
        last_with=look.solar_day,
        looks_with=1,
        geometry=region.geometry,
        magnitude=region.magnitude,
        direction=region.direction,
        state=DetectionState.CANDIDATE,
    )


def _carried(track: _Track, look: Look, agreeing: Sequence[Region]) -> _Track:
    looks_with = track.looks_with + 1
    geometry = track.geometry
    if looks_with == PROBABLE_LOOKS:
        geometry = polygons(geometry.intersection(union_all([region.geometry for region in agreeing])))
    return replace(
        track,
        last_with=look.solar_day,
        looks_with=looks_with,
        geometry=geometry,
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
        geometry=track.geometry,
        area_m2=geodesic_area_m2(track.geometry),
        magnitude=track.magnitude,
        p_value=None,
        direction=track.direction,
        simulated=first.simulated,
    )


def _id(first: Look, rank: int) -> str:
    content = (first.site_id, first.grid_id, first.series, first.solar_day.isoformat(), rank)
    return f"det-{hashlib.sha256(repr(content).encode()).hexdigest()[:12]}"
