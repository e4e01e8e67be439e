from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imagery.change.monitor import CAP, Monitored, deviations, ewma_deviation, ewma_z, update

FLAT = np.float32(0.2)
NOISE = np.float32(0.01)


def watched(
    series: NDArray[np.float32], state: Monitored | None = None
) -> tuple[Monitored, list[NDArray[np.float32]]]:
    """Take ``(time, band, y, x)`` into a state, all predicted as FLAT with a deviation of NOISE."""
    state = state or Monitored.fresh(series.shape[1], series.shape[2:])
    frame = np.ones(series.shape[1:], dtype=np.float32)
    return state, [update(state, values, FLAT * frame, NOISE * frame) for values in series]


def planes(state: Monitored) -> list[bytes]:
    return [
        state.ewma.tobytes(),
        state.above.tobytes(),
        state.below.tobytes(),
        state.updates.tobytes(),
    ]


def by_definition(z: NDArray[np.float64]) -> tuple[float, float, float, int]:
    ewma = above = below = 0.0
    updates = 0
    for value in z[np.isfinite(z)]:
        capped = float(np.clip(value, -3, 3))
        ewma = 0.7 * ewma + 0.3 * capped
        above, below = max(0, above + capped - 0.5), max(0, below - capped - 0.5)
        updates += 1
    return ewma, above, below, updates


@given(st.integers(0, 2**32 - 1), st.integers(1, 3), st.integers(1, 20))
@settings(max_examples=30)
def test_the_kernel_does_what_the_definitions_say(seed: int, bands: int, looks: int) -> None:
    rng = np.random.default_rng(seed)
    series = (FLAT + NOISE * 2 * rng.normal(size=(looks, bands, 5, 7))).astype(np.float32)
    series[rng.random(series.shape) < 0.1] = np.nan
    state, found = watched(series)
    z = (series.astype(np.float64) - float(FLAT)) / float(NOISE)
    z += 0 * z.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.stack(found), z, atol=1e-4)
    for y, x in np.ndindex(5, 7):
        for band in range(bands):
            ewma, above, below, updates = by_definition(z[:, band, y, x])
            kept = (state.ewma[band, y, x], state.above[band, y, x], state.below[band, y, x])
            np.testing.assert_allclose(kept, (ewma, above, below), atol=1e-4)
            assert state.updates[y, x] == updates


def test_an_unseen_pixel_keeps_its_state_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    series = (FLAT + NOISE * rng.normal(size=(9, 2, 4, 5000))).astype(np.float32)
    state, _ = watched(series[:8])
    before = planes(state)
    hidden = series[8].copy()
    hidden[0] = np.nan  # one band is enough
    _, (z,) = watched(hidden[None], state)
    assert np.isnan(z).all()
    assert planes(state) == before


def test_no_model_no_update() -> None:
    state = Monitored.fresh(1, (1, 2))
    values = np.full((1, 1, 2), FLAT, dtype=np.float32)
    predicted = np.array([[[FLAT, np.nan]]], dtype=np.float32)
    z = update(state, values, predicted, np.full((1, 1, 2), NOISE, dtype=np.float32))
    assert z[0, 0, 0] == 0 and np.isnan(z[0, 0, 1])
    assert state.updates.tolist() == [[1, 0]]
    assert ewma_z(state)[0, 0, 0] == 0 and np.isnan(ewma_z(state)[0, 0, 1])


def test_the_variance_of_an_early_ewma_is_exact() -> None:
    rng = np.random.default_rng(5)
    series = (FLAT + NOISE * rng.normal(size=(12, 1, 200, 500))).astype(np.float32)
    state = Monitored.fresh(1, (200, 500))
    for number in range(12):
        watched(series[number : number + 1], state)
        weights = 0.3 * 0.7 ** np.arange(number + 1)
        assert ewma_deviation(number + 1) == pytest.approx(
            float(np.sqrt(np.square(weights).sum())), rel=1e-12
        )
        assert ewma_z(state).std() == pytest.approx(0.9975, abs=0.01)


def test_one_spike_is_forgotten_and_a_shift_is_not() -> None:
    series = np.full((20, 1, 1, 2), FLAT, dtype=np.float32)
    series[5, 0, 0, 0] += 100 * NOISE
    series[5:, 0, 0, 1] += 2 * NOISE
    state = Monitored.fresh(1, (1, 2))
    largest = np.zeros(2)
    for values in series:
        watched(values[None], state)
        largest = np.maximum(largest, state.above[0, 0])
    assert largest[0] == CAP - 0.5
    assert state.above[0, 0, 0] == 0 and abs(ewma_z(state)[0, 0, 0]) < 0.05
    assert state.above[0, 0, 1] == pytest.approx(22.5, rel=1e-3) and ewma_z(state)[0, 0, 1] > 4


def test_a_drift_is_seen_by_the_cusum_on_its_own_side() -> None:
    drift = np.linspace(0, -2, 25, dtype=np.float32)[:, None, None, None] * NOISE
    state, _ = watched((FLAT + drift).astype(np.float32))
    assert state.below[0, 0, 0] > 5 and state.above[0, 0, 0] == 0


def test_the_deviation_adds_up_its_parts() -> None:
    sigma = np.array([[[0.01, 0.02]]], dtype=np.float32)
    leverage = np.array([[0.0, 3.0]], dtype=np.float32)
    assert np.allclose(deviations(sigma, leverage), [[[0.01, 0.04]]])
    assert np.allclose(deviations(sigma, leverage, 0.0009), [[[np.sqrt(0.001), 0.05]]])


def test_reset_forgets_some_pixels() -> None:
    series = np.full((3, 2, 2, 2), FLAT + NOISE, dtype=np.float32)
    state, _ = watched(series)
    state.reset(np.array([[True, False], [False, False]]))
    assert state.updates.tolist() == [[0, 3], [3, 3]]
    assert not state.ewma[:, 0, 0].any() and state.ewma[:, 0, 1].all()


def test_the_count_of_updates_stops_and_does_not_wrap() -> None:
    state = Monitored.fresh(1, (1, 1))
    state.updates[:] = 65534
    watched(np.full((4, 1, 1, 1), FLAT, dtype=np.float32), state)
    assert state.updates[0, 0] == 65535
