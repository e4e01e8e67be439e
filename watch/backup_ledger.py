"""The ledger on its way into a backup and out of it: a copy of the file, or the rows of a database's.

workspace/ledger.sqlite     of a ledger that is a file, as it was at one instant
ledger-rows.jsonl           of one that is kept on a server; restored as a file
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geo.errors import Where
from watch.backup_manifest import INSIDE, ROWS
from watch.backup_members import LEDGER_FILE
from watch.errors import BackupError
from watch.ledger_rows import write_rows
from watch.store import ledger_url, shown

if TYPE_CHECKING:
    from watch.workspace import Workspace


@dataclass(frozen=True, slots=True)
class LedgerCopy:
    """What a backup takes of a ledger."""

    member: str
    source: Path
    words: str
    """For the report, where there is more to say than that it is in the backup."""


def copied_ledger(workspace: Workspace, scratch: Path) -> LedgerCopy | None:
    """Copy the ledger into `scratch` as it is at one instant, whoever is writing to it.

    Returns:
        None where no ledger was written yet.

    Raises:
        BackupError: The file is damaged.
        LedgerError: The database can't be reached.
    """
    place = workspace.ledger_place
    if isinstance(place, Path):
        if not place.is_file():
            return None
        copy = _copied_file(place, scratch / LEDGER_FILE)
        words = "" if place == workspace.ledger_path else _elsewhere(str(place))
        return LedgerCopy(INSIDE + LEDGER_FILE, copy, words)
    rows = scratch / ROWS
    with rows.open("wb") as stream:
        count = write_rows(place, stream)
    words = f"{count:,} rows of its ledger are in it, not the server's roles and rights. "
    return LedgerCopy(ROWS, rows, words + _elsewhere(shown(ledger_url(place))))


def _elsewhere(place: str) -> str:
    return f"The settings name {place}; to use what is restored as ledger.sqlite, empty `url` of [ledger]"


def _copied_file(path: Path, copy: Path) -> Path:
    """Copy a file of SQLite by its own online copy (https://www.sqlite.org/backup.html)."""
    try:
        with (
            closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
    except sqlite3.Error as error:
        hint = "See what is wrong with: sitewatch verify"
        problem = f"the ledger can't be copied: {error}"
        raise BackupError(problem, where=Where(str(path)), hint=hint) from error
    return copy
