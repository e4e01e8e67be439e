from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import Point

from geo.area import square_around
from imagery.intake import IntakeOptions, plan_intake
from imagery.model import DetectionState, Outcome
from imagery.scene_index import SceneIndex
from sites.editing import rename
from sites.errors import UnknownSiteError
from watch.errors import UnmaskedError
from watch.run_report import RunReport
from watch.watcher import is_listed, lattices
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
Add = Callable[[Workspace, list[Path]], None]
Scenes = Callable[..., list[Path]]

CENTRE = Point(125.754, 39.03)


def snapshot(workspace: Workspace) -> dict[str, list[dict[str, Any]]]:
    with workspace.ledger() as ledger:
        return ledger.snapshot()


def test_every_scene_becomes_a_look_and_the_roof_a_detection(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime, roof_day: date
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days))
    report = workspace.run(now=now)
    assert report.looks.total() == len(days)
    assert report.looks[Outcome.OBSCURED] >= 2
    assert report.looks[Outcome.LEARNING] >= 6
    with workspace.ledger() as ledger:
        looks, (detection,) = ledger.looks("yard"), ledger.detections("yard")
        history = ledger.history(detection.id)
    assert history[-1].state is detection.state
    assert [each.solar_day for each in history] == sorted({each.solar_day for each in history})
    changed = [look.solar_day for look in looks if look.outcome is Outcome.CHANGED]
    assert changed
    assert min(changed) >= roof_day
    clear_before = [
        look.solar_day
        for look in looks
        if look.outcome in {Outcome.UNCHANGED, Outcome.LEARNING} and look.solar_day < roof_day
    ]
    assert detection.bracket == f"{max(clear_before)}/{min(changed)}"
    assert detection.state in {DetectionState.PROBABLE, DetectionState.CONFIRMED}
    assert detection.area_m2 == pytest.approx(36 * 900, rel=0.01)
    assert detection.direction["red"] == pytest.approx(0.15, abs=0.01)
    assert detection.p_value is None
    assert detection.simulated


def test_looks_of_another_method_are_judged_anew_and_lost_by_nobody(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:4]))
    workspace.run(now=now)
    before = snapshot(workspace)
    with sqlite3.connect(workspace.ledger_path) as connection:
        connection.execute("UPDATE looks SET card = NULL, method = NULL")
    connection.close()
    with workspace.ledger() as ledger:
        assert len(ledger.looks("yard")) == 4
    assert workspace.run(now=now).looks.total() == 4
    assert snapshot(workspace) == before


def test_an_outline_as_small_as_a_building_is_the_template_and_a_larger_one_is_searched(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:1]))
    archive = workspace.archive()
    index = SceneIndex(archive.scenes())
    (yard,) = workspace.catalogue()
    small = replace(yard, geometry=square_around(CENTRE, 60))
    pointed = replace(yard, geometry=CENTRE)
    for name, site, expected in (("large", yard, False), ("small", small, True), ("point", pointed, False)):
        (lattice,) = lattices(replace(site, id=name), archive, index, until=now)
        assert is_listed(site, lattice) is expected


def test_a_quiet_site_has_no_detection(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days, roof_from=date(2099, 1, 1)))
    report = workspace.run(now=now)
    assert report.looks[Outcome.UNCHANGED] >= 5
    assert report.detections == ()


def test_twice_adds_nothing(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days))
    workspace.run(now=now)
    before = workspace.ledger_path.stat().st_size, snapshot(workspace)
    again = workspace.run(now=now)
    assert again.looks.total() == 0
    assert again.no_scene == 0
    assert again.detections == ()
    assert (workspace.ledger_path.stat().st_size, snapshot(workspace)) == before


def test_the_order_of_arrival_cannot_be_seen_in_the_ledger(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    at_once, in_parts = make_workspace("one"), make_workspace("two")
    add_scenes(at_once, scenes(days))
    at_once.run(now=now)
    shuffled = random.Random(7).sample(days, len(days))
    for part in (shuffled[:6], shuffled[6:13], shuffled[13:]):
        add_scenes(in_parts, scenes(part))
        in_parts.run(now=now)
    assert snapshot(in_parts) == snapshot(at_once)


def test_daily_runs_leave_what_one_run_at_the_end_leaves(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    at_once, daily = make_workspace("one"), make_workspace("two")
    for workspace in (at_once, daily):
        add_scenes(workspace, scenes(days))
    instant = datetime(2018, 3, 1, tzinfo=UTC)
    at_once.run(now=instant)
    at_once.run(now=now)
    reports: list[RunReport] = []
    while instant < now:
        reports.append(daily.run(now=instant, due_only=True))
        instant += timedelta(days=37)
    reports.append(daily.run(now=now))
    assert snapshot(daily) == snapshot(at_once)
    assert sum(report.looks.total() for report in reports) == len(days)


def test_a_later_scene_is_left_alone_and_an_earlier_now_takes_nothing_back(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days))
    halfway = datetime(days[9].year, days[9].month, days[9].day, 23, tzinfo=UTC)
    assert workspace.run(now=halfway).looks.total() == 10
    assert workspace.run(now=now).looks.total() == 10
    full = snapshot(workspace)
    assert workspace.run(now=halfway).looks.total() == 0
    assert snapshot(workspace) == full


def test_due_runs_wait_for_the_cadence(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date]
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days))
    start = datetime(2018, 6, 1, tzinfo=UTC)
    assert workspace.run(now=start, due_only=True).looks.total() > 0
    (early,) = workspace.run(now=start + timedelta(days=15), due_only=True).sites
    assert early.skipped == "not due"
    (late,) = workspace.run(now=start + timedelta(days=370), due_only=True).sites
    assert late.skipped == ""
    assert "catching up 22 missed" in late.due_on
    assert late.looks.total() > 0
    assert late.no_scenes


def test_windows_without_a_scene_are_told_apart_from_looks(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date]
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:5]))
    report = workspace.run(now=datetime(2018, 9, 1, tzinfo=UTC))
    assert report.looks.total() == 5
    with workspace.ledger() as ledger:
        windows = ledger.no_scenes("yard")
    assert report.no_scene == len(windows) == 4
    assert windows[0].start == days[4] + timedelta(days=16)


def test_dry_run_counts_and_writes_nothing(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days))
    (site,) = workspace.run(now=now, dry_run=True).sites
    assert site.pending == len(days)
    with workspace.ledger() as ledger:
        assert ledger.looks("yard") == []
        assert ledger.examined() == {}


def test_images_without_a_mask_need_somebodys_word(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:3], mask=False))
    with pytest.raises(UnmaskedError, match="3 scene"):
        workspace.run(now=now)
    with workspace.ledger() as ledger:
        assert ledger.looks("yard") == []
    workspace.run(now=now, assume_clear=True)
    with workspace.ledger() as ledger:
        assert {look.mask_scheme for look in ledger.looks("yard")} == {"none"}


def test_unknown_site_is_refused_before_anything_runs(make_workspace: Make, now: datetime) -> None:
    with pytest.raises(UnknownSiteError, match="yrad"):
        make_workspace("w").run(["yrad"], now=now)


def test_a_renamed_site_keeps_its_looks(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days))
    workspace.run(now=now)
    with workspace.ledger() as ledger:
        looks, detections = ledger.looks("yard"), ledger.detections("yard")
    rename(workspace.catalogue(), "yard", "north-yard").write()
    assert workspace.run(now=now).looks.total() == 0
    with workspace.ledger() as ledger:
        assert ledger.looks("yard") == []
        assert ledger.looks("north-yard") == [replace(look, site_id="north-yard") for look in looks]
        assert ledger.detections() == [replace(found, site_id="north-yard") for found in detections]
    assert [path.name for path in (workspace.archive_path / "grids").iterdir()] == ["north-yard.json"]


def test_a_renamed_site_is_judged_and_its_detections_named_as_if_it_were_not(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    files = scenes(days)
    left: list[dict[str, Any]] = []
    for name in ("renamed", "as-it-was"):
        workspace = make_workspace(name)
        add_scenes(workspace, files)
        workspace.run(now=datetime(days[16].year, days[16].month, days[16].day, 23, tzinfo=UTC))
        if name == "renamed":
            rename(workspace.catalogue(), "yard", "north-yard").write()
        workspace.run(now=now)
        with workspace.ledger() as ledger:
            left.append(ledger.snapshot())
    assert left[0]["detections"]
    for table, rows in left[0].items():
        theirs = [row | {"site_id": "north-yard"} if "site_id" in row else row for row in left[1][table]]
        assert rows == theirs


def test_scenes_of_other_bands_or_scale_are_no_history_and_stop_nothing(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    workspace = make_workspace("w")
    files = scenes(days)
    last = f"{days[-1]:%Y%m%d}"
    add_scenes(workspace, [file for file in files if last not in file.name])
    other = [file for file in files if last in file.name and "nir" not in file.name]
    uncalibrated = IntakeOptions(
        pattern=r"(?P<platform>LE7)_(?P<acquired>\d{8})_(?P<band>\w+)", date_format="%Y%m%d"
    )
    workspace.archive().add(plan_intake(other, uncalibrated).scenes)
    assert workspace.run(now=now).looks.total() == len(days)
    with workspace.ledger() as ledger:
        look = ledger.looks("yard")[-1]
    assert (look.outcome, look.history) == (Outcome.LEARNING, 0)


def test_a_damaged_scene_costs_its_look_and_is_judged_when_it_is_whole_again(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    whole, damaged = make_workspace("one"), make_workspace("two")
    for workspace in (whole, damaged):
        add_scenes(workspace, scenes(days))
    victim = next(damaged.archive_path.rglob(f"*{days[8]:%Y%m%d}*/red.tif"))
    content = victim.read_bytes()
    victim.write_bytes(content[: len(content) // 3])
    report = damaged.run(now=now)
    assert report.looks[Outcome.FAILED] == report.failed == 1
    assert report.looks.total() == len(days)
    assert damaged.run(now=now).looks.total() == 0
    victim.write_bytes(content)
    assert damaged.run(now=now).looks.total() == len(days) - 8
    whole.run(now=now)
    assert snapshot(damaged) == snapshot(whole)


def test_killed_anywhere_and_run_again_equals_undisturbed(
    make_workspace: Make, add_scenes: Add, scenes: Scenes, days: list[date], now: datetime
) -> None:
    undisturbed, killed = make_workspace("one"), make_workspace("two")
    for workspace in (undisturbed, killed):
        add_scenes(workspace, scenes(days))
    undisturbed.run(now=now)
    for writes in (1, 2, 9, 16, 5, 16):
        command = [sys.executable, "-c", _DYING_RUN, str(killed.root), now.isoformat(), str(writes)]
        died = subprocess.run(command, capture_output=True, text=True, check=False)
        assert died.returncode == -signal.SIGKILL, died.stderr
    with killed.ledger() as ledger:
        assert ledger.examined() == {}
    killed.run(now=now)
    assert snapshot(killed) == snapshot(undisturbed)


_DYING_RUN = """
import os, signal, sys
from datetime import datetime
from watch.ledger import Transaction
from watch.workspace import Workspace

left = int(sys.argv[3])

def dying(method):
    def call(*args, **kwargs):
        global left
        left -= 1
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        return method(*args, **kwargs)
    return call

for name in ("add_look", "drop_looks", "set_detections", "set_no_scenes", "set_examined"):
    setattr(Transaction, name, dying(getattr(Transaction, name)))
Workspace.open(sys.argv[1]).run(now=datetime.fromisoformat(sys.argv[2]))
"""
