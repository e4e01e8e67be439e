from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from watch.lock import writing
from watch.workspace import Workspace

Sitewatch = Callable[..., tuple[int, str, str]]


@pytest.fixture
def workspace(
    make_workspace: Callable[[str], Workspace],
    add_scenes: Callable[[Workspace, list[Path]], None],
    scenes: Callable[..., list[Path]],
    days: list[date],
) -> Workspace:
    made = make_workspace("w")
    add_scenes(made, scenes(days[:2]))
    return made


def move_site(workspace: Workspace, east: float) -> None:
    file = workspace.catalogue_path / "sites.geojson"
    document = json.loads(file.read_bytes())
    geometry = document["features"][0]["geometry"]
    geometry["coordinates"] = [[[x + east, y] for x, y in ring] for ring in geometry["coordinates"]]
    file.write_text(json.dumps(document))


def test_prune_keeps_scenes_unless_they_touch_no_site_and_are_asked_for(
    workspace: Workspace, sitewatch: Sitewatch
) -> None:
    folder = ("--workspace", str(workspace.root))
    (workspace.archive_path / ".x.part").write_bytes(b"half")
    code, out, _ = sitewatch("archive", "prune", *folder, "--dry-run", "--json")
    expected = {
        "dry_run": True,
        "stacks": 0,
        "leftovers": 1,
        "scenes": [],
        "paid_scenes": [],
        "freed_bytes": 4,
    }
    assert (code, json.loads(out)) == (0, expected)
    assert (workspace.archive_path / ".x.part").exists()
    code, out, _ = sitewatch("archive", "prune", *folder, "--scenes")
    assert (code, out) == (0, "0 stacks, 1 leftover, 0 scenes deleted: 0.0 MB.\n")
    move_site(workspace, 1.0)
    assert json.loads(sitewatch("archive", "prune", *folder, "--json")[1])["scenes"] == []
    ids = [scene.id for scene in workspace.archive().scenes()]
    code, out, _ = sitewatch("archive", "prune", *folder, "--scenes", "--dry-run")
    assert all(scene_id in out for scene_id in ids)
    assert "2 scenes would be deleted" in out
    assert json.loads(sitewatch("archive", "prune", *folder, "--scenes", "--json")[1])["scenes"] == ids
    assert workspace.archive().scenes() == ()


def test_prune_waits_for_no_run_and_deletes_nothing_meanwhile(
    workspace: Workspace, sitewatch: Sitewatch
) -> None:
    (workspace.archive_path / ".x.part").write_bytes(b"half")
    with writing(workspace.root):
        code, _, err = sitewatch("archive", "prune", "--workspace", str(workspace.root))
    assert code != 0
    assert "another run" in err
    assert (workspace.archive_path / ".x.part").exists()


def test_a_catalogue_without_a_place_keeps_every_scene(workspace: Workspace, sitewatch: Sitewatch) -> None:
    (workspace.catalogue_path / "sites.geojson").unlink()
    code, _, err = sitewatch("archive", "prune", "--scenes", "--workspace", str(workspace.root))
    assert code != 0
    assert "all of them would go" in err
    assert len(workspace.archive().scenes()) == 2
