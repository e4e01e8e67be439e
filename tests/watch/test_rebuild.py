from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from sites.editing import rename
from watch.errors import DamagedLedgerError, LedgerError
from watch.ledger import Ledger
from watch.ledger_copy import replace_all
from watch.rebuild import DRAFT, rebuild
from watch.run import run
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
Add = Callable[[Workspace, list[Path]], None]
Scenes = Callable[..., list[Path]]
SiteWatch = Callable[..., tuple[int, str, str]]
EARLY = datetime(2018, 3, 1, tzinfo=UTC)


def snapshot(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    with workspace.ledger() as ledger:
        return ledger.snapshot()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the workspace is kept once it was made."""
    return tmp_path_factory.mktemp("made") / "w"


@pytest.fixture
def watched(
    made: Path,
    make_workspace: Make,
    add_scenes: Add,
    scenes: Scenes,
    days: list[date],
    now: datetime,
    tmp_path: Path,
) -> Workspace:
    """A workspace that three runs looked at, with a detection and windows without a scene."""
    if not made.exists():
        workspace = make_workspace("w")
        add_scenes(workspace, scenes(days))
        for instant in (EARLY, datetime(2019, 5, 1, tzinfo=UTC), now):
            workspace.run(now=instant)
        shutil.copytree(workspace.root, made)
        return workspace
    shutil.copytree(made, tmp_path / "w")
    return Workspace.open(tmp_path / "w")


def test_it_equals_the_one_that_was_there_and_the_one_that_was_damaged(
    watched: Workspace, sitewatch: SiteWatch, now: datetime
) -> None:
    before = snapshot(watched)
    assert before["detections"]
    assert before["detection_history"]
    assert before["no_scenes"]
    with watched.ledger() as ledger, ledger.transaction() as transaction:
        transaction.drop_looks("yard", before["looks"][0]["grid_id"], before["looks"][0]["series"], [
            row["solar_day"] for row in before["looks"][5:]
        ])  # fmt: skip
    done = rebuild(watched)
    assert (done.sites, done.judged, done.failed, done.carried) == (1, 20, 0, 0)
    assert snapshot(watched) == before
    assert not list(watched.root.glob(f"{DRAFT}*"))

    watched.ledger_path.write_bytes(b"no database at all, " * 500)
    with pytest.raises(DamagedLedgerError, match="ledger rebuild"), watched.ledger():
        pass
    code, out, err = sitewatch(
        "ledger", "rebuild", "--workspace", str(watched.root), "--now", now.isoformat()
    )
    assert code == 0, err
    assert "20 looks at 1 site judged anew" in out
    assert (watched.root / "ledger.sqlite.damaged").read_bytes().startswith(b"no database")
    after = snapshot(watched)
    # Since when a site was looked at is what only the ledger knew.
    assert {name: rows for name, rows in after.items() if name not in {"examined", "no_scenes"}} == {
        name: rows for name, rows in before.items() if name not in {"examined", "no_scenes"}
    }


def test_what_can_not_be_judged_any_more_is_taken_over(watched: Workspace) -> None:
    before = snapshot(watched)
    for item in watched.archive_path.iterdir():
        if item.is_dir() and item.name != "grids":
            shutil.rmtree(item)
    assert rebuild(watched).carried == 20
    assert snapshot(watched) == before


def test_looks_tell_what_became_of_each_detection(watched: Workspace, sitewatch: SiteWatch) -> None:
    code, out, _ = sitewatch("looks", "yard", "--workspace", str(watched.root), "--json")
    (detection,) = orjson.loads(out)["detections"]
    rows = snapshot(watched)["detection_history"]
    assert code == 0
    assert [(each["solar_day"], each["state"]) for each in detection["history"]] == [
        (str(row["solar_day"]), row["state"]) for row in rows
    ]


def test_a_site_that_left_the_catalogue_keeps_its_looks(watched: Workspace) -> None:
    before = snapshot(watched)
    (watched.catalogue_path / "sites.geojson").write_bytes(
        orjson.dumps({"type": "FeatureCollection", "features": []})
    )
    done = rebuild(watched)
    assert (done.sites, done.judged, done.carried) == (0, 0, 20)
    assert snapshot(watched) == before


def test_a_run_meanwhile_is_not_lost(
    watched: Workspace, monkeypatch: pytest.MonkeyPatch, now: datetime
) -> None:
    def run_twice(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - run's own
        watched.run(now=now)
        return run(*arguments, **options)

    monkeypatch.setattr("watch.rebuild.run", run_twice)
    with pytest.raises(LedgerError, match="a run was made while"):
        rebuild(watched)
    monkeypatch.undo()
    assert rebuild(watched).judged == 20


def test_a_ledger_on_a_server_is_made_again_in_place(
    watched: Workspace, postgresql: str, monkeypatch: pytest.MonkeyPatch, sitewatch: SiteWatch
) -> None:
    before = snapshot(watched)
    Ledger.open(postgresql).close()
    monkeypatch.setenv("SITEWATCH_LEDGER__URL", postgresql)
    there = Workspace.open(watched.root)
    with watched.ledger() as file, there.ledger() as server:
        replace_all(server, file)
    assert rebuild(there).judged == 20
    assert snapshot(there) == before
    code, out, _ = sitewatch("ledger", "info", "--workspace", str(watched.root))
    assert code == 0
    assert "looks: 20" in out
    assert "canary" not in out
    code, out, _ = sitewatch("ledger", "upgrade", "--workspace", str(watched.root))
    assert (code, "up to date" in out) == (0, True)


def test_former_ids_are_handed_on_first(watched: Workspace) -> None:
    catalogue = rename(watched.catalogue(), "yard", "depot")
    catalogue.write()
    assert rebuild(watched).judged == 20
    with watched.ledger() as ledger:
        assert set(ledger.examined()) == {"depot"}
