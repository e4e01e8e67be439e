"""The seam between looking and where the pixels come from."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from geo.dates import Span
    from geo.grid import Grid
    from imagery.model import Chip, Scene


class Provider(Protocol):
    """Finds scenes over a grid and reads them onto it."""

    def search(self, grid: Grid, span: Span | None = None) -> tuple[Scene, ...]:
        """Return the scenes that touch a grid's frame, by (acquired, id).

        Args:
            grid: The lattice; its frame is what is searched.
            span: Solar days at the grid's centre; None for all.
        """
        ...

    def read(self, grid: Grid, scenes: Sequence[Scene], bands: Sequence[str] | None = None) -> Chip:
        """Return one solar day of one series on a grid.

        Args:
            grid: The lattice.
            scenes: All of one solar day and one series, at least one.
            bands: Canonical names; None for all that every scene has.

        Raises:
            ImageError: The scenes are not of one day and series, or lack a band.
            ArchiveError: Pixels are damaged or missing.
        """
        ...


def solar_days(scenes: Iterable[Scene], lon: float) -> dict[tuple[date, str], tuple[Scene, ...]]:
    """Group scenes by (solar day at `lon`, series), in that order; inside by (acquired, id).

    >>> solar_days([], 127.0)
    {}
    """
    groups: dict[tuple[date, str], list[Scene]] = defaultdict(list)
    for scene in sorted(scenes, key=lambda scene: (scene.acquired, scene.id)):
        groups[scene.solar_day(lon), scene.series].append(scene)
    return {key: tuple(groups[key]) for key in sorted(groups)}
