"""`sitewatch series`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.elevation import charge_json
from watch.cli.options import HERE, DryRun, Json, Quiet, Workspace, closed_span

if TYPE_CHECKING:
    from imagery.sentinelhub.statistics import Series, StatisticsRequest
    from sites.model import Site
    from watch.budget import SpendJournal
    from watch.cli.output import Output

PARTLY_DONE = 3


def series(
    site: Annotated[str, typer.Argument(help="Id of the site.")],
    span: Annotated[
        str, typer.Option(metavar="A/B", help="UTC days, both included: 2018/2021, or 2021.")
    ] = ...,  # type: ignore[assignment]  # typer's way to say that an option must be given
    index: Annotated[
        str, typer.Option(metavar="NAME", help="ndvi, ndwi, nbr, brightness, or a band such as swir16.")
    ] = "ndvi",
    interval: Annotated[str, typer.Option(metavar="PnD", help="Length of an interval, whole days.")] = "P10D",
    product: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="sentinel-2-l2a or landsat-ot-l2; the one in sitewatch.toml."),
    ] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write the table there, too.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw it there as PNG, too.")] = None,
    dry_run: DryRun = False,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Print a long series of an index over a site's footprint, interval by interval, for little.

    Sentinel Hub counts the clear pixels of the least cloudy pass of each interval; no image is pulled and
    nothing is kept, so each call is paid for. The cost is printed before, the spend after. An interval
    without a number says why. Exit code 3: the service failed on an interval; 4: the budget is used up.
    """
    from geo.dates import parse_duration
    from watch.cli.output import Output
    from watch.connection import connected
    from watch.series import SeriesOptions, series_request
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    folder = Folder.open(workspace)
    options = SeriesOptions(closed_span(span), index, parse_duration(interval))
    with connected(folder, os.environ, product=product) as connection:
        found, request = series_request(folder, connection.hub, site, options)
        output.note(_announcement(request))
        if dry_run:
            output.document(_document(found, request, None, connection.journal))
            return
        measured = connection.hub.statistics(request)
        output.document(_document(found, request, measured, connection.journal))
        _print(measured, output, connection.journal)
    _write(found, measured, csv, plot)
    if any(each.error for each in measured.statistics):
        raise typer.Exit(PARTLY_DONE)


def _announcement(request: StatisticsRequest) -> str:
    estimate = request.estimate
    return (
        f"{len(request.intervals)} intervals of {request.pixels:,} pixels: at most {estimate.requests} "
        f"requests and {estimate.processing_units:.2f} processing units."
    )


def _document(
    site: Site, request: StatisticsRequest, measured: Series | None, journal: SpendJournal
) -> dict[str, Any]:
    measure = request.measure
    return {
        "site": site.id,
        "product": request.product.name,
        "index": measure.name,
        "unit": measure.unit,
        "pixels": request.pixels,
        "pixel_side_m": request.frame.side_m,
        "credit": request.product.credit.format(year=f"{request.span.start.year}-{request.span.end.year}"),
        "estimate": charge_json(request.estimate),
        "spent": charge_json(journal.spent_here()),
        "spent_this_month": charge_json(journal.spent()),
        "intervals": [
            {
                "from": each.start.isoformat(),
                "to": each.end.isoformat(),
                "mean": each.mean,
                "stdev": each.stdev,
                "min": each.lowest,
                "max": each.highest,
                "clear_pixels": each.clear,
                "pixels": each.pixels,
                "gap": each.gap,
            }
            for each in (measured.statistics if measured is not None else ())
        ],
    }


def _print(measured: Series, output: Output, journal: SpendJournal) -> None:
    from watch.series import series_rows

    measure = measured.measure
    unit = "" if measure.unit == "1" else f", {measure.unit}"
    output.line(f"{measure.title}{unit}; {measured.product}, UTC days")
    columns = ["from", "to", "mean#", "stdev#", "min#", "max#", "clear px#", "of px#", "gap"]
    output.table(columns, list(series_rows(measured, digits=3)))
    known = sum(not each.gap for each in measured.statistics)
    spent, month = journal.spent_here(), journal.spent()
    output.line(
        f"{known} of {len(measured.statistics)} intervals have numbers; {spent.requests} requests and "
        f"{spent.processing_units:.2f} processing units spent, {month.processing_units:.2f} this month."
    )


def _write(site: Site, measured: Series, csv: Path | None, plot: Path | None) -> None:
    from geo.durable import write_bytes, write_text
    from maps.series_plot import PlotPoint, series_png
    from watch.series import series_csv

    if csv is not None:
        write_text(csv, series_csv(measured))
    if plot is not None:
        points = [
            PlotPoint((each.start + (each.end - each.start) / 2).date(), each.mean, each.stdev or 0.0)
            for each in measured.statistics
        ]
        title = f"{site.id}: {measured.measure.title}"
        write_bytes(plot, series_png(points, title=title, unit=measured.measure.unit))
