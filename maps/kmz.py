"""The map for Google Earth and other globes: KML 2.2 with its pictures in one zip (KMZ).

Folders by category hold the sites, their notes and detections, each with the days that its date allows as a
TimeSpan, and the pictures of the looks laid on the ground until the next. Texts are text: descriptions are
shown as HTML and so are escaped for both readers.

Source: OGC KML 2.2 (OGC 07-147r2); https://developers.google.com/kml/documentation/kmlreference
"""

from __future__ import annotations

import io
import zipfile
from collections import defaultdict
from typing import TYPE_CHECKING

from shapely.geometry import MultiPolygon, Point, Polygon

from maps.facts import site_facts
from maps.icons import icon_png
from maps.overlays import overlays
from maps.safetext import html_in_xml, xml_attribute, xml_text
from maps.symbols import SYMBOLS
from maps.tables import by_date, by_time
from maps.words import looks_summary, measurement_words
from sites.categories import Category

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date

    from shapely.geometry.base import BaseGeometry

    from imagery.model import Detection
    from maps.overlays import Overlay
    from maps.view import MapView, SiteEntry
    from sites.observation import Observation, Source

MAIN = "doc.kml"
"""What a globe opens first."""

_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The earliest time a zip can hold, of all members."""
_DECIMALS = 7
_BALLOON = "<BalloonStyle><text>$[description]</text></BalloonStyle>"
_OUTLINE = "ff8c00ec"
"""aabbggrr of the outlines on the pages."""
_CHANGE = "change"


def kmz(view: MapView) -> bytes:
    """Return the map as KMZ; equal views give equal bytes."""
    pictures: dict[str, bytes] = {}
    parts = [_head(view), *_folders(view, pictures), "</Document>\n</kml>\n"]
    used = sorted({entry.site.category for entry in view.entries})
    icons = {_icon(category): icon_png(category) for category in used}
    return _zipped({MAIN: "".join(parts).encode(), **icons, **pictures})


def _zipped(members: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.create_system = 3  # else it depends on the machine
            info.external_attr = 0o644 << 16
            info.compress_type = zipfile.ZIP_STORED if name.endswith(".png") else zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return stream.getvalue()


def _head(view: MapView) -> str:
    about = html_in_xml([view.statement, *view.thresholds])
    styles = "".join(
        _styles(category) for category in sorted({entry.site.category for entry in view.entries})
    )
    line = f"<LineStyle><color>{_OUTLINE}</color><width>2</width></LineStyle>"
    change = f"{line}<PolyStyle><fill>0</fill></PolyStyle>"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2">\n<Document>\n'
        f"<name>{xml_text(view.title)}</name>\n<open>1</open>\n<description>{about}</description>\n{styles}"
        f'<Style id="{_CHANGE}">{change}{_BALLOON}</Style>\n'
    )


def _styles(category: Category) -> str:
    icon = f"<Icon><href>{_icon(category)}</href></Icon>"
    return "".join(
        f'<Style id="{category}{suffix}"><IconStyle><scale>{scale}</scale>{icon}</IconStyle>'
        f"<LabelStyle><scale>{label}</scale></LabelStyle>{_BALLOON}</Style>\n"
        for suffix, scale, label in (("", 1.0, 0.8), ("-note", 0.6, 0.0))
    )


def _icon(category: Category) -> str:
    return f"icons/{category}.png"


def _folders(view: MapView, pictures: dict[str, bytes]) -> Iterator[str]:
    by_category: defaultdict[Category, list[SiteEntry]] = defaultdict(list)
    for entry in view.entries:
        by_category[entry.site.category].append(entry)
    for category in Category:
        if by_category[category]:
            yield from _category(category, by_category[category], pictures)


def _category(category: Category, entries: list[SiteEntry], pictures: dict[str, bytes]) -> Iterator[str]:
    label = SYMBOLS[category].label
    yield f"<Folder><name>{label}</name>\n"
    yield from _folder(f"{label}: sites", (_site(entry) for entry in entries))
    yield from _folder(f"{label}: notes", (_note(n, entry) for entry in entries for n in by_time(entry)))
    found = (_detection(each, entry) for entry in entries for each in by_date(entry.detections))
    yield from _folder(f"{label}: changes detected", found)
    shown = (_overlay(each, entry, pictures) for entry in entries for each in overlays(entry))
    yield from _folder(f"{label}: images", shown)
    yield "</Folder>\n"


def _folder(name: str, features: Iterable[str]) -> Iterator[str]:
    """Yield a folder; nothing where it would be empty."""
    begun = False
    for feature in features:
        if not begun:
            yield f"<Folder><name>{xml_text(name)}</name>\n"
            begun = True
        yield feature
    if begun:
        yield "</Folder>\n"


def _site(entry: SiteEntry) -> str:
    site = entry.site
    names = ", ".join(name.text for name in site.names[1:])
    facts = [f"{label}: {text}" for label, text in site_facts(entry)]
    told = [site.name, names, *facts, *looks_summary(entry)]
    data = {"site": site.id, "category": str(site.category)}
    return _placemark(site.name, told, f"#{site.category}", _point(site.point), data)


def _note(note: Observation, entry: SiteEntry) -> str:
    site = entry.site
    told = [
        f"{site.name}: {note.date.text} ({note.kind})",
        note.text,
        measurement_words(note.measurement),
        entry.labels.get(note.id, ""),
        f"Written by {note.author}" if note.author else "",
        *(f"Source: {_source(each)}" for each in note.sources),
    ]
    data = {"site": site.id, "note": note.id, "edtf": note.date.text}
    span = _span(note.date.earliest, note.date.latest)
    return _placemark(
        f"{site.name}, {note.date.text}", told, f"#{site.category}-note", _point(site.point), data, span
    )


def _source(source: Source) -> str:
    grade = f"{source.reliability or '-'}{source.credibility or '-'}"
    published = None if source.published is None else source.published.text
    parts = (
        source.outlet,
        source.title,
        source.author,
        published,
        None if grade == "--" else f"[{grade}]",
        source.url,
    )
    return ", ".join(part for part in parts if part)


def _detection(found: Detection, entry: SiteEntry) -> str:
    site = entry.site
    simulated = ", SIMULATED pixels" if found.simulated else ""
    told = [
        f"{site.name}: a change detected by machine, {found.state}{simulated}",
        f"It came about between {found.last_without} and {found.first_with}.",
        f"About {found.area_m2:,.0f} m²; {found.magnitude:.2g} times the threshold.",
        f"Shown by {found.looks_with} looks.",
        found.kind,
        *found.flags,
        entry.said.get(found.id, ""),
    ]
    data = {"site": site.id, "detection": found.id, "edtf": found.bracket, "state": str(found.state)}
    geometry = _point(site.point) if found.geometry.is_empty else _polygons(found.geometry)
    span = _span(found.last_without, found.first_with)
    name = f"{site.name}: change {found.bracket}, {found.state}{' (simulated)' if found.simulated else ''}"
    return _placemark(name, told, f"#{_CHANGE}", geometry, data, span)


def _overlay(overlay: Overlay, entry: SiteEntry, pictures: dict[str, bytes]) -> str:
    picture = overlay.picture
    path = f"images/{entry.site.id}/{len(pictures):05d}.png"
    pictures[path] = overlay.png
    simulated = " (simulated)" if picture.simulated else ""
    told = [
        f"{entry.site.name}: {picture.solar_day}, {picture.platform}",
        "SIMULATED pixels, not a real image" if picture.simulated else "",
        f"{picture.bands}; {picture.stretch}; pixels of {picture.resolution_m:g} m",
        picture.reading,
        f"{picture.clear_fraction:.0%} clear" if picture.masked else "no cloud mask",
        f"Credit: {picture.credit}" if picture.credit else "",
    ]
    edges = ("north", overlay.north), ("south", overlay.south), ("east", overlay.east), ("west", overlay.west)
    box = "".join(f"<{name}>{_degrees(value)}</{name}>" for name, value in edges)
    return (
        f"<GroundOverlay><name>{xml_text(f'{entry.site.name}, {picture.solar_day}{simulated}')}</name>"
        f"<description>{html_in_xml(told)}</description>{_span(picture.solar_day, overlay.until)}"
        f"<drawOrder>{picture.solar_day.toordinal()}</drawOrder>"
        f"<Icon><href>{path}</href></Icon><LatLonBox>{box}</LatLonBox></GroundOverlay>\n"
    )


def _placemark(
    name: str, told: list[str], style: str, geometry: str, data: Mapping[str, str], span: str = ""
) -> str:
    members = "".join(
        f"<Data name={xml_attribute(key)}><value>{xml_text(value)}</value></Data>"
        for key, value in data.items()
    )
    return (
        f"<Placemark><name>{xml_text(name)}</name><description>{html_in_xml(told)}</description>{span}"
        f"<styleUrl>{style}</styleUrl><ExtendedData>{members}</ExtendedData>{geometry}</Placemark>\n"
    )


def _span(first: date | None, last: date | None) -> str:
    """Return a TimeSpan; an end that is open or unknown is left out (section 15.3)."""
    begin = "" if first is None else f"<begin>{first.isoformat()}</begin>"
    end = "" if last is None else f"<end>{last.isoformat()}</end>"
    return f"<TimeSpan>{begin}{end}</TimeSpan>" if begin or end else ""


def _point(point: Point | None) -> str:
    return "" if point is None else f"<Point><coordinates>{_position(point.x, point.y)}</coordinates></Point>"


def _polygons(geometry: BaseGeometry) -> str:
    parts = geometry.geoms if isinstance(geometry, MultiPolygon) else [geometry]
    drawn = "".join(_polygon(part) for part in parts if isinstance(part, Polygon))
    return f"<MultiGeometry>{drawn}</MultiGeometry>"


def _polygon(polygon: Polygon) -> str:
    rings = [
        ("outerBoundaryIs", polygon.exterior),
        *(("innerBoundaryIs", ring) for ring in polygon.interiors),
    ]
    body = "".join(
        f"<{name}><LinearRing><coordinates>{' '.join(_position(*at[:2]) for at in ring.coords)}</coordinates>"
        f"</LinearRing></{name}>"
        for name, ring in rings
    )
    return f"<Polygon>{body}</Polygon>"


def _position(lon: float, lat: float) -> str:
    return f"{_degrees(lon)},{_degrees(lat)}"


def _degrees(value: float) -> str:
    return f"{round(value, _DECIMALS) + 0.0!r}"
