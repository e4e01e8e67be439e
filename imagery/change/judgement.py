"""One prepared look against what is known: what it says of open cases, and whether it raises new ones."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.alternatives import by_band, flags_at, noted, told
from imagery.change.cases import Case, mean_over, resized
from imagery.change.causes import Flag, holds, waits
from imagery.change.controls import controls
from imagery.change.day import AGREEING_LOOKS, THRICE_LOOKS
from imagery.change.evidence import Evidence, Scored
from imagery.change.follow import Suspicion, advanced, mean_contrast, raised
from imagery.change.learned import SUM_LOOKS
from imagery.change.matched import Peak, Place, joined_score
from imagery.change.search import alone, read, summed, thrice, together, top
from imagery.change.weigh import Verdict, verdict, weigh

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from imagery.change.day import Day, KeptLook
    from imagery.change.matched import Residuals

LEAST_CONTRAST = 0.03
"""Reflectance: what changes less than this in every band is moisture or light, and nothing that was built."""

MAX_NEW = 3
"""Candidates that one look may raise."""

LASTING_DAYS = 30
"""Between the first and the last of three looks that show what stands out beside other places: one fall of
snow is seen by many looks of a fortnight."""

APART_PX = 4
"""A new candidate lies at least so far beyond the edge of one that is open."""


@dataclass(frozen=True, slots=True)
class Held:
    """Something stood out, and was not taken for a change."""

    reason: str
    by_cause: bool
    """Whether a cause held it; else it did not stand out from its surroundings, or is too small."""
    is_doubt: bool = False
    """Whether only a third look is missing, or the end of a season."""


@dataclass(frozen=True, slots=True, eq=False)
class Finding:
    """A place where several looks together stand out."""

    score: float
    threshold: float
    quiet: float
    place: Place
    looks: tuple[KeptLook, ...]

    @property
    def ratio(self) -> float:
        """The score in units of its threshold."""
        return self.score / self.threshold


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What came of a look."""

    cases: tuple[Case, ...]
    """The earlier ones in their order, then those that it raised."""
    shown: tuple[Case, ...]
    """Those that it raised or shows once more."""
    confirmed: tuple[Case, ...]
    """Those that it confirmed."""
    unseen: tuple[Case, ...]
    """Probable ones whose place it hid."""
    held: tuple[Held, ...]
    alone: Peak | None
    """What stands out most by itself outside the open cases; None where nothing was searched."""
    agreed: Finding | None
    """What it agrees on most with one of the looks before it."""
    thrice: Finding | None
    """What it agrees on most with two of them."""
    summed: Finding | None
    """What the latest looks add up to most."""


def judged(day: Day, cases: Sequence[Case]) -> Judged:
    """Judge a look.

    Args:
        day: The look, and all it is judged by.
        cases: What is known so far.
    """
    followed, held = _follow(day, cases)
    # What a look closes is still its own there: nothing else is raised in its place.
    found = _search(day, [b for a, b in zip(cases, followed, strict=True) if a.track.is_open])
    pairs = list(zip(cases, followed, strict=True))
    again = [after for before, after in pairs if _shows(before, after)]
    return Judged(
        cases=(*followed, *found.new),
        shown=(*again, *found.new),
        confirmed=tuple(b for a, b in pairs if b.track.confirmed and not a.track.confirmed),
        unseen=tuple(b for a, b in pairs if b.track.is_open and b.track.probable and a.track == b.track),
        held=(*held, *found.held),
        alone=found.alone,
        agreed=found.agreed,
        thrice=found.thrice,
        summed=found.summed,
    )


def _shows(before: Case, after: Case) -> bool:
    news = after.track.sightings[len(before.track.sightings) :]
    return any(each.verdict is Verdict.SHOWN for each in news)


def _follow(day: Day, cases: Sequence[Case]) -> tuple[list[Case], list[Held]]:
    """Test the open cases in this look."""
    followed, held = [], []
    for case in cases:
        moved, why = _tested(day, case) if case.track.is_open else (case, None)
        followed.append(moved)
        held += [why] if why else []
    return followed, held


def _tested(day: Day, case: Case) -> tuple[Case, Held | None]:
    reading = read(day.this.now, case.track.place, day.frame.shapes, day.learned.yard)
    join = case.joined
    ratio = joined_score(reading, join) / day.threshold.alone
    track = advanced(case.track, day.chip.solar_day, reading, ratio, join)
    if track is case.track:
        return case, None
    said = case.evidence.with_look(day.chip.solar_day, day.learned.model.looks, ratio)
    if track.sightings[-1].verdict is not Verdict.SHOWN:
        return replace(case, track=track, evidence=said), None
    found = flags_at(day, case.track.place)
    if holds(found):
        return case, Held(
            f"what was suspected at {day.where(case.track.place)} shows, but {told(found)}", by_cause=True
        )
    if waits(found):
        return case, Held(
            f"what was suspected at {day.where(case.track.place)} shows, but {told(found)}", by_cause=False
        )
    shown = replace(case, track=track, evidence=said, notes=noted(case.notes, found))
    return resized(shown, _dated(day), day.frame), None


@dataclass(slots=True, eq=False)
class _Search:
    """What the rest of the site shows."""

    alone: Peak | None = None
    agreed: Finding | None = None
    thrice: Finding | None = None
    summed: Finding | None = None
    new: list[Case] = field(default_factory=list)
    held: list[Held] = field(default_factory=list)


def _search(day: Day, cases: Sequence[Case]) -> _Search:
    """Search what none of these cases has taken."""
    found, taken = _Search(), _taken(day, cases)
    if taken is None:
        return found
    scores = alone(day.this.maps, day.learned.yard)
    first = top(scores, day.frame.shapes, taken)
    if first is not None:
        found.alone = Peak(*first, read(day.this.now, first[1], day.frame.shapes, day.learned.yard))
    pairs, triples, sums = _agreements(day), _triples(day), _sums(day)
    found.agreed, found.thrice, found.summed = (_best(day, each, taken) for each in (pairs, triples, sums))
    findings = _standing_out(day, [*pairs, *triples, *sums], taken)
    for finding in findings:
        _decide(day, finding, found, doubtful=len(findings) > 1)
    if not (found.new or found.held) and found.alone is not None and found.alone.score >= day.threshold.alone:
        _doubt(day, found.alone, found)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class _Joint:
    """Scores of several looks together, by template."""

    scores: Sequence[NDArray[np.float32]]
    threshold: float
    quiet: float
    looks: tuple[KeptLook, ...]


def _agreements(day: Day) -> list[_Joint]:
    """Return what the look agrees on with each of the two before it."""
    return [
        _Joint(
            together(day.this.maps, other.maps, day.learned.yard),
            day.threshold.agreed,
            day.quiet.agreed,
            (other, day.this),
        )
        for other in day.kept[-AGREEING_LOOKS:]
    ]


def _triples(day: Day) -> list[_Joint]:
    """Return what the look agrees on with each two of the three before it."""
    return [
        _Joint(
            thrice([one.maps, two.maps, day.this.maps], day.learned.yard),
            day.threshold.thrice,
            day.quiet.thrice,
            (one, two, day.this),
        )
        for one, two in combinations(day.kept[-THRICE_LOOKS:], 2)
    ]


def _sums(day: Day) -> list[_Joint]:
    """Return what the latest looks add up to, once there are enough."""
    looks = day.looks[-SUM_LOOKS:]
    if len(looks) < SUM_LOOKS:
        return []
    scores = summed([each.maps for each in looks], day.learned.yard)
    return [_Joint(scores, day.threshold.summed, day.quiet.summed, looks)]


def _best(day: Day, joints: Sequence[_Joint], taken: NDArray[np.bool_]) -> Finding | None:
    """Return the place that stands out most in units of its threshold."""
    best: Finding | None = None
    for joint in joints:
        found = top(joint.scores, day.frame.shapes, taken)
        if found is None:
            continue
        finding = Finding(found[0], joint.threshold, joint.quiet, found[1], joint.looks)
        if best is None or finding.ratio > best.ratio:
            best = finding
    return best


def _standing_out(day: Day, joints: Sequence[_Joint], taken: NDArray[np.bool_]) -> list[Finding]:
    """Return the places over their threshold, apart from each other, the strongest first."""
    found: list[Finding] = []
    for _ in range(MAX_NEW):
        finding = _best(day, joints, taken)
        if finding is None or finding.ratio < 1:
            break
        found.append(finding)
        if finding.place.is_listed:
            break
        taken |= _around(finding.place, taken.shape)
    return found


def _decide(day: Day, finding: Finding, found: _Search, *, doubtful: bool) -> None:
    """Take a finding for a candidate, or say why not.

    Several places that stand out on the same days are more often two days of bad weather than several
    buildings: then three looks must show each of them, a month from the first to the last.
    """
    causes = flags_at(day, finding.place)
    held = _held(day, finding.place, finding.score, causes, finding.looks)
    if held is None and waits(causes):
        reason = f"{day.where(finding.place)} stands out, but {told(causes)}"
        held = Held(reason, by_cause=False, is_doubt=True)
    if held is None and doubtful and not _lasts(day, finding):
        where = day.where(finding.place)
        reason = (
            f"{where} stands out beside other places on the same days, and no third look shows it yet, "
            "a month from the first"
        )
        held = Held(reason, by_cause=False, is_doubt=True)
    if held is not None:
        found.held.append(held)
        return
    case = _begun(day, finding, len(found.new), causes)
    slight = _slight(day, case)
    if slight:
        found.held.append(Held(f"what stands out at {day.where(finding.place)} {slight}", by_cause=False))
        return
    found.new.append(case)


def _slight(day: Day, case: Case) -> str:
    """Return why a case is too little to be raised, or nothing."""
    most, least = case.area_interval_m2[1], day.material.spec.min_area_m2
    if most < least:
        return f"is at most {most:,.0f} m2, below the {least:,.0f} m2 asked for"
    largest = max(map(abs, case.track.contrast))
    if day.frame.scale is not None and largest < LEAST_CONTRAST:
        return f"changed by {largest:.3f} in reflectance at most, and what is built by {LEAST_CONTRAST:g}"
    return ""


def _lasts(day: Day, finding: Finding) -> bool:
    """Whether three of the kept looks show a finding, a month from the first to this one."""
    if len(finding.looks) >= SUM_LOOKS:
        return True
    shapes, yard = day.frame.shapes, day.learned.yard
    shown = [read(look.now, finding.place, shapes, yard) for look in finding.looks]
    expected = mean_contrast([each for each in shown if each.is_known])
    others = [look for look in day.kept if look not in finding.looks]
    told_ = [weigh(read(look.now, finding.place, shapes, yard), expected, yard.join) for look in others]
    also = [look for look, said in zip(others, told_, strict=True) if verdict(said) is Verdict.SHOWN]
    days = [look.day for look in (*also, *finding.looks)]
    return len(days) > AGREEING_LOOKS and (day.chip.solar_day - min(days)).days >= LASTING_DAYS


def _doubt(day: Day, peak: Peak, found: _Search) -> None:
    """Say what else a look that stands out alone may show."""
    held = _held(day, peak.place, peak.score, flags_at(day, peak.place), (day.this,))
    if held is not None:
        found.held.append(held)


def _held(
    day: Day, place: Place, score: float, causes: Sequence[Flag], looks: Sequence[KeptLook]
) -> Held | None:
    """Return why a place is not taken for a change: another cause, or surroundings that moved as much."""
    where = day.where(place)
    if holds(tuple(causes)):
        return Held(f"something at {where} stands out, but {told(causes)}", by_cause=True)
    shapes, yard, context = day.frame.shapes, day.learned.yard, day.material.context
    seen = controls([each.residuals for each in looks], place, score, shapes, yard, context)
    if seen.is_passed:
        return None
    return Held(
        f"what stands out at {where} (score {score:.1f}) does not stand out from the surroundings: "
        f"{seen.share_above:.0%} of {seen.blocks} places as large show as much that day",
        by_cause=False,
    )


def _begun(day: Day, finding: Finding, rank: int, causes: Sequence[Flag]) -> Case:
    shapes, yard, place = day.frame.shapes, day.learned.yard, finding.place
    shown = [read(look.now, place, shapes, yard) for look in finding.looks]
    suspicion = Suspicion(
        place=place,
        day=day.chip.solar_day,
        ratio=finding.ratio,
        excess=finding.score / finding.quiet,
        contrast=mean_contrast([each for each in shown if each.is_known]),
        accumulated=len(finding.looks) >= SUM_LOOKS,
        rank=rank,
    )
    earlier = [(look.day, read(look.now, place, shapes, yard)) for look in day.kept]
    track = raised(suspicion, read(day.this.now, place, shapes, yard), earlier, _older(day))
    predicted = mean_over(day.result.predicted[(slice(None), *day.frame.window)], place, shapes)
    case = Case(
        track=track,
        join=tuple(tuple(map(float, row)) for row in yard.join),
        inflation=tuple(map(float, yard.at(shapes, place))),
        evidence=_evidence(day, finding.ratio),
        before=by_band(day.frame.bands, predicted),
        notes=noted((), causes),
    )
    return resized(case, _dated(day), day.frame)


def _dated(day: Day) -> list[tuple[date, Residuals]]:
    return [(look.day, look.now) for look in day.looks]


def _older(day: Day) -> date:
    """Return the latest clear look of the history before those whose residuals are kept."""
    first = day.kept[0].day if day.kept else day.chip.solar_day
    return max((each for each in day.learned.days if each < first), default=first)


def _evidence(day: Day, ratio: float) -> Evidence:
    frame = day.frame
    return Evidence(
        mode="listed" if frame.shapes.listed is not None else "search",
        resolution_m=frame.grid.resolution_m,
        is_reflectance=frame.scale is not None,
        raised=Scored(day.chip.solar_day, day.learned.model.looks, ratio),
    )


def _taken(day: Day, cases: Sequence[Case]) -> NDArray[np.bool_] | None:
    """Return the centres that belong to cases, ``(y, x)``; None where nothing is left to search."""
    taken = np.zeros(day.this.now.values.shape[1:], dtype=np.bool_)
    for case in cases:
        if case.track.place.is_listed:
            return None
        taken |= _around(case.track.place, taken.shape)
        top, left = day.frame.corner
        for row, column in case.pixels:
            taken[row - top, column - left] = True
    return taken


def _around(place: Place, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    reach = place.side_px / 2 + APART_PX
    near = (np.abs(rows - place.row) <= reach) & (np.abs(columns - place.column) <= reach)
    return np.asarray(near, dtype=np.bool_)
