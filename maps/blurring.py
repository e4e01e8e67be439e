"""Places made coarse in everything that is told of a site, for readers who look for them.

Who wants to find a place will not only read its coordinates. What else tells them goes: outlines and
pictures; texts that hold them; ids and lattices that are digests of them, since those can be tried out; the
second at which a satellite passed, the frames whose overlap it lies in, the sun's height. What is left tells
the cell, and the weather of each look; names stay as they are.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime, time
from itertools import count
from typing import TYPE_CHECKING

import shapely

from geo.coarse import coarse
from geo.mentions import has_place, without_places
from maps.profile import Kind, Left
from sites.observation import derived_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from imagery.model import Detection, Look
    from sites.model import Attribute, Site
    from sites.observation import Observation, Source

NOON = time(12, tzinfo=UTC)
_HEIGHTS = frozenset(
    {"altitude", "easting", "elevation", "geohash", "lat", "latitude", "lng", "lon", "longitude", "northing"}
)
"""Words in the quantities of attributes that say where a site is."""
_CLEAR_STEPS = 4
_DIGEST = re.compile(r"-[0-9a-f]{4}$")
_DIGITS_OF_A_PLACE = 6
_NO_DIGITS = str.maketrans("", "", "0123456789")
_LONGEST_BASE = 56


class Blur:
    """Makes places coarse, and keeps account of it; of radius 0 it leaves everything as it is."""

    def __init__(self, radius_m: int, rows: list[Left]) -> None:
        """Take one of `geo.coarse.RADII_M`, or 0, and the account to add to."""
        self.radius_m = radius_m
        self.rows = rows
        self._site = ""

    def text(self, text: str, what: str = "text") -> str:
        """Return a text without coordinates."""
        if not self.radius_m:
            return text
        plain = without_places(text)
        if plain != text:
            self._tell(what, "coordinates in its text")
        return plain

    def site(self, site: Site) -> Site:
        """Return a site (without notes) somewhere in its cell."""
        self._site = site.id
        if not self.radius_m:
            return site
        point = site.point
        if point is not None:
            self._tell("geometry", f"told within {self.radius_m} m")
        return replace(
            site,
            subtype=self._maybe(site.subtype, "subtype"),
            description=self._maybe(site.description, "description"),
            province=self._maybe(site.province, "province"),
            country=self._maybe(site.country, "country"),
            operator=self._maybe(site.operator, "operator"),
            complex=self._maybe(site.complex, "complex"),
            coordinate_licence=self._maybe(site.coordinate_licence, "coordinate_licence"),
            names=tuple(replace(name, text=self.text(name.text, "name")) for name in site.names),
            geometry=None if point is None else shapely.Point(coarse(point.x, point.y, self.radius_m)),
            footprint=None,
            former_ids=(),
            county=None,
            coordinate_accuracy_m=None if point is None else self._accuracy_m(site.coordinate_accuracy_m),
            coordinate_source=None,
            attributes=tuple(self._attribute(each) for each in site.attributes if not _is_place(each)),
            retired=site.retired and replace(site.retired, reason=self.text(site.retired.reason, "retired")),
        )

    def notes(self, site_id: str, notes: Sequence[Observation]) -> tuple[list[Observation], dict[str, str]]:
        """Return notes without coordinates, and new ids by the old, which are digests of their texts."""
        self._site = site_id
        if not self.radius_m:
            return list(notes), {note.id: note.id for note in notes}
        made = [self._note(note) for note in notes]
        taken: dict[str, str] = {}
        for old, note in zip(notes, made, strict=True):
            words = note.text
            while (new := derived_id(note.date.text, words)) in taken.values():
                words += "\n"
            taken[old.id] = new
        return made, taken

    def detection_ids(self, found: Sequence[Detection]) -> dict[str, str]:
        """Return the ids that detections go by: numbers in the order of their dates where blurred."""
        if not self.radius_m:
            return {each.id: each.id for each in found}
        ordered = sorted(found, key=lambda each: (each.first_with, each.last_without, each.id))
        return {each.id: f"change-{number}" for number, each in enumerate(ordered, 1)}

    def detection(self, detection: Detection, new_id: str) -> Detection:
        """Return a detection that says when and about how large, not where."""
        if not self.radius_m:
            return detection
        return replace(
            detection,
            id=new_id,
            grid_id="",
            geometry=shapely.Polygon(),
            area_m2=_one_digit(detection.area_m2),
            area_interval_m2=None,
            magnitude=_one_digit(detection.magnitude),
            direction={},
            kind=self.text(detection.kind),
            flags=tuple(self.text(flag) for flag in detection.flags),
            evidence=None,
        )

    def look(self, look: Look) -> Look:
        """Return a look of a day, not of a second and a frame."""
        if not self.radius_m:
            return look
        return replace(
            look,
            grid_id="",
            scene_ids=(),
            acquired=datetime.combine(look.solar_day, NOON),
            day_only=True,
            clear_fraction=_coarse_share(look.clear_fraction),
            frame_clear_fraction=_coarse_share(look.frame_clear_fraction),
        )

    def _note(self, note: Observation) -> Observation:
        for medium in note.media:
            self.rows.append(
                Left(self._site, Kind.MEDIUM, medium.file or medium.url or "", "it may show the place")
            )
        measured = note.measurement
        return replace(
            note,
            text=self.text(note.text, note.id),
            author=self._maybe(note.author, note.id),
            obscured_by=self._maybe(note.obscured_by, note.id),
            measurement=measured
            and replace(
                measured,
                quantity=self.text(measured.quantity, note.id),
                unit=self.text(measured.unit, note.id),
            ),
            sources=tuple(self.source(source, note.id) for source in note.sources),
            media=(),
            evidence=(),
        )

    def source(self, source: Source, note_id: str) -> Source:
        """Return a source without coordinates; `note_id` names in the account what it is of."""
        if not self.radius_m:
            return source
        title = None if source.title is None else _without_scenes(source.title)
        return replace(
            source,
            outlet=self.text(source.outlet, note_id),
            title=self._maybe(title, note_id),
            author=self._maybe(source.author, note_id),
            specificity=self._maybe(source.specificity, note_id),
            language=self._maybe(source.language, note_id),
            url=self._address(source.url, note_id),
            archive_url=self._address(source.archive_url, note_id),
        )

    def _address(self, address: str | None, what: str) -> str | None:
        if address is None or not has_place(address):
            return address
        self._tell(what, "the address of a map")
        return None

    def _attribute(self, attribute: Attribute) -> Attribute:
        return replace(
            attribute,
            quantity=self.text(attribute.quantity, "attributes"),
            unit=self.text(attribute.unit, "attributes"),
        )

    def _maybe(self, text: str | None, what: str) -> str | None:
        return None if text is None else self.text(text, what)

    def _tell(self, what: str, why: str) -> None:
        self.rows.append(Left(self._site, Kind.PLACE, what, why))

    def _accuracy_m(self, accuracy_m: float | None) -> float:
        """Return within what the place lies of what is told of it."""
        known = accuracy_m or 0.0
        return float(self.radius_m) if known <= self.radius_m / 100 else _round_up(self.radius_m + known)


def site_ids(sites: Sequence[Site], radius_m: int) -> dict[str, str]:
    """Return the id that each site goes by: without the digits that say where it is, where blurred.

    Sites of one name are told apart by four digits of a digest of their place (`sites.slugs.told_apart`).
    """
    if not radius_m:
        return {site.id: site.id for site in sites}
    telling = [site.id for site in sites if _may_tell_place(site.id)]
    out = {site.id: site.id for site in sites} | dict.fromkeys(telling, "")
    taken = {site.id for site in sites}
    numbers: defaultdict[str, Iterator[int]] = defaultdict(lambda: count(1))
    for old in sorted(telling):
        base = _DIGEST.sub("", old).translate(_NO_DIGITS).strip("-_")[:_LONGEST_BASE].strip("-_") or "site"
        while (new := f"{base}-{next(numbers[base])}") in taken:
            pass
        out[old] = new
        taken.add(new)
    return out


def _may_tell_place(site_id: str) -> bool:
    return bool(_DIGEST.search(site_id)) or sum(char.isdigit() for char in site_id) >= _DIGITS_OF_A_PLACE


def _is_place(attribute: Attribute) -> bool:
    return not _HEIGHTS.isdisjoint(re.findall(r"[a-z]+", attribute.quantity.casefold()))


def _without_scenes(title: str) -> str | None:
    """Return a title without the names of scenes: two that overlap say where."""
    before, scene, _ = title.partition("scene ")
    return title if not scene or (before and not before.endswith("; ")) else before.rstrip("; ") or None


def _coarse_share(share: float) -> float:
    return round(share * _CLEAR_STEPS) / _CLEAR_STEPS if math.isfinite(share) else share


def _one_digit(value: float) -> float:
    return float(f"{value:.1g}") if math.isfinite(value) else value


def _round_up(length_m: float) -> float:
    """Return a length with two digits, and no less than it is."""
    step = 10.0 ** (math.floor(math.log10(length_m)) - 1)
    return math.ceil(length_m / step) * step
