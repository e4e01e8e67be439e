"""Planted changes on the lattice: which share of each cell they cover, and what they do to its light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import shapely
from shapely.affinity import rotate
from shapely.geometry import box

from imagery.simulate.canvas import CELL_M
from imagery.simulate.materials import materials
from imagery.simulate.optics import ground_cells, observe_pixels, rendered_px
from imagery.simulate.parcels import Parcels

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry import Polygon

    from imagery.simulate.acquisitions import Acquisition
    from imagery.simulate.spec import Change, Rectangle, SiteSpec


@dataclass(frozen=True, slots=True, eq=False)
class Cover:
    """The share of cells inside a rectangle, in the window that it touches."""

    rows: slice
    columns: slice
    share: NDArray[np.float32]
    """``(y, x)`` of the window, 0 to 1."""


def outline(place: Rectangle) -> Polygon:
    """Return a rectangle as a polygon: metres east and south of the frame's centre."""
    half_x, half_y = place.width_m / 2, place.height_m / 2
    polygon = box(
        place.east_m - half_x, place.south_m - half_y, place.east_m + half_x, place.south_m + half_y
    )
    # South points down here, so what turns from x to y is clockwise on the ground.
    return rotate(polygon, place.angle_deg, origin=(place.east_m, place.south_m))


def cover(place: Rectangle, side: int, cell_m: float) -> Cover:
    """Return the share of each cell of a square lattice, centred on the frame, inside a rectangle; exact."""
    polygon = outline(place)
    left, top, right, bottom = (value / cell_m + side / 2 for value in polygon.bounds)
    rows = slice(max(0, int(np.floor(top))), min(side, int(np.ceil(bottom))))
    columns = slice(max(0, int(np.floor(left))), min(side, int(np.ceil(right))))
    x = (np.arange(columns.start, columns.stop) - side / 2) * cell_m
    y = (np.arange(rows.start, rows.stop) - side / 2) * cell_m
    column, row = np.meshgrid(x, y)
    cells = shapely.box(column, row, column + cell_m, row + cell_m)
    share = shapely.area(shapely.intersection(cells, polygon)) / cell_m**2
    return Cover(rows, columns, np.asarray(share, dtype=np.float32))


class Planting:
    """One planted change on one site's ground."""

    def __init__(self, change: Change, spec: SiteSpec, rng: np.random.Generator) -> None:
        """Lay the change out.

        Args:
            change: What is planted.
            spec: The site.
            rng: How its own parcels differ from others of their material is drawn from it.
        """
        self.change = change
        self._frame_px = spec.frame_px
        self.cover = cover(change.place, ground_cells(spec.frame_px), CELL_M)
        names = (change.material_before, change.material_after)
        rows = np.array([materials().index(name) for name in names if name is not None], dtype=np.intp)
        self._parcels = Parcels(rows, spec, rng)

    def apply(
        self, image: NDArray[np.float32], texture: NDArray[np.float32], acquisition: Acquisition
    ) -> None:
        """Change the light of the ground ``(band, y, x)`` in place."""
        window = (slice(None), self.cover.rows, self.cover.columns)
        ground, share = image[window], self.cover.share
        progress = self.change.progress(acquisition.day)
        looks = self._parcels.reflectance(acquisition)[:, :, None, None] * texture[window[1:]]
        if self.change.material_before is not None:
            ground += share * (looks[0] - ground)
        if self.change.contrast is not None:
            contrast = np.array(self.change.contrast, dtype=np.float32)
            ground += np.float32(progress) * share * contrast[:, None, None]
        elif progress:
            ground += np.float32(progress) * share * (looks[-1] - ground)

    def raise_heights(self, height_m: NDArray[np.float32], acquisition: Acquisition) -> None:
        """Put what is built on the ground's heights ``(y, x)`` in place, from half of its progress on."""
        if self.change.progress(acquisition.day) >= 0.5:  # noqa: PLR2004 - half
            window = height_m[self.cover.rows, self.cover.columns]
            np.maximum(window, np.where(self.cover.share > 0.5, self.change.height_m, 0), out=window)  # noqa: PLR2004

    def mixing(self) -> NDArray[np.float32]:
        """Return the share of each pixel's light that comes from the change when it is whole, ``(y, x)``."""
        side = ground_cells(self._frame_px)
        ground = np.zeros((1, side, side), dtype=np.float32)
        ground[0, self.cover.rows, self.cover.columns] = self.cover.share
        rendered = rendered_px(self._frame_px)
        margin = (rendered - self._frame_px) // 2
        return observe_pixels(ground, rendered, (0.0, 0.0))[0, margin:-margin, margin:-margin]
