"""The small map of a dossier: what is known of the place, drawn to scale, and where in the world it lies.

Drawn as SVG with nothing behind it: no tile is asked for. The ground plan is an equirectangular projection
around the site, whose scale is true to one in a thousand over the few kilometres that it shows.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

import shapely
from shapely.affinity import translate
from shapely.geometry import Point, Polygon, box, shape

from imagery.model import DetectionState
from maps.drawing import scale_length_m
from maps.lengths import length_words
from maps.markup import NOTHING, Markup, el
from maps.offline import read_text
from maps.symbols import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shapely.geometry.base import BaseGeometry

    from maps.view import SiteEntry

_SIDE = 360
_M_PER_DEGREE = 111_320.0
_LEAST_M = 150.0
"""Half the side of the ground that is shown, at least."""
_NEAR_DEGREES, _FAR_DEGREES = 5.0, 30.0
"""Half the latitudes of the surroundings: the second where the first show neither coast nor border."""
_CELL_DEGREES = 2.5
"""Sites of one cell of this size share their picture of the surroundings."""
_FINEST_DEGREES = 0.02
_HALF_TURN = 180


@dataclass(frozen=True, slots=True)
class _Plan:
    """Ground to drawing."""

    lon: float
    lat: float
    half_m: float

    def xy(self, lon: float, lat: float) -> tuple[float, float]:
        east = (lon - self.lon) * _M_PER_DEGREE * math.cos(math.radians(self.lat))
        north = (lat - self.lat) * _M_PER_DEGREE
        scale = _SIDE / 2 / self.half_m
        return _SIDE / 2 + east * scale, _SIDE / 2 - north * scale

    def px(self, length_m: float) -> float:
        return length_m * _SIDE / 2 / self.half_m

    def path(self, geometry: BaseGeometry) -> str:
        return "".join(self._lines(geometry))

    def _lines(self, geometry: BaseGeometry) -> Iterator[str]:
        for part in getattr(geometry, "geoms", [geometry]):
            if part.geom_type == "Polygon":
                for ring in (part.exterior, *part.interiors):
                    yield self._line(ring, "Z")
            elif part.geom_type == "LineString":
                yield self._line(part, "")

    def _line(self, line: BaseGeometry, end: str) -> str:
        return (
            "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in (self.xy(*each[:2]) for each in line.coords)) + end
        )


def map_section(entry: SiteEntry) -> Markup:
    """Return where the site is; a sentence where nobody has placed it."""
    title = el("h2", "Where it is", id="map-title")
    point = entry.site.point
    if point is None:
        told = el("p", "Nobody has placed it yet, so there is no map.")
        return el("section", title, told, class_="where", aria_labelledby="map-title")
    figures = el("div", _ground(entry, point), _surroundings(entry, point), class_="plans")
    return el("section", title, figures, class_="where", aria_labelledby="map-title")


def _ground(entry: SiteEntry, point: Point) -> Markup:
    site = entry.site
    accuracy_m = site.coordinate_accuracy_m or 0.0
    area = entry.area if entry.is_watched else None
    live = [each for each in entry.detections if each.state is not DetectionState.RETRACTED]
    drawn = [each for each in (area, site.geometry, *(each.geometry for each in live)) if each is not None]
    plan = _Plan(point.x, point.y, max(_LEAST_M, accuracy_m * 1.1, _reach_m(point, drawn) * 1.3))
    parts = [
        el("circle", cx=_SIDE / 2, cy=_SIDE / 2, r=f"{plan.px(accuracy_m):.1f}", class_="uncertain")
        if accuracy_m
        else None,
        el("path", d=plan.path(area), class_="watched") if area is not None else None,
        *(el("path", d=plan.path(each.geometry), class_="changed-ground") for each in live),
        el("path", d=f"M{_SIDE / 2 - 7} {_SIDE / 2}h14M{_SIDE / 2} {_SIDE / 2 - 7}v14", class_="centre"),
        _bar(plan),
        el("text", "N ↑", x=_SIDE - 30, y=20, class_="plan-text"),
    ]
    told = f"Plan of {2 * plan.half_m / 1000:.2g} km a side around {point.y:.5f}, {point.x:.5f}"
    key = [
        el("li", el("span", class_="key-watched"), " the ground that looks judge")
        if area is not None
        else None,
        el("li", el("span", class_="key-uncertain"), f" the place lies within {length_words(accuracy_m)}")
        if accuracy_m
        else el("li", "How well the place is known was not stated."),
        el("li", el("span", class_="key-changed"), f" {len(live)} detected by machine") if live else None,
    ]
    picture = el("svg", *parts, viewBox=f"0 0 {_SIDE} {_SIDE}", role="img", aria_label=told, class_="plan")
    return el("figure", picture, el("figcaption", told, ".", el("ul", *key, class_="key")))


def _reach_m(point: Point, drawn: list[BaseGeometry]) -> float:
    reach = 0.0
    for geometry in drawn:
        left, bottom, right, top = geometry.bounds
        across = max(abs(left - point.x), abs(right - point.x)) * math.cos(math.radians(point.y))
        reach = max(
            reach, across * _M_PER_DEGREE, max(abs(top - point.y), abs(bottom - point.y)) * _M_PER_DEGREE
        )
    return reach


def _bar(plan: _Plan) -> Markup:
    length_m = scale_length_m(2 * plan.half_m)
    end = 12 + plan.px(length_m)
    line = el("path", d=f"M12 {_SIDE - 18}v6H{end:.1f}v-6", class_="bar")
    return el("g", line, el("text", length_words(length_m), x=16, y=_SIDE - 18, class_="plan-text"))


def _surroundings(entry: SiteEntry, point: Point) -> Markup:
    cell = (round(point.x / _CELL_DEGREES) * _CELL_DEGREES, round(point.y / _CELL_DEGREES) * _CELL_DEGREES)
    half = _NEAR_DEGREES if _has_lines(*cell) else _FAR_DEGREES
    land = _land_around(*cell, half)
    if not land:
        return NOTHING
    x, y = _around(*cell, half).xy(point.x, point.y)
    symbol = SYMBOLS[entry.site.category]
    place = el(
        "g",
        el("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=9, class_="place-halo"),
        el("circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r=5, class_="place"),
    )
    told = f"{symbol.label} in its surroundings, {2 * half:g} degrees of latitude across"
    picture = el(
        "svg",
        el("path", d=land, class_="land"),
        place,
        viewBox=f"0 0 {_SIDE} {_SIDE}",
        role="img",
        aria_label=told,
        class_="plan around",
    )
    credit = "Outlines: Natural Earth, simplified. Borders are a depiction, not a judgement."
    return el("figure", picture, el("figcaption", f"{told}. {credit}"))


def _around(lon: float, lat: float, half: float) -> _Plan:
    return _Plan(lon, lat, half * _M_PER_DEGREE)


def _frame(lon: float, lat: float, half: float) -> BaseGeometry:
    wide = half / max(0.2, math.cos(math.radians(lat)))
    return box(lon - wide, lat - half, lon + wide, lat + half)


@lru_cache(maxsize=256)
def _has_lines(lon: float, lat: float) -> bool:
    """Tell whether a coast or a border is near a place."""
    frame = _frame(lon, lat, _NEAR_DEGREES)
    return any(each.intersects(frame) and not each.contains(frame) for each in _countries())


@lru_cache(maxsize=256)
def _land_around(lon: float, lat: float, half: float) -> str:
    """Return the land within sight of a place as one path, country by country."""
    frame = _frame(lon, lat, half)
    near = [each.intersection(frame) for each in _countries() if each.intersects(frame)]
    plan, finest = _around(lon, lat, half), _FINEST_DEGREES * half / _NEAR_DEGREES
    return "".join(plan.path(shapely.simplify(each, finest)) for each in near)


@lru_cache(maxsize=1)
def _countries() -> tuple[BaseGeometry, ...]:
    found = []
    for name in ("world", "korea"):
        document = json.loads(read_text("basemap", f"{name}.json"))
        found += [_cut_at_180(shape(each["geometry"])) for each in document["features"]]
    return tuple(found)


def _cut_at_180(country: BaseGeometry) -> BaseGeometry:
    """Return a country cut at 180 degrees where a ring of it steps over that meridian."""
    parts = []
    for polygon in getattr(country, "geoms", [country]):
        lons = [lon for lon, _ in polygon.exterior.coords]
        if all(abs(after - before) < _HALF_TURN for before, after in pairwise(lons)):
            parts.append(shapely.make_valid(polygon))
            continue
        whole = shapely.make_valid(
            Polygon([(lon + 360 if lon < 0 else lon, lat) for lon, lat in polygon.exterior.coords])
        )
        west = whole.intersection(box(_HALF_TURN, -90, 3 * _HALF_TURN, 90))
        parts += [whole.intersection(box(0, -90, _HALF_TURN, 90)), translate(west, xoff=-360)]
    return shapely.union_all(parts)
