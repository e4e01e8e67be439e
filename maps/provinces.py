"""Which province of the DPRK a site lies in: by what is written of it, else by its point.

The outlines are those of the basemap (Natural Earth, simplified; off by up to 2.5 km). Nampo and Kaesong
have none of their own there: their sites are drawn with the province whose outline holds them, and
counted under their own names.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING

import shapely
from shapely.geometry import Point, shape

from maps.offline import read_text
from sites.romanisation import sound_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sites.model import Site

NEAR_M = 3_000.0
"""A site of the DPRK outside every outline belongs to one that is no farther off: the outlines are coarse."""

_COUNTRY = "PRK"
_METRES_A_DEGREE = 111_320.0
_ALONG = math.cos(math.radians(40.0))
"""Length of a degree of longitude beside one of latitude, in the middle of the country."""


@dataclass(frozen=True, slots=True)
class Province:
    """A unit of the first level."""

    id: str
    name: str
    name_ko: str
    outline: str
    """Id of the outline on the basemap in which it is drawn."""
    aliases: tuple[str, ...] = ()
    """What else it is, or was, called; every spelling of each is understood."""

    has_outline: bool = True
    """False: the outline is another province's."""


def _half(name: str, name_ko: str, short_ko: str, outline: str) -> Province:
    """Return a northern or southern half of a province, with the orders in which people write it."""
    side, base = name.split(" ", 1)
    tail = {"North": "puk", "South": "nam"}[side]
    others = (f"{base} {side}", f"{side[0]} {base}", f"{base} {tail}do", f"{base} {tail}", short_ko)
    return Province(name.lower().replace(" ", "-"), name, name_ko, outline, others)


PROVINCES = (
    Province("pyongyang", "Pyongyang", "평양시", "KP-01", ("Phyongyang",)),
    _half("South Pyongan", "평안남도", "평남", "KP-02"),
    _half("North Pyongan", "평안북도", "평북", "KP-03"),
    Province("chagang", "Chagang", "자강도", "KP-04"),
    _half("South Hwanghae", "황해남도", "황남", "KP-05"),
    _half("North Hwanghae", "황해북도", "황북", "KP-06"),
    Province("kangwon", "Kangwon", "강원도", "KP-07"),
    _half("South Hamgyong", "함경남도", "함남", "KP-08"),
    _half("North Hamgyong", "함경북도", "함북", "KP-09"),
    Province("ryanggang", "Ryanggang", "량강도", "KP-10", ("Yanggang",)),
    Province("rason", "Rason", "라선시", "KP-13", ("Rajin-Sonbong", "Najin-Sonbong", "라진선봉")),
    Province("nampo", "Nampo", "남포시", "KP-02", ("Chinnampo", "진남포"), has_outline=False),
    Province("kaesong", "Kaesong", "개성시", "KP-06", has_outline=False),
)
"""In the order of ISO 3166-2; the last two without an outline of their own."""

_ENDINGS = ("", " province", " do", " si", " city", " special city", " municipality", "특별시", "직할시")


class How(StrEnum):
    """What says where a site lies."""

    NAME = "name"
    """The province that is written."""
    POINT = "point"
    """Its point lies inside the outline."""
    NEAR = "near"
    """Its point lies just outside (`NEAR_M`), and its country is the DPRK."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The province of one site."""

    province: Province | None
    how: How
    said: str = ""
    """What is written as its province where that is none we know."""


def province_of(text: str, *, country: str | None = None) -> Province | None:
    """Return the province that a text names, in any spelling, Korean or not, and by former names.

    >>> province_of("Hamgyŏng-pukto").id, province_of("평남").id, province_of("Hamgyong")
    ('north-hamgyong', 'south-pyongan', None)

    Args:
        text: As written.
        country: ISO 3166-1 code; Kangwon of another country is another one.
    """
    if country not in {None, _COUNTRY}:
        return None
    return _by_sound().get(sound_key(text.replace(".", " ")))


@lru_cache(maxsize=1)
def _by_sound() -> Mapping[str, Province]:
    return {
        sound_key(written + ending): province
        for province in PROVINCES
        for written in (province.name, province.name_ko, province.name_ko[:-1], *province.aliases)
        for ending in _ENDINGS
    }


def whereabouts(sites: Sequence[Site]) -> tuple[Whereabouts, ...]:
    """Return where each site lies: by its written province, else inside an outline, else just outside one."""
    named = [_written(site) for site in sites]
    open_ = [
        number for number, found in enumerate(named) if found is None and sites[number].point is not None
    ]
    located = dict(zip(open_, _locate([sites[number] for number in open_]), strict=True))
    return tuple(
        Whereabouts(found, How.NAME) if found is not None else located.get(number, _nowhere(sites[number]))
        for number, found in enumerate(named)
    )


def _written(site: Site) -> Province | None:
    return None if site.province is None else province_of(site.province, country=site.country)


def _nowhere(site: Site) -> Whereabouts:
    return Whereabouts(None, How.NONE, site.province or "")


def _locate(sites: Sequence[Site]) -> Iterable[Whereabouts]:
    tree, ids = _outlines()
    points = [Point(_flat(site.point)) for site in sites]
    held: dict[int, Province] = {}
    for point, outline in zip(*_held_by(tree, points), strict=True):
        held.setdefault(point, ids[outline])
    for number, site in enumerate(sites):
        if number in held:
            yield Whereabouts(held[number], How.POINT)
        elif site.country == _COUNTRY and (near := _nearest(points[number])) is not None:
            yield Whereabouts(near, How.NEAR)
        else:
            yield _nowhere(site)


def _held_by(tree: shapely.STRtree, points: list[Point]) -> tuple[Iterable[int], Iterable[int]]:
    """Return positions of points and of the outlines that hold them, pair by pair."""
    if not points:  # which the tree does not take
        return (), ()
    held, outlines = tree.query(points, predicate="intersects")
    return held.tolist(), outlines.tolist()


def _nearest(point: Point) -> Province | None:
    tree, ids = _outlines()
    found = tree.query_nearest(point, max_distance=NEAR_M / _METRES_A_DEGREE)
    return ids[int(found[0])] if len(found) else None


@lru_cache(maxsize=1)
def _outlines() -> tuple[shapely.STRtree, tuple[Province, ...]]:
    own = {province.outline: province for province in PROVINCES if province.has_outline}
    features = json.loads(read_text("basemap", "provinces.json"))["features"]
    shapes = [shapely.transform(shape(each["geometry"]), lambda xy: xy * (_ALONG, 1.0)) for each in features]
    return shapely.STRtree(shapes), tuple(own[each["id"]] for each in features)


def _flat(point: Point | None) -> tuple[float, float]:
    """Return a point in degrees of latitude both ways, so that distances can be compared."""
    return (0.0, 0.0) if point is None else (point.x * _ALONG, point.y)
