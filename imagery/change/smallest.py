"""The smallest change that is found half of the time, or nine times in ten: MDC50 and MDC90.

Detection probability can only grow with size, so it is fitted as a non-decreasing step function of the side
(pooled adjacent violators, Ayer et al., Ann. Math. Stat. 26, 1955, 641-647) and read off on straight lines
between the sizes that were tried. The interval comes from drawing the share that is found anew at each size,
from its Jeffreys posterior: a bootstrap of the sites that doesn't take none of five for never.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.evaluation import size_and_contrast, told

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.change.tracks import Level, SiteTrack

DRAWS = 400
"""Draws of the interval."""


@dataclass(frozen=True, slots=True)
class Smallest:
    """The smallest side that is found with a probability."""

    probability: float
    side_m: float
    """Infinite when no size that was tried is found so often."""
    low: float
    """Lower end of the 95 % interval."""
    high: float
    """Its upper end; infinite when more than one draw in forty never got there."""
    at_most: bool
    """The smallest size tried is already found so often: the true figure may be smaller."""


def smallest_detectable(
    tracks: Sequence[SiteTrack],
    level: Level,
    *,
    probability: float,
    rng: np.random.Generator,
    within_looks: int | None = None,
    draws: int = DRAWS,
) -> Smallest:
    """Return the smallest detectable change among sites of one contrast.

    Args:
        tracks: Sites; those without a change are passed over. All changes have one contrast.
        level: How far an alarm must get to count.
        probability: 0.5 or 0.9, say.
        rng: Draws the shares anew.
        within_looks: By how many clear looks after the change; None is the end of the monitored time.
        draws: How many times.

    Raises:
        ValueError: No changed site, or changes of several contrasts.
    """
    sites = told(tracks, within_looks)
    keys = [size_and_contrast(site) for site in sites]
    if len({contrast for contrast, _ in keys}) != 1:
        message = f"{len(sites)} changed sites of {len({each for each, _ in keys})} contrasts: one is needed"
        raise ValueError(message)
    sides = np.unique([side for _, side in keys])
    position = np.searchsorted(sides, [side for _, side in keys])
    found = np.array([site.detected(level, within_looks=within_looks) is not None for site in sites])
    trials = np.bincount(position, minlength=sides.size)
    successes = np.bincount(position, weights=found, minlength=sides.size)
    side = crossing(sides, monotone(successes / trials, trials), probability)
    shares = rng.beta(successes + 0.5, trials - successes + 0.5, size=(draws, sides.size))
    drawn = np.array([crossing(sides, monotone(each, trials), probability) for each in shares])
    # Infinite draws are ordered like others, but a quantile must not be interpolated between them.
    low, high = np.quantile(drawn, (0.025, 0.975), method="inverted_cdf")
    return Smallest(probability, side, float(low), float(high), at_most=bool(side <= sides[0]))


def monotone(shares: NDArray[np.float64], weights: NDArray[np.intp]) -> NDArray[np.float64]:
    """Return the non-decreasing values nearest to `shares` in weighted least squares.

    >>> monotone(np.array([0.2, 0.6, 0.4]), np.array([1, 1, 1])).round(2).tolist()
    [0.2, 0.5, 0.5]
    """
    blocks: list[tuple[float, float, int]] = []
    for share, weight in zip(shares.tolist(), weights.tolist(), strict=True):
        mean, mass, count = share, float(weight), 1
        while blocks and blocks[-1][0] >= mean:
            before, before_mass, before_count = blocks.pop()
            mean = (mean * mass + before * before_mass) / (mass + before_mass)
            mass, count = mass + before_mass, count + before_count
        blocks.append((mean, mass, count))
    return np.repeat([mean for mean, _, _ in blocks], [count for _, _, count in blocks])


def crossing(sides: NDArray[np.float64], shares: NDArray[np.float64], probability: float) -> float:
    """Return the side at which a non-decreasing curve first reaches a probability; infinite if nowhere."""
    reached = shares >= probability
    if not reached.any():
        return math.inf
    at = int(reached.argmax())
    if at == 0:
        return float(sides[0])
    part = (probability - shares[at - 1]) / (shares[at] - shares[at - 1])
    return float(sides[at - 1] + part * (sides[at] - sides[at - 1]))
