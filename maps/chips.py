"""Which looks of a site get a picture: a pure choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from imagery.model import Detection, Look

DEFAULT_LIMIT = 12
"""Pictures a site. The pairs around detections and the latest look are kept even beyond it."""

Key = tuple[str, str, "date"]
"""Grid id, series, solar day: what names a chip of a site."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """One look that gets a picture."""

    grid_id: str
    series: str
    solar_day: date
    reasons: tuple[str, ...]
    """Why: ``latest clear look``, ``last without det-1``, ``first with det-1``, ``spread over time``."""


def choose(
    clear: Sequence[Look], found: Iterable[Detection], limit: int = DEFAULT_LIMIT
) -> tuple[Wanted, ...]:
    """Return the looks that get a picture, oldest first.

    The latest clear look and the two around each detection always do. What is left of `limit` goes to looks
    that lie far from those already chosen, so that any span of time has one; a clearer look counts as lying
    farther.

    Args:
        clear: Looks clear enough to be shown.
        found: Detections of the same site.
        limit: How many pictures, when detections don't need more.
    """
    reasons: dict[Key, list[str]] = {}
    for detection in sorted(found, key=lambda each: (each.first_with, each.id)):
        lattice = detection.grid_id, detection.series
        reasons.setdefault((*lattice, detection.last_without), []).append(f"last without {detection.id}")
        reasons.setdefault((*lattice, detection.first_with), []).append(f"first with {detection.id}")
    if clear:
        latest = max(clear, key=lambda look: (look.acquired, look.series, look.grid_id))
        reasons.setdefault(_key(latest), []).append("latest clear look")
    left = {_key(look): look for look in clear if _key(look) not in reasons}
    while left and len(reasons) < limit:
        key = max(left, key=lambda each: _worth(left[each], reasons))
        reasons[key] = ["spread over time"]
        del left[key]
    ordered = sorted(reasons, key=lambda key: (key[2], key[1], key[0]))
    return tuple(Wanted(*key, tuple(reasons[key])) for key in ordered)


def _key(look: Look) -> Key:
    return look.grid_id, look.series, look.solar_day


def _worth(look: Look, chosen: Iterable[Key]) -> tuple[float, int, str, str]:
    """Return how much a look adds; equal ones by day, series and lattice, so that the choice stays the same.

    Only pictures of one series and lattice can be compared, so only those count as near.
    """
    near = [
        abs((look.solar_day - day).days)
        for grid_id, series, day in chosen
        if (grid_id, series) == (look.grid_id, look.series)
    ]
    gap = min(near) if near else _NOTHING_NEAR_DAYS
    return gap * look.frame_clear_fraction, look.solar_day.toordinal(), look.series, look.grid_id


_NOTHING_NEAR_DAYS = 36_525
