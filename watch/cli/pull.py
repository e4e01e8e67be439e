"""`sitewatch pull`."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.elevation import charge_json, pull_heights
from watch.cli.options import HERE, DryRun, Json, Orbit, OrbitDirection, Quiet, Workspace, closed_span

if TYPE_CHECKING:
    from watch.budget import SpendJournal
    from watch.connection import Connection
    from watch.pull import PullReport, SitePlan

PARTLY_DONE = 3


def pull(
    site: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SITE...]", help="Ids; none means every site.", show_default=False),
    ] = None,
    span: Annotated[
        str | None,
        typer.Option(metavar="A/B", help="Days, both included: 2021-04-01/2021-10-31, or 2021."),
    ] = None,
    max_cloud: Annotated[
        float | None,
        typer.Option(metavar="PERCENT", min=0, max=100, help="Leave out passes cloudier than that."),
    ] = None,
    orbit: Orbit = None,
    direction: OrbitDirection = None,
    product: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="What to pull, e.g. landsat-ot-l2; the one in sitewatch.toml."),
    ] = None,
    elevation: Annotated[
        bool, typer.Option("--elevation", help="The heights of the ground, once; they have no --span.")
    ] = False,
    dry_run: DryRun = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Pull what Sentinel Hub has over the sites into the archive; what is there is not asked again.

    The cost is printed before, the spend after. Every pass is archived as it comes, so a pull that was
    stopped is carried on by the same command. Searching costs a little even with --dry-run. Products:
    sentinel-2-l2a, sentinel-2-l1c, landsat-ot-l2, sentinel-1-grd, sentinel-1-grd-ellipsoid. Exit code 3: a
    pass did not come; 4: the budget in sitewatch.toml or the account's quota is used up.
    """
    from imagery.provider import Limits
    from watch.cli.output import Output
    from watch.cli.progress import counted
    from watch.connection import connected
    from watch.pull import PullOptions
    from watch.pull import pull as pull_sites
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    folder = Folder.open(workspace)
    if elevation:
        _refuse_beside_elevation(span, product, max_cloud, orbit, direction)
        raise typer.Exit(pull_heights(folder, site or (), output, dry_run=dry_run))
    limits = Limits(max_cloud, orbit, direction and str(direction))
    options = PullOptions(closed_span(span), limits, folder.settings.pull.workers, dry_run)
    began = time.monotonic()
    with connected(folder, os.environ, product=product) as connection:
        with counted(output, "pull", lambda done: _remark(connection, done, began)) as progress:
            report = pull_sites(
                folder,
                connection.hub,
                site or (),
                options,
                announce=lambda found: output.note(_announcement(found)),
                progress=progress,
            )
        output.document(_document(report, connection.journal))
        _print(report, output, connection, began)
    if report.stopped is not None:
        raise report.stopped
    if report.failed:
        raise typer.Exit(PARTLY_DONE)


def _refuse_beside_elevation(*others: object) -> None:
    from geo.errors import InputError, Where

    if any(other is not None for other in others):
        problem = "heights have neither days nor clouds, and are one product"
        raise InputError(problem, where=Where(field="--elevation"), hint="Leave the other options out")


def _announcement(report: PullReport) -> str:
    found = sum(len(site.found) for site in report.sites)
    estimate = report.estimate
    return (
        f"{found} passes found, {len(report.missing)} to pull: about {estimate.requests} requests and "
        f"{estimate.processing_units:.2f} processing units."
    )


def _document(report: PullReport, journal: SpendJournal) -> dict[str, Any]:
    return {
        "estimate": charge_json(report.estimate),
        "spent": charge_json(journal.spent_here()),
        "spent_this_month": charge_json(journal.spent()),
        "sites": [
            {
                "site": site.site_id,
                "found": [scene.id for scene in site.found],
                "missing": [scene.id for scene in site.missing if scene.id not in report.pulled],
                "pulled": [scene.id for scene in site.missing if scene.id in report.pulled],
                "skipped": site.skipped,
            }
            for site in report.sites
        ],
        "failed": report.failed,
        "stopped": None if report.stopped is None else str(report.stopped),
    }


def _print(report: PullReport, output: Any, connection: Connection, began: float) -> None:  # noqa: ANN401 - Output, imported lazily
    looked_at = [site for site in report.sites if not site.skipped]
    output.table(
        ["site", "found#", "in the archive#", "pulled#", "missing#"],
        [_row(site, report) for site in looked_at],
    )
    for scene_id, reason in report.failed.items():
        output.note(f"{scene_id}: {reason}")
    spent = connection.journal.spent_here()
    rate = f" ({_rate(connection, len(report.pulled), began)})" if report.pulled else ""
    output.line(
        f"{len(report.pulled)} passes pulled in {time.monotonic() - began:.0f} s{rate}; {spent.requests} "
        f"requests and {spent.processing_units:.2f} processing units spent, {_month(connection.journal)}."
    )


def _remark(connection: Connection, done: int, began: float) -> str:
    units = connection.journal.spent_here().processing_units
    return f"{_rate(connection, done, began)}, {units:.2f} units, {_month(connection.journal)}"


def _rate(connection: Connection, done: int, began: float) -> str:
    seconds = max(time.monotonic() - began, 1e-3)
    megabytes = connection.service.received_bytes / 1e6
    return f"{done / seconds:.1f} passes/s, {megabytes / seconds:.1f} MB/s"


def _month(journal: SpendJournal) -> str:
    spent, limit = journal.spent().processing_units, journal.allowance.processing_units
    return f"{spent:,.2f} this month" + ("" if limit is None else f" of {limit:,.10g}")


def _row(site: SitePlan, report: PullReport) -> tuple[str, int, int, int, int]:
    pulled = sum(scene.id in report.pulled for scene in site.missing)
    held = len(site.found) - len(site.missing)
    return site.site_id, len(site.found), held, pulled, len(site.missing) - pulled
