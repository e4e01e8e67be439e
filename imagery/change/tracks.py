"""What a detector said of a site, beside what was true there: the records that every figure is made from.

A record says nothing about how it was made: a simulated site, a change put into real chips and a labelled
place are told apart by their stratum only.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

DAYS_PER_YEAR = 365.25


class Level(IntEnum):
    """How far an alarm got, in order."""

    CANDIDATE = 1
    PROBABLE = 2
    CONFIRMED = 3


@dataclass(frozen=True, slots=True)
class Change:
    """What truly happened at a site."""

    first_day: date
    """The first day on which the ground differs."""
    last_day: date
    """The day from which on it no longer changes; the first day for a step."""
    area_m2: float
    contrast: float
    """Largest absolute change of reflectance over the bands, 0 to 1."""
    kind: str = ""

    def __post_init__(self) -> None:
        """Refuse what can't have happened.

        Raises:
            ValueError: It ends before it begins, or has no area.
        """
        if self.last_day < self.first_day or not self.area_m2 > 0:
            message = f"a change of {self.area_m2} m2 from {self.first_day} to {self.last_day} is none"
            raise ValueError(message)

    @property
    def side_m(self) -> float:
        """Side of the square of the same area."""
        return math.sqrt(self.area_m2)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One change that a detector reported."""

    day: date
    """The look that raised it as a candidate."""
    probable: date | None = None
    """The look that made it probable; None if none did."""
    confirmed: date | None = None
    retracted: date | None = None
    score: float = math.nan
    bracket: tuple[date, date] | None = None
    """Last clear look without it, first clear look with it."""
    date_interval: tuple[date, date] | None = None
    """Where the change lies with 90 %."""
    area_m2: float | None = None
    area_interval_m2: tuple[float, float] | None = None
    p: float | None = None
    later: tuple[float, ...] = ()
    """What each later look scores in its place, in the same units as `SiteTrack.alone`."""
    on_change: bool = True
    """Whether it covers the true change; True where the detector says no place, or nothing changed."""

    def reached(self, level: Level) -> date | None:
        """Return the day on which it got to a level, None if it never did."""
        return {Level.CANDIDATE: self.day, Level.PROBABLE: self.probable, Level.CONFIRMED: self.confirmed}[
            level
        ]


@dataclass(frozen=True, slots=True)
class SiteTrack:
    """One site as a detector monitored it."""

    site_id: str
    site_years: float
    """Exposure: the monitored time, learning left out."""
    days: tuple[date, ...]
    """The clear looks, in order."""
    scores: tuple[float, ...]
    """Score of each; higher is more changed, NaN where the detector did not judge."""
    alarms: tuple[Alarm, ...] = ()
    """In order of their days."""
    change: Change | None = None
    """None: nothing changed."""
    stratum: str = ""
    group: str = ""
    """Sites of a group (a tile) are never split; empty stands for the site itself."""
    history_looks: int = 0
    """Clear looks before the monitored time."""
    alone: tuple[float, ...] = ()
    """What each look scores by itself in units of its threshold; empty where a detector has none such."""

    def __post_init__(self) -> None:
        """Refuse a record that contradicts itself.

        Raises:
            ValueError: Days out of order, another number of scores than days, or a negative exposure.
        """
        if len(self.scores) != len(self.days) or (self.alone and len(self.alone) != len(self.days)):
            message = f"site {self.site_id}: {len(self.days)} days, {len(self.scores)} scores"
            raise ValueError(message)
        if list(self.days) != sorted(self.days) or not self.site_years >= 0:
            message = f"site {self.site_id}: days are out of order or {self.site_years} site-years"
            raise ValueError(message)

    def looks_after_change(self) -> tuple[date, ...]:
        """Return the clear looks from the change's first day on; none where nothing changed."""
        change = self.change
        return () if change is None else tuple(day for day in self.days if day >= change.first_day)

    def can_tell(self, within_looks: int | None) -> bool:
        """Return whether something changed and so many clear looks followed; else no verdict is fair."""
        after = self.looks_after_change()
        return self.change is not None and (within_looks is None or len(after) >= within_looks)

    def detected(self, level: Level, *, within_looks: int | None = None) -> Alarm | None:
        """Return the first alarm that counts as finding the change, or None.

        Only one that was raised on or after the change's first day counts, that covers it, and that got to
        the level by the end or, with `within_looks`, by that many clear looks after the change.
        """
        change = self.change
        if change is None:
            return None
        after = self.looks_after_change()[:within_looks]
        last = after[-1] if after else change.first_day
        for alarm in self.alarms:
            reached = alarm.reached(level)
            known_by = reached is not None and (within_looks is None or reached <= last)
            if known_by and alarm.day >= change.first_day and alarm.on_change:
                return alarm
        return None


def halves(
    tracks: Sequence[SiteTrack], *, seed: int = 0
) -> tuple[tuple[SiteTrack, ...], tuple[SiteTrack, ...]]:
    """Split sites into two halves, by group and evenly within each stratum; never by look.

    The order is that of a hash of seed and group, so it depends on neither the order of the sites nor a
    generator. Within a stratum the groups are dealt out in turn.

    Args:
        tracks: Any sites; those of one group stay together.
        seed: Another one gives another split.
    """
    groups: dict[str, str] = {}
    for track in tracks:
        groups.setdefault(track.group or track.site_id, track.stratum)
    side: dict[str, int] = {}
    dealt: dict[str, int] = {}
    for name in sorted(groups, key=lambda each: hashlib.sha256(f"{seed}:{each}".encode()).digest()):
        stratum = groups[name]
        side[name] = dealt.setdefault(stratum, 0) % 2
        dealt[stratum] += 1
    first = tuple(track for track in tracks if side[track.group or track.site_id] == 0)
    second = tuple(track for track in tracks if side[track.group or track.site_id] == 1)
    return first, second


def quiet(tracks: Sequence[SiteTrack]) -> tuple[SiteTrack, ...]:
    """Return the sites where nothing changed."""
    return tuple(track for track in tracks if track.change is None)


def changed(tracks: Sequence[SiteTrack]) -> tuple[SiteTrack, ...]:
    """Return the sites where something changed."""
    return tuple(track for track in tracks if track.change is not None)
