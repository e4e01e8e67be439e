"""Which sites may be one: how far apart they lie, and how alike their names are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from shapely import STRtree, box

from geo.area import geodesic_distance_m
from sites.categories import Category
from sites.query import Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shapely.geometry import Point, Polygon

    from sites.model import Site

SAME_SPOT_M = 50.0
"""Two sites of one category (or of none in particular) this close are reported whatever they are called."""

SAME_NAME_M = 2000.0
"""Two such sites with names alike are reported up to this distance."""

ALIKE = 0.85
"""Names this similar (0 to 1) count as alike."""

_MAX_NAMES = 20
_METRES_A_DEGREE = 110_000.0  # a little less than the shortest degree of latitude, 110,574 m


@dataclass(frozen=True, slots=True)
class NearDuplicate:
    """Two sites that may be one."""

    site_id: str
    """The one that is being added."""
    other_id: str
    other_name: str
    distance_m: float | None
    """None when one of them is not placed."""
    similarity: float
    """Of their most similar names, 0 to 1."""

    def __str__(self) -> str:
        """Return it as a line of a report."""
        apart = "not both placed" if self.distance_m is None else f"{self.distance_m:.0f} m apart"
        other = f"{self.other_id} ({self.other_name})"
        return f"{self.site_id} may be {other}: {apart}, names {self.similarity:.0%} alike"


def near_duplicates(added: Sequence[Site], present: Sequence[Site]) -> Iterator[NearDuplicate]:
    """Yield, for every added site, the present or other added ones that it may be, nearest first."""
    others = [*present, *added]
    order = {site.id: rank for rank, site in enumerate(others)}
    points = [(site, point) for site in others if (point := site.point) is not None]
    tree = STRtree([point for _, point in points])
    unplaced = [site for site in others if site.point is None]
    any_added = any(site.point is None for site in added)
    namesakes = _Namesakes(others if any_added else unplaced)
    for site in added:
        found = namesakes.of(site)
        if (point := site.point) is not None:
            around = (points[int(index)] for index in tree.query(_box(point)))
            found += [pair for other, spot in around if (pair := _compare(site, point, other, spot))]
        earlier = (pair for pair in found if order[pair.other_id] < order[site.id])
        yield from sorted(earlier, key=lambda pair: (pair.distance_m or 0.0, pair.other_id))


class _Namesakes:
    """Sites of the same name and province, for where one of the two is not placed."""

    def __init__(self, sites: Sequence[Site]) -> None:
        self._by_key: dict[tuple[str, str | None], list[Site]] = {}
        for site in sites:
            for key in _keys(site):
                self._by_key.setdefault(key, []).append(site)

    def of(self, site: Site) -> list[NearDuplicate]:
        """Return the pairs that no distance can tell apart."""
        if not self._by_key:
            return []
        alike = {other.id: other for key in _keys(site) for other in self._by_key.get(key, ())}
        return [
            NearDuplicate(site.id, other.id, other.name, None, 1.0)
            for other in alike.values()
            if other.id != site.id and (site.point is None or other.point is None) and _same_kind(site, other)
        ]


def _same_kind(one: Site, other: Site) -> bool:
    kinds = {one.category, other.category}
    return len(kinds) == 1 or Category.OTHER in kinds


def similarity(one: Site, other: Site) -> float:
    """Return how alike the most similar names of two sites sound, 0 to 1; words for the kind don't count."""
    left, right = _name_keys(one), _name_keys(other)
    return max((_ratio(a, b) for a in left for b in right), default=0.0)


def _name_keys(site: Site) -> frozenset[str]:
    words = (Words.of(name.text) for name in site.names[:_MAX_NAMES])
    return frozenset(item.naming_key or item.key for item in words) - {""}


def _compare(site: Site, point: Point, other: Site, spot: Point) -> NearDuplicate | None:
    if other.id == site.id:
        return None
    distance_m = geodesic_distance_m(point, spot)
    alike = similarity(site, other)
    is_near = distance_m <= SAME_SPOT_M or (distance_m <= SAME_NAME_M and alike >= ALIKE)
    if not (is_near and _same_kind(site, other)):
        return None
    return NearDuplicate(site.id, other.id, other.name, distance_m, alike)


def _box(point: Point) -> Polygon:
    high = SAME_NAME_M / _METRES_A_DEGREE
    wide = high / max(0.01, math.cos(math.radians(point.y)))
    return box(point.x - wide, point.y - high, point.x + wide, point.y + high)


def _keys(site: Site) -> list[tuple[str, str | None]]:
    return [(key, site.province) for key in sorted(_name_keys(site))]


def _ratio(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() > 0 else 0.0
