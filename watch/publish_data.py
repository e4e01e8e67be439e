"""The files beside the pages: the same view in the formats of other programs."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from geo.errors import Where
from watch.errors import WorkspaceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from maps.view import MapView


class Format(StrEnum):
    """What can be written beside the pages."""

    GEOJSON = "geojson"
    CSV = "csv"
    KMZ = "kmz"
    GPKG = "gpkg"
    ATOM = "atom"


ALL_FORMATS = tuple(Format)


WORDS: Mapping[str, str] = MappingProxyType(
    {
        "data/sites.geojson": "Sites with their notes, GeoJSON",
        "data/detections.geojson": "Detections, GeoJSON",
        "data/notes.csv": "Notes, CSV",
        "data/looks.csv": "Looks, and due windows without an image, CSV",
        "sitewatch.kmz": "Google Earth, with times and images, KMZ",
        "sitewatch.gpkg": "QGIS, with dates for its temporal controller, GeoPackage",
        "atom.xml": "The latest notes and detections, Atom feed",
    }
)


def parse_formats(text: str) -> tuple[Format, ...]:
    """Return the formats of a list such as ``geojson,kmz``; ``none`` is none of them.

    Raises:
        WorkspaceError: One of them is unknown.
    """
    words = [word.strip().lower() for word in text.split(",") if word.strip()]
    if words == ["none"]:
        return ()
    known = {str(each): each for each in Format}
    for word in words:
        if word not in known:
            hint = f"Write some of {','.join(known)}, or none"
            raise WorkspaceError(f"no format {word!r}", where=Where(field="--formats"), hint=hint)
    return tuple(dict.fromkeys(known[word] for word in words))


def data_files(view: MapView, formats: Iterable[Format]) -> Iterator[tuple[str, bytes]]:
    """Yield path, below the folder of the pages, and bytes of every file of some formats.

    Args:
        view: What readers may see, and nothing else.
        formats: Which are wanted.
    """
    for each in formats:
        for path, write in _writers(each):
            yield path, write(view)


def file_links(formats: Iterable[Format]) -> tuple[tuple[str, str], ...]:
    """Return words and paths of the files of some formats, for the pages to link to."""
    return tuple((WORDS[path], path) for each in formats for path, _ in _writers(each))


def _writers(wanted: Format) -> Sequence[tuple[str, Callable[[MapView], bytes]]]:
    # Each is imported when it is wanted: the warper of the KMZ takes a second.
    match wanted:
        case Format.GEOJSON:
            from maps.tables import detections_geojson, sites_geojson  # noqa: PLC0415

            return (("data/sites.geojson", sites_geojson), ("data/detections.geojson", detections_geojson))
        case Format.CSV:
            from maps.tables import looks_csv, notes_csv  # noqa: PLC0415

            return (("data/notes.csv", notes_csv), ("data/looks.csv", looks_csv))
        case Format.KMZ:
            from maps.kmz import kmz  # noqa: PLC0415

            return (("sitewatch.kmz", kmz),)
        case Format.GPKG:
            from maps.geopackage import geopackage  # noqa: PLC0415

            return (("sitewatch.gpkg", geopackage),)
        case Format.ATOM:
            from maps.news_feed import news_feed  # noqa: PLC0415

            return (("atom.xml", news_feed),)
