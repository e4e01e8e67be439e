"""The notes of a site as a profile allows them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from maps.profile import Kind, Left
from sites.observation import Evidence, Measurement, Media, Observation, Source

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from maps.blurring import Blur
    from maps.profile import Profile
    from sites.model import Site


def readable_notes(
    site: Site, profile: Profile, withheld: set[str], blur: Blur
) -> tuple[tuple[Observation, ...], dict[str, str]]:
    """Return the notes that stay, and the id that each has now by the one it had.

    Args:
        site: Whose notes.
        profile: What may stay.
        withheld: Ids of its detections that don't.
        blur: How places in them are made coarse.
    """
    rows = blur.rows
    hidden = set() if profile.private_notes else _private(site.observations)
    stay = [
        note
        for note in site.observations
        if not _is_hidden(note, hidden, site, rows) and not _tells_of(note, withheld, site, rows)
    ]
    plain = [_note(note, site, profile, withheld, rows) for note in stay]
    made, ids = blur.notes(site.id, plain)
    return tuple(_linked(note, ids) for note in made), ids


def kept_media(
    note: Observation, site_id: str, licences: Iterable[str], rows: list[Left]
) -> tuple[Media, ...]:
    """Return what a note shows and may be passed on."""
    allowed = {each.casefold() for each in licences}
    kept = []
    for medium in note.media:
        refused = allowed and (medium.licence or "").strip().casefold() not in allowed
        why = "marked private" if medium.private else "its licence is not among those allowed"
        if medium.private or refused:
            rows.append(Left(site_id, Kind.MEDIUM, medium.file or medium.url or "", why))
        else:
            kept.append(medium)
    return tuple(kept)


def _private(notes: Sequence[Observation]) -> set[str]:
    """Return the ids of private notes and of all that they replace: a note is made private by a new one."""
    earlier = {note.id: note.supersedes for note in notes}
    hidden: set[str] = set()
    for note in notes:
        each: str | None = note.id if note.private else None
        while each is not None and each not in hidden:
            hidden.add(each)
            each = earlier.get(each)
    return hidden


def _is_hidden(note: Observation, hidden: set[str], site: Site, rows: list[Left]) -> bool:
    if note.id in hidden:
        why = "marked private" if note.private else "replaced by a private note"
        rows.append(Left(site.id, Kind.NOTE, note.id, why))
    return note.id in hidden


def _tells_of(note: Observation, withheld: set[str], site: Site, rows: list[Left]) -> bool:
    """Tell whether a note rests on detections that don't stay, and on no other."""
    seen = {each.ref for each in note.evidence if each.kind == "detection"}
    if not seen or not seen <= withheld:
        return False
    rows.append(Left(site.id, Kind.NOTE, note.id, "it tells of a detection that is left out"))
    return True


def _note(
    note: Observation, site: Site, profile: Profile, withheld: set[str], rows: list[Left]
) -> Observation:
    """Return a note of fields named here."""
    if note.author and not profile.authors:
        rows.append(Left(site.id, Kind.AUTHOR, note.id, "who wrote the note"))
    return Observation(
        id=note.id,
        date=note.date,
        text=note.text,
        kind=note.kind,
        author=note.author if profile.authors else None,
        expects=note.expects,
        measurement=note.measurement and _measurement(note.measurement),
        obscured_by=note.obscured_by,
        likelihood=note.likelihood,
        confidence=note.confidence,
        supersedes=note.supersedes,
        contradicts=note.contradicts,
        sources=tuple(_source(source) for source in note.sources),
        media=tuple(_medium(each) for each in kept_media(note, site.id, profile.licences, rows)),
        evidence=tuple(Evidence(each.kind, each.ref) for each in note.evidence if each.ref not in withheld),
        private=note.private,
    )


def _measurement(measured: Measurement) -> Measurement:
    return replace(measured, foreign={}) if measured.foreign else measured


def _source(source: Source) -> Source:
    return replace(source, foreign={}) if source.foreign else source


def _medium(medium: Media) -> Media:
    return replace(medium, foreign={}) if medium.foreign else medium


def _linked(note: Observation, ids: dict[str, str]) -> Observation:
    """Return a note by its present id, which speaks of no note that isn't there."""
    earlier = None if note.supersedes is None else ids.get(note.supersedes)
    others = tuple(ids[other] for other in note.contradicts if other in ids)
    if (note.id, note.supersedes, note.contradicts) == (ids[note.id], earlier, others):
        return note
    return replace(note, id=ids[note.id], supersedes=earlier, contradicts=others)
