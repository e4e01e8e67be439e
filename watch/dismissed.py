"""Dismissed detections as quiet scores: what analysts took for no change tells how high quiet places score.

Only what every reviewer who spoke dismissed counts. Nothing is judged anew by it: the scores join the
empirical null from which later p-values are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagery.change.null import Null, null_of, stratum

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from imagery.change.evidence import Evidence
    from imagery.model import Detection
    from watch.reviews import Reviews

SOURCE = "dismissed by analysts"
"""What a p-value's origin is called that such scores were counted among."""


@dataclass(frozen=True, slots=True)
class Dismissed:
    """One dismissed detection and the score that raised it."""

    detection_id: str
    site_id: str
    first_with: date
    by: tuple[str, ...]
    because: tuple[str, ...]
    evidence: Evidence | None
    """None where its scores were not kept: then it is in no null."""

    @property
    def score(self) -> float | None:
        """Of the look that raised it, in units of the candidate threshold, as all quiet scores are."""
        return None if self.evidence is None else self.evidence.raised.ratio

    @property
    def history(self) -> int:
        """Earlier clear looks that it was judged against."""
        return 0 if self.evidence is None else self.evidence.raised.clear_looks


def dismissed(detections: Iterable[Detection], reviews: Reviews) -> tuple[Dismissed, ...]:
    """Return the dismissed detections, in the order of `detections`.

    Args:
        detections: Of the ledger.
        reviews: What analysts said.
    """
    return tuple(
        Dismissed(
            detection.id,
            detection.site_id,
            detection.first_with,
            tuple(each.by for each in standing.decisions),
            tuple(each.because for each in standing.decisions),
            detection.evidence,
        )
        for detection in detections
        if (standing := reviews.standing(detection.id)).word == "dismissed"
    )


def dismissed_null(found: Iterable[Dismissed], *, min_scores: int) -> Null:
    """Return the null of dismissed detections; merge it into the one that is used (`Null.merged`).

    Args:
        found: What was dismissed.
        min_scores: Of the null that it will be merged into: the stricter one of both holds.
    """
    known = [each.evidence for each in found if each.evidence is not None]
    scores = [
        (stratum(each.mode, each.raised.day, each.raised.clear_looks), each.raised.ratio) for each in known
    ]
    return null_of(scores, source=SOURCE, min_scores=min_scores)
