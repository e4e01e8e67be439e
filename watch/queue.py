"""The detections that wait for an analyst, those with the most evidence first. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagery.model import DetectionState
from watch.decisions import Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from imagery.model import Detection
    from sites.catalogue import Catalogue
    from watch.decisions import Decision
    from watch.reviews import Reviews, Standing

_RANK = {
    DetectionState.CONFIRMED: 0,
    DetectionState.PROBABLE: 1,
    DetectionState.CANDIDATE: 2,
    DetectionState.RETRACTED: 3,
}

WAITING = frozenset({"open", "disputed"})
"""Standings that still want a word."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """One detection and what was said about it."""

    detection: Detection
    standing: Standing
    muted_until: date | None
    """Of its site; None where it is not muted."""
    age_days: int
    """Since the first clear look with it."""

    @property
    def wants_a_word(self) -> bool:
        """Whether an analyst is asked: neither settled, nor retracted, nor on a muted site."""
        return (
            self.standing.word in WAITING
            and self.muted_until is None
            and self.detection.state is not DetectionState.RETRACTED
        )


@dataclass(frozen=True, slots=True)
class Filters:
    """Which detections are shown; what is empty lets all pass."""

    sites: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    """Of the machine: ``probable``."""
    words: frozenset[str] = frozenset()
    """Of analysts: ``open``, ``confirmed``, ``dismissed``, ``disputed``."""
    since: date | None = None
    """First seen on this day or later."""
    everything: bool = False
    """Those that want no word, too."""

    def lets(self, waiting: Waiting) -> bool:
        """Whether a detection is shown."""
        detection = waiting.detection
        return (
            (self.everything or bool(self.words or self.states) or waiting.wants_a_word)
            and (not self.sites or detection.site_id in self.sites)
            and (not self.states or detection.state.value in self.states)
            and (not self.words or waiting.standing.word in self.words)
            and (self.since is None or detection.first_with >= self.since)
        )


NO_FILTERS = Filters()


def queue(
    detections: Iterable[Detection], reviews: Reviews, catalogue: Catalogue, *, today: date
) -> tuple[Waiting, ...]:
    """Return all detections by evidence: state, p-value, magnitude; then the latest first."""
    former = {site.id: (site.id, *site.former_ids) for site in catalogue}
    found = [
        Waiting(
            detection,
            reviews.standing(detection.id),
            reviews.muted_until(former.get(detection.site_id, (detection.site_id,)), today),
            (today - detection.first_with).days,
        )
        for detection in detections
    ]
    return tuple(sorted(found, key=_evidence))


def orphans(decisions: Sequence[Decision], detections: Iterable[Detection]) -> tuple[Decision, ...]:
    """Return what was said of detections that the ledger no longer knows, as far as it holds."""
    known = {detection.id for detection in detections}
    last = {(each.by, each.detection_id): each for each in decisions if each.detection_id}
    lost = (each for each in last.values() if each.verdict is not Verdict.RETRACT)
    return tuple(each for each in lost if each.detection_id not in known)


def _evidence(waiting: Waiting) -> tuple[float, float, float, int, str]:
    detection = waiting.detection
    p_value = math.inf if detection.p_value is None else detection.p_value
    return (
        _RANK[detection.state],
        p_value,
        -detection.magnitude,
        -detection.first_with.toordinal(),
        detection.id,
    )
