"""`sitewatch init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from watch.cli.options import Json, Quiet


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.", show_default=False)],
    title: Annotated[str, typer.Option(help="Title of the published pages.")] = "Sites watched from orbit",
    empty: Annotated[bool, typer.Option("--empty", help="Leave the built-in catalogue out.")] = False,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a workspace: settings, the built-in catalogue, an empty archive."""
    from watch.cli.output import Output
    from watch.workspace import Workspace

    output = Output(json, quiet)
    workspace = Workspace.create(folder, title=title, builtin=not empty)
    count = len(workspace.catalogue())
    output.document({"workspace": str(workspace.root), "sites": count})
    output.line(f"Made a workspace in {workspace.root} with {count} sites.")
    output.line("Next: sitewatch archive add IMAGE... --acquired DATE, then sitewatch run and sitewatch map.")
