"""`sitewatch pull --elevation`: what it prints; the option stands with the others of `pull`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imagery.provenance import Charge
    from watch.budget import SpendJournal
    from watch.cli.output import Output
    from watch.terrain import TerrainReport
    from watch.workspace import Workspace

PARTLY_DONE = 3


def pull_heights(folder: Workspace, sites: Sequence[str], output: Output, *, dry_run: bool) -> int:
    """Pull the heights under the sites' lattices, print what came, and return the exit code.

    Raises:
        SitewatchError: What ended it early, after the report.
    """
    from watch.cli.progress import counted
    from watch.connection import connected
    from watch.terrain import pull_elevation

    with connected(folder, os.environ) as connection, counted(output, "pull") as progress:
        report = pull_elevation(
            folder,
            connection.hub,
            sites,
            dry_run=dry_run,
            announce=lambda found: output.note(_announcement(found)),
            progress=progress,
        )
        output.document(_document(report, connection.journal))
        _print(report, output, connection.journal)
    if report.stopped is not None:
        raise report.stopped
    return PARTLY_DONE if report.failed else 0


def charge_json(charge: Charge) -> dict[str, float]:
    """Return a charge as JSON values."""
    return {"requests": charge.requests, "processing_units": round(charge.processing_units, 6)}


def _announcement(report: TerrainReport) -> str:
    estimate = report.estimate
    return (
        f"{len(report.missing)} lattices without heights: about {estimate.requests} requests and "
        f"{estimate.processing_units:.2f} processing units."
    )


def _document(report: TerrainReport, journal: SpendJournal) -> dict[str, Any]:
    return {
        "estimate": charge_json(report.estimate),
        "spent": charge_json(journal.spent_here()),
        "spent_this_month": charge_json(journal.spent()),
        "sites": [
            {
                "site": site.site_id,
                "held": [grid.grid_id for grid in site.held],
                "missing": [grid.grid_id for grid in site.missing if grid.grid_id not in report.pulled],
                "pulled": [grid.grid_id for grid in site.missing if grid.grid_id in report.pulled],
                "skipped": site.skipped,
            }
            for site in report.sites
        ],
        "failed": report.failed,
        "stopped": None if report.stopped is None else str(report.stopped),
    }


def _print(report: TerrainReport, output: Output, journal: SpendJournal) -> None:
    output.table(
        ["site", "in the archive#", "to pull#", "pulled#", "why none"],
        [
            (
                site.site_id,
                len(site.held),
                len(site.missing),
                sum(grid.grid_id in report.pulled for grid in site.missing),
                site.skipped,
            )
            for site in report.sites
        ],
    )
    for grid_id, reason in report.failed.items():
        output.note(f"{grid_id}: {reason}")
    spent, month = journal.spent_here(), journal.spent()
    output.line(
        f"Heights of {len(report.pulled)} lattices pulled; {spent.requests} requests and "
        f"{spent.processing_units:.2f} processing units spent, {month.processing_units:.2f} this month."
    )
