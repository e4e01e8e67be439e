"""A chip as a GeoTIFF that any GIS opens, and that says by itself what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rasterio.io import MemoryFile

from imagery.model import NO_MASK
from imagery.quantity import FLOOR_DB, STEP_DB, Quantity

if TYPE_CHECKING:
    from collections.abc import Mapping

    from imagery.model import Chip

NODATA = 65535
"""Of every band: outside the image, or no data in one of its bands."""

CLEAR = "clear"
"""Name of the last band: 1 where the ground was seen, 0 under cloud, shadow or snow."""


def chip_geotiff(chip: Chip, tags: Mapping[str, str] | None = None) -> bytes:
    """Return a GeoTIFF of counts, uint16, with their scale, and a last band that says what is clear.

    Equal chips give equal bytes.

    Args:
        chip: The pixels and their lattice.
        tags: More metadata of the file: the site's name, how the look ended.
    """
    counts = np.where(chip.valid, np.minimum(chip.dn, NODATA - 1), np.uint16(NODATA))
    clear = np.where(chip.valid, chip.clear.astype(np.uint16), np.uint16(NODATA))
    rows, columns = chip.grid.shape
    profile = {
        "driver": "GTiff",
        "dtype": "uint16",
        "count": len(chip.bands) + 1,
        "height": rows,
        "width": columns,
        "crs": chip.grid.crs,
        "transform": chip.grid.transform,
        "nodata": NODATA,
        "compress": "deflate",
        "predictor": 2,
        "interleave": "band",
        "photometric": "minisblack",
    }
    scale, offset = _calibration(chip)
    with MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            dataset.write(np.concatenate([counts, clear[None]]).astype(np.uint16))
            dataset.descriptions = (*chip.bands, CLEAR)
            dataset.scales = (*[scale] * len(chip.bands), 1.0)
            dataset.offsets = (*[offset] * len(chip.bands), 0.0)
            dataset.update_tags(**chip_tags(chip), **(tags or {}))
        return bytes(memory.read())


def chip_tags(chip: Chip) -> dict[str, str]:
    """Return what a chip says of itself, as metadata of a file."""
    known = {
        "site": chip.site_id,
        "grid_id": chip.grid.grid_id,
        "solar_day": chip.solar_day.isoformat(),
        "acquired": chip.solar_day.isoformat() if chip.day_only else chip.acquired.isoformat(),
        "platform": chip.platform,
        "series": chip.series,
        "scenes": " ".join(chip.scene_ids),
        "units": _units(chip),
        "mask": "none: only missing data is masked" if chip.mask_scheme == NO_MASK else chip.mask_scheme,
        "clear_fraction": f"{chip.clear_fraction():.4f}",
        "simulated": "SIMULATED pixels, not a real image" if chip.simulated else "no",
        "credit": chip.credit,
        "orbit": chip.geometry.orbit,
        "processing_baseline": chip.processing_baseline,
    }
    return {name: value for name, value in known.items() if value}


def _calibration(chip: Chip) -> tuple[float, float]:
    if chip.quantity is Quantity.GAMMA0_DB:
        return STEP_DB, FLOOR_DB
    return (1.0 if chip.scale is None else chip.scale), 0.0


def _units(chip: Chip) -> str:
    if chip.quantity is Quantity.GAMMA0_DB:
        return "gamma nought in decibels"
    return "uncalibrated counts" if chip.scale is None else "reflectance"
