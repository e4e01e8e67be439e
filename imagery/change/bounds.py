"""Intervals around counts: shares of trials (binomial) and events in an exposure (Poisson).

Sources: E. B. Wilson, J. Am. Stat. Assoc. 22, 1927, 209-212; C. J. Clopper and E. S. Pearson, Biometrika
26, 1934, 404-413; F. Garwood, Biometrika 28, 1936, 437-442.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

CONFIDENCE = 0.95
"""Of every interval, unless one says otherwise."""

SITE_YEARS = 100.0
"""Rates are told per so many site-years."""


@dataclass(frozen=True, slots=True)
class Proportion:
    """A share of trials with its interval."""

    successes: int
    trials: int
    low: float
    high: float

    @property
    def estimate(self) -> float:
        """Successes over trials; NaN without any trial."""
        return self.successes / self.trials if self.trials else math.nan


@dataclass(frozen=True, slots=True)
class Rate:
    """Events in an exposure of site-years, with exact Poisson bounds; all rates are per site-year."""

    events: int
    site_years: float
    low: float
    """Lower end of the central interval (Garwood)."""
    high: float
    """Its upper end."""
    upper: float
    """One-sided bound: the rate is below it with the stated confidence."""

    @property
    def estimate(self) -> float:
        """Events per site-year; NaN without exposure."""
        return self.events / self.site_years if self.site_years else math.nan

    @property
    def per_100(self) -> float:
        """Events per 100 site-years."""
        return SITE_YEARS * self.estimate


def proportion(successes: int, trials: int, *, confidence: float = CONFIDENCE) -> Proportion:
    """Return a share with its exact (Clopper-Pearson) interval; 0 to 1 without any trial."""
    return Proportion(successes, trials, *clopper_pearson(successes, trials, confidence=confidence))


def rate(events: int, site_years: float, *, confidence: float = CONFIDENCE) -> Rate:
    """Return a rate with its exact bounds; they are infinite above without exposure.

    Raises:
        ValueError: A negative count or exposure, or events without exposure.
    """
    if events < 0 or site_years < 0 or (events and not site_years):
        message = f"{events} events in {site_years} site-years are no rate"
        raise ValueError(message)
    low, high = garwood(events, confidence=confidence)
    upper = garwood_upper(events, confidence=confidence)
    if not site_years:
        return Rate(events, site_years, 0.0, math.inf, math.inf)
    return Rate(events, site_years, low / site_years, high / site_years, upper / site_years)


def clopper_pearson(successes: int, trials: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact interval of a share.

    >>> clopper_pearson(0, 0)
    (0.0, 1.0)

    Raises:
        ValueError: More successes than trials, or a negative count.
    """
    _check(successes, trials)
    tail = (1 - confidence) / 2
    failures = trials - successes
    low = special.betaincinv(successes, failures + 1, tail) if successes else 0.0
    high = special.betaincinv(successes + 1, failures, 1 - tail) if failures else 1.0
    return float(low), float(high)


def wilson(successes: int, trials: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the score interval of a share: narrower than the exact one, right on average.

    Raises:
        ValueError: More successes than trials, or a negative count.
    """
    _check(successes, trials)
    if not trials:
        return 0.0, 1.0
    z = float(special.ndtri((1 + confidence) / 2))
    share = successes / trials
    weight = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / weight
    half = z * math.sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials)) / weight
    low = 0.0 if not successes else max(centre - half, 0.0)
    return low, 1.0 if successes == trials else min(centre + half, 1.0)


def garwood(events: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Return the exact central interval of a Poisson mean.

    >>> low, high = garwood(0)
    >>> low, round(high, 3)
    (0.0, 3.689)
    """
    tail = (1 - confidence) / 2
    low = float(special.gammaincinv(events, tail)) if events else 0.0
    return low, float(special.gammainccinv(events + 1, tail))


def garwood_upper(events: int, *, confidence: float = CONFIDENCE) -> float:
    """Return the exact one-sided upper bound of a Poisson mean.

    >>> round(garwood_upper(0), 3)  # the rule of three
    2.996
    """
    return float(special.gammainccinv(events + 1, 1 - confidence))


def _check(successes: int, trials: int) -> None:
    if not 0 <= successes <= trials:
        message = f"{successes} of {trials} is no share"
        raise ValueError(message)
