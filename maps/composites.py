"""Chips as colours: which bands become red, green and blue, and how their values are stretched.

The stretch is frozen from one chip and used on the other, so that two pictures side by side differ
only where the ground (or the light) did.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from maps.errors import PageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from imagery.model import Chip

COMPOSITES = (
    ("natural colour", ("red", "green", "blue"), "Colours are about as the eye sees them."),
    (
        "false colour",
        ("nir", "red", "green"),
        "Vegetation is red, built-up and bare ground grey to cyan, water dark.",
    ),
    (
        "false colour",
        ("swir16", "nir", "red"),
        "Vegetation is green, built-up and bare ground pink, water dark.",
    ),
)
"""What is shown, best first: kind, bands, how to read it (USGS, common Landsat band combinations)."""

PERCENTILES = (2.0, 98.0)
LEAST_RANGE_REFLECTANCE = 0.05
"""A uniform scene is not stretched further than this, or its noise would look like structure."""
LEAST_RANGE_SHARE = 0.1
"""The same for counts without a scale: a share of their upper percentile."""

NODATA_RGB = (52, 56, 60)
_VEIL = 205.0
_VEIL_SHARE = 0.55


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bands to red, green and blue, and the values that become black and full."""

    kind: str
    """``natural colour``, ``false colour`` or ``grey``."""
    bands: tuple[str, str, str]
    low: tuple[float, float, float]
    high: tuple[float, float, float]
    calibrated: bool
    """True: `low` and `high` are reflectance; False: counts."""

    def __post_init__(self) -> None:
        if not all(low < high for low, high in zip(self.low, self.high, strict=True)):
            message = f"a stretch needs low below high, not {self.low} and {self.high}"
            raise PageError(message)

    @property
    def words(self) -> str:
        """The bands as a caption says them: ``false colour (nir, red, green)``."""
        shown = self.bands[:1] if len(set(self.bands)) == 1 else self.bands
        return f"{self.kind} ({', '.join(shown)})"

    @property
    def reading(self) -> str:
        """How to read the colours; empty for one band."""
        return next((reading for _, bands, reading in COMPOSITES if bands == self.bands), "")

    def serves(self, chip: Chip) -> bool:
        """Whether the chip may be compared through this stretch: reflectance, and all the bands.

        Counts without a scale shift with the sun and the air; seen through another day's stretch a chip
        can turn black.
        """
        return self.calibrated and self.fits(chip)

    def fits(self, chip: Chip) -> bool:
        """Whether the chip has these bands in these units."""
        return set(self.bands) <= set(chip.bands) and self.calibrated == (chip.scale is not None)


def choose_bands(available: Iterable[str]) -> tuple[str, tuple[str, str, str]]:
    """Return the kind of composite and its three bands, from those that exist.

    Raises:
        PageError: There is no band at all.

    >>> choose_bands(["green", "red", "nir"])
    ('false colour', ('nir', 'red', 'green'))
    >>> choose_bands(["vv"])
    ('grey', ('vv', 'vv', 'vv'))
    """
    names = list(available)
    for kind, bands, _ in COMPOSITES:
        if set(bands) <= set(names):
            return kind, bands
    if not names:
        message = "a chip without bands can't be shown"
        raise PageError(message)
    return "grey", (names[0], names[0], names[0])


def stretch_of(chip: Chip, bands: Iterable[str] | None = None) -> Stretch:
    """Return the stretch of a chip: the 2nd to 98th percentile of its clear pixels, band by band.

    Args:
        chip: The chip whose values decide; the *before* one of a pair.
        bands: Bands to choose from, where the other chip of a pair lacks some; default all.
    """
    kind, names = choose_bands(chip.bands if bands is None else [b for b in chip.bands if b in set(bands)])
    judged = chip.clear if chip.clear.any() else chip.valid
    ranges = [
        _range(channel[judged], calibrated=chip.scale is not None) for channel in _channels(chip, names)
    ]
    low = (ranges[0][0], ranges[1][0], ranges[2][0])
    high = (ranges[0][1], ranges[1][1], ranges[2][1])
    return Stretch(kind, names, low, high, chip.scale is not None)


def shared_stretch(chips: Sequence[Chip]) -> Stretch | None:
    """Return one stretch through which chips of one series may be compared; None where none serves all.

    Its ends are the medians of the chips' own, so that neither one snowy look nor one hazy look decides.
    """
    bands = set.intersection(*(set(chip.bands) for chip in chips)) if chips else set()
    if not bands or any(chip.scale is None for chip in chips):
        return None
    own = [stretch_of(chip, bands) for chip in chips]
    low, high = (np.median([getattr(each, end) for each in own], axis=0) for end in ("low", "high"))
    first = own[0]
    ends = [(float(a), float(b)) for a, b in zip(low, high, strict=True)]
    return Stretch(
        first.kind,
        first.bands,
        (ends[0][0], ends[1][0], ends[2][0]),
        (ends[0][1], ends[1][1], ends[2][1]),
        calibrated=True,
    )


def stretch_words(stretch: Stretch) -> str:
    """Return which values are black and full: ``0.031 to 0.142, ... (reflectance)``."""
    unit = "reflectance" if stretch.calibrated else "counts"
    digits = 3 if stretch.calibrated else 0
    count = 1 if len(set(stretch.bands)) == 1 else 3
    ranges = [
        f"{low:.{digits}f} to {high:.{digits}f}"
        for low, high in zip(stretch.low[:count], stretch.high[:count], strict=True)
    ]
    return f"{', '.join(ranges)} ({unit})"


def composite(chip: Chip, stretch: Stretch) -> NDArray[np.uint8]:
    """Return a chip as ``(y, x, 3)`` red, green, blue, 0 to 255.

    Pixels that are not clear fade to grey; pixels without data are flat and dark.

    Raises:
        PageError: The chip lacks a band of the stretch, or is in other units.
    """
    if not stretch.fits(chip):
        message = f"a stretch of {', '.join(stretch.bands)} does not fit a chip of {', '.join(chip.bands)}"
        raise PageError(message)
    low, high = np.asarray(stretch.low, np.float32), np.asarray(stretch.high, np.float32)
    values = np.moveaxis(_channels(chip, stretch.bands), 0, -1)
    colour = np.clip((values - low) / (high - low), 0.0, 1.0) * 255.0
    veiled = chip.valid & ~chip.clear
    grey = colour[veiled].mean(axis=-1, keepdims=True)
    colour[veiled] = grey * (1 - _VEIL_SHARE) + _VEIL * _VEIL_SHARE
    colour[~chip.valid] = NODATA_RGB
    shown: NDArray[np.uint8] = np.rint(colour).astype(np.uint8)
    return shown


def _channels(chip: Chip, names: tuple[str, ...]) -> NDArray[np.float32]:
    factor = np.float32(1.0 if chip.scale is None else chip.scale)
    return chip.dn[[chip.bands.index(name) for name in names]].astype(np.float32) * factor


def _range(values: NDArray[np.float32], *, calibrated: bool) -> tuple[float, float]:
    if not values.size:
        return 0.0, 1.0
    low, high = (float(value) for value in np.percentile(values, PERCENTILES))
    least = LEAST_RANGE_REFLECTANCE if calibrated else max(LEAST_RANGE_SHARE * high, 8.0)
    missing = max(least - (high - low), 0.0)
    return low - missing / 2, high + missing / 2
