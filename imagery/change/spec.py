"""What to watch and by which rules: everything a judgement needs to know of a site, and no category."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MIN_PIXELS = 2
"""A region of one pixel is never reported: one pixel is what glints, edges and dead detectors change."""


@dataclass(frozen=True, slots=True, eq=False)
class WatchSpec:
    """The footprint on its grid, and the rules by which its looks are judged."""

    weights: NDArray[np.float32]
    """``(y, x)``: share of each pixel inside the footprint, 0 to 1 (`geo.grid.Grid.weights`)."""
    pixel_area_m2: float
    """Area of one pixel."""
    is_listed: bool = False
    """Whether the footprint itself, and no more, is what may change: a building or a yard that was drawn.
    It is then the one template; else squares are searched for inside the footprint."""
    min_area_m2: float = 0.0
    """Regions below this area are not reported; `MIN_PIXELS` pixels are the least in any case."""
    season_half_width_days: float = 45.0
    """Looks within this distance of the day of the year, in any year, are of the same season."""
    min_history: int = 6
    """Clear values that a pixel needs in that season before it is judged."""
    max_history: int = 24
    """Looks of that season that are used, the latest: bounds what one look costs."""
    min_clear_footprint: float = 0.5
    """Clear share of the footprint below which a look is Obscured."""
    min_clear_frame: float = 0.3
    """Clear share of the frame below which a look is Obscured."""

    def __post_init__(self) -> None:
        """Refuse what can't be judged by.

        Raises:
            ValueError: A rule is out of its range, or the footprint has no pixel on the grid.
        """
        weights = self.weights
        if weights.ndim != 2 or not (np.isfinite(weights).all() and (weights >= 0).all()):  # noqa: PLR2004 - y, x
            message = "weights must be a (y, x) array of finite shares, none below 0"
            raise ValueError(message)
        if not weights.any():
            message = "the footprint covers no pixel of the grid"
            raise ValueError(message)
        for name, good in self._rules().items():
            if not good:
                message = f"{name} is out of range: {getattr(self, name)!r}"
                raise ValueError(message)

    def _rules(self) -> dict[str, bool]:
        return {
            "pixel_area_m2": math.isfinite(self.pixel_area_m2) and self.pixel_area_m2 > 0,
            "min_area_m2": math.isfinite(self.min_area_m2) and self.min_area_m2 >= 0,
            "season_half_width_days": self.season_half_width_days > 0,
            "min_history": self.min_history >= 3,  # noqa: PLR2004 - leaving one out must leave a spread
            "max_history": self.max_history >= self.min_history,
            "min_clear_footprint": 0 <= self.min_clear_footprint <= 1,
            "min_clear_frame": 0 <= self.min_clear_frame <= 1,
        }

    @property
    def min_pixels(self) -> int:
        """Pixels that a region needs."""
        return max(MIN_PIXELS, math.ceil(self.min_area_m2 / self.pixel_area_m2 - 1e-9))
