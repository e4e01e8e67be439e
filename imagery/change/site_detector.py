"""The judge of a site (`imagery.change.sitejudge`) as a `Detector`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from imagery.change.detector import Found, Judged
from imagery.change.sitejudge import SiteJudge
from imagery.change.tracks import Alarm
from imagery.change.trials import LISTED
from imagery.model import DetectionState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imagery.change.cases import Case
    from imagery.change.spec import WatchSpec
    from imagery.model import Chip


class SiteDetector:
    """Judges each look as a run does; the score is in units of the candidate threshold."""

    def __init__(self, spec: WatchSpec, *, mode: str) -> None:
        """Begin without history; a listed footprint is the template, else squares are searched for."""
        self._spec = replace(spec, is_listed=mode == LISTED, min_history=12, max_history=72)
        self._judge: SiteJudge | None = None

    def _opened(self, chip: Chip) -> SiteJudge:
        if self._judge is None:
            self._judge = SiteJudge(
                self._spec, chip.grid, series=chip.series, bands=chip.bands, scale=chip.scale
            )
        return self._judge

    def fit(self, history: Sequence[Chip]) -> None:
        """Judge the history too: what that leaves behind is what a run would have known."""
        for chip in history:
            self._opened(chip).monitor(chip)
        self._first = len(self._judge.cases) if self._judge else 0

    def monitor(self, chip: Chip) -> Judged:
        """Judge the next look."""
        judge = self._opened(chip)
        look = judge.monitor(chip)
        decision = look.card.sections.get("decision", {}) if look.card else {}
        alone = look.score / look.threshold if look.score is not None and look.threshold else None
        return Judged(look.solar_day, look.outcome, decision.get("ratio"), alone)

    def report(self) -> tuple[Found, ...]:
        """Return every case that was raised, dropped candidates too."""
        if self._judge is None:
            return ()
        return tuple(_found(case) for case in self._judge.cases[self._first :])


def _found(case: Case) -> Found:
    track, when = case.track, case.when
    ended = track.closed is not None and track.state is not DetectionState.CONFIRMED
    alarm = Alarm(
        day=track.opened,
        probable=track.probable,
        confirmed=track.confirmed,
        retracted=track.closed if ended else None,
        score=track.ratio,
        bracket=(when.last_without, when.first_with),
        date_interval=when.interval_90,
        area_m2=case.area_m2,
        area_interval_m2=case.area_interval_m2,
        later=tuple(each.ratio for each in case.evidence.later),
    )
    return Found(alarm, case.geometry)
