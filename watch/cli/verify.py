"""`sitewatch verify`."""

from __future__ import annotations

from typing import Annotated

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace


def verify(
    quick: Annotated[
        bool,
        typer.Option("--quick", help="Read no pixels: sizes and times against the last full verification."),
    ] = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Hold archive, ledger, catalogue, reviews, journals and pages against what they say of themselves.

    One line a finding, with what to do. Exit code 1 when something is damaged; what is only stale or left
    over can be made again.
    """
    from watch.cli.output import Output, number_of
    from watch.cli.progress import counted
    from watch.verify import verify as hold
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    folder = Folder.open(workspace)
    with counted(output, "verify") as progress:
        report = hold(folder, quick=quick, progress=progress)
    output.document(
        {
            "quick": quick,
            "scenes": report.scenes,
            "damaged": report.damaged,
            "findings": [
                {
                    "part": each.part,
                    "grade": each.grade.value,
                    "file": each.where.file,
                    "line": each.where.line,
                    "feature": each.where.feature,
                    "problem": each.problem,
                    "hint": each.hint,
                }
                for each in report.findings
            ],
        }
    )
    for each in report.findings:
        output.line(str(each))
    scenes = number_of(report.scenes, "scene")
    if report.is_well:
        how = "looked at" if quick else "read in full"
        output.line(f"Nothing is damaged: {scenes} {how}, {len(report.findings)} stale or left over.")
        return
    output.line(f"{report.damaged} damaged, {len(report.findings) - report.damaged} stale or left over.")
    raise typer.Exit(1)
