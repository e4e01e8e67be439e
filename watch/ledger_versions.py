"""Which version a ledger's tables have, and how older ones are brought up to the present one.

The steps between versions are alembic's (`watch/migrations`); it is loaded only when there is a step to
take. `meta` says which version a ledger has, since the days before there was a second one, so that every
program refuses what it does not know.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from watch.errors import LedgerError
from watch.store import is_shared, lock_schema, writing_to

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData

SCHEMA_VERSION = 5
"""1: looks, detections, empty windows. 2: cards of looks; intervals, kinds and flags of detections. 3: what
became of each detection. 4: what speaks for a detection, and how sure it is. 5: the method of each look
in a column of its own."""

MIGRATIONS = Path(__file__).with_name("migrations")

_KEY = "schema"


def prepare(engine: Engine, metadata: MetaData, name: str) -> None:
    """Make the tables of a new ledger, bring an older file up to date, and refuse the rest.

    Args:
        engine: Of the ledger.
        metadata: The tables as they are to be; `meta` among them.
        name: What the ledger is called in errors.

    Raises:
        LedgerError: It is of a later version, or an earlier one on a server that others may use.
    """
    found = version_of(engine, metadata)
    if found == SCHEMA_VERSION:
        return
    if found is not None and found < SCHEMA_VERSION and is_shared(engine):
        raise LedgerError(
            f"{name} has schema version {found}; this program writes version {SCHEMA_VERSION}",
            hint="Bring it up to date once everybody has this version: sitewatch ledger upgrade",
        )
    bring_up(engine, metadata, name)


def bring_up(engine: Engine, metadata: MetaData, name: str) -> int | None:
    """Make or upgrade the tables in one transaction; return the version that was there before.

    Raises:
        LedgerError: It is of a later version, or of none.
    """
    with writing_to(engine) as connection:
        lock_schema(connection)
        found = _version(connection, metadata)
        if found is None:
            metadata.create_all(connection)
            _note(connection, metadata)
        elif not 1 <= found <= SCHEMA_VERSION:
            message = f"{name} has schema version {found}; this program reads versions 1 to {SCHEMA_VERSION}"
            raise LedgerError(message, hint="Use the version of sitewatch that wrote it, or a later one")
        elif found < SCHEMA_VERSION:
            migrate(connection, found)
            _note(connection, metadata)
    return found


def version_of(engine: Engine, metadata: MetaData) -> int | None:
    """Return the version of a ledger's tables; None where there are none."""
    with engine.connect() as connection:
        return _version(connection, metadata)


def migrate(connection: Connection, found: int | None, wanted: int = SCHEMA_VERSION) -> None:
    """Take the steps from one version to another, inside the transaction that `connection` is in."""
    from alembic import command  # noqa: PLC0415 - a fifth of a second that an up-to-date ledger does not need
    from alembic.config import Config  # noqa: PLC0415 - likewise

    config = Config()
    # A per cent sign begins a reference in such files.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    if found is not None:
        command.stamp(config, revision(found))
    command.upgrade(config, revision(wanted))


def revision(version: int) -> str:
    """Return alembic's name of a version.

    >>> revision(3)
    '0003'
    """
    return f"{version:04d}"


def _version(connection: Connection, metadata: MetaData) -> int | None:
    meta = metadata.tables["meta"]
    if not sa.inspect(connection).has_table(meta.name):
        return None
    text: str | None = connection.scalar(sa.select(meta.c.value).where(meta.c.key == _KEY))
    if text is not None and not text.isdecimal():
        raise LedgerError(f"{text!r} is no version of a ledger")
    return None if text is None else int(text)


def _note(connection: Connection, metadata: MetaData) -> None:
    meta = metadata.tables["meta"]
    connection.execute(meta.delete().where(meta.c.key == _KEY))
    connection.execute(meta.insert().values(key=_KEY, value=str(SCHEMA_VERSION)))
