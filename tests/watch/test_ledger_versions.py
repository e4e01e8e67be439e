from __future__ import annotations

import sqlite3
import subprocess
import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from imagery.model import Outcome
from watch.errors import LedgerError
from watch.ledger import Ledger
from watch.ledger_tables import METADATA
from watch.ledger_versions import MIGRATIONS, SCHEMA_VERSION, bring_up, migrate, revision
from watch.store import ledger_url, open_engine, writing_to

# As the first version of the program wrote it: `sqlite3 ledger.sqlite .dump`.
VERSION_1 = """
CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL, PRIMARY KEY (key));
INSERT INTO meta VALUES('schema','1');
CREATE TABLE runs (id VARCHAR NOT NULL, now DATETIME NOT NULL, started_at DATETIME NOT NULL,
    finished_at DATETIME, PRIMARY KEY (id));
INSERT INTO runs VALUES('r','2020-06-01 00:00:00.000000','2020-06-01 00:00:01.000000',NULL);
CREATE TABLE looks (site_id VARCHAR NOT NULL, grid_id VARCHAR NOT NULL, series VARCHAR NOT NULL,
    solar_day DATE NOT NULL, platform VARCHAR NOT NULL, scene_ids JSON NOT NULL, acquired DATETIME NOT NULL,
    day_only BOOLEAN NOT NULL, outcome VARCHAR NOT NULL, reason VARCHAR NOT NULL,
    clear_fraction FLOAT NOT NULL, frame_clear_fraction FLOAT NOT NULL, mask_scheme VARCHAR NOT NULL,
    history INTEGER NOT NULL, score FLOAT, threshold FLOAT, regions JSON NOT NULL, simulated BOOLEAN NOT NULL,
    run_id VARCHAR NOT NULL, judged_at DATETIME NOT NULL, PRIMARY KEY (site_id, grid_id, series, solar_day));
INSERT INTO looks VALUES('a','g','s','2020-05-01','landsat-7','["s1","s2"]','2020-05-01 02:03:04.000000',0,
    'Changed','900 m2 over the threshold',0.75,0.5,'fmask',7,4.5,3.0,
    '[{"area_m2":900.0,"direction":{"red":0.1},"geometry":{"coordinates":[125.0,39.0],"type":"Point"},
       "magnitude":1.5,"pixels":1}]',0,'r','2020-06-01 00:00:02.000000');
CREATE TABLE no_scenes (site_id VARCHAR NOT NULL, start DATE NOT NULL, "end" DATE NOT NULL,
    run_id VARCHAR NOT NULL, PRIMARY KEY (site_id, start));
INSERT INTO no_scenes VALUES('a','2020-05-02','2020-05-07','r');
CREATE TABLE detections (id VARCHAR NOT NULL, site_id VARCHAR NOT NULL, grid_id VARCHAR NOT NULL,
    series VARCHAR NOT NULL, state VARCHAR NOT NULL, bracket VARCHAR NOT NULL, last_without DATE NOT NULL,
    first_with DATE NOT NULL, last_with DATE NOT NULL, looks_with INTEGER NOT NULL, geometry JSON NOT NULL,
    area_m2 FLOAT NOT NULL, magnitude FLOAT NOT NULL, p_value FLOAT, direction JSON NOT NULL,
    simulated BOOLEAN NOT NULL, run_id VARCHAR NOT NULL, PRIMARY KEY (id));
INSERT INTO detections VALUES('det-1','a','g','s','probable','2020-04-01/2020-05-01','2020-04-01',
    '2020-05-01','2020-05-17',2,'{"coordinates":[125.0,39.0],"type":"Point"}',900.0,1.5,NULL,'{"red":0.1}',0,'r');
CREATE INDEX ix_detections_site_id ON detections (site_id);
CREATE TABLE examined (site_id VARCHAR NOT NULL, since DATE NOT NULL, until DATETIME NOT NULL,
    PRIMARY KEY (site_id));
INSERT INTO examined VALUES('a','2020-06-01','2020-06-01 00:00:00.000000');
"""


def old_ledger(path: Path, *, version: str = "1") -> Path:
    with sqlite3.connect(path) as connection:
        connection.executescript(VERSION_1)
        connection.execute("UPDATE meta SET value = ?", (version,))
    connection.close()
    return path


def rows(path: Path) -> dict[str, list[dict[str, Any]]]:
    connection = sqlite3.connect(path)
    connection.row_factory = sqlite3.Row
    tables = ("runs", "looks", "no_scenes", "detections", "examined")
    found = {name: [dict(row) for row in connection.execute(f"SELECT * FROM {name}")] for name in tables}
    connection.close()
    return found


def test_a_ledger_of_the_first_version_is_brought_up_to_date_with_every_value(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "old.sqlite")
    before = rows(path)
    for _ in range(2):
        ledger = Ledger.open(path)
        (look,) = ledger.looks("a")
        assert (look.outcome, look.scene_ids, look.regions[0].area_m2) == (
            Outcome.CHANGED,
            ("s1", "s2"),
            900.0,
        )
        assert ledger.detections()[0].last_with == date(2020, 5, 17)
        ledger.close()
    after = rows(path)
    for name, old in before.items():
        for was, now in zip(old, after[name], strict=True):
            assert was.items() <= now.items()
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT value FROM meta").fetchone() == (str(SCHEMA_VERSION),)
    connection.close()


def test_new_and_upgraded_ledgers_have_the_same_tables(ledger_place: Path | str) -> None:
    engine = open_engine(ledger_url(ledger_place))
    with writing_to(engine) as connection:
        migrate(connection, None)
    upgraded = tables(engine)
    with writing_to(engine) as connection:
        sa.MetaData().drop_all(connection)
        for name in upgraded:
            connection.exec_driver_sql(f"DROP TABLE {name}")
    bring_up(engine, METADATA, "new")
    assert tables(engine) == upgraded
    engine.dispose()


def tables(engine: sa.Engine) -> dict[str, Any]:
    found = sa.inspect(engine)
    return {
        name: (
            {column["name"]: (str(column["type"]), column["nullable"]) for column in found.get_columns(name)},
            found.get_pk_constraint(name)["constrained_columns"],
            sorted(str(index["column_names"]) for index in found.get_indexes(name)),
        )
        for name in sorted(found.get_table_names())
        if name != "alembic_version"
    }


def test_an_upgrade_that_fails_leaves_the_ledger_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = old_ledger(tmp_path / "old.sqlite")
    before = rows(path)
    engine = open_engine(ledger_url(path))

    def torn(connection: sa.Connection, found: int | None) -> None:
        connection.exec_driver_sql("ALTER TABLE looks ADD COLUMN half INTEGER")
        connection.exec_driver_sql("DELETE FROM looks")
        raise RuntimeError(found)

    monkeypatch.setattr("watch.ledger_versions.SCHEMA_VERSION", SCHEMA_VERSION + 1)
    monkeypatch.setattr("watch.ledger_versions.migrate", torn)
    with pytest.raises(RuntimeError):
        bring_up(engine, METADATA, "old")
    engine.dispose()
    assert rows(path) == before


def test_a_later_version_is_refused_and_untouched(tmp_path: Path) -> None:
    path = old_ledger(tmp_path / "later.sqlite", version="99")
    before = rows(path)
    with pytest.raises(LedgerError, match="has schema version 99; this program reads versions 1 to"):
        Ledger.open(path)
    assert rows(path) == before
    with pytest.raises(LedgerError, match="no version of a ledger"):
        Ledger.open(old_ledger(tmp_path / "odd.sqlite", version="x"))


def test_an_old_ledger_on_a_server_waits_to_be_told(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Ledger.open(postgresql).close()
    monkeypatch.setattr("watch.ledger_versions.SCHEMA_VERSION", SCHEMA_VERSION + 1)
    with pytest.raises(LedgerError, match="sitewatch ledger upgrade"):
        Ledger.open(postgresql)


def test_each_version_has_one_step() -> None:
    steps = sorted(path.name[1:5] for path in (MIGRATIONS / "versions").glob("v*.py"))
    assert steps == [revision(version) for version in range(1, SCHEMA_VERSION + 1)]


def test_alembic_is_loaded_for_a_step_alone(tmp_path: Path) -> None:
    code = """
import sys
from pathlib import Path
from watch.ledger import Ledger
Ledger.open(Path(sys.argv[1])).close()
print("alembic" in sys.modules, "psycopg" in sys.modules)
"""
    command = [sys.executable, "-c", code, str(tmp_path / "ledger.sqlite")]
    for _ in range(2):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert done.stdout.split() == ["False", "False"]


def test_instants_of_an_old_ledger_are_still_utc(tmp_path: Path) -> None:
    ledger = Ledger.open(old_ledger(tmp_path / "old.sqlite"))
    assert ledger.looks("a")[0].acquired == datetime.fromisoformat("2020-05-01T02:03:04+00:00")
    ledger.close()
