from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from shapely.geometry import box

from geo.grid import Grid
from imagery.errors import ImageError, ServiceError
from imagery.sentinelhub.acquisitions import SEARCH_PATH, Acquisition, find_acquisitions
from imagery.sentinelhub.credentials import Credentials
from imagery.sentinelhub.deployment import deployment_for
from imagery.sentinelhub.fetch_frame import MAX_SIDE_PX, fetch_frame
from imagery.sentinelhub.patience import Patience
from imagery.sentinelhub.products import product_for
from imagery.sentinelhub.service import Service
from sitewatch_hub.faults import Answer
from sitewatch_hub.server import LocalHub
from sitewatch_hub.simulated import make_archive

L2A = product_for("sentinel-2-l2a")
FRAME = box(126.42, 40.06, 126.43, 40.07)
QUICK = Patience(total_s=5.0, attempts=2, first_wait_s=0.01, longest_wait_s=0.02)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    root: Path = tmp_path_factory.mktemp("ground") / "archive"
    make_archive(root, np.random.default_rng(2))
    with LocalHub(root) as running:
        yield running


@pytest.fixture
def find(hub: LocalHub) -> Iterator[Callable[[], tuple[Acquisition, ...]]]:
    deployment = deployment_for("custom", base_url=hub.base_url, token_url=hub.token_url)
    service = Service(deployment, Credentials(hub.client.id, hub.client.secret), patience=QUICK)
    yield lambda: find_acquisitions(service, L2A, FRAME, None)
    hub.faults.clear()


def feature(number: int, **properties: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON value
    known = {"datetime": f"2021-11-{number:02d}T02:11:39Z", "platform": "sentinel-2c", **properties}
    geometry = {"type": "Polygon", "coordinates": [[list(point) for point in FRAME.exterior.coords]]}
    return {"id": f"item-{number}", "geometry": geometry, "properties": known}


def page(features: list[Any], following: object = None) -> Answer:
    context = {} if following is None else {"next": following}
    return Answer(200, orjson.dumps({"features": features, "context": context}), "application/geo+json")


def test_pages_are_followed_to_their_end(hub: LocalHub, find: Callable[[], tuple[Acquisition, ...]]) -> None:
    for number in range(1, 4):
        last = number == 3
        hub.faults.add(page([feature(number)], None if last else number * 100), path=SEARCH_PATH, nth=number)
    before = len(hub.journal.entries(SEARCH_PATH))
    assert [each.granules[0].id for each in find()] == ["item-1", "item-2", "item-3"]
    asked = [entry.payload.get("next") for entry in hub.journal.entries(SEARCH_PATH)[before:]]
    assert asked == [None, 100, 200]


def test_pages_in_a_circle_are_an_end(hub: LocalHub, find: Callable[[], tuple[Acquisition, ...]]) -> None:
    hub.faults.add(page([feature(1)], 100), path=SEARCH_PATH, times=1000)
    with pytest.raises(ServiceError, match="pages in a circle"):
        find()


@pytest.mark.parametrize(
    "body", [b"[]", b"{", b'{"features": {}}', b'{"features": [], "context": {"next": "2"}}']
)
def test_what_is_no_page_is_not_taken(
    hub: LocalHub, find: Callable[[], tuple[Acquisition, ...]], body: bytes
) -> None:
    hub.faults.add(Answer(200, body), path=SEARCH_PATH, times=10)
    with pytest.raises(ServiceError, match="no page of search results"):
        find()


@pytest.mark.parametrize(
    "changes",
    [
        {"datetime": "2021-11-03T02:11:39"},
        {"datetime": "lately"},
        {"datetime": None},
        {"eo:cloud_cover": "much"},
        {"proj:epsg": "EPSG:../../x"},
        {"view:sun_elevation": 180},
        {"sat:relative_orbit": "3"},
    ],
)
def test_an_item_that_cannot_be_is_refused(
    hub: LocalHub, find: Callable[[], tuple[Acquisition, ...]], changes: dict[str, object]
) -> None:
    hub.faults.add(page([feature(1, **changes)]), path=SEARCH_PATH)
    with pytest.raises(ServiceError, match="an item of the catalogue can't be read"):
        find()


def test_names_from_the_catalogue_become_slugs(
    hub: LocalHub, find: Callable[[], tuple[Acquisition, ...]]
) -> None:
    items = [feature(1, platform="../../etc"), feature(2, platform=None), feature(3, platform="Sentinel-2C")]
    hub.faults.add(page(items), path=SEARCH_PATH)
    assert [each.platform for each in find()] == ["etc", "sentinel-2", "sentinel-2c"]


SAID = {"sat:relative_orbit": 3, "sat:orbit_state": "descending", "view:sun_elevation": 38.2}


@pytest.mark.parametrize(
    ("name", "facts", "geometry", "baseline"),
    [
        # All that the service tells of Sentinel-2 stands in the name.
        ("S2A_MSIL2A_20210125T073201_N0500_R049_T39TWK_20230528T024029.SAFE", {}, "49-descending", "05.00"),
        ("S2B_MSIL1C_20210125T073201_N0209_R000_T39TWK_20230528T024029", {}, "", "02.09"),
        ("LC08_L2SP_116032_20210125_20210305_02_T1", {}, "", ""),
        ("S1B_IW_GRDH_1SDV_20210125T", {"sat:orbit_state": "ASCENDING"}, "ascending", ""),
        ("item", {**SAID, "processing:version": "05.11"}, "3-descending", "05.11"),
        ("S2A_MSIL2A_20210125T073201_N0500_R049_T", {"sat:relative_orbit": 5}, "5-descending", "05.00"),
    ],
)
def test_orbit_and_baseline_are_read_where_the_catalogue_tells_them(
    hub: LocalHub,
    find: Callable[[], tuple[Acquisition, ...]],
    name: str,
    facts: dict[str, object],
    geometry: str,
    baseline: str,
) -> None:
    hub.faults.add(page([{**feature(1, **facts), "id": name}]), path=SEARCH_PATH)
    (found,) = find()
    assert (found.geometry.orbit, found.processing_baseline) == (geometry, baseline)
    assert found.geometry.sun_zenith_deg == (51.8 if "view:sun_elevation" in facts else None)


def grid(crs: str, left: float, top: float, side_px: int = 50) -> Grid:
    transform = [10.0, 0.0, left, 0.0, -10.0, top]
    return Grid.from_json({"site_id": "a", "crs": crs, "transform": transform, "shape": [side_px, side_px]})


@pytest.mark.parametrize(
    ("crs", "top", "origin"), [("EPSG:32652", 4_440_130.0, 0.0), ("EPSG:32752", 6_000_130.0, 10_000_000.0)]
)
def test_the_frame_lies_on_the_edges_of_every_band_and_holds_the_grid(
    crs: str, top: float, origin: float
) -> None:
    site = grid(crs, 280_010.0, top)
    frame = fetch_frame(site, L2A, ["red", "swir16"])
    left, bottom, right, upper = frame.bounds
    assert (left % 60, right % 60, (bottom - origin) % 60, (upper - origin) % 60) == (0, 0, 0, 0)
    inner = site.bounds
    rims = (inner[0] - left, inner[1] - bottom, right - inner[2], upper - inner[3])
    assert min(rims) >= 5 * 20 + 4 * 10
    assert max(rims) < 5 * 20 + 4 * 10 + 60
    assert frame.shape == (round((upper - bottom) / 10), round((right - left) / 10))


def test_more_than_a_request_may_be_is_refused() -> None:
    fetch_frame(grid("EPSG:32652", 280_000.0, 4_440_000.0, MAX_SIDE_PX - 60), L2A, ["red"])
    with pytest.raises(ImageError, match="a request gives 2500 a side"):
        fetch_frame(grid("EPSG:32652", 280_000.0, 4_440_000.0, MAX_SIDE_PX), L2A, ["red"])
