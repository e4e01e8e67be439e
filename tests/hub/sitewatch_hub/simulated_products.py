"""Simulated ground as other satellites see it: Landsat on its own lattice, radar from three orbits.

Made up like `simulated`, over the same corner. Landsat pixels are centred on multiples of 30 m; radar is
gamma nought in decibels, and each orbit sees the ground a little differently.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from affine import Affine

from imagery.assembly import PlannedScene
from imagery.canonical import PixelSource
from imagery.intake import IntakeOptions, plan_intake
from imagery.model import NO_MASK, AcquisitionGeometry, BandFile, orbit_key
from imagery.outline import Outline
from imagery.quantity import Quantity, counts_of_power
from sitewatch_hub.simulated import CRS, LEFT, TOP

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imagery.archive import Archive

LANDSAT_EDGE = (LEFT + 5.0, TOP + 15.0)
"""Upper left corner of the Landsat scenes: 15 m beside multiples of 30 m."""
LANDSAT_PX = 130
LANDSAT_BANDS = ("blue", "green", "red", "nir08", "swir16", "swir22")
LANDSAT_PASSES = (
    ("LC08", datetime(2021, 11, 5, 2, 4, 11, tzinfo=UTC)),
    ("LC09", datetime(2022, 2, 10, 2, 4, 17, tzinfo=UTC)),
    ("LC08", datetime(2022, 3, 13, 2, 4, 14, tzinfo=UTC)),
)
CLEAR_QA, CLOUD_QA, FILL_QA = 21824, 22280, 1
"""Codes of `QA_PIXEL`: clear land, cloud of high confidence, fill."""

RADAR_PX = 400
RADAR_NODATA = 65535
RADAR_PASSES = (
    ("sentinel-1a", datetime(2021, 11, 4, 9, 31, 2, tzinfo=UTC), "ascending", 127),
    ("sentinel-1a", datetime(2021, 11, 9, 21, 41, 5, tzinfo=UTC), "descending", 61),
    ("sentinel-1c", datetime(2021, 11, 15, 21, 41, 8, tzinfo=UTC), "descending", 61),
    ("sentinel-1a", datetime(2021, 11, 16, 21, 33, 1, tzinfo=UTC), "descending", 134),
    ("sentinel-1a", datetime(2021, 11, 21, 21, 41, 5, tzinfo=UTC), "descending", 61),
)
_PATTERN = r"(?P<acquired>\d{8}T\d{6}Z)_(?P<platform>LC0[89])_(?P<band>\w+)\.tif"


def add_landsat(archive: Archive, rng: np.random.Generator) -> None:
    """Add three scenes of surface reflectance with `QA_PIXEL`; a corner has no data, some rows are cloudy."""
    shape = (LANDSAT_PX, LANDSAT_PX)
    ground = {name: rng.integers(8000, 26000, shape) for name in LANDSAT_BANDS}
    with tempfile.TemporaryDirectory() as folder:
        files: list[Path] = []
        for number, (platform, moment) in enumerate(LANDSAT_PASSES):
            qa = np.full(shape, CLEAR_QA, dtype=np.uint16)
            qa[: 20 * number] = CLOUD_QA
            qa[-15:, :15] = FILL_QA
            for name in (*LANDSAT_BANDS, "qa"):
                counts = qa if name == "qa" else (ground[name] + 37 * number).astype(np.uint16)
                if name != "qa":
                    counts[-15:, :15] = 0
                path = Path(folder) / f"{moment:%Y%m%dT%H%M%SZ}_{platform}_{name}.tif"
                files.append(
                    _write(path, counts, Affine(30.0, 0.0, LANDSAT_EDGE[0], 0.0, -30.0, LANDSAT_EDGE[1]))
                )
        options = IntakeOptions(
            pattern=_PATTERN,
            date_format="%Y%m%dT%H%M%SZ",
            scale=2.75e-5,
            offset=-0.2,
            nodata=0,
            mask_band="qa",
            utc=True,
            simulated=True,
            credit="simulated",
        )
        archive.add(plan_intake(files, options).scenes)


def radar_power(number: int, name: str) -> NDArray[np.float64]:
    """Return the gamma nought of a pass of `RADAR_PASSES` in a band, ``(y, x)``, a ratio of powers."""
    row, column = np.mgrid[0:RADAR_PX, 0:RADAR_PX]
    orbit = RADAR_PASSES[number][3]
    decibels = (
        -14.0 + 5.0 * np.sin(row / 17.0 + orbit) * np.cos(column / 23.0) - (7.0 if name == "vh" else 0.0)
    )
    return np.asarray(10.0 ** ((decibels + 0.3 * number) / 10.0))


def add_radar(archive: Archive) -> None:
    """Add five passes on three orbits, from two satellites and both directions; a corner has no data."""
    with tempfile.TemporaryDirectory() as folder:
        for number in range(len(RADAR_PASSES)):
            archive.add([_radar_scene(number, Path(folder))])


def _radar_scene(number: int, folder: Path) -> PlannedScene:
    platform, moment, state, orbit = RADAR_PASSES[number]
    bands = tuple(_radar_band(number, name, folder) for name in ("vv", "vh"))
    file = bands[0].file
    return PlannedScene(
        id=f"{platform}_{moment:%Y%m%dT%H%M%S}_simulated",
        platform=platform,
        series=f"sentinel-1-{state[:-6]}-{orbit:03d}",
        acquired=moment,
        day_only=False,
        bands=bands,
        mask=None,
        mask_scheme=NO_MASK,
        footprint=Outline.of(file).footprint_lonlat(Path(file.path)),
        simulated=True,
        credit="simulated",
        licence="",
        quantity=Quantity.GAMMA0_DB,
        geometry=AcquisitionGeometry(orbit_key(orbit, state)),
        provenance={
            "sar:instrument_mode": "IW",
            "s1:polarization": "DV",
        },
    )


def _radar_band(number: int, name: str, folder: Path) -> PixelSource:
    counts = counts_of_power(radar_power(number, name))
    counts[-20:, :20] = RADAR_NODATA
    transform = Affine(10.0, 0.0, LEFT, 0.0, -10.0, TOP)
    path = _write(folder / f"{number}_{name}.tif", counts, transform)
    file = BandFile(name, str(path), CRS, transform, counts.shape, RADAR_NODATA, None, 0.0)
    return PixelSource(file, 1, "uint16")


def _write(path: Path, pixels: NDArray[Any], transform: Affine) -> Path:
    rows, columns = pixels.shape
    profile = {"driver": "GTiff", "count": 1, "height": rows, "width": columns, "dtype": pixels.dtype.name}
    with rasterio.open(path, "w", crs=CRS, transform=transform, **profile) as dataset:
        dataset.write(pixels, 1)
    return path
