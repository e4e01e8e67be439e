"""A judged look in words and numbers: how it ended, why, and why not otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from imagery.change.card import section
from imagery.change.cases import detection_id, region_of
from imagery.change.evidence import NO_NULL, beside
from imagery.change.follow import CONFIRMED_LOOKS
from imagery.change.lookwords import look_of
from imagery.model import Outcome

if TYPE_CHECKING:
    from imagery.change.cases import Case
    from imagery.change.day import Day
    from imagery.change.follow import Track
    from imagery.change.judgement import Finding, Judged
    from imagery.change.matched import Peak
    from imagery.model import Look


def look_told(day: Day, found: Judged) -> Look:
    """Return the look of a day.

    Changed where it raises a case, shows one again, or stands out without raising one; Obscured where
    something stood out that another cause may have made, or where it hid a probable change; else Unchanged.
    """
    outcome, reason = _outcome(day, found)
    return look_of(
        day.chip,
        day.material.spec,
        outcome,
        reason,
        history=day.learned.model.looks,
        score=None if found.alone is None else found.alone.score,
        threshold=day.threshold.alone,
        regions=tuple(region_of(case, day.frame) for case in found.shown),
        sections=_sections(day, found),
        why_not=tuple(each.reason for each in found.held) if outcome is Outcome.CHANGED else (),
    )


def _outcome(day: Day, found: Judged) -> tuple[Outcome, str]:
    if found.shown:
        return Outcome.CHANGED, "; ".join(_shown_words(day, case, found) for case in found.shown)
    causes = [each.reason for each in found.held if each.by_cause]
    if causes:
        return Outcome.OBSCURED, "; ".join(causes)
    if found.unseen:
        names = ", ".join(detection_id(day.frame, day.chip.series, case.track) for case in found.unseen)
        return Outcome.OBSCURED, f"nothing else changed, but the probable change {names} was not seen"
    doubts = [each.reason for each in found.held if each.is_doubt]
    if doubts:
        return Outcome.CHANGED, "; ".join(doubts)
    if found.alone is not None and found.alone.score >= day.threshold.alone and not found.held:
        return Outcome.CHANGED, (
            f"something at {day.where(found.alone.place)} stands out (score {found.alone.score:.1f}, "
            f"threshold {day.threshold.alone:.1f}), and no look before it agrees: it takes a second one to "
            "make it a candidate"
        )
    told = [_quiet_words(day, found), *(each.reason for each in found.held)]
    return Outcome.UNCHANGED, "; ".join(told)


def _quiet_words(day: Day, found: Judged) -> str:
    if found.alone is None:
        return "nothing beside the suspected change could be searched, and this look does not show that"
    if found.held:
        return "nothing stands out from what the day did to the surroundings"
    return (
        f"nothing stands out: the largest score is {found.alone.score:.1f}, the threshold "
        f"{day.threshold.alone:.1f} set by {day.learned.model.looks} earlier clear looks"
    )


def _shown_words(day: Day, case: Case, found: Judged) -> str:
    track = case.track
    where = day.where(track.place)
    low, high = case.area_interval_m2
    size = f"{case.area_m2:,.0f} m2 ({low:,.0f} to {high:,.0f})"
    looks_like = f"it looks like: {case.kind.text}"
    if track.opened != day.chip.solar_day:
        times = f"{track.state}, shown {track.looks_with} times since it was raised{_waiting(track)}"
        return f"the change of {size} at {where} shows again ({times}); {looks_like}"
    finding = found.summed if track.accumulated else _clearest(found)
    numbers = "" if finding is None else f" (score {finding.score:.1f}, threshold {finding.threshold:.1f})"
    if track.accumulated:
        return f"a change of {size} at {where} has built up over several looks{numbers}; {looks_like}"
    times = "three" if finding is found.thrice else "two"
    return f"a change of {size} at {where} stands out in {times} looks that agree{numbers}; {looks_like}"


def _waiting(track: Track) -> str:
    """Say from when on a look can confirm what enough looks show."""
    if track.confirmed or track.looks_with < CONFIRMED_LOOKS:
        return ""
    return f"; a look from {track.confirmed_from} on can confirm it"


def _clearest(found: Judged) -> Finding | None:
    """Return what two looks agree on or what three do, whichever is more of its threshold."""
    known = [each for each in (found.agreed, found.thrice) if each is not None]
    return max(known, key=lambda each: each.ratio, default=None)


def _sections(day: Day, found: Judged) -> dict[str, dict[str, Any]]:
    result, learned = day.result, day.learned
    leverage = result.leverage[day.frame.window]
    template = (
        "the drawn footprint" if day.frame.shapes.listed is not None else "squares of 1, 2, 4, 8 pixels"
    )
    ratios = [each.ratio for each in (found.agreed, found.thrice, found.summed) if each is not None]
    return {
        "model": section(
            looks=learned.model.looks,
            harmonics=learned.model.order,
            first=learned.days[0],
            last=learned.days[-1],
            leverage=float(np.nanmedian(leverage)),
            orbits=[orbit for orbit in learned.model.orbits if orbit] or None,
        ),
        "alignment": section(shift=result.alignment),
        "normalisation": section(
            text=result.normalised.text,
            gain=_bands(day, result.normalised.gain),
            level=_bands(day, result.normalised.level),
            noise=_bands(day, result.noise),
        ),
        "alone": section(
            template=template, quiet=day.quiet.alone, threshold=day.threshold.alone, **_peak(day, found.alone)
        ),
        "agreed": _finding(day, found.agreed),
        "thrice": _finding(day, found.thrice),
        "summed": _finding(day, found.summed),
        "decision": section(ratio=max(ratios, default=None)),
        "cases": {
            detection_id(day.frame, day.chip.series, case.track): _case(day, case)
            for case in found.cases
            if case.track.is_open or case in found.shown
        },
    }


def _finding(day: Day, finding: Finding | None) -> dict[str, Any]:
    if finding is None:
        return {}
    return section(
        looks=[look.day for look in finding.looks],
        score=finding.score,
        quiet=finding.quiet,
        threshold=finding.threshold,
        where=day.where(finding.place),
        side_m=finding.place.side_px * day.frame.grid.resolution_m or None,
    )


def _bands(day: Day, values: Any) -> dict[str, float]:  # noqa: ANN401 - an array of numbers by band
    return {band: float(value) for band, value in zip(day.frame.bands, values, strict=True)}


def _peak(day: Day, peak: Peak | None) -> dict[str, Any]:
    if peak is None:
        return {}
    return {
        "score": peak.score,
        "where": day.where(peak.place),
        "side_m": peak.place.side_px * day.frame.grid.resolution_m or None,
        "contrast": _bands(day, peak.reading.contrast),
        "error": _bands(day, peak.reading.error),
    }


def _case(day: Day, case: Case) -> dict[str, Any]:
    track, when = case.track, case.when
    found = beside(case.evidence, day.material.null)
    seen = next((each for each in reversed(track.sightings) if each.day == day.chip.solar_day), None)
    return section(
        state=track.state.value,
        opened=track.opened,
        where=day.where(track.place),
        this_look=None if seen is None else str(seen.verdict or "raised it"),
        verdicts=[str(each) for each in track.verdicts],
        evidence_open=track.open_evidence,
        bracket=f"{when.last_without}/{when.first_with}",
        date_interval_90="/".join(str(each) for each in when.interval_90),
        area_m2=case.area_m2,
        area_interval_m2=case.area_interval_m2,
        contrast_and_area_ambiguous=case.is_ambiguous,
        kind=case.kind.text,
        p_value=None if found is None else found.p,
        sure=NO_NULL if found is None else found.words,
        notes=case.notes or None,
    )
