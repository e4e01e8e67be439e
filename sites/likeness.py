"""Which sites may be one: how far apart they lie, and how alike their names are."""

from __future__ import annotations

import math
import unicodedata
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from shapely import STRtree, box

from geo.area import geodesic_distance_m

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from shapely.geometry import Point, Polygon

    from sites.model import Site

SAME_SPOT_M = 50.0
"""Two sites of one category this close are reported whatever they are called."""

SAME_NAME_M = 2000.0
"""Two sites with names alike are reported up to this distance."""

ALIKE = 0.85
"""Names this similar (0 to 1) count as alike."""

_MAX_NAMES = 20
_METRES_A_DEGREE = 110_000.0  # a little less than the shortest degree of latitude, 110,574 m
_GENERIC = frozenset(
    {
        "airport",
        "bridge",
        "customs",
        "factory",
        "general",
        "harbour",
        "house",
        "jangmadang",
        "market",
        "mine",
        "of",
        "plant",
        "port",
        "power",
        "railway",
        "sijang",
        "station",
        "the",
    }
)
_GENERIC_KOREAN = ("시장", "장마당", "다리", "공장", "세관", "발전소", "탄광", "광산", "역", "항")


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
    placed = [(site, site.point) for site in others]
    points = [(site, point) for site, point in placed if point is not None]
    tree = STRtree([point for _, point in points])
    order = {site.id: rank for rank, site in enumerate(others)}
    unplaced = {key: site for site, point in placed if point is None for key in _keys(site)}
    for site in added:
        point = site.point
        if point is None:
            twins = {unplaced[key].id: unplaced[key] for key in _keys(site)}
            found = [NearDuplicate(site.id, twin.id, twin.name, None, 1.0) for twin in twins.values()]
        else:
            around = (points[int(index)] for index in tree.query(_box(point)))
            found = [pair for other, spot in around if (pair := _compare(site, point, other, spot))]
        earlier = (pair for pair in found if order[pair.other_id] < order[site.id])
        yield from sorted(earlier, key=lambda pair: (pair.distance_m or 0.0, pair.other_id))


def similarity(one: Site, other: Site) -> float:
    """Return how alike the most similar names of two sites are, 0 to 1; words for the kind don't count."""
    left = {plain_name(name.text) for name in one.names[:_MAX_NAMES]} - {""}
    right = {plain_name(name.text) for name in other.names[:_MAX_NAMES]} - {""}
    return max((_ratio(a, b) for a in left for b in right), default=0.0)


def plain_name(name: str) -> str:
    """Return a name without case, accents, punctuation and the words that every site of a kind shares.

    >>> plain_name("Haebang Market"), plain_name("해방시장")
    ('haebang', '해방')
    """
    folded = unicodedata.normalize("NFKD", name[:200].casefold())
    letters = "".join(c if c.isalnum() else " " for c in folded if not unicodedata.combining(c))
    words = [word for word in letters.split() if word not in _GENERIC]
    joined = unicodedata.normalize("NFC", "".join(words))
    for ending in _GENERIC_KOREAN:
        if joined.endswith(ending) and joined != ending:
            return joined.removesuffix(ending)
    return joined


def _compare(site: Site, point: Point, other: Site, spot: Point) -> NearDuplicate | None:
    if other.id == site.id:
        return None
    distance_m = geodesic_distance_m(point, spot)
    alike = similarity(site, other)
    is_same_spot = distance_m <= SAME_SPOT_M and site.category == other.category
    if not is_same_spot and not (distance_m <= SAME_NAME_M and alike >= ALIKE):
        return None
    return NearDuplicate(site.id, other.id, other.name, distance_m, alike)


def _box(point: Point) -> Polygon:
    high = SAME_NAME_M / _METRES_A_DEGREE
    wide = high / max(0.01, math.cos(math.radians(point.y)))
    return box(point.x - wide, point.y - high, point.x + wide, point.y + high)


def _keys(site: Site) -> list[tuple[str, str | None]]:
    return [(plain_name(name.text), site.province) for name in site.names[:_MAX_NAMES]]


def _ratio(one: str, other: str) -> float:
    matcher = SequenceMatcher(None, one, other, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() > 0 else 0.0
