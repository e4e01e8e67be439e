"""What it does to reflectance where the sun stands and the satellite looks from.

Sources: the Ross-thick and Li-sparse reciprocal kernels (Wanner, Li and Strahler 1995; Lucht, Schaaf and
Strahler 2000) and the one set of coefficients that Roy et al. 2016 (Remote Sensing of Environment 176)
propose for all natural land.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ISOTROPIC = np.array([0.0774, 0.1306, 0.1690, 0.3093, 0.3430, 0.2658])
_GEOMETRIC = np.array([0.0079, 0.0178, 0.0227, 0.0330, 0.0453, 0.0387])
_VOLUME = np.array([0.0372, 0.0580, 0.0574, 0.1535, 0.1154, 0.0639])
"""Roy et al. 2016, table 5: blue, green, red, nir, swir16, swir22."""

_CROWN_HEIGHT = 2.0
"""h/b of the Li-sparse kernel; b/r is 1."""

REFERENCE_SUN_ZENITH_DEG = 45.0


def directional_factor(
    sun_zenith_deg: float, view_zenith_deg: float, relative_azimuth_deg: float
) -> NDArray[np.float32]:
    """Return ``(band,)``: reflectance by directions over that seen from above with the sun at 45 degrees."""
    here = _modelled(sun_zenith_deg, view_zenith_deg, relative_azimuth_deg)
    return np.asarray(here / _modelled(REFERENCE_SUN_ZENITH_DEG, 0.0, 0.0), dtype=np.float32)


def _modelled(sun_deg: float, view_deg: float, azimuth_deg: float) -> NDArray[np.float64]:
    sun, view, azimuth = (math.radians(angle) for angle in (sun_deg, view_deg, azimuth_deg))
    volume, geometric = _ross_thick(sun, view, azimuth), _li_sparse(sun, view, azimuth)
    return np.asarray(_ISOTROPIC + _GEOMETRIC * geometric + _VOLUME * volume)


def _phase(sun: float, view: float, azimuth: float) -> float:
    cosine = math.cos(sun) * math.cos(view) + math.sin(sun) * math.sin(view) * math.cos(azimuth)
    return math.acos(min(1.0, max(-1.0, cosine)))


def _ross_thick(sun: float, view: float, azimuth: float) -> float:
    phase = _phase(sun, view, azimuth)
    top = (math.pi / 2 - phase) * math.cos(phase) + math.sin(phase)
    return top / (math.cos(sun) + math.cos(view)) - math.pi / 4


def _li_sparse(sun: float, view: float, azimuth: float) -> float:
    phase = _phase(sun, view, azimuth)
    tan_sun, tan_view = math.tan(sun), math.tan(view)
    secants = 1 / math.cos(sun) + 1 / math.cos(view)
    squared = tan_sun**2 + tan_view**2 - 2 * tan_sun * tan_view * math.cos(azimuth)
    across = (tan_sun * tan_view * math.sin(azimuth)) ** 2
    overlap_cosine = min(1.0, _CROWN_HEIGHT * math.sqrt(max(0.0, squared + across)) / secants)
    overlap_angle = math.acos(overlap_cosine)
    overlap = (overlap_angle - math.sin(overlap_angle) * overlap_cosine) * secants / math.pi
    lit = 0.5 * (1 + math.cos(phase)) / (math.cos(sun) * math.cos(view))
    return overlap - secants + lit
