"""What map, table, search and filters need of every site: columns, short enough to be opened at once.

A column holds one value a site, in the order of the view. Words that come again stand once in a table
and are named by their position. ``page/data.js`` reads it back into rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from imagery.model import DetectionState
from maps.timeline import note_order
from maps.words import JUDGED, country_words, language_words
from sites.observation import ObservationKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from maps.view import MapView, SiteEntry
    from sites.model import Name, Site

STANDINGS = ("unknown", "open", "closed")
"""What the catalogue's dates say of a site."""

GRADES = "ABCDEF"
"""Best first; F (cannot be judged) after all that could be."""

KINDS = tuple(ObservationKind)
STATES = tuple(DetectionState)

DEGREES = 1_000_000
"""Steps a degree of the coordinates: 0.1 m."""


@dataclass(slots=True)
class _Table:
    """Values that come again, each kept once."""

    rows: list[Any] = field(default_factory=list)
    _known: dict[Any, int] = field(default_factory=dict)

    def place(self, key: Any, row: Any) -> int:  # noqa: ANN401 - any value that can be a key
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = len(self.rows)
            self.rows.append(row)
        return found


def index_block(view: MapView) -> dict[str, Any]:
    """Return the columns of all sites of a view."""
    entries = view.entries
    return {
        "count": len(entries),
        **_names(entry.site for entry in entries),
        **_places([entry.site for entry in entries]),
        **_seen(entries),
        **_noted(entries),
        "watched": [int(entry.is_watched) for entry in entries],
        "standing": [standing(entry.site, view.made.date()) for entry in entries],
        "standings": STANDINGS,
    }


def standing(site: Site, today: date) -> int:
    """Return the position in `STANDINGS`: closed or open where a date says so, else unknown.

    A closing that cannot have come yet (its first day is after `today`) does not count.
    """
    closed, opened = site.closed, site.opened
    if closed is not None and not (closed.earliest is not None and closed.earliest > today):
        return STANDINGS.index("closed")
    if opened is not None and not (opened.earliest is not None and opened.earliest > today):
        return STANDINGS.index("open")
    return STANDINGS.index("unknown")


def _names(sites: Iterable[Site]) -> dict[str, Any]:
    ids, counts, texts, kinds = [], [], [], []
    more: list[str] = []
    table = _Table()
    for site in sites:
        ids.append(site.id)
        counts.append(len(site.names))
        for name in site.names:
            texts.append(name.text)
            about = (name.language or "", about_words(name))
            kinds.append(table.place(about, about))
        more.append(_more(site))
    return {
        "id": ids,
        "names": counts,
        "name": texts,
        "nameAbout": kinds,
        "abouts": table.rows,
        "more": more,
    }


def about_words(name: Name) -> str:
    """Return language, romanisation and time of use of a name, as far as they are known."""
    parts = (language_words(name.language), name.scheme, name.span and name.span.text)
    return ", ".join(part for part in parts if part)


def _more(site: Site) -> str:
    """Return what else a search should find."""
    parts = (site.county, site.subtype, site.operator, site.complex, site.description, *site.former_ids)
    return "\n".join(part for part in parts if part)


def place_words(site: Site) -> str:
    """Return province and country."""
    return ", ".join(part for part in (site.province, country_words(site.country)) if part)


def _places(sites: Sequence[Site]) -> dict[str, Any]:
    categories, places = _Table(), _Table()
    category, place, lon, lat = [], [], [], []
    for site in sites:
        name = str(site.category)
        category.append(categories.place(name, name))
        parts = (site.province or "", country_words(site.country), place_words(site))
        place.append(places.place(parts, parts))
        point = site.point
        lon.append(None if point is None else round(point.x * DEGREES))
        lat.append(None if point is None else round(point.y * DEGREES))
    return {
        "category": category,
        "categories": categories.rows,
        "place": place,
        "places": places.rows,
        "lon": lon,
        "lat": lat,
    }


def _seen(entries: Sequence[SiteEntry]) -> dict[str, Any]:
    found = [[item.state for item in entry.detections] for entry in entries]
    return {
        "looked": [len(entry.looks) for entry in entries],
        "judged": [sum(look.outcome in JUDGED for look in entry.looks) for entry in entries],
        "changes": [sum(state is not DetectionState.RETRACTED for state in states) for states in found],
        "detected": [_bits(states, STATES) for states in found],
        "states": STATES,
    }


def _noted(entries: Sequence[SiteEntry]) -> dict[str, Any]:
    counts, latest, kinds, grades = [], [], [], []
    for entry in entries:
        notes = sorted(entry.site.observations, key=note_order)
        counts.append(len(notes))
        latest.append(notes[-1].date.text if notes else "")
        kinds.append(_bits([note.kind for note in notes], KINDS))
        given = [source.reliability for note in notes for source in note.sources if source.reliability]
        grades.append(min(given, default="-"))
    return {
        "notes": counts,
        "latestNote": latest,
        "noted": kinds,
        "kinds": KINDS,
        "grade": "".join(grades),
    }


def _bits(values: Iterable[Any], order: Sequence[Any]) -> int:
    bits = 0
    for value in values:
        bits |= 1 << order.index(value)
    return bits
