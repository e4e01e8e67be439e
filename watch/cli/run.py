"""`sitewatch run`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.agenda import print_plan
from watch.cli.options import HERE, AssumeClear, DryRun, Json, Quiet, Workspace, parse_instant

if TYPE_CHECKING:
    from watch.run_report import RunReport


def run(
    site: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SITE...]", help="Ids; none means every site.", show_default=False),
    ] = None,
    due: Annotated[
        bool, typer.Option("--due", help="Only sites whose cadence has passed; catches up.")
    ] = False,
    now: Annotated[
        str | None,
        typer.Option(metavar="T", help="Pretend that it is T (ISO 8601); later scenes are left alone."),
    ] = None,
    deadline: Annotated[
        str | None,
        typer.Option(metavar="ISO", help="Begin no site after this long: PT30M.", show_default=False),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a report: .html, .json or .txt.", show_default=False),
    ] = None,
    assume_clear: AssumeClear = False,
    dry_run: DryRun = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Look at every scene that has not been looked at, site by site, in order.

    A look ends as Learning, Unchanged, Changed, Obscured or Failed, and goes to the ledger with its reason.
    A change that the next clear look confirms becomes a detection. Exit code 3: a look or a site failed, or
    was left for want of time; 4: the budget cut sites. With --due and --dry-run the plan is printed first.
    What happens goes to run.log, and with --due how the watch is doing to health.json.
    """
    from watch.attended import attended
    from watch.cli.output import Output
    from watch.cli.progress import drawn
    from watch.clock import SystemClock
    from watch.conduct import Conduct
    from watch.periods import parse_period
    from watch.run import run as run_sites
    from watch.run_document import report_json
    from watch.run_page import check_ending, write_report
    from watch.runlog import RunLog
    from watch.workspace import Workspace as Folder

    output, folder, clock = Output(json, quiet), Folder.open(workspace), SystemClock()
    if report is not None:
        check_ending(report)
    instant = None if now is None else parse_instant(now)
    limit = None if deadline is None else parse_period(deadline, "--deadline")

    def make(conduct: Conduct) -> RunReport:
        with drawn(output) as progress:
            return run_sites(
                folder,
                site or (),
                now=instant,
                due_only=due,
                assume_clear=assume_clear or None,
                dry_run=dry_run,
                progress=progress,
                conduct=conduct,
            )

    if dry_run:
        made = make(Conduct(deadline=limit, clock=clock))
    elif due:
        made = attended(folder.root, Conduct(deadline=limit, clock=clock), make)
    else:
        made = make(Conduct(deadline=limit, log=RunLog(folder.root, clock), clock=clock))
    if report is not None:
        write_report(report, made, folder.settings.title)
    output.document(report_json(made))
    if due or dry_run:
        print_plan(made, output)
    _print(made, output, dry_run=dry_run)
    if made.exit_code:
        raise typer.Exit(made.exit_code)


def _print(report: RunReport, output: Any, *, dry_run: bool) -> None:  # noqa: ANN401 - Output, imported lazily
    from imagery.model import Outcome

    examined = [site for site in report.sites if not site.skipped]
    if not dry_run:
        active = [site for site in examined if site.looks or site.no_scenes]
        output.table(
            ["site", *(f"{outcome}#" for outcome in Outcome), "no scene#"],
            [
                (site.site_id, *(site.looks[outcome] for outcome in Outcome), len(site.no_scenes))
                for site in active
            ],
        )
    for detection in report.detections:
        output.line(
            f"{detection.site_id}: {detection.state} change of {detection.area_m2:,.0f} m2, "
            f"between {detection.bracket.replace('/', ' and ')} ({detection.id})"
        )
    for site in report.sites:
        if site.failure or site.left:
            output.note(f"{site.site_id}: {site.failure or site.left}")
    for line in _unjudged(report):
        output.line(line)
    if report.stack_trouble is not None:
        output.note(f"Images were read one by one: {report.stack_trouble}")
    output.line(_summary(report, len(examined), dry_run=dry_run))


def _unjudged(report: RunReport) -> list[str]:
    from watch.cli.output import number_of

    reasons: dict[str, list[int]] = {}
    for site in report.sites:
        for each in site.unjudged:
            reasons.setdefault(each.reason, []).append(each.days)
    return [
        f"{number_of(sum(days), 'day')} in {len(days)} series over sites are kept and not judged: {reason}."
        for reason, days in reasons.items()
    ]


def _summary(report: RunReport, examined: int, *, dry_run: bool) -> str:
    from watch.cli.output import number_of

    skipped = len(report.sites) - examined
    looks = sum(site.pending if dry_run else site.looks.total() for site in report.sites)
    verb = "would make" if dry_run else "made"
    left = f" {skipped} not examined (--json says why)." if skipped else ""
    # The images are in the archive: it is `pull` that asks a service.
    free = " A run costs 0 requests and 0 processing units." if dry_run else ""
    return f"{number_of(examined, 'site')} examined, {verb} {number_of(looks, 'look')}.{free}{left}"
