"""What lies behind the places, as a profile allows it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from maps.profile import Kind, Left
from maps.view import Context
from sites.context import Event, Figure, Series

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet

    from maps.blurring import Blur


def readable_context(context: Context, gone: AbstractSet[str], blur: Blur) -> Context:
    """Return the figures, and the events that tell of nothing that readers don't get.

    Args:
        context: Everything that is known.
        gone: Ids of the sites and notes that are left out.
        blur: How places in texts are made coarse; its account gets what is left out.
    """
    kept = [event for event in context.events if not _tells_of(event, gone, blur)]
    return Context(
        tuple(_series(series, blur) for series in context.series),
        tuple(_event(event, blur) for event in kept),
    )


def _tells_of(event: Event, gone: AbstractSet[str], blur: Blur) -> bool:
    named = sorted({*event.sites, *event.notes} & gone)
    if named:
        why = "it tells of a site or note that is left out"
        blur.rows.append(Left(named[0], Kind.EVENT, event.id, why))
    return bool(named)


def _event(event: Event, blur: Blur) -> Event:
    return Event(
        event.id,
        event.date,
        blur.text(event.kind),
        blur.text(event.text),
        tuple(blur.source(replace(source, foreign={}), event.id) for source in event.sources),
        event.happened,
    )


def _series(series: Series, blur: Blur) -> Series:
    return Series(
        series.id,
        series.quantity,
        blur.text(series.place),
        series.unit,
        tuple(_figure(point, series.id, blur) for point in series.points),
    )


def _figure(point: Figure, series_id: str, blur: Blur) -> Figure:
    remark = None if point.remark is None else blur.text(point.remark)
    return Figure(
        point.date, point.value, blur.source(replace(point.source, foreign={}), series_id), point.flag, remark
    )
