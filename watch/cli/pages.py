"""`sitewatch map`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace


def site_map(
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the pages; the workspace's public/ when absent.", show_default=False),
    ] = None,
    chips: Annotated[
        int, typer.Option(metavar="N", min=1, help="Pictures a site, beyond those that detections need.")
    ] = 12,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write the map of all sites with their notes, looks and detections; print its path."""
    from watch.cli.output import Output
    from watch.publish import publish
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    done = publish(Folder.open(workspace), out, chips=chips)
    output.document(
        {"index": str(done.index), "sites": len(done.view.entries), "missing": list(done.missing)}
    )
    for problem in done.missing:
        output.note(f"no picture: {problem}")
    output.line(str(done.index))
