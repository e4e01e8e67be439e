"""The seam to any change detector: it learns a site's history, is shown new looks one by one, and reports.

One order of verbs for all of them, after the habit of the package nrt: `fit` once, `monitor` look by look,
`report` at any time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from shapely.geometry.base import BaseGeometry

    from imagery.change.spec import WatchSpec
    from imagery.change.tracks import Alarm
    from imagery.model import Chip, Outcome


@dataclass(frozen=True, slots=True)
class Judged:
    """What a detector says of one look."""

    day: date
    outcome: Outcome
    score: float | None
    """Higher is more changed, comparable between the looks of all sites; None when not judged."""
    alone: float | None = None
    """The score of the look by itself in units of its threshold; None where there is none such."""


@dataclass(frozen=True, slots=True)
class Found:
    """A change that a detector reports, and where."""

    alarm: Alarm
    geometry: BaseGeometry | None
    """``lon, lat`` degrees; None where the detector says no place."""


class Detector(Protocol):
    """Watches one site on one lattice in one series."""

    def fit(self, history: Sequence[Chip]) -> None:
        """Learn from the looks before the monitored time, in order; called once, first."""

    def monitor(self, chip: Chip) -> Judged:
        """Judge the next look; looks come in order of time."""

    def report(self) -> tuple[Found, ...]:
        """Return every change reported so far, retracted ones too, in the order of their first days."""


class DetectorMaker(Protocol):
    """Makes a detector for a site; a class with such a constructor will do."""

    def __call__(self, spec: WatchSpec, *, mode: str) -> Detector:
        """Return a detector that has seen nothing yet.

        Args:
            spec: The footprint on its grid, or the area that is searched, and the rules.
            mode: ``listed``: the footprint is the thing itself; ``search``: something anywhere in the area.
        """
