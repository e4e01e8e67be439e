"""Places made coarse: every point of a cell becomes the cell's middle.

The cells lie on one lattice for the whole Earth, and the finer ones fill the coarser exactly. So a place
told on several occasions, finely here and coarsely there, is never known better than by the finest of them:
random shifts can be averaged away, and cells that cross each other narrow down where a place is.

A cell of `radius_m` is as large as a circle around its middle lets it be: degrees of latitude high, and in
each belt of four degrees a power of two times that in longitude, so that it is never wider than high.
"""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import TYPE_CHECKING

from geo.errors import CoordinateError

if TYPE_CHECKING:
    from collections.abc import Mapping

_HEIGHT_DEG: Mapping[int, float] = MappingProxyType(
    {1_250: 1 / 64, 2_500: 1 / 32, 5_000: 1 / 16, 10_000: 1 / 8, 20_000: 1 / 4, 40_000: 1 / 2, 80_000: 1.0}
)
"""Half the diagonal of a cell is 78.9 km a degree of height, or less."""

RADII_M = tuple(_HEIGHT_DEG)
"""How coarse a place can be told: it lies within so many metres of what is told."""

_BELT_DEG = 4.0
_POLE_DEG, _DATE_LINE_DEG = 90.0, 180.0


def coarse(lon: float, lat: float, radius_m: int) -> tuple[float, float]:
    """Return the middle of the cell that a point lies in, ``lon, lat`` degrees.

    >>> coarse(125.7381, 39.0194, 5_000)
    (125.71875, 39.03125)

    Args:
        lon: Degrees east.
        lat: Degrees north.
        radius_m: One of `RADII_M`: the point lies within it of what is returned.

    Raises:
        CoordinateError: There is no lattice of this radius.
    """
    height = _HEIGHT_DEG.get(radius_m)
    if height is None:
        known = ", ".join(f"{each}" for each in RADII_M)
        raise CoordinateError(f"no lattice of {radius_m} m", hint=f"Write one of {known}")
    south = min(_floor(lat + _POLE_DEG, height), 2 * _POLE_DEG - height) - _POLE_DEG
    width = height * _widening(south + height / 2)
    west = _floor((lon + _DATE_LINE_DEG) % (2 * _DATE_LINE_DEG), width) - _DATE_LINE_DEG
    east = min(west + width, _DATE_LINE_DEG)
    return (west + east) / 2, south + height / 2


def _floor(value: float, step: float) -> float:
    return math.floor(value / step) * step


def _widening(lat: float) -> float:
    """Return the largest power of two by which cells of this belt may be wider in degrees than high."""
    nearest_equator = _floor(abs(lat), _BELT_DEG)
    return 2.0 ** math.floor(-math.log2(math.cos(math.radians(nearest_equator))) + 1e-9)
