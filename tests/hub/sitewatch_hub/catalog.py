"""The Catalog API 1.0.0: granules as STAC features, paged by ``context.next``."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import shapely
from shapely.geometry import box, mapping, shape

from imagery.stac import utc_text
from sitewatch_hub.collections_served import COLLECTIONS, Collection, collection_named
from sitewatch_hub.cost import CATALOG_UNITS, header
from sitewatch_hub.cql import Comparison, parse_filter
from sitewatch_hub.messages import Reply, field_refusal, json_reply, refusal
from sitewatch_hub.selection import parse_instant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shapely.geometry.base import BaseGeometry

    from sitewatch_hub.granules import Granule

STAC_VERSION = "1.0.0"
DEFAULT_LIMIT = 10
MAX_LIMIT = 100

_DATE_LENGTH = len("2021-11-01")
_ALWAYS = (datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_DISTINCT = {"date": lambda granule: utc_text(granule.acquired)[:10]}
_LAST_MOMENT = timedelta(days=1) - timedelta(microseconds=1)


def landing() -> Reply:
    """Answer ``GET /``."""
    return json_reply(
        {
            "type": "Catalog",
            "stac_version": STAC_VERSION,
            "id": "sentinel-hub",
            "description": "A local stand-in for the Catalog API of Sentinel Hub.",
            "links": [],
        }
    )


def conformance() -> Reply:
    """Answer ``GET /conformance``."""
    core = "https://api.stacspec.org/v1.0.0"
    return json_reply({"conformsTo": [f"{core}/core", f"{core}/item-search"]})


def collections() -> Reply:
    """Answer ``GET /collections``."""
    return json_reply({"collections": [_collection(entry) for entry in COLLECTIONS], "links": []})


def one_collection(name: str) -> Reply:
    """Answer ``GET /collections/{id}``."""
    return json_reply(_collection(collection_named(name)))


def one_feature(name: str, feature: str, granules: Sequence[Granule]) -> Reply:
    """Answer ``GET /collections/{id}/items/{feature}``."""
    wanted = collection_named(name)
    for granule in granules:
        if granule.collection is wanted and granule.id == feature:
            return json_reply(_feature(granule))
    raise refusal(404, "COMMON_NOT_FOUND", f"Feature {feature!r} does not exist.")


def search(payload: Mapping[str, Any], granules: Sequence[Granule]) -> Reply:
    """Answer ``POST /search``.

    Raises:
        RefusedError: A field of the payload can't be used.
    """
    found = _matching(payload, granules)
    limit = _whole(payload, "limit", DEFAULT_LIMIT, 1, MAX_LIMIT)
    first = _whole(payload, "next", 0, 0, None)
    features = _distinct(payload["distinct"], found) if "distinct" in payload else _features(payload, found)
    page = features[first : first + limit]
    context: dict[str, int] = {"limit": limit, "returned": len(page)}
    if first + limit < len(features):
        context["next"] = first + limit
    document = {"type": "FeatureCollection", "features": page, "links": [], "context": context}
    return Reply(200, json_reply(document).body, headers=header(CATALOG_UNITS))


def _matching(payload: Mapping[str, Any], granules: Iterable[Granule]) -> list[Granule]:
    """Return the granules that a payload means, latest first, as the service lists them."""
    wanted = _one_collection(payload)
    start, end = _interval(payload.get("datetime"))
    ground = _ground(payload)
    conditions = parse_filter(payload.get("filter"))
    ids = payload.get("ids")
    found = [
        granule
        for granule in granules
        if granule.collection is wanted
        and start <= granule.acquired <= end
        and (ids is None or granule.id in ids)
        and (ground is None or granule.scene.footprint.intersects(ground))
        and _holds(conditions, granule)
    ]
    return sorted(found, key=lambda granule: (-granule.acquired.timestamp(), granule.id))


def _one_collection(payload: Mapping[str, Any]) -> Collection:
    names = payload.get("collections")
    if not isinstance(names, list) or len(names) != 1:
        raise field_refusal("collections", names, "must name one collection")
    return collection_named(names[0])


def _ground(payload: Mapping[str, Any]) -> BaseGeometry | None:
    if "bbox" in payload and "intersects" in payload:
        raise field_refusal("bbox", payload["bbox"], "give bbox or intersects, not both")
    try:
        if "bbox" in payload:
            left, bottom, right, top = map(float, payload["bbox"])
            return box(left, bottom, right, top)
        return shape(payload["intersects"]) if "intersects" in payload else None
    except (AttributeError, KeyError, TypeError, ValueError, shapely.errors.ShapelyError):
        name = "bbox" if "bbox" in payload else "intersects"
        violation = "must be a box of four numbers or a GeoJSON geometry"
        raise field_refusal(name, payload[name], violation) from None


def _interval(value: object) -> tuple[datetime, datetime]:
    """Read an instant, a day, or two of them around a slash; ``..`` leaves an end open."""
    if value is None:
        return _ALWAYS
    start, slash, end = str(value).partition("/")
    return _edge(start, is_end=False), _edge(end if slash else start, is_end=True)


def _edge(text: str, *, is_end: bool) -> datetime:
    if text in {"", ".."}:
        return _ALWAYS[is_end]
    if len(text) == _DATE_LENGTH:
        day = parse_instant(f"{text}T00:00:00Z", "datetime").date()
        midnight = datetime.combine(day, time(tzinfo=UTC))
        return midnight + _LAST_MOMENT if is_end else midnight
    return parse_instant(text, "datetime")


def _holds(conditions: Iterable[Comparison], granule: Granule) -> bool:
    properties = _properties(granule)
    return all(condition.holds(properties) for condition in conditions)


def _whole(payload: Mapping[str, Any], name: str, default: int, low: int, high: int | None) -> int:
    value = payload.get(name, default)
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or value < low or (high is not None and value > high):
        limits = f"at least {low}" if high is None else f"between {low} and {high}"
        raise field_refusal(name, value, f"must be a whole number, {limits}")
    return int(value)


def _distinct(name: object, granules: Iterable[Granule]) -> Sequence[object]:
    if name not in _DISTINCT:
        raise field_refusal("distinct", name, f"must be one of {', '.join(_DISTINCT)}")
    return sorted({_DISTINCT[str(name)](granule) for granule in granules})


def _features(payload: Mapping[str, Any], granules: Iterable[Granule]) -> list[object]:
    fields = payload.get("fields", {})
    include, exclude = fields.get("include", []), fields.get("exclude", [])
    return [_cut(_feature(granule), include, exclude) for granule in granules]


def _cut(feature: dict[str, Any], include: Sequence[str], exclude: Sequence[str]) -> dict[str, Any]:
    kept = _included(feature, include) if include else feature
    for path in exclude:
        parent, _, name = path.rpartition(".")
        holder = kept.get(parent, {}) if parent else kept
        holder.pop(name, None)
    return kept


def _included(feature: Mapping[str, Any], include: Sequence[str]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for path in include:
        # A property's own name holds colons and no dot: `properties.eo:cloud_cover`.
        parent, _, name = path.partition(".")
        if not name and parent in feature:
            kept[parent] = feature[parent]
        elif name in feature.get(parent, {}):
            kept.setdefault(parent, {})[name] = feature[parent][name]
    return kept


def _feature(granule: Granule) -> dict[str, Any]:
    footprint = granule.scene.footprint
    return {
        "type": "Feature",
        "stac_version": STAC_VERSION,
        "stac_extensions": [],
        "id": granule.id,
        "bbox": list(footprint.bounds),
        "geometry": mapping(footprint),
        "properties": _properties(granule),
        "assets": {},
        "links": [],
        "collection": granule.collection.id,
    }


def _properties(granule: Granule) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "datetime": utc_text(granule.acquired),
        "platform": granule.scene.platform,
        "gsd": min(float(file.transform.a) for file in granule.scene.bands),
    }
    if granule.epsg is not None:
        properties["proj:epsg"] = granule.epsg
    if granule.collection.mask is not None:
        properties["eo:cloud_cover"] = granule.cloud_cover
    if granule.scene.simulated:
        # The service has no such property; made-up pixels must not lose their label on the way.
        properties["sitewatch:simulated"] = True
    return {**granule.facts, **properties}


def _collection(entry: Collection) -> dict[str, Any]:
    return {
        "type": "Collection",
        "stac_version": STAC_VERSION,
        "id": entry.id,
        "title": entry.title,
        "description": entry.title,
        "license": "other",
        "extent": {
            "spatial": {"bbox": [[-180.0, -90.0, 180.0, 90.0]]},
            "temporal": {"interval": [[None, None]]},
        },
        "links": [],
    }
