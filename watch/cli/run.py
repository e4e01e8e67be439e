"""`sitewatch run`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.agenda import print_plan
from watch.cli.notify import FailOnAlert, delivered_json, exit_code
from watch.cli.options import HERE, AssumeClear, DryRun, Json, Quiet, Workspace, parse_instant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime, timedelta

    from watch.cli.output import Output
    from watch.clock import Clock
    from watch.conduct import Conduct
    from watch.notify import Delivered
    from watch.run_report import RunReport
    from watch.workspace import Workspace as Folder


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
    workers: Annotated[
        int, typer.Option(metavar="N", min=1, max=256, help="Judge N sites at a time, a process each.")
    ] = 1,
    cluster: Annotated[
        str,
        typer.Option(metavar="ADDRESS", help="Judge on the workers of this Dask scheduler: tcp://HOST:8786."),
    ] = "",
    report: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write a report: .html, .json or .txt.", show_default=False),
    ] = None,
    pull: Annotated[
        bool, typer.Option("--pull", help="First pull the latest passes over what is due, within the budget.")
    ] = False,
    publish: Annotated[bool, typer.Option("--map", help="Publish the map afterwards.")] = False,
    word: Annotated[
        bool, typer.Option("--notify", help="Send word of what is new afterwards; see notify.")
    ] = False,
    fail_on_alert: FailOnAlert = False,
    loop: Annotated[
        bool, typer.Option("--loop", help="Stay, and run --due at every time of a timetable.")
    ] = False,
    every: Annotated[
        str | None, typer.Option(metavar="ISO", help="The loop's timetable: PT6H.", show_default=False)
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            metavar="HH:MM", help="The loop's timetable: every day at this hour; 06:00 if none is named."
        ),
    ] = None,
    zone: Annotated[
        str, typer.Option(metavar="NAME", help="Time zone of --at, e.g. Asia/Pyongyang; else the machine's.")
    ] = "",
    jitter: Annotated[
        str | None, typer.Option(metavar="ISO", help="The loop runs up to so much later.", show_default=False)
    ] = None,
    assume_clear: AssumeClear = False,
    dry_run: DryRun = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Look at every scene that has not been looked at, site by site, in order.

    A look ends as Learning, Unchanged, Changed, Obscured or Failed, and goes to the ledger with its reason.
    A change that two clear looks agree on becomes a detection. Exit code 3: a look or a site failed, or
    was left for want of time; 4: the budget cut sites. With --due and --dry-run the plan is printed first.
    What happens goes to run.log, and with --due how the watch is doing to health.json. SIGTERM and Ctrl-C end
    a run after the look that it is at; the next one carries on.
    """
    from geo.errors import InputError, Where
    from watch.cli.output import Output
    from watch.clock import SystemClock
    from watch.periods import parse_period
    from watch.run_page import check_ending
    from watch.termination import Termination
    from watch.workspace import Workspace as Folder

    if report is not None:
        check_ending(report)
    if cluster and workers > 1:
        hint = "The cluster has its own workers: leave --workers out"
        raise InputError("a run is judged here or on a cluster", where=Where(field="--cluster"), hint=hint)
    wanted = _Wanted(
        sites=tuple(site or ()),
        due=due or loop,
        now=None if now is None else parse_instant(now),
        deadline=None if deadline is None else parse_period(deadline, "--deadline"),
        workers=workers,
        cluster=cluster,
        report=report,
        pull=pull,
        publish=publish,
        word=word or fail_on_alert,
        fail_on_alert=fail_on_alert,
        assume_clear=assume_clear or None,
        dry_run=dry_run,
        output=Output(json, quiet),
    )
    _refuse_at_odds(
        loop=loop,
        now=now,
        dry_run=dry_run,
        publish=publish,
        pull=pull,
        due=due or loop,
        timetable=(every, at, zone or None, jitter),
    )
    with Termination() as ending:
        clock = SystemClock(ending.wait)
        if loop:
            from watch.cli.looping import stay, timetable_of

            root = Folder.open(workspace).root
            table = timetable_of(root, every=every, at=at, zone=zone, jitter=jitter)

            def look() -> int:
                return _once(Folder.open(root), wanted, clock, ending.reason)

            stay(root, table, look, clock=clock, halt=ending.reason, output=wanted.output)
            return
        code = _once(Folder.open(workspace), wanted, clock, ending.reason)
    if code:
        raise typer.Exit(code)


@dataclass(frozen=True, slots=True)
class _Wanted:
    sites: tuple[str, ...]
    due: bool
    now: datetime | None
    deadline: timedelta | None
    workers: int
    cluster: str
    report: Path | None
    pull: bool
    publish: bool
    word: bool
    """Whether word is sent afterwards."""
    fail_on_alert: bool
    assume_clear: bool | None
    dry_run: bool
    output: Output


def _refuse_at_odds(
    *,
    loop: bool,
    now: str | None,
    dry_run: bool,
    publish: bool,
    pull: bool,
    due: bool,
    timetable: tuple[str | None, ...],
) -> None:
    from geo.errors import InputError, Where

    every, at, *_ = timetable
    if loop and (now is not None or dry_run):
        raise InputError("a loop lives in the present and does what it says", where=Where(field="--loop"))
    if not loop and any(part is not None for part in timetable):
        hint = "Add --loop, or leave --every, --at, --zone and --jitter out"
        raise InputError("a timetable is for a loop", where=Where(field="--loop"), hint=hint)
    if every is not None and at is not None:
        raise InputError("a loop has one timetable", where=Where(field="--every"), hint="Leave --at out")
    if pull and not due:
        hint = "Add --due, or use sitewatch pull"
        raise InputError("only what is due is pulled", where=Where(field="--pull"), hint=hint)
    if publish and dry_run:
        raise InputError("a dry run has nothing to publish", where=Where(field="--map"))


def _once(folder: Folder, wanted: _Wanted, clock: Clock, halt: Callable[[], str]) -> int:
    """Make one run, say what it did, and return its exit code."""
    from watch.attended import attended
    from watch.cli.progress import drawn
    from watch.conduct import Conduct
    from watch.run import run as run_sites
    from watch.run_document import report_json
    from watch.run_page import write_report
    from watch.runlog import RunLog

    output = wanted.output

    def look(sites: Sequence[str], conduct: Conduct) -> RunReport:
        with drawn(output) as progress:
            return run_sites(
                folder,
                sites,
                now=wanted.now,
                due_only=wanted.due,
                assume_clear=wanted.assume_clear,
                dry_run=wanted.dry_run,
                progress=progress,
                conduct=conduct,
            )

    def make(conduct: Conduct) -> RunReport:
        if not wanted.pull:
            return look(wanted.sites, conduct)
        return _pulled_first(folder, wanted, conduct, look)

    conduct = Conduct(
        deadline=wanted.deadline, halt=halt, clock=clock, workers=wanted.workers, cluster=wanted.cluster
    )
    if wanted.dry_run:
        made = make(conduct)
    elif wanted.due:
        made = _with_word_of_failure(folder, wanted, lambda: attended(folder.root, conduct, make))
    else:
        made = make(replace(conduct, log=RunLog(folder.root, clock)))
    if wanted.report is not None:
        write_report(wanted.report, made, folder.settings.title)
    if wanted.publish:
        _publish(folder, output)
    done = _send(folder, wanted) if wanted.word and not wanted.dry_run else None
    output.document(report_json(made) | ({} if done is None else {"told": delivered_json(done)}))
    if wanted.due or wanted.dry_run:
        print_plan(made, output)
    _print(made, output, dry_run=wanted.dry_run)
    told = 0 if done is None else exit_code(done, fail_on_alert=wanted.fail_on_alert)
    return made.exit_code or told


def _send(folder: Folder, wanted: _Wanted) -> Delivered:
    from watch.cli.notify import send

    return send(folder, wanted.output, now=wanted.now)


def _with_word_of_failure(folder: Folder, wanted: _Wanted, make: Callable[[], RunReport]) -> RunReport:
    """Make a run; when it fails as a whole, that is news too."""
    from geo.errors import SitewatchError
    from watch.errors import WorkspaceBusyError

    try:
        return make()
    except WorkspaceBusyError:
        raise
    except (SitewatchError, OSError):
        # What made the run fail may keep words from being sent, too; the run's own error is the one to show.
        with suppress(SitewatchError, OSError):
            if wanted.word:
                _send(folder, wanted)
        raise


def _pulled_first(
    folder: Folder, wanted: _Wanted, conduct: Conduct, look: Callable[[Sequence[str], Conduct], RunReport]
) -> RunReport:
    import os

    from watch.connection import connected
    from watch.fresh import run_fresh

    now = wanted.now or conduct.clock.now()
    with connected(folder, os.environ) as connection:
        return run_fresh(
            folder, wanted.sites, connection, now=now, conduct=conduct, look=look, dry_run=wanted.dry_run
        )


def _publish(folder: Folder, output: Output) -> None:
    from watch.publish import publish

    for problem in publish(folder).missing:
        output.note(f"no picture: {problem}")


def _print(report: RunReport, output: Any, *, dry_run: bool) -> None:  # noqa: ANN401 - Output, imported lazily
    from imagery.model import Outcome
    from watch.certainty import sure_words

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
            f"between {detection.bracket.replace('/', ' and ')}, looks like {detection.kind or 'a change'} "
            f"({detection.id})"
        )
        if detection.surety is not None:
            output.line(f"  {sure_words(detection)}")
    for line in () if report.reckoning is None else report.reckoning.words:
        output.line(line)
    for site in report.sites:
        if site.failure or site.left:
            output.note(f"{site.site_id}: {site.failure or site.left}")
    for line in _unjudged(report):
        output.line(line)
    if report.stack_trouble is not None:
        output.note(f"Images were read one by one: {report.stack_trouble}")
    if report.state_trouble is not None:
        output.note(f"What was learned was not kept, and is learned again: {report.state_trouble}")
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
    from watch.agenda import NOTHING
    from watch.cli.output import number_of

    skipped = len(report.sites) - examined
    looks = sum(site.pending if dry_run else site.looks.total() for site in report.sites)
    verb = "would make" if dry_run else "made"
    left = f" {skipped} not examined (--json says why)." if skipped else ""
    # Without --pull nothing: the images are in the archive.
    cost = NOTHING if report.plan is None else report.plan.cost
    units = f"{cost.processing_units:.6g}"
    free = f" A run costs {cost.requests} requests and {units} processing units." if dry_run else ""
    return f"{number_of(examined, 'site')} examined, {verb} {number_of(looks, 'look')}.{free}{left}"
