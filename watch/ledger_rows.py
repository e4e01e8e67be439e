"""The rows of a ledger as lines of text, for a backup of one that is kept on a database server.

    {"table": "looks", "row": {"site_id": ..., ...}}

All tables of the ledger as they are, by primary key, read in one transaction that sees one instant; roles,
rights and whatever else a server keeps are not among them. From such a file a ledger in SQLite is made.
"""

from __future__ import annotations

import math
from contextlib import closing
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from geo.errors import Where
from watch.errors import BackupRefusedError
from watch.ledger import Ledger
from watch.store import failed, ledger_url, open_engine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_ROWS_AT_ONCE = 1000
_VERSION_TABLES = frozenset({"meta", "alembic_version"})
"""A new ledger has its own; that of the rows must be the same."""


def write_rows(place: Path | str, stream: BinaryIO) -> int:
    """Write every row of a ledger as a line; return how many there are.

    Args:
        place: Path of a SQLite file, or the URL of a database.
        stream: Takes the lines.

    Raises:
        LedgerError: The database can't be reached or read; its password is not repeated.
    """
    url = ledger_url(place)
    engine = open_engine(url)
    try:
        # The one level that both databases know and that shows every statement the same instant.
        with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
            metadata = sa.MetaData()
            metadata.reflect(connection)
            tables = sorted(metadata.tables.values(), key=lambda table: table.name)
            return sum(_write_table(connection, table, stream) for table in tables)
    except sa.exc.DBAPIError as error:
        raise failed("the ledger can't be read", error, url) from None
    finally:
        engine.dispose()


def _write_table(connection: sa.Connection, table: sa.Table, stream: BinaryIO) -> int:
    statement = sa.select(table).order_by(*table.primary_key.columns)
    count = 0
    with connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE}) as found:
        for row in found.mappings():
            stream.write(_line(table.name, row))
            count += 1
    return count


def _line(table: str, row: sa.RowMapping) -> bytes:
    # JSON knows no infinity, which a score may be; the names are a kind of text that is no plain one.
    values = {
        str(name): str(value) if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in row.items()
    }
    return orjson.dumps(
        {"table": str(table), "row": values}, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE
    )


def load_rows(rows: Path, ledger: Path) -> int:
    """Make a ledger in SQLite of such lines; return how many rows went into it.

    Args:
        rows: What `write_rows` wrote.
        ledger: Path of a file that is not there yet.

    Raises:
        BackupRefusedError: The rows are of another version, or don't fit a ledger.
    """
    with closing(Ledger.open(ledger)):
        pass
    engine = open_engine(ledger_url(ledger))
    try:
        tables, count = set[str](), 0
        with engine.begin() as connection, rows.open("rb") as stream:
            metadata = sa.MetaData()
            metadata.reflect(connection)
            for name, batch in _batches(stream):
                tables.add(name)
                count += _load(connection, metadata, name, batch)
        if "meta" not in tables:
            raise KeyError("meta")  # noqa: TRY301 - one exit
    except BackupRefusedError:
        raise
    except (sa.exc.SQLAlchemyError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"the rows of its ledger don't fit ({type(error).__name__})"
        raise BackupRefusedError(problem, where=Where(feature="ledger-rows.jsonl")) from error
    finally:
        engine.dispose()
    return count


def _batches(stream: BinaryIO) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield rows of one table at a time, a bounded number together."""
    name, held = "", list[dict[str, Any]]()
    for line in stream:
        document = orjson.loads(line)
        if held and (document["table"] != name or len(held) == _ROWS_AT_ONCE):
            yield name, held
            held = []
        name = document["table"]
        held.append(document["row"])
    if held:
        yield name, held


def _load(connection: sa.Connection, metadata: sa.MetaData, name: str, rows: list[dict[str, Any]]) -> int:
    if name in _VERSION_TABLES:
        if name == "meta":
            _require_same_version(connection, metadata.tables[name], rows)
        return 0
    table = metadata.tables[name]
    connection.execute(table.insert(), [_typed(table, row) for row in rows])
    return len(rows)


def _require_same_version(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    own = {row["key"]: row["value"] for row in connection.execute(sa.select(table)).mappings()}
    if {row["key"]: row["value"] for row in rows}.get("schema") != own["schema"]:
        raise BackupRefusedError(
            "the rows of its ledger are of another version",
            where=Where(feature="ledger-rows.jsonl"),
            hint="Restore it with the version of sitewatch that wrote it, then upgrade",
        )


def _typed(table: sa.Table, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with days and instants for what JSON holds as text."""
    typed: dict[str, Any] = {}
    for name, value in row.items():
        kind = table.columns[name].type
        if value is not None and isinstance(kind, sa.DateTime):
            typed[name] = datetime.fromisoformat(value)
        elif value is not None and isinstance(kind, sa.Date):
            typed[name] = date.fromisoformat(value)
        elif isinstance(value, str) and isinstance(kind, sa.Float):
            typed[name] = float(value)
        else:
            typed[name] = value
    return typed
