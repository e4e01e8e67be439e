"""What a simulated site is asked to be: frame, time, ground, planted changes, and how hard it is made.

Places inside the frame are metres from its centre, east and south, so that sub-pixel positions are plain.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from imagery.simulate.materials import BANDS, materials

if TYPE_CHECKING:
    from collections.abc import Mapping

PIXEL_M = 10.0
"""Side of a pixel in metres."""

MIN_FRAME_PX = 16


class GroundKind(StrEnum):
    """What the frame shows."""

    URBAN = "urban"
    RURAL = "rural"
    """Paddies, dry fields and a village."""
    MIXED = "mixed"
    """The edge of a town."""
    MOUNTAIN = "mountain"
    COAST = "coast"
    INDUSTRIAL = "industrial"


class ChangeKind(StrEnum):
    """What happens."""

    NEW_ROOF = "new_roof"
    CLEARED = "cleared"
    DEMOLISHED = "demolished"
    FLOODED = "flooded"
    VEGETATION_LOSS = "vegetation_loss"


_AFTER: Mapping[ChangeKind, str] = {
    ChangeKind.NEW_ROOF: "bright_roof",
    ChangeKind.CLEARED: "bare_soil",
    ChangeKind.DEMOLISHED: "rubble",
    ChangeKind.FLOODED: "river",
    ChangeKind.VEGETATION_LOSS: "bare_soil",
}
_BEFORE: Mapping[ChangeKind, str] = {
    ChangeKind.DEMOLISHED: "dark_roof",
    ChangeKind.VEGETATION_LOSS: "deciduous",
}


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A rectangle on the ground."""

    width_m: float
    """East to west before it is turned."""
    height_m: float
    """North to south before it is turned."""
    east_m: float = 0.0
    """Its centre, east of the frame's."""
    south_m: float = 0.0
    """Its centre, south of the frame's."""
    angle_deg: float = 0.0
    """Turned clockwise by this."""

    def __post_init__(self) -> None:
        """Refuse a rectangle without area.

        Raises:
            ValueError: A side is not above zero.
        """
        if not (self.width_m > 0 and self.height_m > 0):
            raise ValueError(f"a rectangle of {self.width_m} m x {self.height_m} m has no area")

    @property
    def area_m2(self) -> float:
        """Its area."""
        return self.width_m * self.height_m


@dataclass(frozen=True, slots=True)
class Change:
    """One planted change."""

    kind: ChangeKind
    place: Rectangle
    day: date
    """First day of it."""
    ramp_days: int = 0
    """Days until it is whole; 0: at once."""
    contrast: tuple[float, ...] | None = None
    """Reflectance added in each band over whatever lies there; instead of a material."""
    after: str | None = None
    """Material that lies there then; None: by the kind. Not used with a contrast."""
    before: str | None = None
    """Material that lies there until then; None: by the kind, and with a contrast the ground itself."""
    height_m: float = 0.0
    """Height of what is built; it casts a shadow."""

    def __post_init__(self) -> None:
        """Refuse what can't be planted.

        Raises:
            ValueError: A negative ramp, a contrast that is not one number a band, an unknown material.
        """
        if self.ramp_days < 0 or self.height_m < 0:
            raise ValueError("ramp_days and height_m can't be below zero")
        if self.contrast is not None and len(self.contrast) != len(BANDS):
            raise ValueError(f"a contrast needs {len(BANDS)} numbers ({', '.join(BANDS)})")
        for name in (self.after, self.before):
            if name is not None:
                materials().index(name)

    @property
    def material_after(self) -> str | None:
        """The material that comes; None with a contrast."""
        return None if self.contrast is not None else self.after or _AFTER[self.kind]

    @property
    def material_before(self) -> str | None:
        """The material that is laid there from the first day; None: the ground as it is."""
        return self.before if self.contrast is not None else self.before or _BEFORE.get(self.kind)

    def progress(self, day: date) -> float:
        """Return how much of it is there on a day, 0 to 1."""
        if day < self.day:
            return 0.0
        return min(1.0, ((day - self.day).days + 1) / (self.ramp_days + 1))


@dataclass(frozen=True, slots=True)
class Difficulty:
    """What makes a site hard; the defaults are meant to be as hard as the real thing."""

    shift_sd_px: float = 0.2
    """Standard deviation of the misregistration on each axis."""
    shift_outliers: float = 0.02
    """Share of dates that are off by 1 to 2 pixels."""
    clouds: bool = True
    mask_faults: bool = True
    """The scene classes miss thin cloud and call some roofs cloud; else they tell the truth."""
    snow: bool = True
    dust: bool = True
    two_orbits: bool = True
    shadows: bool = True
    """Buildings cast shadows that turn with the sun."""
    seasons: bool = True
    """Fields and trees have seasons; else each day shows the first of August."""
    radiometry: float = 1.0
    """Factor on noise, drift, moisture and what the atmospheric correction leaves; 0 for none of it."""
    unharmonised: float = 0.0
    """Share of the dates from 2022-01-25 on whose counts still carry the offset of baseline 04.00."""


@dataclass(frozen=True, slots=True)
class SiteSpec:
    """One site to simulate."""

    site_id: str
    ground: GroundKind
    frame_px: int = 64
    """Side of the frame in pixels of 10 m, even."""
    lon: float = 125.75
    lat: float = 39.0
    start: date = date(2021, 1, 1)
    end: date = date(2024, 6, 30)
    """Last day."""
    footprint: Rectangle | None = None
    """What is listed; None: the place is not known better than `search_side_m`."""
    search_side_m: float = 300.0
    """Side of the square around the centre that is searched where there is no footprint."""
    changes: tuple[Change, ...] = ()
    difficulty: Difficulty = field(default_factory=Difficulty)

    def __post_init__(self) -> None:
        """Refuse what can't be simulated.

        Raises:
            ValueError: With the field's name.
        """
        if self.frame_px < MIN_FRAME_PX or self.frame_px % 2:
            raise ValueError(f"frame_px must be even and at least {MIN_FRAME_PX}, not {self.frame_px}")
        if self.end <= self.start:
            raise ValueError("end must come after start")
        half_m = self.frame_px * PIXEL_M / 2
        for place in (self.area, *(change.place for change in self.changes)):
            if max(abs(place.east_m), abs(place.south_m)) > half_m:
                raise ValueError(
                    f"a place {place.east_m} m east, {place.south_m} m south lies outside the frame"
                )

    @property
    def area(self) -> Rectangle:
        """The ground that is watched: the footprint, or the square that is searched."""
        return self.footprint or Rectangle(self.search_side_m, self.search_side_m)

    @property
    def quiet(self) -> bool:
        """Whether nothing is planted."""
        return not self.changes
