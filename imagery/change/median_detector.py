"""The season's medians (`imagery.change.series`, `.look`, `.confirm`) as a `Detector`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagery.change.confirm import detections
from imagery.change.detector import Found, Judged
from imagery.change.look import look_at
from imagery.change.season import same_season
from imagery.change.tracks import Alarm
from imagery.model import DetectionState, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from imagery.change.spec import WatchSpec
    from imagery.model import Chip, Detection, Look

_CLEAR = frozenset({Outcome.LEARNING, Outcome.UNCHANGED, Outcome.CHANGED})


class MedianDetector:
    """Judges each look by the medians of its season.

    The score is the largest one inside the footprint over the look's own threshold. A look that ends as
    Changed, and whose change no later look agrees with, is a candidate that was retracted at once.
    """

    def __init__(self, spec: WatchSpec, *, mode: str) -> None:
        """Begin without history; the mode makes no difference to this judge."""
        self._spec = spec
        self.mode = mode
        self._chips: list[Chip] = []
        self._looks: list[Look] = []
        self._found: tuple[Detection, ...] = ()
        self._reached: dict[str, dict[DetectionState, date]] = {}

    def fit(self, history: Sequence[Chip]) -> None:
        """Keep the history; each look picks its season from it."""
        self._chips = list(history)

    def monitor(self, chip: Chip) -> Judged:
        """Judge a look against the clear looks before it."""
        look = look_at(chip, self._season(chip), self._found, self._spec)
        self._looks.append(look)
        if look.outcome in _CLEAR:
            self._chips.append(chip)
        self._found = detections(self._looks)
        for detection in self._found:
            self._reached.setdefault(detection.id, {}).setdefault(detection.state, look.solar_day)
        score = None if look.score is None or not look.threshold else look.score / look.threshold
        return Judged(look.solar_day, look.outcome, score)

    def _season(self, chip: Chip) -> list[Chip]:
        days = [other.solar_day for other in self._chips]
        width = self._spec.season_half_width_days
        return [
            self._chips[k] for k in same_season(chip.solar_day, days, half_width_days=width, limit=len(days))
        ]

    def report(self) -> tuple[Found, ...]:
        """Return detections, and the looks that showed a change which the next did not."""
        reported = [self._reported(detection) for detection in self._found]
        spans = [(each.first_with, each.last_with) for each in self._found]
        for look in self._looks:
            alone = not any(first <= look.solar_day <= last for first, last in spans)
            if look.outcome is Outcome.CHANGED and alone:
                reported.append(_single(look))
        return tuple(sorted(reported, key=lambda each: each.alarm.day))

    def _reported(self, detection: Detection) -> Found:
        reached = self._reached[detection.id]
        return Found(
            Alarm(
                day=detection.first_with,
                probable=reached.get(DetectionState.PROBABLE),
                confirmed=reached.get(DetectionState.CONFIRMED),
                retracted=reached.get(DetectionState.RETRACTED),
                score=detection.magnitude,
                bracket=(detection.last_without, detection.first_with),
                area_m2=detection.area_m2,
            ),
            detection.geometry,
        )


def _single(look: Look) -> Found:
    seen = [region for region in look.regions if region.magnitude > 1]
    largest = max(seen, key=lambda region: region.magnitude)
    alarm = Alarm(
        day=look.solar_day,
        retracted=look.solar_day,
        score=largest.magnitude,
        area_m2=largest.area_m2,
    )
    return Found(alarm, largest.geometry)
