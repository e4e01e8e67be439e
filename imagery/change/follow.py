"""Following a suspected change from look to look: candidate, probable, confirmed, retracted.

A track is a small value: one place, what each look showed there, and what was made of it. Advancing it by a
look is a pure function, so a replay gives the same tracks.

    raised by one look or by the accumulated looks      candidate
    2 of the latest 4 looks show it                     probable
    3 looks show it, over 60 days                       confirmed: the model restarts there
    2 looks in a row without it                         a candidate is dropped, a probable one retracted

A follow-up look is tested in the candidate's place and direction only, with what is known before it
(`imagery.change.weigh`). One that cannot tell neither agrees nor disagrees: its evidence is added to that
of the next. What raised a candidate by accumulation counts as no look that shows it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.changedate import ChangeDate, change_date
from imagery.change.weigh import Verdict, verdict, weigh
from imagery.model import DetectionState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from imagery.change.matched import Place, Reading

PROBABLE_LOOKS = 2
PROBABLE_OF = 4
CONFIRMED_LOOKS = 3

CONFIRMED_DAYS = 60
"""From the first look that shows it since it was raised to the last: what snow, water, a harvest or a crop
does lasts for weeks, and three clear looks may lie in ten days."""

GONE_LOOKS = 2
"""Looks in a row without it that end a track."""

UNDECIDED_LOOKS = 10
"""Clear looks after which a candidate that nothing decided is dropped."""

KEPT_LOOKS = 8
"""Clear looks before the first sighting whose residuals are kept for the backward test."""

_LEAST_KEPT = 0.5


@dataclass(frozen=True, slots=True)
class Sighting:
    """What one look showed in a track's place."""

    day: date
    reading: Reading
    verdict: Verdict | None = None
    """None for the looks before the track was raised, and for the one that raised it."""


@dataclass(frozen=True, slots=True)
class Track:
    """A suspected change, and what is known of it."""

    place: Place
    opened: date
    """Day of the look that raised it."""
    rank: int
    """Its number among the tracks that this look raised."""
    ratio: float
    """Largest score in units of the candidate threshold."""
    accumulated: bool
    """Whether the sum of several looks raised it, and none alone."""
    contrast: tuple[float, ...]
    """By band, as estimated from the looks that show it."""
    older: date
    """The latest clear look before the first sighting: the change is taken to be younger."""
    sightings: tuple[Sighting, ...]
    """In order of days; the looks before `opened` were tested backwards."""
    state: DetectionState = DetectionState.CANDIDATE
    open_evidence: float = 0.0
    """Sum of the evidence of looks that could not tell."""
    closed: date | None = None
    """Day of the look that confirmed, retracted or dropped it."""
    confirmed: date | None = None
    probable: date | None = None

    @property
    def is_open(self) -> bool:
        """Whether later looks still add to it."""
        return self.closed is None

    @property
    def is_reported(self) -> bool:
        """Whether it is a detection: a candidate that was dropped is none."""
        return self.is_open or self.state is not DetectionState.CANDIDATE

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """What the looks said since it was raised, the raising one included where it shows it alone."""
        told = tuple(each.verdict for each in self.sightings if each.verdict is not None)
        return told if self.accumulated else (Verdict.SHOWN, *told)

    @property
    def looks_with(self) -> int:
        """How many looks show it since it was raised, that one included."""
        return max(self.verdicts.count(Verdict.SHOWN), 1)

    @property
    def confirmed_from(self) -> date:
        """The first day on which a look that shows it can confirm it."""
        shown = [each.day for each in self.sightings if each.verdict is Verdict.SHOWN]
        first = shown[0] if self.accumulated and shown else self.opened
        return first + timedelta(days=CONFIRMED_DAYS)

    @property
    def last_with(self) -> date:
        """The latest look that showed it."""
        shown = [each.day for each in self.sightings if each.verdict is Verdict.SHOWN]
        return shown[-1] if shown else self.opened


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why a track begins."""

    place: Place
    day: date
    ratio: float
    """Score in units of the candidate threshold."""
    excess: float
    """Score in units of what quiet looks reach."""
    contrast: tuple[float, ...]
    """By band, as measured where the score is largest."""
    accumulated: bool = False
    """Whether the sum of several looks raised it, and this look alone did not."""
    rank: int = 0
    """Its number among the tracks of this look."""

    @property
    def expected(self) -> tuple[float, ...]:
        """The contrast that other looks are tested for.

        The place was chosen because its score is the largest, so what was measured there is too large;
        it is drawn towards zero by ``sqrt(1 - 1 / excess^2)``.
        """
        kept = math.sqrt(max(1 - 1 / self.excess**2, 0.0)) if self.excess > 0 else 0.0
        return tuple(max(kept, _LEAST_KEPT) * each for each in self.contrast)


def raised(
    suspicion: Suspicion, reading: Reading, earlier: Sequence[tuple[date, Reading]], older: date
) -> Track:
    """Begin a track.

    Args:
        suspicion: What was found.
        reading: What the raising look shows there.
        earlier: What the kept clear looks before it show there, in order.
        older: The latest clear look before those.
    """
    kept = tuple(Sighting(*each) for each in earlier[-KEPT_LOOKS:])
    return Track(
        place=suspicion.place,
        opened=suspicion.day,
        rank=suspicion.rank,
        ratio=suspicion.ratio,
        accumulated=suspicion.accumulated,
        contrast=suspicion.expected,
        older=older if len(earlier) <= KEPT_LOOKS else earlier[-KEPT_LOOKS - 1][0],
        sightings=(*kept, Sighting(suspicion.day, reading)),
    )


def advanced(track: Track, day: date, reading: Reading, ratio: float, join: NDArray[np.float32]) -> Track:
    """Add what one more clear look shows in the track's place.

    Args:
        track: An open track.
        day: Of the look; after all before it, or the same day.
        reading: What it shows there.
        ratio: Its score in units of the candidate threshold.
        join: ``(band, band)``: inverse correlation of the bands.
    """
    if not reading.is_known:
        return track
    total = track.open_evidence + weigh(reading, track.contrast, join)
    said = verdict(total)
    moved = replace(
        track,
        sightings=(*track.sightings, Sighting(day, reading, said)),
        open_evidence=total if said is Verdict.CANNOT_TELL else 0.0,
    )
    if said is Verdict.SHOWN:
        moved = replace(moved, ratio=max(track.ratio, ratio), contrast=_contrast(moved, join))
    return _decided(moved, day)


def _contrast(track: Track, join: NDArray[np.float32]) -> tuple[float, ...]:
    """Return the mean contrast of the looks since the change, weighted by their precision."""
    first = dated(track, join).first_with
    gone = {each.day for each in track.sightings if each.verdict is Verdict.ABSENT}
    # The raising look was chosen for its size; later ones were not.
    told = [each for each in track.sightings if each.day > track.opened] or list(track.sightings)
    used = [
        each.reading for each in told if each.day >= first and each.day not in gone and each.reading.is_known
    ]
    return mean_contrast(used)


def mean_contrast(readings: Sequence[Reading]) -> tuple[float, ...]:
    """Return the mean contrast of readings by band, weighted by their precision."""
    weight = 1 / np.square([each.error for each in readings])
    values = np.array([each.contrast for each in readings])
    return tuple(map(float, (weight * values).sum(axis=0) / weight.sum(axis=0)))


def _decided(track: Track, day: date) -> Track:
    verdicts = track.verdicts
    decisive = [each for each in verdicts if each is not Verdict.CANNOT_TELL]
    if decisive[-GONE_LOOKS:] == [Verdict.ABSENT] * GONE_LOOKS:
        ended = DetectionState.RETRACTED if track.probable else DetectionState.CANDIDATE
        return replace(track, state=ended, closed=day)
    shows = verdicts[-1] is Verdict.SHOWN and day >= track.confirmed_from
    if shows and verdicts.count(Verdict.SHOWN) >= CONFIRMED_LOOKS:
        return replace(track, state=DetectionState.CONFIRMED, confirmed=day, closed=day)
    if track.probable is None and verdicts[-PROBABLE_OF:].count(Verdict.SHOWN) >= PROBABLE_LOOKS:
        return replace(track, state=DetectionState.PROBABLE, probable=day)
    after = sum(each.verdict is not None for each in track.sightings)
    if track.probable is None and after >= UNDECIDED_LOOKS:
        return replace(track, closed=day)
    return track


def dated(track: Track, join: NDArray[np.float32]) -> ChangeDate:
    """Return when the change happened, by what the looks up to the last that shows it say."""
    until = [each for each in track.sightings if each.day <= track.last_with]
    evidences = [weigh(each.reading, track.contrast, join) for each in until]
    # The look that raised it does show it, whatever its contrast says beside the mean.
    if not track.accumulated:
        evidences = [
            max(said, _OWN_EVIDENCE) if each.day == track.opened else said
            for each, said in zip(until, evidences, strict=True)
        ]
    return change_date(track.older, [each.day for each in until], evidences)


_OWN_EVIDENCE = math.log(1000)
