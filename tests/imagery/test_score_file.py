from __future__ import annotations

import numpy as np
import rasterio
from rasterio.io import MemoryFile
from shapely.geometry import Point

from geo.area import square_around
from geo.grid import site_grid
from imagery.score_file import score_geotiff


def test_score_lies_where_its_grid_lies_and_keeps_what_was_not_judged_apart() -> None:
    grid = site_grid(
        "a", square_around(Point(125.75, 39.02), 300), crs="EPSG:32651", resolution_m=30, anchor=(15, 15)
    )
    score = np.arange(np.prod(grid.shape), dtype=np.float32).reshape(grid.shape)
    score[0, :] = np.nan
    changed = score > 100
    data = score_geotiff(score, changed, grid, tags={"threshold": "100"})
    with MemoryFile(data) as memory, memory.open() as dataset:
        assert dataset.crs == rasterio.CRS.from_epsg(32651)
        assert dataset.transform == grid.transform
        assert dataset.descriptions == ("score", "changed")
        assert dataset.tags()["threshold"] == "100"
        np.testing.assert_array_equal(dataset.read(1), score)
        flags = dataset.read(2)
    assert np.isnan(flags[0]).all()
    np.testing.assert_array_equal(flags[1:] == 1, changed[1:])
    assert score_geotiff(score, changed, grid, tags={"threshold": "100"}) == data
