"""Notes and detections of a view as entries of an Atom feed, the latest first."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING

from maps.dossier import dossier_path
from maps.feed import Entry, atom
from maps.words import measurement_words

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from imagery.model import Detection
    from maps.view import MapView, SiteEntry
    from sites.observation import Observation

LONGEST = 200
"""Entries of a feed; readers ask for the whole of it again and again."""

_NOON = time(12, tzinfo=UTC)


def news_feed(view: MapView) -> bytes:
    """Return the latest notes and detections, each with a link to its site's page.

    What happened stands for when it was told: an entry is as old as the last day that its date allows, or,
    where that is still to come, the first.
    """
    entries = sorted(_entries(view), key=lambda each: (each.updated, each.key), reverse=True)
    return atom(view.title, entries[:LONGEST], key=f"{view.title}/{view.profile}", made=view.made)


def _entries(view: MapView) -> Iterator[Entry]:
    for entry in view.entries:
        link = dossier_path(entry.site.id) if view.dossiers else f"index.html#site={entry.site.id}"
        for note in entry.site.observations:
            yield _note(note, entry, link, view.made)
        for found in entry.detections:
            yield _detection(found, entry, link)


def _note(note: Observation, entry: SiteEntry, link: str, made: datetime) -> Entry:
    told = (
        note.text,
        measurement_words(note.measurement),
        entry.labels.get(note.id, ""),
        f"Sources: {'; '.join(each.outlet for each in note.sources)}" if note.sources else "",
    )
    return Entry(
        key=f"{entry.site.id}/notes/{note.id}",
        title=f"{entry.site.name}, {note.date.text}",
        text="\n".join(part for part in told if part),
        updated=_when(note.date.earliest, note.date.latest, made),
        category=f"note ({note.kind})",
        link=link,
    )


def _detection(found: Detection, entry: SiteEntry, link: str) -> Entry:
    simulated = " SIMULATED pixels, not a real image." if found.simulated else ""
    days = f"between {found.last_without} and {found.first_with}"
    told = (
        f"A change of about {found.area_m2:,.0f} m² came about {days}.{simulated}",
        f"It is {found.state}, shown by {found.looks_with} looks.",
        found.kind,
        entry.said.get(found.id, ""),
    )
    return Entry(
        key=f"{entry.site.id}/detections/{found.id}",
        title=f"{entry.site.name}: change detected, {found.bracket}",
        text="\n".join(part for part in told if part),
        updated=datetime.combine(found.last_with, _NOON),
        category=f"detection ({found.state})",
        link=link,
    )


def _when(first: date | None, last: date | None, made: datetime) -> datetime:
    today = made.astimezone(UTC).date()
    past = [day for day in (last, first) if day is not None and day <= today]
    return datetime.combine(past[0], _NOON) if past else made
