"""Landsat and radar: pulled from the hub they are the pixels that its archive holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest
import rasterio
from affine import Affine

from geo.grid import Grid
from imagery.archive import Archive
from imagery.intake import IntakeOptions, plan_intake
from imagery.local import LocalArchive
from imagery.model import CANONICAL_SCALE, NO_MASK, Chip
from imagery.provider import Provider, solar_days
from imagery.quantity import Quantity, counts_of_power, decibels, linear_power
from imagery.sentinelhub.credentials import Credentials
from imagery.sentinelhub.deployment import deployment_for
from imagery.sentinelhub.passes import HubScene
from imagery.sentinelhub.products import product_for
from imagery.sentinelhub.provider import SentinelHub
from imagery.sentinelhub.service import Service
from imagery.stac_schema import validate_stac
from sitewatch_hub.server import LocalHub
from sitewatch_hub.simulated import CRS, LEFT, TOP
from sitewatch_hub.simulated_products import (
    LANDSAT_BANDS,
    LANDSAT_EDGE,
    LANDSAT_PASSES,
    RADAR_PASSES,
    add_landsat,
    add_radar,
    radar_power,
)

Connect = Callable[..., SentinelHub]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    archive = Archive(tmp_path_factory.mktemp("others") / "archive")
    add_landsat(archive, np.random.default_rng(5))
    add_radar(archive)
    return archive


@pytest.fixture(scope="module")
def hub(source: Archive) -> Iterator[LocalHub]:
    with LocalHub(source.root) as running:
        yield running


@pytest.fixture
def connect(hub: LocalHub, tmp_path: Path) -> Connect:
    """Return what makes a provider of a product, over an archive of its own."""

    def make(product: str) -> SentinelHub:
        deployment = deployment_for("custom", base_url=hub.base_url, token_url=hub.token_url)
        service = Service(deployment, Credentials(hub.client.id, hub.client.secret))
        return SentinelHub(service, Archive(tmp_path / "pulled"), product_for(product))

    return make


def landsat_grid(row: float, column: float, rows: int, columns: int) -> Grid:
    left, top = LANDSAT_EDGE
    return grid_of([30.0, 0.0, left + 30 * column, 0.0, -30.0, top - 30 * row], rows, columns)


def radar_grid(row: int, column: int, rows: int, columns: int) -> Grid:
    return grid_of([10.0, 0.0, LEFT + 10 * column, 0.0, -10.0, TOP - 10 * row], rows, columns)


def grid_of(transform: list[float], rows: int, columns: int) -> Grid:
    return Grid.from_json({"site_id": "a", "crs": CRS, "transform": transform, "shape": [rows, columns]})


def chips(provider: Provider, grid: Grid) -> dict[object, Chip]:
    return {
        key: provider.read(grid, scenes) for key, scenes in solar_days(provider.search(grid), 126.4).items()
    }


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (5, 9),  # cloud over part of it
        (80, 12),
        (100, 2),  # over the corner without data
        (50.5, 60.4),  # edges of no pixel: resampled
    ],
)
def test_landsat_is_pulled_as_the_archive_holds_it(
    source: Archive, connect: Connect, row: float, column: float
) -> None:
    grid = landsat_grid(row, column, 24, 20)
    local = LocalArchive(source)
    scenes = [scene for scene in local.search(grid) if scene.platform.startswith("landsat")]
    remote = connect("landsat-ot-l2")
    pulled = chips(remote, grid)
    assert [scene.platform for scene in remote.search(grid)] == ["landsat-8", "landsat-9", "landsat-8"]
    assert len(pulled) == len(LANDSAT_PASSES)
    for scene, chip in zip(scenes, pulled.values(), strict=True):
        ours = local.read(grid, [scene])
        assert np.array_equal(chip.dn, ours.dn)
        assert np.array_equal(chip.valid, ours.valid)
        assert np.array_equal(chip.clear, ours.clear)
        assert (chip.bands, chip.scale, chip.mask_scheme) == (LANDSAT_BANDS, CANONICAL_SCALE, "qa")
        assert (chip.series, chip.quantity) == ("landsat-oli", Quantity.REFLECTANCE)


def test_a_landsat_frame_lies_on_the_edges_of_landsats_pixels(connect: Connect) -> None:
    for scene in connect("landsat-ot-l2").search(landsat_grid(40.3, 40.8, 20, 20)):
        assert (scene.request.frame.transform.c % 30, scene.request.frame.transform.f % 30) == (15.0, 15.0)


def test_what_landsat_costs_is_what_was_said(connect: Connect, hub: LocalHub) -> None:
    remote = connect("landsat-ot-l2")
    scene = remote.search(landsat_grid(60, 60, 60, 50))[0]
    spent = remote.fetch(scene)
    assert spent.processing_units == pytest.approx(scene.request.estimate.processing_units, rel=1e-6)
    assert hub.journal.entries("/process")[-1].units == pytest.approx(spent.processing_units)


def test_radar_is_a_series_for_each_orbit_and_direction(connect: Connect) -> None:
    found = connect("sentinel-1-grd").search(radar_grid(50, 60, 40, 40))
    assert [scene.series for scene in found] == [
        f"sentinel-1-{state[:-6]}-{orbit:03d}" for _, _, state, orbit in RADAR_PASSES
    ]
    assert {scene.platform for scene in found if scene.series == "sentinel-1-desc-061"} == {
        "sentinel-1a",
        "sentinel-1c",
    }
    other = connect("sentinel-1-grd-ellipsoid").search(radar_grid(50, 60, 40, 40))
    assert other[1].series == "sentinel-1-ellipsoid-desc-061"
    assert {scene.id for scene in found}.isdisjoint(scene.id for scene in other)


@pytest.mark.parametrize(("row", "column"), [(50, 60), (350, 5)])
def test_radar_is_decibels_and_never_reflectance(connect: Connect, row: int, column: int) -> None:
    grid = radar_grid(row, column, 45, 30)
    remote = connect("sentinel-1-grd")
    for number, chip in enumerate(chips(remote, grid).values()):
        assert (chip.quantity, chip.scale, chip.mask_scheme) == (Quantity.GAMMA0_DB, None, NO_MASK)
        assert chip.bands == ("vh", "vv")
        for position, name in enumerate(chip.bands):
            power = radar_power(number, name)[row : row + 45, column : column + 30]
            expected = 10 * np.log10(power)
            error = np.abs(chip.values()[position] - expected)[chip.valid]
            # Half a step at the source and half a step in the script.
            assert error.max() <= 0.01 + 1e-5
        assert chip.valid.all() == (row == 50)


def test_a_radar_item_says_what_it_holds_and_is_read_back_so(connect: Connect) -> None:
    grid = radar_grid(50, 60, 40, 40)
    remote = connect("sentinel-1-grd")
    scene = remote.search(grid)[1]
    remote.read(grid, [scene])
    archive = remote._archive
    (kept,) = archive.scenes()
    assert (kept.quantity, kept.series, kept.bands[0].scale) == (Quantity.GAMMA0_DB, scene.series, None)
    assert archive.verify() == ()
    document = orjson.loads(next(archive.root.rglob(f"{kept.id}.json")).read_bytes())
    validate_stac(document)
    assert document["properties"]["sat:relative_orbit"] == 61
    assert document["properties"]["sitewatch:quantity"] == "gamma0-db"
    band = document["assets"]["vv"]["raster:bands"][0]
    assert (band["unit"], band["scale"], band["offset"]) == ("dB", 0.01, -50.0)
    with LocalHub(archive.root) as again:
        assert again.granules[0].facts["sat:relative_orbit"] == 61


def test_radar_is_asked_for_with_its_geometry_and_its_direction(connect: Connect) -> None:
    scene = connect("sentinel-1-grd").search(radar_grid(50, 60, 40, 40))[0]
    (data,) = scene.request.document()["input"]["data"]
    assert data["processing"] == {
        "backCoeff": "GAMMA0_TERRAIN",
        "orthorectify": True,
        "demInstance": "COPERNICUS_30",
    }
    wanted = {
        "acquisitionMode": "IW",
        "polarization": "DV",
        "resolution": "HIGH",
        "orbitDirection": "ASCENDING",
    }
    assert wanted.items() <= data["dataFilter"].items()


@pytest.mark.parametrize(("product", "factor"), [("sentinel-1-grd", 2.5), ("sentinel-1-grd-ellipsoid", 2.0)])
def test_what_radar_costs_is_what_was_said(
    connect: Connect, hub: LocalHub, product: str, factor: float
) -> None:
    remote = connect(product)
    scene: HubScene = remote.search(radar_grid(100, 100, 90, 80))[0]
    rows, columns = scene.request.frame.shape
    assert scene.request.estimate.processing_units == pytest.approx(rows * columns / 512**2 * 2 / 3 * factor)
    remote.fetch(scene)
    assert hub.journal.entries("/process")[-1].units == pytest.approx(scene.request.estimate.processing_units)


def test_counts_of_decibels_are_true_to_half_a_step() -> None:
    power = 10 ** (np.linspace(-49.9, 30.0, 4001) / 10)
    counts = counts_of_power(power)
    assert np.abs(decibels(counts) - 10 * np.log10(power)).max() < 0.005 + 1e-5
    assert np.abs(linear_power(counts) / power - 1).max() < 0.0012
    assert counts_of_power(np.array([0.0, -1.0, 1e-9])).tolist() == [0, 0, 0]


def test_radar_from_a_file_is_not_called_reflectance(tmp_path: Path) -> None:
    path = tmp_path / "radar.tif"
    profile = {"driver": "GTiff", "count": 1, "height": 20, "width": 20, "dtype": "uint16", "crs": CRS}
    with rasterio.open(path, "w", transform=Affine(10, 0, LEFT, 0, -10, TOP), **profile) as dataset:
        dataset.write(np.full((1, 20, 20), 300, dtype=np.uint16))
    options = IntakeOptions(acquired="2021-05-04T02:11:45Z", platform="S1A", bands=("vv",))
    archive = Archive(tmp_path / "archive")
    archive.add(plan_intake([path], options).scenes)
    (scene,) = archive.scenes()
    assert (scene.quantity, scene.quantity.is_optical, scene.series) == ("backscatter", False, "sentinel-1")
    assert archive.verify() == ()
