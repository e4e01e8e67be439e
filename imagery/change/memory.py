"""What a judge knows after some looks: all that the next one is judged by."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from imagery.change.learned import PastLook

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from imagery.change.cases import Case
    from imagery.change.day import KeptLook
    from imagery.change.detectable_words import Detectable
    from imagery.change.learned import Learned
    from imagery.change.recipe import Recipe
    from imagery.model import Chip

    Chips = Callable[[date], Chip]


@dataclass(slots=True, eq=False)
class Remembered:
    """A look of the history: how its values are made; the values themselves only once a fit needed them."""

    day: date
    orbit: str
    recipe: Recipe
    is_settled: bool
    """See `PastLook`."""
    values: NDArray[np.float32] | None = None
    """``(band, y, x)``; None: not made yet."""

    @classmethod
    def of(cls, look: PastLook) -> Remembered:
        """Remember a look whose values are at hand."""
        return cls(look.day, look.orbit, look.recipe, look.is_settled, look.values)

    def look(self, chips: Chips) -> PastLook:
        """Return the look with its values.

        Args:
            chips: Reads the chip of a day again; called only where the values are not at hand.
        """
        if self.values is None:
            self.values = self.recipe.of(chips(self.day))
        return PastLook(self.day, self.orbit, self.values, self.is_settled, self.recipe)


@dataclass(slots=True, eq=False)
class Memory:
    """Changed by its judge alone, which replaces what its lists hold and never changes it."""

    past: list[Remembered] = field(default_factory=list)
    """The latest clear looks, in order: what the next fit uses."""
    clear_looks: int = 0
    """So far."""
    fitted_at: int = 0
    """Clear looks at the latest fit."""
    learned: Learned | None = None
    kept: list[KeptLook] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    rebased: list[tuple[NDArray[np.bool_], date]] = field(default_factory=list)
    """Ground ``(y, x)`` whose history begins at a day, by confirmed change."""
    alone: list[float] = field(default_factory=list)
    """The latest scores of looks by themselves, each cut to its threshold."""
    agreed: list[float] = field(default_factory=list)
    thrice: list[float] = field(default_factory=list)
    summed: list[float] = field(default_factory=list)
    orbits: Counter[str] = field(default_factory=Counter)
    """Clear looks by orbit."""
    baselines: set[str] = field(default_factory=set)
    """Processing baselines that were seen."""
    shifts: list[float] = field(default_factory=list)
    """The latest shifts that were taken out, pixels."""
    shift_sds: list[tuple[float, float]] = field(default_factory=list)
    """Their standard errors along x and y."""
    sizes: tuple[int, tuple[Detectable, ...]] = (0, ())
    """How small a building would have been seen, and the clear looks of the fit by which that was told."""
    simulated: bool = False
    """Whether any chip was."""

    def copy(self) -> Memory:
        """Return what stays as it is now while the judge goes on."""
        return replace(
            self,
            past=list(self.past),
            kept=list(self.kept),
            cases=list(self.cases),
            rebased=list(self.rebased),
            alone=list(self.alone),
            agreed=list(self.agreed),
            thrice=list(self.thrice),
            summed=list(self.summed),
            orbits=Counter(self.orbits),
            baselines=set(self.baselines),
            shifts=list(self.shifts),
            shift_sds=list(self.shift_sds),
        )
