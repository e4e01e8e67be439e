"""Which series over a site are kept and not judged, and why: said in every report, never passed over."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagery.provider import solar_days

if TYPE_CHECKING:
    from datetime import datetime

    from imagery.scene_index import SceneIndex
    from sites.model import Site

NO_RADAR_DETECTOR = "there is no radar detector yet, and those for reflectance would judge it wrongly"


@dataclass(frozen=True, slots=True)
class Unjudged:
    """One series over one site that no detector looks at."""

    series: str
    days: int
    """Solar days on which it has scenes."""
    reason: str


def unjudged(site: Site, index: SceneIndex, *, until: datetime) -> tuple[Unjudged, ...]:
    """Return the series over a site that are not judged, by name.

    Args:
        site: The site; one without a place has none.
        index: The archive's scenes.
        until: Only scenes acquired at or before this aware instant.
    """
    area, point = site.area, site.point
    if area is None or point is None:
        return ()
    radar = [scene for scene in index.covering(area, until=until) if not scene.quantity.is_optical]
    days = Counter(series for _, series in solar_days(radar, point.x))
    return tuple(Unjudged(series, count, NO_RADAR_DETECTOR) for series, count in sorted(days.items()))
