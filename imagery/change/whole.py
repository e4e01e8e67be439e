"""The residuals of a judged look over the whole frame, made when somebody asks.

Only the surroundings' scores need them, when something stands out; they are five times as large as the look.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.learned import drifts_of
from imagery.change.prepare import set_against, widened

if TYPE_CHECKING:
    from datetime import date

    from numpy.typing import NDArray

    from imagery.change.harmonics import HarmonicModel
    from imagery.change.matched import Residuals
    from imagery.change.memory import Chips
    from imagery.change.prepare import Prepared
    from imagery.change.recipe import Recipe
    from imagery.change.stored import Stored
    from imagery.model import Chip
    from imagery.shift import Shift


@dataclass(slots=True, eq=False)
class Whole:
    """What they follow from: the look's chip, what was done to it, and the model it was judged by."""

    day: date
    orbit: str
    recipe: Recipe
    shift: Shift | None
    """What was taken out, with its uncertainty; None where it could not be told."""
    noise: NDArray[np.float32]
    """``(band)``: see `Prepared`."""
    model: Stored[HarmonicModel]
    chips: Chips | None = None
    """Reads the chip of a day again; None where the values are at hand."""
    gone: NDArray[np.bool_] | None = None
    """``(y, x)``: ground of which nothing is known any more."""
    values: NDArray[np.float32] | None = None
    """``(band, y, x)``; None: not made yet."""
    made: Residuals | None = None

    @classmethod
    def of(cls, chip: Chip, result: Prepared, model: Stored[HarmonicModel]) -> Whole:
        """Keep what was prepared."""
        return cls(
            chip.solar_day,
            chip.geometry.orbit,
            result.recipe,
            result.shift,
            result.noise,
            model,
            values=result.values,
        )

    def residuals(self) -> Residuals:
        """Make them, with the drifts.

        Raises:
            SitewatchError: The chip or the model can't be read any more.
        """
        if self.made is None:
            model = self.model.get()
            predicted, leverage = model.predict(self.day, self.orbit)
            found = set_against(self._prepared(), predicted, leverage, model.sigma, self.shift)
            if self.gone is not None:
                found.values[:, self.gone] = np.nan
            drifts = drifts_of(model, self.day, self.orbit, predicted)
            self.made = replace(widened(found, self.noise), drifts=drifts)
        return self.made

    def drifts(self, window: tuple[slice, slice]) -> NDArray[np.float32]:
        """Return the drifts on a window alone, ``(drift, band, y, x)``."""
        model = self.model.get().part(window)
        predicted, _ = model.predict(self.day, self.orbit)
        return drifts_of(model, self.day, self.orbit, predicted)

    def without(self, mask: NDArray[np.bool_]) -> Whole:
        """Return what knows nothing of some ground, ``(y, x)``."""
        gone = mask if self.gone is None else self.gone | mask
        return replace(self, gone=gone, made=None)

    def _prepared(self) -> NDArray[np.float32]:
        if self.values is None:
            if self.chips is None:
                message = "neither values nor chips"
                raise ValueError(message)
            self.values = self.recipe.of(self.chips(self.day))
        return self.values
