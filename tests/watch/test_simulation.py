from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from geo.dates import parse_span
from imagery.model import Outcome
from watch.simulation import Planted, simulate_workspace
from watch.workspace import Workspace

Sitewatch = Callable[..., tuple[int, str, str]]


def test_a_simulated_workspace_runs_through_the_whole_chain(tmp_path: Path, sitewatch: Sitewatch) -> None:
    folder = tmp_path / "made"
    code, out, _ = sitewatch("simulate", str(folder), "--sites", "2", "--span", "2022-03/2022-04", "--json")
    assert code == 0
    said = json.loads(out)
    assert said["sites"] == said["changes"] == 2
    assert said["scenes"] >= 22
    code, _, _ = sitewatch("run", "--workspace", str(folder), "--now", "2022-05-01")
    assert code == 0
    workspace = Workspace.open(folder)
    modes = set()
    with workspace.ledger() as ledger:
        for site in workspace.catalogue():
            looks = ledger.looks(site.id)
            modes.add(site.coordinate_accuracy_m)
            assert len(looks) >= 11
            assert all(look.simulated for look in looks)
            assert {look.outcome for look in looks} <= {Outcome.LEARNING, Outcome.OBSCURED, Outcome.UNCHANGED}
            assert "SIMULATED" in site.name
    assert modes == {1.0, 200.0}
    code, out, _ = sitewatch("map", "--workspace", str(folder))
    assert code == 0
    dossiers = sorted((Path(out.strip()).parent / "sites").iterdir())
    assert [path.name for path in dossiers] == ["simulated-0001.html", "simulated-0002.html"]
    assert all("No satellite took these images" in path.read_text() for path in dossiers)
    truth = json.loads((folder / "truth.geojson").read_text())["features"]
    assert [feature["properties"]["simulated"] for feature in truth] == [True, True]
    assert {feature["properties"]["site"] for feature in truth} == {"simulated-0001", "simulated-0002"}


def test_the_same_seed_makes_the_same_files(tmp_path: Path) -> None:
    trees = []
    for name in ("a", "b"):
        made = simulate_workspace(
            tmp_path / name, parse_span("2022-01"), sites=1, seed=3, planted=Planted.NONE, frame_px=64
        )
        assert made.changes == 0
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        trees.append({str(path.relative_to(tmp_path / name)): path.read_bytes() for path in files})
    assert trees[0] == trees[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["--changes", "cheese"], "none, roof, any"), (["--span", "2022-02-30"], "2022-02-30")],
)
def test_refuses_what_it_does_not_know(
    tmp_path: Path, sitewatch: Sitewatch, arguments: list[str], said: str
) -> None:
    code, _, err = sitewatch("simulate", str(tmp_path / "w"), *arguments)
    assert code == 2
    assert said in err
    assert not (tmp_path / "w").exists()
