"""How often the sites could be seen in a span: the denominator of "nothing changed". Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from imagery.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from datetime import date

    from watch.ledger import LookOutcome

CLEAR = (Outcome.LEARNING, Outcome.UNCHANGED, Outcome.CHANGED)
"""Looks at which the site could be seen."""

JUDGED = (Outcome.UNCHANGED, Outcome.CHANGED)
"""Looks that say whether anything changed."""


@dataclass(frozen=True, slots=True)
class BlindSpan:
    """Days on which a site could not be seen."""

    site_id: str
    since: date | None
    """The last clear look before; None where there never was one."""
    until: date
    """The first clear look after, or the end of the span that is told of."""

    @property
    def days(self) -> int | None:
        """How long it was; None where nobody ever saw the site."""
        return None if self.since is None else (self.until - self.since).days


@dataclass(frozen=True, slots=True)
class Seen:
    """What a span of days let see."""

    start: date
    end: date
    """Included."""
    watched: int
    """Sites that are watched."""
    looks: int
    clear: int
    judged: int
    obscured: int
    failed: int
    judged_sites: int
    """Watched sites with a look that could be judged."""
    unseen_sites: int
    """Watched sites without one clear look."""
    longest: BlindSpan | None
    """The longest blind span that reaches into these days; None where nothing is watched."""


def seen(
    looks: Iterable[LookOutcome],
    before: Mapping[str, date],
    watched: Collection[str],
    *,
    start: date,
    end: date,
) -> Seen:
    """Count what was seen of the watched sites from `start` to `end`, both included.

    Args:
        looks: Of these days.
        before: Last clear day of each site before `start`; left out where there is none.
        watched: Ids of the sites that count.
        start: First day.
        end: Last day.
    """
    mine = [look for look in looks if look.site_id in watched]
    counts = Counter(look.outcome for look in mine)
    clear_days: dict[str, set[date]] = {site_id: set() for site_id in watched}
    for look in mine:
        if look.outcome in CLEAR:
            clear_days[look.site_id].add(look.solar_day)
    blind = [_longest(site_id, before.get(site_id), days, end) for site_id, days in clear_days.items()]
    return Seen(
        start=start,
        end=end,
        watched=len(watched),
        looks=len(mine),
        clear=sum(counts[outcome] for outcome in CLEAR),
        judged=sum(counts[outcome] for outcome in JUDGED),
        obscured=counts[Outcome.OBSCURED],
        failed=counts[Outcome.FAILED],
        judged_sites=len({look.site_id for look in mine if look.outcome in JUDGED}),
        unseen_sites=sum(not days for days in clear_days.values()),
        longest=min(blind, key=_order, default=None),
    )


def _longest(site_id: str, last: date | None, days: Collection[date], end: date) -> BlindSpan:
    known = sorted({*([] if last is None else [last]), *days})
    if not known:
        return BlindSpan(site_id, None, end)
    since, until = max(pairwise([*known, end]), key=lambda pair: pair[1] - pair[0])
    return BlindSpan(site_id, since, until)


def _order(span: BlindSpan) -> tuple[int, int, str]:
    # Never seen is longer than anything.
    return (0, 0, span.site_id) if span.days is None else (1, -span.days, span.site_id)
