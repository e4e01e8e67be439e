"""`sitewatch archive`."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from watch.cli.options import HERE, DryRun, Json, Quiet, Workspace

app = typer.Typer(name="archive", help="One's own images.", no_args_is_help=True)


@app.command("add")
def add(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="GeoTIFFs, or folders of them.")],
    acquired: Annotated[
        str | None,
        typer.Option(metavar="T", help="When all of them were acquired: ISO date, or date and time."),
    ] = None,
    pattern: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX", help="Searched in each file's name; named groups acquired, band, platform."
        ),
    ] = None,
    date_format: Annotated[
        str | None, typer.Option(metavar="FORMAT", help="How the group acquired is written, like %Y%j.")
    ] = None,
    bands: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Names of the bands of every file, in order.")
    ] = None,
    rename: Annotated[
        str | None, typer.Option(metavar="OLD=NEW,...", help="Canonical names for bands, like b3=red,b4=nir.")
    ] = None,
    mask_band: Annotated[
        str | None,
        typer.Option(metavar="SCHEME", help="fmask, scl or qa: the band of that name says what is clear."),
    ] = None,
    scale: Annotated[float | None, typer.Option(help="Reflectance = number x scale + offset.")] = None,
    offset: Annotated[float | None, typer.Option(help="See --scale.")] = None,
    nodata: Annotated[float | None, typer.Option(help="The number that means no data.")] = None,
    platform: Annotated[str | None, typer.Option(help="Satellite, like landsat-7 or S2A.")] = None,
    utc: Annotated[bool, typer.Option("--utc", help="Times without a zone are UTC.")] = False,
    simulated: Annotated[
        bool, typer.Option("--simulated", help="These are not real images; say so.")
    ] = False,
    credit: Annotated[str, typer.Option(help="Printed below each picture.")] = "",
    licence: Annotated[str, typer.Option(help="Kept with each scene.")] = "",
    skip_refused: Annotated[
        bool, typer.Option("--skip-refused", help="Add the others when a scene is refused; exit code 3.")
    ] = False,
    dry_run: DryRun = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Add GeoTIFFs to the archive; files that share acquisition and platform are one scene.

    Source pixels are kept as they are. Adding the same scene again changes nothing. All scenes are checked
    before the first is written.
    """
    from imagery.intake import IntakeOptions, plan_intake
    from watch.cli.output import Output
    from watch.cli.progress import counted
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    options = IntakeOptions(
        acquired=acquired,
        pattern=pattern,
        date_format=date_format,
        bands=None if bands is None else tuple(name.strip() for name in bands.split(",")),
        rename=_pairs(rename),
        mask_band=mask_band,
        scale=scale,
        offset=offset,
        nodata=nodata,
        platform=platform,
        utc=utc,
        simulated=simulated,
        credit=credit,
        licence=licence,
    )
    folder = Folder.open(workspace)
    plan = plan_intake(_expand(files), options)
    for note in plan.notes:
        output.note(note)
    if dry_run:
        _print_plan(plan, output)
        return
    with counted(output, "archive") as progress:
        report = folder.archive().add(plan.scenes, progress, skip_refused=skip_refused)
    _print_report(report, output)
    if report.refused:
        raise typer.Exit(3)


@app.command("list")
def list_scenes(workspace: Workspace = HERE, json: Json = False, quiet: Quiet = False) -> None:
    """List the scenes of the archive, oldest first, with what is known of how they were taken."""
    from imagery.acquisition import acquisition_properties
    from imagery.sensors import sensor_for
    from watch.cli.output import Output, number_of
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    scenes = Folder.open(workspace).archive().scenes()
    output.document(
        [
            {
                "id": scene.id,
                "platform": scene.platform,
                "acquired": _when(scene),
                "bands": [band.name for band in scene.bands],
                "mask": scene.mask_scheme,
                "cloud_percent": scene.cloud_percent,
                **acquisition_properties(
                    scene.geometry, scene.processing_baseline, sensor_for(scene.platform)
                ),
                "provider": scene.provenance.provider,
                "source_ids": list(scene.provenance.source_ids),
                "simulated": scene.simulated,
                "content_sha": scene.content_sha,
            }
            for scene in scenes
        ]
    )
    output.table(
        ["acquired", "platform", "bands", "mask", "cloud %#", "orbit", "baseline", "id"],
        [
            (
                _when(scene),
                scene.platform,
                " ".join(band.name for band in scene.bands),
                scene.mask_scheme,
                "" if scene.cloud_percent is None else f"{scene.cloud_percent:.0f}",
                scene.geometry.orbit,
                scene.processing_baseline,
                scene.id,
            )
            for scene in scenes
        ],
    )
    output.line(f"{number_of(len(scenes), 'scene')}.")


@app.command("verify")
def verify(workspace: Workspace = HERE, json: Json = False, quiet: Quiet = False) -> None:
    """Read every pixel again and compare it with what was archived; exit code 1 when one differs."""
    from watch.cli.output import Output
    from watch.cli.progress import counted
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    archive = Folder.open(workspace).archive()
    with counted(output, "verify") as progress:
        faults = archive.verify(progress)
    output.document({"faults": [str(fault) for fault in faults]})
    for fault in faults:
        output.line(str(fault))
    output.line("Every scene is what it was." if not faults else f"{len(faults)} damaged scenes.")
    if faults:
        raise typer.Exit(1)


@app.command("prune")
def prune(
    scenes: Annotated[
        bool, typer.Option("--scenes", help="Also the scenes that touch no site of the catalogue.")
    ] = False,
    dry_run: DryRun = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Delete what is derived and what crashes left; scenes only with --scenes.

    Stacks and states are made again when they are needed.
    """
    from imagery.prune import prune as prune_archive
    from watch.cli.output import Output, number_of
    from watch.lock import writing
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    folder = Folder.open(workspace)
    with nullcontext() if dry_run else writing(folder.root):
        areas = [site.area for site in folder.catalogue() if site.area is not None] if scenes else None
        report = prune_archive(folder.archive(), keep_over=areas, dry_run=dry_run)
    output.document(
        {
            "dry_run": dry_run,
            "stacks": report.stacks,
            "leftovers": report.leftovers,
            "scenes": list(report.scene_ids),
            "paid_scenes": [scene.id for scene in report.paid],
            "freed_bytes": report.freed_bytes,
        }
    )
    output.table(
        ["acquired", "platform", "from", "id"],
        [(_when(scene), scene.platform, scene.provenance.provider, scene.id) for scene in report.scenes],
    )
    parts = ", ".join(
        number_of(count, noun)
        for count, noun in (
            (report.stacks, "stack"),
            (report.leftovers, "leftover"),
            (len(report.scene_ids), "scene"),
        )
    )
    if report.paid:
        output.note(
            f"{number_of(len(report.paid), 'scene')} came from a service: to have them again costs again."
        )
    verb = "would be deleted" if dry_run else "deleted"
    output.line(f"{parts} {verb}: {report.freed_bytes / 1e6:,.1f} MB.")


def _expand(paths: list[Path]) -> list[Path]:
    """Replace folders by the files in them whose name ends like a TIFF's."""
    found = []
    for path in paths:
        if path.is_dir():
            found += sorted(each for each in path.rglob("*") if each.suffix.lower() in {".tif", ".tiff"})
        else:
            found.append(path)
    return found


def _pairs(text: str | None) -> dict[str, str]:
    from imagery.errors import ImageError

    pairs = {}
    for item in (text or "").split(","):
        if not item.strip():
            continue
        old, equals, new = item.partition("=")
        if not equals:
            raise ImageError(f"--rename: {item!r} is not OLD=NEW")
        pairs[old.strip()] = new.strip()
    return pairs


def _when(scene: Any) -> str:  # noqa: ANN401 - a Scene or a PlannedScene
    from watch.cli.output import acquired_text

    return acquired_text(scene.acquired, day_only=scene.day_only)


def _print_plan(plan: Any, output: Any) -> None:  # noqa: ANN401 - IntakePlan and Output, imported lazily
    from watch.cli.output import number_of

    output.document({"would_add": [scene.id for scene in plan.scenes], "notes": list(plan.notes)})
    output.table(
        ["acquired", "platform", "bands", "mask", "id"],
        [
            (
                _when(scene),
                scene.platform,
                " ".join(band.file.name for band in scene.bands),
                scene.mask_scheme,
                scene.id,
            )
            for scene in plan.scenes
        ],
    )
    output.line(f"{number_of(len(plan.scenes), 'scene')} would be checked and added.")


def _print_report(report: Any, output: Any) -> None:  # noqa: ANN401 - AddReport and Output, imported lazily
    from watch.cli.output import number_of

    refused = [{"id": each.scene_id, "reason": str(each.error)} for each in report.refused]
    output.document({"new": list(report.new), "same": list(report.same), "refused": refused})
    for each in refused:
        output.note(f"refused: {each['id']}: {each['reason']}")
    added = number_of(len(report.new), "scene")
    output.line(f"{added} added, {len(report.same)} there already, {len(refused)} refused.")
