"""The page's own clustering, held against a plain one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

from maps.offline import read_text

pytestmark = pytest.mark.browser

RADIUS_PX = 36
CLUSTER = """
([points, zooms]) => {
  const sites = points.map((point, i) => ({ i, point }));
  const at = mercator(sites);
  const placed = Int32Array.from(sites.filter((site) => site.point), (site) => site.i);
  return zooms.map((zoom) => {
    const found = clustersOf(placed, at, 36 / 2 ** zoom);
    const members = (k) => [...found.members.subarray(found.start[k], found.start[k + 1])];
    return [...found.x].map((_, k) => [found.x[k], found.y[k], members(k)]);
  });
}
"""


def clusters(browser: Browser, points: list[list[float] | None], zooms: list[float]) -> list[Any]:
    page = browser.new_page()
    script = read_text("page", "data.js") + read_text("page", "clusters.js")
    found: list[Any] = page.evaluate(
        f"(given) => {{ {script}; return ({CLUSTER})(given); }}", [points, zooms]
    )
    page.close()
    return found


def projected(lon: float, lat: float) -> tuple[float, float]:
    """Return Web Mercator pixels of zoom 0 (EPSG:3857 scaled to 256 px)."""
    y = math.asinh(math.tan(math.radians(lat)))
    return 256 * (lon / 360 + 0.5), 256 * (0.5 - y / (2 * math.pi))


def plainly(points: list[list[float] | None], zoom: float) -> list[set[int]]:
    """Return greedy clusters by looking at all pairs."""
    at = {i: projected(*point) for i, point in enumerate(points) if point}
    free, groups = set(at), []
    for seed, where in at.items():
        if seed in free:
            group = {i for i in free if math.dist(at[i], where) * 2**zoom <= RADIUS_PX}
            free -= group
            groups.append(group)
    return groups


@pytest.fixture
def points() -> list[list[float] | None]:
    rng = np.random.default_rng(4)
    spread = rng.uniform([124, 37], [131, 43], (300, 2))
    town = rng.normal([125.75, 39.03], 0.01, (150, 2))
    world = rng.uniform([-180, -85], [180, 85], (60, 2))
    placed: list[list[float] | None] = [
        *np.vstack([spread, town, world]).tolist(),
        [180.0, 0.0],
        [-180.0, 0.0],
    ]
    return [*placed, None, placed[0], placed[0]]


def test_clusters_are_those_of_a_plain_search(browser: Browser, points: list[list[float] | None]) -> None:
    zooms = [2, 5.5, 8, 13, 18]
    for zoom, found in zip(zooms, clusters(browser, points, zooms), strict=True):
        assert [set(members) for _, _, members in found] == plainly(points, zoom)


def test_a_cluster_stands_in_the_middle_of_its_sites(
    browser: Browser, points: list[list[float] | None]
) -> None:
    (found,) = clusters(browser, points, [6])
    for x, y, members in found:
        where = [projected(*point) for i in members if (point := points[i])]
        assert (x, y) == pytest.approx(tuple(np.mean(where, axis=0)), abs=1e-9)


def test_nothing_to_cluster_is_no_cluster(browser: Browser) -> None:
    assert clusters(browser, [None], [3]) == [[]]
