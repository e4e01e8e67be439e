"""Sites judged by several processes leave what one leaves; a worker's end costs the site that it was at."""

from __future__ import annotations

import multiprocessing
import multiprocessing.spawn
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import orjson
import pytest

from imagery.stack import STATES_FOLDER
from watch.conduct import Conduct
from watch.crew import Processes
from watch.errors import WorkerError
from watch.means import Judged, Means, Task
from watch.nulls import Nulls
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
Add = Callable[[Workspace, list[Path]], None]
Scenes = Callable[..., list[Path]]
Command = Callable[..., tuple[int, str, str]]
SITES = ("a-yard", "b-yard", "c-yard")
TWO = Conduct(workers=2)


def snapshot(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    with workspace.ledger() as ledger:
        return ledger.snapshot()


class Kept:
    """A log in memory, and progress."""

    def __init__(self) -> None:
        self.events: list[tuple[Any, ...]] = []

    def note(self, event: str, **facts: object) -> None:
        self.events.append((event, facts.get("site"), facts.get("looks")))

    def site(self, site_id: str, looks: int) -> None:
        self.events.append((site_id, looks))

    def look(self, site_id: str) -> None:
        self.events.append((site_id,))


@pytest.fixture
def make_yards(make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date]) -> Make:
    files = scenes(days)

    def make(name: str) -> Workspace:
        made = make_workspace(name)
        file = made.catalogue_path / "sites.geojson"
        (feature,) = orjson.loads(file.read_bytes())["features"]
        features = [{**feature, "id": site_id} for site_id in SITES]
        file.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": features}))
        add_scenes(made, files)
        return made

    return make


def halfway(days: list[date]) -> datetime:
    return datetime(days[13].year, days[13].month, days[13].day, 23, tzinfo=UTC)


def kill_whoever_reads(pipe: Path) -> None:
    """Wait until a worker reads a named pipe, and kill it before anything comes out."""
    writing = os.open(pipe, os.O_WRONLY)
    for child in multiprocessing.active_children():
        opened = [each.readlink() for each in Path(f"/proc/{child.pid}/fd").iterdir() if each.is_symlink()]
        if pipe in opened:
            os.kill(child.pid or 0, signal.SIGKILL)
    os.close(writing)


def test_two_workers_leave_what_one_process_leaves_even_after_one_is_killed(
    make_yards: Make, days: list[date], now: datetime
) -> None:
    alone, together = make_yards("alone"), make_yards("together")
    first = Kept()
    alone.run(now=halfway(days), progress=first, conduct=Conduct(log=first))
    alone.run(now=now)
    side_by_side = Kept()
    report = together.run(now=halfway(days), progress=side_by_side, conduct=replace(TWO, log=side_by_side))
    assert report.exit_code == 0
    assert all(site.took_s > 0 for site in report.sites)
    assert side_by_side.events == first.events

    (state,) = (together.archive_path / STATES_FOLDER / "b-yard").rglob("current.state")
    state.unlink()
    os.mkfifo(state)
    killing = Thread(target=kill_whoever_reads, args=(state.resolve(),))
    killing.start()
    report = together.run(now=now, conduct=TWO)
    killing.join()
    state.unlink()
    assert report.exit_code == 3
    failures = {site.site_id: site.failure for site in report.sites if site.failure}
    assert failures == {"b-yard": "the worker that judged it was killed (SIGKILL; memory may have run out)"}
    assert [site.looks.total() for site in report.sites] == [6, 0, 6]
    assert snapshot(together) != snapshot(alone)
    together.run(now=now)
    assert snapshot(together) == snapshot(alone)
    assert snapshot(alone)["detections"]
    assert multiprocessing.active_children() == []


def listen(crew: Processes, count: int) -> dict[int, Judged]:
    found: dict[int, Judged] = {}
    while len(found) < count:
        found |= dict(crew.done())
    return found


def pid_of(crew: Processes) -> int:
    (pid,) = crew.pids
    return pid


def test_a_worker_survives_what_it_meets_ends_when_told_and_has_an_heir(
    make_yards: Make, now: datetime
) -> None:
    workspace = make_yards("w")
    site = next(iter(workspace.catalogue()))
    means = Means.of(workspace.archive(), workspace.settings.look, keeps=False)
    good = Task(site, (), now)
    bad = replace(good, site=None)  # type: ignore[arg-type]  # that is the fault
    with Processes(means, 1) as crew:
        assert crew.done() == []
        assert not crew.pids
        crew.begin(0, bad)
        crew.begin(1, good)
        assert not crew.has_room
        found = listen(crew, 2)
        assert found[0].failure.startswith("AttributeError: ")
        (entry,) = found[1].entries
        assert len(entry.looks) == 20
        assert entry.detections

        # A worker that hears nothing while it is given two sites and killed has begun neither.
        os.kill(pid_of(crew), signal.SIGSTOP)
        crew.begin(2, good)
        crew.begin(3, bad)
        os.kill(pid_of(crew), signal.SIGKILL)
        found = listen(crew, 2)
        assert "SIGKILL" in found[2].failure
        assert found[3].failure.startswith("AttributeError: ")

        os.kill(pid_of(crew), signal.SIGSTOP)
        crew.begin(4, good)
        crew.begin(5, good)
        crew.stop("asked to end")
        os.kill(pid_of(crew), signal.SIGCONT)
        found = listen(crew, 2)
        assert found[5] == Judged(left="asked to end", took_s=found[5].took_s)
    assert multiprocessing.active_children() == []


def test_with_nothing_to_judge_nobody_is_started(
    make_workspace: Make, monkeypatch: pytest.MonkeyPatch, sitewatch: Command
) -> None:
    monkeypatch.setattr(Processes, "_start", None)
    workspace = make_workspace("w")
    code, out, _ = sitewatch(
        "run", "--workers", "2", "--workspace", str(workspace.root), "--now", "2024-01-01"
    )
    assert code == 0
    assert "1 site examined" in out


def test_workers_that_end_before_they_read_anything_keep_nobody_waiting(
    make_yards: Make, now: datetime
) -> None:
    workspace = make_yards("w")
    site = next(iter(workspace.catalogue()))
    means = Means.of(workspace.archive(), workspace.settings.look, keeps=False)
    # More than a pipe holds, so that whoever sends it waits for somebody who reads it.
    large = replace(means, quiet=Nulls((), notes=("quiet" * 2**16,)))
    usual = multiprocessing.spawn.get_executable()
    multiprocessing.spawn.set_executable(shutil.which("true") or "")
    try:
        with (
            Processes(large, 1) as crew,
            pytest.raises(WorkerError, match=r"ended by itself \(exit code 0\)"),
        ):
            crew.begin(0, Task(site, (), now))
            listen(crew, 1)
    finally:
        multiprocessing.spawn.set_executable(usual)
    assert multiprocessing.active_children() == []
