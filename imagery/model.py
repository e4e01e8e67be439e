"""What the satellites saw, as values: scenes, chips, looks, detections.

They carry a plain `site_id`, because `maps` draws them and `imagery` knows no catalogue. Arrays are
``(time, band, y, x)`` or a part of it; a mask is True where valid; times are aware UTC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from geo.errors import Where
from imagery.errors import ImageError
from imagery.provenance import Charge, Provenance
from imagery.quantity import Quantity, decibels

if TYPE_CHECKING:
    from affine import Affine
    from numpy.typing import NDArray
    from shapely.geometry import Polygon
    from shapely.geometry.base import BaseGeometry

    from geo.grid import Grid
    from imagery.change.card import Card
    from imagery.change.evidence import Evidence
    from imagery.change.surety import Surety

CANONICAL_SCALE = 1e-4
"""Reflectance of one count in a calibrated chip."""

NO_MASK = "none"
"""What a scene or look says of its mask when it has none: only nodata is masked."""

_ORBIT_STATES = "ascending|descending|geostationary"
_ORBIT = re.compile(rf"(?:[1-9]\d*|(?:[1-9]\d*-)?(?:{_ORBIT_STATES}))?")
_ANGLE_LIMIT_DEG = {"zenith": 180.0, "azimuth": 360.0}


class Outcome(StrEnum):
    """How a look ended: exactly one of these."""

    LEARNING = "Learning"
    """Too little clear history to judge by, or none of this season."""
    UNCHANGED = "Unchanged"
    CHANGED = "Changed"
    """Differs from the current baseline; how sure that is, its detection says."""
    OBSCURED = "Obscured"
    """Too little of the footprint or the frame was clear."""
    FAILED = "Failed"
    """The look could not be made; the reason says why."""


class DetectionState(StrEnum):
    """How sure a detection is."""

    CANDIDATE = "candidate"
    PROBABLE = "probable"
    CONFIRMED = "confirmed"
    RETRACTED = "retracted"


def solar_day(acquired: datetime, lon: float) -> date:
    """Return the local day of an aware instant: UTC moved by one hour for each 15 degrees east.

    >>> from datetime import UTC
    >>> solar_day(datetime(2020, 1, 1, 23, 0, tzinfo=UTC), 127.0)
    datetime.date(2020, 1, 2)
    """
    return (acquired + timedelta(hours=lon / 15.0)).date()


def orbit_key(relative_orbit: int | None, state: str = "") -> str:
    """Return the key of an orbit: its number, its direction, or both as far as they are known.

    >>> orbit_key(3, "descending"), orbit_key(3), orbit_key(None)
    ('3-descending', '3', '')
    """
    return "-".join(part for part in (str(relative_orbit or ""), state) if part)


@dataclass(frozen=True, slots=True)
class AcquisitionGeometry:
    """From where the sensor looked and from where the sun shone, at the scene's centre.

    It describes pixels and is no part of them: two providers may know different facts of one
    acquisition, so no digest of content covers it.

    >>> AcquisitionGeometry("3-descending", sun_zenith_deg=51.8).relative_orbit
    3
    """

    orbit: str = ""
    """From `orbit_key`; empty where unknown. Looks of one key see the ground from one side."""
    sun_zenith_deg: float | None = None
    """0 overhead, above 90 below the horizon; None where unknown, as for the others."""
    sun_azimuth_deg: float | None = None
    """Direction from the ground to the sun, clockwise from north."""
    view_zenith_deg: float | None = None
    """Angle at the ground between the vertical and the line of sight."""
    view_azimuth_deg: float | None = None
    """As STAC's ``view:azimuth``: from the point below the satellite to the ground, clockwise from north."""

    def __post_init__(self) -> None:
        """Refuse what can be neither orbit nor angle; angles become plain floats.

        Raises:
            ImageError: With the field's name.
        """
        if not _ORBIT.fullmatch(self.orbit):
            problem = f"{self.orbit!r} is no key of an orbit"
            raise ImageError(problem, where=Where(field="orbit"), hint="Make it with orbit_key")
        for kind, limit in _ANGLE_LIMIT_DEG.items():
            for name in (f"sun_{kind}_deg", f"view_{kind}_deg"):
                angle = getattr(self, name)
                if angle is None:
                    continue
                if not 0.0 <= angle <= limit:
                    raise ImageError(f"{angle:g} is no angle from 0 to {limit:g}", where=Where(field=name))
                object.__setattr__(self, name, float(angle))

    @property
    def relative_orbit(self) -> int | None:
        """Number of the orbit in the platform's repeat cycle."""
        number = self.orbit.partition("-")[0]
        return int(number) if number.isdigit() else None

    @property
    def orbit_state(self) -> str:
        """``ascending``, ``descending`` or ``geostationary``; empty where unknown."""
        return self.orbit.removeprefix(str(self.relative_orbit or "")).removeprefix("-")


UNKNOWN_GEOMETRY = AcquisitionGeometry()
UNKNOWN_PROVENANCE = Provenance()
NOTHING_SPENT = Charge()


@dataclass(frozen=True, slots=True)
class BandFile:
    """One band of a scene on disk, at its source pixels."""

    name: str
    """Canonical band name (``red``, ``nir``, ``swir16``, ...), or the mask band's own name."""
    path: str
    """Absolute path of a Cloud Optimised GeoTIFF."""
    crs: str
    transform: Affine
    shape: tuple[int, int]
    nodata: float | None
    scale: float | None
    """Reflectance = raw * scale + offset; None for uncalibrated counts."""
    offset: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One acquisition, as we model it."""

    id: str
    platform: str
    series: str
    """Platforms whose pixels may be compared with each other share a series (`imagery/sensors.toml`)."""
    acquired: datetime
    """Aware UTC. Where only the day is known this is its noon and `day_only` is set."""
    day_only: bool
    bands: tuple[BandFile, ...]
    mask: BandFile | None
    mask_scheme: str
    """``fmask``, ``scl``, ``qa`` or `NO_MASK`."""
    footprint: Polygon
    """Outline of the pixels, ``lon, lat`` degrees."""
    content_sha: str
    simulated: bool = False
    credit: str = ""
    geometry: AcquisitionGeometry = UNKNOWN_GEOMETRY
    processing_baseline: str = ""
    """Version of the processing chain, ``04.00``; empty where unknown."""
    cloud_percent: float | None = None
    """Of the whole scene, 0 to 100: as its catalogue or its mask says; None where neither does."""
    provenance: Provenance = UNKNOWN_PROVENANCE
    quantity: Quantity = Quantity.REFLECTANCE
    """What the pixels measure."""

    def solar_day(self, lon: float) -> date:
        """Return the local day at a longitude; a day-only scene keeps the day it was given."""
        return self.acquired.date() if self.day_only else solar_day(self.acquired, lon)


@dataclass(frozen=True, slots=True, eq=False)
class Chip:
    """The pixels of one solar day and one series on a site's grid."""

    grid: Grid
    solar_day: date
    acquired: datetime
    """Aware UTC of the first scene."""
    day_only: bool
    platform: str
    series: str
    scene_ids: tuple[str, ...]
    bands: tuple[str, ...]
    dn: NDArray[np.uint16]
    """``(band, y, x)``; reflectance = dn * scale. Meaningless where `valid` is False."""
    scale: float | None
    """`CANONICAL_SCALE`, or None for uncalibrated counts."""
    valid: NDArray[np.bool_]
    """``(y, x)``: every band has data."""
    clear: NDArray[np.bool_]
    """``(y, x)``: valid, and neither cloud, shadow nor snow by the scene classes."""
    classes: NDArray[np.uint8]
    """``(y, x)``: `imagery.masks.SceneClass` codes as the mask says, without the rim that `clear` leaves.

    No data where not valid; a scene without a mask is clear elsewhere.
    """
    mask_scheme: str
    clamped_px: int = 0
    """Band pixels that were below zero and were set to zero."""
    simulated: bool = False
    credit: str = ""
    geometry: AcquisitionGeometry = UNKNOWN_GEOMETRY
    """Of several scenes each fact is that of the first that knows it."""
    processing_baseline: str = ""
    """Of several scenes that of the first that knows it."""
    provenance: Provenance = UNKNOWN_PROVENANCE
    cost: Charge = NOTHING_SPENT
    """What was spent to get this very chip; nothing where its pixels were here already."""
    quantity: Quantity = Quantity.REFLECTANCE
    """What `dn` measures; `scale` speaks of reflectance only."""

    @property
    def site_id(self) -> str:
        """The site whose grid this is."""
        return self.grid.site_id

    def values(self) -> NDArray[np.float32]:
        """Return reflectance (uncalibrated: counts; radar: dB), ``(band, y, x)``, NaN where not clear."""
        if self.quantity is Quantity.GAMMA0_DB:
            out = decibels(self.dn)
        else:
            out = self.dn.astype(np.float32) * np.float32(1.0 if self.scale is None else self.scale)
        out[:, ~self.clear] = np.nan
        return out

    def clear_fraction(self, weights: NDArray[np.float32] | None = None) -> float:
        """Return the clear share, 0 to 1: of the frame, or of a footprint's pixel `weights`."""
        if weights is None:
            return float(self.clear.mean())
        total = float(weights.sum())
        return float(weights[self.clear].sum()) / total if total else 0.0


@dataclass(frozen=True, slots=True)
class Region:
    """A connected patch of changed pixels."""

    geometry: BaseGeometry
    """Pixel outline, ``lon, lat`` degrees."""
    area_m2: float
    """Geodesic area of the outline."""
    pixels: int
    magnitude: float
    """Largest score inside; in units of the threshold, so 1 is just seen."""
    direction: dict[str, float] = field(default_factory=dict)
    """Mean residual (observed minus predicted) per band, in the chip's units."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one solar day of one series told us about one site."""

    site_id: str
    grid_id: str
    solar_day: date
    series: str
    platform: str
    scene_ids: tuple[str, ...]
    acquired: datetime
    day_only: bool
    outcome: Outcome
    reason: str
    """Why it ended so, with the numbers, in words an analyst reads."""
    clear_fraction: float
    """Of the footprint, 0 to 1."""
    frame_clear_fraction: float
    mask_scheme: str
    history: int
    """Earlier clear looks that it was judged against."""
    score: float | None
    """Largest score inside the footprint; None when not judged."""
    threshold: float | None
    regions: tuple[Region, ...] = ()
    simulated: bool = False
    card: Card | None = None
    """What the outcome rests on; None for looks that an earlier version made, or that failed."""


@dataclass(frozen=True, slots=True)
class NoScene:
    """A due window in which no provider had an acquisition."""

    site_id: str
    start: date
    """First day of the window."""
    end: date
    """First day after it."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A change, from the look that raised it on."""

    id: str
    """From content: site, grid, series, first day seen, place. Stable while later looks add to it."""
    site_id: str
    grid_id: str
    series: str
    state: DetectionState
    bracket: str
    """EDTF interval: last clear look without it / first clear look with it."""
    last_without: date
    first_with: date
    last_with: date
    """The latest clear look that showed it before it became part of the baseline."""
    looks_with: int
    geometry: BaseGeometry
    """``lon, lat`` degrees."""
    area_m2: float
    magnitude: float
    """Largest score, in units of the threshold of its look."""
    p_value: float | None
    """Of the look that raised it; None where there is no null for the sensor."""
    direction: dict[str, float] = field(default_factory=dict)
    """Contrast per band of the ground that changed: observed minus predicted."""
    simulated: bool = False
    date_interval_90: str = ""
    """EDTF interval that holds the day of the change with 90 %; empty where it was not told."""
    area_interval_m2: tuple[float, float] | None = None
    """Holds the area with 90 %; None where it was not told."""
    kind: str = ""
    """What it looks like, in words, with the evidence."""
    flags: tuple[str, ...] = ()
    """What else might have made it look so, in words; none of it was reason enough to hold it."""
    evidence: Evidence | None = None
    """The scores that speak for it; None for one of an older ledger."""
    surety: Surety | None = field(default=None, compare=False)
    """How sure it is among all detections; None until a run has weighed them. It follows from the others, so
    a detection stays the same one whatever it says."""
