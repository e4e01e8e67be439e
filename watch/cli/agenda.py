"""A plan as `run --due` and `run --dry-run` print it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from watch.cli.output import Output
    from watch.run_report import RunReport


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
