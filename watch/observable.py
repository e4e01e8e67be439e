"""Whether the looks kept of a site can show what a note claims to have seen.

Many notes rest on commercial imagery of half a metre. What they say may well be true where nothing kept here
could show it: such a note is labelled **not observable in the looks kept here**, with the reason. That is
a word about the looks and not about the note, which stays as its author wrote it.

A claim is set against the smallest building that the site's own series would have shown
(`imagery.change.detectable`); where no look tells that yet, against the pixels of the finest sensor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from imagery.change.detectable_words import sizes_of
from imagery.quantity import Quantity
from imagery.sensors import sensor_for
from sites.observation import ObservationKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from imagery.change.detectable_words import Sizes
    from imagery.model import Look
    from sites.model import Site, Subject
    from sites.observation import Measurement, Observation

CLEAR_PIXELS = 4.0
"""From so many pixels on a thing is observable where nothing else is known of the series."""

_AREA_M2 = {"m2": 1.0, "m^2": 1.0, "m²": 1.0, "sq m": 1.0, "ha": 1e4, "km2": 1e6, "km^2": 1e6, "km²": 1e6}
_LENGTH_M = {"m": 1.0, "km": 1000.0}
_SIDES = frozenset({"footprint", "side", "diameter"})
"""Quantities whose single length is that of a thing as wide as long."""

_TITLES = MappingProxyType(
    {"sentinel-2": "Sentinel-2", "landsat-tm": "Landsat TM", "landsat-oli": "Landsat OLI"}
)
"""Series of several platforms; others are called as their platform is."""


class Verdict(StrEnum):
    """What the looks kept here can show of a claim; nothing is said of what they show well."""

    NOT_OBSERVABLE = "not observable"
    BORDERLINE = "borderline"


@dataclass(frozen=True, slots=True)
class Observability:
    """A label on a note."""

    verdict: Verdict
    reason: str
    """One sentence, with the sizes."""
    claimed_m: float
    """Side of the square that is as large as what the note claims."""
    limit_m: float
    """Side of the smallest square that is not so labelled; infinite when none that was tried is seen."""

    @property
    def words(self) -> str:
        """The label and its reason, as one text."""
        return f"{self.verdict} in the looks kept here: {self.reason}"

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values; what is infinite is null."""
        return {
            "verdict": str(self.verdict),
            "reason": self.reason,
            "claimed_m": round(self.claimed_m, 1),
            "limit_m": None if math.isinf(self.limit_m) else round(self.limit_m, 1),
        }


@dataclass(frozen=True, slots=True)
class Shown:
    """What the looks of one series can show."""

    title: str
    """The sensor in words."""
    gsd_m: float
    """Side of its pixels."""
    sizes: Sizes | None = None
    """The smallest buildings that the series would have shown; None where no look tells."""


def shown_by(looks: Iterable[Look]) -> tuple[Shown, ...]:
    """Return what each series of a site's looks can show, by its latest look that tells; by name.

    Radar, and sensors whose pixels have no known size, are left out.
    """
    latest: dict[str, Shown] = {}
    for look in sorted(looks, key=lambda each: (each.solar_day, each.series)):
        sensor = sensor_for(look.platform)
        if sensor.gsd_m is None or sensor.quantity is not Quantity.REFLECTANCE:
            continue
        before = latest.get(look.series)
        told = sizes_of(look) or (None if before is None else before.sizes)
        gsd_m = sensor.gsd_m if before is None else min(before.gsd_m, sensor.gsd_m)
        latest[look.series] = Shown(_TITLES.get(look.series, sensor.title), gsd_m, told)
    return tuple(latest[series] for series in sorted(latest))


def labels(record: Site | Subject, looks: Iterable[Look]) -> dict[str, Observability]:
    """Return the labels of a record's notes, by the note's id."""
    claims = [note for note in record.observations if claimed_side_m(note) is not None]
    if not claims:
        return {}
    shown = shown_by(looks)
    found = {note.id: observability(note, shown) for note in claims}
    return {name: each for name, each in found.items() if each is not None}


def observability(note: Observation, shown: Sequence[Shown]) -> Observability | None:
    """Return the label of a note, or None: it claims no size from imagery, or the looks can show it.

    Args:
        note: What an analyst wrote.
        shown: What the series of the site can show; without any, nothing is kept here to set it against.
    """
    claimed = claimed_side_m(note)
    if claimed is None or note.measurement is None or not shown:
        return None
    told = [each for each in shown if each.sizes is not None]
    if told:
        return _by_series(note.measurement, claimed, told)
    return _by_pixels(note.measurement, claimed, min(shown, key=lambda each: each.gsd_m))


def claimed_side_m(note: Observation) -> float | None:
    """Return the side of the square as large as what a note says it saw on an image.

    None for notes of other kinds, and for measurements that are no size of a thing: counts, prices, lengths.
    Of a range the upper end counts.
    """
    measured = note.measurement
    if note.kind is not ObservationKind.IMAGERY or measured is None or "floor" in measured.quantity.lower():
        return None
    value = measured.high if measured.value is None else measured.value
    unit = measured.unit.strip().lower()
    if isinstance(value, tuple):
        area = math.prod(value) * _LENGTH_M.get(unit, math.nan) ** 2 if len(value) == 2 else math.nan  # noqa: PLR2004 - two sides
    elif value is None:
        return None
    elif unit in _AREA_M2:
        area = value * _AREA_M2[unit]
    elif measured.quantity.strip().lower() in _SIDES:
        area = (value * _LENGTH_M.get(unit, math.nan)) ** 2
    else:
        return None
    return math.sqrt(area) if math.isfinite(area) and area > 0 else None


def _by_series(measured: Measurement, claimed: float, told: Sequence[Shown]) -> Observability | None:
    best = min(told, key=lambda each: (_half(each), each.title))
    sizes = best.sizes
    if sizes is None or claimed >= sizes.nine_m:
        return None
    of = f"{sizes.what} in {sizes.looks} clear looks"
    if claimed < sizes.half_m:
        least = "no size that was tried" if math.isinf(sizes.half_m) else f"{sizes.half_m:.0f} m and more"
        reason = (
            f"{_claim_words(measured, claimed)}; the {best.title} looks of this place show {least} at least "
            f"half of the time, of {of}. The note may rest on finer imagery"
        )
        return Observability(Verdict.NOT_OBSERVABLE, reason, claimed, sizes.half_m)
    nine = "no size that was tried" if math.isinf(sizes.nine_m) else f"{sizes.nine_m:.0f} m"
    reason = (
        f"{_claim_words(measured, claimed)}; the {best.title} looks of this place show {sizes.half_m:.0f} m "
        f"half of the time and {nine} nine times in ten, of {of}"
    )
    return Observability(Verdict.BORDERLINE, reason, claimed, sizes.nine_m)


def _half(shown: Shown) -> float:
    return math.inf if shown.sizes is None else shown.sizes.half_m


def _by_pixels(measured: Measurement, claimed: float, finest: Shown) -> Observability | None:
    pixels = (claimed / finest.gsd_m) ** 2
    if pixels >= CLEAR_PIXELS:
        return None
    reason = (
        f"{_claim_words(measured, claimed)}, {pixels:.1f} pixels of {finest.title}, the finest sensor kept "
        "here; its looks of this place do not tell yet what they would show"
    )
    if pixels < 1:
        of_finer = f"{reason}. The note may rest on finer imagery"
        return Observability(Verdict.NOT_OBSERVABLE, of_finer, claimed, finest.gsd_m)
    return Observability(Verdict.BORDERLINE, reason, claimed, finest.gsd_m * math.sqrt(CLEAR_PIXELS))


def _claim_words(measured: Measurement, claimed: float) -> str:
    sides = measured.value
    if isinstance(sides, tuple):
        written = " x ".join(f"{side:g}" for side in sides)
        return f"{written} {measured.unit} is as large as a square of {claimed:.0f} m"
    value = measured.high if sides is None else sides
    return f"{value:g} {measured.unit} is as large as a square of {claimed:.0f} m"
