"""GeoTIFFs that the tests write themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pytest
import rasterio
from affine import Affine

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class WriteTif(Protocol):
    def __call__(self, name: str, pixels: NDArray[Any] | None = None, **profile: Any) -> Path: ...  # noqa: ANN401 - rasterio's own keywords


@pytest.fixture
def write_tif(tmp_path: Path) -> WriteTif:
    """Write a GeoTIFF of ``(y, x)`` or ``(band, y, x)``; by default 6 x 5 counts at 30 m near Sinuiju."""

    def write(name: str, pixels: NDArray[Any] | None = None, **profile: Any) -> Path:  # noqa: ANN401 - as above
        data = np.arange(30, dtype=np.uint16).reshape(6, 5) + 100 if pixels is None else pixels
        stack = data if data.ndim == 3 else data[None]
        names = profile.pop("descriptions", None)
        settings = {
            "driver": "GTiff",
            "count": stack.shape[0],
            "height": stack.shape[1],
            "width": stack.shape[2],
            "dtype": stack.dtype.name,
            "crs": "EPSG:32652",
            "transform": Affine(30.0, 0.0, 280005.0, 0.0, -30.0, 4440015.0),
        }
        path = tmp_path / "given" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with rasterio.open(path, "w", **{**settings, **profile}) as dataset:
            dataset.write(stack)
            if names is not None:
                dataset.descriptions = names
        return path

    return write
