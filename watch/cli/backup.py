"""`sitewatch backup`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace

if TYPE_CHECKING:
    from watch.backup import BackupReport
    from watch.cli.output import Output


def backup(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", help="To be written, .tar or .tar.gz; outside the workspace.", show_default=False
        ),
    ],
    with_archive: Annotated[
        bool,
        typer.Option("--with-archive", help="Take the scenes along; else only the list of them."),
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="It may take the place of an older file.")
    ] = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write one file that holds what of the workspace nobody can make again, without secrets.

    Settings, catalogue, reviews, journals, ledger and the lattices of sites. A run may go on meanwhile.
    """
    from watch.backup import backup as back_up
    from watch.cli.output import Output
    from watch.cli.progress import counted
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    folder = Folder.open(workspace)
    with counted(output, "backup") as progress:
        report = back_up(folder, file, with_archive=with_archive, replace=replace, progress=progress)
    output.document(
        {
            "file": str(report.file),
            "with_archive": with_archive,
            "scenes": report.scenes,
            "members": [
                {"path": each.path, "bytes": each.bytes, "sha256": each.sha256}
                for each in report.manifest.members
            ],
            "ledger": report.ledger_words,
            "hidden_lines": list(report.hidden_lines),
            "left_out": list(report.left_out),
        }
    )
    _print(report, output)


def _print(report: BackupReport, output: Output) -> None:
    from watch.cli.output import number_of

    for line in report.hidden_lines:
        output.note(
            f"sitewatch.toml, line {line}: looks like a password, and is made unreadable in the backup"
        )
    if report.ledger_words:
        output.note(report.ledger_words)
    for words in report.left_out:
        output.note(f"not in it: {words}")
    members = number_of(len(report.manifest.members), "member")
    size = report.file.stat().st_size
    output.line(f"{report.file}: {members}, {report.bytes / 1e6:,.1f} MB in a file of {size / 1e6:,.1f} MB.")
