"""`sitewatch sites`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shapely.geometry import Polygon

    from sites.model import Site
    from sites.observation import Observation
    from watch.observable import Observability

app = typer.Typer(name="sites", help="The catalogue of places.", no_args_is_help=True)

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
    """Show one site: its names, how good its point is and what that means, its notes with their sources.

    A note that claims less than the looks kept here could show says so; with --json in the member
    "observable" beside the feature's properties.
    """
    from sites.features import write_feature
    from sites.geojson import canonical_json
    from watch.cli.notes import labels_of
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    folder = Folder.open(workspace)
    found = folder.catalogue().get(site)
    labels = labels_of(folder, [found]).get(found.id, {})
    if json:
        told = {name: label.to_json() for name, label in labels.items()}
        output.raw(canonical_json(write_feature(found) | ({"observable": told} if told else {})))
    for line in (*_facts(found), *_notes(found.observations, labels)):
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


@app.command("search")
def search(
    query: Annotated[str, typer.Argument(help="A name or part of one, in any script or spelling.")],
    category: Annotated[
        str | None, typer.Option(help="Only sites of this category.", show_default=False)
    ] = None,
    province: Annotated[
        str | None, typer.Option(help="Only sites in this province.", show_default=False)
    ] = None,
    bbox: Annotated[
        str | None,
        typer.Option(metavar="W,S,E,N", help="Only sites inside these degrees.", show_default=False),
    ] = None,
    span: Annotated[
        str | None,
        typer.Option(metavar="A/B", help="Only sites with a note of this time.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(help="How many at most.", min=1)] = 10,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Find sites by any of their names: hangul, either romanisation, typing errors; says why each matched."""
    from geo.dates import parse_span
    from sites.categories import parse_category
    from sites.search import Filters, SiteIndex
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    filters = Filters(
        category=None if category is None else parse_category(category),
        province=province,
        within=None if bbox is None else _box(bbox),
        span=None if span is None else parse_span(span),
    )
    found = SiteIndex.of(Folder.open(workspace).catalogue()).search(query, filters, limit=limit)
    output.document(
        [
            {"id": each.site.id, "name": each.site.name, "score": round(each.score, 3), "why": each.why}
            for each in found
        ]
    )
    output.table(
        ["id", "name", "category", "province", "why"],
        [(each.site.id, each.site.name, each.site.category, each.site.province, each.why) for each in found],
    )
    output.line(f"{len(found)} sites." if found else "No site has a name like that.")


@app.command("export")
def export(
    file: Annotated[Path, typer.Argument(help="Where to; .geojson, .csv or .tsv.")],
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the whole catalogue to one file; the format goes by its ending."""
    from sites.formats import write_sites
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    found = list(Folder.open(workspace).catalogue())
    write_sites(file, found)
    output.document({"file": str(file), "sites": len(found)})
    output.line(f"{len(found)} sites in {file}.")


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


def _notes(notes: Sequence[Observation], labels: Mapping[str, Observability]) -> list[str]:
    lines = ["", f"{len(notes)} notes"] if notes else ["", "No notes."]
    for note in sorted(notes, key=lambda each: each.date.sort_key()):
        lines.append(f"  {note.date}  {note.text}")
        if note.id in labels:
            lines.append(f"      ({labels[note.id].words})")
        for source in note.sources:
            grade = f"{source.reliability or '-'}{source.credibility or '-'}"
            graded = f" [{grade}]" if grade != "--" else ""
            published = f", {source.published}" if source.published else ""
            lines.append(f"      {source.outlet}{published}{graded}")
    return lines


def _box(text: str) -> Polygon:
    from shapely.geometry import box

    from sites.errors import CatalogueError

    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError as error:
        raise CatalogueError(
            f"--bbox: {text!r} is not four numbers", hint="Write W,S,E,N in degrees"
        ) from error
    return box(west, south, east, north)
