"""The archive's scenes as the service's granules: what they are called and how cloudy they are."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import rasterio

from geo.mgrs import format_mgrs
from geo.position import Coordinate, Form
from imagery.archive import Archive
from imagery.geotiff import GDAL_OPTIONS
from imagery.masks import MaskScheme, cloud_percent, scene_classes
from imagery.stac import load_item, utc_text
from sitewatch_hub.collections_served import Collection, collection_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from imagery.model import BandFile, Scene

    Order = Callable[["Granule"], tuple[Any, ...]]

_OFFSET_BASELINE = "04.00"
"""First processing baseline whose counts are raised by 1000 (ESA, Sentinel-2 Products Specification)."""

_LAST_WITHOUT_OFFSET = "03.01"

_TILE_M = 100_000.0

_CARRIED = ("processing:", "s1:", "s2:", "sar:", "sat:", "view:")
"""Extensions whose properties are passed on from an Item."""


@dataclass(frozen=True, slots=True)
class Granule:
    """One scene as the service speaks of it."""

    id: str
    scene: Scene
    collection: Collection
    cloud_cover: float
    """Percent of the granule's valid pixels."""
    baseline: str
    """Processing baseline, ``04.00``; empty where the collection has none."""
    facts: Mapping[str, str | float]
    """Orbit, angles and the like, as far as the Item has them."""

    @property
    def acquired(self) -> datetime:
        """Aware UTC."""
        return self.scene.acquired

    @property
    def epsg(self) -> int | None:
        """Code of the pixels' CRS; none for radar, whose pixels lie along its track."""
        if self.collection.physical_unit == "LINEAR_POWER":
            return None
        code = self.scene.bands[0].crs.removeprefix("EPSG:")
        return int(code) if code.isdigit() else None

    def band(self, name: str) -> BandFile | None:
        """Return the file of a service band, or None where this granule lacks it."""
        if self.collection.mask is not None and name == self.collection.mask[0]:
            return self.scene.mask if self.scene.mask_scheme == self.collection.mask[1] else None
        canonical = self.collection.bands[name]
        return next((file for file in self.scene.bands if file.name == canonical), None)


def read_granules(archive: Path, *, tells_facts: bool = True) -> tuple[Granule, ...]:
    """Return the granules of an archive by (acquired, id); scenes of other platforms are left out.

    Args:
        archive: Its folder.
        tells_facts: Whether granules of Sentinel-2 say more of themselves than their name does.

    Raises:
        ArchiveError: An Item is damaged.
        ValueError: Two scenes would get one id.
    """
    granules = [
        _granule(scene, collection, tells_facts=tells_facts)
        for scene in Archive(archive).scenes()
        if (collection := collection_of(scene)) is not None
    ]
    if len({granule.id for granule in granules}) < len(granules):
        raise ValueError("two scenes of the archive would be one granule")
    return tuple(sorted(granules, key=lambda granule: (granule.acquired, granule.id)))


def mosaicked(granules: Iterable[Granule], order: str) -> list[Granule]:
    """Return granules in a ``mosaickingOrder``: the first that has data at a pixel is the one seen."""
    return sorted(granules, key=_ORDERS[order])


def _most_recent(granule: Granule) -> tuple[Any, ...]:
    return (-granule.acquired.timestamp(), granule.scene.id)


def _least_recent(granule: Granule) -> tuple[Any, ...]:
    return (granule.acquired, granule.scene.id)


def _least_cloudy(granule: Granule) -> tuple[Any, ...]:
    return (granule.cloud_cover, *_most_recent(granule))


_ORDERS: dict[str, Order] = {
    "mostRecent": _most_recent,
    "leastRecent": _least_recent,
    "leastCC": _least_cloudy,
}

MOSAICKING_ORDERS = tuple(_ORDERS)


def _granule(scene: Scene, collection: Collection, *, tells_facts: bool) -> Granule:
    told = _facts(scene) if tells_facts or not collection.harmonised else {}
    facts = {**dict(collection.facts), **told}
    baseline = _baseline(scene) if collection.harmonised else ""
    name = _product_name(scene, collection, baseline) if collection.harmonised else scene.id
    return Granule(name, scene, collection, _cloud_cover(scene), baseline, facts)


def _facts(scene: Scene) -> dict[str, str | float]:
    properties = load_item(Path(scene.bands[0].path).with_name(f"{scene.id}.json"))["properties"]
    return {
        name: value
        for name, value in properties.items()
        if name.startswith(_CARRIED) and isinstance(value, str | int | float)
    }


def _baseline(scene: Scene) -> str:
    if scene.processing_baseline:
        return scene.processing_baseline
    # What a baseline did to the counts tells at least which side of 04.00 it is on.
    return _OFFSET_BASELINE if any(file.offset < 0 for file in scene.bands) else _LAST_WITHOUT_OFFSET


def _product_name(scene: Scene, collection: Collection, baseline: str) -> str:
    """Return a name in the compact naming convention of Sentinel-2 products (ESA, from 2016-12-06).

    The discriminator, a time of processing in real names, is drawn from the scene's place, so that small
    tiles of one acquisition in one hundred-kilometre square are told apart.
    """
    centre = scene.footprint.centroid
    tile = format_mgrs(Coordinate(centre.x, centre.y, Form.MGRS, _TILE_M)).replace(" ", "")
    place = int(hashlib.sha256(scene.id.encode()).hexdigest()[:8], 16)
    processed = scene.acquired + timedelta(seconds=3600 + place % 86400)
    mission = "S2" + (scene.platform.removeprefix("sentinel-2").upper() or "_")
    number = baseline.replace(".", "")
    level = f"MSI{collection.id[-3:].upper()}"
    orbit = f"R{scene.geometry.relative_orbit or 0:03d}"
    return (
        f"{mission}_{level}_{_compact(scene.acquired)}_N{number}_{orbit}_T{tile}_{_compact(processed)}.SAFE"
    )


def _compact(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%S}"


def _cloud_cover(scene: Scene) -> float:
    if scene.mask is None:
        return 0.0
    with rasterio.Env(**GDAL_OPTIONS), rasterio.open(scene.mask.path, driver="GTiff") as dataset:
        return cloud_percent(scene_classes(dataset.read(1), MaskScheme(scene.mask_scheme)))


def describe(granule: Granule) -> dict[str, object]:
    """Return what evalscripts are told of a granule in ``scenes``."""
    return {
        "date": utc_text(granule.acquired),
        "shId": int(hashlib.sha256(granule.id.encode()).hexdigest()[:6], 16),
        "dataPath": f"local://{granule.id}",
        "cloudCoverage": granule.cloud_cover,
    }
