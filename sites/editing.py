"""Changes to one site, each a new value with its history kept; notes are only ever added."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from sites.checks import refuse, require_id, require_positive, require_text
from sites.errors import CatalogueError
from sites.features import read_feature, write_feature
from sites.merging import place_of
from sites.model import Name, Retirement, Site, Subject

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.dates import Edtf
    from sites.catalogue import Catalogue
    from sites.model import SiteGeometry
    from sites.observation import Observation

Record = TypeVar("Record", bound=Site | Subject)

_OTHER_WAYS = {
    "id": "`sites rename` changes the id and keeps the old one",
    "former_ids": "`sites rename` changes the id and keeps the old one",
    "geometry": "`sites place` moves a site and keeps its history",
    "footprint": "`sites place` moves a site and keeps its history",
    "placements": "`sites place` moves a site and keeps its history",
    "coordinate_accuracy_m": "`sites place` says how good a place is",
    "observations": "`notes add` and `notes edit` add notes; none is rewritten",
    "retired": "`sites retire` says since when and why",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A better place for a site."""

    geometry: SiteGeometry | None
    """A point, or None to keep the present one and give only a footprint."""
    source: str
    """Who placed it, from what."""
    accuracy_m: float | None = None
    """Radius in which the true place lies; wanted for a point."""
    footprint: SiteGeometry | None = None
    licence: str | None = None


def place(site: Site, where: Place, until: Edtf) -> Site:
    """Return a site at a better place; where it was before stays in `placements`.

    Args:
        site: The site as it is.
        where: The new place, with its source.
        until: When the old place stopped holding: today.

    Raises:
        InputError: Nothing is placed, or a point comes without accuracy.
    """
    require_text(where.source, "source")
    require_positive(where.accuracy_m, "accuracy_m")
    if where.geometry is None and where.footprint is None:
        refuse("a place needs a point or a footprint", "geometry")
    if where.geometry is not None and where.accuracy_m is None and where.footprint is None:
        refuse("a point needs its accuracy", "accuracy_m", "Give the radius in which the true place lies")
    was_placed = site.geometry is not None or site.footprint is not None
    history = (replace(place_of(site), until=until),) if was_placed else ()
    return replace(
        site,
        geometry=site.geometry if where.geometry is None else where.geometry,
        footprint=where.footprint,  # type: ignore[arg-type]  # Site refuses a point
        coordinate_accuracy_m=site.coordinate_accuracy_m if where.geometry is None else where.accuracy_m,
        coordinate_source=where.source,
        coordinate_licence=where.licence,
        placements=(*site.placements, *history),
    )


def edit(site: Site, fields: Mapping[str, Any]) -> Site:
    """Return a site with other properties, given as a file would hold them; None removes one.

    Raises:
        InputError: A value breaks a rule, or the field has a command of its own.
    """
    for field in fields:
        if field in _OTHER_WAYS:
            refuse(f"{field!r} is not edited", field, _OTHER_WAYS[field])
    raw = write_feature(site)
    raw["properties"] |= fields
    edited = read_feature(raw, site.id)
    if not isinstance(edited, Site):
        refuse("a site stays a site", "subject")
    return edited


def call(site: Site, name: Name) -> Site:
    """Return a site shown under another name; the names it had stay."""
    return replace(site, names=(name, *(known for known in site.names if known != name)))


def rename(catalogue: Catalogue, site_id: str, new_id: str) -> Catalogue:
    """Return a catalogue in which a site has a new id; the ledger and links still find it by the old.

    Raises:
        UnknownSiteError: No site has `site_id`.
        InputError: `new_id` is no id, or is or was another site's.
    """
    site = catalogue.get(site_id)
    require_id(new_id, "new_id")
    taken = catalogue.former.get(new_id, new_id)
    if taken != site.id and (taken in catalogue or taken in catalogue.subjects):
        raise CatalogueError(f"the id {new_id!r} is, or was, that of {taken!r}")
    first, *others = dict.fromkeys((*site.former_ids, site.id))
    # Detections are named after the first id, so it stays the first even when the site takes it again.
    former = (first, *(old for old in others if old != new_id))
    renamed = replace(site, id=new_id, former_ids=former if new_id != site.id else site.former_ids)
    return catalogue.with_records([renamed], without=[site.id])


def retire(site: Site, date: Edtf, reason: str) -> Site:
    """Return a site that is no longer watched; its looks and notes stay."""
    return replace(site, retired=Retirement(date, reason))


def reinstate(site: Site) -> Site:
    """Return a retired site that is watched again."""
    return replace(site, retired=None)


def add_note(record: Record, note: Observation) -> Record:
    """Return a site or subject with one more note.

    Raises:
        SiteError: Its id is taken, or it speaks of a note that is not there.
    """
    known = {earlier.id for earlier in record.observations}
    if note.id in known:
        hint = "The same words on the same date are one note; else give it an id"
        refuse(f"there is a note {note.id!r} already", "id", hint)
    if note.supersedes is not None and note.supersedes not in known:
        refuse(f"there is no note {note.supersedes!r} to supersede", "supersedes")
    return replace(record, observations=(*record.observations, note))


def current_notes(record: Site | Subject) -> tuple[Observation, ...]:
    """Return the notes that no later note supersedes, in the order of their dates."""
    replaced = {note.supersedes for note in record.observations}
    current = (note for note in record.observations if note.id not in replaced)
    return tuple(sorted(current, key=lambda note: (note.date.sort_key(), note.id)))
