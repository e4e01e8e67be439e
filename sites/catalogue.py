"""The catalogue: sites and subjects by id, in the files they came from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from geo.durable import write_bytes
from geo.errors import InputError, Where
from sites.errors import CatalogueError, UnknownSiteError
from sites.geojson import Document, read_file, read_files, write_document
from sites.memory import collector_paused
from sites.model import Site, Subject

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from sites.observation import Observation

ENDING = ".geojson"


@dataclass(frozen=True, slots=True)
class CatalogueFile:
    """One file of a catalogue, as it must be written again."""

    records: Mapping[str, Site | Subject]
    """What it holds, or held when it was read, by id."""
    is_single: bool = False
    """True when it is one bare Feature."""
    foreign: Mapping[str, Any] = field(default_factory=dict)
    """Members of the collection that are not ours."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Sites and subjects, immutable; a change makes a new one, and `write` stores what differs.

    Iterating gives the sites, by id.

    >>> catalogue = Catalogue.of([])
    >>> len(catalogue)
    0
    """

    by_id: Mapping[str, Site]
    """Ordered by id."""
    subjects: Mapping[str, Subject]
    """Provinces and topics that have notes of their own; ordered by id."""
    path: Path | None = None
    """A file, or a folder of ``*.geojson``; None when it was never stored."""
    files: Mapping[Path, CatalogueFile] = field(default_factory=dict)
    former: Mapping[str, str] = field(default_factory=dict)
    """Present id of every former one."""

    @classmethod
    def of(cls, records: Iterable[Site | Subject], *, path: Path | None = None) -> Self:
        """Make a catalogue of records.

        Raises:
            CatalogueError: Two have the same id, or a former id means two sites.
        """
        ordered = sorted(records, key=lambda record: record.id)
        for one, other in pairwise(ordered):
            if one.id == other.id:
                raise CatalogueError(f"two records have the id {one.id!r}")
        sites = {record.id: record for record in ordered if isinstance(record, Site)}
        subjects = {record.id: record for record in ordered if isinstance(record, Subject)}
        return cls(sites, subjects, path, {}, _former_ids(sites))

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a GeoJSON file, or every ``*.geojson`` of a folder (not of folders inside it).

        Raises:
            InputError: The first fault; `check` reports all.
        """
        with collector_paused():
            paths = catalogue_files(path)
            documents = dict(zip(paths, read_files(paths), strict=True))
            for document in documents.values():
                document.records()
            fault = next(iter(_duplicates(documents)), None)
            if fault is not None:
                raise fault
            records = [found.record for document in documents.values() for found in document.found]
            files = {file: _as_file(document) for file, document in documents.items()}
            return replace(cls.of(records, path=path), files=files)

    def __len__(self) -> int:
        return len(self.by_id)

    def __iter__(self) -> Iterator[Site]:
        return iter(self.by_id.values())

    def __contains__(self, site_id: object) -> bool:
        return site_id in self.by_id

    def _repr_html_(self) -> str:
        from sites.reprs import catalogue_html  # noqa: PLC0415 - only notebooks ask

        return catalogue_html(self)

    def get(self, site_id: str) -> Site:
        """Return the site of an id, or of a former id.

        Raises:
            UnknownSiteError: There is none; the hint names ids that are spelt alike.
        """
        site = self.by_id.get(self.former.get(site_id, site_id))
        if site is not None:
            return site
        near = get_close_matches(site_id[:64], self.by_id, n=3, cutoff=0.6)
        hint = f"Did you mean {', '.join(near)}?" if near else "`sitewatch sites list` shows all ids"
        raise UnknownSiteError(f"no site has the id {site_id[:64]!r}", hint=hint)

    def with_records(self, records: Iterable[Site | Subject], *, without: Iterable[str] = ()) -> Self:
        """Return a catalogue in which these records replace those of the same id, or are added."""
        merged: dict[str, Site | Subject] = {**self.by_id, **self.subjects}
        for gone in without:
            merged.pop(gone, None)
        merged |= {record.id: record for record in records}
        return replace(type(self).of(merged.values(), path=self.path), files=self.files)

    def write(self, *, into: str | None = None) -> tuple[Path, ...]:
        """Store what differs from the files as they were read; return the files that changed.

        New sites go into the one file of a file catalogue; in a folder each gets its own file
        ``<id>.geojson``, or all go into the file `into`, whole or not at all. Read the catalogue
        again before the next change.

        Raises:
            CatalogueError: It has no path, or a new file's name is taken.
        """
        homes = self._homes(into)
        changed = [file for file, home in homes.items() if not self._is_stored(file, home)]
        emptied = [file for file in changed if not homes[file].records and file != self.path]
        for file in changed:
            if file not in emptied:
                home = homes[file]
                records = home.records.values()
                write_bytes(file, write_document(records, is_single=home.is_single, foreign=home.foreign))
        # Only now: a site that moved to another file is there before it is gone here.
        for file in emptied:
            file.unlink(missing_ok=True)
        return tuple(changed)

    def _is_stored(self, file: Path, home: CatalogueFile) -> bool:
        stored = self.files.get(file)
        return stored is not None and stored.records == home.records

    def _homes(self, into: str | None) -> dict[Path, CatalogueFile]:
        """Say which records every file will hold; a renamed site stays in its file."""
        path = self.path
        if path is None:
            raise CatalogueError("the catalogue has no path to be written to")
        is_folder = path.is_dir() or (path not in self.files and path.suffix != ENDING)
        home_of = {record_id: file for file, stored in self.files.items() for record_id in stored.records}
        kept: dict[Path, dict[str, Site | Subject]] = {file: {} for file in self.files}
        present: list[Site | Subject] = [*self.by_id.values(), *self.subjects.values()]
        for record in present:
            ids = (record.id, *(record.former_ids if isinstance(record, Site) else ()))
            file = next((home_of[old] for old in ids if old in home_of), None)
            if file is None:
                file = path if not is_folder else path / (into or f"{record.id}{ENDING}")
            kept.setdefault(file, {})[record.id] = record
        bare = CatalogueFile({}, is_single=is_folder and into is None)
        for file in kept.keys() - self.files.keys():
            if file.exists():
                raise CatalogueError("the file is there already", where=Where(file=str(file)))
        return {file: replace(self.files.get(file, bare), records=records) for file, records in kept.items()}


def catalogue_files(path: Path) -> tuple[Path, ...]:
    """Return the files of a catalogue: the file itself, or a folder's ``*.geojson`` by name.

    Raises:
        CatalogueError: There is nothing at `path`, or the folder may not be read.
    """
    if path.is_dir():
        return _files_inside(path)
    if not path.exists():
        hint = "`sitewatch init` makes a workspace with a catalogue"
        raise CatalogueError("no such file or folder", where=Where(file=str(path)), hint=hint)
    return (path,)


def _files_inside(folder: Path) -> tuple[Path, ...]:
    try:
        files = {file.name: file for file in folder.iterdir()}
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise CatalogueError(problem, where=Where(file=str(folder))) from error
    names = (name for name in files if name.endswith(ENDING) and not name.startswith("."))
    return tuple(files[name] for name in sorted(names))


def check(path: Path) -> tuple[InputError, ...]:
    """Return every fault of a file or folder, in the order of files and features; empty when clean."""
    faults: list[InputError] = []
    documents: dict[Path, Document] = {}
    for file in catalogue_files(path):
        try:
            documents[file] = read_file(file)
        except InputError as error:
            faults.append(error)
        else:
            faults.extend(documents[file].faults)
    faults.extend(_duplicates(documents))
    faults.extend(_dangling(documents))
    return tuple(faults)


def _duplicates(documents: Mapping[Path, Document]) -> Iterator[InputError]:
    seen: dict[str, Path] = {}
    for file, document in documents.items():
        for found in document.found:
            other = seen.setdefault(found.record.id, file)
            if other is not file:
                where = replace(document.place(found), field="id")
                yield CatalogueError(f"the id is taken in {other}", where=where)


def _dangling(documents: Mapping[Path, Document]) -> Iterator[InputError]:
    """Yield what points at nothing: relations to no site, notes that speak of no note."""
    all_found = [(document, found) for document in documents.values() for found in document.found]
    known = {found.record.id for _, found in all_found}
    known |= {
        former
        for _, found in all_found
        if isinstance(found.record, Site)
        for former in found.record.former_ids
    }
    notes = {note.id for _, found in all_found for note in found.record.observations}
    for document, found in all_found:
        place = document.place(found)
        relations = found.record.relations if isinstance(found.record, Site) else ()
        for position, relation in enumerate(relations):
            if relation.site not in known:
                where = replace(place, field=f"relations[{position}].site")
                yield CatalogueError(f"no site has the id {relation.site!r}", where=where)
        for position, note in enumerate(found.record.observations):
            for field_name, ref in _references(note):
                if ref not in notes:
                    where = replace(place, field=f"observations[{position}].{field_name}")
                    yield CatalogueError(f"no note has the id {ref!r}", where=where)


def _references(note: Observation) -> Iterator[tuple[str, str]]:
    if note.supersedes is not None:
        yield "supersedes", note.supersedes
    for ref in note.contradicts:
        yield "contradicts", ref


def _as_file(document: Document) -> CatalogueFile:
    records = {found.record.id: found.record for found in document.found}
    return CatalogueFile(records, document.is_single, document.foreign)


def _former_ids(sites: Mapping[str, Site]) -> dict[str, str]:
    former: dict[str, str] = {}
    for site in sites.values():
        for old in site.former_ids:
            if old == site.id:
                continue  # it took its first id again
            if old in sites or former.setdefault(old, site.id) != site.id:
                taken = sites[old].id if old in sites else former[old]
                problem = f"the former id {old!r} also means {taken!r}"
                raise CatalogueError(problem, where=Where(feature=site.id, field="former_ids"))
    return former
