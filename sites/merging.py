"""A site joined with what a second file says of it: nothing known is lost, no note is rewritten."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sites.checks import refuse
from sites.features import write_feature
from sites.model import Placement, Site, Subject, WatchRules

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

    from sites.model import Attribute, Name
    from sites.observation import Observation

_SCALARS = (
    "subtype",
    "description",
    "country",
    "province",
    "county",
    "operator",
    "grade",
    "complex",
    "opened",
    "closed",
    "retired",
)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One property of a site before and after, as a file writes it."""

    field: str
    before: Any
    """JSON value; None when it was not there."""
    after: Any


def merge(old: Site | Subject, new: Site | Subject) -> Site | Subject:
    """Return `old` with everything that `new` knows; the id stays.

    A text or number that `new` gives replaces the old one; lists are joined; an earlier place moves
    to `placements`; what `new` leaves out stays.

    Raises:
        SiteError: A note of the same id says something else, or a site meets a subject.
    """
    notes = merge_notes(old.observations, new.observations)
    foreign = {**old.foreign, **new.foreign}
    if isinstance(old, Site) and isinstance(new, Site):
        return _merge_sites(old, new, notes)
    if isinstance(old, Subject) and isinstance(new, Subject) and old.kind == new.kind:
        return replace(old, name=new.name, observations=notes, foreign=foreign)
    return refuse(f"{old.id!r} is a site in one place and a subject in the other", "id")


def merge_notes(old: Sequence[Observation], new: Sequence[Observation]) -> tuple[Observation, ...]:
    """Return the notes of both; one that is known stays as it is.

    Raises:
        SiteError: A note of the same id says something else.
    """
    known = {note.id: note for note in old}
    for position, note in enumerate(new):
        if note.id in known and known[note.id] != note:
            hint = "Notes are never rewritten: give it a new id, and `supersedes`"
            refuse(f"note {note.id!r} says something else already", f"observations[{position}].id", hint)
    return (*old, *(note for note in new if note.id not in known))


def changes(old: Site | Subject, new: Site | Subject) -> tuple[FieldChange, ...]:
    """Return what differs, property by property, in the order a file writes them."""
    before, after = _flat(old), _flat(new)
    keys = [*after, *(key for key in before if key not in after)]
    return tuple(
        FieldChange(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key)
    )


def _merge_sites(old: Site, new: Site, notes: tuple[Observation, ...]) -> Site:
    given = {name: getattr(new, name) for name in _SCALARS if getattr(new, name) is not None}
    merged = replace(
        old,
        category=new.category,
        names=_merge_names(old.names, new.names),
        relations=_joined(old.relations, new.relations, lambda item: item),
        attributes=_joined(old.attributes, new.attributes, _measured),
        former_ids=_joined(old.former_ids, (i for i in new.former_ids if i != old.id), lambda item: item),
        placements=_joined(old.placements, new.placements, lambda item: item),
        watch=old.watch if new.watch == WatchRules() else new.watch,
        observations=notes,
        foreign={**old.foreign, **new.foreign},
        feature_foreign={**old.feature_foreign, **new.feature_foreign},
        **given,
    )
    return _merge_place(merged, new)


def _merge_place(old: Site, new: Site) -> Site:
    if new.geometry is None and new.footprint is None:
        return old
    geometry = old.geometry if new.geometry is None else new.geometry
    moved = geometry != old.geometry
    # What was said of the old point does not hold of another one.
    said = (
        old
        if not moved
        else replace(old, coordinate_accuracy_m=None, coordinate_source=None, coordinate_licence=None)
    )
    return replace(
        old,
        geometry=geometry,
        footprint=new.footprint or old.footprint,
        coordinate_accuracy_m=new.coordinate_accuracy_m or said.coordinate_accuracy_m,
        coordinate_source=new.coordinate_source or said.coordinate_source,
        coordinate_licence=new.coordinate_licence or said.coordinate_licence,
        placements=(*old.placements, place_of(old)) if moved and old.geometry else old.placements,
    )


def place_of(site: Site) -> Placement:
    """Return where a site is now, as a part of its history."""
    return Placement(
        site.geometry,
        site.footprint,
        site.coordinate_accuracy_m,
        site.coordinate_source,
        site.coordinate_licence,
    )


def _merge_names(old: tuple[Name, ...], new: tuple[Name, ...]) -> tuple[Name, ...]:
    by_text = {name.text: name for name in new if name.language or name.script or name.scheme or name.span}
    kept = [by_text.get(name.text, name) if _is_bare(name) else name for name in old]
    texts = {name.text for name in old}
    return (*kept, *(name for name in new if name.text not in texts))


def _is_bare(name: Name) -> bool:
    return name.language is None and name.script is None and name.scheme is None and name.span is None


def _measured(item: Attribute) -> Hashable:
    return item.quantity, item.unit, item.date, item.source


def _joined(old: Iterable[Any], new: Iterable[Any], key: Callable[[Any], Hashable]) -> tuple[Any, ...]:
    joined = {key(item): item for item in old}
    return tuple((joined | {key(item): item for item in new}).values())


def _flat(record: Site | Subject) -> dict[str, Any]:
    feature = write_feature(record)
    properties: dict[str, Any] = feature.pop("properties")
    return {"geometry": feature.pop("geometry")} | properties
