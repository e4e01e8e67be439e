"""`sitewatch ledger`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.options import HERE, AssumeClear, Json, Quiet, Workspace, parse_instant

if TYPE_CHECKING:
    from watch.ledger import Ledger

PARTLY_DONE = 3

app = typer.Typer(name="ledger", help="The store of looks and detections.", no_args_is_help=True)


@app.command("info")
def info(workspace: Workspace = HERE, json: Json = False, quiet: Quiet = False) -> None:
    """Show where the ledger is, its version, and how much is in it."""
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    with Folder.open(workspace).ledger() as ledger:
        found = _facts(ledger)
    output.document(found)
    for name, value in found.items():
        output.line(f"{name.replace('_', ' ')}: {'none' if value is None else value}")


@app.command("upgrade")
def upgrade(workspace: Workspace = HERE, json: Json = False, quiet: Quiet = False) -> None:
    """Bring the ledger's tables up to date, in one transaction; a file does so when it is opened."""
    from watch.cli.output import Output
    from watch.ledger import Ledger as Store
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    before, after = Store.upgrade(Folder.open(workspace).ledger_place)
    output.document({"before": before, "after": after})
    was = "made" if before is None else "up to date" if before == after else f"brought up from {before}"
    output.line(f"The ledger has version {after}: {was}.")


@app.command("rebuild")
def rebuild(
    now: Annotated[
        str | None,
        typer.Option(metavar="T", help="Where no ledger says it: look at scenes up to T (ISO 8601)."),
    ] = None,
    assume_clear: AssumeClear = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make the ledger again from archive, catalogue and settings, and put it in place at once.

    Looks whose images or place are gone are taken over as they are. Reviews and spend are files and stay.
    Exit code 3: a look could not be made.
    """
    from watch.cli.output import Output, number_of
    from watch.cli.progress import drawn
    from watch.rebuild import rebuild as made_again
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    with drawn(output) as progress:
        done = made_again(
            Folder.open(workspace),
            now=None if now is None else parse_instant(now),
            assume_clear=assume_clear or None,
            progress=progress,
        )
    output.document(
        {
            "sites": done.sites,
            "judged": done.judged,
            "failed": done.failed,
            "carried": done.carried,
            "damaged": None if done.damaged is None else str(done.damaged),
        }
    )
    output.line(
        f"{number_of(done.judged, 'look')} at {number_of(done.sites, 'site')} judged anew, "
        f"{done.failed:,} of which could not be made; {done.carried:,} taken over."
    )
    if done.damaged is not None:
        output.line(f"What could not be read is in {done.damaged}.")
    if done.failed:
        raise typer.Exit(PARTLY_DONE)


def _facts(ledger: Ledger) -> dict[str, Any]:
    import sqlalchemy as sa

    from watch.ledger_tables import DETECTIONS, EXAMINED, LOOKS, NO_SCENES, RUNS
    from watch.ledger_versions import SCHEMA_VERSION

    def one(*columns: Any) -> tuple[Any, ...]:  # noqa: ANN401 - columns and counts
        return ledger.answer(sa.select(*columns))[0]

    def count(table: sa.Table) -> int:
        return int(ledger.answer(sa.select(sa.func.count()).select_from(table))[0][0])

    first, last = one(sa.func.min(LOOKS.c.solar_day), sa.func.max(LOOKS.c.solar_day))
    (run,) = one(sa.func.max(RUNS.c.now))
    return {
        "place": ledger.place,
        "version": SCHEMA_VERSION,
        "sites_examined": count(EXAMINED),
        "looks": count(LOOKS),
        "first_look": None if first is None else str(first),
        "last_look": None if last is None else str(last),
        "windows_without_a_scene": count(NO_SCENES),
        "detections": count(DETECTIONS),
        "runs": count(RUNS),
        "last_run": None if run is None else f"{run.isoformat()}Z",
    }
