from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import orjson

from watch.clock import SystemClock
from watch.runlog import KEPT, LOG_FILE, RunLog, read_log


class Stopped(SystemClock):
    def now(self) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_one_object_a_line_with_its_time(tmp_path: Path) -> None:
    log = RunLog(tmp_path, Stopped())
    log.note("run begun", run="r1", now=datetime(2026, 1, 1, tzinfo=UTC))
    log.note("site failed", run="r1", site="a\nb", why="ü")
    lines = (tmp_path / LOG_FILE).read_bytes().splitlines()
    assert [orjson.loads(line)["event"] for line in lines] == ["run begun", "site failed"]
    assert orjson.loads(lines[1]) == {
        "at": "2026-01-02T03:04:05.000000Z",
        "event": "site failed",
        "run": "r1",
        "site": "a\nb",
        "why": "ü",
    }


def test_a_line_that_was_cut_off_costs_itself_alone(tmp_path: Path) -> None:
    log = RunLog(tmp_path, Stopped())
    log.note("a")
    with (tmp_path / LOG_FILE).open("ab") as stream:
        stream.write(b'{"at": "2026\n')
    log.note("b")
    assert [each["event"] for each in read_log(tmp_path)] == ["a", "b"]
    assert list(read_log(tmp_path / "nowhere")) == []


def test_it_never_grows_without_end(tmp_path: Path) -> None:
    log = RunLog(tmp_path, Stopped(), max_bytes=1000)
    for number in range(60):
        log.note("run begun", run=f"r{number}", what="x" * 200)
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == [LOG_FILE, *(f"{LOG_FILE}.{number}" for number in range(1, KEPT + 1))]
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < 1300 * (KEPT + 1)
    kept = [orjson.loads(line)["run"] for line in (tmp_path / f"{LOG_FILE}.1").read_bytes().splitlines()]
    assert kept == sorted(kept, key=lambda name: int(name[1:]))
