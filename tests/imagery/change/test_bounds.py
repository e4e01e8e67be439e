from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from imagery.change.bounds import (
    clopper_pearson,
    garwood,
    garwood_upper,
    proportion,
    rate,
    wilson,
)

COUNTS = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
CONFIDENCE = st.sampled_from([0.8, 0.9, 0.95, 0.99])


@given(counts=COUNTS, confidence=CONFIDENCE)
def test_binomial_intervals_are_scipys(counts: tuple[int, int], confidence: float) -> None:
    test = stats.binomtest(*counts)
    for method, ours in (("exact", clopper_pearson), ("wilson", wilson)):
        theirs = test.proportion_ci(confidence, method=method)
        assert ours(*counts, confidence=confidence) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


@given(events=st.integers(0, 500), confidence=CONFIDENCE)
def test_poisson_bounds_are_the_chi_square_quantiles(events: int, confidence: float) -> None:
    tail = (1 - confidence) / 2
    low = stats.chi2.ppf(tail, 2 * events) / 2 if events else 0.0
    high = stats.chi2.ppf(1 - tail, 2 * events + 2) / 2
    assert garwood(events, confidence=confidence) == pytest.approx((low, high), rel=1e-9)
    upper = stats.chi2.ppf(confidence, 2 * events + 2) / 2
    assert garwood_upper(events, confidence=confidence) == pytest.approx(upper, rel=1e-9)


def test_nothing_seen_is_not_a_rate_of_zero() -> None:
    none = rate(0, 1000.0)
    assert none.per_100 == 0
    assert none.upper == pytest.approx(-math.log(0.05) / 1000)
    assert none.high == pytest.approx(-math.log(0.025) / 1000)


def test_without_trials_or_exposure_anything_is_possible() -> None:
    assert (proportion(0, 0).low, proportion(0, 0).high) == (0, 1)
    assert wilson(0, 0) == (0, 1)
    assert math.isnan(proportion(0, 0).estimate)
    assert math.isinf(rate(0, 0.0).upper)


@pytest.mark.parametrize(("events", "exposure"), [(-1, 1.0), (1, 0.0), (0, -1.0)])
def test_what_is_no_rate_is_refused(events: int, exposure: float) -> None:
    with pytest.raises(ValueError, match="no rate"):
        rate(events, exposure)


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        clopper_pearson(3, 2)
