"""What a due run pulls before it looks: the latest passes over the sites of its plan, within the budget."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from geo.dates import Span
from geo.errors import SitewatchError
from geo.grid import DEFAULT_CONTEXT_M, site_grid, utm_crs
from imagery.errors import BudgetError, ImageError
from imagery.provenance import Charge
from imagery.sentinelhub.cost import CATALOG_UNITS, processing_units
from imagery.sentinelhub.fetch_frame import fetch_frame
from watch.agenda import NOTHING, Standing, make_plan
from watch.budget import Allowance
from watch.cause import short_cause
from watch.conduct import Patience
from watch.errors import WorkspaceBusyError
from watch.pull import PullOptions, pull
from watch.run import choose
from watch.run_report import RunReport, SiteReport

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from imagery.sentinelhub.provider import SentinelHub
    from sites.model import Site
    from watch.agenda import Estimate, Plan, Planned
    from watch.budget import SpendJournal
    from watch.conduct import Conduct, Log
    from watch.connection import Connection
    from watch.pull import PullReport
    from watch.workspace import Workspace

OVERLAP = timedelta(days=30)
"""So long before the last examination is searched again: passes come into a catalogue days or weeks late."""
FIRST = timedelta(days=60)
"""What is pulled of a site that was never examined; its history is for `pull --span`."""
PASS_EVERY = timedelta(days=2.5)
"""Passes of Sentinel-2 over a site in middle latitudes follow each other about so closely."""


@dataclass(frozen=True, slots=True)
class Fresh:
    """What was pulled for a plan, and what could not be."""

    plan: Plan
    """The plan; sites for which the budget did not last are cut."""
    unpulled: dict[str, str]
    """Why sites have not got all their passes, by id; they are not to be looked at yet."""
    spent: Charge


def fresh_span(until: datetime | None, now: datetime) -> Span:
    """Return the days that are searched for a site that was last examined up to `until`."""
    start = now - FIRST if until is None else min(until, now) - OVERLAP
    return Span(start.date(), now.date())


def pull_estimate(hub: SentinelHub, now: datetime) -> Estimate:
    """Return what tells the cost of pulling a site's passes since it was last examined.

    The price of a pass is exact, the number of passes a guess; what was spent is in the journal.
    """

    def estimate(site: Site, until: datetime | None) -> Charge:
        per_pass = _pass_units(hub, site)
        since = now - FIRST if until is None else min(until, now)
        passes = max(1, math.ceil((now - since) / PASS_EVERY))
        return Charge(passes + 1, passes * per_pass + CATALOG_UNITS)

    return estimate


def _pass_units(hub: SentinelHub, site: Site) -> float:
    area, point = site.area, site.point
    if area is None or point is None:
        return 0.0
    product = hub.product
    context_m = site.watch.context_m or DEFAULT_CONTEXT_M
    grid = site_grid(
        site.id, area, crs=utm_crs(point), resolution_m=product.resolution_m, context_m=context_m
    )
    try:
        shape = fetch_frame(grid, product, hub.bands).shape
    except ImageError:
        return 0.0  # too large to be asked for: the pull says so, and costs nothing
    return processing_units(
        shape, len(hub.bands) + (product.mask_band is not None), factor=product.cost_factor
    )


def plan_pull(workspace: Workspace, sites: Sequence[Site], connection: Connection, now: datetime) -> Plan:
    """Return the plan of a run that pulls first, cut to what may still be spent this month."""
    with workspace.ledger() as ledger:
        examined = ledger.examined()
    return make_plan(
        sites,
        examined,
        now=now,
        cadence=timedelta(days=workspace.settings.run.cadence_days),
        estimate=pull_estimate(connection.hub, now),
        left=_left(connection.journal),
    )


def _left(journal: SpendJournal) -> Allowance:
    limit, spent = journal.allowance, journal.spent()
    requests, units = limit.requests, limit.processing_units
    return Allowance(
        None if requests is None else max(0, requests - spent.requests),
        None if units is None else max(0.0, units - spent.processing_units),
    )


def pull_due(
    workspace: Workspace, plan: Plan, connection: Connection, log: Log, halt: Callable[[], str]
) -> Fresh:
    """Pull the latest passes over the due sites of a plan, first things first.

    Whatever ends a pull early (the budget, a service that is down) is said of the sites that it leaves
    without their passes; a pass that fails alone is searched for again at the next run.

    Raises:
        WorkspaceBusyError: Another process is writing.
    """
    before = connection.journal.spent_here()
    unpulled: dict[str, str] = {}
    stopped: SitewatchError | None = None
    for span, ids in _by_span(workspace, plan).items():
        reason = halt() or (short_cause(stopped) if stopped is not None else "")
        if reason:
            unpulled |= dict.fromkeys(ids, f"not pulled: {reason}")
            continue
        options = PullOptions(span, workers=workspace.settings.pull.workers)
        try:
            report = pull(workspace, connection.hub, ids, options)
        except WorkspaceBusyError:
            raise
        except SitewatchError as error:
            stopped = error
            unpulled |= dict.fromkeys(ids, f"not pulled: {short_cause(error)}")
        else:
            stopped = report.stopped
            unpulled |= _without_all(report)
            log.note("pulled", passes=len(report.pulled), failed=report.failed, sites=len(ids))
    spent = connection.journal.spent_here()
    cost = Charge(spent.requests - before.requests, spent.processing_units - before.processing_units)
    return Fresh(_cut(plan, unpulled) if isinstance(stopped, BudgetError) else plan, unpulled, cost)


def _by_span(workspace: Workspace, plan: Plan) -> dict[Span, list[str]]:
    """Return the due sites by the days that are searched for them, in the plan's order."""
    with workspace.ledger() as ledger:
        examined = ledger.examined()
    groups: dict[Span, list[str]] = {}
    for site in plan.due:
        known = examined.get(site.site_id)
        groups.setdefault(fresh_span(known.until if known else None, plan.now), []).append(site.site_id)
    return groups


def _without_all(report: PullReport) -> dict[str, str]:
    if report.stopped is None:
        return {}
    came = report.pulled | report.failed.keys()
    why = f"not pulled: {short_cause(report.stopped)}"
    return {site.site_id: why for site in report.sites if any(scene.id not in came for scene in site.missing)}


def _cut(plan: Plan, unpulled: dict[str, str]) -> Plan:
    def standing(site: Planned) -> Planned:
        if site.site_id not in unpulled:
            return site
        return replace(site, standing=Standing.CUT, reason=unpulled[site.site_id])

    sites = [standing(site) for site in plan.sites]
    order = list(Standing)
    return replace(plan, sites=tuple(sorted(sites, key=lambda site: order.index(site.standing))))


def with_pull(report: RunReport, fresh: Fresh) -> RunReport:
    """Return a run's report with what was pulled for it, and what was left because it could not be."""
    cut = {site.site_id: site.reason for site in fresh.plan.cut}
    left = [
        SiteReport(site_id, skipped=cut[site_id]) if site_id in cut else SiteReport(site_id, left=why)
        for site_id, why in (fresh.unpulled | cut).items()
    ]
    return replace(report, plan=fresh.plan, sites=(*report.sites, *left), spent=report.spent + fresh.spent)


def run_fresh(
    workspace: Workspace,
    sites: Sequence[str],
    connection: Connection,
    *,
    now: datetime,
    conduct: Conduct,
    look: Callable[[Sequence[str], Conduct], RunReport],
    dry_run: bool = False,
) -> RunReport:
    """Pull what is due, then look at it; what could not be pulled is left for the next run.

    Args:
        workspace: Where catalogue, archive and ledger are.
        sites: Ids or aliases; none means every site that can be watched.
        connection: The service that is asked, and its account.
        now: Aware instant.
        conduct: On what terms; its deadline covers the pull too.
        look: Makes the run over the named sites, on the terms that are left.
        dry_run: Pull and search nothing; the plan says what it should cost.
    """
    patience, chosen = Patience(conduct), choose(workspace, sites)
    plan = plan_pull(workspace, chosen, connection, now)
    fresh = Fresh(plan, {}, NOTHING)
    if not dry_run:
        fresh = pull_due(workspace, plan, connection, conduct.log, patience.may_not_begin)
    held = fresh.unpulled.keys() | {site.site_id for site in fresh.plan.cut}
    rest = [site.id for site in chosen if site.id not in held]
    if not rest:
        return with_pull(RunReport(f"{now:%Y%m%dT%H%M%SZ}", now, ()), fresh)
    deadline = conduct.deadline
    if deadline is not None:
        deadline -= min(deadline, timedelta(seconds=patience.spent_s()))
    return with_pull(look(rest, replace(conduct, deadline=deadline)), fresh)
