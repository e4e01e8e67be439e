"""What the service's catalogue holds over a frame: granules, and the passes they are parts of.

The catalogue speaks STAC 1.0 with a paging of its own: an integer in ``context.next`` that is posted
back (Sentinel Hub documentation, "Catalog API").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import orjson
import shapely
from shapely.geometry import shape

from imagery.acquisition import baseline_of, geometry_of, joint_baseline, joint_geometry
from imagery.errors import ServiceError
from imagery.model import UNKNOWN_GEOMETRY, AcquisitionGeometry, solar_day
from imagery.provenance import Charge
from imagery.sensors import platform_slug, sensor_for
from imagery.sentinelhub.cost import CATALOG_UNITS
from imagery.sentinelhub.orbits import has_orbit, radar_facts
from imagery.sentinelhub.service import UnusableAnswer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from shapely.geometry.base import BaseGeometry

    from geo.dates import Span
    from imagery.sentinelhub.products import Product
    from imagery.sentinelhub.service import Answer, Service

SEARCH_PATH = "/api/v1/catalog/1.0.0/search"

_PAGE = 100
_MAX_PAGES = 200
_MAX_PAGE_BYTES = 2**25
_CARRIED = (
    "s2:processing_baseline",
    "processing:version",
    "sat:orbit_state",
    "sat:relative_orbit",
    "sat:absolute_orbit",
    "sar:instrument_mode",
    "s1:polarization",
    "view:sun_azimuth",
    "view:sun_elevation",
    "view:azimuth",
    "view:incidence_angle",
    "view:off_nadir",
)
"""Properties that are kept with the scene where the catalogue has them."""

_PRODUCT_NAME = re.compile(
    r"S2[A-Z_]_MSIL\w{2}_\d{8}T\d{6}_N(?P<major>\d\d)(?P<minor>\d\d)_R(?P<orbit>\d{3})_"
)
"""Compact naming convention of Sentinel-2 products (ESA, from 2016-12-06): all that the catalogue tells of
orbit and baseline of Sentinel-2 is there."""


@dataclass(frozen=True, slots=True)
class Granule:
    """One item of the catalogue: a tile of a pass."""

    id: str
    platform: str
    """Slug."""
    acquired: datetime
    """Aware UTC."""
    footprint: BaseGeometry
    """``lon, lat`` degrees."""
    cloud_percent: float | None
    crs: str | None
    """``EPSG:n`` of its pixels, where the catalogue says."""
    facts: tuple[tuple[str, str | float], ...]
    """Angles, orbit and processing baseline, by name, as the catalogue says them."""
    simulated: bool
    geometry: AcquisitionGeometry = UNKNOWN_GEOMETRY
    processing_baseline: str = ""


@dataclass(frozen=True, slots=True)
class Acquisition:
    """The granules of one pass over a frame, at least one, by (acquired, id)."""

    granules: tuple[Granule, ...]

    @property
    def platform(self) -> str:
        """Slug."""
        return self.granules[0].platform

    @property
    def acquired(self) -> datetime:
        """Aware UTC of the first granule."""
        return self.granules[0].acquired

    @property
    def last(self) -> datetime:
        """Aware UTC of the last granule."""
        return self.granules[-1].acquired

    @property
    def geometry(self) -> AcquisitionGeometry:
        """Of its granules each fact is that of the first that knows it."""
        return joint_geometry([granule.geometry for granule in self.granules])

    @property
    def processing_baseline(self) -> str:
        """Of its first granule that knows it; empty where none does."""
        return joint_baseline(granule.processing_baseline for granule in self.granules)

    @property
    def cloud_percent(self) -> float | None:
        """Cloud cover of the clearest granule, 0 to 100: the frame may lie in that one."""
        known = [granule.cloud_percent for granule in self.granules if granule.cloud_percent is not None]
        return min(known) if known else None


def find_acquisitions(
    service: Service, product: Product, frame: BaseGeometry, span: Span | None
) -> tuple[Acquisition, ...]:
    """Return the passes whose granules touch a frame, by (acquired, platform).

    Args:
        service: Who is asked.
        product: Of what.
        frame: Polygon in ``lon, lat`` degrees.
        span: Solar days at the frame's centre; None for all.

    Raises:
        ServiceError: And what else `Service.post` raises.
    """
    lon = frame.centroid.x
    document: dict[str, Any] = {
        "collections": [product.collection],
        "bbox": [round(value, 7) for value in frame.bounds],
        "limit": _PAGE,
    }
    if product.catalog_filter:
        document |= {"filter": product.catalog_filter, "filter-lang": "cql2-text"}
    if span is not None:
        document["datetime"] = _utc_window(span, lon, product.gap_s)
    found = [
        granule
        for granule in _granules(service, product, document)
        if granule.footprint.intersects(frame) and _is_wanted(granule, product)
    ]
    passes = group_granules(found, timedelta(seconds=product.gap_s))
    return tuple(each for each in passes if span is None or span.contains(_day(each, lon)))


def group_granules(granules: Iterable[Granule], gap: timedelta) -> tuple[Acquisition, ...]:
    """Return granules as passes: same platform, each less than `gap` after the one before it.

    An item that comes twice is taken once.
    """
    unique = {granule.id: granule for granule in granules}
    ordered = sorted(unique.values(), key=lambda granule: (granule.platform, granule.acquired, granule.id))
    groups: list[list[Granule]] = []
    for granule in ordered:
        last = groups[-1][-1] if groups else None
        if last and last.platform == granule.platform and granule.acquired - last.acquired < gap:
            groups[-1].append(granule)
        else:
            groups.append([granule])
    passes = [Acquisition(tuple(group)) for group in groups]
    return tuple(sorted(passes, key=lambda each: (each.acquired, each.platform)))


def _is_wanted(granule: Granule, product: Product) -> bool:
    if product.left_out_mark in granule.id.split("_"):
        return False
    return has_orbit(granule.geometry) or not product.per_orbit


def _day(acquisition: Acquisition, lon: float) -> date:
    return solar_day(acquisition.acquired, lon)


def _utc_window(span: Span, lon: float, pad_s: int) -> str:
    shift, pad = timedelta(hours=lon / 15.0), timedelta(seconds=pad_s)
    start = datetime.combine(span.start, time.min, UTC) - shift - pad
    end = datetime.combine(span.end + timedelta(days=1), time.min, UTC) - shift + pad
    return f"{start:%Y-%m-%dT%H:%M:%SZ}/{end:%Y-%m-%dT%H:%M:%SZ}"


def _granules(service: Service, product: Product, document: dict[str, Any]) -> Iterator[Granule]:
    following: int | None = None
    for _ in range(_MAX_PAGES):
        page = document if following is None else {**document, "next": following}
        (features, proposed), _ = service.post(
            SEARCH_PATH,
            page,
            accept="application/geo+json, application/json",
            what="search",
            estimate=Charge(1, CATALOG_UNITS),
            understand=_page,
            max_bytes=_MAX_PAGE_BYTES,
        )
        for feature in features:
            yield _granule(feature, product)
        if proposed is None or not features:
            return
        if following is not None and proposed <= following:
            raise ServiceError(f"the catalogue of {service.deployment.title} pages in a circle")
        following = proposed
    raise ServiceError(
        f"the catalogue of {service.deployment.title} has more than {_PAGE * _MAX_PAGES:,} items there",
        hint="Ask for a shorter span",
    )


def _page(answer: Answer) -> tuple[list[dict[str, Any]], int | None]:
    try:
        document = orjson.loads(answer.content)
        features = document["features"]
        following = document.get("context", {}).get("next")
        if not isinstance(features, list) or not (following is None or isinstance(following, int)):
            raise TypeError("features is no list, or next is no number")  # noqa: TRY301 - one exit
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise UnusableAnswer("it is no page of search results") from error
    return features, following


def _granule(feature: dict[str, Any], product: Product) -> Granule:
    try:
        properties = feature["properties"]
        acquired = datetime.fromisoformat(properties["datetime"])
        if acquired.tzinfo is None:
            raise ValueError("its datetime has no zone")  # noqa: TRY301 - one exit
        footprint = shape(feature["geometry"])
        shapely.prepare(footprint)
        cloud = properties.get("eo:cloud_cover")
        code = properties.get("proj:code") or properties.get("proj:epsg")
        name = str(feature["id"])
        platform = _platform(str(properties.get("platform") or ""), name, product)
        told = {**_named_facts(name), **radar_facts(name, platform, acquired, properties), **properties}
        return Granule(
            id=name,
            platform=platform,
            acquired=acquired.astimezone(UTC),
            footprint=footprint,
            cloud_percent=None if cloud is None else float(cloud),
            crs=None if not code else f"EPSG:{int(str(code).upper().removeprefix('EPSG:'))}",
            facts=_facts(properties),
            simulated=bool(properties.get("sitewatch:simulated", False)),
            geometry=geometry_of(told),
            processing_baseline=baseline_of(told),
        )
    except (KeyError, TypeError, ValueError, AttributeError, shapely.errors.ShapelyError) as error:
        raise ServiceError(
            f"an item of the catalogue can't be read: {type(error).__name__}: {error}"
        ) from error


def _named_facts(name: str) -> dict[str, Any]:
    found = _PRODUCT_NAME.match(name)
    if found is None:
        return {}
    facts: dict[str, Any] = {"s2:processing_baseline": f"{found['major']}.{found['minor']}"}
    if int(found["orbit"]):
        # Its instrument works by daylight, which is the half of an orbit that goes south.
        facts |= {"sat:relative_orbit": int(found["orbit"]), "sat:orbit_state": "descending"}
    return facts


def _platform(stated: str, granule_id: str, product: Product) -> str:
    """Return a granule's platform; where only its mission is stated, by the first word of its name (S1A)."""
    slug = platform_slug(stated) if stated else product.generic_platform
    named = sensor_for(granule_id.partition("_")[0])
    is_vague = slug == product.generic_platform or sensor_for(slug).instrument is None
    return named.platform if is_vague and named.instrument is not None else slug


def _facts(properties: dict[str, Any]) -> tuple[tuple[str, str | float], ...]:
    return tuple(
        (name, properties[name]) for name in _CARRIED if isinstance(properties.get(name), str | int | float)
    )
