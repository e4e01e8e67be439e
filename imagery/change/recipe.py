"""How the values of a past look follow from its chip, so that they can be made again to the bit.

A prepared look is as large as its chip. What was done to it is a handful of numbers, and the chip lies in
the archive anyway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imagery.normalise import scaled
from imagery.resampling import shifted
from imagery.shift import Shift

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imagery.model import Chip
    from imagery.normalise import Normalised


@dataclass(frozen=True, slots=True)
class Moved:
    """One resampling by a shift."""

    dx_px: float
    """Right (east)."""
    dy_px: float
    """Down (south)."""

    def of(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the values moved, ``(band, y, x)``."""
        return shifted(values, Shift(self.dx_px, self.dy_px))


@dataclass(frozen=True, slots=True)
class Scaled:
    """A line a band."""

    gain: tuple[float, ...]
    offset: tuple[float, ...]

    @classmethod
    def by(cls, result: Normalised) -> Scaled:
        """Return what a normalisation did."""
        return cls(tuple(map(float, result.gain)), tuple(map(float, result.offset - result.common)))

    def of(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return ``gain * values + offset``, ``(band, y, x)``."""
        return scaled(values, np.array(self.gain), np.array(self.offset))


@dataclass(frozen=True, slots=True)
class Recipe:
    """What was done to a chip's values, in order."""

    steps: tuple[Moved | Scaled, ...] = ()

    def then(self, *steps: Moved | Scaled) -> Recipe:
        """Return the recipe with more at its end."""
        return Recipe((*self.steps, *steps))

    def of(self, chip: Chip) -> NDArray[np.float32]:
        """Make the values, ``(band, y, x)``; NaN where not clear."""
        values = chip.values()
        for step in self.steps:
            values = step.of(values)
        return values


AS_IT_CAME = Recipe()
"""The chip's own values."""
