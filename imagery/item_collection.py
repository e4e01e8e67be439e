"""What a search found, as a GeoJSON FeatureCollection of STAC Items (STAC API, "ItemCollection")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shapely.geometry import mapping

from imagery.acquisition import acquisition_extensions, acquisition_properties
from imagery.sensors import sensor_for
from imagery.stac import COG_TYPE, EO, STAC_VERSION, moment_properties, polygon_document

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from imagery.model import BandFile, Scene


def item_collection(scenes: Sequence[Scene], archived: Collection[str]) -> dict[str, Any]:
    """Return scenes as Items, in their order; assets where their pixels lie on this machine.

    >>> item_collection([], ())
    {'type': 'FeatureCollection', 'numberReturned': 0, 'features': []}

    Args:
        scenes: As a provider found them.
        archived: Ids of those that the archive holds.
    """
    features = [_item(scene, is_archived=scene.id in archived) for scene in scenes]
    return {"type": "FeatureCollection", "numberReturned": len(features), "features": features}


def _item(scene: Scene, *, is_archived: bool) -> dict[str, Any]:
    sensor = sensor_for(scene.platform)
    facts = acquisition_properties(scene.geometry, scene.processing_baseline, sensor)
    cloud = {} if scene.cloud_percent is None else {"eo:cloud_cover": scene.cloud_percent}
    members = [*scene.bands, *([scene.mask] if scene.mask else [])]
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [*([EO] if cloud else []), *acquisition_extensions(facts)],
        "id": scene.id,
        "geometry": polygon_document(mapping(scene.footprint)),
        "bbox": list(scene.footprint.bounds),
        "properties": {
            **moment_properties(scene.acquired, day_only=scene.day_only),
            "platform": scene.platform,
            **({"instruments": [sensor.instrument]} if sensor.instrument else {}),
            **cloud,
            **facts,
            "sitewatch:series": scene.series,
            "sitewatch:bands": [file.name for file in scene.bands],
            "sitewatch:mask_scheme": scene.mask_scheme,
            "sitewatch:provider": scene.provenance.provider,
            "sitewatch:product": scene.provenance.product,
            "sitewatch:source_ids": list(scene.provenance.source_ids),
            "sitewatch:archived": is_archived,
            "sitewatch:simulated": scene.simulated,
            "sitewatch:credit": scene.credit,
        },
        "links": [],
        "assets": {file.name: _asset(file) for file in members if file.path},
    }


def _asset(file: BandFile) -> dict[str, str]:
    return {"href": file.path, "type": COG_TYPE}
