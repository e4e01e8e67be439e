"""The seam between looking and where the pixels come from."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar

from geo.errors import Where
from imagery.acquisition import joint_geometry
from imagery.errors import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from geo.dates import Span
    from geo.grid import Grid
    from imagery.model import Chip, Scene

S = TypeVar("S", bound="Scene")

_ORBIT_STATES = ("ascending", "descending")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a search leaves out, the same at every provider; None leaves nothing out.

    Scenes that would be one chip are judged together, so that no chip loses a tile of its own.
    """

    max_cloud_percent: float | None = None
    """Of the clearest scene of the day, which may be the one that the frame lies in. Where nobody has said
    how cloudy it is, it is kept: its pixels will tell."""
    relative_orbit: int | None = None
    """Only this one; a scene that doesn't say is left out, because another orbit shifts what it sees."""
    orbit_state: str | None = None
    """``ascending`` or ``descending``; as for `relative_orbit`."""
    max_days: int | None = None
    """Only the latest so many solar days of each series, of those that nothing else left out."""

    def __post_init__(self) -> None:
        """Refuse limits that can't be.

        Raises:
            ImageError: With the field's name.
        """
        cloud = self.max_cloud_percent
        if cloud is not None and not 0.0 <= cloud <= 100.0:  # noqa: PLR2004 - percent
            raise ImageError(f"{cloud:g} is no percentage", where=Where(field="max_cloud_percent"))
        for name in ("relative_orbit", "max_days"):
            number = getattr(self, name)
            if number is not None and number < 1:
                raise ImageError(f"{number} is not 1 or more", where=Where(field=name))
        if self.orbit_state not in {None, *_ORBIT_STATES}:
            problem = f"{self.orbit_state!r} is no direction of an orbit"
            raise ImageError(
                problem, where=Where(field="orbit_state"), hint=f"Use {' or '.join(_ORBIT_STATES)}"
            )


NO_LIMITS = Limits()


class Provider(Protocol):
    """Finds scenes over a grid and reads them onto it."""

    def search(self, grid: Grid, span: Span | None = None, limits: Limits = NO_LIMITS) -> tuple[Scene, ...]:
        """Return the scenes that touch a grid's frame, by (acquired, id).

        Args:
            grid: The lattice; its frame is what is searched.
            span: Solar days at the grid's centre; None for all.
            limits: What to leave out.
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


def solar_days(scenes: Iterable[S], lon: float) -> dict[tuple[date, str], tuple[S, ...]]:
    """Group scenes by (solar day at `lon`, series), in that order; inside by (acquired, id).

    >>> solar_days([], 127.0)
    {}
    """
    groups: dict[tuple[date, str], list[S]] = defaultdict(list)
    for scene in sorted(scenes, key=lambda scene: (scene.acquired, scene.id)):
        groups[scene.solar_day(lon), scene.series].append(scene)
    return {key: tuple(groups[key]) for key in sorted(groups)}


def within(scenes: Sequence[S], limits: Limits, lon: float) -> tuple[S, ...]:
    """Return the scenes that limits leave, in the order given.

    >>> within([], Limits(max_days=1), 127.0)
    ()
    """
    if limits == NO_LIMITS:
        return tuple(scenes)
    days = {key: group for key, group in solar_days(scenes, lon).items() if _allowed(group, limits)}
    kept = {scene.id for key in _latest(list(days), limits.max_days) for scene in days[key]}
    return tuple(scene for scene in scenes if scene.id in kept)


def _allowed(day: Sequence[Scene], limits: Limits) -> bool:
    geometry = joint_geometry([scene.geometry for scene in day])
    clouds = [scene.cloud_percent for scene in day if scene.cloud_percent is not None]
    return (
        (limits.relative_orbit is None or geometry.relative_orbit == limits.relative_orbit)
        and (limits.orbit_state is None or geometry.orbit_state == limits.orbit_state)
        and (limits.max_cloud_percent is None or min(clouds, default=0.0) <= limits.max_cloud_percent)
    )


def _latest(keys: Sequence[tuple[date, str]], count: int | None) -> Iterable[tuple[date, str]]:
    """Return the last `count` days of each series; keys are in order."""
    if count is None:
        return keys
    by_series: dict[str, list[tuple[date, str]]] = defaultdict(list)
    for key in keys:
        by_series[key[1]].append(key)
    return [key for found in by_series.values() for key in found[-count:]]
