"""What a run would cost is said before it is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

from watch.workspace import Workspace

Make = Callable[[str], Workspace]
Add = Callable[[Workspace, list[Path]], None]
Scenes = Callable[..., list[Path]]
Command = Callable[..., tuple[int, str, str]]


def test_a_dry_run_says_how_many_looks_and_that_they_are_free(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], sitewatch: Command
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:3]))
    there = ("--workspace", str(workspace.root), "--now", "2024-01-01")
    code, out, _ = sitewatch("run", *there, "--dry-run")
    assert code == 0
    assert "would make 3 looks. A run costs 0 requests and 0 processing units." in out
    _, out, _ = sitewatch("run", *there, "--dry-run", "--json")
    document = json.loads(out)
    assert document["pending"] == {"yard": 3}
    assert document["spent"] == {"requests": 0, "processing_units": 0.0}
    _, out, _ = sitewatch("run", *there, "--json")
    assert json.loads(out)["pending"] == {}
