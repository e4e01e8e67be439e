"""The chips behind the rows of a ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagery.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from imagery.model import Chip
    from imagery.provider import Provider
    from watch.watcher import Lattice


class ChipsBehind:
    """Reads a site's chips by what its looks and detections name them by."""

    def __init__(self, provider: Provider, found: Iterable[Lattice]) -> None:
        """Take the site's lattices, and where their chips are read from."""
        self._provider = provider
        self._lattices = {(lattice.grid.grid_id, lattice.series): lattice for lattice in found}

    def holds(self, grid_id: str, series: str, day: date) -> bool:
        """Whether there are scenes of a day."""
        lattice = self._lattices.get((grid_id, series))
        return lattice is not None and day in lattice.scenes

    def read(self, grid_id: str, series: str, day: date) -> Chip:
        """Return the chip of a day.

        Raises:
            ArchiveError: Its scenes are gone.
        """
        lattice = self._lattices.get((grid_id, series))
        if lattice is None or day not in lattice.scenes:
            raise ArchiveError(f"the scene of {day} is no longer in the archive")
        return self._provider.read(lattice.grid, lattice.scenes[day])
