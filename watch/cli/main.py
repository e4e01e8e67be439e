"""The command `sitewatch`.

Each command module imports what it needs inside the command, so that ``--help`` answers at once; a test
holds the list of packages that must not be imported on the way.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from watch.cli import (
    additions,
    archive,
    backup,
    chips,
    context,
    coverage,
    demo,
    detect,
    doctor,
    editing,
    evaluate,
    init,
    ledger,
    looks,
    notes,
    notify,
    pages,
    pull,
    regions,
    restore,
    review,
    run,
    schedule,
    search,
    series,
    simulate,
    sites,
    upgrade,
    verify,
)

app = typer.Typer(
    name="sitewatch",
    help="Watch places from orbit: what changed, between which two dates, how big and how sure.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"sitewatch {version('sitewatch')}")
        raise typer.Exit


@app.callback()
def _sitewatch(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Watch places from orbit: what changed, between which two dates, how big and how sure."""


app.command()(init.init)
app.command()(demo.demo)
app.command()(simulate.simulate)
app.command()(doctor.doctor)
app.add_typer(sites.app)
sites.app.command("add")(additions.add)
sites.app.command("place")(editing.place)
sites.app.command("edit")(editing.edit)
sites.app.command("rename")(editing.rename)
sites.app.command("retire")(editing.retire)
app.add_typer(notes.app)
app.add_typer(context.app)
app.add_typer(archive.app)
app.command()(search.search)
app.command()(pull.pull)
app.command()(series.series)
app.command()(detect.detect)
app.command()(run.run)
app.command()(looks.looks)
app.command()(coverage.coverage)
app.command()(regions.regions)
app.add_typer(ledger.app)
app.add_typer(review.app)
app.command()(notify.notify)
app.command()(evaluate.evaluate)
app.command("map")(pages.site_map)
app.add_typer(chips.app)
app.add_typer(schedule.app)
app.command()(upgrade.upgrade)
app.command()(backup.backup)
app.command()(restore.restore)
app.command()(verify.verify)


def main() -> None:
    """Run the command line; the exit code says how it went (see `docs/commands.md`)."""
    from geo.errors import SitewatchError

    try:
        app()
    except SitewatchError as error:
        from watch.cli.output import printable

        sys.stderr.write(f"sitewatch: {printable(str(error))}\n")
        sys.exit(error.exit_code)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            _close_stdout()
        else:
            where = f": {error.filename}" if error.filename else ""
            sys.stderr.write(f"sitewatch: {error.strerror or error}{where}\n")
        sys.exit(1)


def _close_stdout() -> None:
    """Point stdout elsewhere once its reader has gone, so that the flush at exit can't fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
