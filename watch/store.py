"""Where a ledger is kept: a SQLite file in the workspace, or a PostgreSQL database by its URL.

Both answer alike: instants are UTC without a zone, numbers are doubles to the bit, texts are in the order
of their code points. A URL may hold a password; nothing here prints, logs or raises more of it than
`shown` returns.
"""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import sqlalchemy as sa

from geo.errors import Where
from watch.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Iterator

POSTGRESQL = "postgresql+psycopg"
CONNECT_TIMEOUT_S = 10

WRITER_LOCK = 0x73697465_77617463
"""PostgreSQL's advisory lock of the one writer (the letters ``sitewatc``)."""
SCHEMA_LOCK = WRITER_LOCK + 1
"""Held while tables are made or upgraded."""

TEXT = sa.String().with_variant(sa.String(collation="C"), "postgresql")
"""Text that sorts by code point on any server, whatever the language of its cluster."""

_FORM = (
    "Write it as postgresql+psycopg://USER:PASSWORD@HOST:PORT/DATABASE, with @ / : % of a password as %40 ..."
)


class Double(sa.TypeDecorator[float]):
    """A double to the bit; NaN is no number and kept as null, minus zero is zero, as in SQLite."""

    impl = sa.Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: sa.Dialect) -> float | None:  # noqa: ARG002 - a hook
        """Return what both databases keep alike."""
        return None if value is None or value != value else value + 0.0  # noqa: PLR0124 - only NaN differs from itself


def ledger_url(where: Path | str) -> sa.URL:
    """Return the database that a path or a setting names.

    Args:
        where: Path of a SQLite file, or the URL of a PostgreSQL database.

    Raises:
        LedgerError: It is no such URL; its text is not repeated, since it may hold a password.
    """
    if isinstance(where, Path):
        return sa.URL.create("sqlite", database=str(where))
    url = _parsed(where)
    if url.drivername not in {"postgresql", POSTGRESQL}:
        raise _refused("is neither a PostgreSQL URL nor sqlite:///PATH")
    # An unescaped password spills into the parts that errors show.
    if not url.host or not url.database or "@" in f"{url.host}{url.database}" or url.query.keys() & _SECRETS:
        raise _refused("can't be told apart into user, password, host and database")
    return url.set(drivername=POSTGRESQL)


_SECRETS = frozenset({"password", "passfile", "sslpassword", "user", "host", "hostaddr", "port", "dbname"})
"""Parts of a URL that belong before its question mark."""


def shown(url: sa.URL) -> str:
    """Return what may be shown of a database: its file, or user, host, port and name, never a password.

    >>> shown(sa.make_url("postgresql+psycopg://ann:s3cret@db.example:5432/watch?sslmode=require"))
    'postgresql://ann@db.example:5432/watch'
    """
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    user = f"{url.username}@" if url.username else ""
    port = f":{url.port}" if url.port else ""
    return f"postgresql://{user}{url.host}{port}/{url.database}"


def is_shared(engine: sa.Engine) -> bool:
    """Whether the database may serve several machines; a file serves its workspace."""
    return engine.dialect.name == "postgresql"


def open_engine(url: sa.URL) -> sa.Engine:
    """Return an engine whose connections are set up alike; nothing is connected yet.

    Raises:
        LedgerError: The driver is not installed.
    """
    options: dict[str, Any] = {
        "json_serializer": _dump,
        "json_deserializer": orjson.loads,
        "hide_parameters": True,
    }
    if url.get_backend_name() == "sqlite":
        engine = sa.create_engine(url, **options)
        sa.event.listen(engine, "connect", _configure)
        sa.event.listen(engine, "begin", _begin)
        return engine
    try:
        return sa.create_engine(
            url, connect_args={"connect_timeout": CONNECT_TIMEOUT_S, **_SESSION}, **options
        )
    except ImportError as error:
        hint = "Install it with: pip install 'sitewatch[postgres]'"
        raise LedgerError("the driver of PostgreSQL is not installed", hint=hint) from error


_SESSION = {"application_name": "sitewatch", "options": "-c timezone=UTC -c datestyle=ISO"}


@contextmanager
def writing_to(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Yield a connection in one transaction that has the right to write from its first statement."""
    with engine.connect().execution_options(sitewatch_writes=True) as connection, connection.begin():
        yield connection


def lock_schema(connection: sa.Connection) -> None:
    """Wait until no other process makes or upgrades the tables; the transaction's end lets go."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SCHEMA_LOCK)))


def failed(what: str, error: sa.exc.DBAPIError, url: sa.URL) -> LedgerError:
    """Return the error to raise for what a database said, without the password that it may quote."""
    said = str(error.orig).strip()
    if url.password:
        said = said.replace(str(url.password), "***")
    if url.get_backend_name() == "sqlite":
        hint = (
            "See that the disk has room and that the folder may be written, then run again; nothing was lost"
        )
    else:
        hint = "See that the server runs and that the user may do this, then run again; nothing was lost"
    return LedgerError(f"{what}: {' '.join(said.split())}", hint=hint)


def _parsed(text: str) -> sa.URL:
    try:
        return sa.make_url(text)
    except (sa.exc.ArgumentError, ValueError):
        # What the parser says may quote a part of the password.
        raise _refused("can't be read") from None


def _refused(why: str) -> LedgerError:
    return LedgerError(f"the URL {why}", where=Where(field="ledger.url"), hint=_FORM)


def _configure(connection: Any, _record: object) -> None:  # noqa: ANN401 - DB-API connections share no type
    # The driver would commit before some statements: transactions are begun by `_begin` alone.
    connection.isolation_level = None
    # Write-ahead logging: readers never wait, and a killed writer leaves a whole ledger behind.
    for pragma in ("busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    # A writer that starts as a reader can't wait for another writer: it has read what that one changes.
    writes = connection.get_execution_options().get("sitewatch_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _dump(value: Any) -> str:  # noqa: ANN401 - whatever a JSON column holds
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
