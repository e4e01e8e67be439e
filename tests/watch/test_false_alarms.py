from __future__ import annotations

import math
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from watch.errors import WorkspaceError
from watch.false_alarms import (
    Account,
    Place,
    discoveries,
    e_value,
    expected_false_alarms,
    gamma,
    joint_e_value,
    read_account,
    selected,
)

START = date(2024, 1, 1)


def place(position: int) -> Place:
    return Place(START + timedelta(days=position // 3), f"site-{position % 3}")


@pytest.mark.parametrize("kappa", [0.05, 0.1, 0.5, 0.9])
def test_the_calibrator_has_mean_one(kappa: float) -> None:
    """In u = p ** kappa the integral of e over p is that of e * dp/du, without its pole at 0."""
    mean, _ = integrate.quad(
        lambda u: e_value(u ** (1 / kappa), kappa=kappa) * u ** (1 / kappa - 1) / kappa, 1e-9, 1
    )
    assert mean == pytest.approx(1, abs=1e-6)


@given(p=st.floats(1e-9, 1), q=st.floats(1e-9, 1))
def test_less_likely_is_more_evidence(p: float, q: float) -> None:
    assert (e_value(p) >= e_value(q)) or p > q
    assert joint_e_value([p, q]) == pytest.approx(e_value(p) * e_value(q))
    assert joint_e_value([]) == 1


def test_a_selected_p_is_uniform_below_its_threshold() -> None:
    values = np.random.default_rng(0).uniform(size=40_000)
    kept = [selected(p, 0.02) for p in values.tolist() if p <= 0.02]
    assert stats.kstest(kept, "uniform").pvalue > 0.01
    assert selected(0.5, 0.02) == 1


@pytest.mark.parametrize("planned", [1, 7, 100])
def test_alpha_is_spent_whole_and_never_over(planned: int) -> None:
    shares = [gamma(position, planned) for position in range(1, planned * 127 + 1)]
    assert math.fsum(shares) == pytest.approx(1 - 2**-7)
    assert shares == sorted(shares, reverse=True)


def test_levels_are_those_of_e_lond() -> None:
    """By hand: alpha * gamma * (1 + discoveries before)."""
    account = Account(alpha=0.1, planned=10)
    seen = []
    for position, e in enumerate([250.0, 90.0, 199.0, 201.0, 70.0]):
        account, outcome = account.test(place(position), e)
        seen.append((round(1 / outcome.level), outcome.is_discovery))
    assert seen == [(200, True), (100, False), (100, True), (67, True), (50, True)]
    assert (account.tested, account.discoveries) == (5, 4)


def false_share(e: np.ndarray, is_null: np.ndarray, alpha: float, planned: int) -> float:
    account = Account(alpha=alpha, planned=planned)
    _, tested = discoveries(((place(k), float(value)) for k, value in enumerate(e)), account=account)
    found = np.array([each.is_discovery for each in tested])
    return float((found & is_null).sum() / max(found.sum(), 1))


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.99])
def test_the_false_share_stays_below_alpha_however_nulls_depend(correlation: float) -> None:
    """Equally correlated Gaussian scores, as when one hazy day covers many sites; a fifth is real."""
    rng, alpha, planned = np.random.default_rng(11), 0.2, 30
    shares = []
    for _ in range(300):
        common = rng.normal()
        scores = math.sqrt(correlation) * common + math.sqrt(1 - correlation) * rng.normal(size=planned)
        is_null = rng.uniform(size=planned) > 0.2
        p = stats.norm.sf(scores + np.where(is_null, 0.0, 4.0))
        shares.append(false_share(0.1 * p**-0.9, is_null, alpha, planned))
    error = np.std(shares) / math.sqrt(len(shares))
    assert np.mean(shares) <= alpha + 2 * error
    assert np.mean(shares) < alpha


def test_nulls_made_to_break_it_do_not() -> None:
    """All nulls share one e-value that pays exactly at the first level: the worst case for the first test."""
    rng, alpha, planned = np.random.default_rng(12), 0.2, 10
    first = 1 / Account(alpha=alpha, planned=planned).level
    everything = np.ones(planned, dtype=bool)
    shares = [
        false_share(np.full(planned, first if rng.uniform() < 1 / first else 0.0), everything, alpha, planned)
        for _ in range(3000)
    ]
    assert np.mean(shares) <= alpha


def test_real_changes_are_found() -> None:
    p = [1e-3, 1e-3, 1e-3]
    account, tested = discoveries((place(k), joint_e_value(p)) for k in range(20))
    assert all(each.is_discovery for each in tested)
    assert account.discoveries == 20


@given(
    e=st.lists(st.floats(0, 1e6), min_size=1, max_size=30),
    cut=st.integers(0, 30),
    order=st.randoms(use_true_random=False),
)
def test_order_of_arrival_and_restarts_leave_no_trace(e: list[float], cut: int, order: object) -> None:
    all_at_once = [(place(k), value) for k, value in enumerate(e)]
    account, tested = discoveries(all_at_once, account=Account(planned=5))
    shuffled = list(all_at_once)
    order.shuffle(shuffled)  # type: ignore[attr-defined]  # a hypothesis Random
    assert discoveries(shuffled, account=Account(planned=5)) == (account, tested)
    half, early = discoveries(all_at_once[:cut], account=Account(planned=5))
    whole, late = discoveries(all_at_once[cut:], account=read_account(half.to_bytes()))
    assert (whole, early + late) == (account, tested)
    assert whole.to_bytes() == account.to_bytes()


def test_what_comes_late_is_refused() -> None:
    account, _ = Account().test(place(3), 1.0)
    for position in (2, 3):
        with pytest.raises(ValueError, match="test all of them anew"):
            account.test(place(position), 1.0)


@pytest.mark.parametrize("p", [0.0, -0.1, 1.1, math.nan])
def test_what_is_no_p_value_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match="no e-value"):
        e_value(p)


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"{}", b'{"format": "x"}', Account().to_bytes().replace(b"0.1", b"7.0")]
)
def test_a_damaged_account_is_refused(data: bytes) -> None:
    with pytest.raises(WorkspaceError):
        read_account(data)


@pytest.mark.parametrize(("site_years", "rate"), [(0.0, 0.1), (3.0, 0.1), (190.0, 0.1), (1e4, 0.01)])
def test_expected_false_alarms_are_the_poisson_range(site_years: float, rate: float) -> None:
    found = expected_false_alarms(site_years, rate)
    mean = site_years * rate
    assert found.mean == pytest.approx(mean)
    oracle = [int(q) for q in stats.poisson.ppf([0.025, 0.975], mean)] if mean else [0, 0]
    assert [found.low, found.high] == oracle
    with pytest.raises(ValueError, match="site-years"):
        expected_false_alarms(-1.0, rate)
