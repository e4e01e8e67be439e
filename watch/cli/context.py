"""`sitewatch context`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace

if TYPE_CHECKING:
    from sites.context import Series
    from watch.cli.output import Output

_DOUBT = {"yes": "", "no": " (did not happen)", "unknown": " (unconfirmed)"}

app = typer.Typer(name="context", help="Figures and events behind the places.", no_args_is_help=True)


@app.command("series")
def series(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[SERIES]", help="Id, or a part of ids; none lists all.", show_default=False),
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List series of figures (prices, exchange rates, trade), or show one with its sources and flags."""
    from sites.context import SERIES, read_series
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    found = [each for each in read_series(Folder.open(workspace).catalogue_path) if (name or "") in each.id]
    output.document([SERIES.write(each) for each in found])
    if len(found) == 1:
        _show(found[0], output)
    else:
        output.table(
            ["id", "place", "unit", "figures#"],
            [(each.id, each.place, each.unit, len(each.points)) for each in found],
        )
    output.line(f"{len(found)} series, {sum(len(each.points) for each in found)} figures.")


@app.command("events")
def events(
    span: Annotated[
        str | None,
        typer.Option(metavar="A/B", help="Only events that may fall into this time.", show_default=False),
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """List dated events: border closures and reopenings, rail freight, sanctions."""
    from geo.dates import parse_span
    from sites.context import EVENT, read_events
    from watch.cli.output import Output
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    wanted = None if span is None else parse_span(span)
    found = [
        event
        for event in read_events(Folder.open(workspace).catalogue_path)
        if wanted is None or event.date.overlaps(wanted)
    ]
    output.document([EVENT.write(event) for event in found])
    output.table(
        ["date", "kind", "what", "sources"],
        [
            (
                event.date,
                event.kind + _DOUBT[event.happened],
                event.text,
                "; ".join(source.outlet for source in event.sources),
            )
            for event in found
        ],
    )
    output.line(f"{len(found)} events.")


def _show(found: Series, output: Output) -> None:
    output.line(f"{found.quantity}, {found.place}, in {found.unit}")
    output.table(
        ["date", "value#", "flag", "source", "remark"],
        [
            (
                point.date,
                f"{point.value:g}",
                point.flag,
                f"{point.source.outlet}, {point.source.published or 'undated'}",
                point.remark,
            )
            for point in found.points
        ],
    )
