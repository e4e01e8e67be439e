"""The ledger: what each look told, what was detected, which windows had no scene.

It is the denominator of every claim of absence, and it can be rebuilt: looks, detections and empty
windows are a function of the archive, the catalogue and `now`. Run ids and wall-clock columns are the
only thing in it that two runs over the same archive do not share.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Self

import shapely
import sqlalchemy as sa

from imagery.change.card import Card
from imagery.model import Detection, Look, NoScene, Outcome, Region
from watch.detection_rows import WATCHED, detection_of, detection_row, geojson, note_sureties, years_by_series
from watch.errors import DamagedLedgerError, LedgerError, WorkspaceBusyError
from watch.ledger_history import Change, Lattice, changes, note_changes, take_back
from watch.ledger_tables import DETECTIONS, EXAMINED, HISTORY, LOOKS, METADATA, NO_SCENES, RUNS
from watch.ledger_versions import SCHEMA_VERSION, bring_up, prepare
from watch.standing_rows import EXAMINED_AGAIN, WINDOWS, looked_of, looked_question
from watch.store import (
    WRITER_LOCK,
    failed,
    is_shared,
    ledger_url,
    open_engine,
    shown,
    writing_to,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from imagery.change.surety import Surety
    from watch.book import Looked

WALL_CLOCK_COLUMNS = frozenset({"run_id", "judged_at", "started_at", "finished_at"})
"""What differs between two runs that did the same; drop these (and `runs`) to compare ledgers."""


@dataclass(frozen=True, slots=True)
class Examined:
    """How far a site has been looked at."""

    since: date
    until: datetime
    """Aware UTC."""


@dataclass(frozen=True, slots=True)
class LookOutcome:
    """How one look ended, without what it saw."""

    site_id: str
    series: str
    solar_day: date
    outcome: Outcome
    reason: str


class Ledger:
    """The store of a workspace's looks and detections."""

    def __init__(self, engine: sa.Engine, url: sa.URL) -> None:
        """Take an engine whose tables are in place; see `open`."""
        self._engine = engine
        self._url = url
        self._writer: sa.Connection | None = None

    @classmethod
    def open(cls, where: Path | str) -> Self:
        """Open a ledger, making an empty one where there is none and bringing an older file up to date.

        Args:
            where: Path of a SQLite file, or a URL (`watch.store.ledger_url`).

        Raises:
            LedgerError: It can't be reached, is not a ledger, or is one of another version.
        """
        url = ledger_url(where)
        engine = open_engine(url)
        try:
            prepare(engine, METADATA, shown(url))
        except sa.exc.DBAPIError as error:
            engine.dispose()
            if isinstance(error, sa.exc.OperationalError) or is_shared(engine):
                raise failed(f"{shown(url)} can't be opened", error, url) from error
            hint = "Make it again from archive and files: sitewatch ledger rebuild"
            raise DamagedLedgerError(f"{shown(url)} is not a ledger ({error.orig})", hint=hint) from error
        except LedgerError:
            engine.dispose()
            raise
        return cls(engine, url)

    @classmethod
    def upgrade(cls, where: Path | str) -> tuple[int | None, int]:
        """Bring a ledger up to date wherever it is; return its version before, None for a new one, and now.

        Raises:
            LedgerError: It can't be reached, or is of a later version.
        """
        url = ledger_url(where)
        engine = open_engine(url)
        try:
            return bring_up(engine, METADATA, shown(url)), SCHEMA_VERSION
        except sa.exc.DBAPIError as error:
            raise failed(f"{shown(url)} can't be upgraded", error, url) from error
        finally:
            engine.dispose()

    @property
    def place(self) -> str:
        """Where it is: a file, or user, host and name of a database; never a password."""
        return shown(self._url)

    def __repr__(self) -> str:
        """Return where it is, without a password."""
        return f"Ledger({shown(self._url)!r})"

    def close(self) -> None:
        """Release the file or the server."""
        self._engine.dispose()

    @contextmanager
    def sole_writer(self) -> Iterator[None]:
        """Be the one writer of a ledger on a server for a block; a file has its workspace's lock.

        What is written meanwhile goes over the connection that holds the lock, so that whoever lost the
        lock can't write either.

        Raises:
            WorkspaceBusyError: Another process is the writer.
            LedgerError: The server can't be reached.
        """
        if not is_shared(self._engine) or self._writer is not None:
            yield
            return
        with self._saying("the ledger can't be locked"), self._engine.connect() as connection:
            # The lock is the session's: it outlives each transaction, and dies with the process.
            taken = connection.scalar(sa.select(sa.func.pg_try_advisory_lock(WRITER_LOCK)))
            connection.commit()
            if not taken:
                problem = f"another run is writing to {shown(self._url)}"
                raise WorkspaceBusyError(problem, hint="Wait until it ends")
            self._writer = connection
            try:
                yield
            finally:
                self._writer = None
                # Closing the session lets go of the lock, whatever state a fault has left it in.
                connection.invalidate()

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Yield the ledger's writing side; everything in the block is written, or nothing.

        Raises:
            LedgerError: The disk is full or may not be written, or the server went away.
        """
        with self.writing() as connection:
            yield Transaction(connection)

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """Yield a connection to ask questions over."""
        with self._saying("the ledger can't be read"), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """Yield a connection in one transaction."""
        with self._saying("the ledger can't be written"):
            yield from self._begun()

    def _begun(self) -> Iterator[sa.Connection]:
        if self._writer is None:
            with writing_to(self._engine) as connection:
                yield connection
        else:
            with self._writer.begin():
                yield self._writer

    @contextmanager
    def _saying(self, what: str) -> Iterator[None]:
        try:
            yield
        except sa.exc.OperationalError as error:
            raise failed(what, error, self._url) from error

    def start_run(self, run_id: str, *, now: datetime, started_at: datetime) -> None:
        """Note that a run began."""
        values = {"id": run_id, "now": _naive(now), "started_at": _naive(started_at)}
        with self.writing() as connection:
            connection.execute(RUNS.insert().values(values))

    def finish_run(self, run_id: str, finished_at: datetime) -> None:
        """Note that a run came to its end."""
        statement = RUNS.update().where(RUNS.c.id == run_id).values(finished_at=_naive(finished_at))
        with self.writing() as connection:
            connection.execute(statement)

    def looks(self, site_id: str, *, grid_id: str | None = None, series: str | None = None) -> list[Look]:
        """Return a site's looks, oldest first, of one lattice and series or of all."""
        statement = sa.select(LOOKS).where(LOOKS.c.site_id == site_id)
        if grid_id is not None:
            statement = statement.where(LOOKS.c.grid_id == grid_id)
        if series is not None:
            statement = statement.where(LOOKS.c.series == series)
        return [_look(row) for row in self._rows(statement.order_by(*_LOOK_ORDER))]

    def looked(self, site_id: str, *, grid_id: str | None = None, series: str | None = None) -> list[Looked]:
        """Return what says whether a site's looks still stand, oldest first; see `looks`."""
        with self._engine.connect() as connection:
            return looked_of(connection.execute(*looked_question(site_id, grid_id, series)))

    def all_looks(self) -> dict[str, list[Look]]:
        """Return every look by site, oldest first."""
        found: dict[str, list[Look]] = {}
        for row in self._rows(sa.select(LOOKS).order_by(LOOKS.c.site_id, *_LOOK_ORDER)):
            found.setdefault(row["site_id"], []).append(_look(row))
        return found

    def looked_at(self) -> frozenset[str]:
        """Return the ids under which there are looks."""
        return frozenset(row["site_id"] for row in self._rows(sa.select(LOOKS.c.site_id).distinct()))

    def detections(self, site_id: str | None = None) -> list[Detection]:
        """Return the detections of a site, or of all, by site and first day seen."""
        order = (DETECTIONS.c.site_id, DETECTIONS.c.first_with, DETECTIONS.c.id)
        statement = sa.select(DETECTIONS).order_by(*order)
        if site_id is not None:
            statement = statement.where(DETECTIONS.c.site_id == site_id)
        return [detection_of(row) for row in self._rows(statement)]

    def history(self, detection_id: str) -> list[Change]:
        """Return every change of a detection's state with the look that caused it, oldest first."""
        table = HISTORY
        statement = sa.select(table).where(table.c.detection_id == detection_id)
        return changes(self._rows(statement.order_by(table.c.solar_day)))

    def watched_years(self) -> dict[str, float]:
        """Return the years between the first and the last judged look of each site and lattice, by series."""
        return years_by_series(self._rows(WATCHED))

    def no_scenes(self, site_id: str | None = None) -> list[NoScene]:
        """Return the due windows without any acquisition, oldest first."""
        everywhere = sa.select(NO_SCENES).order_by(NO_SCENES.c.site_id, NO_SCENES.c.start)
        rows = self._rows(everywhere) if site_id is None else self._rows(WINDOWS, {"site": site_id})
        return [NoScene(row["site_id"], row["start"], row["end"]) for row in rows]

    def examined(self) -> dict[str, Examined]:
        """Return how far each site has been looked at."""
        rows = self._rows(sa.select(EXAMINED))
        return {row["site_id"]: Examined(row["since"], row["until"].replace(tzinfo=UTC)) for row in rows}

    def outcomes(self, start: date, end: date) -> list[LookOutcome]:
        """Return how the looks of all sites ended from `start` to `end`, both included, by site and day."""
        columns = (LOOKS.c.site_id, LOOKS.c.series, LOOKS.c.solar_day, LOOKS.c.outcome, LOOKS.c.reason)
        statement = sa.select(*columns).where(LOOKS.c.solar_day.between(start, end))
        return [
            LookOutcome(
                row["site_id"], row["series"], row["solar_day"], Outcome(row["outcome"]), row["reason"]
            )
            for row in self._rows(statement.order_by(LOOKS.c.site_id, *_LOOK_ORDER))
        ]

    def last_days(self, before: date, outcomes: Iterable[Outcome]) -> dict[str, date]:
        """Return, by site, the last day before `before` on which a look ended as one of `outcomes`."""
        wanted = [outcome.value for outcome in outcomes]
        statement = (
            sa.select(LOOKS.c.site_id, sa.func.max(LOOKS.c.solar_day).label("day"))
            .where(LOOKS.c.solar_day < before, LOOKS.c.outcome.in_(wanted))
            .group_by(LOOKS.c.site_id)
        )
        return {row["site_id"]: row["day"] for row in self._rows(statement)}

    def answer(self, statement: sa.Select[Any]) -> list[tuple[Any, ...]]:
        """Return the rows of a question to the tables."""
        with self.reading() as connection:
            return [tuple(row) for row in connection.execute(statement)]

    def snapshot(self) -> dict[str, list[dict[str, Any]]]:
        """Return all rows but those of `runs`, without wall-clock columns: equal ledgers are equal here."""
        tables = [table for table in METADATA.sorted_tables if table is not RUNS]
        return {table.name: [_timeless(row) for row in self._rows(_ordered(table))] for table in tables}

    def _rows(
        self, statement: sa.Select[Any], values: Mapping[str, str] | None = None
    ) -> list[sa.RowMapping]:
        with self._engine.connect() as connection:
            return list(connection.execute(statement, values).mappings())


class Transaction:
    """What may be written to a ledger, inside one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        """Wrap an open transaction; only `Ledger.transaction` makes one."""
        self._connection = connection

    def add_look(self, look: Look, *, run_id: str, judged_at: datetime) -> None:
        """Add one look; the key (site, grid, series, day) must be free."""
        values = {column: getattr(look, column) for column in _LOOK_COLUMNS}
        values |= {
            "scene_ids": list(look.scene_ids),
            "acquired": _naive(look.acquired),
            "outcome": look.outcome.value,
            "regions": [_region_json(region) for region in look.regions],
            "card": None if look.card is None else look.card.to_json(),
            "method": None if look.card is None else look.card.method,
            "run_id": run_id,
            "judged_at": _naive(judged_at),
        }
        self._connection.execute(LOOKS.insert().values(values))

    def drop_looks(self, site_id: str, grid_id: str, series: str, days: Sequence[date]) -> None:
        """Drop the looks of these days, and what they changed, so that they can be judged anew."""
        lattice = Lattice(site_id, grid_id, series)
        keys = lattice.of(LOOKS)
        if days:
            take_back(self._connection, HISTORY, lattice, min(days))
        # One statement a day keeps clear of SQLite's limit on bound values.
        for day in days:
            self._connection.execute(LOOKS.delete().where(*keys, LOOKS.c.solar_day == day))

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
        """Make `found` the detections of one site, lattice and series; untouched rows keep their run.

        `day` is that of the look that made them so; without it their history is left alone.
        """
        table, lattice = DETECTIONS, Lattice(site_id, grid_id, series)
        keys = lattice.of(table)
        if day is not None:
            note_changes(self._connection, HISTORY, lattice, found, day=day, run_id=run_id)
        rows = self._connection.execute(sa.select(table).where(*keys)).mappings()
        known = {row["id"]: detection_of(row) for row in rows}
        for gone in known.keys() - {detection.id for detection in found}:
            self._connection.execute(table.delete().where(table.c.id == gone))
        for detection in found:
            if known.get(detection.id) == detection:
                continue
            values = detection_row(detection) | {"run_id": run_id}
            self._connection.execute(table.delete().where(table.c.id == detection.id))
            self._connection.execute(table.insert().values(values))

    def set_sureties(self, found: Mapping[str, tuple[float | None, Surety]]) -> None:
        """Note the p-value and the surety of each detection by its id; rows keep the run that made them."""
        note_sureties(self._connection, found)

    def set_no_scenes(self, site_id: str, windows: Sequence[NoScene], *, run_id: str) -> None:
        """Make `windows` the empty windows of a site; untouched rows keep their run."""
        table = NO_SCENES
        rows = self._connection.execute(sa.select(table).where(table.c.site_id == site_id)).mappings()
        known = {(row["start"], row["end"]) for row in rows}
        wanted = {(window.start, window.end) for window in windows}
        for start, _ in sorted(known - wanted):
            self._connection.execute(table.delete().where(table.c.site_id == site_id, table.c.start == start))
        new = sorted(wanted - known)
        if new:
            values = [{"site_id": site_id, "start": a, "end": b, "run_id": run_id} for a, b in new]
            self._connection.execute(table.insert(), values)

    def rename_site(self, former_id: str, site_id: str) -> None:
        """Hand everything that is known of a site on to its new id; rows of the new id win."""
        for table in (LOOKS, NO_SCENES, DETECTIONS, HISTORY, EXAMINED):
            taken = sa.select(table.c.site_id).where(table.c.site_id == site_id).limit(1)
            if self._connection.execute(taken).first() is None:
                renamed = table.update().where(table.c.site_id == former_id).values(site_id=site_id)
                self._connection.execute(renamed)

    def set_examined(self, site_id: str, examined: Examined) -> None:
        """Note how far a site has been looked at."""
        since, until = examined.since, _naive(examined.until)
        known = {"site": site_id, "day": since, "instant": until}
        if not self._connection.execute(EXAMINED_AGAIN, known).rowcount:
            values = {"site_id": site_id, "since": since, "until": until}
            self._connection.execute(EXAMINED.insert().values(values))


_LOOK_COLUMNS = (
    "site_id",
    "grid_id",
    "series",
    "solar_day",
    "platform",
    "day_only",
    "reason",
    "clear_fraction",
    "frame_clear_fraction",
    "mask_scheme",
    "history",
    "score",
    "threshold",
    "simulated",
)
_LOOK_ORDER = (LOOKS.c.solar_day, LOOKS.c.series, LOOKS.c.grid_id)


def _naive(instant: datetime) -> datetime:
    # SQLite keeps no zone; every instant in the ledger is UTC.
    return instant.astimezone(UTC).replace(tzinfo=None)


def _region_json(region: Region) -> dict[str, Any]:
    return {
        "geometry": geojson(region.geometry),
        "area_m2": region.area_m2,
        "pixels": region.pixels,
        "magnitude": region.magnitude,
        "direction": region.direction,
    }


def _region(document: dict[str, Any]) -> Region:
    return Region(**document | {"geometry": shapely.geometry.shape(document["geometry"])})


def _look(row: sa.RowMapping) -> Look:
    values = {column: row[column] for column in _LOOK_COLUMNS}
    return Look(
        **values,
        scene_ids=tuple(row["scene_ids"]),
        acquired=row["acquired"].replace(tzinfo=UTC),
        outcome=Outcome(row["outcome"]),
        regions=tuple(_region(region) for region in row["regions"]),
        card=None if row["card"] is None else Card.from_json(row["card"]),
    )


def _ordered(table: sa.Table) -> sa.Select[Any]:
    return sa.select(table).order_by(*table.primary_key.columns)


def _timeless(row: sa.RowMapping) -> dict[str, Any]:
    return {key: value for key, value in row.items() if key not in WALL_CLOCK_COLUMNS}
