from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from imagery.change.smallest import crossing, monotone, smallest_detectable
from imagery.change.tracks import Alarm, Change, Level, SiteTrack

BUILT = date(2023, 6, 1)
SIDES = (10.0, 15.0, 20.0, 25.0, 30.0, 40.0)


def sites(power: dict[float, int], *, each: int = 100, contrast: float = 0.15) -> list[SiteTrack]:
    """Return `each` sites a size, of which so many are found."""
    made = []
    for side, found in power.items():
        change = Change(BUILT, BUILT, side**2, contrast)
        for k in range(each):
            alarms = (Alarm(BUILT + timedelta(days=3)),) if k < found else ()
            made.append(SiteTrack(f"{side}-{k}", 1.0, (BUILT,), (0.0,), alarms, change))
    return made


@given(
    values=st.lists(st.tuples(st.integers(0, 20), st.integers(1, 20)), min_size=1, max_size=12).map(
        lambda pairs: ([a / 20 for a, _ in pairs], [b for _, b in pairs])
    )
)
def test_monotone_is_scipys_isotonic_regression(values: tuple[list[float], list[int]]) -> None:
    shares, weights = np.array(values[0]), np.array(values[1])
    oracle = optimize.isotonic_regression(shares, weights=weights).x
    np.testing.assert_allclose(monotone(shares, weights), oracle, atol=1e-12)


def test_crossing_is_read_off_straight_lines() -> None:
    sides, shares = np.array([10.0, 20.0, 40.0]), np.array([0.0, 0.4, 0.9])
    assert crossing(sides, shares, 0.2) == 15
    assert crossing(sides, shares, 0.9) == 40
    assert crossing(sides, shares, 0.95) == math.inf
    assert crossing(sides, np.array([0.5, 0.5, 1.0]), 0.5) == 10


def test_known_power_gives_known_sizes() -> None:
    power = dict(zip(SIDES, (2, 10, 40, 60, 90, 100), strict=True))
    half, most = (
        smallest_detectable(
            sites(power), Level.CANDIDATE, probability=p, rng=np.random.default_rng(0), draws=200
        )
        for p in (0.5, 0.9)
    )
    assert half.side_m == pytest.approx(22.5)
    assert most.side_m == pytest.approx(30)
    assert half.low <= 22.5 <= half.high < most.high
    assert not half.at_most


def test_what_is_never_found_has_no_size_and_what_is_always_found_only_a_bound() -> None:
    rng = np.random.default_rng(0)
    none = smallest_detectable(
        sites(dict.fromkeys(SIDES, 5)), Level.CANDIDATE, probability=0.5, rng=rng, draws=50
    )
    assert (none.side_m, none.high, none.at_most) == (math.inf, math.inf, False)
    every = smallest_detectable(
        sites(dict.fromkeys(SIDES, 100)), Level.CANDIDATE, probability=0.9, rng=rng, draws=50
    )
    assert (every.side_m, every.high, every.at_most) == (10.0, 10.0, True)


def test_the_bootstrap_interval_holds_a_logistic_truth() -> None:
    """On a logistic curve the size at which half is found lies in the interval nine times in ten."""
    rng = np.random.default_rng(7)
    grid = np.arange(10.0, 41.0, 2.5)
    curve = 1 / (1 + np.exp(-(grid - 22.0) / 3.0))
    held = 0
    for _ in range(60):
        counts = dict(zip(grid.tolist(), rng.binomial(40, curve).tolist(), strict=True))
        found = smallest_detectable(
            sites(counts, each=40), Level.CANDIDATE, probability=0.5, rng=rng, draws=100
        )
        held += found.low <= 22.0 <= found.high
    assert held >= 51


def test_two_contrasts_at_once_are_refused() -> None:
    mixed = sites({20.0: 1}, each=1) + sites({20.0: 1}, each=1, contrast=0.05)
    with pytest.raises(ValueError, match="2 contrasts"):
        smallest_detectable(mixed, Level.CANDIDATE, probability=0.5, rng=np.random.default_rng(0))
