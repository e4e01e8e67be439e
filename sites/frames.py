"""The catalogue as a GeoDataFrame and back, for notebooks; through the one validator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sites.features import write_feature
from sites.geojson import read_features
from sites.positions import write_geometry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geopandas import GeoDataFrame

    from sites.geojson import Document
    from sites.model import Site


def to_geodataframe(sites: Iterable[Site]) -> GeoDataFrame:
    """Return one row a site, indexed by id, in EPSG:4326; columns are named as in a file.

    Lists such as ``names`` and ``observations`` stay what a file holds: lists of plain dicts.
    """
    from geopandas import GeoDataFrame  # noqa: PLC0415 - a second that only notebooks should pay

    chosen = list(sites)
    rows = [write_feature(site)["properties"] for site in chosen]
    columns = list(dict.fromkeys(key for row in rows for key in row)) or ["name", "category"]
    data = {column: [row.get(column) for row in rows] for column in columns}
    geometry = [site.geometry for site in chosen]
    frame = GeoDataFrame(data, geometry=geometry, crs="EPSG:4326", index=[site.id for site in chosen])
    return frame.rename_axis("id")


def from_geodataframe(frame: GeoDataFrame, *, name: str = "GeoDataFrame") -> Document:
    """Return the sites of a frame and the faults of its rows; coordinates are turned into EPSG:4326.

    Ids come from a column ``id``, else from the index where that is named ``id``, else from names.

    Args:
        frame: Columns named as in a file; empty cells are left out.
        name: What errors call it.

    Raises:
        ValueError: The frame has no CRS (from GeoPandas).
    """
    degrees = frame.to_crs("EPSG:4326")
    if "id" not in degrees.columns and degrees.index.name == "id":
        degrees = degrees.reset_index()
    columns = [column for column in degrees.columns if column != degrees.geometry.name]
    cells = zip(*(degrees[column] for column in columns), strict=True) if columns else ((),) * len(degrees)
    features = [
        _feature(dict(zip(columns, row, strict=True)), geometry)
        for row, geometry in zip(cells, degrees.geometry, strict=True)
    ]
    return read_features(features, name)


def _feature(cells: dict[str, Any], geometry: Any) -> object:  # noqa: ANN401 - from an untyped package
    properties = {str(key): _plain(value) for key, value in cells.items()}
    properties = {key: value for key, value in properties.items() if value is not None}
    known = geometry is None or geometry.geom_type in {"Point", "LineString", "Polygon", "MultiPolygon"}
    raw = None if geometry is None or geometry.is_empty else {"type": geometry.geom_type}
    return {
        "type": "Feature",
        "geometry": write_geometry(geometry) if raw and known else raw,
        "properties": properties,
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell
    """Return a cell as JSON holds it: NumPy scalars unwrapped, empty cells None."""
    if isinstance(value, dict | list):
        return value
    if hasattr(value, "item") and not isinstance(value, bytes | str):
        value = value.item()
    is_empty = isinstance(value, float) and value != value  # noqa: PLR0124 - NaN is how pandas says empty
    return None if is_empty else value
