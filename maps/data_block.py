"""What a page carries as plain values: the index of all sites, and the details of each.

Catalogue text enters a page here and nowhere else; the page's script shows it as text.
"""

from __future__ import annotations

import math
from datetime import UTC
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from imagery.model import NO_MASK, Outcome
from maps.facts import placing_words, site_facts
from maps.site_index import DEGREES, index_block
from maps.symbols import SYMBOLS
from maps.timeline import detection_order, note_order
from maps.words import count_outcomes, looks_summary, measurement_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shapely.geometry import Point
    from shapely.geometry.base import BaseGeometry

    from imagery.model import Detection, Look
    from maps.view import MapView, SiteEntry
    from sites.model import Site
    from sites.observation import Observation, Source

OUTCOMES = (*Outcome, "NoScene")
"""Looks name their outcome by its position here."""


def view_block(view: MapView) -> dict[str, Any]:
    """Return what a page needs at once: all but details and pixels."""
    counts = count_outcomes(view.entries)
    return {
        "title": view.title,
        "made": view.made.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "statement": view.statement,
        "thresholds": list(view.thresholds),
        "dossiers": view.dossiers,
        "files": [list(each) for each in view.files],
        "outcomes": [str(outcome) for outcome in OUTCOMES],
        "counts": {str(outcome): counts[str(outcome)] for outcome in OUTCOMES},
        "symbols": {
            str(category): {"label": item.label, "colour": item.colour, "path": item.path}
            for category, item in SYMBOLS.items()
        },
        "tiles": [
            {"template": each.template, "host": each.host, "credit": each.credit} for each in view.tiles
        ],
        "sites": index_block(view),
    }


def site_details(entry: SiteEntry) -> dict[str, Any]:
    """Return what the panel of one site shows beside its row in the index."""
    site = entry.site
    return {
        "accuracy": placing_words(entry),
        "facts": [list(row) for row in site_facts(entry)[1:]],  # the index has the coordinates
        "watch": entry.watch_reason,
        "area": _rings(entry.area, site.point),
        "summary": list(looks_summary(entry)),
        **_filled(
            notes=[_note(note, entry) for note in sorted(site.observations, key=note_order)],
            looks=[
                _look(look) for look in sorted(entry.looks, key=lambda look: (look.solar_day, look.series))
            ],
            gaps=[[window.start.isoformat(), window.end.isoformat()] for window in entry.no_scenes],
            detections=[_detection(item, entry) for item in sorted(entry.detections, key=detection_order)],
            latest=entry.latest is not None,
        ),
    }


def _note(note: Observation, entry: SiteEntry) -> dict[str, Any]:
    return _filled(
        date=note.date.text,
        text=note.text,
        kind=str(note.kind),
        author=note.author,
        size=measurement_words(note.measurement),
        looks=entry.labels.get(note.id),
        marks=_marks(note, entry.site),
        sources=[_source(source) for source in note.sources],
    )


def _filled(**members: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON values
    """Return the members that say something: a catalogue of 100,000 notes leaves most of them empty."""
    return {name: value for name, value in members.items() if value}


def _marks(note: Observation, site: Site) -> list[str]:
    dates = {other.id: other.date.text for other in site.observations}
    marks = ["private: not for readers"] if note.private else []
    marks += [f"replaced by the note of {o.date.text}" for o in site.observations if o.supersedes == note.id]
    marks += [f"contradicts the note of {dates[other]}" for other in note.contradicts if other in dates]
    if note.likelihood is not None:
        marks.append(str(note.likelihood).replace("_", " "))
    if note.confidence is not None:
        marks.append(f"{note.confidence} confidence")
    return marks


def _source(source: Source) -> dict[str, Any]:
    grade = f"{source.reliability or '-'}{source.credibility or '-'}"
    return _filled(
        outlet=source.outlet,
        title=source.title,
        author=source.author,
        published=source.published and source.published.text,
        url=web_address(source.url),
        archive=web_address(source.archive_url),
        grade="" if grade == "--" else grade,
    )


def web_address(url: str | None) -> str:
    """Return `url` if a reader may follow it, else nothing: http or https, with a host and no password."""
    if url is None or url != url.strip():
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    safe = parts.scheme in {"http", "https"} and parts.hostname and not parts.username and not parts.password
    return url if safe else ""


def _look(look: Look) -> list[Any]:
    return [
        look.solar_day.isoformat(),
        OUTCOMES.index(look.outcome),
        look.platform,
        look.reason,
        _finite(look.clear_fraction),
        int(look.simulated),
        int(look.mask_scheme != NO_MASK),
    ]


def _detection(detection: Detection, entry: SiteEntry) -> dict[str, Any]:
    return {
        "id": detection.id,
        "state": str(detection.state),
        "bracket": detection.bracket,
        "without": detection.last_without.isoformat(),
        "with": detection.first_with.isoformat(),
        "looks": detection.looks_with,
        **_filled(
            days=detection.date_interval_90.split("/") if detection.date_interval_90 else None,
            kind=detection.kind,
            area_interval=[_finite(each) for each in detection.area_interval_m2 or ()],
            flags=list(detection.flags),
        ),
        "area_m2": _finite(detection.area_m2),
        "magnitude": _finite(detection.magnitude),
        "p_value": None if detection.p_value is None else _finite(detection.p_value),
        "discovery": None if detection.surety is None else detection.surety.discovery,
        **_filled(sure=_sure(detection)),
        "series": detection.series,
        "simulated": detection.simulated,
        "rings": _rings(detection.geometry, entry.site.point),
        "picture": entry.album is not None and detection.id in entry.album.pairs,
        **_filled(said=entry.said.get(detection.id)),
    }


def _sure(detection: Detection) -> list[str]:
    """Return what its p-value is of, where there is one, and what came of its test."""
    surety = detection.surety
    if surety is None:
        return []
    among = f"{surety.count:,} quiet looks ({surety.stratum}); {surety.source}" if surety.source else ""
    return [surety.words, among]


def _finite(value: float) -> float | None:
    return float(f"{value:.4g}") if math.isfinite(value) else None


def _rings(geometry: BaseGeometry | None, anchor: Point | None) -> list[list[int]]:
    """Return the outer and inner rings of all polygons as steps of 1e-6 degrees, lat before lon.

    A ring is ``lat, lon, lat, lon, ...``, each point as its distance from the one before it, the first
    from `anchor` (from 0, 0 where there is none): a tenth of the bytes of the same as degrees.
    """
    if geometry is None or geometry.is_empty:
        return []
    start = (0, 0) if anchor is None else (round(anchor.y * DEGREES), round(anchor.x * DEGREES))
    polygons = [part for part in getattr(geometry, "geoms", [geometry]) if part.geom_type == "Polygon"]
    rings = [ring for polygon in polygons for ring in (polygon.exterior, *polygon.interiors)]
    return [_steps(ring.coords, start) for ring in rings]


def _steps(coords: Iterable[tuple[float, ...]], start: tuple[int, int]) -> list[int]:
    steps: list[int] = []
    last_y, last_x = start
    for x, y, *_ in coords:
        here_y, here_x = round(y * DEGREES), round(x * DEGREES)
        steps += (here_y - last_y, here_x - last_x)
        last_y, last_x = here_y, here_x
    return steps
