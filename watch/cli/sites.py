"""`sitewatch sites`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.options import HERE, DryRun, Json, Quiet, Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sites.additions import AddReport
    from sites.model import Site
    from sites.observation import Observation
    from watch.cli.output import Output

app = typer.Typer(name="sites", help="The catalogue of places.", no_args_is_help=True)

PARTLY_DONE = 3
REFUSED = 2


@app.command("list")
def list_sites(
    category: Annotated[
        str | None, typer.Option(help="Only sites of this category.", show_default=False)
    ] = None,
    province: Annotated[
        str | None, typer.Option(help="Only sites in this province.", show_default=False)
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List the sites; --json is a GeoJSON FeatureCollection."""
    from sites.categories import parse_category
    from sites.geojson import write_document
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    wanted = None if category is None else parse_category(category)
    found = [
        site
        for site in Folder.open(workspace).catalogue()
        if (wanted is None or site.category == wanted) and (province is None or site.province == province)
    ]
    if json:
        output.raw(write_document(found))
    output.table(
        ["id", "name", "category", "province", "accuracy m#", "notes#", "watched"],
        [
            (
                site.id,
                site.name,
                site.category,
                site.province,
                None if site.coordinate_accuracy_m is None else f"{site.coordinate_accuracy_m:g}",
                len(site.observations),
                site.watch_mode,
            )
            for site in found
        ],
    )
    watched = sum(site.is_watched for site in found)
    output.line(f"{len(found)} sites, {watched} of them placed well enough to be watched.")


@app.command("show")
def show(
    site: Annotated[str, typer.Argument(help="Id, or a former id.")],
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Show one site: its names, how good its point is and what that means, its notes with their sources."""
    from sites.geojson import write_document
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    found = Folder.open(workspace).catalogue().get(site)
    if json:
        output.raw(write_document([found], is_single=True))
    for line in (*_facts(found), *_notes(found.observations)):
        output.line(line)


@app.command("check")
def check(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATH...]", help="Files or folders; none means the catalogue.", show_default=False
        ),
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Report every fault of GeoJSON files, row by row; exit code 2 when there is one."""
    from sites.catalogue import check as faults_of
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    chosen = paths or [Folder.open(workspace).catalogue_path]
    faults = [fault for path in chosen for fault in faults_of(path)]
    output.document({"faults": [fault_json(fault) for fault in faults]})
    for fault in faults:
        output.line(str(fault))
    output.line("No faults." if not faults else f"{len(faults)} faults.")
    if faults:
        raise typer.Exit(REFUSED)


@app.command("add")
def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="GeoJSON files.")],
    dry_run: DryRun = False,
    skip_refused: Annotated[
        bool, typer.Option("--skip-refused", help="Add the others when some are refused; exit code 3.")
    ] = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add sites from GeoJSON, or what a file says anew of known ones; all of it or nothing.

    Reports what is new, the same, changed (field by field), perhaps a duplicate, and refused.
    """
    from sites.additions import plan_additions
    from sites.geojson import read_file
    from watch.cli.output import Output
    from watch.lock import writing
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    folder = Folder.open(workspace)
    with writing(folder.root):
        before = folder.catalogue()
        report = plan_additions(before, [read_file(path) for path in files])
        go = not dry_run and (skip_refused or not report.refused)
        written = report.apply(before, skip_refused=skip_refused).write() if go else ()
    output.document(report_json(report, [str(path) for path in written]))
    _print_report(report, output, dry_run=dry_run, go=go)
    if report.refused:
        raise typer.Exit(PARTLY_DONE if skip_refused and go else REFUSED)


def fault_json(fault: Any) -> dict[str, Any]:  # noqa: ANN401 - an InputError, imported lazily
    """Return a fault as JSON values."""
    where = fault.where
    return {
        "file": where.file,
        "feature": where.feature,
        "field": where.field,
        "line": where.line,
        "problem": fault.problem,
        "hint": fault.hint,
    }


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


def _facts(site: Site) -> list[str]:
    point = site.point
    names = [f"{name.text} ({name.language})" if name.language else name.text for name in site.names[1:]]
    place = "not placed" if point is None else f"{point.y:.5f} N, {point.x:.5f} E"
    accuracy = site.coordinate_accuracy_m
    facts = {
        "id": site.id,
        "also": "; ".join(names),
        "category": f"{site.category}{f', {site.subtype}' if site.subtype else ''}",
        "where": ", ".join(part for part in (site.county, site.province, site.country) if part),
        "point": place if accuracy is None or point is None else f"{place}, good to {accuracy:g} m",
        "source": site.coordinate_source or "",
        "watch": site.watch_reason,
        "about": site.description or "",
    }
    return [site.name, *(f"  {name:9} {value}" for name, value in facts.items() if value)]


def _notes(notes: Sequence[Observation]) -> list[str]:
    lines = ["", f"{len(notes)} notes"] if notes else ["", "No notes."]
    for note in sorted(notes, key=lambda each: each.date.sort_key()):
        lines.append(f"  {note.date}  {note.text}")
        for source in note.sources:
            grade = f"{source.reliability or '-'}{source.credibility or '-'}"
            graded = f" [{grade}]" if grade != "--" else ""
            published = f", {source.published}" if source.published else ""
            lines.append(f"      {source.outlet}{published}{graded}")
    return lines
