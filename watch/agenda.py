"""The plan of a run: who is due and in which order, what it costs, what is cut, what was missed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from imagery.provenance import Charge
from sites.model import USUAL_PRIORITY
from watch.plan import EARLY, due

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sites.model import Site
    from watch.budget import Allowance
    from watch.ledger import Examined

    Estimate = Callable[[Site, datetime | None], Charge]
    """What a site will cost when it was last examined up to an instant, or never."""

NOTHING = Charge()

_SLACK = 1e-9
"""Sums of floats are not exact."""


class Standing(StrEnum):
    """How a site stands in a plan."""

    DUE = "due"
    CUT = "cut"
    """Due, and beyond what may be spent."""
    NOT_DUE = "not_due"
    NOT_WATCHED = "not_watched"


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which a site should have been examined: from when it fell due until it did so again."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """What is planned for one site."""

    site_id: str
    standing: Standing
    reason: str
    """Why, in words."""
    priority: int = USUAL_PRIORITY
    """1 comes first, 9 last."""
    fell_due: datetime | None = None
    """When it falls or fell due; None for one that was never examined or is not watched."""
    cadence: timedelta | None = None
    """How often it falls due; None for one that is not watched."""
    missed: tuple[Window, ...] = ()
    """Windows since the last examination that passed without one, oldest first."""
    cost: Charge = NOTHING
    """What looking at it should cost; nothing for one that isn't due."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run at `now` is to do.

    Sites that are due stand first, in the order in which they are looked at: by priority, then by how
    long they have been waiting (those never examined longest), then by id.
    """

    now: datetime
    sites: tuple[Planned, ...]

    def standing(self, standing: Standing) -> tuple[Planned, ...]:
        """Return the sites that stand so, in order."""
        return tuple(site for site in self.sites if site.standing is standing)

    @property
    def due(self) -> tuple[Planned, ...]:
        """What is to be looked at, first things first."""
        return self.standing(Standing.DUE)

    @property
    def cut(self) -> tuple[Planned, ...]:
        """What the budget cuts, the most important first."""
        return self.standing(Standing.CUT)

    @property
    def cost(self) -> Charge:
        """What all that is to be looked at should cost."""
        return sum((site.cost for site in self.due), NOTHING)

    @property
    def missed(self) -> int:
        """How many windows passed without an examination."""
        return sum(len(site.missed) for site in self.sites)

    def next_due(self) -> datetime | None:
        """Return when the next site falls due that isn't due yet; None when there is none."""
        return min((site.fell_due for site in self.standing(Standing.NOT_DUE) if site.fell_due), default=None)

    def next_due_after(self, undone: Collection[str]) -> datetime | None:
        """Return when the next site falls due once the plan is carried out, but for the sites `undone`."""
        again = [site.site_id for site in self.cut] + [
            each.site_id for each in self.due if each.site_id in undone
        ]
        if again:
            return self.now
        moments = [self.now + site.cadence for site in self.due if site.cadence]
        waiting = self.next_due()
        return min(moments + ([waiting] if waiting else []), default=None)


def free(_site: Site, _until: datetime | None) -> Charge:
    """Return what a site costs whose images are in the archive: nothing."""
    return NOTHING


def make_plan(
    sites: Iterable[Site],
    examined: Mapping[str, Examined],
    *,
    now: datetime,
    cadence: timedelta,
    estimate: Estimate = free,
    left: Allowance | None = None,
) -> Plan:
    """Plan a run.

    Args:
        sites: What could be looked at.
        examined: How far each site has been looked at, by id.
        now: Aware instant.
        cadence: How often a site is due that does not say so itself.
        estimate: What a due site will cost; called for no other.
        left: What may still be spent; None for no limit.

    >>> make_plan([], {}, now=datetime(2026, 1, 1, tzinfo=UTC), cadence=timedelta(days=5)).due
    ()
    """
    planned = [_planned(site, examined.get(site.id), now, cadence, estimate) for site in sites]
    planned.sort(key=_rank)
    waiting = [site for site in planned if site.standing is Standing.DUE]
    rest = [site for site in planned if site.standing is not Standing.DUE]
    kept, cut = _within(waiting, left)
    return Plan(now, (*kept, *cut, *rest))


def _planned(
    site: Site, examined: Examined | None, now: datetime, cadence: timedelta, estimate: Estimate
) -> Planned:
    priority = site.watch.priority or USUAL_PRIORITY
    if not site.is_watched:
        return Planned(site.id, Standing.NOT_WATCHED, site.watch_reason, priority)
    step = site.watch.cadence or cadence
    until = examined.until if examined else None
    state = due(until, now=now, cadence=step, early=EARLY)
    fell_due = until + step if until else None
    if not state.is_due:
        return Planned(site.id, Standing.NOT_DUE, state.reason, priority, fell_due, step)
    cost, missed = estimate(site, until), missed_windows(until, now, step)
    return Planned(site.id, Standing.DUE, state.reason, priority, fell_due, step, missed, cost)


def missed_windows(until: datetime | None, now: datetime, cadence: timedelta) -> tuple[Window, ...]:
    """Return the windows after an examination at `until` that are over at `now`, oldest first.

    >>> missed_windows(None, datetime(2026, 1, 1, tzinfo=UTC), timedelta(days=5))
    ()
    """
    if until is None:
        return ()
    passed = (now - until) // cadence
    return tuple(Window(until + step * cadence, until + (step + 1) * cadence) for step in range(1, passed))


def _rank(site: Planned) -> tuple[int, int, datetime, str]:
    order = (Standing.DUE, Standing.CUT, Standing.NOT_DUE, Standing.NOT_WATCHED)
    return (
        order.index(site.standing),
        site.priority,
        site.fell_due or datetime.min.replace(tzinfo=UTC),
        site.site_id,
    )


def _within(waiting: Sequence[Planned], left: Allowance | None) -> tuple[list[Planned], list[Planned]]:
    """Cut from the end until the rest can be paid for; what costs nothing is never cut.

    A site that alone costs more than there is left is cut first, wherever it stands: it must not take the
    others with it.
    """
    kept: list[Planned] = []
    cut: list[Planned] = []
    total, is_over = NOTHING, False
    for site in waiting:
        alone = not _affords(left, site.cost)
        is_over = is_over or not (alone or _affords(left, total + site.cost))
        if site.cost != NOTHING and (alone or is_over):
            cut.append(replace(site, standing=Standing.CUT, reason=_cut_reason(site, alone=alone)))
        else:
            kept.append(site)
            total += site.cost
    return kept, cut


def _affords(left: Allowance | None, cost: Charge) -> bool:
    if left is None:
        return True
    return (left.requests is None or cost.requests <= left.requests) and (
        left.processing_units is None or cost.processing_units <= left.processing_units + _SLACK
    )


def _cut_reason(site: Planned, *, alone: bool) -> str:
    why = "alone costs more than is left of the budget" if alone else "beyond what is left of the budget"
    return f"{why} ({site.cost.requests} requests, {site.cost.processing_units:.2f} processing units)"
