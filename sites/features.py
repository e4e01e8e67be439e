"""One GeoJSON feature to and from a site or a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from geo.errors import InputError, Where
from sites.checks import is_id, refuse, require_id, shown
from sites.deferred import DeferredNotes, plain_notes
from sites.members import Form, check_foreign, faults_of, listed, raise_all, text
from sites.model import Name, Site, Subject
from sites.positions import plain_points, read_geometry, write_geometry
from sites.siteforms import NAME, SITE, SUBJECT
from sites.slugs import slug

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry import Point

_OURS = frozenset({"type", "id", "geometry", "properties", "bbox"})
# `bbox` follows from the geometry; one that is kept would lie after the next move.
_NAMES = listed(NAME.read)
_ALIASES = listed(text)
_NAMING = frozenset({"name", "names", "name_ko", "aliases"})
_NOT_SITE = _NAMING | {"id"}


class Ready(NamedTuple):
    """What of a feature has been read already, together with others; None where it has not been."""

    point: Point | None = None
    notes: DeferredNotes | None = None


_NOTHING = Ready()


def feature_id(raw: Mapping[str, Any]) -> str | None:
    """Return the id that a feature gives itself, on the feature or in its properties; None if none.

    Raises:
        InputError: It gives two that differ, or one that is no id.
    """
    properties = raw.get("properties")
    inner = properties.get("id") if isinstance(properties, dict) else None
    own = raw.get("id")
    if inner is None and isinstance(own, str) and is_id(own):
        return own  # as nearly all do
    given = [value for value in (own, inner) if value is not None]
    if not given:
        return None
    ids = [value if isinstance(value, str) else str(value) if _is_whole(value) else value for value in given]
    if ids[0] != ids[-1]:
        hint = "Keep the one on the feature"
        refuse(f"two ids: {shown(ids[0])} on the feature, {shown(ids[1])} in its properties", "id", hint)
    if not isinstance(ids[0], str):
        refuse(f"an id is a text, not {shown(ids[0])}", "id")
    if not is_id(ids[0]):
        require_id(ids[0], offer=_offer(ids[0]))
    return ids[0]


def display_name(raw: Mapping[str, Any]) -> str | None:
    """Return the name that a feature shows, None where it has none or none that is a text."""
    properties = raw.get("properties")
    if not isinstance(properties, dict):
        return None
    value = properties.get("name")
    names = properties.get("names")
    if value is None and isinstance(names, list) and names:
        value = names[0].get("text") if isinstance(names[0], dict) else names[0]
    if value is None:
        value = properties.get("name_ko")
    return value if isinstance(value, str) else None


def read_ahead(features: Sequence[object]) -> list[Ready]:
    """Return the points and notes of those features that surely have plain ones."""
    points = plain_points([raw.get("geometry") if isinstance(raw, dict) else None for raw in features])
    notes = plain_notes([_raw_notes(raw) for raw in features])
    return list(map(Ready, points, notes))


def _raw_notes(raw: object) -> object:
    properties = raw.get("properties") if isinstance(raw, dict) else None
    return properties.get("observations") if isinstance(properties, dict) else None


def read_feature(raw: object, record_id: str, ready: Ready = _NOTHING) -> Site | Subject:
    """Return the site or subject of a GeoJSON feature.

    Args:
        raw: Not trusted.
        record_id: The id it gives itself, or one made for it.
        ready: What `read_ahead` made of it.

    Raises:
        InputError: One fault, with its field, or a `RecordError` that holds all of them.
    """
    if not isinstance(raw, dict) or raw.get("type") != "Feature":
        refuse("this is not a Feature", "type", 'Each needs "type": "Feature"')
    if "geometry" not in raw:
        refuse("the feature has no geometry", "geometry", "Write null for an unplaced site")
    properties = raw.get("properties")
    if not isinstance(properties, dict):
        refuse("the feature has no properties", "properties", "It needs a name and a category at least")
    foreign = {key: raw[key] for key in raw if key not in _OURS}
    for key, value in foreign.items():
        check_foreign_member(key, value)
    if "subject" in properties:
        return _read_subject(raw, properties, record_id, foreign)
    return _read_site(raw, properties, record_id, foreign, ready)


def check_foreign_member(key: str, value: object) -> None:
    """Refuse a member that could not be written back, naming its key."""
    try:
        check_foreign(value)
    except InputError as error:
        raise_all(faults_of(error, key))


def write_feature(record: Site | Subject) -> dict[str, Any]:
    """Return a site or subject as a GeoJSON feature in canonical key order."""
    if isinstance(record, Site):
        geometry = None if record.geometry is None else write_geometry(record.geometry)
        properties = _write_names(record.names) | SITE.write(record)
    else:
        geometry = None
        properties = {"subject": {record.kind: record.name}} | SUBJECT.write(record)
    feature = {"type": "Feature", "id": record.id, "geometry": geometry, "properties": properties}
    return feature | {key: record.feature_foreign[key] for key in sorted(record.feature_foreign)}


def _read_site(
    raw: dict[str, Any],
    properties: dict[str, Any],
    site_id: str,
    foreign: dict[str, Any],
    ready: Ready,
) -> Site:
    faults: list[InputError] = []
    values: dict[str, Any] = {"id": site_id}
    rest = {key: properties[key] for key in properties if key not in _NOT_SITE}
    if ready.notes is not None:
        values["observations"] = ready.notes
        del rest["observations"]
    try:
        values["names"] = _read_names(properties)
    except InputError as error:
        faults.extend(faults_of(error, ""))
    if ready.point is not None:
        values["geometry"] = ready.point
    elif raw["geometry"] is not None:
        try:
            values["geometry"] = read_geometry(raw["geometry"])
        except InputError as error:
            faults.extend(faults_of(error, "geometry"))
    values |= _values(SITE, rest, faults)
    raise_all(faults)
    if foreign:
        values["feature_foreign"] = foreign
    return SITE.build(values)


def _read_subject(
    raw: dict[str, Any], properties: dict[str, Any], record_id: str, foreign: dict[str, Any]
) -> Subject:
    subject = properties["subject"]
    if raw["geometry"] is not None:
        refuse("a subject has no place", "geometry", "Write null, or make it a site")
    if not isinstance(subject, dict) or len(subject) != 1:
        refuse("a subject is one of province or topic", "subject", 'Write {"province": "Ryanggang"}')
    kind, name = next(iter(subject.items()))
    rest = {key: properties[key] for key in properties if key not in {"id", "subject"}}
    values = SUBJECT.values(rest) | {"id": record_id, "kind": kind, "name": text(name)}
    if foreign:
        values["feature_foreign"] = foreign
    return SUBJECT.build(values)


def _values(form: Form[Site], raw: dict[str, Any], faults: list[InputError]) -> dict[str, Any]:
    try:
        return form.values(raw)
    except InputError as error:
        faults.extend(faults_of(error, ""))
        return {}


def _read_names(properties: dict[str, Any]) -> tuple[Name, ...]:
    """Return the names, the displayed one first; `name_ko` and `aliases` are other ways to give them."""
    found: list[Name] = []
    if properties.get("names") is not None:
        found += _located(_NAMES, properties["names"], "names")
    shown_name = properties.get("name")
    if shown_name is not None:
        same = [name for name in found if name.text == shown_name]
        first = same[0] if same else Name(_located(text, shown_name, "name"))
        found = [first, *[name for name in found if name is not first]]
    if properties.get("name_ko") is not None:
        _add(found, Name(_located(text, properties["name_ko"], "name_ko"), language="ko"))
    if properties.get("aliases") is not None:
        for alias in _located(_ALIASES, properties["aliases"], "aliases"):
            _add(found, Name(alias))
    if not found:
        hint = "Give it the name to show"
        raise InputError("a site needs a name", where=Where(field="name"), hint=hint)
    return tuple(found)


def _located(read: Any, value: object, key: str) -> Any:  # noqa: ANN401 - passes a reader through
    try:
        return read(value)
    except InputError as error:
        return raise_all(faults_of(error, key))


def _add(names: list[Name], name: Name) -> None:
    if all(known.text != name.text for known in names):
        names.append(name)


def _write_names(names: tuple[Name, ...]) -> dict[str, Any]:
    first, others = names[0], names[1:]
    bare = first == Name(first.text) and all(name.text != first.text for name in others)
    listed_names = [NAME.write(name) for name in (others if bare else names)]
    return {"name": first.text} | ({"names": listed_names} if listed_names else {})


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _offer(value: str) -> str | None:
    offer = slug(value)
    return offer if offer and is_id(offer) else None
