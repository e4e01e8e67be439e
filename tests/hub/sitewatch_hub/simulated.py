"""A small simulated Sentinel-2 archive: two tiles that overlap, six days, both sides of baseline 04.00.

The ground is made up. What is like Sentinel-2 is the form: 10 m and 20 m bands on one UTM frame, counts with
nodata 0, raised by 1000 from 2022-01-25 on, scene classes (SCL) at 20 m, two tiles of one pass some
seconds apart whose overlap is seen by both.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from affine import Affine
from shapely.geometry import Point

from imagery.acquisition import with_sun
from imagery.archive import Archive
from imagery.intake import IntakeOptions, plan_intake
from imagery.model import AcquisitionGeometry, orbit_key

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

CRS = "EPSG:32652"
LEFT, TOP = 280_000.0, 4_440_000.0
"""Upper left corner of the western tile (126.42 E, 40.08 N); the tiles share their top edge."""
TILE_PX = 240
"""Side of a tile in pixels of 10 m."""
STEP_PX = 160
"""How far east the second tile lies; 80 columns are in both."""

BASELINE_CHANGE = datetime(2022, 1, 25, tzinfo=UTC)
"""From here on counts are raised by `RAISED_BY` (ESA, processing baseline 04.00)."""
RAISED_BY = 1000
EASTERN_BIAS = 7
"""Counts by which the eastern tile is brighter, so that an overlap tells which tile was seen."""

PASSES = (
    datetime(2021, 11, 3, 2, 11, 39, tzinfo=UTC),
    datetime(2021, 12, 8, 2, 11, 31, tzinfo=UTC),
    datetime(2022, 1, 17, 2, 11, 42, tzinfo=UTC),
    datetime(2022, 2, 1, 2, 11, 35, tzinfo=UTC),
    datetime(2022, 3, 8, 2, 11, 38, tzinfo=UTC),
    datetime(2022, 4, 12, 2, 11, 33, tzinfo=UTC),
)
CLOUDY_SHARE = (0.0, 0.6, 0.1, 0.0, 0.3, 0.0)
"""Of the rows of a tile, from the top, by pass."""

ORBIT = orbit_key(3, "descending")

_SECONDS_TO_NEXT_TILE = 4
_BANDS_10M = ("blue", "green", "red", "nir")
_BANDS_20M = ("swir16", "swir22")
_BRIGHTNESS = {"blue": 500.0, "green": 800.0, "red": 900.0, "nir": 2600.0, "swir16": 1900.0, "swir22": 1300.0}
_NODATA_SIDE_PX = 20
_SCL_NODATA, _SCL_VEGETATION, _SCL_BARE, _SCL_WATER, _SCL_CLOUD = 0, 4, 5, 6, 9
_PATTERN = r"(?P<acquired>\d{8}T\d{6}Z)_(?P<platform>S2[AB])_(?P<band>\w+)\.tif"


@dataclass(frozen=True, slots=True)
class _Tile:
    acquired: datetime
    left_px: int
    """Columns of 10 m east of `LEFT`."""
    platform: str
    cloudy_share: float
    bias: int

    @property
    def raised(self) -> int:
        return RAISED_BY if self.acquired >= BASELINE_CHANGE else 0

    @property
    def baseline(self) -> str:
        return "04.00" if self.raised else "03.01"

    @property
    def geometry(self) -> AcquisitionGeometry:
        east = self.left_px / STEP_PX
        view = AcquisitionGeometry(ORBIT, view_zenith_deg=4.0 + 1.5 * east, view_azimuth_deg=104.5 + east)
        return with_sun(view, self.acquired, Point(126.43 + 0.019 * east, 40.07))


def make_archive(root: Path, rng: np.random.Generator) -> Archive:
    """Write the twelve scenes into the archive at `root` and return it; same `rng`, same bytes."""
    archive = Archive(root)
    noise = rng.normal(0.0, 30.0, (TILE_PX, TILE_PX + STEP_PX))
    for tile in _tiles():
        with tempfile.TemporaryDirectory() as folder:
            files = _write_tile(Path(folder), tile, noise)
            scenes = plan_intake(files, _options(tile)).scenes
            archive.add(
                [replace(it, geometry=tile.geometry, processing_baseline=tile.baseline) for it in scenes]
            )
    return archive


def _tiles() -> list[_Tile]:
    tiles = []
    for number, (moment, share) in enumerate(zip(PASSES, CLOUDY_SHARE, strict=True)):
        platform = "S2A" if number % 2 else "S2B"
        later = moment + timedelta(seconds=_SECONDS_TO_NEXT_TILE)
        tiles.append(_Tile(moment, 0, platform, share, 0))
        tiles.append(_Tile(later, STEP_PX, platform, share, EASTERN_BIAS))
    return tiles


def _options(tile: _Tile) -> IntakeOptions:
    return IntakeOptions(
        pattern=_PATTERN,
        date_format="%Y%m%dT%H%M%SZ",
        scale=1e-4,
        offset=-tile.raised * 1e-4,
        nodata=0,
        mask_band="scl",
        utc=True,
        simulated=True,
        credit="simulated",
    )


def _write_tile(folder: Path, tile: _Tile, noise: NDArray[np.float64]) -> list[Path]:
    covered = _clouds(tile)
    files = [_write(folder, tile, name, _counts(name, tile, noise, covered), 10) for name in _BANDS_10M]
    files += [
        _write(folder, tile, name, _halved(_counts(name, tile, noise, covered)), 20) for name in _BANDS_20M
    ]
    return [*files, _write(folder, tile, "scl", _classes(tile, covered), 20)]


def _counts(
    name: str, tile: _Tile, noise: NDArray[np.float64], covered: NDArray[np.bool_]
) -> NDArray[np.uint16]:
    """Return a band's counts as stored, ``(y, x)`` at 10 m; 0 in the lower left corner."""
    row, column = np.mgrid[0:TILE_PX, tile.left_px : tile.left_px + TILE_PX]
    season = 1.0 + 0.1 * np.sin(2 * np.pi * tile.acquired.timetuple().tm_yday / 365.25)
    fields = 0.3 * ((row // 12 + column // 17) % 3) + 0.2 * np.sin(column / 9.0) * np.cos(row / 11.0)
    values = _BRIGHTNESS[name] * season * (1.0 + fields) + noise[:, tile.left_px : tile.left_px + TILE_PX]
    values = np.where(covered, 6000.0, values) + tile.bias + tile.raised
    counts: NDArray[np.uint16] = np.clip(np.rint(values), 1, 65535).astype(np.uint16)
    counts[-_NODATA_SIDE_PX:, :_NODATA_SIDE_PX] = 0
    return counts


def _clouds(tile: _Tile) -> NDArray[np.bool_]:
    covered = np.zeros((TILE_PX, TILE_PX), dtype=np.bool_)
    covered[: 2 * round(TILE_PX * tile.cloudy_share / 2)] = True
    return covered


def _classes(tile: _Tile, covered: NDArray[np.bool_]) -> NDArray[np.uint16]:
    row, column = np.mgrid[0 : TILE_PX // 2, tile.left_px // 2 : (tile.left_px + TILE_PX) // 2]
    classes = np.where((row // 6 + column // 9) % 2, _SCL_VEGETATION, _SCL_BARE)
    classes[row > TILE_PX // 2 - 4] = _SCL_WATER
    classes[covered[::2, ::2]] = _SCL_CLOUD
    corner = _NODATA_SIDE_PX // 2
    classes[-corner:, :corner] = _SCL_NODATA
    return classes.astype(np.uint8)


def _halved(counts: NDArray[np.uint16]) -> NDArray[np.uint16]:
    return counts[::2, ::2]


def _write(folder: Path, tile: _Tile, name: str, pixels: NDArray[Any], side_m: int) -> Path:
    path = folder / f"{tile.acquired:%Y%m%dT%H%M%SZ}_{tile.platform}_{name}.tif"
    rows, columns = pixels.shape
    with rasterio.open(
        path,
        "w",
        driver="GTiff",
        count=1,
        height=rows,
        width=columns,
        dtype=pixels.dtype.name,
        crs=CRS,
        transform=Affine(side_m, 0.0, LEFT + 10.0 * tile.left_px, 0.0, -side_m, TOP),
    ) as dataset:
        dataset.write(pixels, 1)
    return path
