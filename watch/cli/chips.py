"""`sitewatch chips`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace

if TYPE_CHECKING:
    from datetime import date

PARTLY_DONE = 3

app = typer.Typer(name="chips", help="A site's images, cut to its frame.", no_args_is_help=True)


@app.callback()
def _chips() -> None:
    """A site's images, cut to its frame."""


@app.command("export")
def export(
    site: Annotated[str, typer.Argument(help="Id of the site.")],
    day: Annotated[
        list[str] | None,
        typer.Option(metavar="DAY", help="A day that is wanted. Repeatable.", show_default=False),
    ] = None,
    span: Annotated[
        str | None,
        typer.Option(metavar="A/B", help="All images of these days, both included.", show_default=False),
    ] = None,
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder of the files.")] = Path("chips"),
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Write images of a site as GeoTIFFs and as captioned PNGs; those that the pages show if none is named.

    Both say which site and day they are of, whose pixels they hold, and whether they are simulated. Exit
    code 3: some could not be read.
    """
    from watch.chip_export import export_chips
    from watch.cli.options import closed_span
    from watch.cli.output import Output, number_of
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    days = [_day(text) for text in day or ()]
    asked = None if span is None else closed_span(span)
    done = export_chips(Folder.open(workspace), site, out, days=days, span=asked)
    output.document(
        {
            "site": done.site_id,
            "chips": [
                {
                    "solar_day": str(each.solar_day),
                    "series": each.series,
                    "simulated": each.simulated,
                    "geotiff": str(each.geotiff),
                    "picture": str(each.picture),
                }
                for each in done.files
            ],
            "missing": list(done.missing),
        }
    )
    for problem in done.missing:
        output.note(f"not written: {problem}")
    for each in done.files:
        output.line(f"{each.geotiff} and {each.picture.name}{' (SIMULATED)' if each.simulated else ''}")
    output.line(f"{number_of(len(done.files), 'image')} of {done.site_id} written to {out}.")
    if done.missing:
        raise typer.Exit(PARTLY_DONE)


def _day(text: str) -> date:
    from datetime import date

    from geo.errors import DateError, Where

    try:
        return date.fromisoformat(text)
    except ValueError as error:
        problem = f"{text!r} is not a day"
        raise DateError(problem, where=Where(field="--day"), hint="Write it like 2016-06-27") from error
