"""How small a building would have been seen: squares planted into the site's own residuals.

"Nothing changed" means nothing without the size down to which it holds. Squares of known size and contrast
are laid, blurred by the sensor, into the residuals of the site's latest clear looks: at places of the site,
at any phase of the pixels, in each look shifted by what its alignment leaves. The judge's own templates and
thresholds then say how often they are seen.

    k = 1        the look stands out by itself
    k > 1        a candidate is raised within k clear looks: two or three that agree, or the sum of the latest

The filter is linear, so the planted square is added to what the templates read and not to the looks
(`imagery.change.detectable_kernels`). Every size is tried with the same places, phases, shifts and looks.
What the judge holds back afterwards, since the surroundings moved as much or another cause may have made
it, is not counted here.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from imagery.change.detectable_kernels import first_seen, planted_z
from imagery.change.detectable_words import Detectable, Seen
from imagery.change.smallest import crossing, monotone

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from imagery.change.search import Shapes, Yardstick

SIDES_PX = (1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 8.0)
"""Sides of the planted squares: 10 to 80 m on pixels of 10 m."""

LOOKS = (1, 4, 6)
"""Clear looks after which it is asked."""

TRIALS = 96
"""Planted squares of each size: the shares are then good to 0.1."""

MIN_LOOKS = 6
"""With fewer residual looks than these nothing is said."""

ROOF: Mapping[str, float] = MappingProxyType(
    {
        "coastal": 0.14,
        "blue": 0.14,
        "green": 0.145,
        "red": 0.15,
        "rededge1": 0.14,
        "rededge2": 0.12,
        "rededge3": 0.11,
        "nir": 0.10,
        "nir08": 0.10,
        "nir09": 0.10,
        "swir16": 0.08,
        "swir22": 0.07,
        "pan": 0.145,
    }
)
"""A light roof over the ground that it stands on: what it adds to the reflectance of each band."""


@dataclass(frozen=True, slots=True, eq=False)
class ResidualLooks:
    """The latest clear looks of a site against their predictions, on its window, in order of time."""

    values: NDArray[np.float32]
    """``(time, band, y, x)``: observed minus predicted; NaN where unknown."""
    variance: NDArray[np.float32]
    """``(time, band, y, x)``."""
    drifts: NDArray[np.float32] | None = None
    """``(time, drift, band, y, x)``: one standard deviation of what whole parcels share."""


@dataclass(frozen=True, slots=True)
class Bars:
    """What a score must reach, as the judge has it in force, and how it joins looks."""

    alone: float
    """Of one look by itself."""
    agreed: float
    """Of two looks."""
    thrice: float
    """Of three."""
    summed: float
    """Of the latest looks together."""
    agreeing_looks: int = 2
    """How many looks back the one may lie that agrees."""
    thrice_looks: int = 3
    """How many looks back the two may lie that agree with a look."""
    sum_looks: int = 6
    """Looks that are summed."""
    cut: float = 2.5
    """Standard deviations that one look may add to a sum."""


@dataclass(frozen=True, slots=True, eq=False)
class Planting:
    """What is planted, and where."""

    area: NDArray[np.float32]
    """``(y, x)``, on the window: share of each pixel in which a building may stand; others get none."""
    contrast: tuple[float, ...]
    """What it adds to each band, in the units of the residuals."""
    resolution_m: float
    """Side of a pixel."""
    shift_sd_px: tuple[float, float]
    """Standard deviation of what the alignment leaves of a look's shift, along x and y."""
    sides_px: tuple[float, ...] = SIDES_PX
    looks: tuple[int, ...] = LOOKS
    """Numbers of clear looks with it."""
    trials: int = TRIALS
    """Squares of each size."""

    def __post_init__(self) -> None:
        """Refuse what can't be planted.

        Raises:
            ValueError: Sides that don't rise from above 0, a number of looks below 1, or no trial.
        """
        rising = all(a < b for a, b in pairwise((0.0, *self.sides_px)))
        if not (rising and self.sides_px and self.looks and min(self.looks) >= 1 and self.trials >= 1):
            message = f"rising sides, looks and trials from 1 on are needed: {self.sides_px}, {self.looks}"
            raise ValueError(message)


def roof_over(bands: Sequence[str]) -> tuple[float, ...]:
    """Return what the roof adds to each band; 0 in a band that is not known.

    >>> roof_over(("red", "nir", "thermal"))
    (0.15, 0.1, 0.0)
    """
    return tuple(ROOF.get(band, 0.0) for band in bands)


def detectable(
    residuals: ResidualLooks,
    shapes: Shapes,
    yard: Yardstick,
    bars: Bars,
    planting: Planting,
    rng: np.random.Generator,
) -> tuple[Detectable, ...]:
    """Return how small a square would have been seen, for each number of clear looks.

    Args:
        residuals: At least `MIN_LOOKS` looks.
        shapes: What the judge looks for.
        yard: The site's own scatter.
        bars: The thresholds in force.
        planting: What is planted, and where.
        rng: Draws places, phases, shifts and looks; seed it from content.

    Returns:
        One for each of the planting's `looks`; nothing where there are too few residual looks or no area.

    Raises:
        ValueError: Another number of contrasts than bands.
    """
    count, bands = residuals.values.shape[:2]
    if len(planting.contrast) != bands:
        message = f"{len(planting.contrast)} contrasts for {bands} bands"
        raise ValueError(message)
    if count < MIN_LOOKS or not (planting.area > 0).any():
        return ()
    before = bars.sum_looks - 1
    plan = Plan.drawn(planting, count, before + max(planting.looks), rng)
    join = yard.join.astype(np.float64)
    z, seen = planted_z(
        *_weighted(residuals),
        *_taps(shapes),
        np.sqrt(yard.inflation.astype(np.float64)),
        _unevenness(yard),
        join,
        plan.places(shapes),
        plan.runs,
        before,
        plan.centres,
        np.array(planting.sides_px, dtype=np.float64),
        np.array(planting.contrast, dtype=np.float64),
    )
    levels = np.array([bars.alone, bars.agreed, bars.thrice, bars.summed], dtype=np.float64)
    back = np.array([bars.agreeing_looks, bars.thrice_looks, bars.sum_looks], dtype=np.int64)
    alone, found = first_seen(z, seen, before, join, levels, back, bars.cut)
    sides_m = np.array(planting.sides_px, dtype=np.float64) * planting.resolution_m
    return tuple(
        _told(number, sides_m, alone if number == 1 else found <= number) for number in planting.looks
    )


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is drawn for the trials; the same for every size."""

    runs: NDArray[np.int64]
    """``(trial, time)``: looks that follow one another, from the first again after the last."""
    middle: NDArray[np.float64]
    """``(trial, 2)``: row and column of the square's centre."""
    centres: NDArray[np.float64]
    """``(trial, time, 2)``: where each look shows it."""

    @classmethod
    def drawn(cls, planting: Planting, count: int, times: int, rng: np.random.Generator) -> Plan:
        """Draw places by the share of the area, phases evenly, shifts from a normal distribution."""
        trials, area = planting.trials, planting.area
        runs = (rng.integers(count, size=(trials, 1)) + np.arange(times)) % count
        share = np.maximum(area, 0).astype(np.float64).ravel()
        pixels = rng.choice(share.size, size=trials, p=share / share.sum())
        middle = np.stack(np.divmod(pixels, area.shape[1]), axis=1) + rng.uniform(-0.5, 0.5, (trials, 2))
        x_sd, y_sd = planting.shift_sd_px
        shifts = rng.standard_normal((trials, times, 2)) * np.array([y_sd, x_sd])
        return cls(runs.astype(np.int64), middle, middle[:, None] + shifts)

    def places(self, shapes: Shapes) -> NDArray[np.int64]:
        """Return where each template stands nearest to each square, ``(trial, template, 2)``; -1: nowhere."""
        if shapes.listed is not None:
            return np.zeros((len(self.middle), 1, 2), dtype=np.int64)
        found = [
            _nearest(self.middle - np.array(template.phase), allowed)
            for template, allowed in zip(shapes.squares, shapes.allowed, strict=True)
        ]
        return np.stack(found, axis=1)


def _nearest(wanted: NDArray[np.float64], allowed: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the allowed pixel next to each point, ``(point, 2)``; -1 where none of the nine around it is."""
    steps = np.array([(row, column) for row in (-1, 0, 1) for column in (-1, 0, 1)])
    near = np.rint(wanted).astype(np.int64)[:, None] + steps
    inside = ((near >= 0) & (near < allowed.shape)).all(axis=2)
    held = np.where(inside[..., None], near, 0)
    usable = inside & allowed[held[..., 0], held[..., 1]]
    distance = np.where(usable, np.square(near - wanted[:, None]).sum(axis=2), np.inf)
    best = distance.argmin(axis=1)
    each = np.arange(len(wanted))
    return np.where(usable[each, best][:, None], near[each, best], -1)


def _weighted(
    residuals: ResidualLooks,
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.bool_], NDArray[np.float32]]:
    """Return r / v, 1 / v, where both are known, and the drifts, bands last; 0 where unknown."""
    values, variance = residuals.values, residuals.variance
    with np.errstate(invalid="ignore", divide="ignore"):
        usable = np.isfinite(values) & np.isfinite(variance) & (variance > 0)
        known = np.asarray(usable.all(axis=1), dtype=np.bool_)
        inverse = np.where(known[:, None], 1 / variance, 0).astype(np.float32)
        pull = np.where(known[:, None], values * inverse, 0).astype(np.float32)
    none = np.zeros((len(values), 0, *values.shape[1:]), dtype=np.float32)
    drifts: NDArray[np.float32] = none if residuals.drifts is None else np.nan_to_num(residuals.drifts)
    return (
        np.ascontiguousarray(pull.transpose(0, 2, 3, 1)),
        np.ascontiguousarray(inverse.transpose(0, 2, 3, 1)),
        known,
        np.ascontiguousarray(drifts.transpose(0, 3, 4, 1, 2)),
    )


def _taps(shapes: Shapes) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.int64]]:
    """Return the mixing fractions of all templates, where each lies, and where each template begins."""
    if shapes.listed is not None:
        grids = [(shapes.listed, (0, 0))]
    else:
        grids = [
            (template.fractions, (template.rows.size // 2, template.columns.size // 2))
            for template in shapes.squares
        ]
    taps, at = [], []
    for fractions, middle in grids:
        where = np.argwhere(fractions > 0)
        taps.append(fractions[where[:, 0], where[:, 1]].astype(np.float64))
        at.append(where - np.array(middle))
    starts = np.cumsum([0, *(len(each) for each in taps)])
    return np.concatenate(taps), np.concatenate(at).astype(np.int64), starts.astype(np.int64)


def _unevenness(yard: Yardstick) -> NDArray[np.float64]:
    """Return by what the z of a place are divided, ``(template, y, x)``; 1 by 1 where all are alike."""
    if yard.rough is None:
        return np.ones((len(yard.inflation), 1, 1))
    return np.sqrt(yard.rough.astype(np.float64))


def _told(looks: int, sides_m: NDArray[np.float64], seen: NDArray[np.bool_]) -> Detectable:
    trials, hits = len(seen), seen.sum(axis=0)
    weights = np.full(sides_m.size, trials, dtype=np.intp)
    shares = monotone(hits / trials, weights)
    # Jeffreys limits of the share of each size; none of all is never, and all of them may be always.
    low = np.where(hits == 0, 0.0, special.betaincinv(hits + 0.5, trials - hits + 0.5, _TAIL))
    high = np.where(hits == trials, 1.0, special.betaincinv(hits + 0.5, trials - hits + 0.5, 1 - _TAIL))
    low, high = monotone(low, weights), monotone(high, weights)
    half, nine = (
        Seen(
            side_m=crossing(sides_m, shares, probability),
            low_m=crossing(sides_m, high, probability),
            high_m=crossing(sides_m, low, probability),
            at_most=bool(shares[0] >= probability),
        )
        for probability in (0.5, 0.9)
    )
    return Detectable(looks, tuple(map(float, sides_m)), tuple(map(float, shares)), trials, half, nine)


_TAIL = 0.025
