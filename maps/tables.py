"""What is on the pages for other programs: sites and detections as GeoJSON, notes and looks as tables.

Tables are UTF-8 with a byte order mark, without which spreadsheets garble hangul; a cell that a spreadsheet
would run as a formula begins with an apostrophe (OWASP, "CSV Injection").
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from shapely.geometry import mapping

from maps.blocks import json_bytes
from maps.safetext import clean
from maps.words import measurement_words
from sites.columns import quoted
from sites.features import write_feature
from sites.geojson import write_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from imagery.model import Detection
    from maps.view import MapView, SiteEntry
    from sites.observation import Observation, Source

NOTE_COLUMNS = (
    *("site", "site_name", "id", "date", "earliest", "latest", "kind", "text", "measured", "author"),
    *("expects", "likelihood", "confidence", "supersedes", "contradicts", "looks_say"),
    *("sources", "grades", "addresses"),
)
LOOK_COLUMNS = (
    *("site", "day", "until", "outcome", "series", "platform", "clear_fraction", "frame_clear_fraction"),
    *("mask", "history", "score", "threshold", "simulated", "reason"),
)
NO_SCENE = "NoScene"


def sites_geojson(view: MapView) -> bytes:
    """Return the sites with their notes, as `sitewatch sites add` reads them."""
    sites = [entry.site for entry in view.entries]
    about = {key: text for key, text in (("title", view.title), ("statement", view.statement)) if text}
    try:
        return write_document(sites, foreign=about)
    except TypeError:  # a lone surrogate, which UTF-8 can't hold
        features = [write_feature(site) for site in sorted(sites, key=lambda each: each.id)]
        return json_bytes({"type": "FeatureCollection", **about, "features": features})


def detections_geojson(view: MapView) -> bytes:
    """Return all detections; one whose outline is not told stands at no place."""
    features = [_detection(each, entry) for entry in view.entries for each in by_date(entry.detections)]
    return json_bytes({"type": "FeatureCollection", "features": features})


def by_date(found: Iterable[Detection]) -> list[Detection]:
    """Return detections in the order in which they were first seen."""
    return sorted(found, key=lambda each: (each.first_with, each.id))


def _detection(found: Detection, entry: SiteEntry) -> dict[str, Any]:
    return {
        "type": "Feature",
        "id": f"{entry.site.id}/{found.id}",
        "geometry": None if found.geometry.is_empty else mapping(found.geometry),
        "properties": {
            "site": entry.site.id,
            "detection": found.id,
            "state": str(found.state),
            "bracket": found.bracket,
            "date_interval_90": found.date_interval_90,
            "area_m2": found.area_m2,
            "area_interval_m2": found.area_interval_m2,
            "magnitude": found.magnitude,
            "p_value": found.p_value,
            "series": found.series,
            "looks_with": found.looks_with,
            "kind": found.kind,
            "flags": list(found.flags),
            "simulated": found.simulated,
            "analysts": entry.said.get(found.id, ""),
        },
    }


def notes_csv(view: MapView) -> bytes:
    """Return all notes, one a row, with the first and last day that each date allows."""
    return _csv(NOTE_COLUMNS, (_note(note, entry) for entry in view.entries for note in by_time(entry)))


def by_time(entry: SiteEntry) -> list[Observation]:
    """Return the notes of a site by date."""
    return sorted(entry.site.observations, key=lambda note: (note.date.sort_key(), note.id))


def _note(note: Observation, entry: SiteEntry) -> Sequence[object]:
    return (
        entry.site.id,
        entry.site.name,
        note.id,
        note.date.text,
        note.date.earliest,
        note.date.latest,
        note.kind,
        note.text,
        measurement_words(note.measurement),
        note.author,
        note.expects,
        note.likelihood,
        note.confidence,
        note.supersedes,
        " ".join(note.contradicts),
        entry.labels.get(note.id),
        "; ".join(each.outlet for each in note.sources),
        grades(note.sources),
        " ".join(each.url or "-" for each in note.sources),
    )


def grades(sources: Sequence[Source]) -> str:
    """Return the grades of sources in their order: ``B2 --``."""
    return " ".join(f"{each.reliability or '-'}{each.credibility or '-'}" for each in sources)


def looks_csv(view: MapView) -> bytes:
    """Return all looks, one a row, and the due windows without any image: the denominator of every claim."""
    return _csv(LOOK_COLUMNS, (row for entry in view.entries for row in look_rows(entry)))


def look_rows(entry: SiteEntry) -> Iterator[Sequence[object]]:
    """Yield a site's looks and empty windows by day, as `LOOK_COLUMNS`."""
    rows: list[tuple[object, ...]] = [
        (
            entry.site.id,
            look.solar_day,
            look.solar_day,
            str(look.outcome),
            look.series,
            look.platform,
            round(look.clear_fraction, 4),
            round(look.frame_clear_fraction, 4),
            look.mask_scheme,
            look.history,
            look.score,
            look.threshold,
            int(look.simulated),
            look.reason,
        )
        for look in entry.looks
    ]
    blank = ("", "", None, None, "", None, None, None, None, "no image at all in this window")
    rows += [(entry.site.id, each.start, each.end, NO_SCENE, *blank) for each in entry.no_scenes]
    yield from sorted(rows, key=lambda row: (row[1], str(row[3]), str(row[4])))


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    return quoted(clean(str(value))) if isinstance(value, str) else value
