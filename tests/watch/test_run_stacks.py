"""A run reads a site's history from one file, and that can be seen in nothing that it leaves."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from imagery.stack import STACKS_FOLDER
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
Add = Callable[[Workspace, list[Path]], None]
Scenes = Callable[..., list[Path]]
Command = Callable[..., tuple[int, str, str]]


def snapshot(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    with workspace.ledger() as ledger:
        return ledger.snapshot()


def stacks(workspace: Workspace) -> Path:
    return workspace.archive_path / STACKS_FOLDER


def without_stacks(workspace: Workspace) -> Workspace:
    with (workspace.root / "sitewatch.toml").open("a") as settings:
        settings.write("\n[run]\nstacks = false\n")
    return Workspace.open(workspace.root)


def bare(workspace: Workspace) -> Workspace:
    (workspace.root / "sitewatch.toml").write_text("")
    return Workspace.open(workspace.root)


def test_with_stacks_without_and_with_them_deleted_between_the_ledgers_are_equal(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    files = scenes(days)
    made = {name: bare(make_workspace(name)) for name in ("with", "without", "deleted", "cut", "no folder")}
    made["without"] = without_stacks(made["without"])
    for workspace in made.values():
        add_scenes(workspace, files)
    stacks(made["no folder"]).write_text("a file where the folder should be")
    halfway = datetime(days[9].year, days[9].month, days[9].day, 23, tzinfo=UTC)
    troubles = {}
    for name, workspace in made.items():
        workspace.run(now=halfway)
        if name == "deleted":
            shutil.rmtree(stacks(workspace))
        if name == "cut":
            (stack,) = stacks(workspace).rglob("*.stack")
            stack.write_bytes(stack.read_bytes()[:-5000])
        troubles[name] = workspace.run(now=now).stack_trouble
    assert {name for name, trouble in troubles.items() if trouble} == {"no folder"}
    assert len(list(stacks(made["with"]).rglob("*.stack"))) == 1
    assert not stacks(made["without"]).exists()
    expected = snapshot(made["without"])
    assert expected["detections"]
    for name, workspace in made.items():
        assert snapshot(workspace) == expected, name


def test_history_is_read_from_the_stack_alone(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    workspace, undisturbed = make_workspace("w"), make_workspace("u")
    for each in (workspace, undisturbed):
        add_scenes(each, scenes(days))
    last = datetime(days[-2].year, days[-2].month, days[-2].day, 23, tzinfo=UTC)
    workspace.run(now=last)
    for scene in workspace.archive().scenes()[:-1]:
        for band in scene.bands:
            Path(band.path).unlink()
    workspace.run(now=now)
    undisturbed.run(now=last)
    undisturbed.run(now=now)
    assert snapshot(workspace)["looks"] == snapshot(undisturbed)["looks"]


def test_a_dry_run_keeps_nothing(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:3]))
    workspace.run(now=now, dry_run=True)
    assert not stacks(workspace).exists()


def test_the_command_says_that_stacks_could_not_be_kept(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], sitewatch: Command
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:3]))
    stacks(workspace).write_text("a file where the folder should be")
    code, out, err = sitewatch("run", "--workspace", str(workspace.root), "--now", "2024-01-01")
    assert code == 0
    assert "made 3 looks" in out
    assert "Images were read one by one: " in err
