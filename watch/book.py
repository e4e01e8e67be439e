"""Where what was judged is written: the ledger itself, or a sheet that its one writer copies into it."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager
    from datetime import date, datetime

    from imagery.model import Detection, Look, Outcome
    from watch.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Looked:
    """Of a look in the ledger, what says whether it still stands."""

    grid_id: str
    series: str
    solar_day: date
    scene_ids: tuple[str, ...]
    outcome: Outcome
    method: str | None
    """Of judging; None for looks that are older than cards."""


class Page(Protocol):
    """What judging may write, inside one transaction."""

    def add_look(self, look: Look, *, run_id: str, judged_at: datetime) -> None:
        """Add one look."""

    def drop_looks(self, site_id: str, grid_id: str, series: str, days: Sequence[date]) -> None:
        """Drop the looks of these days."""

    def set_detections(
        self,
        site_id: str,
        grid_id: str,
        series: str,
        found: Sequence[Detection],
        *,
        run_id: str,
        day: date | None = None,
    ) -> None:
        """Make `found` the detections of one site, lattice and series after the look of a day."""


class Book(Protocol):
    """What judging reads and writes."""

    def looked(self, site_id: str, *, grid_id: str, series: str) -> list[Looked]:
        """Return the looks at a site of one lattice and series, oldest first."""

    def transaction(self) -> AbstractContextManager[Page]:
        """Yield the writing side."""


@dataclass(slots=True)
class Entry:
    """What is to be written of one lattice in one series."""

    grid_id: str
    series: str
    dropped: list[date] = field(default_factory=list)
    """Days whose looks were judged anew."""
    looks: list[Look] = field(default_factory=list)
    """In order."""
    detections: dict[date, tuple[Detection, ...]] = field(default_factory=dict)
    """After the look of a day, where they are not those after the look before it."""


class Sheet:
    """A `Book` of one site in memory: what there is to know goes in, what is to be written comes out."""

    def __init__(self, known: Sequence[Looked]) -> None:
        """Know the looks of the site, of all lattices."""
        self._known = known
        self._entries: dict[tuple[str, str], Entry] = {}

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What was written, by lattice and series in the order in which they were begun."""
        return tuple(self._entries.values())

    def looked(self, site_id: str, *, grid_id: str, series: str) -> list[Looked]:  # noqa: ARG002 - of one site
        """Return the looks of one lattice and series, oldest first."""
        return [look for look in self._known if (look.grid_id, look.series) == (grid_id, series)]

    @contextmanager
    def transaction(self) -> Iterator[Sheet]:
        """Yield the writing side."""
        yield self

    def add_look(self, look: Look, *, run_id: str, judged_at: datetime) -> None:  # noqa: ARG002 - its writer's
        """Add one look."""
        self._entry(look.grid_id, look.series).looks.append(look)

    def drop_looks(self, site_id: str, grid_id: str, series: str, days: Sequence[date]) -> None:  # noqa: ARG002 - of one site
        """Drop the looks of these days."""
        self._entry(grid_id, series).dropped += days

    def set_detections(
        self,
        site_id: str,  # noqa: ARG002 - of one site
        grid_id: str,
        series: str,
        found: Sequence[Detection],
        *,
        run_id: str,  # noqa: ARG002 - its writer's
        day: date | None = None,
    ) -> None:
        """Make `found` the detections of one lattice and series after the look of a day."""
        detections = self._entry(grid_id, series).detections
        if day is not None and (not detections or next(reversed(detections.values())) != tuple(found)):
            detections[day] = tuple(found)

    def _entry(self, grid_id: str, series: str) -> Entry:
        return self._entries.setdefault((grid_id, series), Entry(grid_id, series))


def copy(entries: Sequence[Entry], site_id: str, page: Page, *, run_id: str, judged_at: datetime) -> None:
    """Write what stands on a site's sheet."""
    for entry in entries:
        if entry.dropped:
            page.drop_looks(site_id, entry.grid_id, entry.series, entry.dropped)
        for look in entry.looks:
            page.add_look(look, run_id=run_id, judged_at=judged_at)
            found = entry.detections.get(look.solar_day)
            if found is not None:
                page.set_detections(
                    site_id, entry.grid_id, entry.series, found, run_id=run_id, day=look.solar_day
                )


if TYPE_CHECKING:

    def ledger_conforms(ledger: Ledger) -> Book:
        """A ledger is a book."""
        return ledger

    def sheet_conforms(sheet: Sheet) -> Book:
        """So is a sheet."""
        return sheet
