"""A quiet place watched by the judge of a run: what was raised, over which exposure. Shared by `quiet_*.py`.

Exposure is the time that was watched: of each gap between clear looks, the days count when the look that
ends it was judged. Learning looks close their gap uncounted, obscured ones leave it open.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagery.change.bounds import SITE_YEARS, rate
from imagery.change.sitejudge import SiteJudge
from imagery.change.tracks import DAYS_PER_YEAR
from imagery.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imagery.change.cases import Case
    from imagery.change.spec import WatchSpec
    from imagery.model import Chip, Detection, Look

JUDGED = (Outcome.UNCHANGED, Outcome.CHANGED)


@dataclass(frozen=True, slots=True, eq=False)
class Watched:
    """What a judge said of one site."""

    looks: tuple[Look, ...]
    cases: tuple[Case, ...]
    """Dropped ones too."""
    detections: tuple[Detection, ...]

    @property
    def site_years(self) -> float:
        """Exposure."""
        days, since = 0, None
        for look in self.looks:
            if look.outcome is Outcome.OBSCURED:
                continue
            if since is not None and look.outcome in JUDGED:
                days += (look.solar_day - since).days
            since = look.solar_day
        return days / DAYS_PER_YEAR

    @property
    def reached(self) -> tuple[int, int, int]:
        """How many cases became candidates, probable, confirmed."""
        tracks = [case.track for case in self.cases]
        return (
            len(tracks),
            sum(track.probable is not None or track.confirmed is not None for track in tracks),
            sum(track.confirmed is not None for track in tracks),
        )


def judge_of(chip: Chip, spec: WatchSpec) -> SiteJudge:
    """Return a judge of chips like this one."""
    return SiteJudge(spec, chip.grid, series=chip.series, bands=chip.bands, scale=chip.scale)


def watched(chips: Sequence[Chip], spec: WatchSpec) -> Watched:
    """Judge the chips in their order."""
    judge = judge_of(chips[0], spec)
    looks = tuple(judge.monitor(chip) for chip in chips)
    return Watched(looks, judge.cases, judge.report())


OUTCOMES_HEAD = (
    f"| sites | {' | '.join(Outcome)} |",
    "|---|" + "---|" * len(Outcome),
)

RATES_HEAD = (
    "| sites | site-years | candidates | probable | confirmed |",
    "|---|---|---|---|---|",
)


def outcomes_row(name: str, sites: Sequence[Watched]) -> str:
    """Return how the looks ended."""
    ends = Counter(look.outcome for site in sites for look in site.looks)
    return f"| {name} | " + " | ".join(str(ends[outcome]) for outcome in Outcome) + " |"


def rates_row(name: str, sites: Sequence[Watched]) -> str:
    """Return the exposure, and of each level the count, its rate per 100 site-years and the exact interval.

    The interval is Garwood's of one Poisson count: windows of one frame share their weather and their
    fields, so for them it is narrower than the truth and bounds nothing.
    """
    years = sum(site.site_years for site in sites)
    cells = []
    for level in range(3):
        found = rate(sum(site.reached[level] for site in sites), years)
        low, high = SITE_YEARS * found.low, SITE_YEARS * found.high
        cells.append(f"{found.events}: {found.per_100:.1f} [{low:.1f}, {high:.1f}]")
    return f"| {name} | {years:.1f} | {' | '.join(cells)} |"


def details(sites: Sequence[Watched]) -> list[str]:
    """Return a line on each case: when it was raised, how it ended, what it looks like."""
    return [
        f"{case.track.opened} {case.track.state} {'open' if case.track.is_open else 'closed'} "
        f"ratio {case.track.ratio:.2f}, {case.area_m2:,.0f} m2, {case.kind.text}"
        for site in sites
        for case in site.cases
    ]
