"""Sixty dates of a 128 px window from local COGs: our archive and its stack, odc-stac and stackstac.

    python benchmarks/stack.py

odc-stac and stackstac take part where they can be imported; they are no dependencies of ours. Everybody
reads the same files into memory on the same pixel edges, in one thread, and what they read is compared first.
Rounds alternate, and each figure is the best of its rounds; compare rows of one run, not runs.
"""

from __future__ import annotations

import tempfile
import time
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from affine import Affine

from geo.grid import Grid, grid_box_lonlat
from imagery.archive import Archive
from imagery.intake import IntakeOptions, plan_intake
from imagery.local import LocalArchive
from imagery.provider import solar_days
from imagery.stack import stacked_archive

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from imagery.provider import Provider

DATES = 60
ROUNDS = 5
WINDOW_PX = 128
TILE_PX = 1024
FIRST_PX = 600
"""Inside one block of the COGs, so that decompressing what nobody asked for weighs least."""
CRS = "EPSG:32652"
EPSG = 32652
LEFT, TOP, SIDE = 280_000.0, 4_440_000.0, 10.0
BANDS = ("blue", "green", "red", "nir")
MASK = "scl"


def make_archive(folder: Path) -> Archive:
    """Archive one tile a date: four bands of reflectance and scene classes."""
    rng = np.random.default_rng(11)
    fields = rng.integers(300, 4000, (len(BANDS), TILE_PX // 16, TILE_PX // 16))
    ground = np.kron(fields, np.ones((1, 16, 16), dtype=np.int64))
    files = []
    for number in range(DATES):
        day = date(2021, 1, 4) + timedelta(days=5 * number)
        pixels = (ground + rng.integers(-60, 60, ground.shape)).astype(np.uint16)
        classes = np.kron(rng.choice([4, 5, 9], (64, 64), p=[0.6, 0.3, 0.1]), np.ones((16, 16)))
        path = folder / "given" / f"S2A_{day:%Y%m%d}T021130.tif"
        write_tile(path, np.concatenate([pixels, classes[None].astype(np.uint16)]))
        files.append(path)
    archive = Archive(folder / "archive")
    options = IntakeOptions(
        pattern=r"S2A_(?P<acquired>\w+)\.tif",
        date_format="%Y%m%dT%H%M%S",
        utc=True,
        platform="S2A",
        scale=1e-4,
        simulated=True,
    )
    archive.add(plan_intake(files, options).scenes)
    return archive


def write_tile(path: Path, pixels: NDArray[np.uint16]) -> None:
    """Write bands and classes as one GeoTIFF."""
    path.parent.mkdir(exist_ok=True)
    profile = {
        "driver": "GTiff",
        "width": TILE_PX,
        "height": TILE_PX,
        "count": len(pixels),
        "dtype": "uint16",
    }
    transform = Affine(SIDE, 0.0, LEFT, 0.0, -SIDE, TOP)
    with rasterio.open(path, "w", **profile, crs=CRS, transform=transform, nodata=0) as dataset:
        dataset.write(pixels)
        dataset.descriptions = (*BANDS, MASK)


def window() -> Grid:
    """Return the pixels to read: inside the tile, on its edges."""
    corner = [SIDE, 0.0, LEFT + SIDE * FIRST_PX, 0.0, -SIDE, TOP - SIDE * FIRST_PX]
    shape = [WINDOW_PX, WINDOW_PX]
    return Grid.from_json({"site_id": "window", "crs": CRS, "transform": corner, "shape": shape})


def by_provider(make: Callable[[], Provider], grid: Grid, archive: Archive) -> Callable[[], NDArray[Any]]:
    """Return what reads every date through a provider, ``(time, band, y, x)``."""
    lon = grid_box_lonlat(grid).centroid.x
    days = list(solar_days(archive.scenes(), lon).values())

    def read() -> NDArray[Any]:
        provider = make()
        return np.stack([provider.read(grid, scenes, BANDS).dn for scenes in days])

    return read


def items(archive: Archive) -> list[Any]:
    """Return the archive's Items as pystac reads them, oldest first."""
    import pystac  # noqa: PLC0415 - not ours

    paths = sorted((archive.root / "scenes").glob("*/*/*/*.json"))
    found = [pystac.Item.from_file(str(path)) for path in paths]
    for item in found:
        item.make_asset_hrefs_absolute()
    return sorted(found, key=lambda item: item.datetime)


def by_odc_stac(archive: Archive, grid: Grid) -> Callable[[], NDArray[Any]]:
    """Return what reads every date, bands and classes, with odc-stac."""
    import odc.stac  # noqa: PLC0415 - may not be there

    found = items(archive)

    def read() -> NDArray[Any]:
        loaded = odc.stac.load(found, bands=[*BANDS, MASK], geobox=grid.geobox, dtype="uint16", nodata=0)
        return np.stack([loaded[name].values for name in BANDS], axis=1)

    return read


def by_stackstac(archive: Archive, grid: Grid) -> Callable[[], NDArray[Any]]:
    """Return what reads every date, bands and classes, with stackstac."""
    import dask  # noqa: PLC0415 - may not be there
    import stackstac  # noqa: PLC0415 - may not be there

    found = items(archive)

    def read() -> NDArray[Any]:
        lazy = stackstac.stack(
            found,
            assets=[*BANDS, MASK],
            epsg=EPSG,
            resolution=SIDE,
            bounds=grid.bounds,
            dtype=np.dtype("uint16"),
            fill_value=np.uint16(0),
            rescale=False,
            snap_bounds=False,
        )
        with dask.config.set(scheduler="synchronous"):
            return np.asarray(lazy.values)[:, : len(BANDS)]

    return read


def contenders(archive: Archive, grid: Grid) -> dict[str, Callable[[], NDArray[Any]]]:
    """Return who reads; the stack is filled."""
    index = LocalArchive(archive).index
    found = {
        "the stack": by_provider(lambda: stacked_archive(archive, index=index), grid, archive),
        "`LocalArchive`": by_provider(lambda: LocalArchive(archive, index=index), grid, archive),
    }
    for name, module, make in (
        ("odc-stac", "odc.stac", by_odc_stac),
        ("stackstac", "stackstac", by_stackstac),
    ):
        if is_installed(module):
            found[name] = make(archive, grid)
        else:
            print(f"{name} is not installed and takes no part")
    return found


def is_installed(module: str) -> bool:
    """Return whether a module can be imported."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:
        return False


def best_seconds(readers: dict[str, Callable[[], NDArray[Any]]]) -> dict[str, float]:
    """Return the best wall time of each, rounds alternating."""
    best = dict.fromkeys(readers, float("inf"))
    for _ in range(ROUNDS):
        for name, read in readers.items():
            start = time.perf_counter()
            read()
            best[name] = min(best[name], time.perf_counter() - start)
    return best


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        archive, grid = make_archive(Path(folder)), window()
        readers = contenders(archive, grid)
        expected = readers["`LocalArchive`"]()
        for name, read in readers.items():
            if not np.array_equal(read(), expected):
                raise SystemExit(f"{name} read other pixels")
        best = best_seconds(readers)
        others = [best[name] for name in ("odc-stac", "stackstac") if name in best]
        print("| reader | ms | times as fast as the faster of the two |\n|---|---|---|")
        for name, seconds in best.items():
            ratio = f"{min(others) / seconds:.1f}" if others else "-"
            print(f"| {name} | {1000 * seconds:.0f} | {ratio} |")


if __name__ == "__main__":
    main()
