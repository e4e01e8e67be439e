"""Reading and writing sites by the ending of the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.durable import write_bytes
from geo.errors import Where
from sites.errors import CatalogueError
from sites.geojson import Document, read_file, write_document
from sites.tables import TableOptions, read_table, write_table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from sites.model import Site

GEOJSON_ENDINGS = frozenset({".geojson", ".json"})
DELIMITERS = {".csv": ",", ".tsv": "\t"}


def read_sites(path: Path, options: TableOptions | None = None) -> Document:
    """Read a GeoJSON, CSV or TSV file; `options` say what a table's titles don't.

    Raises:
        CatalogueError: The ending is not known, or the file is not what it says.
    """
    ending = path.suffix.lower()
    if ending in GEOJSON_ENDINGS:
        if options is not None and (options.columns or options.defaults):
            hint = "GeoJSON names its own fields"
            raise CatalogueError("--map and --set are for tables", where=Where(file=str(path)), hint=hint)
        return read_file(path)
    if ending in DELIMITERS:
        return read_table(path, options)
    raise _unknown(path)


def write_sites(path: Path, sites: Iterable[Site]) -> None:
    """Write sites as GeoJSON, CSV or TSV, whole or not at all.

    Raises:
        CatalogueError: The ending is not known.
    """
    ending = path.suffix.lower()
    if ending in GEOJSON_ENDINGS:
        write_bytes(path, write_document(sites))
    elif ending in DELIMITERS:
        # Without a byte order mark spreadsheets take UTF-8 for their own code page and garble hangul.
        write_bytes(path, write_table(sites, delimiter=DELIMITERS[ending]).encode("utf-8-sig"))
    else:
        raise _unknown(path)


def _unknown(path: Path) -> CatalogueError:
    hint = f"Known are {', '.join(sorted(GEOJSON_ENDINGS | DELIMITERS.keys()))}"
    return CatalogueError(f"unknown ending {path.suffix!r}", where=Where(file=str(path)), hint=hint)
