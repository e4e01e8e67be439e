"""Dismissed detections as quiet scores: what analysts took for no change tells how high quiet places score.

Only what every reviewer who spoke dismissed counts. Nothing is judged anew by it: the scores join the
empirical null from which later p-values are taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagery.change.null import Null, Stratum, null_of, stratum

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from imagery.model import Detection, Look
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
    score: float
    """The detection's magnitude: what p-values are taken of (`imagery.change.judgement`)."""
    history: int
    """Earlier clear looks that the first look with it was judged against; 0 where that look is gone."""

    def stratum(self, mode: str) -> Stratum:
        """Return the finest stratum of the look, ``listed`` or ``search``."""
        return stratum(mode, self.first_with, self.history)


def dismissed(
    detections: Iterable[Detection], looks: Mapping[str, Sequence[Look]], reviews: Reviews
) -> tuple[Dismissed, ...]:
    """Return the dismissed detections, in the order of `detections`.

    Args:
        detections: Of the ledger.
        looks: By site.
        reviews: What analysts said.
    """
    found = []
    for detection in detections:
        standing = reviews.standing(detection.id)
        if standing.word != "dismissed":
            continue
        look = _first_look(detection, looks.get(detection.site_id, ()))
        found.append(
            Dismissed(
                detection.id,
                detection.site_id,
                detection.first_with,
                tuple(each.by for each in standing.decisions),
                tuple(each.because for each in standing.decisions),
                detection.magnitude,
                0 if look is None else look.history,
            )
        )
    return tuple(found)


def dismissed_null(found: Iterable[Dismissed], modes: Mapping[str, str], *, min_scores: int) -> Null:
    """Return the null of dismissed detections; merge it into the one that is used (`Null.merged`).

    Args:
        found: What was dismissed.
        modes: ``listed`` or ``search`` by site; ``listed`` where a site is not named.
        min_scores: Of the null that it will be merged into: the stricter one of both holds.
    """
    scores = [(each.stratum(modes.get(each.site_id, "listed")), each.score) for each in found]
    return null_of(scores, source=SOURCE, min_scores=min_scores)


def _first_look(detection: Detection, looks: Sequence[Look]) -> Look | None:
    key = (detection.grid_id, detection.series, detection.first_with)
    return next((look for look in looks if (look.grid_id, look.series, look.solar_day) == key), None)
