"""Scenes as SpatioTemporal Asset Catalogs: an Item each, a Collection a platform, one Catalog.

STAC 1.1.0 with the extensions projection 2.0.0, electro-optical 1.1.0 and raster 1.1.0, the set that
pystac reads, and satellite, view and Sentinel-2 1.0.0 where there is something to say in them. What they
have no field for is named ``sitewatch:*``. Links are relative, so an archive
can be moved or put on a web server as it is. Documents hold no time of writing: same scene, same bytes.
"""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import shapely
from affine import Affine
from shapely.geometry import Polygon, mapping

from geo.errors import Where
from imagery.acquisition import acquisition_extensions, acquisition_properties, baseline_of, geometry_of
from imagery.errors import ArchiveError
from imagery.model import NO_MASK, BandFile, Scene
from imagery.provenance import LOCAL, Provenance
from imagery.quantity import FLOOR_DB, STEP_DB, Quantity
from imagery.sensors import sensor_for

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from imagery.assembly import PlannedScene
    from imagery.canonical import PixelSource

STAC_VERSION = "1.1.0"
PROJECTION = "https://stac-extensions.github.io/projection/v2.0.0/schema.json"
EO = "https://stac-extensions.github.io/eo/v1.1.0/schema.json"
RASTER = "https://stac-extensions.github.io/raster/v1.1.0/schema.json"

COG_TYPE = "image/tiff; application=geotiff; profile=cloud-optimized"
NO_LICENCE = "other"
"""What STAC 1.1 writes where no SPDX licence is known."""

_DAY = timedelta(days=1)


def item_document(
    planned: PlannedScene, content_sha: str, cloud_percent: float | None = None
) -> dict[str, Any]:
    """Return the STAC Item of a planned scene; its pixels lie beside it as ``<band>.tif``.

    Args:
        planned: The scene.
        content_sha: Its content digest.
        cloud_percent: Cloud cover by its mask, for a scene of which no catalogue told it.
    """
    sources = [*planned.bands, *([planned.mask] if planned.mask else [])]
    assets = {source.file.name: _asset(source, planned) for source in sources}
    cloud = cloud_percent if planned.cloud_percent is None else planned.cloud_percent
    has_eo = cloud is not None or any("eo:bands" in asset for asset in assets.values())
    facts = acquisition_properties(
        planned.geometry, planned.processing_baseline, sensor_for(planned.platform)
    )
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [PROJECTION, *([EO] if has_eo else []), RASTER, *acquisition_extensions(facts)],
        "id": planned.id,
        "geometry": polygon_document(mapping(planned.footprint)),
        "bbox": list(planned.footprint.bounds),
        "properties": {
            **_properties(planned, content_sha),
            **({} if cloud is None else {"eo:cloud_cover": cloud}),
            **facts,
        },
        "links": [
            {"rel": "root", "href": "../../../../catalog.json", "type": "application/json"},
            {"rel": "parent", "href": "../../collection.json", "type": "application/json"},
            {"rel": "collection", "href": "../../collection.json", "type": "application/json"},
        ],
        "collection": planned.platform,
        "assets": assets,
    }


def collection_document(platform: str, items: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Return the Collection of a platform.

    Args:
        platform: Its slug.
        items: Relative link and document of every Item, at least one.
    """
    left, bottom, right, top = np.array([item["bbox"] for _, item in items], dtype=np.float64).T
    bbox = [float(value) for value in (left.min(), bottom.min(), right.max(), top.max())]
    moments = sorted(acquired_of(item) for _, item in items)
    licences = {item["properties"].get("license", NO_LICENCE) for _, item in items}
    links = [
        {"rel": "root", "href": "../../catalog.json", "type": "application/json"},
        {"rel": "parent", "href": "../../catalog.json", "type": "application/json"},
    ]
    links += [{"rel": "item", "href": href, "type": "application/geo+json"} for href, _ in items]
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "id": platform,
        "title": sensor_for(platform).title,
        "description": f"Scenes of {sensor_for(platform).title} at their source pixels.",
        "license": licences.pop() if len(licences) == 1 else NO_LICENCE,
        "extent": {
            "spatial": {"bbox": [bbox]},
            "temporal": {"interval": [[utc_text(moments[0]), utc_text(moments[-1])]]},
        },
        "links": links,
    }


def catalog_document(platforms: Sequence[str]) -> dict[str, Any]:
    """Return the root Catalog of an archive."""
    links = [{"rel": "root", "href": "./catalog.json", "type": "application/json"}]
    links += [
        {"rel": "child", "href": f"./scenes/{platform}/collection.json", "type": "application/json"}
        for platform in platforms
    ]
    return {
        "type": "Catalog",
        "stac_version": STAC_VERSION,
        "id": "sitewatch-archive",
        "description": "Scenes over the watched sites, at their source pixels.",
        "links": links,
    }


def dump(document: Mapping[str, Any]) -> bytes:
    """Return a document as indented JSON with a final newline."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def load_item(path: Path) -> dict[str, Any]:
    """Read an Item's JSON, unchecked but for being an object.

    Raises:
        ArchiveError: Not readable, or not a JSON object.
    """
    try:
        document = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise damaged(path, f"it can't be read: {error}") from error
    if not isinstance(document, dict):
        raise damaged(path, "it is no JSON object")
    return document


def damaged(path: Path, problem: str) -> ArchiveError:
    """Return the error for an Item that is not as we wrote it."""
    return ArchiveError(
        f"damaged item: {problem}",
        where=Where(str(path)),
        hint=f"Move the folder {path.parent.name} out of the archive and add its images again",
    )


def item_scene(document: Mapping[str, Any], path: Path) -> Scene:
    """Return the scene of an Item of ours.

    Args:
        document: The Item.
        path: Where it lies; its bands lie beside it.

    Raises:
        ArchiveError: A field is missing or can't be, or a band is said to lie elsewhere.
    """
    try:
        return _scene(document, path)
    except (
        KeyError,
        IndexError,
        TypeError,
        ValueError,
        AttributeError,
        shapely.errors.ShapelyError,
    ) as error:
        raise damaged(path, f"{type(error).__name__}: {error}") from error


def acquired_of(document: Mapping[str, Any]) -> datetime:
    """Return an Item's acquisition: its instant, or noon of its day.

    Raises:
        KeyError: It has neither.
        ValueError: It is not RFC 3339 with a zone.
    """
    properties = document["properties"]
    if properties["datetime"] is None:
        return _instant(properties["start_datetime"]) + _DAY / 2
    return _instant(properties["datetime"])


def utc_text(moment: datetime) -> str:
    """Return an aware instant as RFC 3339 in UTC, ``2019-01-27T11:03:21Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def moment_properties(acquired: datetime, *, day_only: bool) -> dict[str, Any]:
    """Return an acquisition as STAC properties: its instant, or the interval of its day."""
    if not day_only:
        return {"datetime": utc_text(acquired)}
    start = acquired.replace(hour=0)
    return {
        "datetime": None,
        "start_datetime": utc_text(start),
        "end_datetime": utc_text(start + _DAY - timedelta(seconds=1)),
    }


def polygon_document(geometry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a polygon's GeoJSON with lists where `shapely` has tuples."""
    rings = [[list(point) for point in ring] for ring in geometry["coordinates"]]
    return {"type": "Polygon", "coordinates": rings}


def _properties(planned: PlannedScene, content_sha: str) -> dict[str, Any]:
    sensor = sensor_for(planned.platform)
    properties = moment_properties(planned.acquired, day_only=planned.day_only) | {
        "platform": planned.platform,
        "gsd": min(source.file.transform.a for source in planned.bands),
        "sitewatch:series": planned.series,
        "sitewatch:day_only": planned.day_only,
        "sitewatch:mask_band": planned.mask.file.name if planned.mask else None,
        "sitewatch:mask_scheme": planned.mask_scheme,
        "sitewatch:simulated": planned.simulated,
        "sitewatch:credit": planned.credit,
        "sitewatch:content_sha": content_sha,
    }
    if planned.quantity is not Quantity.REFLECTANCE:
        properties["sitewatch:quantity"] = planned.quantity
    if sensor.instrument:
        properties["instruments"] = [sensor.instrument]
    if planned.licence:
        properties["license"] = planned.licence
    return {**planned.provenance, **properties}


def _asset(source: PixelSource, planned: PlannedScene) -> dict[str, Any]:
    file = source.file
    is_mask = source is planned.mask
    raster: dict[str, Any] = {"data_type": source.dtype, "spatial_resolution": float(file.transform.a)}
    if file.nodata is not None:
        raster["nodata"] = _json_number(file.nodata)
    if file.scale is not None:
        raster |= {"scale": file.scale, "offset": file.offset}
    if planned.quantity is Quantity.GAMMA0_DB and not is_mask:
        raster |= {"unit": "dB", "scale": STEP_DB, "offset": FLOOR_DB}
    asset: dict[str, Any] = {
        "href": f"./{file.name}.tif",
        "type": COG_TYPE,
        "roles": ["data", "cloud"] if is_mask else ["data"],
        **_projection(file),
        "raster:bands": [raster],
    }
    band = sensor_for(planned.platform).band(file.name)
    if band is not None and band.common_name is not None and not is_mask:
        asset["eo:bands"] = [
            {"name": file.name, "common_name": band.common_name, "center_wavelength": band.centre_um}
        ]
    return asset


def _projection(file: BandFile) -> dict[str, Any]:
    named = file.crs.startswith("EPSG:")
    fields: dict[str, Any] = {"proj:code": file.crs if named else None}
    if not named:
        fields["proj:wkt2"] = file.crs
    fields["proj:shape"] = list(file.shape)
    fields["proj:transform"] = [float(value) for value in file.transform[:6]]
    return fields


def _scene(document: Mapping[str, Any], path: Path) -> Scene:
    properties = document["properties"]
    mask_name = properties["sitewatch:mask_band"]
    files = {name: _band_file(name, asset, path) for name, asset in document["assets"].items()}
    quantity = Quantity(properties.get("sitewatch:quantity", Quantity.REFLECTANCE))
    if quantity is Quantity.GAMMA0_DB:
        # Its scale is said for others; ours is in the quantity, and a band's scale speaks of reflectance.
        files = {name: replace(file, scale=None, offset=0.0) for name, file in files.items()}
    mask = files.pop(mask_name) if mask_name is not None else None
    scheme = str(properties["sitewatch:mask_scheme"])
    if document["id"] != path.stem or not files or (mask is None) != (scheme == NO_MASK):
        raise ValueError(f"id {document['id']!r}, {len(files)} bands, mask {scheme!r}")
    return Scene(
        id=document["id"],
        platform=str(properties["platform"]),
        series=str(properties["sitewatch:series"]),
        acquired=acquired_of(document),
        day_only=properties["datetime"] is None,
        bands=tuple(files.values()),
        mask=mask,
        mask_scheme=scheme,
        footprint=Polygon(document["geometry"]["coordinates"][0]),
        content_sha=str(properties["sitewatch:content_sha"]),
        simulated=bool(properties["sitewatch:simulated"]),
        credit=str(properties["sitewatch:credit"]),
        geometry=geometry_of(properties),
        processing_baseline=baseline_of(properties),
        cloud_percent=_percent(properties.get("eo:cloud_cover")),
        provenance=_provenance(document["id"], properties),
        quantity=quantity,
    )


def _percent(value: float | None) -> float | None:
    if value is not None and not 0.0 <= value <= 100.0:  # noqa: PLR2004 - percent
        raise ValueError(f"{value!r} is no percentage")
    return None if value is None else float(value)


def _provenance(scene_id: str, properties: Mapping[str, Any]) -> Provenance:
    key = properties.get("sitewatch:request_key")
    return Provenance(
        provider=str(properties.get("sitewatch:provider", LOCAL)),
        product=str(properties.get("sitewatch:product", "")),
        request_keys=() if key is None else (str(key),),
        source_ids=tuple(str(source) for source in properties.get("sitewatch:source_ids", [scene_id])),
    )


def _band_file(name: str, asset: Mapping[str, Any], path: Path) -> BandFile:
    # An item from elsewhere could name any file of this machine as its band.
    if asset["href"] != f"./{name}.tif" or "/" in name:
        raise ValueError(f"asset {name!r} lies at {asset['href']!r}")
    raster = asset["raster:bands"][0]
    rows, columns = asset["proj:shape"]
    nodata, scale = raster.get("nodata"), raster.get("scale")
    return BandFile(
        name=name,
        path=f"{path.parent}/{name}.tif",
        crs=asset["proj:code"] or asset["proj:wkt2"],
        transform=Affine(*asset["proj:transform"]),
        shape=(int(rows), int(columns)),
        nodata=None if nodata is None else float(nodata),
        scale=None if scale is None else float(scale),
        offset=float(raster.get("offset", 0.0)),
    )


def _instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no zone")
    return moment.astimezone(UTC)


def _json_number(value: float) -> float | str:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value
