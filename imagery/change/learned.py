"""What a site's clear looks taught: the model of each pixel, and what its own quiet looks score.

Every look of the history is set against the model without itself: for least squares the residual without a
look is r / (1 - h), of variance sigma^2 / (1 - h), h its leverage (R. D. Cook, S. Weisberg, "Residuals and
Influence in Regression", 1982, 2.2.1). The largest scores of these looks are the unit in which later ones are
told.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.harmonics import HarmonicModel, fit
from imagery.change.matched import Residuals, band_join
from imagery.change.recipe import AS_IT_CAME
from imagery.change.roughness import roughness
from imagery.change.search import (
    Yardstick,
    alone,
    maps_of,
    smoothed,
    summed,
    thrice,
    together,
    tops,
    yardstick,
)
from imagery.change.season import season_distance_days
from imagery.change.stored import Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from imagery.change.recipe import Recipe
    from imagery.change.search import LookMaps, Shapes
    from imagery.model import Chip

CALIBRATION_LOOKS = 24
"""The latest looks of the history that are scored: what a fit costs must not grow with the archive."""

MIN_SCORES = 6
"""Quiet scores from which on the looks judged since the fit count besides."""

SUM_LOOKS = 6
"""The latest clear looks that are summed."""

TIMING_DAYS = 10.0
"""Standard deviation of the timing of a field's year."""

VIGOUR = 0.3
"""Standard deviation of how well a crop stands, in parts of the swing of its year; what a model of few
looks gets wrong of a season is of this kind too."""

BRIGHTNESS = 0.05
"""Relative standard deviation of a field's brightness from year to year, and with its wetness."""

_SLOPE_DAYS = 5
_MAX_LEVERAGE = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class PastLook:
    """A clear look that is history for later ones."""

    day: date
    orbit: str
    values: NDArray[np.float32]
    """``(band, y, x)``; NaN where not clear."""
    is_settled: bool = True
    """Whether the values were laid onto a prediction and put on its scale; else they are as they came."""
    recipe: Recipe = AS_IT_CAME
    """How the values follow from the look's chip."""

    @classmethod
    def as_it_came(cls, chip: Chip) -> PastLook:
        """Take a chip that nothing was done to."""
        return cls(chip.solar_day, chip.geometry.orbit, chip.values(), is_settled=False)


@dataclass(frozen=True, slots=True)
class Quiet:
    """The usual largest score of a site where nothing changes: the unit in which scores are told."""

    alone: float
    """Of one look by itself."""
    agreed: float
    """Of two looks that follow each other."""
    thrice: float
    """Of three."""
    summed: float
    """Of `SUM_LOOKS` looks together."""

    def times(self, ratios: Quiet) -> Quiet:
        """Return each times its ratio."""
        return Quiet(
            ratios.alone * self.alone,
            ratios.agreed * self.agreed,
            ratios.thrice * self.thrice,
            ratios.summed * self.summed,
        )

    def at_least(self, other: Quiet) -> Quiet:
        """Return the larger of each."""
        return Quiet(
            max(self.alone, other.alone),
            max(self.agreed, other.agreed),
            max(self.thrice, other.thrice),
            max(self.summed, other.summed),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Learned:
    """What a history predicts and how its own looks score."""

    stored_model: Stored[HarmonicModel]
    yard: Yardstick
    quiet: Quiet
    """What its looks score, each judged without itself."""
    days: tuple[date, ...]
    orbits: tuple[str, ...]
    """One a look."""

    @property
    def model(self) -> HarmonicModel:
        """What is predicted for each pixel."""
        return self.stored_model.get()


Window = tuple[slice, slice]


def window_of(weights: NDArray[np.float32], margin_px: int) -> Window:
    """Return the part of the frame that holds the site and a margin."""
    found = []
    for axis in (1, 0):
        at = np.flatnonzero((weights > 0).any(axis=axis))
        start = max(int(at[0]) - margin_px, 0)
        found.append(slice(start, min(int(at[-1]) + margin_px + 1, weights.shape[1 - axis])))
    return found[0], found[1]


def learn(
    history: Sequence[PastLook], shapes: Shapes, window: Window, *, resolution: float, min_values: int
) -> Learned:
    """Fit the model to a history and score the history's own looks.

    Args:
        history: In order of days; not empty.
        shapes: What is looked for, on the window.
        window: Of the frame.
        resolution: Smallest step of the values.
        min_values: A pixel with fewer values is not judged.
    """
    days, orbits = [look.day for look in history], [look.orbit for look in history]
    model = fit(np.stack([look.values for look in history]), days, orbits, resolution=resolution)
    model.sigma[:, model.count < min_values] = np.nan
    inside = model.part(window)
    frames = [without_itself(look, inside, window) for look in history[-CALIBRATION_LOOKS:]]
    join = band_join(np.concatenate([_z(frame).reshape(len(frame.values), -1) for frame in frames], axis=1))
    even = yardstick(frames, shapes, join)
    maps = [maps_of(frame, shapes, even) for frame in frames]
    rough = roughness([alone(each, even) for each in maps], shapes, len(join)) if maps else None
    yard = replace(even, rough=rough)
    return Learned(
        stored_model=Stored.of(model),
        yard=yard,
        quiet=quiet_of([smoothed(each, yard) for each in maps], shapes, yard),
        days=tuple(days),
        orbits=tuple(orbits),
    )


def without_itself(look: PastLook, model: HarmonicModel, window: Window) -> Residuals:
    """Return the residuals of a look of the history against the model without it, on a window.

    Args:
        look: Of the whole frame.
        model: Of the window.
        window: Of the frame.
    """
    predicted, leverage = model.predict(look.day, look.orbit)
    kept = 1 - np.minimum(leverage, np.float32(_MAX_LEVERAGE))
    residual = (look.values[(slice(None), *window)] - predicted) / kept
    shared = drifts_of(model, look.day, look.orbit, predicted)
    return Residuals(residual, np.square(model.sigma) / kept, shared)


def drifts_of(
    model: HarmonicModel, day: date, orbit: str, predicted: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return what whole parcels share from year to year, ``(3, band, y, x)``, one standard deviation of each.

    Its seasons come earlier or later (`TIMING_DAYS` times the slope of the prediction), its crop stands
    better or worse (`VIGOUR` times the swing of its year), and it is brighter or darker as a whole
    (`BRIGHTNESS` times the prediction).
    """
    after, _ = model.predict(day + timedelta(days=_SLOPE_DAYS), orbit)
    before, _ = model.predict(day - timedelta(days=_SLOPE_DAYS), orbit)
    slope = (after - before) * np.float32(TIMING_DAYS / (2 * _SLOPE_DAYS))
    return np.stack([slope, np.float32(VIGOUR) * swing_of(model), np.float32(BRIGHTNESS) * predicted])


def swing_of(model: HarmonicModel) -> NDArray[np.float32]:
    """Return the yearly wave of each band at the peak of the band that swings most, ``(band, y, x)``."""
    cosine, sine = model.coefficients[1], model.coefficients[2]
    size = np.hypot(cosine, sine)
    most = np.argmax(np.nan_to_num(size), axis=0)[None]
    with np.errstate(invalid="ignore", divide="ignore"):
        along, across = (
            np.nan_to_num(np.take_along_axis(each / size, most, axis=0)) for each in (cosine, sine)
        )
    swing: NDArray[np.float32] = cosine * along + sine * across
    return swing


def _z(frame: Residuals) -> NDArray[np.float32]:
    return np.asarray(frame.values / np.sqrt(frame.variance), dtype=np.float32)


def quiet_of(maps: Sequence[LookMaps], shapes: Shapes, yard: Yardstick) -> Quiet:
    """Return what quiet looks score, in order of days: alone, with the one before, and summed."""
    pairs = [together(one, other, yard) for one, other in pairwise(maps)]
    triples = [thrice(maps[end - 3 : end], yard) for end in range(3, len(maps) + 1)]
    # Neighbouring sums share most of their looks: half of them say as much as all.
    ends = range(SUM_LOOKS, len(maps) + 1, 2)
    sums = [summed(maps[end - SUM_LOOKS : end], yard) for end in ends]
    singles = [alone(each, yard) for each in maps]
    return Quiet(*(usual(tops(each, shapes)) for each in (singles, pairs, triples, sums)))


def usual(scores: Sequence[float] | NDArray[np.float64]) -> float:
    """Return the median; 0 without any."""
    return float(np.median(scores)) if len(scores) else 0.0


def season_gap_days(day: date, days: Iterable[date]) -> float:
    """Return how far the nearest day of the year lies among some days; infinite without any."""
    return min((season_distance_days(day, other) for other in days), default=float("inf"))
