from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from imagery.change.medians import medians
from imagery.change.series import (
    common_shift,
    control_level,
    history_threshold,
    joint_score,
    judge,
)
from imagery.change.spec import WatchSpec
from imagery.model import Outcome

SIDE = 48
RESOLUTION = 1e-4


def _spec(side: int = SIDE, **rules: float) -> WatchSpec:
    weights = np.zeros((side, side), dtype=np.float32)
    weights[16:32, 16:32] = 1
    return WatchSpec(weights, pixel_area_m2=900.0, **rules)  # type: ignore[arg-type]  # whole numbers among them


def _stack(rng: np.random.Generator, looks: int = 12, bands: int = 3, side: int = SIDE) -> np.ndarray:
    ground = rng.uniform(0.05, 0.35, (bands, side, side))
    haze = rng.normal(0, 0.02, (looks, bands, 1, 1))
    return (ground + haze + rng.normal(0, 0.01, (looks, bands, side, side))).astype(np.float32)


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(1, 9), st.integers(1, 4)),
        elements=st.one_of(st.just(np.float32("nan")), st.integers(-3, 3).map(np.float32)),
    )
)
@settings(max_examples=200, deadline=None)
def test_leave_one_out_medians_are_those_of_the_others(values: np.ndarray) -> None:
    before = values.copy()
    median, others = medians(values)
    assert np.array_equal(values, before, equal_nan=True)
    for pixel in range(values.shape[1]):
        column = values[:, pixel]
        known = column[np.isfinite(column)]
        np.testing.assert_equal(median[pixel], np.median(known) if known.size else np.nan)
        for time, value in enumerate(column):
            rest = np.delete(column, time)
            rest = rest[np.isfinite(rest)]
            expected = np.median(rest) if rest.size and np.isfinite(value) else np.nan
            np.testing.assert_equal(others[time, pixel], expected)


def test_medians_never_sort_their_input() -> None:
    values = np.arange(12, dtype=np.float32)[::-1].reshape(1, 3, 4)
    before = values.copy()
    common_shift(values)
    medians(values)
    assert np.array_equal(values, before)


def test_score_of_noise_is_the_same_beside_gaps() -> None:
    rng = np.random.default_rng(0)
    z = rng.normal(size=(200, 2, 20, 20))
    z[:, :, ::2, ::3] = np.nan
    score = joint_score(z)
    assert np.isnan(score[:, ::2, ::3]).all()
    level = np.sqrt(np.square(score).mean(axis=0))
    assert np.nanmin(level) > 0.27 and np.nanmax(level) < 0.40  # a third, as for nine pixels


def test_quiet_looks_stay_unchanged() -> None:
    outcomes = []
    for seed in range(30):
        stack = _stack(np.random.default_rng(seed))
        outcomes.append(judge(stack[-1], stack[:-1], _spec(), resolution=RESOLUTION).outcome)
    assert outcomes.count(Outcome.UNCHANGED) == len(outcomes)


@pytest.mark.parametrize(("size", "contrast"), [(2, 0.12), (3, 0.06), (6, 0.05)])
def test_planted_patches_are_found(size: int, contrast: float) -> None:
    found = 0
    for seed in range(10):
        stack = _stack(np.random.default_rng(seed))
        truth = np.zeros((SIDE, SIDE), dtype=bool)
        truth[20 : 20 + size, 22 : 22 + size] = True
        look = stack[-1].copy()
        look[:, truth] += np.array([contrast, -contrast, contrast], dtype=np.float32)[:, None]
        result = judge(look, stack[:-1], _spec(), resolution=RESOLUTION)
        found += result.outcome is Outcome.CHANGED and bool(result.outline[truth].any())
        assert result.outline.sum() <= (size + 2) ** 2
        assert abs(np.nanmean(result.residual[0][truth]) - contrast) < 0.02
    assert found == 10


@pytest.mark.parametrize("contrast", [0.3, 1.0])
@pytest.mark.parametrize("size", [3, 4, 7])
def test_a_strong_change_is_outlined_to_the_pixel(size: int, contrast: float) -> None:
    stack = _stack(np.random.default_rng(8), looks=13)
    planted = np.zeros((SIDE, SIDE), dtype=np.bool_)
    planted[20 : 20 + size, 21 : 21 + size] = True
    values = stack[-1] + contrast * planted
    result = judge(values.astype(np.float32), stack[:-1], _spec(), resolution=RESOLUTION)
    np.testing.assert_array_equal(result.outline, planted)


def test_half_a_frame_that_moved_does_not_drag_the_rest_along() -> None:
    stack = _stack(np.random.default_rng(1))
    look = stack[-1].copy()
    look[:, :, : int(SIDE * 0.4)] += 0.1
    result = judge(look, stack[:-1], _spec(), resolution=RESOLUTION)
    assert abs(np.nanmedian(result.residual[:, :, 24:])) < 0.005
    assert result.control_share is not None and result.control_share > 0.3


def test_a_site_must_stand_out_from_moving_surroundings() -> None:
    stack = _stack(np.random.default_rng(2))
    look = stack[-1].copy()
    look[:, :, 20:] += np.array([0.08, -0.08, 0.08], dtype=np.float32)[:, None, None]
    quiet = judge(look, stack[:-1], _spec(), resolution=RESOLUTION)
    look[:, 20:26, 20:26] += np.array([0.2, -0.2, 0.2], dtype=np.float32)[:, None, None]
    loud = judge(look, stack[:-1], _spec(), resolution=RESOLUTION)
    assert loud.threshold > 1.5 * judge(stack[-1], stack[:-1], _spec(), resolution=RESOLUTION).threshold
    assert loud.outcome is Outcome.CHANGED
    assert quiet.control_share is not None and quiet.control_share > 0.2


def test_a_whole_frame_that_moved_is_obscured() -> None:
    stack = _stack(np.random.default_rng(3))
    hazy = judge(stack[-1] + np.float32(0.4), stack[:-1], _spec(), resolution=RESOLUTION)
    assert hazy.outcome is Outcome.OBSCURED
    assert hazy.frame_shift > 4


def test_usual_haze_is_taken_off() -> None:
    stack = _stack(np.random.default_rng(4))
    result = judge(stack[-1] + np.float32(0.03), stack[:-1], _spec(), resolution=RESOLUTION)
    assert result.outcome is Outcome.UNCHANGED
    assert abs(np.median(result.residual)) < 0.003


@pytest.mark.parametrize("looks", [0, 1, 5])
def test_too_few_looks_are_learning(looks: int) -> None:
    stack = _stack(np.random.default_rng(5), looks=looks + 1)
    result = judge(stack[-1], stack[:-1], _spec(), resolution=RESOLUTION)
    assert result.outcome is Outcome.LEARNING
    assert np.isnan(result.threshold) and not result.judged.any()


def test_pixels_without_enough_history_are_not_judged() -> None:
    stack = _stack(np.random.default_rng(6), looks=9)
    stack[:4, :, 16:20, 16:32] = np.nan
    result = judge(stack[-1], stack[:-1], _spec(), resolution=RESOLUTION)
    assert result.outcome is Outcome.UNCHANGED
    assert not result.judged[16:20, 16:32].any() and result.judged[20:].all()
    stack[:4, :, 16:30, 16:32] = np.nan
    assert judge(stack[-1], stack[:-1], _spec(), resolution=RESOLUTION).outcome is Outcome.LEARNING


def test_a_patch_outside_the_footprint_is_context() -> None:
    stack = _stack(np.random.default_rng(7))
    look = stack[-1].copy()
    look[0, 4:9, 4:9] += 0.2
    result = judge(look, stack[:-1], _spec(), resolution=RESOLUTION)
    assert result.outcome is Outcome.UNCHANGED
    assert result.changed[5:8, 5:8].all() and not result.outline[5:8, 5:8].any()


def test_min_area_drops_small_patches() -> None:
    stack = _stack(np.random.default_rng(8))
    look = stack[-1].copy()
    look[0, 20:23, 20:23] += 0.1
    small = judge(look, stack[:-1], _spec(), resolution=RESOLUTION)
    large = judge(look, stack[:-1], _spec(min_area_m2=900.0 * 40), resolution=RESOLUTION)
    assert (small.outcome, large.outcome) == (Outcome.CHANGED, Outcome.UNCHANGED)


def test_one_hazy_look_in_the_history_does_not_blind() -> None:
    stack = _stack(np.random.default_rng(9))
    clean = judge(stack[-1], stack[:-1], _spec(), resolution=RESOLUTION).threshold
    stack[3, :, 10:30, 10:30] += 0.3
    assert judge(stack[-1], stack[:-1], _spec(), resolution=RESOLUTION).threshold < 1.5 * clean


def test_a_constant_history_does_not_divide_by_zero() -> None:
    stack = np.full((8, 2, SIDE, SIDE), 0.2, dtype=np.float32)
    look = stack[0].copy()
    assert judge(look, stack, _spec(), resolution=RESOLUTION).outcome is Outcome.UNCHANGED
    look[:, 20:24, 20:24] += 0.05
    assert judge(look, stack, _spec(), resolution=RESOLUTION).outcome is Outcome.CHANGED


def test_threshold_rules() -> None:
    own = np.zeros((5, 4, 4), dtype=np.float32)
    own[:, 0, 0] = [2, 4, 6, 90, 3]
    assert history_threshold(own) == pytest.approx(1.75 * 4)
    assert history_threshold(np.full((5, 4, 4), 0.1, dtype=np.float32)) == 4.0
    assert control_level(np.ones(10, dtype=np.float32)) == 0.0
