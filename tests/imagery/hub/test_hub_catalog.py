"""The hub's Catalog, searched by the real client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from sentinelhub.api.catalog import SentinelHubCatalog
from sentinelhub.constants import CRS
from sentinelhub.download.session import SentinelHubSession
from sentinelhub.exceptions import DownloadFailedException
from sentinelhub.geometry import BBox, Geometry

from sitewatch_hub.cql import parse_filter
from sitewatch_hub.granules import read_granules
from sitewatch_hub.messages import RefusedError
from sitewatch_hub.simulated import PASSES
from tests.imagery.hub.conftest import S2, window

if TYPE_CHECKING:
    from pathlib import Path

    from sentinelhub.config import SHConfig

    from sitewatch_hub.server import LocalHub

EVERYWHERE = BBox((-180, -90, 180, 90), CRS.WGS84)
ALWAYS = ("2021-01-01", "2023-01-01")


def lonlat(row: int, column: int, rows: int, columns: int) -> BBox:
    """Return a window's box in degrees, so that the client need not move it."""
    return window(row, column, rows, columns).transform(CRS.WGS84)


@pytest.fixture
def catalog(config: SHConfig) -> SentinelHubCatalog:
    return SentinelHubCatalog(config=config)


def found(catalog: SentinelHubCatalog, **query: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - the client's own
    return list(catalog.search(S2, **{"bbox": EVERYWHERE, "time": ALWAYS, **query}))


def test_pages_hold_every_granule_once_latest_first(catalog: SentinelHubCatalog, hub: LocalHub) -> None:
    features = found(catalog, limit=5)
    assert len(features) == 12
    assert len({feature["id"] for feature in features}) == 12
    times = [feature["properties"]["datetime"] for feature in features]
    assert times == sorted(times, reverse=True)
    pages = [entry.payload.get("next") for entry in hub.journal.entries("/search")]
    assert pages == [None, 5, 10]
    exactly = found(catalog, limit=12)
    assert [feature["id"] for feature in exactly] == [feature["id"] for feature in features]
    assert len(hub.journal.entries("/search")) == 4


def test_a_feature_is_one_granule_with_what_the_service_tells_of_it(catalog: SentinelHubCatalog) -> None:
    moment = PASSES[4]
    west, east = sorted(
        found(catalog, time=("2022-03-08", "2022-03-08")), key=lambda feature: feature["bbox"][0]
    )
    assert west["id"].startswith("S2B_MSIL2A_20220308T021138_N0400_R003_T52TBK_")
    assert west["id"] != east["id"]
    assert west["collection"] == "sentinel-2-l2a"
    assert west["properties"] == {
        "datetime": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
        "platform": "sentinel-2b",
        "gsd": 10.0,
        "proj:epsg": 32652,
        "eo:cloud_cover": pytest.approx(30.2, abs=0.1),
        "sat:relative_orbit": 3,
        "sat:orbit_state": "descending",
        "view:sun_azimuth": 148.88,
        "view:sun_elevation": 40.12,
        "view:azimuth": 104.5,
        "view:incidence_angle": 4.0,
        "s2:processing_baseline": "04.00",
        "sitewatch:simulated": True,
    }
    assert west["bbox"][2] > east["bbox"][0]
    assert Geometry.from_geojson(west["geometry"]).bbox.min_x == pytest.approx(west["bbox"][0])
    before = found(catalog, time=("2022-01-17", "2022-01-17"))
    assert all("_N0301_" in feature["id"] for feature in before)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({"filter": "eo:cloud_cover < 20"}, 8),
        ({"filter": "eo:cloud_cover BETWEEN 5 AND 35"}, 4),
        ({"filter": "platform = 'sentinel-2a' AND eo:cloud_cover <= 0"}, 4),
        ({"filter": "no:such = 1"}, 0),
        (
            {"filter": {"op": "<", "args": [{"property": "eo:cloud_cover"}, 20]}, "filter_lang": "cql2-json"},
            8,
        ),
        ({"time": ("2021-12-08T02:11:31Z", "2021-12-08T02:11:31Z")}, 1),
        ({"time": "2021-12-08"}, 2),
        ({"time": (None, "2021-12-31")}, 4),
        ({"time": ("2022-04-01", None)}, 2),
        ({"bbox": lonlat(0, 0, 10, 10)}, 6),
        ({"bbox": lonlat(0, 165, 10, 10)}, 12),
        ({"bbox": BBox((0, 0, 1, 1), CRS.WGS84)}, 0),
        ({"bbox": None, "geometry": Geometry(lonlat(0, 390, 9, 9).geometry, CRS.WGS84)}, 6),
    ],
)
def test_searches_by_time_place_and_filter(
    catalog: SentinelHubCatalog, query: dict[str, Any], count: int
) -> None:
    assert len(found(catalog, **query)) == count


def test_ids_fields_and_distinct_days(catalog: SentinelHubCatalog) -> None:
    wanted = found(catalog)[3]["id"]
    fields = {"include": ["id", "properties.eo:cloud_cover"], "exclude": []}
    only = found(catalog, ids=[wanted], fields=fields)
    assert only == [{"id": wanted, "properties": {"eo:cloud_cover": 30.21}}]
    cut = found(catalog, ids=[wanted], fields={"exclude": ["geometry", "properties.gsd"]})[0]
    assert "geometry" not in cut
    assert "gsd" not in cut["properties"]
    days: list[Any] = list(catalog.search(S2, bbox=EVERYWHERE, time=ALWAYS, distinct="date"))
    assert days == [f"{moment:%Y-%m-%d}" for moment in PASSES]


def test_collections_and_features_by_name(catalog: SentinelHubCatalog) -> None:
    feature = found(catalog)[0]
    assert catalog.get_info()["stac_version"] == "1.0.0"
    assert catalog.get_conformance()["conformsTo"]
    assert S2.catalog_id in {entry["id"] for entry in catalog.get_collections()}
    assert catalog.get_collection(S2)["title"] == "Sentinel 2 L2A"
    assert catalog.get_feature(S2, feature["id"]) == feature
    with pytest.raises(DownloadFailedException, match="404"):
        catalog.get_feature(S2, "none")
    with pytest.raises(DownloadFailedException, match="404"):
        catalog.get_collection("none")


@pytest.mark.parametrize(
    ("payload", "status", "telling"),
    [
        (b"{", 400, "no JSON"),
        (b"[]", 400, "no JSON object"),
        (b'{"collections": []}', 400, "collections"),
        (b'{"collections": ["nope"]}', 404, "nope"),
        (b'{"collections": ["sentinel-2-l2a"], "limit": 101}', 400, "limit"),
        (b'{"collections": ["sentinel-2-l2a"], "limit": true}', 400, "limit"),
        (b'{"collections": ["sentinel-2-l2a"], "next": -1}', 400, "next"),
        (b'{"collections": ["sentinel-2-l2a"], "bbox": [1, 2]}', 400, "bbox"),
        (b'{"collections": ["sentinel-2-l2a"], "intersects": {"type": "Poly"}}', 400, "intersects"),
        (b'{"collections": ["sentinel-2-l2a"], "datetime": "yesterday"}', 400, "datetime"),
        (b'{"collections": ["sentinel-2-l2a"], "datetime": "2021-01-01T00:00:00"}', 400, "zone"),
        (b'{"collections": ["sentinel-2-l2a"], "distinct": "mood"}', 400, "distinct"),
        (b'{"collections": ["sentinel-2-l2a"], "filter": "a LIKE b"}', 400, "filter"),
    ],
)
def test_a_search_that_can_not_be_is_refused(
    config: SHConfig, hub: LocalHub, payload: bytes, status: int, telling: str
) -> None:
    headers = SentinelHubSession(config).session_headers
    url = f"{hub.base_url}/api/v1/catalog/1.0.0/search"
    answer = requests.post(url, data=payload, headers=headers, timeout=10)
    assert answer.status_code == answer.json()["error"]["status"] == status
    assert telling in answer.text


def test_without_a_token_there_is_nothing_but_the_front_door(hub: LocalHub) -> None:
    root = f"{hub.base_url}/api/v1/catalog/1.0.0"
    assert requests.get(f"{root}/", timeout=10).status_code == 200
    assert requests.get(f"{root}/collections", timeout=10).status_code == 401
    assert requests.get(f"{hub.base_url}/elsewhere", timeout=10).status_code == 404


@pytest.mark.parametrize(
    "text", ["a <", "< 3", "a = 1 OR b = 2", "a = 1 AND", "a BETWEEN 1 OR 2", "a = b", "a ~ 1", "NOT a = 1"]
)
def test_filters_outside_the_subset_are_refused(text: str) -> None:
    with pytest.raises(RefusedError, match="can't be used"):
        parse_filter(text)


def test_a_filter_reads_quotes_signs_and_exponents() -> None:
    holds = [
        condition.holds({"a": "it's", "b b": -250.0})
        for condition in parse_filter("a = 'it''s' and \"b b\" >= -2.5e2 AND a <> 3")
    ]
    assert holds == [True, True, False]


def test_an_empty_folder_is_a_hub_without_granules(tmp_path: Path) -> None:
    assert read_granules(tmp_path / "none") == ()
