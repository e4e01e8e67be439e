from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from affine import Affine

from geo.grid import Grid
from imagery.archive import Archive
from imagery.intake import IntakeOptions, plan_intake
from imagery.local import LocalArchive
from imagery.model import NO_MASK
from imagery.sentinelhub.credentials import Credentials
from imagery.sentinelhub.deployment import deployment_for
from imagery.sentinelhub.products import product_for
from imagery.sentinelhub.provider import SentinelHub
from imagery.sentinelhub.service import Service
from sitewatch_hub.server import LocalHub

CRS, LEFT, TOP = "EPSG:32652", 300_000.0, 4_400_040.0


@pytest.fixture
def source(tmp_path: Path) -> Archive:
    """Archive one pass of top-of-atmosphere counts: red and nir, no scene classes."""
    rng = np.random.default_rng(3)
    path = tmp_path / "S2A_20190504T021145Z.tif"
    profile = {"driver": "GTiff", "count": 2, "height": 90, "width": 90, "dtype": "uint16", "crs": CRS}
    with rasterio.open(path, "w", transform=Affine(10, 0, LEFT, 0, -10, TOP), **profile) as dataset:
        dataset.write(rng.integers(1, 9000, (2, 90, 90), dtype=np.uint16))
    options = IntakeOptions(
        acquired="2019-05-04T02:11:45Z",
        platform="S2A",
        bands=("red", "nir"),
        scale=1e-4,
        nodata=0,
        simulated=True,
    )
    archive = Archive(tmp_path / "source")
    archive.add(plan_intake([path], options).scenes)
    return archive


def test_counts_come_without_a_mask_and_in_a_series_of_their_own(source: Archive, tmp_path: Path) -> None:
    place = {"site_id": "a", "crs": CRS, "shape": [40, 30]}
    grid = Grid.from_json({**place, "transform": [10.0, 0.0, LEFT + 200, 0.0, -10.0, TOP - 250]})
    local = LocalArchive(source)
    expected = local.read(grid, local.search(grid))
    with LocalHub(source.root) as hub:
        deployment = deployment_for("custom", base_url=hub.base_url, token_url=hub.token_url)
        service = Service(deployment, Credentials(hub.client.id, hub.client.secret))
        product = product_for("sentinel-2-l1c")
        remote = SentinelHub(service, Archive(tmp_path / "pulled"), product, bands=["red", "nir"])
        (scene,) = remote.search(grid)
        chip = remote.read(grid, [scene])
        assert scene.request.estimate.processing_units == pytest.approx(hub.journal.units() - 0.01, rel=1e-3)
    assert np.array_equal(chip.dn, expected.dn)
    assert np.array_equal(chip.valid, expected.valid)
    assert (chip.mask_scheme, chip.series, chip.platform) == (NO_MASK, "sentinel-2-toa", "sentinel-2a")
