"""`run --due` writes the log, the health and the report, however it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from maps.offline import problems
from watch.attended import attended
from watch.clock import SystemClock
from watch.conduct import Conduct
from watch.errors import LedgerError
from watch.health import HEALTH_FILE, Health, Pulse, pulse, read_health, write_health
from watch.lock import writing
from watch.run_report import RunReport
from watch.runlog import read_log
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
Add = Callable[[Workspace, list[Path]], None]
Scenes = Callable[..., list[Path]]
Command = Callable[..., tuple[int, str, str]]


def health_of(workspace: Workspace) -> Health:
    health = read_health(workspace.root)
    assert health is not None
    return health


def test_a_run_leaves_log_health_and_three_reports(
    make_workspace: Make,
    add_scenes: Add,
    scenes: Scenes,
    days: list[date],
    sitewatch: Command,
    tmp_path: Path,
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:4]))
    victim = next(workspace.archive_path.rglob(f"*{days[2]:%Y%m%d}*/red.tif"))
    victim.write_bytes(victim.read_bytes()[:200])
    there = ("--workspace", str(workspace.root), "--due", "--now", "2020-01-01")
    page = tmp_path / "report.html"
    code, out, err = sitewatch("run", *there, "--report", str(page))
    assert code == 3
    assert "never examined" in out
    html = page.read_text()
    assert '<html lang="en">' in html
    assert "Content-Security-Policy" in html
    assert problems(html) == []
    for words in ("1 of 4", "What failed, and why", "Sites watched from orbit: run of", "judge"):
        assert words in html, words
    health = health_of(workspace)
    assert health.last_exit == 3
    assert health.last_success is None
    assert health.next_due == datetime(2020, 1, 17, 23, 59, 59, tzinfo=UTC)
    assert str(days[2]) in health.wrong[0]
    events = [str(each["event"]) for each in read_log(workspace.root)]
    assert events == ["run begun", "site done", "run ended"]
    assert len({each["run"] for each in read_log(workspace.root)}) == 1
    _, out, _ = sitewatch("run", *there, "--json", "--report", str(tmp_path / "report.json"))
    assert json.loads(out) == json.loads((tmp_path / "report.json").read_bytes())
    assert sitewatch("run", *there, "--report", str(tmp_path / "report.txt"))[0] == 0
    assert "0 of 0 sites" in (tmp_path / "report.txt").read_text()
    code, _, err = sitewatch("run", *there, "--report", str(tmp_path / "report.pdf"))
    assert code == 2
    assert ".html, .json or .txt" in err


def test_a_dry_run_leaves_nothing(make_workspace: Make, sitewatch: Command) -> None:
    workspace = make_workspace("w")
    code, out, _ = sitewatch("run", "--due", "--dry-run", "--workspace", str(workspace.root))
    assert code == 0
    assert "never examined" in out
    assert not (workspace.root / HEALTH_FILE).exists()
    assert list(read_log(workspace.root)) == []


def test_names_in_a_report_are_text(
    make_workspace: Make,
    add_scenes: Add,
    scenes: Scenes,
    days: list[date],
    sitewatch: Command,
    tmp_path: Path,
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:1]))
    settings = workspace.root / "sitewatch.toml"
    settings.write_text(settings.read_text().replace("Sites watched from orbit", "<script>alert(1)</script>"))
    page = tmp_path / "r.html"
    sitewatch("run", "--workspace", str(workspace.root), "--report", str(page))
    assert "<script" not in page.read_text()
    assert "&lt;script&gt;" in page.read_text()


def test_a_second_run_says_who_is_writing_and_touches_no_health(
    make_workspace: Make, sitewatch: Command
) -> None:
    workspace = make_workspace("w")
    write_health(workspace.root, Health().ended(datetime(2026, 1, 1, tzinfo=UTC), 0))
    before = (workspace.root / HEALTH_FILE).read_bytes()
    with writing(workspace.root):
        code, _, err = sitewatch("run", "--due", "--workspace", str(workspace.root))
    assert code == 1
    assert f"process {os.getpid()}, since 20" in err
    assert (workspace.root / HEALTH_FILE).read_bytes() == before
    assert [each["event"] for each in read_log(workspace.root)] == ["run refused"]


@pytest.mark.parametrize(
    ("error", "code"), [(LedgerError("disk full"), 1), (ZeroDivisionError(), 1), (KeyboardInterrupt(), 1)]
)
def test_whatever_ends_a_run_is_written_down(tmp_path: Path, error: BaseException, code: int) -> None:
    def fail(conduct: Conduct) -> RunReport:
        conduct.log.note("run begun", run="r")
        raise error

    with pytest.raises(type(error)):
        attended(tmp_path, Conduct(), fail)
    health = read_health(tmp_path)
    assert health is not None
    assert health.last_exit == code
    assert health.wrong[0].startswith(str(error) or type(error).__name__)
    assert [each["event"] for each in read_log(tmp_path)] == ["run begun", "run ended"]


def test_a_killed_run_is_seen_and_the_next_one_carries_on(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime, sitewatch: Command
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:3]))
    command = [sys.executable, "-c", _DYING, str(workspace.root), now.isoformat()]
    died = subprocess.run(command, capture_output=True, text=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr
    health = health_of(workspace)
    assert health.last_end is None
    state, words = pulse(health, SystemClock().now())
    assert state is Pulse.UNWELL
    assert "cut off" in words
    code, out, _ = sitewatch(
        "run", "--due", "--workspace", str(workspace.root), "--now", now.isoformat(), "--json"
    )
    assert code == 0
    assert sum(json.loads(out)["looks"].values()) == 2
    assert health_of(workspace).last_exit == 0


def test_doctor_says_when_the_watch_has_gone_silent(make_workspace: Make, sitewatch: Command) -> None:
    workspace = make_workspace("w")
    doctor = ("doctor", "--workspace", str(workspace.root), "--json")

    def watch() -> tuple[int, dict[str, str]]:
        code, out, _ = sitewatch(*doctor)
        (finding,) = [each for each in json.loads(out) if each["what"] == "watch"]
        return code, finding

    code, finding = watch()
    assert (code, finding["state"]) == (0, "good")
    write_health(workspace.root, Health().ended(datetime(2020, 1, 1, tzinfo=UTC), 0))
    code, finding = watch()
    assert (code, finding["state"]) == (1, "bad")
    assert "silent since 2020-01-01" in finding["words"]
    (workspace.root / HEALTH_FILE).write_text("{")
    code, finding = watch()
    assert (code, finding["state"]) == (1, "bad")
    assert HEALTH_FILE in finding["words"]


_DYING = """
import os, signal, sys
from datetime import datetime
from watch.attended import attended
from watch.conduct import Conduct
from watch.workspace import Workspace

class Dying:
    def site(self, site_id, looks): pass
    def look(self, site_id): os.kill(os.getpid(), signal.SIGKILL)

workspace = Workspace.open(sys.argv[1])
now = datetime.fromisoformat(sys.argv[2])
make = lambda conduct: workspace.run(now=now, due_only=True, progress=Dying(), conduct=conduct)
attended(workspace.root, Conduct(), make)
"""
