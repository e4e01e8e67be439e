"""Which granules a payload's ``input.data`` means, and how they are grouped into samples."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from imagery.stac import utc_text
from sitewatch_hub.collections_served import Collection, collection_asked
from sitewatch_hub.cost import radar_factor
from sitewatch_hub.granules import MOSAICKING_ORDERS, Granule, describe, mosaicked
from sitewatch_hub.messages import field_refusal
from sitewatch_hub.sampling import RESAMPLINGS, Rendering

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from sitewatch_hub.canvas import Ground


_FACT_FILTERS = {
    "acquisitionMode": "sar:instrument_mode",
    "polarization": "s1:polarization",
    "resolution": "s1:resolution",
}
_ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_DEM_INSTANCES = ("COPERNICUS_30", "COPERNICUS_90")
_BACKSCATTERS = ("BETA0", "SIGMA0_ELLIPSOID", "GAMMA0_ELLIPSOID", "GAMMA0_TERRAIN")


@dataclass(frozen=True, slots=True)
class Source:
    """One entry of ``input.data``."""

    collection: Collection
    start: datetime
    end: datetime
    """Both aware; acquisitions at either instant count."""
    max_cloud_cover: float
    orbit_direction: str | None
    """``ASCENDING`` or ``DESCENDING``; None for both."""
    facts: Mapping[str, str]
    """What a granule must say of itself: mode, polarization, resolution."""
    order: str
    rendering: Rendering
    cost_factor: float
    """Of what is done to radar."""


@dataclass(frozen=True, slots=True)
class SampleScene:
    """The granules that make one sample of each pixel, first seen first."""

    key: str
    """What tells it from the others: its day, or its granule."""
    granules: tuple[Granule, ...]


def parse_source(data: object, time_range: object = None) -> Source:
    """Read ``input.data``, which must have one entry.

    Args:
        data: The list.
        time_range: Where it stands elsewhere in the payload, as in the Statistical API.

    Raises:
        RefusedError: A field is unknown or can't be.
    """
    if not isinstance(data, list) or len(data) != 1 or not isinstance(data[0], dict):
        raise field_refusal(
            "input->data", data, "must have one entry; data fusion is not offered by this server"
        )
    entry = data[0]
    limits, processing = entry.get("dataFilter", {}), entry.get("processing", {})
    collection = collection_asked(entry.get("type"))
    if collection.is_timeless:
        _choice(limits, "demInstance", "COPERNICUS_30", _DEM_INSTANCES)
        start, end = _ALWAYS
    else:
        start, end = parse_time_range(
            time_range or limits.get("timeRange"), "input->data->dataFilter->timeRange"
        )
    return Source(
        collection=collection,
        start=start,
        end=end,
        max_cloud_cover=_cloud_limit(limits.get("maxCloudCoverage", 100)),
        orbit_direction=_direction(limits),
        facts={fact: str(limits[name]) for name, fact in _FACT_FILTERS.items() if name in limits},
        order=_choice(limits, "mosaickingOrder", "mostRecent", MOSAICKING_ORDERS),
        rendering=Rendering(
            harmonise=processing.get("harmonizeValues", True) is not False,
            upsampling=RESAMPLINGS[_choice(processing, "upsampling", "NEAREST", RESAMPLINGS)],
            downsampling=RESAMPLINGS[_choice(processing, "downsampling", "NEAREST", RESAMPLINGS)],
        ),
        cost_factor=_radar_factor(processing),
    )


def select(granules: Sequence[Granule], source: Source, ground: Ground) -> list[Granule]:
    """Return the granules that a source means over a ground, in its mosaicking order."""
    outline = ground.lonlat()
    found = (
        granule
        for granule in granules
        if granule.collection is source.collection
        and source.start <= granule.acquired <= source.end
        and granule.cloud_cover <= source.max_cloud_cover
        and source.orbit_direction in {None, str(granule.facts.get("sat:orbit_state")).upper()}
        and all(granule.facts.get(fact) == value for fact, value in source.facts.items())
        and granule.scene.footprint.intersects(outline)
    )
    return mosaicked(found, source.order)


def group(granules: Sequence[Granule], mosaicking: str) -> list[SampleScene]:
    """Return one scene for ``SIMPLE``, one a UTC day for ``ORBIT``, one a granule for ``TILE``."""
    if mosaicking == "SIMPLE":
        return [SampleScene("", tuple(granules))]
    if mosaicking == "TILE":
        return [SampleScene(str(describe(granule)["shId"]), (granule,)) for granule in granules]
    # A day stands where its first granule stands, whatever the order.
    days = list(dict.fromkeys(_day(granule) for granule in granules))
    by_day = {day: list(members) for day, members in groupby(sorted(granules, key=_day), key=_day)}
    return [SampleScene(day, tuple(by_day[day])) for day in days]


def described(scenes: Iterable[SampleScene], mosaicking: str) -> dict[str, Any]:
    """Return the ``scenes`` that an evalscript is given."""
    if mosaicking == "TILE":
        return {"tiles": [describe(scene.granules[0]) for scene in scenes]}
    if mosaicking == "ORBIT":
        return {"orbits": [_orbit(scene) for scene in scenes]}
    return {}


def kept(scenes: Sequence[SampleScene], left: Mapping[str, Any], mosaicking: str) -> list[SampleScene]:
    """Return the scenes that ``preProcessScenes`` has left, in its order."""
    by_key = {scene.key: scene for scene in scenes}
    members = left.get("scenes", {})
    if mosaicking == "TILE":
        keys = [str(tile.get("shId")) for tile in members.get("tiles", [])]
    else:
        keys = [f"{orbit.get('dateFrom')}"[:10] for orbit in members.get("orbits", [])]
    return [by_key[key] for key in keys if key in by_key]


def parse_time_range(value: object, parameter: str) -> tuple[datetime, datetime]:
    """Read ``{"from": ..., "to": ...}``, both RFC 3339 with a zone.

    Raises:
        RefusedError: Not that, or the end is before the start.
    """
    if not isinstance(value, dict):
        raise field_refusal(parameter, value, "must be given")
    start, end = (parse_instant(value.get(name), f"{parameter}->{name}") for name in ("from", "to"))
    if end < start:
        raise field_refusal(parameter, value, "ends before it starts")
    return start, end


def parse_instant(value: object, parameter: str) -> datetime:
    """Read an RFC 3339 instant.

    Raises:
        RefusedError: Not one, or without a zone.
    """
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        raise field_refusal(parameter, value, "must be an RFC 3339 date and time") from None
    if moment.tzinfo is None:
        raise field_refusal(parameter, value, "must have a zone")
    return moment.astimezone(UTC)


def _orbit(scene: SampleScene) -> dict[str, Any]:
    return {
        "dateFrom": f"{scene.key}T00:00:00Z",
        "dateTo": f"{scene.key}T23:59:59Z",
        "tiles": [describe(granule) for granule in scene.granules],
    }


def _day(granule: Granule) -> str:
    return utc_text(granule.acquired)[:10]


def _cloud_limit(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= 100:
        raise field_refusal("input->data->dataFilter->maxCloudCoverage", value, "must be between 0 and 100")
    return float(value)


def _radar_factor(processing: Mapping[str, Any]) -> float:
    orthorectify = str(processing.get("orthorectify", False)).lower() == "true"
    backscatter = _choice(processing, "backCoeff", "GAMMA0_ELLIPSOID", _BACKSCATTERS)
    terrain = backscatter == "GAMMA0_TERRAIN"
    if terrain and not orthorectify:
        violation = "GAMMA0_TERRAIN needs orthorectify"
        raise field_refusal("input->data->processing->backCoeff", backscatter, violation)
    speckle = processing.get("speckleFilter", {}).get("type", "NONE") != "NONE"
    return radar_factor(orthorectify=orthorectify, terrain=terrain, speckle_filter=speckle)


def _direction(limits: Mapping[str, Any]) -> str | None:
    if "orbitDirection" not in limits:
        return None
    return _choice(limits, "orbitDirection", "", ("ASCENDING", "DESCENDING"))


def _choice(document: Mapping[str, Any], name: str, default: str, allowed: Iterable[str]) -> str:
    value = document.get(name, default)
    if value not in allowed:
        raise field_refusal(f"input->data->{name}", value, f"must be one of {', '.join(allowed)}")
    return str(value)
