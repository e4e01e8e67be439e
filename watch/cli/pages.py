"""`sitewatch map`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace

if TYPE_CHECKING:
    from maps.profile import LeftOut
    from maps.tiles import Tiles
    from watch.cli.output import Output
    from watch.publish import Preview, Published

_NOUNS = {"medium": "media file", "author": "author's name", "member": "foreign member"}


def site_map(
    sites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[SITE]...",
            help="Only these sites, on all pages; all when none is named.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the pages; the workspace's public/ when absent.", show_default=False),
    ] = None,
    single_file: Annotated[
        bool, typer.Option("--single-file", help="Write index.html alone, with everything inside.")
    ] = False,
    no_dossiers: Annotated[
        bool, typer.Option("--no-dossiers", help="Leave out the page of each site.")
    ] = False,
    chips: Annotated[
        int, typer.Option(metavar="N", min=1, help="Pictures a site, beyond those that detections need.")
    ] = 12,
    formats: Annotated[
        str | None,
        typer.Option(
            metavar="LIST",
            help="Files beside the pages: geojson,csv,kmz,gpkg,atom, or none. All when absent; with "
            "--single-file none.",
            show_default=False,
        ),
    ] = None,
    publish: Annotated[
        str | None,
        typer.Option(
            metavar="PROFILE",
            help="What readers may see: full, public, or a [publish.NAME] of the settings.",
            show_default=False,
        ),
    ] = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Tell what the profile leaves out; write no page.")
    ] = False,
    tiles: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="Tiles that readers may switch on: https://HOST/{z}/{x}/{y}.png; may be given again.",
            show_default=False,
        ),
    ] = None,
    tiles_credit: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="Whose the tiles are: one for each --tiles.", show_default=False),
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the map of all sites and a dossier for each; print the map's path.

    The folder holds index.html, sites/ID.html for each site, the same as files for other programs (data/,
    sitewatch.kmz, sitewatch.gpkg, atom.xml) and manifest.json. It changes whole or not at
    all; only pages whose content changed are written again, pages of sites that are gone are removed, and
    files that sitewatch did not write are never touched.
    """
    from watch.cli.output import Output
    from watch.cli.progress import counted
    from watch.publish import Preview, PublishOptions
    from watch.publish import preview as look_ahead
    from watch.publish import publish as write
    from watch.publish_data import parse_formats
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    options = PublishOptions(
        single_file=single_file,
        dossiers=not no_dossiers,
        sites=tuple(sites or ()),
        chips=chips,
        profile=publish,
        formats=None if formats is None else parse_formats(formats),
        tiles=_tiles(tiles or [], tiles_credit or []),
    )
    folder = Folder.open(workspace)
    with counted(output, "Pages") as progress:
        done = (
            look_ahead(folder, options=options, progress=progress)
            if preview
            else write(folder, out, options=options, progress=progress)
        )
    if isinstance(done, Preview):
        _print_preview(done, output)
    else:
        _print(done, output)


def _tiles(templates: list[str], credits_: list[str]) -> tuple[Tiles, ...]:
    from maps.tiles import Tiles

    if len(templates) != len(credits_):
        message = f"{len(templates)} --tiles and {len(credits_)} --tiles-credit: each needs its own"
        raise typer.BadParameter(message, param_hint="--tiles-credit")
    return tuple(map(Tiles, templates, credits_))


def _print(done: Published, output: Output) -> None:
    from watch.cli.output import number_of

    files = done.files
    output.document(
        {
            "index": str(done.index),
            "sites": len(done.view.entries),
            "dossiers": done.dossiers,
            "written": list(files.written),
            "kept": files.kept,
            "removed": list(files.removed),
            "left": list(files.left),
            "missing": list(done.missing),
            "profile": done.view.profile,
            "left_out": done.left.counts,
        }
    )
    for problem in done.missing:
        output.note(f"no picture: {problem}")
    for path in files.left:
        output.note(f"no longer published, and left because somebody changed it: {path}")
    if done.left.rows:
        output.note(f"left out by {done.view.profile!r}: {_counted(done.left)}; see --preview")
    private = sum(note.private for entry in done.view.entries for note in entry.site.observations)
    if private:
        told = number_of(private, "private note")
        output.note(
            f"{told} on these pages, by profile {done.view.profile!r}: --publish public leaves them out"
        )
    if done.view.profile != "full" and done.notify_feed:
        output.note(f"{done.notify_feed} is written by notify and follows no profile: keep it from readers")
    written = number_of(len(files.written), "file")
    output.note(f"{written} written, {files.kept:,} as they were, {len(files.removed):,} removed.")
    output.line(str(done.index))


def _print_preview(done: Preview, output: Output) -> None:
    from watch.cli.output import number_of

    view, left = done.view, done.left
    output.document(left.to_json() | {"sites": len(view.entries)})
    output.table(
        ["site", "what", "which", "why"], [(row.site, row.kind, row.id, row.why) for row in left.rows]
    )
    stay = number_of(len(view.entries), "site")
    output.line(f"{left.profile}: {_counted(left) or 'nothing'} left out, {stay} kept. No page was written.")


def _counted(left: LeftOut) -> str:
    from watch.cli.output import number_of

    return ", ".join(number_of(count, _NOUNS.get(kind, kind)) for kind, count in left.counts.items())
