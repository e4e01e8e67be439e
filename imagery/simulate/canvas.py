"""Painting ground: parcels laid over each other on the fine lattice, and the shapes they come in."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from imagery.simulate.materials import materials
from imagery.simulate.noise import smooth_noise
from imagery.simulate.optics import OVERSAMPLING, ground_cells
from imagery.simulate.spec import PIXEL_M

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

CELL_M = PIXEL_M / OVERSAMPLING


@dataclass(slots=True, eq=False)
class Canvas:
    """Ground that is being painted."""

    frame_px: int
    rng: np.random.Generator
    axis_m: NDArray[np.float64] = field(init=False)
    """Metres of cell centres from the frame's centre, along either axis."""
    label: NDArray[np.int32] = field(init=False)
    """``(y, x)`` in cells: which parcel."""
    material: list[NDArray[np.intp]] = field(init=False)
    height_m: list[NDArray[np.float32]] = field(init=False)
    parcels: int = 0

    def __post_init__(self) -> None:
        """Start with bare lattice."""
        side = ground_cells(self.frame_px)
        self.axis_m = (np.arange(side, dtype=np.float64) + 0.5 - side / 2) * CELL_M
        self.label = np.zeros((side, side), dtype=np.int32)
        self.material, self.height_m = [], []

    def turned(self, angle_rad: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return metres along two axes that are turned, each ``(y, x)``."""
        cosine, sine = math.cos(angle_rad), math.sin(angle_rad)
        x, y = self.axis_m[None, :], self.axis_m[:, None]
        return cosine * x + sine * y, cosine * y - sine * x

    def noise(self, cell_m: float) -> NDArray[np.float32]:
        """Return smooth noise over the ground, ``(y, x)``."""
        return smooth_noise(self.axis_m, self.axis_m, cell_m, self.rng)

    def lay(
        self,
        mask: NDArray[np.bool_],
        cells: NDArray[np.intp] | None,
        choice: Mapping[str, float],
        height_m: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """Lay parcels over what is there.

        Args:
            mask: ``(y, x)``: where.
            cells: ``(y, x)``: numbers from 0; those of one number are one parcel. None: all is one.
            choice: Share of the parcels that are of each material.
            height_m: Lowest and highest building.
        """
        chosen = np.zeros(int(np.count_nonzero(mask)), np.intp) if cells is None else cells[mask]
        if not chosen.size:
            return
        present = np.zeros(int(chosen.max()) + 1, dtype=np.bool_)
        present[chosen] = True
        count = int(np.count_nonzero(present))
        number = np.cumsum(present) - 1 + self.parcels
        self.label[mask] = number[chosen]
        indices = [materials().index(name) for name in choice]
        shares = np.array(list(choice.values()))
        self.material.append(self.rng.choice(indices, size=count, p=shares / shares.sum()))
        self.height_m.append(self.rng.uniform(*height_m, size=count).astype(np.float32))
        self.parcels += count


@dataclass(frozen=True, slots=True, eq=False)
class Strips:
    """Ground cut into strips and these into blocks, as streets or field lanes do."""

    cells: NDArray[np.intp]
    """``(y, x)``: number of the block."""
    edge_m: NDArray[np.float64]
    """``(y, x)``: distance to the strip's first edge."""
    end_m: NDArray[np.float64]
    """``(y, x)``: distance to the block's first end."""
    strip: NDArray[np.intp]
    """``(y, x)``: number of the strip."""


def strips(
    canvas: Canvas, angle_rad: float, width_m: tuple[float, float], length_m: tuple[float, float]
) -> Strips:
    """Cut the ground into strips of random width and blocks of random length."""
    u, v = canvas.turned(angle_rad)
    reach = float(np.abs(canvas.axis_m).max()) * 1.5
    count = math.ceil(2 * reach / width_m[0]) + 1
    edges = -reach + np.cumsum(canvas.rng.uniform(*width_m, size=count)) - width_m[1]
    strip = np.clip(np.searchsorted(edges, u) - 1, 0, count - 1)
    lengths = canvas.rng.uniform(*length_m, size=count)
    start = canvas.rng.uniform(0, 1, size=count)
    place = (v + reach) / lengths[strip] + start[strip]
    block = np.floor(place).astype(np.intp)
    blocks = math.ceil(2 * reach / length_m[0]) + 2
    return Strips(strip * blocks + block, u - edges[strip], (place - block) * lengths[strip], strip)


def buildings(
    canvas: Canvas,
    angle_rad: float,
    pitch_m: tuple[float, float],
    width_m: tuple[float, float],
    length_m: tuple[float, float],
    share: float,
) -> tuple[NDArray[np.bool_], NDArray[np.intp]]:
    """Return where buildings stand on a lattice, and which one, each ``(y, x)``.

    Args:
        canvas: The ground.
        angle_rad: How the lattice is turned.
        pitch_m: Distance of two places along either axis.
        width_m: Least and largest width; at most the pitch.
        length_m: Least and largest length.
        share: Of the places that are built on.
    """
    u, v = canvas.turned(angle_rad)
    reach = float(np.abs(canvas.axis_m).max()) * 1.5
    place_u, place_v = (u + reach) / pitch_m[0], (v + reach) / pitch_m[1]
    row, column = place_v.astype(np.intp), place_u.astype(np.intp)
    rows, columns = int(row.max()) + 1, int(column.max()) + 1
    rng = canvas.rng
    built = rng.random((rows, columns)) < share
    half_u = rng.uniform(*width_m, size=(rows, columns)) / 2
    half_v = rng.uniform(*length_m, size=(rows, columns)) / 2
    middle_u = pitch_m[0] / 2 + (pitch_m[0] / 2 - half_u) * rng.uniform(-1, 1, (rows, columns))
    middle_v = pitch_m[1] / 2 + (pitch_m[1] / 2 - half_v) * rng.uniform(-1, 1, (rows, columns))
    cell = row, column
    inside = built[cell] & (np.abs((place_u - column) * pitch_m[0] - middle_u[cell]) < half_u[cell])
    inside &= np.abs((place_v - row) * pitch_m[1] - middle_v[cell]) < half_v[cell]
    return inside, row * columns + column


def course(canvas: Canvas, bend_m: float, offset_m: float) -> NDArray[np.float64]:
    """Return the distance from a winding course (a stream, a shore), ``(y, x)``, signed, metres."""
    u, v = canvas.turned(canvas.rng.uniform(0, math.tau))
    length = canvas.rng.uniform(400, 1200)
    phase = canvas.rng.uniform(0, math.tau)
    return np.asarray(v - offset_m - bend_m * np.sin(u * math.tau / length + phase))
