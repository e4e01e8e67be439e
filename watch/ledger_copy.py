"""Rows from one ledger to another: what a rebuilt one can't judge anew, and the whole of it at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from watch.ledger_history import Lattice
from watch.ledger_tables import DETECTIONS, EXAMINED, HISTORY, LOOKS, META, METADATA, NO_SCENES, RUNS

if TYPE_CHECKING:
    from collections.abc import Collection

    from watch.ledger import Ledger

_BATCH = 2000
"""Rows that are held at once."""


def carry_over(old: Ledger, new: Ledger, judged: Collection[str]) -> int:
    """Copy what `new` lacks: looks whose images or place are gone, and the runs; return how many looks.

    Args:
        old: As it was.
        new: Judged anew.
        judged: The sites that were.
    """
    with old.reading() as source, new.writing() as target:
        _insert(source, target, RUNS, sa.true())
        carried: set[str] = set()
        count = 0
        fresh = _lattices(target)
        for lattice in sorted(_lattices(source), key=lambda each: (each.site_id, each.grid_id, each.series)):
            if lattice in fresh:
                copied = _copy_days(source, target, lattice)
            else:
                copied = _insert(source, target, LOOKS, *lattice.of(LOOKS))
                for table in (DETECTIONS, HISTORY):
                    _insert(source, target, table, *lattice.of(table))
            if copied:
                carried.add(lattice.site_id)
            count += copied
        known = set(source.scalars(sa.select(EXAMINED.c.site_id))) | set(
            source.scalars(sa.select(NO_SCENES.c.site_id).distinct())
        )
        # Which windows were empty can't be told any more where images are gone.
        for site_id in sorted(known & carried | known - set(judged)):
            for table in (NO_SCENES, EXAMINED):
                target.execute(table.delete().where(table.c.site_id == site_id))
                _insert(source, target, table, table.c.site_id == site_id)
    return count


def replace_all(ledger: Ledger, draft: Ledger) -> None:
    """Make the rows of `ledger` those of `draft`, in one transaction: readers see the one or the other."""
    with draft.reading() as source, ledger.writing() as target:
        for table in METADATA.sorted_tables:
            if table is not META:
                target.execute(table.delete())
                _insert(source, target, table, sa.true())


def _lattices(connection: sa.Connection) -> set[Lattice]:
    columns = (LOOKS.c.site_id, LOOKS.c.grid_id, LOOKS.c.series)
    return {Lattice(*row) for row in connection.execute(sa.select(*columns).distinct())}


def _copy_days(source: sa.Connection, target: sa.Connection, lattice: Lattice) -> int:
    statement = sa.select(LOOKS.c.solar_day).where(*lattice.of(LOOKS))
    gone = set(source.scalars(statement)) - set(target.scalars(statement))
    return sum(
        _insert(source, target, LOOKS, *lattice.of(LOOKS), LOOKS.c.solar_day == day) for day in sorted(gone)
    )


def _insert(
    source: sa.Connection, target: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]
) -> int:
    count = 0
    rows = source.execute(sa.select(table).where(*where).execution_options(yield_per=_BATCH))
    for part in rows.mappings().partitions():
        values: list[dict[str, Any]] = [dict(row) for row in part]
        target.execute(table.insert(), values)
        count += len(values)
    return count
