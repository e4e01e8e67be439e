"""One look of a site and everything it is judged by."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from imagery.change.learned import Quiet
from imagery.change.search import maps_of
from imagery.change.stored import Stored
from imagery.change.whole import Whole

if TYPE_CHECKING:
    from datetime import date

    import numpy as np
    from numpy.typing import NDArray

    from imagery.change.calendar import Calendar
    from imagery.change.cases import Frame
    from imagery.change.learned import Learned
    from imagery.change.matched import Place, Residuals
    from imagery.change.null import Null
    from imagery.change.prepare import Prepared
    from imagery.change.search import LookMaps
    from imagery.change.spec import WatchSpec
    from imagery.model import Chip

LISTED_RATIOS = Quiet(alone=1.6, agreed=3.0, thrice=1.5, summed=2.3)
"""The score of a look by itself, in units of what quiet looks reach, from which on it ends as Changed; and
what two looks agree on, what three do, and the sum of the latest, from which on a candidate is raised: where
the footprint is drawn."""

SEARCH_RATIOS = Quiet(alone=1.6, agreed=3.7, thrice=3.0, summed=2.7)
"""The same where squares are searched for: many places and sizes, so more that looks like a change."""

LEAST = Quiet(alone=3.0, agreed=2.5, thrice=2.5, summed=3.0)
"""What quiet looks are taken to reach at least, however quiet the history was."""

AGREEING_LOOKS = 2
"""How many looks back the one may lie that agrees."""

THRICE_LOOKS = 3
"""How many looks back the two may lie that agree with a look."""


@dataclass(frozen=True, slots=True, eq=False)
class Material:
    """What does not change from look to look."""

    frame: Frame
    spec: WatchSpec
    context: NDArray[np.bool_]
    """``(y, x)``: the ground around the site."""
    calendar: Calendar | None
    null: Null | None


@dataclass(frozen=True, slots=True)
class Record:
    """What earlier looks say of how this one was taken."""

    orbit_looks: int | None
    """Earlier clear looks of its orbit; None where orbits are not known."""
    usual_shift_px: float
    """Nine in ten earlier looks moved less."""
    baseline_is_new: bool


@dataclass(frozen=True, slots=True, eq=False)
class Mapped:
    """What a look shows on the window."""

    now: Residuals
    maps: LookMaps


@dataclass(frozen=True, slots=True, eq=False)
class KeptLook:
    """A judged look whose residuals are kept."""

    whole: Whole
    stored: Stored[Mapped]

    @property
    def day(self) -> date:
        """Its day."""
        return self.whole.day

    @property
    def now(self) -> Residuals:
        """Residuals of the window."""
        return self.stored.get().now

    @property
    def maps(self) -> LookMaps:
        """The scores of every place of the window."""
        return self.stored.get().maps

    @property
    def residuals(self) -> Residuals:
        """Residuals of the whole frame."""
        return self.whole.residuals()


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """One look, and all it is judged by."""

    chip: Chip
    result: Prepared
    learned: Learned
    material: Material
    record: Record
    quiet: Quiet
    """What the site's quiet looks reach."""
    this: KeptLook
    kept: tuple[KeptLook, ...]
    """The latest clear looks before it."""

    @classmethod
    def of(
        cls,
        chip: Chip,
        result: Prepared,
        learned: Learned,
        quiet: Quiet,
        kept: tuple[KeptLook, ...],
        material: Material,
        record: Record,
    ) -> Day:
        """Map a look."""
        window = material.frame.window
        whole = Whole.of(chip, result, learned.stored_model)
        inside = result.residuals.part(window)
        now = replace(inside, drifts=whole.drifts(window))
        maps = maps_of(now, material.frame.shapes, learned.yard)
        this = KeptLook(whole, Stored.of(Mapped(now, maps)))
        return cls(chip, result, learned, material, record, quiet.at_least(LEAST), this, kept)

    @property
    def frame(self) -> Frame:
        """Where the arrays lie."""
        return self.material.frame

    @property
    def looks(self) -> tuple[KeptLook, ...]:
        """The kept looks and this one."""
        return (*self.kept, self.this)

    @property
    def threshold(self) -> Quiet:
        """Score from which on a look stands out alone, and from which on two or more raise a candidate."""
        ratios = SEARCH_RATIOS if self.frame.shapes.listed is None else LISTED_RATIOS
        return self.quiet.times(ratios)

    def where(self, place: Place) -> str:
        """Return a place in words: latitude and longitude."""
        if place.is_listed:
            return "the drawn footprint"
        lon, lat = self.frame.lonlat_of(place)
        return f"{lat:.5f}, {lon:.5f}"
