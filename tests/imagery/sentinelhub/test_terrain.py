from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from pyproj import Transformer
from scipy.ndimage import map_coordinates

from geo.grid import Grid
from imagery.archive import Archive
from imagery.elevation import Elevation, keep_elevation, kept_elevation
from imagery.errors import ArchiveError, ImageError, ServiceError
from imagery.sentinelhub.credentials import Credentials
from imagery.sentinelhub.deployment import deployment_for
from imagery.sentinelhub.patience import Patience
from imagery.sentinelhub.products import product_for
from imagery.sentinelhub.provider import SentinelHub
from imagery.sentinelhub.service import Service
from imagery.sentinelhub.terrain import TerrainRequest
from sitewatch_hub.faults import Answer as Reply
from sitewatch_hub.server import LocalHub
from sitewatch_hub.simulated import CRS, LEFT, TOP
from sitewatch_hub.terrain import ARC_SECOND_DEG, SIMULATED_CORNER, add_terrain, simulated_heights


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    root = tmp_path_factory.mktemp("terrain")
    add_terrain(root)
    with LocalHub(root) as running:
        yield running


@pytest.fixture(autouse=True)
def _good_day(hub: LocalHub) -> Iterator[None]:
    yield
    hub.faults.clear()


@pytest.fixture
def remote(hub: LocalHub, tmp_path: Path) -> SentinelHub:
    deployment = deployment_for("custom", base_url=hub.base_url, token_url=hub.token_url)
    patience = Patience(total_s=5.0, attempts=2, first_wait_s=0.01)
    service = Service(deployment, Credentials(hub.client.id, hub.client.secret), patience=patience)
    return SentinelHub(service, Archive(tmp_path / "pulled"), product_for("sentinel-2-l2a"))


def grid_at(row: float, column: float, shape: tuple[int, int], side_m: float = 10.0, name: str = "a") -> Grid:
    transform = [side_m, 0.0, LEFT + 10 * column, 0.0, -side_m, TOP - 10 * row]
    return Grid.from_json({"site_id": name, "crs": CRS, "transform": transform, "shape": list(shape)})


def expected(grid: Grid) -> NDArray[np.float64]:
    """Return the heights at the pixels' centres, linear between those of the source."""
    rows, columns = grid.shape
    row, column = np.mgrid[0:rows, 0:columns] + 0.5
    x, y = grid.transform.c + column * grid.transform.a, grid.transform.f + row * grid.transform.e
    lon, lat = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True).transform(x, y)
    left, top = SIMULATED_CORNER
    at = [(top - lat) / ARC_SECOND_DEG - 0.5, (lon - left) / ARC_SECOND_DEG - 0.5]
    return np.asarray(map_coordinates(simulated_heights().astype(np.float64), at, order=1))


@pytest.mark.parametrize("grid", [grid_at(20, 30, (70, 60)), grid_at(12.3, 44.4, (40, 50), 30.0)])
def test_heights_are_metres_at_the_pixels_of_the_grid(remote: SentinelHub, grid: Grid) -> None:
    found = remote.elevation(grid)
    assert found.metres.dtype == np.float32
    assert found.metres.shape == grid.shape
    # GDAL's transformer may be off by an eighth of a pixel, and a pixel rises by up to 6 m.
    assert np.abs(found.metres - expected(grid)).max() < 1.0
    assert np.ptp(found.metres) > 20
    assert found.provenance["instance"] == "COPERNICUS_30"
    assert "EGM2008" in found.provenance["vertical_datum"]


def test_heights_are_asked_for_once_and_kept(remote: SentinelHub, hub: LocalHub) -> None:
    grid = grid_at(50, 60, (30, 40))
    before = len(hub.journal.entries("/process"))
    first, again = remote.elevation(grid), remote.elevation(grid)
    assert len(hub.journal.entries("/process")) == before + 1
    assert np.array_equal(first.metres, again.metres)
    assert first.provenance == again.provenance
    units = hub.journal.entries("/process")[-1].units
    assert units == pytest.approx(TerrainRequest(grid).estimate.processing_units)
    assert first.provenance["spent"]["processing_units"] == pytest.approx(units)
    assert kept_elevation(remote._archive, grid_at(50, 61, (30, 40))) is None
    assert remote._archive.scenes() == ()


def test_where_nothing_is_known_there_is_no_height(remote: SentinelHub) -> None:
    beyond = remote.elevation(grid_at(-600, 60, (20, 20)))
    assert np.isnan(beyond.metres).all()
    assert kept_elevation(remote._archive, beyond.grid) is not None


def _edited(folder: Path) -> None:
    path = folder / "elevation.json"
    path.write_bytes(path.read_bytes().replace(b'"content_sha": "', b'"content_sha": "0'))


def _cut(folder: Path) -> None:
    path = folder / "elevation.tif"
    path.write_bytes(path.read_bytes()[:400])


def _gone(folder: Path) -> None:
    (folder / "elevation.json").unlink()


@pytest.mark.parametrize("damage", [_edited, _cut, _gone])
def test_damaged_heights_are_said_to_be(tmp_path: Path, damage: Callable[[Path], None]) -> None:
    archive, grid = Archive(tmp_path), grid_at(0, 0, (9, 8))
    keep_elevation(archive, Elevation(grid, np.full(grid.shape, 12.5, dtype=np.float32)))
    damage(tmp_path / "elevation" / "a" / grid.grid_id)
    with pytest.raises(ArchiveError, match="damaged elevation"):
        kept_elevation(archive, grid)


def test_what_can_be_no_height_is_not_kept(remote: SentinelHub, hub: LocalHub) -> None:
    hub.faults.add(Reply(200, b"<html>", "text/html"), path="/process", times=5)
    with pytest.raises(ServiceError, match="web page"):
        remote.elevation(grid_at(0, 0, (9, 8)))
    assert kept_elevation(remote._archive, grid_at(0, 0, (9, 8))) is None


def test_what_cannot_be_asked_is_refused() -> None:
    with pytest.raises(ImageError, match="can't be asked for in one request"):
        TerrainRequest(grid_at(0, 0, (2501, 8)))
    with pytest.raises(ImageError, match="heights are float64"):
        Elevation(grid_at(0, 0, (2, 2)), np.zeros((2, 2)))  # type: ignore[arg-type]  # what is refused
    with pytest.raises(ImageError, match="can't name a folder"):
        kept_elevation(Archive(Path("nowhere")), grid_at(0, 0, (2, 2), name="../up"))
