"""The map for QGIS and other desktop programs: a GeoPackage whose layers carry dates as dates.

Each layer has `start_date` and `end_date`, which QGIS's temporal controller runs through (the styles in the
file switch it on), and the date as it was written beside them. Written by SQLite alone: GDAL would put the
present into it, and equal views must give equal bytes.

Source: OGC GeoPackage 1.3 (OGC 12-128r17), clauses 1 and 2; QGIS keeps styles in a table `layer_styles`.
"""

from __future__ import annotations

import sqlite3
import struct
from typing import TYPE_CHECKING, Any

import shapely

from maps.layers import layers
from maps.qgis_styles import STYLES_TABLE, style_rows
from maps.safetext import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from shapely.geometry.base import BaseGeometry

    from maps.layers import Layer, Row
    from maps.view import MapView

APPLICATION_ID = 0x47504B47
"""``GPKG`` (clause 1.1.1.1.1)."""
USER_VERSION = 10300
CHANGED = "1980-01-01T00:00:00.000Z"
"""Of all layers: the time would make two equal files differ."""
WGS84 = 4326

_WKT = (
    'GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563,AUTHORITY["EPSG","7030"]],'
    'AUTHORITY["EPSG","6326"]],PRIMEM["Greenwich",0,AUTHORITY["EPSG","8901"]],UNIT["degree",'
    '0.0174532925199433,AUTHORITY["EPSG","9122"]],AUTHORITY["EPSG","4326"]]'
)
_SYSTEMS = (
    (
        "Undefined Cartesian SRS",
        -1,
        "NONE",
        -1,
        "undefined",
        "undefined Cartesian coordinate reference system",
    ),
    (
        "Undefined geographic SRS",
        0,
        "NONE",
        0,
        "undefined",
        "undefined geographic coordinate reference system",
    ),
    ("WGS 84 geodetic", WGS84, "EPSG", WGS84, _WKT, "longitude and latitude in degrees on WGS 84"),
)
_TABLES = """
CREATE TABLE gpkg_spatial_ref_sys (
  srs_name TEXT NOT NULL, srs_id INTEGER NOT NULL PRIMARY KEY, organization TEXT NOT NULL,
  organization_coordsys_id INTEGER NOT NULL, definition TEXT NOT NULL, description TEXT);
CREATE TABLE gpkg_contents (
  table_name TEXT NOT NULL PRIMARY KEY, data_type TEXT NOT NULL, identifier TEXT UNIQUE,
  description TEXT DEFAULT '', last_change DATETIME NOT NULL,
  min_x DOUBLE, min_y DOUBLE, max_x DOUBLE, max_y DOUBLE, srs_id INTEGER,
  CONSTRAINT fk_gc_r_srs_id FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys(srs_id));
CREATE TABLE gpkg_geometry_columns (
  table_name TEXT NOT NULL, column_name TEXT NOT NULL, geometry_type_name TEXT NOT NULL,
  srs_id INTEGER NOT NULL, z TINYINT NOT NULL, m TINYINT NOT NULL,
  CONSTRAINT pk_geom_cols PRIMARY KEY (table_name, column_name),
  CONSTRAINT uk_gc_table_name UNIQUE (table_name),
  CONSTRAINT fk_gc_tn FOREIGN KEY (table_name) REFERENCES gpkg_contents(table_name),
  CONSTRAINT fk_gc_srs FOREIGN KEY (srs_id) REFERENCES gpkg_spatial_ref_sys (srs_id));
"""


def geopackage(view: MapView) -> bytes:
    """Return the map as a GeoPackage; equal views give equal bytes with one version of SQLite."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {USER_VERSION}")
        connection.executescript(_TABLES)
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO gpkg_spatial_ref_sys VALUES (?,?,?,?,?,?)", _SYSTEMS)
        for layer, rows in layers(view):
            _write(connection, layer, rows, about=view.statement)
        _write_styles(connection)
        connection.execute("COMMIT")
        return connection.serialize()
    finally:
        connection.close()


def _write(connection: sqlite3.Connection, layer: Layer, rows: Iterable[Row], *, about: str) -> None:
    columns = (("geom", layer.geometry), *layer.columns)
    named = ", ".join(f"{name} {kind}" for name, kind in columns)
    connection.execute(f"CREATE TABLE {layer.name} (fid INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, {named})")
    bounds = _Bounds()
    marks = ",".join("?" * len(columns))
    fields = ",".join(name for name, _ in columns)
    connection.executemany(
        f"INSERT INTO {layer.name} ({fields}) VALUES ({marks})",
        ((_blob(bounds.around(row[0])), *map(_value, row[1:])) for row in rows),
    )
    connection.execute(
        "INSERT INTO gpkg_contents VALUES (?,?,?,?,?,?,?,?,?,?)",
        (layer.name, "features", layer.title, clean(about), CHANGED, *bounds.limits, WGS84),
    )
    connection.execute(
        "INSERT INTO gpkg_geometry_columns VALUES (?,?,?,?,0,0)", (layer.name, "geom", layer.geometry, WGS84)
    )


def _write_styles(connection: sqlite3.Connection) -> None:
    connection.execute(STYLES_TABLE)
    connection.executemany(
        "INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column,"
        " styleName, styleQML, styleSLD, useAsDefault, description, owner, ui, update_time)"
        " VALUES ('', '', ?, 'geom', ?, ?, '', 1, '', '', NULL, ?)",
        [(name, title, qml, CHANGED) for name, title, qml in style_rows()],
    )
    connection.execute(
        "INSERT INTO gpkg_contents VALUES ('layer_styles', 'attributes', 'layer_styles', '', ?,"
        " NULL, NULL, NULL, NULL, 0)",
        (CHANGED,),
    )


class _Bounds:
    """What the geometries of a layer lie in."""

    def __init__(self) -> None:
        self._found: tuple[float, float, float, float] | None = None

    @property
    def limits(self) -> tuple[float | None, float | None, float | None, float | None]:
        """West, south, east, north."""
        return self._found or (None, None, None, None)

    def around(self, geometry: BaseGeometry | None) -> BaseGeometry | None:
        if geometry is not None:
            west, south, east, north = geometry.bounds
            known = self._found or (west, south, east, north)
            self._found = min(known[0], west), min(known[1], south), max(known[2], east), max(known[3], north)
        return geometry


def _blob(geometry: BaseGeometry | None) -> bytes | None:
    """Return a geometry in GeoPackage binary (clause 2.1.3): little endian, no envelope, then WKB."""
    if geometry is None:
        return None
    flags = 0b00000001
    return b"GP" + struct.pack("<BBi", 0, flags, WGS84) + shapely.to_wkb(geometry, byte_order=1)


def _value(value: Any) -> Any:  # noqa: ANN401 - any value of a row in, any that SQLite knows out
    if isinstance(value, str):
        return clean(value)
    return value if value is None or isinstance(value, int | float) else value.isoformat()
