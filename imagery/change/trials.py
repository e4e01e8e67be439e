"""One site with known truth put before a detector."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imagery.change.tracks import SiteTrack
from imagery.model import Outcome

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from imagery.change.detector import Detector, Found, Judged
    from imagery.change.spec import WatchSpec
    from imagery.change.tracks import Alarm, Change
    from imagery.model import Chip

LISTED = "listed"
"""The footprint is the thing itself."""

SEARCH = "search"
"""Something anywhere in the area."""


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A site, its looks, and what is true of it."""

    site_id: str
    mode: str
    """`LISTED` or `SEARCH`."""
    spec: WatchSpec
    history: tuple[Chip, ...]
    """What a detector may learn from, in order of time; nothing changes in it."""
    monitored: tuple[Chip, ...]
    """What it is shown then."""
    site_years: float
    """Length of the monitored time."""
    change: Change | None = None
    ground: BaseGeometry | None = None
    """Where it changes, ``lon, lat``; one pixel around it still counts as on it."""
    group: str = ""


def run_trial(trial: Trial, detector: Detector) -> SiteTrack:
    """Show a detector the site and return the record of what it said.

    Looks that are clear by the trial's rules, or that the detector judged all the same, are in the record;
    a clear one that it refused has the score NaN. Time spent learning is no exposure.
    """
    detector.fit(trial.history)
    judged = [(chip, detector.monitor(chip)) for chip in trial.monitored]
    kept = [(chip, said) for chip, said in judged if said.score is not None or is_clear(chip, trial.spec)]
    return SiteTrack(
        site_id=trial.site_id,
        site_years=trial.site_years * (1 - _learning_share([said for _, said in kept])),
        days=tuple(chip.solar_day for chip, _ in kept),
        scores=tuple(math.nan if said.score is None else said.score for _, said in kept),
        alarms=tuple(_placed(found, trial) for found in detector.report()),
        change=trial.change,
        stratum=trial.mode,
        group=trial.group,
        alone=_alone([said for _, said in kept]),
        history_looks=sum(is_clear(chip, trial.spec) for chip in trial.history),
    )


def is_clear(chip: Chip, spec: WatchSpec) -> bool:
    """Return whether enough of footprint and frame is clear to be judged."""
    footprint, frame = chip.clear_fraction(spec.weights), chip.clear_fraction()
    return footprint >= spec.min_clear_footprint and frame >= spec.min_clear_frame


def _learning_share(said: list[Judged]) -> float:
    learning = sum(each.outcome is Outcome.LEARNING for each in said)
    return learning / len(said) if said else 1.0


def _alone(said: list[Judged]) -> tuple[float, ...]:
    """Return the scores of the looks by themselves; nothing from a detector that has none."""
    if all(each.alone is None for each in said):
        return ()
    return tuple(math.nan if each.alone is None else each.alone for each in said)


def _placed(found: Found, trial: Trial) -> Alarm:
    """Return the alarm with whether it covers the change."""
    if trial.ground is None or found.geometry is None:
        return found.alarm
    grid = trial.monitored[0].grid
    around = grid.to_grid(trial.ground).buffer(grid.resolution_m)
    return replace(found.alarm, on_change=bool(around.intersects(grid.to_grid(found.geometry))))
