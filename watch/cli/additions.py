"""`sitewatch sites add`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.options import HERE, DryRun, Json, Quiet, Workspace
from watch.cli.sites import REFUSED, fault_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.additions import AddReport
    from watch.cli.output import Output

PARTLY_DONE = 3


def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="GeoJSON, CSV or TSV files.")],
    columns: Annotated[
        list[str] | None,
        typer.Option("--map", metavar="COLUMN=FIELD", help="What a column of a table holds."),
    ] = None,
    defaults: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="For fields that a row of a table leaves empty."),
    ] = None,
    dry_run: DryRun = False,
    skip_refused: Annotated[
        bool, typer.Option("--skip-refused", help="Add the others when some are refused; exit code 3.")
    ] = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add sites from files, or what a file says anew of known ones; all of it or nothing.

    Reports what is new, the same, changed (field by field), perhaps a duplicate, and refused. Columns of a
    table that are named like fields need no --map.
    """
    from sites.additions import plan_additions
    from sites.columns import parse_pairs
    from sites.formats import read_sites
    from sites.tables import TableOptions
    from watch.cli.output import Output
    from watch.lock import writing
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    folder = Folder.open(workspace)
    options = TableOptions(parse_pairs(columns or (), "--map"), parse_pairs(defaults or (), "--set"))
    with writing(folder.root):
        before = folder.catalogue()
        report = plan_additions(before, [read_sites(path, options) for path in files])
        go = not dry_run and (skip_refused or not report.refused)
        written = report.apply(before, skip_refused=skip_refused).write() if go else ()
    output.document(report_json(report, [str(path) for path in written]))
    _print_report(report, output, dry_run=dry_run, go=go)
    if report.refused:
        raise typer.Exit(PARTLY_DONE if skip_refused and go else REFUSED)


def report_json(report: AddReport, written: Sequence[str]) -> dict[str, Any]:
    """Return what an addition did, or would do, as JSON values."""
    return {
        "new": [record.id for record in report.new],
        "same": list(report.same),
        "changed": [
            {
                "id": changed.id,
                "fields": [
                    {"field": each.field, "before": each.before, "after": each.after}
                    for each in changed.fields
                ],
            }
            for changed in report.changed
        ],
        "near_duplicates": [str(twin) for twin in report.near_duplicates],
        "refused": [fault_json(fault) for fault in report.refused],
        "written": list(written),
    }


def _print_report(report: AddReport, output: Output, *, dry_run: bool, go: bool) -> None:
    for record in report.new:
        output.line(f"new       {record.id}")
    for changed in report.changed:
        output.line(f"changed   {changed.id}: {', '.join(each.field for each in changed.fields)}")
    for twin in report.near_duplicates:
        output.line(f"alike     {twin}")
    for fault in report.refused:
        output.note(f"refused   {fault}")
    counts = f"{len(report.new)} new, {len(report.changed)} changed, {len(report.same)} the same"
    verb = "Added" if go else "Would add" if dry_run else "Nothing was added; there were"
    output.line(f"{verb}: {counts}, {len(report.refused)} refused.")
