from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imagery.resampling import (
    MATERIAL_WEIGHT,
    cubic_taps,
    noise_gain,
    shifted,
    shifted_classes,
    shifted_clear,
)
from imagery.shift import Shift

shifts = st.builds(Shift, st.floats(-2.5, 2.5), st.floats(-2.5, 2.5))


def image(seed: int, bands: int = 2, *, gaps: float = 0.1) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = rng.uniform(0.05, 0.4, (bands, 13, 17)).astype(np.float32)
    values[rng.random(values.shape) < gaps] = np.nan
    return values


def plainly(values: np.ndarray, shift: Shift) -> np.ndarray:
    """Sixteen weights a pixel, as the docstring says."""
    rows, columns = values.shape
    top, left = int(np.floor(shift.dy_px)), int(np.floor(shift.dx_px))
    weights = np.outer(cubic_taps(shift.dy_px - top), cubic_taps(shift.dx_px - left))
    far = 6
    padded = np.pad(values.astype(np.float64), far, constant_values=np.nan)
    out = np.full(values.shape, np.nan)
    for y in range(rows):
        for x in range(columns):
            y0, x0 = y + top - 1 + far, x + left - 1 + far
            window = padded[y0 : y0 + 4, x0 : x0 + 4]
            known = np.isfinite(window)
            if not (~known & (np.abs(weights) >= MATERIAL_WEIGHT)).any():
                out[y, x] = (window[known] * weights[known]).sum() / weights[known].sum()
    return out


@given(shift=shifts, seed=st.integers(0, 5))
def test_agrees_with_plain_numpy(shift: Shift, seed: int) -> None:
    values = image(seed)
    result = shifted(values, shift)
    for band, expected in enumerate(values):
        np.testing.assert_allclose(result[band], plainly(expected, shift), atol=2e-6)


def test_no_shift_changes_no_bit_and_whole_pixels_only_move() -> None:
    values = image(1)
    assert shifted(values, Shift(0.0, 0.0)).tobytes() == values.tobytes()
    result = shifted(values, Shift(2.0, -1.0))
    np.testing.assert_array_equal(result[:, 1:, :-2], values[:, :-1, 2:])
    assert np.isnan(result[:, 0]).all() and np.isnan(result[:, :, -2:]).all()


@given(shift=shifts)
def test_a_plane_moves_along_itself_and_a_constant_stays(shift: Shift) -> None:
    y, x = np.mgrid[:30, :40].astype(np.float32)
    expected = 2 * (x + shift.dx_px) - 3 * (y + shift.dy_px)
    inner = (slice(6, -6), slice(6, -6))
    np.testing.assert_allclose(shifted(2 * x - 3 * y, shift)[inner], expected[inner], atol=1e-3)
    holed = np.where(np.random.default_rng(0).random((30, 40)) < 0.1, np.nan, 0.3)
    result = shifted(holed, shift)
    np.testing.assert_allclose(result[np.isfinite(result)], 0.3, rtol=1e-5)


@given(shift=shifts)
def test_the_clear_mask_is_that_of_the_values(shift: Shift) -> None:
    clear = np.random.default_rng(2).random((13, 17)) > 0.2
    values = np.where(clear, 0.2, np.nan)
    assert np.array_equal(shifted_clear(clear, shift), np.isfinite(shifted(values, shift)))


def test_classes_come_from_the_nearest_pixel() -> None:
    classes = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert shifted_classes(classes, Shift(0.4, -0.4)).tolist() == classes.tolist()
    assert shifted_classes(classes, Shift(0.6, -0.6), outside=99).tolist() == [
        [99, 99, 99, 99],
        [1, 2, 3, 99],
        [5, 6, 7, 99],
    ]


@pytest.mark.parametrize("shift", [Shift(0.0, 3.0), Shift(0.5, 0.5), Shift(-0.2, 1.3)])
def test_noise_is_smoothed_by_as_much_as_said(shift: Shift) -> None:
    noise = np.random.default_rng(3).normal(size=(300, 300))
    assert np.nanstd(shifted(noise, shift)) == pytest.approx(noise_gain(shift), rel=0.01)


def test_nothing_stays_nothing() -> None:
    assert shifted(np.zeros((0, 4, 4)), Shift(0.5, 0.5)).shape == (0, 4, 4)
    assert np.isnan(shifted(np.full((3, 3), np.nan), Shift(0.5, 0.5))).all()
