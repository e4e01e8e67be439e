"""Sites judged by a Dask cluster leave what one process leaves."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Thread
from typing import Any

import distributed
import orjson
import pytest

from imagery.stack import STATES_FOLDER
from watch.cluster import PROBE, Ground
from watch.conduct import Conduct
from watch.errors import WorkerError
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
Add = Callable[[Workspace, list[Path]], None]
Scenes = Callable[..., list[Path]]
Command = Callable[..., tuple[int, str, str]]
SITES = ("a-yard", "b-yard", "c-yard")


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


def snapshot(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    with workspace.ledger() as ledger:
        return ledger.snapshot()


def opened_by(pid: int) -> list[Path]:
    return [each.readlink() for each in Path(f"/proc/{pid}/fd").iterdir() if each.is_symlink()]


@contextmanager
def who_reads_is_killed(file: Path) -> Iterator[None]:
    """Put a pipe in a file's place meanwhile, kill (SIGKILL) the worker that reads it, and put it back."""
    content = file.read_bytes()
    file.unlink()
    os.mkfifo(file)

    def kill() -> None:
        writing = os.open(file, os.O_WRONLY)
        children = {child.pid or 0 for child in multiprocessing.active_children()}
        readers = [pid for pid in children if file in opened_by(pid)]
        file.unlink()
        file.write_bytes(content)
        for pid in readers:
            os.kill(pid, signal.SIGKILL)
        os.close(writing)

    killing = Thread(target=kill)
    killing.start()
    yield
    killing.join()


@pytest.mark.filterwarnings("default")  # the cluster's own
def test_two_workers_of_a_cluster_leave_what_one_process_leaves_even_after_some_are_killed(
    make_yards: Make, days: list[date], now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone, together = make_yards("alone"), make_yards("together")
    middle = [datetime(days[at].year, days[at].month, days[at].day, 23, tzinfo=UTC) for at in (12, 15)]
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        conduct = Conduct(cluster=cluster.scheduler_address)
        for each in (alone, together):
            assert each.run(now=middle[0], conduct=conduct if each is together else None).exit_code == 0
        (state,) = (together.archive_path / STATES_FOLDER / "b-yard").rglob("current.state")
        state = state.resolve()

        # Another worker takes the place of the one that was killed.
        with who_reads_is_killed(state):
            assert together.run(now=middle[1], conduct=conduct).exit_code == 0
        alone.run(now=middle[1])
        assert snapshot(together) == snapshot(alone)

        # As if it had killed as many workers as Dask lets it kill.
        cluster.scheduler.allowed_failures = 0
        with who_reads_is_killed(state):
            report = together.run(now=now, conduct=conduct)
        assert report.exit_code == 3
        failures = {site.site_id: site.failure for site in report.sites if site.failure}
        assert failures.keys() == {"b-yard"}
        assert "KilledWorker" in failures["b-yard"]
        assert together.run(now=now, conduct=conduct).exit_code == 0
        alone.run(now=now)
        assert snapshot(together) == snapshot(alone)
        assert snapshot(alone)["detections"]
        assert not (together.archive_path / PROBE).exists()

        # Workers that don't see the archive are found out before anything is judged.
        other = make_yards("other")
        monkeypatch.setattr(Path, "write_bytes", lambda *_: 0)
        with pytest.raises(WorkerError, match="can't read the archive of the run"):
            other.run(now=now, conduct=conduct)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Return a scheduler in a process of its own, with a worker, and its address."""
    file, dask = tmp_path / "scheduler.json", [sys.executable, "-W", "ignore", "-m", "dask"]
    ours = ["--scheduler-file", str(file), "--no-dashboard"]
    begun = [
        subprocess.Popen([*dask, *words, *ours], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for words in (
            ["scheduler", "--host", "127.0.0.1", "--port", "0"],
            ["worker", "--nthreads", "1", "--no-nanny"],
        )
    ]
    with distributed.Client(scheduler_file=str(file), timeout=60, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=60)
        address = client.scheduler.address
    yield begun[0], address
    for process in begun:
        process.kill()
        process.wait()


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(("how", "words"), [("SIGSTOP", "does not answer"), ("SIGKILL", "is gone")])
def test_a_scheduler_that_is_halted_ends_the_run_and_the_next_one_carries_on(
    make_yards: Make,
    scheduler: tuple[subprocess.Popen[bytes], str],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
    words: str,
) -> None:
    process, address = scheduler
    monkeypatch.setattr("watch.cluster.ASK_AFTER_S", 0.0)
    monkeypatch.setattr("watch.cluster.CONNECT_TIMEOUT_S", 5)
    workspace, alone = make_yards("w"), make_yards("alone")

    class Halting:
        def site(self, site_id: str, looks: int) -> None: ...

        def look(self, site_id: str) -> None:  # noqa: ARG002 - whichever it is
            process.send_signal(signal.Signals[how])

    with pytest.raises(WorkerError, match=words) as caught:
        workspace.run(now=now, progress=Halting(), conduct=Conduct(cluster=address))
    assert caught.value.exit_code == 1
    assert workspace.run(now=now).exit_code == 0
    alone.run(now=now)
    assert snapshot(workspace) == snapshot(alone)


def test_ground_is_common_when_content_and_version_are(tmp_path: Path) -> None:
    probe = tmp_path / PROBE
    probe.write_bytes(b"")
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert Ground(probe, empty).lacking() == ""
    assert "another version" in Ground(probe, empty, method="older").lacking()
    probe.write_bytes(b"other")
    assert "can't read the archive" in Ground(probe, empty).lacking()


def test_without_the_extra_the_command_says_what_to_install(
    make_workspace: Make, monkeypatch: pytest.MonkeyPatch, sitewatch: Command
) -> None:
    monkeypatch.setitem(sys.modules, "watch.cluster", None)
    root = str(make_workspace("w").root)
    code, _, err = sitewatch("run", "--cluster", "tcp://127.0.0.1:1", "--workspace", root)
    assert code == 1
    assert "pip install 'sitewatch[cluster]'" in err
    code, _, err = sitewatch("run", "--cluster", "tcp://127.0.0.1:1", "--workers", "2", "--workspace", root)
    assert code == 2
    assert "leave --workers out" in err
