"""What leads out of a dossier: the same place elsewhere, and everything on the page as files.

Files are data: links with a name to save them under. They are in the page itself, so they are there wherever
the page goes, also from a disk, where a browser reads no file beside it.
"""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from imagery.model import Outcome
from maps.dossier_notes import outward
from maps.markup import Markup, el
from maps.tables import detections_geojson, looks_csv, notes_csv, sites_geojson
from maps.view import MapView

if TYPE_CHECKING:
    from maps.view import SiteEntry

_CLEAR = frozenset({Outcome.UNCHANGED, Outcome.CHANGED, Outcome.LEARNING})
_KB_FROM = 10_000
_SENTINEL_2_SINCE = date(2015, 6, 27)
"""First image of Sentinel-2A; the browser shows nothing of that series on days before."""
_GEOJSON, _CSV = "application/geo+json", "text/csv"


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
    day = None if day is None or day < _SENTINEL_2_SINCE else day
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


def downloads(entry: SiteEntry, title: str) -> Markup:
    """Return everything on the page as files, as they are of the whole publication.

    Args:
        entry: What is on the page.
        title: Of the publication.
    """
    name, view = entry.site.id, _alone(entry, title)
    files = [("Site and notes, GeoJSON", f"{name}.geojson", _GEOJSON, sites_geojson(view))]
    if entry.site.observations:
        files.append(("Notes, CSV", f"{name}-notes.csv", _CSV, notes_csv(view)))
    if entry.looks or entry.no_scenes:
        files.append(("Looks, CSV", f"{name}-looks.csv", _CSV, looks_csv(view)))
    if entry.detections:
        found = detections_geojson(view)
        files.append(("Detections, GeoJSON", f"{name}-detections.geojson", _GEOJSON, found))
    rows = (el("li", _file(*each)) for each in files)
    heading = el("h2", "Everything here as files", id="files-title")
    return el("section", heading, el("ul", *rows), class_="files", aria_labelledby="files-title")


def _file(title: str, name: str, kind: str, data: bytes) -> Markup:
    address = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return el("a", f"{title} ({_size(len(data))})", href=address, download=name)


def _size(length: int) -> str:
    return f"{length:,} bytes" if length < _KB_FROM else f"{length / 1000:,.0f} kB"


def _alone(entry: SiteEntry, title: str) -> MapView:
    """Return a view of one site, without media that are never published."""
    notes = tuple(
        replace(note, media=tuple(each for each in note.media if not each.private))
        for note in entry.site.observations
    )
    made = datetime.min.replace(tzinfo=UTC)  # no table says when it was made
    return MapView(title, made, (replace(entry, site=replace(entry.site, observations=notes)),))
