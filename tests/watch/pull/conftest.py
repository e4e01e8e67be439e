"""A workspace of three sites on simulated ground, and a local hub that has images of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import orjson
import pytest
from pyproj import Transformer
from shapely.geometry import Point, mapping

from geo.area import square_around
from geo.dates import Span
from imagery.sentinelhub.credentials import Credentials
from imagery.sentinelhub.exchange import Limits
from imagery.sentinelhub.patience import Patience
from sitewatch_hub.server import LocalHub
from sitewatch_hub.simulated import CRS, LEFT, TOP, make_archive
from sitewatch_hub.simulated_products import add_landsat, add_radar
from sitewatch_hub.terrain import add_terrain
from watch.connection import connected
from watch.pull import PullOptions, PullReport
from watch.pull import pull as pull_sites
from watch.workspace import Workspace

if TYPE_CHECKING:
    from imagery.archive import Archive

PLACES = {"customs": (900.0, 900.0), "market": (1500.0, 1300.0), "depot": (2900.0, 1000.0)}
"""Metres east and south of the simulated ground's corner; the last lies in the eastern tile."""
SPAN = Span(date(2021, 10, 1), date(2022, 5, 31))
IMPATIENT = Patience(total_s=20.0, attempts=4, first_wait_s=0.02, longest_wait_s=0.05)


class Pull(Protocol):
    def __call__(
        self, workspace: Workspace, *sites: str, timeout_s: float = ..., days: Span = ...
    ) -> PullReport: ...


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("ground") / "archive", np.random.default_rng(11))


@pytest.fixture
def hub(ground: Archive) -> Iterator[LocalHub]:
    with LocalHub(ground.root) as running:
        yield running


@pytest.fixture(scope="session")
def rich_ground(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Return the ground as three kinds of satellites saw it."""
    rng = np.random.default_rng(11)
    archive = make_archive(tmp_path_factory.mktemp("rich") / "archive", rng)
    add_landsat(archive, rng)
    add_radar(archive)
    add_terrain(archive.root)
    return archive


@pytest.fixture
def span() -> Span:
    return SPAN


@pytest.fixture
def make_hub_workspace(tmp_path: Path, hub: LocalHub) -> Callable[..., Workspace]:
    """Return a maker of workspaces that pull from the local hub; further settings as TOML lines."""

    def make(name: str, *, pull: str = "", budget: str = "") -> Workspace:
        return _workspace(tmp_path / name, hub, pull, budget)

    return make


@pytest.fixture
def pull(hub: LocalHub) -> Pull:
    """Return what pulls sites of a workspace in the name of the local hub's account."""

    def run(workspace: Workspace, *sites: str, timeout_s: float = 30.0, days: Span = SPAN) -> PullReport:
        return _pulled(workspace, hub, days, sites, timeout_s)

    return run


@pytest.fixture(scope="session")
def undisturbed(ground: Archive, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return every byte of an archive after a pull of the market on a good day."""
    with LocalHub(ground.root) as hub:
        workspace = _workspace(tmp_path_factory.mktemp("good") / "w", hub, "", "")
        _pulled(workspace, hub, SPAN, ("market",), 30.0)
    return _bytes(workspace.archive_path)


@pytest.fixture
def account(hub: LocalHub) -> dict[str, str]:
    """Return the environment of a user with the local hub's account."""
    return {"SITEWATCH_SH_CLIENT_ID": hub.client.id, "SITEWATCH_SH_CLIENT_SECRET": hub.client.secret}


@pytest.fixture
def everything() -> Callable[[Path], dict[str, bytes]]:
    """Return a reader of every file below a folder, without what only locks."""

    return _bytes


def _bytes(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.endswith(".lock")
    }


def _workspace(root: Path, hub: LocalHub, pull: str, budget: str) -> Workspace:
    made = Workspace.create(root, builtin=False)
    lines = [
        "[pull]",
        'deployment = "custom"',
        f'base_url = "{hub.base_url}"',
        f'token_url = "{hub.token_url}"',
        'bands = ["blue", "green", "red", "nir", "swir16"]',
        pull,
        "[budget]",
        budget,
        "[look]",
        "min_history = 4",
    ]
    (made.root / "sitewatch.toml").write_text("\n".join(lines) + "\n")
    _write_sites(made.catalogue_path / "sites.geojson")
    return Workspace.open(made.root)


def _pulled(
    workspace: Workspace, hub: LocalHub, span: Span, sites: tuple[str, ...], timeout_s: float
) -> PullReport:
    given = Credentials(hub.client.id, hub.client.secret)
    options = PullOptions(span, workers=workspace.settings.pull.workers)
    limits = Limits(timeout_s=timeout_s)
    with connected(workspace, {}, given=given, patience=IMPATIENT, limits=limits) as connection:
        return pull_sites(workspace, connection.hub, sites, options)


def _write_sites(path: Path) -> None:
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    features = []
    for name, (east, south) in PLACES.items():
        lon, lat = to_degrees.transform(LEFT + east, TOP - south)
        properties = {
            "name": name.title(),
            "category": "storage",
            "watch": {"cadence": "P30D", "context_m": 200},
        }
        geometry = mapping(square_around(Point(lon, lat), 150))
        features.append({"type": "Feature", "id": name, "geometry": geometry, "properties": properties})
    path.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": features}))
