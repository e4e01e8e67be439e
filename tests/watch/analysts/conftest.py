"""Workspaces whose ledgers were filled by hand: what analysts decide on and are told of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from shapely.geometry import Point

from geo.area import square_around
from imagery.change.evidence import Evidence, Scored
from imagery.model import Detection, DetectionState, Look, Outcome
from watch.settings import SETTINGS_FILE
from watch.workspace import Workspace

Make = Callable[[str], Workspace]

DETECTION = Detection(
    id="det-0123456789ab",
    site_id="yard",
    grid_id="grid-1",
    series="landsat",
    state=DetectionState.PROBABLE,
    bracket="2021-04-17/2021-05-03",
    last_without=date(2021, 4, 17),
    first_with=date(2021, 5, 3),
    last_with=date(2021, 5, 19),
    looks_with=2,
    geometry=square_around(Point(125.754, 39.03), 180),
    area_m2=32_400.0,
    magnitude=2.5,
    p_value=None,
    direction={"red": 0.15},
    simulated=True,
    evidence=Evidence("listed", 30.0, is_reflectance=True, raised=Scored(date(2021, 5, 3), 12, 2.5)),
)


def look(day: date, outcome: Outcome = Outcome.UNCHANGED, **changes: Any) -> Look:  # noqa: ANN401 - fields
    made = Look(
        site_id="yard",
        grid_id="grid-1",
        solar_day=day,
        series="landsat",
        platform="landsat-7",
        scene_ids=(f"scene-{day}",),
        acquired=datetime(day.year, day.month, day.day, 2, tzinfo=UTC),
        day_only=False,
        outcome=outcome,
        reason="made for a test",
        clear_fraction=1.0,
        frame_clear_fraction=1.0,
        mask_scheme="fmask",
        history=12,
        score=1.5,
        threshold=2.0,
        simulated=True,
    )
    return replace(made, **changes)


@pytest.fixture
def detection() -> Detection:
    """Return the one detection of `reviewed`."""
    return DETECTION


@pytest.fixture
def put() -> Callable[..., None]:
    """Return what makes detections and looks those of a ledger's one site."""

    def place(workspace: Workspace, found: list[Detection], looks: list[Look] | None = None) -> None:
        with workspace.ledger() as ledger, ledger.transaction() as transaction:
            keys = {(each.site_id, each.grid_id, each.series) for each in found} or {
                ("yard", "grid-1", "landsat")
            }
            for key in keys:
                mine = [each for each in found if (each.site_id, each.grid_id, each.series) == key]
                transaction.set_detections(*key, mine, run_id="run")
            for each in looks or ():
                transaction.add_look(each, run_id="run", judged_at=each.acquired)

    return place


@pytest.fixture
def make_look() -> Callable[..., Look]:
    """Return a maker of looks of the site ``yard``."""
    return look


@pytest.fixture
def reviewed(make_workspace: Make, put: Callable[..., None]) -> Workspace:
    """Return a workspace with one detection and the looks around it."""
    workspace = make_workspace("w")
    days = [date(2021, 4, 1) + timedelta(days=16 * step) for step in range(4)]
    outcomes = [Outcome.UNCHANGED, Outcome.UNCHANGED, Outcome.CHANGED, Outcome.CHANGED]
    looks = [look(day, outcome) for day, outcome in zip(days, outcomes, strict=True)]
    put(workspace, [DETECTION], looks)
    return workspace


@pytest.fixture
def watched(make_workspace: Make, put: Callable[..., None]) -> Workspace:
    """Return a workspace with four looks, two of them obscured, and nothing detected yet."""
    workspace = make_workspace("w")
    looks = [
        look(date(2021, 5, 1)),
        look(date(2021, 5, 26)),
        look(date(2021, 5, 28), Outcome.OBSCURED),
        look(date(2021, 5, 30), Outcome.OBSCURED),
    ]
    put(workspace, [], looks)
    return workspace


@pytest.fixture
def with_settings() -> Callable[[Workspace, str], Workspace]:
    """Return what gives a workspace other settings."""

    def give(workspace: Workspace, text: str) -> Workspace:
        (workspace.root / SETTINGS_FILE).write_text(text)
        return Workspace.open(workspace.root)

    return give
