from __future__ import annotations

import runpy
from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st

from imagery.change.irmad import _shrunk_variates, irmad, shrinkage
from imagery.change.irmad_passes import LANES, tail_table, tails

plain_irmad = runpy.run_path(str(Path(__file__).with_name("plain_irmad.py")))["plain_irmad"]


def _pair(seed: int, bands: int = 3, side: int = 24) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    ground = rng.normal(size=(bands, side, side))
    mixing = rng.normal(size=(bands, bands)) + 2 * np.eye(bands)
    before = ground + 0.2 * rng.normal(size=ground.shape)
    after = np.einsum("ij,jyx->iyx", mixing, ground) + 0.2 * rng.normal(size=ground.shape)
    return before, after


def _textbook_round(x: np.ndarray, y: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One round as the paper writes it: a generalised eigenproblem, signs and scales put right after."""
    p = len(x)
    moments = np.cov(np.vstack([x, y]), aweights=w, ddof=0)
    s11, s12, s22 = moments[:p, :p], moments[:p, p:], moments[p:, p:]
    squared, a = scipy.linalg.eigh(s12 @ np.linalg.solve(s22, s12.T), s11)
    rho = np.sqrt(squared[::-1])
    a = a[:, ::-1]
    total = np.zeros(x.shape[1])
    x_mean, y_mean = np.average(x, axis=1, weights=w), np.average(y, axis=1, weights=w)
    for k in range(p):
        b = np.linalg.solve(s22, s12.T @ a[:, k])
        b /= np.sqrt(b @ s22 @ b)
        difference = a[:, k] @ (x - x_mean[:, None]) - b @ (y - y_mean[:, None])
        total += difference**2 / (2 * (1 - rho[k]))
    return total, rho


def test_agrees_with_a_textbook_loop() -> None:
    before, after = _pair(1)
    x, y = before.reshape(3, -1), after.reshape(3, -1)
    z, rho = _textbook_round(x, y, np.ones(x.shape[1]))
    for _ in range(2):
        z, rho = _textbook_round(x, y, scipy.stats.chi2.sf(z, 3))
        z = z * shrinkage(3)
    found = irmad(before, after, max_iterations=2)
    assert found.iterations == 2
    np.testing.assert_allclose(found.correlations, rho, rtol=1e-8)
    np.testing.assert_allclose(found.z.ravel(), z, rtol=1e-6)


@given(
    gain=st.lists(st.floats(0.01, 100), min_size=3, max_size=3),
    offset=st.lists(st.floats(-1000, 1000), min_size=3, max_size=3),
    flip=st.booleans(),
)
@settings(max_examples=25, deadline=None)
def test_gain_and_offset_of_a_band_change_nothing(
    gain: list[float], offset: list[float], *, flip: bool
) -> None:
    before, after = _pair(2)
    sign = -1 if flip else 1
    scaled = sign * np.array(gain)[:, None, None] * after + np.array(offset)[:, None, None]
    np.testing.assert_allclose(irmad(before, scaled).z, irmad(before, after).z, rtol=1e-3, atol=1e-6)


def test_order_of_the_dates_changes_nothing() -> None:
    before, after = _pair(3)
    np.testing.assert_allclose(irmad(before, after).z, irmad(after, before).z, rtol=1e-6)


def test_same_date_twice_is_no_change() -> None:
    before, _ = _pair(4)
    found = irmad(before, before.copy())
    assert np.nanmax(found.z) < 1e-6
    assert found.weights.min() > 0.999


def test_constant_and_repeated_bands_are_left_out() -> None:
    before, after = _pair(5)
    constant = np.full_like(before[:1], 7.0)
    repeated = irmad(
        np.concatenate([before, constant, before[:1]]),
        np.concatenate([after, constant, after[:1]]),
        max_iterations=2,
    )
    assert repeated.degrees == 3
    np.testing.assert_allclose(repeated.z, irmad(before, after, max_iterations=2).z, rtol=1e-5)


def test_missing_pixels_are_neither_used_nor_judged() -> None:
    before, after = _pair(6)
    holed = after.copy()
    holed[1, :4] = np.nan
    found = irmad(before, holed)
    assert np.isnan(found.z[:4]).all() and (found.weights[:4] == 0).all()
    np.testing.assert_allclose(found.z[4:], irmad(before[:, 4:], after[:, 4:]).z, rtol=1e-9)


@pytest.mark.parametrize("side", [0, 1, 5])
def test_too_few_pixels_judge_nothing(side: int) -> None:
    before, after = _pair(7, bands=3, side=24)
    found = irmad(before[:, :side, :side], after[:, :side, :side])
    assert found.degrees == 0
    assert np.isnan(found.z).all() and not found.weights.any()


def test_nothing_valid_and_nothing_varying_judge_nothing() -> None:
    empty = np.full((2, 8, 8), np.nan)
    flat = np.ones((2, 8, 8))
    assert irmad(empty, empty).degrees == 0
    assert irmad(flat, flat).degrees == 0


def test_refuses_arrays_that_do_not_match() -> None:
    with pytest.raises(ValueError, match="one shape"):
        irmad(np.zeros((2, 4, 4)), np.zeros((3, 4, 4)))


@pytest.mark.parametrize("bands", [1, 2, 3, 6])
def test_noise_keeps_the_scale_of_chi_square(bands: int) -> None:
    rng = np.random.default_rng(bands)
    found = irmad(rng.normal(size=(bands, 200, 200)), rng.normal(size=(bands, 200, 200)))
    assert np.median(found.z) == pytest.approx(scipy.stats.chi2.median(bands), rel=0.05)


@pytest.mark.parametrize("degrees", [1, 2, 5, 13])
def test_shrinkage_is_what_weighting_does_to_noise(degrees: int) -> None:
    z = np.random.default_rng(0).chisquare(degrees, 400_000)
    weights = scipy.stats.chi2.sf(z, degrees)
    assert shrinkage(degrees) == pytest.approx(np.average(z, weights=weights) / degrees, rel=0.01)


def test_weights_find_the_change() -> None:
    before, after = _pair(8, side=60)
    changed = np.zeros((60, 60), dtype=bool)
    changed[10:20, 10:30] = True
    after[:, changed] += np.array([4.0, -4.0, 4.0])[:, None]
    found = irmad(before, after)
    assert np.median(found.weights[changed]) < 0.01
    assert np.median(found.weights[~changed]) > 0.3


def test_it_is_deterministic_and_leaves_its_input_alone() -> None:
    before, after = _pair(9)
    copies = before.copy(), after.copy()
    assert np.array_equal(irmad(before, after).z, irmad(before, after).z)
    assert np.array_equal(before, copies[0]) and np.array_equal(after, copies[1])


@pytest.mark.parametrize("rounds", [0, 1, 2])
@pytest.mark.parametrize(("bands", "side"), [(1, 11), (3, 24), (4, 16), (6, 30)])
def test_first_rounds_agree_with_plain_numpy(rounds: int, bands: int, side: int) -> None:
    before, after = _pair(bands, bands, side)
    before[0, 3, :5] = np.nan
    z, rho, _ = plain_irmad(before, after, max_iterations=rounds)
    found = irmad(before, after, max_iterations=rounds)
    np.testing.assert_allclose(found.correlations, rho, rtol=1e-8)
    np.testing.assert_allclose(found.z, z, rtol=1e-6, atol=1e-9)
    single = irmad(before.astype(np.float32), after.astype(np.float32), max_iterations=rounds)
    np.testing.assert_allclose(single.z, z, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("bands", [1, 2, 4])
def test_mixing_ends_where_patient_repetition_does(bands: int, kind: type) -> None:
    before, after = _pair(20 + bands, bands, side=70)
    after[:, :20, :25] += np.linspace(-3, 3, bands * 500).reshape(bands, 20, 25)
    z, rho, patient = plain_irmad(before, after, max_iterations=500, tolerance=1e-10)
    found = irmad(before.astype(kind), after.astype(kind))
    assert found.iterations < patient / 2
    np.testing.assert_allclose(found.correlations, rho, atol=1e-3)
    np.testing.assert_allclose(found.z, z, rtol=0.06, atol=0.01)


@pytest.mark.parametrize(("kind", "error"), [(np.float32, 3e-7), (np.float64, 2e-10)])
@pytest.mark.parametrize("degrees", [1, 2, 3, 6, 13])
def test_the_tabled_tail_is_as_good_as_said(degrees: int, kind: type, error: float) -> None:
    z: np.ndarray = np.concatenate(
        [np.linspace(0, 99.9, 40_001), np.logspace(-9, 0, 500), [1e3, 1e30]]
    ).astype(kind)
    out = np.empty_like(z)
    tails(z, tail_table(degrees, np.dtype(kind)), out)
    assert np.abs(out - scipy.stats.chi2.sf(z, degrees)).max() < error


@pytest.mark.parametrize("count", [LANES - 1, LANES, LANES + 1, 5 * LANES])
def test_blocks_that_are_not_full_lose_nothing(count: int) -> None:
    rng = np.random.default_rng(count)
    before, after = rng.normal(size=(2, 2, 1, count))
    z, _, _ = plain_irmad(before, after, max_iterations=1)
    np.testing.assert_allclose(irmad(before, after, max_iterations=1).z, z, rtol=1e-6)


def test_integers_are_taken_as_they_are() -> None:
    counts = np.random.default_rng(10).integers(0, 255, (2, 3, 20, 20)).astype(np.uint8)
    z = irmad(counts[0], counts[1]).z
    np.testing.assert_array_equal(z, irmad(*counts.astype(np.float32)).z)


def test_moments_that_no_data_have_give_no_variates() -> None:
    # Mixing the moments of rounds can leave what is possible; the search then goes on from the last round.
    impossible = np.diag([-1.0, -1.0, 1.0, 1.0, 1.0])
    variates, rho = _shrunk_variates(impossible)
    assert rho.size == 0 and variates.shape == (0, 5)


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_a_frame_with_still_water_in_it_is_judged_without_fault(share: float) -> None:
    """All weight may go to the water, where next to nothing varies."""
    for seed in range(12):
        rng = np.random.default_rng(seed)
        water = rng.random((40, 40)) < share
        ground = np.where(water, 0.02, rng.uniform(0.05, 0.3, (4, 40, 40)))
        noise = np.where(water, 1e-4, 0.03) * rng.normal(size=(2, 4, 40, 40))
        found = irmad(*(ground + noise).astype(np.float32))
        assert found.degrees == 4 and np.isfinite(found.z).all()
        assert (found.weights >= 0).all() and (found.weights <= 1).all()
