"""`run --loop` as it is started: what it does first, how it ends, what it takes up again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from geo.errors import DateError, InputError, SitewatchError
from watch.cli.looping import stay, timetable_of
from watch.cli.output import Output
from watch.health import Health, Pulse, pulse, read_health, write_health
from watch.runlog import read_log
from watch.termination import Termination
from watch.timetable import Daily, Every, Spread
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
Add = Callable[[Workspace, list[Path]], None]
Scenes = Callable[..., list[Path]]
Command = Callable[..., tuple[int, str, str]]
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Passing:
    """A clock that passes as it is waited for."""

    def __init__(self) -> None:
        self.present = NOON

    def now(self) -> datetime:
        return self.present

    def elapsed_s(self) -> float:
        return self.present.timestamp()

    def wait(self, seconds: float) -> None:
        self.present += timedelta(seconds=seconds)


def test_it_runs_at_once_then_waits_and_ends_when_asked_to(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date]
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:2]))
    command = [
        sys.executable,
        "-m",
        "watch.cli.main",
        "run",
        "--loop",
        "--at",
        "05:00",
        "--zone",
        "Asia/Pyongyang",
    ]
    command += ["--jitter", "PT10M", "--map", "--workspace", str(workspace.root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            said = ""
            while "next run" not in said:
                line = process.stderr.readline()
                assert line, said
                said += line
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate()
        finally:
            process.kill()
    assert process.returncode == 0, said + err
    assert "made 2 looks" in out
    assert "asked to end (SIGTERM)" in err
    assert (workspace.public_path / "index.html").is_file()
    health = read_health(workspace.root)
    assert health is not None
    assert health.last_exit == 0
    assert health.last_slot is not None
    assert health.next_run is not None
    assert timedelta(hours=23) < health.next_run - health.last_slot < timedelta(hours=25)
    assert [each["event"] for each in read_log(workspace.root)] == ["run begun", "site done", "run ended"]


def test_it_takes_up_where_it_ended(tmp_path: Path) -> None:
    table, clock = Every(timedelta(hours=6)), Passing()
    made: list[datetime] = []

    def look() -> int:
        made.append(clock.now())
        return 0

    def halt() -> str:
        return "over" if clock.now() >= NOON + timedelta(days=1) else ""

    write_health(tmp_path, Health(last_slot=NOON))
    stay(tmp_path, table, look, clock=clock, halt=halt, output=Output(quiet=True))
    assert made == [NOON + timedelta(hours=6 * n) for n in (1, 2, 3)]
    health = read_health(tmp_path)
    assert health is not None
    assert (health.last_slot, health.next_run) == (made[-1], made[-1] + timedelta(hours=6))


def test_one_that_was_asked_to_end_in_a_run_makes_it_again(tmp_path: Path) -> None:
    clock, asked = Passing(), []

    def look() -> int:
        asked.append("SIGTERM")
        return 3

    stay(
        tmp_path,
        Every(timedelta(hours=6)),
        look,
        clock=clock,
        halt=lambda: asked[0] if asked else "",
        output=Output(quiet=True),
    )
    assert read_health(tmp_path) is None


@pytest.mark.parametrize("error", [SitewatchError("busy"), ZeroDivisionError(), OSError("full")])
def test_no_failure_ends_it(tmp_path: Path, error: Exception) -> None:
    clock = Passing()
    tried = []

    def look() -> int:
        tried.append(clock.now())
        raise error

    def halt() -> str:
        return "over" if clock.now() >= NOON + timedelta(hours=5) else ""

    stay(tmp_path, Every(timedelta(hours=6)), look, clock=clock, halt=halt, output=Output(quiet=True))
    assert 4 <= len(tried) <= 10


def test_silence_is_counted_from_when_the_loop_should_have_run() -> None:
    weekly = replace(Health().ended(NOON, 0, next_due=NOON), next_run=NOON + timedelta(days=7))
    assert pulse(weekly, NOON + timedelta(days=8))[0] is Pulse.WELL
    assert pulse(weekly, NOON + timedelta(days=9))[0] is Pulse.SILENT
    assert weekly.begun(NOON).next_run is None  # whoever runs it next may be another timer


def test_the_timetable_that_the_options_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Seoul")

    def table(**named: str | None) -> object:
        return timetable_of(tmp_path, **({"every": None, "at": None, "zone": "", "jitter": None} | named))  # type: ignore[arg-type]  # every option is there

    assert table(every="PT6H") == Every(timedelta(hours=6))
    usual = table()
    assert isinstance(usual, Daily)
    assert (usual.at, str(usual.zone)) == (time(6), "Asia/Seoul")
    late = table(at="05:30", zone="Asia/Pyongyang", jitter="PT20M")
    assert isinstance(late, Spread)
    assert late.seed == str(tmp_path)
    for wrong in ({"every": "6h"}, {"at": "25:00"}, {"zone": "Mars"}, {"every": "PT1H", "jitter": "PT16M"}):
        with pytest.raises((InputError, DateError)):
            table(**wrong)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--every", "PT6H"), "--loop"),
        (("--loop", "--now", "2026-01-01"), "present"),
        (("--loop", "--dry-run"), "present"),
        (("--loop", "--every", "PT6H", "--at", "06:00"), "one timetable"),
        (("--loop", "--every", "6h"), "--every"),
        (("--dry-run", "--map"), "--map"),
    ],
)
def test_refuses_what_is_at_odds(
    make_workspace: Make, sitewatch: Command, options: tuple[str, ...], words: str
) -> None:
    code, _, err = sitewatch("run", *options, "--workspace", str(make_workspace("w").root))
    assert code == 2
    assert words in err


def test_a_signal_ends_the_wait_and_a_second_one_does_not_wait() -> None:
    former = signal.getsignal(signal.SIGTERM)
    with Termination() as ending:
        ending.wait(0)
        assert ending.reason() == ""
        os.kill(os.getpid(), signal.SIGTERM)
        ending.wait(60)
        assert ending.reason() == "asked to end (SIGTERM)"
        ending.wait(60)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) is former
