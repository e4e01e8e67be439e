"""GeoJSON files (RFC 7946) of sites: a bounded reader that trusts nothing, a canonical writer.

Canonical form: UTF-8, two spaces, one position a line, fixed key order, coordinates to seven
decimals, records by id. Writing what was read from a canonical file gives the same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from geo.errors import InputError, Where
from sites.checks import shown
from sites.errors import CatalogueError
from sites.features import (
    Ready,
    check_foreign_member,
    display_name,
    feature_id,
    read_ahead,
    read_feature,
    write_feature,
)
from sites.files import explain_encoding, read_bounded
from sites.members import faults_of
from sites.slugs import slug, told_apart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

    from sites.model import Site, Subject

MAX_FEATURES = 100_000
"""Of one file; the largest public list for the DPRK has 53,722."""

MAX_VALUES = 20_000_000
"""Of one file, by its brackets and commas: three bytes of JSON can become a hundred of memory."""

WGS84_NAMES = ("CRS84", "EPSG::4326", "EPSG:4326")

_NOT_JSON = re.compile(rb"-?(NaN|Infinity)")
_NUMBERS = re.compile(rb'\[\n\s+-?\d[^\[\]{}"]*?\n\s+\]')
_GAP = re.compile(rb"\s+")


@dataclass(frozen=True, slots=True)
class Found:
    """One record of a file."""

    record: Site | Subject
    index: int
    """Position in the file, from 0."""
    id_given: bool
    """False when the id was made of the name."""


@dataclass(frozen=True, slots=True)
class Document:
    """What a file holds."""

    file: str
    """As the user wrote it."""
    found: tuple[Found, ...]
    """The records without faults, in the order of the file."""
    faults: tuple[InputError, ...]
    """Every fault of the others, with its place."""
    is_single: bool = False
    """True when the file is one bare Feature."""
    foreign: Mapping[str, Any] = field(default_factory=dict)
    """Members of the collection that are not ours."""

    noun: str = "feature"
    """What errors call one record."""

    def place(self, found: Found) -> Where:
        """Return where a record stands, as errors name it: ``feature 3 ('a')``."""
        return Where(file=self.file, feature=f"{self.noun} {found.index + 1} ({found.record.id!r})")

    def records(self) -> tuple[Site | Subject, ...]:
        """Return the records.

        Raises:
            InputError: The first fault, if there is any.
        """
        if self.faults:
            raise self.faults[0]
        return tuple(found.record for found in self.found)


@dataclass(frozen=True, slots=True)
class _Parsed:
    """A file that is GeoJSON, its features not yet read."""

    file: str
    features: list[object]
    is_single: bool
    foreign: Mapping[str, Any]


def read_file(path: Path) -> Document:
    """Read a GeoJSON file; see `read_document`."""
    return read_document(read_bounded(path), str(path))


def read_files(paths: Iterable[Path]) -> list[Document]:
    """Read GeoJSON files; see `read_document`. Many small ones cost much less together than alone."""
    parsed = [_parse(read_bounded(path), str(path)) for path in paths]
    ready = iter(read_ahead([feature for one in parsed for feature in one.features]))
    return [_document(one, islice(ready, len(one.features))) for one in parsed]


def read_document(data: bytes, file: str) -> Document:
    """Read a FeatureCollection, a Feature, or a list of those.

    Args:
        data: The whole file.
        file: Its name as the user wrote it, for errors.

    Raises:
        CatalogueError: It is not such a file at all; faults of single features are in the answer.
    """
    parsed = _parse(data, file)
    return _document(parsed, read_ahead(parsed.features))


def _parse(data: bytes, file: str) -> _Parsed:
    raw = load_json(data, file)
    try:
        features, foreign = _features(raw)
    except InputError as error:
        raise error.located(file=file) from None
    is_single = isinstance(raw, dict) and raw.get("type") == "Feature"
    return _Parsed(file, features, is_single, foreign)


def _document(parsed: _Parsed, ready: Iterable[Ready]) -> Document:
    def place(index: int) -> Where:
        return Where(file=parsed.file, feature=f"feature {index + 1}")

    found, faults = _read_features(parsed.features, ready, place)
    return Document(parsed.file, tuple(found), tuple(faults), parsed.is_single, parsed.foreign)


def read_features(
    features: Sequence[object], file: str, *, noun: str = "feature", lines: Sequence[int] | None = None
) -> Document:
    """Read features that some other reader made: the one validator for every way in.

    Args:
        features: GeoJSON features, not trusted.
        file: What errors call their file.
        noun: What errors call one of them.
        lines: The line of each, where they come from a text file.
    """

    def place(index: int) -> Where:
        return Where(file=file, feature=f"{noun} {index + 1}", line=lines[index] if lines else None)

    found, faults = _read_features(features, read_ahead(features), place)
    return Document(file, tuple(found), tuple(faults), noun=noun)


def write_document(
    records: Iterable[Site | Subject], *, is_single: bool = False, foreign: Mapping[str, Any] | None = None
) -> bytes:
    """Return records as canonical GeoJSON; a single Feature where the file was one and still can be."""
    features = [write_feature(record) for record in sorted(records, key=lambda record: record.id)]
    if is_single and len(features) == 1:
        return canonical_json(features[0])
    extra = {key: (foreign or {})[key] for key in sorted(foreign or {})}
    return canonical_json({"type": "FeatureCollection"} | extra | {"features": features})


def canonical_json(value: object) -> bytes:
    """Return JSON in the canonical layout: two spaces, lists of numbers on one line."""
    pretty = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    # A raw line break cannot stand inside a JSON text, so this only ever meets lists of numbers.
    return _NUMBERS.sub(_on_one_line, pretty)


def _on_one_line(match: re.Match[bytes]) -> bytes:
    return b"[" + _GAP.sub(b" ", match[0][1:-1]).strip() + b"]"


def load_json(data: bytes, file: str) -> object:
    """Return the values of a JSON file.

    Raises:
        CatalogueError: It is not JSON, not UTF-8, too large or too deep; with its line.
    """
    content = data.removeprefix(b"\xef\xbb\xbf")
    if len(content) > MAX_VALUES and sum(map(content.count, (b",", b"[", b"{"))) > MAX_VALUES:
        problem = f"more than {MAX_VALUES} values"
        raise CatalogueError(problem, where=Where(file=file), hint="Split the file")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        explain_encoding(content, file)
        where = Where(file=file, line=error.lineno)
        line = content.splitlines()[error.lineno - 1 : error.lineno]
        if line and _NOT_JSON.search(line[0]):
            hint = "JSON has no such number: write null, or leave the member out"
            raise CatalogueError("NaN or Infinity is not JSON", where=where, hint=hint) from None
        if "depth limit" in error.msg:
            raise CatalogueError("nested more than 1,000 levels deep", where=where) from None
        problem = f"not JSON: {error.msg}, column {error.colno}"
        raise CatalogueError(problem, where=where) from None


def _features(raw: object) -> tuple[list[object], dict[str, Any]]:
    if isinstance(raw, list):
        features = [feature for item in raw for feature in _members(item)]
        foreign: dict[str, Any] = {}
    else:
        features = _members(raw)
        foreign = _collection_foreign(raw)
    if len(features) > MAX_FEATURES:
        problem = f"{len(features)} features are too many; the limit is {MAX_FEATURES}"
        raise CatalogueError(problem, hint="Split the file")
    return features, foreign


def _members(raw: object) -> list[object]:
    kind = raw.get("type") if isinstance(raw, dict) else None
    if isinstance(raw, dict) and kind == "FeatureCollection":
        features = raw.get("features")
        if not isinstance(features, list):
            raise CatalogueError("a FeatureCollection needs a list", where=Where(field="features"))
        _check_crs(raw)
        return features
    if kind == "Feature":
        return [raw]
    hint = "Give a FeatureCollection, a Feature, or a list of those"
    what = f"type {shown(kind)}" if kind is not None else shown(raw)
    raise CatalogueError(f"{what} is not a GeoJSON feature", where=Where(field="type"), hint=hint)


def _collection_foreign(raw: object) -> dict[str, Any]:
    if not isinstance(raw, dict) or raw.get("type") != "FeatureCollection":
        return {}
    foreign = {key: raw[key] for key in raw if key not in {"type", "features", "bbox", "crs"}}
    for key, value in foreign.items():
        check_foreign_member(key, value)
    return foreign


def _check_crs(raw: dict[str, Any]) -> None:
    # RFC 7946 has no `crs`; its 2008 forerunner had, and files in other systems still carry it.
    crs = raw.get("crs")
    if crs is None:
        return
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = properties.get("name") if isinstance(properties, dict) else None
    if not isinstance(name, str) or not name.endswith(WGS84_NAMES):
        problem = f"coordinates in {shown(name)} are not longitude and latitude"
        raise CatalogueError(problem, where=Where(field="crs"), hint="Save it in WGS 84 (EPSG:4326)")


def _read_features(
    features: Sequence[object], ready: Iterable[Ready], place: Callable[[int], Where]
) -> tuple[list[Found], list[InputError]]:
    """Read each feature; `place` says where one stands, and is asked only when something is wrong."""
    faults: list[InputError] = []
    named = [_identify(raw, index, place, faults) for index, raw in enumerate(features)]
    ids = _settle(features, named)
    found: list[Found] = []
    seen: dict[str, int] = {}
    for index, (raw, record_id, known) in enumerate(zip(features, ids, ready, strict=True)):
        if record_id is None:
            continue
        try:
            if seen.setdefault(record_id, index) != index:
                problem = f"the id is taken by {_label(place(seen[record_id]), record_id)}"
                raise CatalogueError(problem, where=Where(field="id"))
            record = read_feature(raw, record_id, known)
        except InputError as error:
            where = place(index)
            faults.extend(_placed(error, replace(where, feature=_label(where, record_id))))
        else:
            found.append(Found(record, index, named[index][1]))
    return found, faults


def _label(where: Where, record_id: str) -> str:
    return f"{where.feature} ({record_id!r})"


def _identify(
    raw: object, index: int, place: Callable[[int], Where], faults: list[InputError]
) -> tuple[str | None, bool]:
    """Return the id and whether it was given; None, with a fault, where there is none to be had."""
    try:
        if not isinstance(raw, dict):
            raise CatalogueError(f"{shown(raw)} is not a Feature")
        given = feature_id(raw)
        if given is not None:
            return given, True
        name = display_name(raw)
        made = slug(name) if name else None
        if made is None:
            hint = "Ids are made of Latin letters and digits" if name else None
            raise CatalogueError("an id or a name is wanted", where=Where(field="id"), hint=hint)
    except InputError as error:
        faults.extend(_placed(error, place(index)))
        return None, False
    return made, False


def _settle(features: Sequence[object], named: list[tuple[str | None, bool]]) -> list[str | None]:
    """Tell apart the sites whose ids were made of the same name, by where they are."""
    if all(given for _, given in named):
        return [record_id for record_id, _ in named]
    count = Counter(record_id for record_id, _ in named)
    return [
        record_id
        if record_id is None or given or count[record_id] == 1
        else told_apart(record_id, raw.get("geometry") if isinstance(raw, dict) else None)
        for raw, (record_id, given) in zip(features, named, strict=True)
    ]


def _placed(error: InputError, where: Where) -> list[InputError]:
    return [
        fault.located(file=where.file, feature=where.feature, line=where.line)
        for fault in faults_of(error, "")
    ]
