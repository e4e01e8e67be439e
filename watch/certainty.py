"""How sure the detections of a whole catalogue are: each weighed, all of them tested in one order.

What comes out is a function of the detections and of the quiet scores they are set beside, not of when
either arrived: every run weighs and tests all of them anew.

The e-value of a detection is the product of three things, and its mean is at most 1 where nothing changed:

- the share of quiet candidates that are ever reported, since only those are tested;
- that of the look which raised it, whose p counts from the candidate threshold on;
- that of each look since, in its place alone.

At a quiet place later looks may repeat what misled the first (a wet spring, a shifted look). By how much is
measured on the quiet candidates of the evaluation, and divided out (`Shipped.mean_evidence`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagery.change.evidence import NO_NULL, beside
from imagery.change.surety import Surety
from watch.false_alarms import (
    ALPHA,
    Account,
    Place,
    discoveries,
    e_value,
    expected_false_alarms,
    joint_e_value,
    selected,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from imagery.change.bounds import Rate
    from imagery.change.evidence import Beside
    from imagery.change.shipped import Shipped
    from imagery.model import Detection
    from watch.false_alarms import ExpectedFalseAlarms, Tested

NO_EVIDENCE = "not tested: the scores behind it were not kept; they are once its looks are judged anew"


def speaking_for(detection: Detection, nulls: Sequence[Shipped]) -> Shipped | None:
    """Return the quiet scores that a detection may be set beside."""
    found = detection.evidence
    if found is None:
        return None
    of = (detection.series, found.resolution_m)
    return next((each for each in nulls if each.speaks_for(*of, is_reflectance=found.is_reflectance)), None)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A detection's evidence beside quiet scores, and its e-value."""

    beside: Beside
    e: float


def weighed(detection: Detection, nulls: Sequence[Shipped]) -> Weighed | None:
    """Weigh a detection; None where no quiet scores speak for it."""
    known = speaking_for(detection, nulls)
    if known is None or detection.evidence is None:
        return None
    found = beside(detection.evidence, known.null)
    if found is None:
        return None
    return Weighed(found, weight(found, known) / max(known.mean_evidence, 1.0))


def weight(found: Beside, known: Shipped) -> float:
    """Return the e-value of evidence if later looks at a quiet place did not repeat what misled the first."""
    first = e_value(selected(found.p, found.p_threshold))
    return known.kept_share * first * joint_e_value(found.later or ())


def sureties(
    detections: Iterable[Detection], nulls: Sequence[Shipped], *, alpha: float = ALPHA
) -> dict[str, tuple[float | None, Surety]]:
    """Return the p-value and the surety of each detection by its id.

    Args:
        detections: All of a ledger; their order is of no matter.
        nulls: Quiet scores by sensor.
        alpha: Expected share of false ones among the discoveries, at most.
    """
    ordered = sorted(detections, key=lambda each: each.id)
    found = {each.id: weighed(each, nulls) for each in ordered}
    places = [
        (Place(each.evidence.settled, each.site_id, each.id), weight.e)
        for each in ordered
        if (weight := found[each.id]) is not None and each.evidence is not None
    ]
    tested = {each.place.detection_id: each for each in _tested(places, alpha)}
    return {each.id: _surety(each, found[each.id], tested.get(each.id), alpha) for each in ordered}


def _tested(places: list[tuple[Place, float]], alpha: float) -> tuple[Tested, ...]:
    return discoveries(places, account=Account(alpha=alpha))[1]


def _surety(
    detection: Detection, weight: Weighed | None, test: Tested | None, alpha: float
) -> tuple[float | None, Surety]:
    if weight is None or test is None:
        return None, Surety(None, NO_EVIDENCE if detection.evidence is None else f"not tested: {NO_NULL}")
    found = weight.beside
    return found.p, Surety(
        discovery=test.is_discovery,
        words=_words(test, alpha),
        stratum=found.stratum,
        count=found.count,
        source=found.source,
        p_later=found.later or (),
        e=weight.e,
        level=test.level,
        settled=test.place.acquired,
    )


def sure_words(detection: Detection) -> str:
    """Return the p-value of a detection with its stratum and source, and what came of its test."""
    surety = detection.surety
    if surety is None:
        return "not weighed yet: the next run does"
    if detection.p_value is None:
        return surety.words
    among = f"among {surety.count:,} quiet looks ({surety.stratum}; {surety.source})"
    return f"p = {detection.p_value:.2g} {among}; {surety.words}"


def _words(test: Tested, alpha: float) -> str:
    numbers = f"its evidence is {test.e:.3g}, {1 / test.level:,.0f} are needed"
    if test.is_discovery:
        return f"a discovery: {numbers}; at most {alpha:.0%} of all discoveries are expected to be false"
    return f"not sure enough to be a discovery among all detections: {numbers}"


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What is to be expected of all that was watched by the measured rate of false alarms."""

    site_years: float
    """Watched time that the rate speaks for."""
    other_site_years: float
    """Watched time of sensors whose rate nobody measured."""
    rate: Rate | None
    """Of candidates that are false, as measured; None where it speaks for nothing here."""
    expected: ExpectedFalseAlarms | None
    tested: int
    discoveries: int
    untested: int
    dismissed: int
    """Dismissed detections whose scores are among the quiet ones."""
    sources: tuple[str, ...]
    """Where the quiet scores come from."""
    notes: tuple[str, ...] = ()

    @property
    def words(self) -> tuple[str, ...]:
        """All of it in sentences."""
        return (*self._expected(), *self._tests(), *self._dismissals(), *self.notes)

    def _expected(self) -> tuple[str, ...]:
        if self.rate is None or self.expected is None:
            return ()
        said = self.expected
        return (
            (
                f"About {said.mean:.1f} false candidates are to be expected in these {self.site_years:.1f} "
                f"site-years ({said.low} to {said.high} in 19 of 20 cases), at {self.rate.per_100:.0f} per "
                f"100 site-years as measured on {self.rate.site_years:.0f} simulated ones "
                f"({100 * self.rate.low:.0f} to {100 * self.rate.high:.0f})."
            ),
        )

    def _tests(self) -> tuple[str, ...]:
        lines = []
        if self.tested:
            lines.append(
                f"{self.discoveries} of {self.tested} tested detections are discoveries: of these at most "
                f"{ALPHA:.0%} are expected to be false."
            )
        if self.untested:
            lines.append(f"{self.untested} could not be tested: {NO_NULL}, or their scores were not kept.")
        return tuple(lines)

    def _dismissals(self) -> tuple[str, ...]:
        if not self.dismissed:
            return ()
        return (f"The scores of {self.dismissed} dismissed detections are counted among the quiet ones.",)

    def to_json(self) -> dict[str, object]:
        """Return it as JSON values."""
        measured, said = self.rate, self.expected
        return {
            "words": list(self.words),
            "tested": self.tested,
            "discoveries": self.discoveries,
            "untested": self.untested,
            "alpha": ALPHA,
            "site_years": round(self.site_years, 3),
            "other_site_years": round(self.other_site_years, 3),
            "expected_false_candidates": None if said is None else round(said.mean, 3),
            "expected_interval_95": None if said is None else [said.low, said.high],
            "false_candidates_per_site_year": None if measured is None else round(measured.estimate, 5),
            "rate_interval_95": None
            if measured is None
            else [round(measured.low, 5), round(measured.high, 5)],
            "rate_from_site_years": None if measured is None else round(measured.site_years, 1),
            "dismissed": self.dismissed,
            "null": list(self.sources),
        }


def reckoning(
    found: Mapping[str, tuple[float | None, Surety]],
    nulls: Sequence[Shipped],
    site_years: Mapping[str, float],
    *,
    dismissed: int = 0,
    notes: tuple[str, ...] = (),
) -> Reckoning:
    """Say what is to be expected.

    Args:
        found: Of `sureties`.
        nulls: Those that they were weighed by.
        site_years: Watched time by series.
        dismissed: How many dismissed detections are among the quiet scores.
        notes: Why quiet scores are not used.
    """
    by_series = {each.series: each for each in nulls if not each.stale}
    covered = sum(years for series, years in site_years.items() if series in by_series)
    rates = [by_series[series].false_alarms["candidate"] for series in site_years if series in by_series]
    measured = rates[0] if rates and covered else None
    said = [each.discovery for _, each in found.values()]
    return Reckoning(
        site_years=covered,
        other_site_years=sum(site_years.values()) - covered,
        rate=measured,
        expected=None if measured is None else expected_false_alarms(covered, measured.estimate),
        tested=sum(each is not None for each in said),
        discoveries=sum(each is True for each in said),
        untested=sum(each is None for each in said),
        dismissed=dismissed,
        sources=tuple(sorted({each.null.source for each in nulls if not each.stale})),
        notes=notes,
    )
