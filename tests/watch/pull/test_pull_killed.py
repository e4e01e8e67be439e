"""A pull killed (SIGKILL) before each of its writes, and carried on by the next one."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import orjson
import pytest

from geo.dates import Span
from sitewatch_hub.server import LocalHub
from watch.budget import SpendJournal
from watch.connection import open_journal
from watch.pull import PullReport
from watch.workspace import Workspace

Make = Callable[..., Workspace]
Pull = Callable[..., PullReport]
Everything = Callable[[Path], dict[str, bytes]]

DAY = Span(date(2022, 2, 1), date(2022, 2, 1))

# One process that forks before it has a thread: every point then costs a pull and no imports. The children
# share nothing but what was imported.
KILLER = '''
import os, shutil, signal, sys
from datetime import date
from pathlib import Path
import rasterio, imagery.canonical, imagery.sentinelhub.provider, watch.connection
from geo.dates import Span
from watch.connection import connected
from watch.pull import PullOptions, pull
from watch.workspace import Workspace

template, target = Path(sys.argv[1]), Path(sys.argv[2])

def arm(last):
    """Kill this process in place of the call to the disk of that number; count them in any case."""
    seen = 0
    for name in ("fsync", "rename", "replace", "write", "ftruncate"):
        def counted(*arguments, real=getattr(os, name)):
            nonlocal seen
            seen += 1
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments)
        setattr(os, name, counted)

def child(root, last):
    arm(last)
    workspace = Workspace.open(root)
    with connected(workspace, os.environ) as connection:
        options = PullOptions(Span(date(2022, 2, 1), date(2022, 2, 1)), workers=1)
        report = pull(workspace, connection.hub, ["market"], options)
    os._exit(0 if report.stopped is None and not report.failed else 3)

point = 0
while True:
    point += 1
    root = target / f"killed-{point:03d}"
    shutil.copytree(template, root)
    process = os.fork()
    if process == 0:
        child(root, point)
    status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    if status == 0:
        break
    assert status == -signal.SIGKILL, status
print(point)
'''


@dataclass(frozen=True, slots=True)
class Killed:
    """Workspaces that a pull was killed in, one for each write, and one where it came to its end."""

    points: tuple[Workspace, ...]
    whole: Workspace


@pytest.fixture
def killed(make_hub_workspace: Make, account: dict[str, str], tmp_path: Path) -> Killed:
    template = make_hub_workspace("template", pull="workers = 1")
    target = tmp_path / "points"
    target.mkdir()
    command = [sys.executable, "-W", "ignore", "-c", KILLER, str(template.root), str(target)]
    done = subprocess.run(command, env=account, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    folders = sorted(target.iterdir())
    assert len(folders) == int(done.stdout)
    *points, whole = (Workspace.open(folder) for folder in folders)
    return Killed(tuple(points), whole)


def lines(journal: Path) -> list[dict[str, object]]:
    data = journal.read_bytes() if journal.exists() else b""
    return [orjson.loads(line) for line in data.split(b"\n")[:-1]]


def asked(workspace: Workspace, what: str) -> int:
    entries = lines(workspace.root / "spend.jsonl")
    return sum(line["state"] == "asked" and str(line["what"]).startswith(what) for line in entries)


def test_wherever_a_pull_is_killed_the_next_leaves_what_an_undisturbed_one_leaves(
    killed: Killed, pull: Pull, everything: Everything, hub: LocalHub
) -> None:
    expected = everything(killed.whole.archive_path)
    assert len(killed.points) > 30
    before_archived = 0
    for workspace in killed.points:
        archive = workspace.archive()
        assert archive.verify() == ()
        before_archived += not archive.scenes()
        paid_before = asked(workspace, "sentinel-2a_20220201")
        report = pull(workspace, "market", days=DAY)
        assert (report.failed, report.stopped) == ({}, None)
        assert everything(workspace.archive_path) == expected
        assert not list(workspace.root.rglob("*.part"))
        # At most the one pass that was under way is asked for again, and the account shows it.
        assert asked(workspace, "sentinel-2a_20220201") <= 1 + paid_before <= 2
        account: SpendJournal = open_journal(workspace)
        assert account.unsettled() <= 1
    assert 0 < before_archived < len(killed.points)
    paid = [entry for entry in hub.journal.entries("/process") if entry.status == 200]
    counted = sum(asked(workspace, "sentinel-2") for workspace in (*killed.points, killed.whole))
    assert len(paid) <= counted <= len(paid) + len(killed.points)
