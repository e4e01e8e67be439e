"""A site's series of numbers from the service's statistics: cheap, long, and of clear pixels alone."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from geo.errors import InputError
from imagery.sentinelhub.statistics import DEFAULT_INTERVAL, statistics_request
from watch.search import site_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.dates import Span
    from imagery.sentinelhub.provider import SentinelHub
    from imagery.sentinelhub.statistics import Series, StatisticsRequest
    from sites.model import Site
    from watch.workspace import Workspace

COLUMNS = ("from", "to", "mean", "stdev", "min", "max", "clear_pixels", "pixels", "gap")
"""Of the CSV file; numbers are in the measure's unit, days are UTC and both included."""


@dataclass(frozen=True, slots=True)
class SeriesOptions:
    """What is to be measured."""

    span: Span
    """UTC days, both included."""
    measure: str = "ndvi"
    """An index or a band's canonical name."""
    interval: timedelta = DEFAULT_INTERVAL


def series_request(
    workspace: Workspace, hub: SentinelHub, site_id: str, options: SeriesOptions
) -> tuple[Site, StatisticsRequest]:
    """Return a site and what would be asked of its footprint; nothing is asked.

    Raises:
        UnknownSiteError: No such site.
        InputError: The site is not placed.
        ImageError: The product has no such measure, or no pixel lies inside the footprint.
    """
    site = workspace.catalogue().get(site_id)
    if site.area is None:
        raise InputError(f"site {site.id!r} is {site.watch_reason}", hint="Give it a geometry first")
    grid = site_frame(workspace, site.id, resolution_m=hub.product.resolution_m)
    request = statistics_request(
        hub.product, grid, options.span, options.measure, interval=options.interval, area=site.area
    )
    return site, request


def series_csv(series: Series) -> str:
    """Return a series as CSV, a gap with empty numbers and its reason."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(series_rows(series, digits=6))
    return stream.getvalue()


def series_rows(series: Series, *, digits: int) -> Iterator[tuple[str, ...]]:
    """Yield the statistics as text in the order of `COLUMNS`; what is not known is empty."""
    for each in series.statistics:
        numbers = (each.mean, each.stdev, each.lowest, each.highest)
        last = each.end - timedelta(days=1)
        yield (
            f"{each.start:%Y-%m-%d}",
            f"{last:%Y-%m-%d}",
            *("" if number is None else f"{number:.{digits}f}" for number in numbers),
            str(each.clear),
            str(each.pixels),
            each.gap,
        )
