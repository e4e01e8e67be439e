"""What kind of change it is, in words, from what the spectrum did; every word names its evidence.

Indices before and after: NDVI (nir, red; Rouse 1974), NDWI (green, nir; McFeeters 1996), MNDWI (green,
swir16; Xu 2006), and the mean of the visible bands. A rule whose bands are missing is silent. The limits are
ours and stand beside their names. A word is a reading of colours, not an identification.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

WATER_RISE = 0.15
VEGETATED_NDVI = 0.35
NDVI_STEP = 0.10
BRIGHT_STEP = 0.04
"""Reflectance by which the visible bands rose or fell."""
BRIGHT_VISIBLE = 0.16
"""Visible reflectance from which on a surface without plants is taken for a roof or concrete."""
GREY_BLUE_PART = 0.6
"""Blue rose by at least this part of red: roofs and concrete are grey, soil and straw are not."""

_VISIBLE = ("blue", "green", "red")


class Kind(StrEnum):
    """What it looks like."""

    NEW_BRIGHT_ROOF = "new bright roof"
    CLEARED_GROUND = "cleared ground"
    FLOODED = "flooded"
    DEMOLISHED = "demolished"
    VEGETATION_LOSS = "vegetation loss"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class KindFound:
    """A kind, and the values that speak for it."""

    kind: Kind
    values: Mapping[str, tuple[float, float]] = field(default_factory=lambda: MappingProxyType({}))
    """Index or ``visible``: before and after."""

    @property
    def text(self) -> str:
        """The kind with its evidence: ``cleared ground (NDVI 0.61 to 0.22, visible 0.06 to 0.12)``."""
        told = ", ".join(
            f"{name} {before:.2f} to {after:.2f}" for name, (before, after) in self.values.items()
        )
        return f"{self.kind} ({told})" if told else str(self.kind)


UNNAMED = KindFound(Kind.OTHER)
"""What is said of counts without a scale, or without a band that any rule needs."""


def kind_of(before: Mapping[str, float], contrast: Mapping[str, float]) -> KindFound:
    """Return what a change looks like.

    Args:
        before: Predicted reflectance by canonical band.
        contrast: Observed minus predicted, the whole contrast of the changed ground.

    >>> kind_of({"red": 0.05, "nir": 0.30}, {"red": 0.06, "nir": -0.12}).kind.value
    'cleared ground'
    >>> kind_of({}, {}).text
    'other'
    """
    shared = before.keys() & contrast.keys()
    after = {band: before[band] + contrast[band] for band in shared}
    old = {band: before[band] for band in shared}
    values = {
        name: (index(old, *bands), index(after, *bands))
        for name, bands in (
            ("NDVI", ("nir", "red")),
            ("MNDWI", ("green", "swir16")),
            ("NDWI", ("green", "nir")),
        )
    }
    values["visible"] = (_visible(old), _visible(after))
    known = {name: pair for name, pair in values.items() if all(math.isfinite(each) for each in pair)}
    return KindFound(_named(known, contrast), MappingProxyType(known))


def index(values: Mapping[str, float], first: str, second: str) -> float:
    """Return the normalised difference of two bands; NaN where either is unknown or both are dark."""
    a, b = (max(values.get(band, math.nan), 0.0) if band in values else math.nan for band in (first, second))
    return (a - b) / (a + b) if a + b > 0 else math.nan


def _visible(values: Mapping[str, float]) -> float:
    found = [values[band] for band in _VISIBLE if band in values]
    return sum(found) / len(found) if found else math.nan


def _named(known: Mapping[str, tuple[float, float]], contrast: Mapping[str, float]) -> Kind:
    if _floods(known, contrast):
        return Kind.FLOODED
    before, after = known.get("visible", (math.nan, math.nan))
    rise = after - before
    greenness, green_after = known.get("NDVI", (math.nan, math.nan))
    lost = greenness - green_after >= NDVI_STEP
    if rise >= BRIGHT_STEP and green_after < VEGETATED_NDVI:
        return Kind.NEW_BRIGHT_ROOF if _is_grey(contrast) and after >= BRIGHT_VISIBLE else Kind.CLEARED_GROUND
    if lost and greenness >= VEGETATED_NDVI:
        return Kind.CLEARED_GROUND if rise > 0 and green_after < VEGETATED_NDVI / 2 else Kind.VEGETATION_LOSS
    if rise <= -BRIGHT_STEP and before >= BRIGHT_VISIBLE and green_after < VEGETATED_NDVI:
        return Kind.DEMOLISHED
    return Kind.OTHER


def _floods(known: Mapping[str, tuple[float, float]], contrast: Mapping[str, float]) -> bool:
    before, after = known.get("MNDWI", known.get("NDWI", (math.nan, math.nan)))
    dark = contrast.get("swir16", contrast.get("nir", math.nan)) < 0
    return dark and after > 0 and after - before >= WATER_RISE


def _is_grey(contrast: Mapping[str, float]) -> bool:
    blue, red = contrast.get("blue"), contrast.get("red")
    return blue is None or red is None or red <= 0 or blue >= GREY_BLUE_PART * red
