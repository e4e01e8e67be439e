"""`sitewatch schedule`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watch.cli.options import HERE, Workspace

if TYPE_CHECKING:
    from watch.schedule import Recipe

app = typer.Typer(name="schedule", help="Timer recipes around `run --due`.", no_args_is_help=True)


class Timer(StrEnum):
    """The timers that a recipe can be printed for."""

    CRON = "cron"
    SYSTEMD = "systemd"
    GITHUB = "github"


@app.callback()
def _schedule() -> None:
    """Timer recipes around `run --due`."""


@app.command("print")
def print_recipe(
    timer: Annotated[Timer, typer.Argument(help="The timer of your machine.")],
    hour: Annotated[
        int, typer.Option(help="Hour of the day; the minute is the workspace's own.", min=0, max=23)
    ] = 6,
    zone: Annotated[
        str,
        typer.Option(metavar="NAME", help="Time zone of the hour, e.g. Asia/Pyongyang; else the timer's."),
    ] = "",
    jitter: Annotated[str, typer.Option(metavar="ISO", help="Start up to so much later.")] = "PT15M",
    deadline: Annotated[str, typer.Option(metavar="ISO", help="Begin no site after this long.")] = "PT4H",
    pull: Annotated[bool, typer.Option("--pull", help="Have each run pull images first.")] = False,
    notify: Annotated[
        bool,
        typer.Option("--notify", help="Have each run send word of what is new; see notify."),
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write the files into this folder instead.", show_default=False),
    ] = None,
    workspace: Workspace = HERE,
) -> None:
    """Print what makes a timer look at what is due and publish the map.

    A cron line; a service and a timer of a user's systemd; a workflow of GitHub Actions for a repository that
    is the workspace. Nothing secret is written: the workflow names its secrets, the others find their file.
    """
    from geo.durable import write_text
    from watch.periods import parse_period
    from watch.schedule import Recipe, recipe_files
    from watch.timetable import zone_named
    from watch.workspace import Workspace as Folder

    if zone:
        zone_named(zone)
    recipe = Recipe(
        Folder.open(workspace).root,
        hour=hour,
        zone=zone,
        jitter=parse_period(jitter, "--jitter"),
        deadline=parse_period(deadline, "--deadline"),
        pull=pull,
        notify=notify,
    )
    folder, files = _files(timer, recipe)
    if out is not None:
        for name, text in files.items():
            write_text(out / name, text)
            typer.echo(str(out / name))
    elif timer is Timer.CRON:
        typer.echo("".join(files.values()), nl=False)
    else:
        typer.echo(recipe_files(files, folder), nl=False)


def _files(timer: Timer, recipe: Recipe) -> tuple[str, dict[str, str]]:
    """Return where files of a timer belong, and the files by name."""
    from datetime import UTC, datetime

    from watch.github import WORKFLOW_FOLDER, github_workflow
    from watch.schedule import cron_lines
    from watch.systemd import UNIT_FOLDER, systemd_units

    match timer:
        case Timer.CRON:
            return "", {f"{recipe.name}.cron": cron_lines(recipe)}
        case Timer.SYSTEMD:
            return UNIT_FOLDER, systemd_units(recipe)
        case Timer.GITHUB:
            return WORKFLOW_FOLDER, {"sitewatch.yml": github_workflow(recipe, datetime.now(UTC).year)}
