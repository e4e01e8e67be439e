from __future__ import annotations

import logging
import math
import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from shapely.geometry import box

from imagery.model import Detection, DetectionState, Look, Outcome
from watch.errors import LedgerError, WorkspaceBusyError, WorkspaceError
from watch.ledger import Examined, Ledger
from watch.settings import read_settings
from watch.store import ledger_url, open_engine, shown
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
SiteWatch = Callable[..., tuple[int, str, str]]

LOOK = Look(
    site_id="a",
    grid_id="g",
    solar_day=date(2020, 5, 1),
    series="s",
    platform="p",
    scene_ids=("two", "one"),
    acquired=datetime(2020, 5, 1, 23, 59, 59, 999_999, tzinfo=UTC),
    day_only=True,
    outcome=Outcome.UNCHANGED,
    reason="지 \u2028 'quoted' \\ % :x",
    clear_fraction=0.1 + 0.2,
    frame_clear_fraction=5e-324,
    mask_scheme="scl",
    history=2**31 - 1,
    score=math.inf,
    threshold=math.nextafter(1.0, 2.0),
)


def test_sqlite_and_postgresql_answer_alike(tmp_path: Path, postgresql: str) -> None:
    names = ["Ab", "ab", "a-b", "a", "é", "z", "지", "B", "_", "😀"]
    snapshots = []
    for where in (tmp_path / "ledger.sqlite", postgresql):
        ledger = Ledger.open(where)
        with ledger.transaction() as transaction:
            for number, name in enumerate(names):
                looked = replace(LOOK, site_id=name, score=None if number % 2 else -0.0, threshold=number / 3)
                transaction.add_look(looked, run_id="r", judged_at=LOOK.acquired)
                transaction.set_examined(name, Examined(LOOK.solar_day, LOOK.acquired))
                detection = Detection(
                    f"det-{name}",
                    name,
                    "g",
                    "s",
                    DetectionState.RETRACTED,
                    "2020-01-01/2020-05-01",
                    date(2020, 1, 1),
                    date(2020, 5, 1),
                    date(2020, 5, 1),
                    2,
                    box(0.1, 0.2, 0.3, 0.4),
                    1e300,
                    1 / 3,
                    None,
                    {"red": -0.1, "nir": 1e-9},
                )
                transaction.set_detections(name, "g", "s", [detection], run_id="r")
        assert list(ledger.all_looks()) == sorted(names)
        assert [each.site_id for each in ledger.detections()] == sorted(names)
        snapshots.append((ledger.snapshot(), ledger.all_looks(), ledger.detections(), ledger.examined()))
        ledger.close()
    assert repr(snapshots[0]) == repr(snapshots[1])


def test_values_come_back_to_the_bit(ledger_place: Path | str) -> None:
    ledger = Ledger.open(ledger_place)
    with ledger.transaction() as transaction:
        transaction.add_look(LOOK, run_id="r", judged_at=LOOK.acquired)
        transaction.add_look(replace(LOOK, site_id="b", score=math.nan), run_id="r", judged_at=LOOK.acquired)
    assert ledger.looks("a") == [LOOK]
    assert ledger.looks("b")[0].score is None
    ledger.close()


def test_one_writer_at_a_time_and_a_dead_one_lets_go(postgresql: str) -> None:
    code = """
import os, sys
from watch.ledger import Ledger
with Ledger.open(sys.argv[1]).sole_writer():
    print("held", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", code, postgresql]
    ledger = Ledger.open(postgresql)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(WorkspaceBusyError, match="another run is writing"), ledger.sole_writer():
            pass
        holder.kill()
    engine = open_engine(ledger_url(postgresql))
    with engine.connect() as connection:
        # The server notices the closed connection on its own; only then is the lock free.
        connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": 0x73697465_77617463})
    engine.dispose()
    with ledger.sole_writer(), ledger.transaction() as transaction:
        transaction.add_look(LOOK, run_id="r", judged_at=LOOK.acquired)
    with ledger.sole_writer():
        assert ledger.looks("a") == [LOOK]
    ledger.close()


def test_a_writer_whose_connection_is_cut_writes_nothing_more(postgresql: str) -> None:
    ledger = Ledger.open(postgresql)
    engine = open_engine(ledger_url(postgresql))
    with pytest.raises(LedgerError, match="can't be written"), ledger.sole_writer():
        with engine.begin() as connection:
            others = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            connection.exec_driver_sql(others)
        with ledger.transaction() as transaction:
            transaction.add_look(LOOK, run_id="r", judged_at=LOOK.acquired)
    assert ledger.looks("a") == []
    engine.dispose()
    ledger.close()


def test_a_workspace_runs_on_a_server(
    make_workspace: Make, postgresql: str, monkeypatch: pytest.MonkeyPatch, sitewatch: SiteWatch
) -> None:
    root = make_workspace("w").root
    monkeypatch.setenv("SITEWATCH_LEDGER__URL", postgresql)
    code, out, err = sitewatch("run", "--workspace", str(root), "--json")
    assert code == 0, err
    assert "yard" in Workspace.open(root).catalogue()
    with Workspace.open(root).ledger() as ledger:
        assert set(ledger.examined()) == {"yard"}
    assert not (root / "ledger.sqlite").exists()
    assert "canary" not in out + err


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://user:canary@127.0.0.1:1/x",
        "postgresql://user:canary@127.0.0.1:1/x?sslmode=disable",
        "postgresql://user:canary@canary@127.0.0.1:1/x",
        "postgresql://user:canary/canary@127.0.0.1:1/x",
        "postgresql://user/x:canary@127.0.0.1/x",
        "postgresql://user:canary@127.0.0.1:canary/x",
        "postgresql://127.0.0.1/x?user=a&password=canary",
        "postgresql://127.0.0.1:canary/x",
        "mysql://user:canary@127.0.0.1/x",
        "canary",
        "postgresql://user:canary@/x",
    ],
)
def test_a_password_is_in_no_error_log_or_repr(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("SITEWATCH_LEDGER__URL", url)
    workspace = Workspace.create(tmp_path / "w", builtin=False)
    said = [repr(workspace), str(workspace.settings.model_dump()), workspace.settings.model_dump_json()]
    with pytest.raises(LedgerError) as caught, workspace.ledger():
        pass
    said += [str(caught.value), "".join(traceback.format_exception(caught.value)), caplog.text]
    assert not [text for text in said if "canary" in text]


def test_a_wrong_password_is_not_repeated(postgresql: str) -> None:
    url = ledger_url(postgresql).set(password="canary-wrong")  # noqa: S106 - of no server
    with pytest.raises(LedgerError, match="authentication failed") as caught:
        Ledger.open(url.render_as_string(hide_password=False))
    text = "".join(traceback.format_exception(caught.value))
    assert "canary" not in text
    assert shown(url) in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "[ledger]\nurl = ['canary']",
        "ledger = 'canary'",
        "[ledger]\nurl = 7\nurn = 'canary'",
        "[ledger]\nurl = 'canary",
    ],
)
def test_a_setting_that_may_hold_a_password_is_not_repeated(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sitewatch.toml"
    file.write_text(text)
    with pytest.raises(WorkspaceError) as caught:
        read_settings(file)
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_an_environment_that_is_no_json_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITEWATCH_LEDGER", "{canary")
    with pytest.raises(WorkspaceError, match="SITEWATCH_") as caught:
        read_settings(tmp_path / "sitewatch.toml")
    assert "canary" not in "".join(traceback.format_exception(caught.value))


def test_a_ledger_may_lie_elsewhere(make_workspace: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    root = make_workspace("w").root
    monkeypatch.setenv("SITEWATCH_LEDGER__URL", "sqlite:///other.sqlite")
    with Workspace.open(root).ledger() as ledger:
        assert ledger.looks("yard") == []
    assert (root / "other.sqlite").is_file()
