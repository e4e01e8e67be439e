"""East of 126 degrees the zone by longitude is 52; a tile of zone 51 reaches over the border."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import orjson
import pytest
import rasterio
from affine import Affine
from pyproj import Transformer
from shapely.geometry import Point, mapping

from geo.area import square_around
from geo.dates import Span
from geo.grid import utm_crs
from imagery.archive import Archive
from imagery.intake import IntakeOptions, plan_intake
from imagery.local import LocalArchive
from imagery.pins import pinned_grid
from sitewatch_hub.server import LocalHub
from watch.pull import PullReport
from watch.workspace import Workspace

CRS, LEFT, TOP, SIDE_PX = "EPSG:32651", 770_040.0, 4_440_000.0, 160
DAYS = Span(date(2019, 5, 4), date(2019, 5, 4))


@pytest.fixture(scope="session")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """Archive one simulated pass, on the western zone's pixels."""
    folder = tmp_path_factory.mktemp("border")
    rng = np.random.default_rng(4)
    profile = {"driver": "GTiff", "count": 1, "height": SIDE_PX, "width": SIDE_PX, "crs": CRS}
    files = []
    for band in ("red", "nir", "scl"):
        pixels = np.full((SIDE_PX, SIDE_PX), 4, dtype=np.uint8)
        if band != "scl":
            pixels = rng.integers(1, 9000, (SIDE_PX, SIDE_PX), dtype=np.uint16)
        files.append(folder / f"S2B_20190504T021145Z_{band}.tif")
        shape = {"dtype": pixels.dtype.name, "transform": Affine(10, 0, LEFT, 0, -10, TOP)}
        with rasterio.open(files[-1], "w", **profile, **shape) as dataset:
            dataset.write(pixels, 1)
    options = IntakeOptions(
        pattern=r"(?P<platform>S2B)_(?P<acquired>\w+Z)_(?P<band>\w+)\.tif",
        date_format="%Y%m%dT%H%M%SZ",
        scale=1e-4,
        nodata=0,
        utc=True,
        simulated=True,
    )
    archive = Archive(folder / "archive")
    archive.add(plan_intake(files, options).scenes)
    return archive


def test_a_site_is_pinned_to_the_zone_of_its_pixels(
    make_hub_workspace: Callable[..., Workspace],
    pull: Callable[..., PullReport],
    ground: Archive,
    hub: LocalHub,
) -> None:
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    middle = Point(to_degrees.transform(LEFT + 5 * SIDE_PX, TOP - 5 * SIDE_PX))
    assert utm_crs(middle) == "EPSG:32652"
    workspace = make_hub_workspace("w", pull="workers = 1")
    settings = workspace.root / "sitewatch.toml"
    settings.write_text(
        settings.read_text().replace('"blue", "green", "red", "nir", "swir16"', '"red", "nir"')
    )
    _write_site(workspace.catalogue_path / "sites.geojson", middle)
    workspace = Workspace.open(workspace.root)
    report = pull(workspace, days=DAYS)
    assert len(report.pulled) == 1
    grid = pinned_grid(
        workspace.archive(), "post", square_around(middle, 150), resolution_m=10.0, context_m=100
    )
    assert grid is not None
    assert grid.crs == CRS
    ours, theirs = LocalArchive(ground), LocalArchive(workspace.archive())
    expected, chip = (local.read(grid, local.search(grid)) for local in (ours, theirs))
    assert chip.dn.tobytes() == expected.dn.tobytes()
    assert chip.simulated
    assert pull(workspace, days=DAYS).missing == ()
    assert len(hub.journal.entries("/process")) == 1


def _write_site(path: Path, place: Point) -> None:
    properties = {"name": "Post", "category": "storage", "watch": {"context_m": 100}}
    geometry = mapping(square_around(place, 150))
    feature = {"type": "Feature", "id": "post", "geometry": geometry, "properties": properties}
    path.write_bytes(orjson.dumps({"type": "FeatureCollection", "features": [feature]}))
