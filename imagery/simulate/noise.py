"""Smooth random fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Positions = NDArray[np.floating[Any]]


def smooth_noise(
    positions_y: Positions,
    positions_x: Positions,
    cell: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return noise of about unit variance that changes over `cell`, at the crossings of two axes.

    Values at lattice points are joined by smooth steps (value noise, Perlin 1985).

    Args:
        positions_y: Coordinates of the rows, in any unit.
        positions_x: Coordinates of the columns, in the same unit.
        cell: Distance of two lattice points.
        rng: Where the lattice is drawn from.
    """
    rows, down = _steps(positions_y, cell)
    columns, right = _steps(positions_x, cell)
    lattice = rng.standard_normal((rows, columns), dtype=np.float32)
    # A mean over the cell of the squared weights: smooth steps keep (26/35)^2 of a lattice's variance.
    return np.asarray(down @ lattice @ right.T / np.float32(26 / 35))


def _steps(positions: Positions, cell: float) -> tuple[int, NDArray[np.float32]]:
    """Return the size of a lattice, and the weights ``(position, lattice point)``."""
    place = (positions - positions.min()) / cell
    low = np.floor(place).astype(np.intp)
    part = place - low
    part = (part * part * (3.0 - 2.0 * part)).astype(np.float32)
    size = int(low.max()) + 2
    weights = np.zeros((positions.size, size), dtype=np.float32)
    index = np.arange(positions.size)
    weights[index, low] = 1.0 - part
    weights[index, low + 1] = part
    return size, weights


def layered_noise(
    positions_y: Positions,
    positions_x: Positions,
    cells: tuple[float, ...],
    fall: float,
    rng: np.random.Generator,
) -> NDArray[np.float32]:
    """Return noise of about unit variance at several scales; each counts `fall` times the one before."""
    weights = fall ** np.arange(len(cells))
    weights /= np.sqrt((weights**2).sum())
    return sum(  # type: ignore[return-value]  # the sum of arrays is one
        np.float32(weight) * smooth_noise(positions_y, positions_x, cell, rng)
        for cell, weight in zip(cells, weights, strict=True)
    )
