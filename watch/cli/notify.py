"""`sitewatch notify`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.options import HERE, DryRun, Json, Quiet, Workspace, parse_instant

if TYPE_CHECKING:
    from datetime import datetime

    from watch.cli.output import Output
    from watch.notify import Delivered
    from watch.workspace import Workspace as Folder

ALERTED = 1
PARTLY_DONE = 3

FailOnAlert = Annotated[
    bool, typer.Option("--fail-on-alert", help="End with exit code 1 when there was news to tell.")
]


def notify(
    now: Annotated[
        str | None, typer.Option(metavar="T", help="Pretend that it is T (ISO 8601).", show_default=False)
    ] = None,
    fail_on_alert: FailOnAlert = False,
    dry_run: DryRun = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Send word of what is new since the last word: once to every sink of [notify].

    News are changes that became probable, confirmed or retracted, expected activity that is not seen, and
    images that can't be looked at. With none for a while, it says how often the sites could be seen. Exit
    code 3: a sink could not be reached, and is tried again next time.
    """
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    instant = None if now is None else parse_instant(now)
    done = send(Folder.open(workspace), output, now=instant, dry_run=dry_run)
    output.document(delivered_json(done))
    code = exit_code(done, fail_on_alert=fail_on_alert and not dry_run)
    if code:
        raise typer.Exit(code)


def send(folder: Folder, output: Output, *, now: datetime | None, dry_run: bool = False) -> Delivered:
    """Send word, and say on standard error where it went."""
    from watch.digest import digest_text, subject_line
    from watch.notify import Means
    from watch.notify import notify as send_word

    means = Means(write=None if output.quiet else output.line)
    done = send_word(folder, now=now, dry_run=dry_run, means=means)
    for report in done.sinks:
        for digest in report.digests:
            if dry_run:
                output.line(f"would tell {report.sink}: {subject_line(digest)}")
                output.line(digest_text(digest, folder.settings.notify.items))
            elif report.sink != "stdout":
                output.note(f"told {report.sink}: {subject_line(digest)}")
        if report.failure:
            output.note(f"not told {report.sink}: {report.failure}")
    return done


def delivered_json(done: Delivered) -> list[dict[str, Any]]:
    """Return what every sink got as JSON values."""
    return [
        {
            "sink": report.sink,
            "digests": [digest.to_json() for digest in report.digests],
            "failure": report.failure or None,
        }
        for report in done.sinks
    ]


def exit_code(done: Delivered, *, fail_on_alert: bool) -> int:
    """Return 3 where a sink failed, else 1 where there was news and that was asked for, else 0."""
    if done.failures:
        return PARTLY_DONE
    return ALERTED if fail_on_alert and done.alerts else 0
