"""A run takes up what the last one learned, and that can be seen in nothing that it leaves but its cost."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from imagery.change.statestore import CHECKPOINTS_KEPT, Snapshot, StateStore
from imagery.errors import ArchiveError
from imagery.stack import STATES_FOLDER, Stacked
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
Add = Callable[[Workspace, list[Path]], None]
Scenes = Callable[..., list[Path]]


@pytest.fixture
def days() -> list[date]:
    """Return more days than the shared ones: the fits must be some dates apart."""
    return [date(2018 + n // 10, 4 + n % 10 // 3, 1 + 9 * (n % 10 % 3)) for n in range(34)]


def snapshot(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    with workspace.ledger() as ledger:
        return ledger.snapshot()


def states(workspace: Workspace) -> Path:
    return workspace.archive_path / STATES_FOLDER


def after(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 23, tzinfo=UTC)


class Reads:
    """Counts the chips that are read."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        read = Stacked.read

        def counting(stacked: Stacked, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - handed on
            self.count += 1
            return read(stacked, *args, **kwargs)

        monkeypatch.setattr(Stacked, "read", counting)

    def taken(self) -> int:
        count, self.count = self.count, 0
        return count


def deleted(folder: Path, rng: random.Random) -> None:  # noqa: ARG001 - one of several
    shutil.rmtree(folder)


def cut(folder: Path, rng: random.Random) -> None:
    for path in sorted(folder.rglob("*.state")) + sorted(folder.rglob("*.part")):
        if rng.random() < 0.5:
            path.write_bytes(path.read_bytes()[: rng.randrange(200)])


def without_parts(folder: Path, rng: random.Random) -> None:  # noqa: ARG001 - one of several
    for path in folder.rglob("*.part"):
        path.unlink()


def of_an_earlier_run(folder: Path, rng: random.Random) -> None:  # noqa: ARG001 - one of several
    for path in folder.rglob("current.state"):
        path.unlink()


def left_alone(folder: Path, rng: random.Random) -> None:
    """Do nothing."""


HARM = (deleted, cut, without_parts, of_an_earlier_run, left_alone)


def test_daily_runs_equal_one_run_and_read_one_chip_a_date_between_fits(
    make_workspace: Make,
    add_scenes: Add,
    scenes: Scenes,
    days: list[date],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once, daily = make_workspace("one"), make_workspace("two")
    for workspace in (at_once, daily):
        add_scenes(workspace, scenes(days))
    at_once.run(now=after(days[0]))
    at_once.run(now=now)
    reads, counts = Reads(monkeypatch), []
    for day in days:
        daily.run(now=after(day))
        counts.append(reads.taken())
    daily.run(now=now)
    assert snapshot(daily) == snapshot(at_once)
    assert counts.count(1) >= len(days) - 6  # the others fit, or compare with the surroundings
    assert len(list(states(daily).rglob("[0-9]*.state"))) == CHECKPOINTS_KEPT
    parts = list(states(daily).rglob("*.part"))
    assert len(parts) <= 40


@pytest.mark.parametrize("seed", range(2))
def test_any_partition_with_any_harm_between_leaves_the_same_ledger(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime, seed: int
) -> None:
    rng = random.Random(seed)
    at_once, parted = make_workspace("one"), make_workspace("two")
    for workspace in (at_once, parted):
        add_scenes(workspace, scenes(days))
    at_once.run(now=after(days[0]))
    at_once.run(now=now)
    parted.run(now=after(days[0]))
    for number in sorted(rng.sample(range(12, len(days)), 5)):
        rng.choice(HARM)(states(parted), rng)
        parted.run(now=after(days[number]))
    parted.run(now=now)
    assert snapshot(parted) == snapshot(at_once)


def test_a_late_scene_is_replayed_from_the_last_checkpoint_before_it(
    make_workspace: Make,
    add_scenes: Add,
    scenes: Scenes,
    days: list[date],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once, late = make_workspace("one"), make_workspace("two")
    add_scenes(at_once, scenes(days))
    at_once.run(now=now)
    place = len(days) - 3
    add_scenes(late, scenes([*days[:place], *days[place + 1 :]]))
    late.run(now=now)
    add_scenes(late, scenes([days[place]]))
    taken = StateStore.resume
    seen: list[int] = []

    def noting(store: StateStore, looks: Any) -> Any:  # noqa: ANN401 - handed on
        for found in taken(store, looks):
            seen.append(found.seen)
            yield found

    monkeypatch.setattr(StateStore, "resume", noting)
    late.run(now=now)
    assert 0 < seen[0] <= place
    assert snapshot(late) == snapshot(at_once)


def test_a_ledger_that_was_put_back_is_brought_up_again(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days))
    workspace.run(now=after(days[20]))
    copy = workspace.root / "copy"
    shutil.copy(workspace.ledger_path, copy)
    workspace.run(now=now)
    full = snapshot(workspace)
    shutil.copy(copy, workspace.ledger_path)
    workspace.run(now=now)
    assert snapshot(workspace) == full


def test_other_settings_pass_a_state_over(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    fresh, changed = make_workspace("one"), make_workspace("two")
    for workspace in (fresh, changed):
        add_scenes(workspace, scenes(days))
        workspace.run(now=after(days[24]))
        settings = (workspace.root / "sitewatch.toml").read_text()
        (workspace.root / "sitewatch.toml").write_text(settings.replace("= 72", "= 14"))
    shutil.rmtree(states(fresh))
    for workspace in (fresh, changed):
        Workspace.open(workspace.root).run(now=now)
    assert snapshot(changed) == snapshot(fresh)


def test_a_state_that_cannot_be_written_is_said_and_changes_nothing(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    good, bad = make_workspace("one"), make_workspace("two")
    for workspace in (good, bad):
        add_scenes(workspace, scenes(days[:14]))
    states(bad).write_text("a file where the folder should be")
    fine, troubled = [workspace.run(now=now) for workspace in (good, bad)]
    assert fine.state_trouble is None
    assert isinstance(troubled.state_trouble, ArchiveError)
    assert snapshot(good) == snapshot(bad)


def test_runs_killed_between_ledger_and_state_are_made_up_for(
    make_workspace: Make,
    add_scenes: Add,
    scenes: Scenes,
    days: list[date],
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_once, killed = make_workspace("one"), make_workspace("two")
    for workspace in (at_once, killed):
        add_scenes(workspace, scenes(days))
    at_once.run(now=after(days[0]))
    at_once.run(now=now)
    writes = StateStore._write
    killed.run(now=after(days[0]))
    for number, dies_at in ((16, 0), (20, 1), (26, 2)):
        left = [dies_at]

        def dying(store: StateStore, path: Path, snapshot: Snapshot, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
            writes(store, path, snapshot)

        monkeypatch.setattr(StateStore, "_write", dying)
        with suppress(KeyboardInterrupt):
            killed.run(now=after(days[number]))
        assert left[0] < 0 or dies_at
    monkeypatch.undo()
    killed.run(now=now)
    assert snapshot(killed) == snapshot(at_once)
