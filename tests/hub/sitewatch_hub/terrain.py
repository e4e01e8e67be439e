"""Heights as a collection: a GeoTIFF ``dem.tif`` in the archive's folder, in metres, without a time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from affine import Affine
from rasterio.warp import transform_bounds
from shapely.geometry import box

from imagery.geotiff import GDAL_OPTIONS
from imagery.model import NO_MASK, BandFile, Scene
from sitewatch_hub.collections_served import DEM
from sitewatch_hub.granules import Granule

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

DEM_FILE = "dem.tif"

ARC_SECOND_DEG = 1.0 / 3600.0
SIMULATED_CORNER = (126.40, 40.10)
"""Upper left, ``lon, lat``: the simulated ground lies inside."""
SIMULATED_PX = 220


def read_terrain(archive: Path) -> tuple[Granule, ...]:
    """Return the heights of an archive's folder as one granule; none without the file."""
    path = archive / DEM_FILE
    if not path.is_file():
        return ()
    with rasterio.Env(**GDAL_OPTIONS), rasterio.open(path, driver="GTiff") as dataset:
        file = BandFile(
            "elevation",
            str(path),
            f"EPSG:{dataset.crs.to_epsg()}",
            dataset.transform,
            dataset.shape,
            dataset.nodata,
            None,
            0.0,
        )
        footprint = box(*transform_bounds(dataset.crs, "EPSG:4326", *dataset.bounds))
    scene = Scene(
        "dem",
        "dem",
        "dem",
        datetime(2021, 1, 1, tzinfo=UTC),
        day_only=True,
        bands=(file,),
        mask=None,
        mask_scheme=NO_MASK,
        footprint=footprint,
        content_sha="",
    )
    return (Granule("dem", scene, DEM, 0.0, "", {}),)


def simulated_heights() -> NDArray[np.float32]:
    """Return made-up heights in metres, ``(y, x)`` on pixels of an arc second: hills beside the sea."""
    row, column = np.mgrid[0:SIMULATED_PX, 0:SIMULATED_PX]
    hills = 180.0 + 150.0 * np.sin(row / 31.0) * np.cos(column / 27.0)
    return np.where(column < SIMULATED_PX // 10, 0.0, hills).astype(np.float32)


def add_terrain(archive: Path) -> None:
    """Write simulated heights into an archive's folder, in degrees as the Copernicus DEM is."""
    lon, lat = SIMULATED_CORNER
    transform = Affine(ARC_SECOND_DEG, 0.0, lon, 0.0, -ARC_SECOND_DEG, lat)
    profile = {
        "driver": "GTiff",
        "count": 1,
        "height": SIMULATED_PX,
        "width": SIMULATED_PX,
        "dtype": "float32",
    }
    with rasterio.open(archive / DEM_FILE, "w", crs="EPSG:4326", transform=transform, **profile) as dataset:
        dataset.write(simulated_heights(), 1)
