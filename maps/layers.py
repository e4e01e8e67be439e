"""What is on the map as tables with a geometry and two dates, for programs of maps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shapely.geometry import MultiPolygon, Polygon

from maps.tables import NO_SCENE, by_date, by_time, grades
from maps.words import measurement_words

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shapely.geometry.base import BaseGeometry

    from maps.view import MapView, SiteEntry

Row = tuple[Any, ...]
"""A geometry or None, then a value for each column."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A table with a geometry."""

    name: str
    title: str
    geometry: str
    """``POINT`` or ``MULTIPOLYGON``."""
    columns: tuple[tuple[str, str], ...]
    """Name and GeoPackage type (clause 1.1.1.1.3)."""


_DATES = (("start_date", "DATE"), ("end_date", "DATE"))
_OF_A_SITE = (("site", "TEXT"), ("site_name", "TEXT"), ("category", "TEXT"))
_SITES = Layer(
    "sites",
    "Sites",
    "POINT",
    (
        *(("site", "TEXT"), ("name", "TEXT"), ("names", "TEXT"), ("category", "TEXT"), ("kind", "TEXT")),
        *(("province", "TEXT"), ("county", "TEXT"), ("country", "TEXT"), ("description", "TEXT")),
        *(("accuracy_m", "DOUBLE"), ("coordinate_source", "TEXT"), ("opened", "TEXT"), ("closed", "TEXT")),
        *_DATES,
        *(("watched", "BOOLEAN"), ("looks", "INTEGER"), ("notes", "INTEGER"), ("detections", "INTEGER")),
    ),
)
_NOTES = Layer(
    "notes",
    "Notes",
    "POINT",
    (
        *_OF_A_SITE,
        *(("note", "TEXT"), ("date", "TEXT"), *_DATES, ("approximate", "BOOLEAN"), ("uncertain", "BOOLEAN")),
        *(("kind", "TEXT"), ("text", "TEXT"), ("measured", "TEXT"), ("author", "TEXT"), ("expects", "TEXT")),
        *(("supersedes", "TEXT"), ("looks_say", "TEXT"), ("sources", "TEXT"), ("grades", "TEXT")),
    ),
)
_LOOKS = Layer(
    "looks",
    "Looks, and due windows without an image",
    "POINT",
    (
        *_OF_A_SITE,
        *(
            *_DATES,
            ("outcome", "TEXT"),
            ("series", "TEXT"),
            ("platform", "TEXT"),
            ("clear_fraction", "DOUBLE"),
        ),
        *(("reason", "TEXT"), ("simulated", "BOOLEAN")),
    ),
)
_DETECTIONS = Layer(
    "detections",
    "Changes detected by machine",
    "MULTIPOLYGON",
    (
        *_OF_A_SITE,
        *(("detection", "TEXT"), ("state", "TEXT"), ("date", "TEXT"), *_DATES, ("date_interval_90", "TEXT")),
        *(("area_m2", "DOUBLE"), ("magnitude", "DOUBLE"), ("p_value", "DOUBLE"), ("series", "TEXT")),
        *(("looks_with", "INTEGER"), ("kind", "TEXT"), ("analysts", "TEXT"), ("simulated", "BOOLEAN")),
    ),
)


def layers(view: MapView) -> Iterator[tuple[Layer, Iterable[Row]]]:
    """Yield each layer with its rows."""
    entries = view.entries
    yield _SITES, (_site(entry) for entry in entries)
    yield _NOTES, (row for entry in entries for row in _notes(entry))
    yield _LOOKS, (row for entry in entries for row in _looks(entry))
    yield _DETECTIONS, (row for entry in entries for row in _detections(entry))


def _about(entry: SiteEntry) -> Row:
    site = entry.site
    return site.point, site.id, site.name, str(site.category)


def _site(entry: SiteEntry) -> Row:
    site = entry.site
    return (
        site.point,
        site.id,
        site.name,
        "; ".join(name.text for name in site.names[1:]),
        str(site.category),
        site.subtype,
        site.province,
        site.county,
        site.country,
        site.description,
        site.coordinate_accuracy_m,
        site.coordinate_source,
        site.opened and site.opened.text,
        site.closed and site.closed.text,
        site.opened and site.opened.earliest,
        site.closed and site.closed.latest,
        entry.is_watched,
        len(entry.looks),
        len(site.observations),
        len(entry.detections),
    )


def _notes(entry: SiteEntry) -> Iterator[Row]:
    for note in by_time(entry):
        yield (
            *_about(entry),
            note.id,
            note.date.text,
            note.date.earliest,
            note.date.latest,
            note.date.approximate,
            note.date.uncertain,
            str(note.kind),
            note.text,
            measurement_words(note.measurement),
            note.author,
            note.expects and str(note.expects),
            note.supersedes,
            entry.labels.get(note.id),
            "; ".join(each.outlet for each in note.sources),
            grades(note.sources),
        )


def _looks(entry: SiteEntry) -> Iterator[Row]:
    about = _about(entry)
    for look in sorted(entry.looks, key=lambda each: (each.solar_day, each.series)):
        seen = (
            str(look.outcome),
            look.series,
            look.platform,
            look.clear_fraction,
            look.reason,
            look.simulated,
        )
        yield *about, look.solar_day, look.solar_day, *seen
    for window in sorted(entry.no_scenes, key=lambda each: each.start):
        yield *about, window.start, window.end, NO_SCENE, None, None, None, "no image at all", None


def _detections(entry: SiteEntry) -> Iterator[Row]:
    for found in by_date(entry.detections):
        _, *about = _about(entry)
        yield (
            _multi(found.geometry),
            *about,
            found.id,
            str(found.state),
            found.bracket,
            found.last_without,
            found.first_with,
            found.date_interval_90,
            found.area_m2,
            found.magnitude,
            found.p_value,
            found.series,
            found.looks_with,
            found.kind,
            entry.said.get(found.id),
            found.simulated,
        )


def _multi(geometry: BaseGeometry) -> MultiPolygon | None:
    parts = [part for part in getattr(geometry, "geoms", [geometry]) if isinstance(part, Polygon)]
    return MultiPolygon([part for part in parts if not part.is_empty]) if not geometry.is_empty else None
