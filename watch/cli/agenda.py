"""A plan as `run --due` and `run --dry-run` print it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from imagery.provenance import Charge
    from watch.agenda import Plan, Planned
    from watch.cli.output import Output
    from watch.run import RunReport


def print_plan(report: RunReport, output: Output) -> None:
    """Print who is looked at, in which order, at which cost; and what is cut or was missed."""
    plan = report.plan
    if plan is None:
        return
    reports = {site.site_id: site for site in report.sites}
    output.table(
        ["site", "priority#", "looks to make#", "missed#", "requests#", "units#", "why"],
        [
            (
                site.site_id,
                site.priority,
                reports[site.site_id].pending,
                len(site.missed),
                site.cost.requests,
                f"{site.cost.processing_units:.2f}",
                site.reason,
            )
            for site in plan.sites
            if not reports[site.site_id].skipped
        ],
    )
    for site in plan.cut:
        output.note(f"{site.site_id}: cut, {site.reason}")
    if plan.missed:
        late = sum(bool(site.missed) for site in plan.sites)
        sites = "1 site" if late == 1 else f"{late} sites"
        output.line(f"{plan.missed} windows of {sites} passed without a look at what there was.")


def plan_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON values."""
    next_due = plan.next_due()
    return {
        "due": [_planned_json(site) for site in plan.due],
        "cut": [_planned_json(site) for site in plan.cut],
        "cost": _charge_json(plan.cost),
        "missed": plan.missed,
        "next_due": None if next_due is None else next_due.isoformat(),
    }


def _planned_json(site: Planned) -> dict[str, Any]:
    return {
        "site": site.site_id,
        "priority": site.priority,
        "why": site.reason,
        "fell_due": None if site.fell_due is None else site.fell_due.isoformat(),
        "missed": [[window.start.isoformat(), window.end.isoformat()] for window in site.missed],
        "cost": _charge_json(site.cost),
    }


def _charge_json(charge: Charge) -> dict[str, float]:
    return {"requests": charge.requests, "processing_units": charge.processing_units}
