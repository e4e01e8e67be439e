"""The score of a diff as a GeoTIFF that any GIS opens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from rasterio.io import MemoryFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from geo.grid import Grid


def score_geotiff(
    score: NDArray[np.float32], changed: NDArray[np.bool_], grid: Grid, *, tags: Mapping[str, str]
) -> bytes:
    """Return a GeoTIFF with two float32 bands, ``score`` and ``changed``, NaN where not judged.

    Args:
        score: ``(y, x)``, NaN where not judged.
        changed: ``(y, x)``, True where a change is reported.
        grid: The lattice of both.
        tags: Metadata of the file: threshold, method, dates.
    """
    flags = np.where(np.isfinite(score), changed, np.nan).astype(np.float32)
    rows, columns = grid.shape
    profile = {
        "driver": "GTiff",
        "dtype": "float32",
        "count": 2,
        "height": rows,
        "width": columns,
        "crs": grid.crs,
        "transform": grid.transform,
        "nodata": float("nan"),
        "compress": "deflate",
        "predictor": 3,
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            dataset.write(np.stack([score.astype(np.float32), flags]))
            dataset.descriptions = ("score", "changed")
            dataset.update_tags(**tags)
        return bytes(memory.read())
