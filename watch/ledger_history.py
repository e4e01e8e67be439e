"""What became of each detection, look by look: every change of its state, with the look that caused it.

Rows are only added, and taken back with the looks that caused them when those are judged anew: so the
history is a function of the looks, as detections are, and a replay gives the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlalchemy as sa

from imagery.model import DetectionState
from watch.store import TEXT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from imagery.model import Detection

FORGOTTEN = "forgotten"
"""The state of a detection that a later look took back without a word: it is in the ledger no more."""


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a detection's state."""

    detection_id: str
    solar_day: date
    """Of the look that caused it."""
    state: DetectionState | None
    """What it became; None when it was forgotten."""


def history_table(metadata: sa.MetaData) -> sa.Table:
    """Return the table of changes."""
    return sa.Table(
        "detection_history",
        metadata,
        sa.Column("detection_id", TEXT, primary_key=True),
        sa.Column("solar_day", sa.Date, primary_key=True, comment="of the look that caused it"),
        sa.Column("site_id", TEXT, nullable=False),
        sa.Column("grid_id", TEXT, nullable=False),
        sa.Column("series", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
        sa.Index("ix_detection_history_site", "site_id", "grid_id", "series"),
    )


@dataclass(frozen=True, slots=True)
class Lattice:
    """What detections belong to: a site on one lattice in one series."""

    site_id: str
    grid_id: str
    series: str

    def of(self, table: sa.Table) -> tuple[sa.ColumnElement[bool], ...]:
        """Return the conditions that pick its rows."""
        columns = table.c
        return (
            columns.site_id == self.site_id,
            columns.grid_id == self.grid_id,
            columns.series == self.series,
        )


def states(connection: sa.Connection, table: sa.Table, lattice: Lattice) -> dict[str, str]:
    """Return the latest state of each detection of a lattice."""
    order = table.c.solar_day
    rows = connection.execute(
        sa.select(table.c.detection_id, table.c.state).where(*lattice.of(table)).order_by(order)
    )
    return {row.detection_id: row.state for row in rows}


def note_changes(
    connection: sa.Connection,
    table: sa.Table,
    lattice: Lattice,
    found: Sequence[Detection],
    *,
    day: date,
    run_id: str,
) -> None:
    """Add what the look of a day changed.

    Args:
        connection: In a transaction.
        table: Of changes.
        lattice: Of the look.
        found: Its detections after the look.
        day: Of the look.
        run_id: The run that looked.
    """
    before = states(connection, table, lattice)
    after = {detection.id: detection.state.value for detection in found}
    changed = {key: state for key, state in after.items() if before.get(key) != state}
    gone = {key for key, state in before.items() if key not in after and state != FORGOTTEN}
    changed |= dict.fromkeys(gone, FORGOTTEN)
    if changed:
        shared = {
            "site_id": lattice.site_id,
            "grid_id": lattice.grid_id,
            "series": lattice.series,
            "solar_day": day,
            "run_id": run_id,
        }
        rows = [shared | {"detection_id": key, "state": changed[key]} for key in sorted(changed)]
        connection.execute(table.insert(), rows)


def take_back(connection: sa.Connection, table: sa.Table, lattice: Lattice, since: date) -> None:
    """Drop what looks from a day on changed; they will be judged anew."""
    connection.execute(table.delete().where(*lattice.of(table), table.c.solar_day >= since))


def changes(rows: Sequence[sa.RowMapping]) -> list[Change]:
    """Return the changes of rows, in their order."""
    found = []
    for row in rows:
        state = None if row["state"] == FORGOTTEN else DetectionState(row["state"])
        found.append(Change(row["detection_id"], row["solar_day"], state))
    return found
