from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagery.normalise import NormaliseMethod, NormaliseSettings, deming_slope, normalise

SIDE = 60


def ground(seed: int, bands: int) -> tuple[np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    fields = rng.uniform(0.05, 0.35, (bands, SIDE // 5, SIDE // 5))
    return np.repeat(np.repeat(fields, 5, axis=1), 5, axis=2), rng


@pytest.mark.parametrize("bands", [1, 2, 4, 13])
def test_gain_and_offset_of_a_look_are_taken_off(bands: int) -> None:
    truth, rng = ground(bands, bands)
    look = (truth + rng.normal(0, 0.005, truth.shape) - 0.02) / 1.15
    reference = truth + rng.normal(0, 0.005, truth.shape)
    result = normalise(look, reference)
    assert result.method is NormaliseMethod.LINE and result.plausible
    np.testing.assert_allclose(result.gain, 1.15, rtol=0.02)
    np.testing.assert_allclose(result.offset - result.common, 0.02, atol=0.005)
    assert np.abs(np.median(result.values - reference, axis=(1, 2))).max() < 1e-3
    assert (result.values - truth).std() < 0.007


def test_a_prediction_without_noise_keeps_more_of_the_gain() -> None:
    truth, rng = ground(3, 2)
    truth = 0.2 + 0.1 * (truth - 0.2)  # little contrast
    look = truth + rng.normal(0, 0.004, truth.shape)
    settings = NormaliseSettings(noise_ratio=1e-6)
    gain, orthogonal = normalise(look, truth, settings=settings).gain, normalise(look, truth).gain
    assert (orthogonal < gain - 0.02).all()
    np.testing.assert_allclose(gain, 1, atol=0.07)


def test_a_gain_that_is_hardly_known_is_drawn_towards_one() -> None:
    truth, rng = ground(10, 1)
    reference = 0.7 * truth + rng.normal(0, 0.05, truth.shape)
    look = truth + rng.normal(0, 0.05, truth.shape)
    free = normalise(look, reference, settings=NormaliseSettings(gain_sigma=1e6)).gain[0]
    drawn = normalise(look, reference).gain[0]
    assert free + 0.02 < drawn < 1


def test_change_outside_the_site_does_not_bend_the_line() -> None:
    truth, rng = ground(4, 4)
    look = 0.9 * truth + 0.01 + rng.normal(0, 0.003, truth.shape)
    look[:, :20, :30] = np.array([0.3, 0.1, 0.25, 0.4])[:, None, None]
    result = normalise(look, truth + rng.normal(0, 0.003, truth.shape))
    np.testing.assert_allclose(result.gain, 1 / 0.9, rtol=0.03)
    assert np.median(result.weights[:20, :30]) < 0.02
    assert np.median(result.weights[30:]) > 0.3


def test_the_site_is_not_absorbed() -> None:
    truth, rng = ground(5, 2)
    reference = truth + rng.normal(0, 0.003, truth.shape)
    look = truth + rng.normal(0, 0.003, truth.shape)
    look[:, 24:36, 24:36] += 0.1
    context = np.ones((SIDE, SIDE), dtype=bool)
    context[20:40, 20:40] = False
    result = normalise(look, reference, context)
    assert not result.weights[20:40, 20:40].any()
    assert (result.values - reference)[:, 24:36, 24:36].mean() == pytest.approx(0.1, abs=0.004)
    other = look.copy()
    other[:, 20:40, 20:40] = 0.9
    np.testing.assert_array_equal(normalise(other, reference, context).gain, result.gain)


@pytest.mark.parametrize(
    ("clear_px", "method"),
    [
        (0, NormaliseMethod.NONE),
        (20, NormaliseMethod.NONE),
        (100, NormaliseMethod.OFFSET),
        (900, NormaliseMethod.LINE),
    ],
)
def test_with_few_clear_pixels_less_is_fitted_and_it_says_so(clear_px: int, method: NormaliseMethod) -> None:
    truth, rng = ground(6, 2)
    look = 1.2 * truth + 0.03 + rng.normal(0, 0.003, truth.shape)
    look.reshape(2, -1)[:, clear_px:] = np.nan
    result = normalise(look, truth)
    assert result.method is method and result.clear_px == clear_px and method.value in result.text
    if method is not NormaliseMethod.LINE:
        assert (result.gain == 1).all()
    if method is NormaliseMethod.NONE:
        np.testing.assert_array_equal(result.values, look.astype(np.float32))
    else:
        assert np.abs(np.nanmedian(result.values - truth, axis=(1, 2))).max() < 1e-3


def test_a_flat_context_gets_an_offset_alone() -> None:
    rng = np.random.default_rng(7)
    look = 0.23 + rng.normal(0, 0.003, (2, SIDE, SIDE))
    result = normalise(look, np.full((2, SIDE, SIDE), 0.2) + rng.normal(0, 0.003, look.shape))
    assert (result.gain == 1).all()
    np.testing.assert_allclose(result.level, -0.03, atol=1e-3)


@given(gain=st.sampled_from([0.5, 0.8, 1.2, 2.0]), offset=st.sampled_from([-0.1, 0.0, 0.15]))
def test_implausible_lines_are_named(gain: float, offset: float) -> None:
    truth, _ = ground(8, 2)
    rng = np.random.default_rng(8)
    look = (truth - offset) / gain + rng.normal(0, 0.001, truth.shape)
    result = normalise(look, truth + rng.normal(0, 0.001, truth.shape))
    level = np.abs(truth.mean(axis=(1, 2)) - look.mean(axis=(1, 2)))
    if level.min() > 0.05 and level.max() < 0.1:
        return  # near the limit
    assert result.plausible == (0.6 <= gain <= 1.6 and level.max() <= 0.08)
    assert ("out of the plausible range" in result.text) != result.plausible


def test_gaps_stay_and_shapes_must_match() -> None:
    truth, rng = ground(9, 3)
    look = truth + rng.normal(0, 0.003, truth.shape)
    look[:, :10] = np.nan
    truth[1, 50:] = np.nan  # the reference's own gaps don't hide the look
    result = normalise(look, truth)
    assert np.array_equal(np.isnan(result.values), np.isnan(look)) and result.values.dtype == np.float32
    with pytest.raises(ValueError, match="one shape"):
        normalise(look, truth[:2])


def test_deming_slope_between_both_regressions() -> None:
    xx, xy, yy = 2.0, 1.0, 1.5
    assert deming_slope(xx, xy, yy, 1e9) == pytest.approx(xy / xx, rel=1e-6)
    assert deming_slope(xx, xy, yy, 1e-9) == pytest.approx(yy / xy, rel=1e-6)
    values, vectors = np.linalg.eigh([[xx, xy], [xy, yy]])
    assert deming_slope(xx, xy, yy, 1.0) == pytest.approx(vectors[1, -1] / vectors[0, -1])
    assert values[0] < values[1]
