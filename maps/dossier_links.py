"""What leads out of a dossier: the same place elsewhere, and everything on the page as files.

Files are data: links with a name to save them under. They are in the page itself, so they are there wherever
the page goes, also from a disk, where a browser reads no file beside it.
"""

from __future__ import annotations

import base64
import csv
import io
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import orjson
from shapely.geometry import mapping

from imagery.model import Outcome
from maps.dossier_notes import note_order, outward
from maps.markup import Markup, el
from maps.words import measurement_words
from sites.features import write_feature

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from maps.view import SiteEntry

_CLEAR = frozenset({Outcome.UNCHANGED, Outcome.CHANGED, Outcome.LEARNING})
_KB_FROM = 10_000
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is run by spreadsheets."""

_NOTE_COLUMNS = (
    *("id", "date", "kind", "text", "measured", "author", "supersedes", "contradicts", "looks_say"),
    *("sources", "grades", "addresses"),
)
_LOOK_COLUMNS = (
    *("day", "outcome", "series", "platform", "clear_fraction", "frame_clear_fraction", "mask"),
    *("score", "threshold", "history", "simulated", "scenes", "reason"),
)


def elsewhere(entry: SiteEntry) -> Markup | None:
    """Return links to the same place on other hosts; None where it is not placed."""
    point = entry.site.point
    if point is None:
        return None
    told = (
        "Following one of these tells its host which place you look at, and your address; this page itself "
        "asks for nothing."
    )
    links = deep_links(point.x, point.y, _latest_clear(entry))
    rows = (
        el("li", outward(address, name), el("span", f" {address}", class_="printed-address"))
        for name, address in links
    )
    title = el("h2", "The same place elsewhere", id="elsewhere-title")
    return el(
        "section",
        title,
        el("p", told),
        el("ul", *rows),
        class_="elsewhere",
        aria_labelledby="elsewhere-title",
    )


def deep_links(lon: float, lat: float, day: date | None = None) -> tuple[tuple[str, str], ...]:
    """Return name and address of pages that show a place, on a day where they can.

    >>> deep_links(127.0, 39.0)[1]
    ('OpenStreetMap', 'https://www.openstreetmap.org/?mlat=39.00000&mlon=127.00000#map=15/39.00000/127.00000')
    """
    where = {"zoom": "15", "lat": f"{lat:.5f}", "lng": f"{lon:.5f}"}
    if day is not None:
        where |= {"fromTime": f"{day}T00:00:00.000Z", "toTime": f"{day}T23:59:59.999Z"}
        where |= {"datasetId": "S2_L2A_CDAS"}
    seen = "" if day is None else f", on {day}, the latest clear look"
    return (
        (f"Copernicus Browser{seen}", f"https://browser.dataspace.copernicus.eu/?{urlencode(where)}"),
        (
            "OpenStreetMap",
            f"https://www.openstreetmap.org/?mlat={lat:.5f}&mlon={lon:.5f}#map=15/{lat:.5f}/{lon:.5f}",
        ),
        ("Google Earth", f"https://earth.google.com/web/@{lat:.5f},{lon:.5f},0a,2000d,35y,0h,0t,0r"),
    )


def _latest_clear(entry: SiteEntry) -> date | None:
    return max((look.solar_day for look in entry.looks if look.outcome in _CLEAR), default=None)


def downloads(entry: SiteEntry) -> Markup:
    """Return everything on the page as files."""
    name = entry.site.id
    files = [("Site and notes, GeoJSON", f"{name}.geojson", "application/geo+json", site_geojson(entry))]
    if entry.site.observations:
        files.append(("Notes, CSV", f"{name}-notes.csv", "text/csv", notes_csv(entry)))
    if entry.looks:
        files.append(("Looks, CSV", f"{name}-looks.csv", "text/csv", looks_csv(entry)))
    if entry.detections:
        found = detections_geojson(entry)
        files.append(("Detections, GeoJSON", f"{name}-detections.geojson", "application/geo+json", found))
    rows = (el("li", _file(*each)) for each in files)
    title = el("h2", "Everything here as files", id="files-title")
    return el("section", title, el("ul", *rows), class_="files", aria_labelledby="files-title")


def _file(title: str, name: str, kind: str, data: bytes) -> Markup:
    address = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return el("a", f"{title} ({_size(len(data))})", href=address, download=name)


def _size(length: int) -> str:
    return f"{length:,} bytes" if length < _KB_FROM else f"{length / 1000:,.0f} kB"


def site_geojson(entry: SiteEntry) -> bytes:
    """Return the site with its notes as a GeoJSON feature, without media that are never published."""
    site = entry.site
    notes = tuple(
        replace(note, media=tuple(each for each in note.media if not each.private))
        for note in site.observations
    )
    return orjson.dumps(write_feature(replace(site, observations=notes)), option=orjson.OPT_INDENT_2)


def detections_geojson(entry: SiteEntry) -> bytes:
    """Return the detections as GeoJSON."""
    features = [
        {
            "type": "Feature",
            "id": each.id,
            "geometry": mapping(each.geometry),
            "properties": {
                "site": entry.site.id,
                "state": str(each.state),
                "bracket": each.bracket,
                "date_interval_90": each.date_interval_90,
                "area_m2": each.area_m2,
                "area_interval_m2": each.area_interval_m2,
                "magnitude": each.magnitude,
                "p_value": each.p_value,
                "series": each.series,
                "looks_with": each.looks_with,
                "kind": each.kind,
                "flags": each.flags,
                "simulated": each.simulated,
                "analysts": entry.said.get(each.id, ""),
            },
        }
        for each in sorted(entry.detections, key=lambda each: (each.first_with, each.id))
    ]
    return orjson.dumps({"type": "FeatureCollection", "features": features}, option=orjson.OPT_INDENT_2)


def notes_csv(entry: SiteEntry) -> bytes:
    """Return the notes as a table, by date."""
    rows = []
    for note in sorted(entry.site.observations, key=note_order):
        sources = note.sources
        rows.append(
            (
                note.id,
                note.date.text,
                str(note.kind),
                note.text,
                measurement_words(note.measurement),
                note.author,
                note.supersedes,
                " ".join(note.contradicts),
                entry.labels.get(note.id),
                "; ".join(each.outlet for each in sources),
                " ".join(f"{each.reliability or '-'}{each.credibility or '-'}" for each in sources),
                " ".join(each.url or "-" for each in sources),
            )
        )
    return _csv(_NOTE_COLUMNS, rows)


def looks_csv(entry: SiteEntry) -> bytes:
    """Return the looks as a table, by day."""
    looks = sorted(entry.looks, key=lambda look: (look.solar_day, look.series))
    rows = [
        (
            look.solar_day,
            str(look.outcome),
            look.series,
            look.platform,
            f"{look.clear_fraction:.4f}",
            f"{look.frame_clear_fraction:.4f}",
            look.mask_scheme,
            look.score,
            look.threshold,
            look.history,
            look.simulated,
            " ".join(look.scene_ids),
            look.reason,
        )
        for look in looks
    ]
    return _csv(_LOOK_COLUMNS, rows)


def _csv(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(value) for value in row] for row in rows)
    return stream.getvalue().encode("utf-8", "replace")


def _cell(value: object) -> object:
    """Return a cell; words that a spreadsheet would run as a formula get an apostrophe before them."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
