"""What lies behind the places, as lanes along a page's time axis: figures and dated events.

Figures keep their own dates, flags and sources; nothing is filled in between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from maps.data_block import web_address
from maps.timeline import extent

if TYPE_CHECKING:
    from maps.view import Context
    from sites.context import Event, Series
    from sites.observation import Source


def context_block(context: Context) -> dict[str, Any]:
    """Return the block ``sitewatch-context``; dates as in `maps.timeline`: start, length, code, text."""
    return {
        "series": [_series(each) for each in context.series],
        "events": [_event(each) for each in context.events],
    }


def _series(series: Series) -> dict[str, Any]:
    sources = {point.source: _source(point.source) for point in series.points}
    places = {source: number for number, source in enumerate(sources)}
    points = [
        [
            *extent(point.date).row,
            point.date.text,
            point.value,
            places[point.source],
            "" if point.flag is None else point.flag.replace("_", " "),
            point.remark or "",
        ]
        for point in sorted(series.points, key=lambda point: point.date.sort_key())
    ]
    return {
        "id": series.id,
        "quantity": series.quantity.replace("_", " "),
        "place": series.place,
        "unit": series.unit,
        "points": points,
        "sources": list(sources.values()),
    }


def _event(event: Event) -> dict[str, Any]:
    return {
        "id": event.id,
        "days": [*extent(event.date).row, event.date.text],
        "kind": event.kind.replace("_", " "),
        "text": event.text,
        "happened": str(event.happened),
        "sources": [_source(source) for source in event.sources],
    }


def _source(source: Source) -> dict[str, str]:
    words = ", ".join(
        part for part in (source.outlet, source.title, source.published and source.published.text) if part
    )
    return {"words": words, "url": web_address(source.url)}
