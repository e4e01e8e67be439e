"""Adding files to a catalogue: first the whole report, then all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from geo.area import geodesic_distance_m
from geo.errors import InputError
from sites.errors import CatalogueError
from sites.features import write_feature
from sites.likeness import SAME_NAME_M, NearDuplicate, near_duplicates
from sites.members import faults_of
from sites.merging import FieldChange, changes, merge
from sites.model import Site, Subject
from sites.slugs import told_apart

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sites.catalogue import Catalogue
    from sites.geojson import Document, Found


@dataclass(frozen=True, slots=True)
class Changed:
    """A record that is known, of which a file says more or other things."""

    id: str
    fields: tuple[FieldChange, ...]
    after: Site | Subject


@dataclass(frozen=True, slots=True)
class AddReport:
    """What adding would do; nothing has been done."""

    new: tuple[Site | Subject, ...]
    same: tuple[str, ...]
    """Ids of which the files say nothing new."""
    changed: tuple[Changed, ...]
    near_duplicates: tuple[NearDuplicate, ...]
    """New sites that may be known ones, or one another; they are added all the same."""
    refused: tuple[InputError, ...]
    """Every fault, with file, feature and field."""

    def apply(self, catalogue: Catalogue, *, skip_refused: bool = False) -> Catalogue:
        """Return the catalogue with what is new and changed; nothing is written.

        Raises:
            InputError: Something was refused and `skip_refused` is not set; the first fault.
        """
        if self.refused and not skip_refused:
            raise self.refused[0]
        return catalogue.with_records([*self.new, *(changed.after for changed in self.changed)])


def plan_additions(catalogue: Catalogue, documents: Iterable[Document]) -> AddReport:
    """Say what adding these files would do: new, same, changed, near-duplicate, refused."""
    present: dict[str, Site | Subject] = {**catalogue.by_id, **catalogue.subjects}
    incoming: dict[str, Site | Subject] = {}
    refused: list[InputError] = []
    for document in documents:
        refused.extend(document.faults)
        for found in document.found:
            record = _known_as(found, catalogue, present)
            if record.id in incoming:
                problem = f"another of the files has the id {record.id!r} too"
                refused.append(CatalogueError(problem, where=document.place(found)))
                continue
            try:
                known = present.get(record.id, record)
                incoming[record.id] = known if known == record else merge(known, record)
            except InputError as error:
                place = document.place(found)
                refused.extend(
                    fault.located(file=place.file, feature=place.feature) for fault in faults_of(error, "")
                )
    return _report(catalogue, present, incoming, refused)


def _report(
    catalogue: Catalogue,
    present: dict[str, Site | Subject],
    incoming: dict[str, Site | Subject],
    refused: list[InputError],
) -> AddReport:
    new = [record for record in incoming.values() if record.id not in present]
    known = [(present[record.id], record) for record in incoming.values() if record.id in present]
    changed = [Changed(after.id, changes(before, after), after) for before, after in known if before != after]
    same = [after.id for before, after in known if before == after]
    new_sites = [record for record in new if isinstance(record, Site)]
    twins = near_duplicates(new_sites, list(catalogue))
    return AddReport(tuple(new), tuple(same), tuple(changed), tuple(twins), tuple(refused))


def _known_as(found: Found, catalogue: Catalogue, present: dict[str, Site | Subject]) -> Site | Subject:
    """Return the record under the id that the catalogue knows, or will know, it by."""
    record = found.record
    record_id = catalogue.former.get(record.id, record.id)
    known = present.get(record_id)
    if not found.id_given and known is not None and _lie_apart(record, known):
        record_id = told_apart(record.id, write_feature(record)["geometry"])
    return record if record_id == record.id else replace(record, id=record_id)


def _lie_apart(one: Site | Subject, other: Site | Subject) -> bool:
    """Tell whether two sites of one name are surely two: too far apart for what is known of each."""
    if not (isinstance(one, Site) and isinstance(other, Site)):
        return False
    here, there = one.point, other.point
    if here is None or there is None:
        return False
    doubt_m = (one.coordinate_accuracy_m or 0.0) + (other.coordinate_accuracy_m or 0.0)
    return geodesic_distance_m(here, there) > SAME_NAME_M + doubt_m
