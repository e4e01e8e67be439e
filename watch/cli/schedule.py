"""`sitewatch schedule`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from watch.cli.options import HERE, Workspace

app = typer.Typer(name="schedule", help="Timer recipes around `run --due`.", no_args_is_help=True)


class Timer(StrEnum):
    """The timers that a recipe can be printed for."""

    CRON = "cron"


@app.callback()
def _schedule() -> None:
    """Timer recipes around `run --due`."""


@app.command("print")
def print_recipe(
    timer: Annotated[Timer, typer.Argument(help="The timer of your machine.")],
    hour: Annotated[
        int, typer.Option(help="Hour of the day, in the machine's time zone.", min=0, max=23)
    ] = 6,
    workspace: Workspace = HERE,
) -> None:
    """Print the lines that make a timer look at what is due and publish the map."""
    from watch.schedule import cron_lines
    from watch.workspace import Workspace as Folder

    recipes = {Timer.CRON: cron_lines}
    typer.echo(recipes[timer](Folder.open(workspace).root, hour=hour), nl=False)
