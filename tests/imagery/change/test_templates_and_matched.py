from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from imagery.change.agreement import agreed, agreed_thrice
from imagery.change.matched import (
    UNSEEN,
    Place,
    Reading,
    Residuals,
    band_join,
    inflations,
    joined,
    joined_score,
    map_of,
    reading_at,
    standardised,
)
from imagery.change.roughness import PRIOR_LOOKS, roughness
from imagery.change.search import (
    Shapes,
    Yardstick,
    alone,
    find_peak,
    fractions_at,
    maps_of,
    quiet_scores,
    read,
    smoothed,
    summed,
    top,
    yardstick,
)
from imagery.change.templates import PSF_SIGMA_PX, listed_fractions, profile, square, squares

SIDE = 32
BANDS = 2
SIGMA = np.array([0.01, 0.02], dtype=np.float32)


def noise(rng: np.random.Generator, sigma: np.ndarray = SIGMA) -> Residuals:
    values = rng.normal(size=(BANDS, SIDE, SIDE)) * sigma[:, None, None]
    variance = np.broadcast_to(np.square(sigma)[:, None, None], values.shape)
    return Residuals(values.astype(np.float32), variance.astype(np.float32).copy())


def _zs(pair: tuple[np.ndarray, np.ndarray], join: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return pair[0], join, pair[1]


def painted(width: float, height: float, centre: tuple[float, float] = (0.0, 0.0)) -> np.ndarray:
    """Return the fractions of a rectangle on 15 x 15 pixels, by brute force: 40 samples a pixel."""
    fine, half = 40, 7
    at = (np.arange((2 * half + 1) * fine) + 0.5) / fine - half - 0.5
    inside = [np.abs(at - middle) <= size / 2 for middle, size in zip(centre, (height, width), strict=True)]
    image = np.outer(*inside).astype(float)
    blurred = ndimage.gaussian_filter(image, PSF_SIGMA_PX * fine, mode="constant", truncate=6)
    middle = slice(fine // 2, None, fine)
    return np.asarray(blurred[middle, middle])


@pytest.mark.parametrize("template", squares(), ids=lambda each: f"{each.side_px:g}{each.phase}")
def test_a_square_is_what_painting_and_blurring_it_gives(template: object) -> None:
    assert isinstance(template, type(square(1.0)))
    expected = painted(template.side_px, template.side_px, template.phase)
    reach = template.rows.size // 2
    shown = expected[7 - reach : 8 + reach, 7 - reach : 8 + reach]
    np.testing.assert_allclose(template.fractions, shown, atol=0.03)
    assert template.fractions.sum() == pytest.approx(template.side_px**2, rel=0.01)


@given(st.floats(0.5, 12), st.floats(-0.5, 0.5))
def test_a_profile_keeps_the_length(side: float, phase: float) -> None:
    fractions = profile(side, phase)
    assert fractions.sum() == pytest.approx(side, rel=0.02)
    assert (fractions >= 0).all() and (fractions <= 1).all()


def test_the_transfer_function_is_a_quarter_at_nyquist() -> None:
    assert math.exp(-2 * (math.pi * PSF_SIGMA_PX * 0.5) ** 2) == pytest.approx(0.25, abs=0.001)


def test_a_drawn_market_of_17_m_by_12_m_matches_its_picture() -> None:
    weights = np.zeros((15, 15), dtype=np.float32)
    weights[6:9, 6:9] = np.outer([0.1, 1.0, 0.1], [0.35, 1.0, 0.35])
    drawn, true = listed_fractions(weights), painted(1.7, 1.2)
    assert drawn.sum() == pytest.approx(2.04, rel=1e-5)
    likeness = (drawn * true).sum() / np.sqrt(np.square(drawn).sum() * np.square(true).sum())
    assert likeness > 0.99
    assert drawn.max() == pytest.approx(true.max(), abs=0.08)


def test_every_place_agrees_with_the_sum_written_out() -> None:
    rng = np.random.default_rng(1)
    residuals = noise(rng)
    residuals.variance[:] *= rng.uniform(0.5, 2, residuals.variance.shape).astype(np.float32)
    residuals.values[:, 4:7, 20:25] = np.nan
    join = band_join(rng.normal(size=(BANDS, 500)))
    inflation = np.array([1.5, 1.0], dtype=np.float32)
    for template in (square(1.0, (0.5, 0.0)), square(4.0, (0.0, 0.5))):
        scores = joined(*_zs(map_of(residuals, template, inflation, join), join))
        reach = template.rows.size // 2
        for row, column in ((0, 0), (5, 19), (16, 16), (31, 3), (4, 22)):
            corner = row - reach, column - reach
            reading = reading_at(residuals, template.fractions, inflation, corner)
            # The score map sees what lies outside the window as unknown, as the reading does.
            expected = joined_score(reading, join) if reading.is_known else -1.0
            assert scores[row, column] == pytest.approx(expected, rel=2e-4)


def test_what_is_hidden_is_not_read() -> None:
    residuals = noise(np.random.default_rng(2))
    residuals.values[:, 10:20, 10:20] = np.nan
    template = square(2.0)
    ones = np.ones(BANDS, dtype=np.float32)
    assert reading_at(residuals, template.fractions, ones, (12, 12)) == UNSEEN
    assert joined_score(UNSEEN, np.eye(BANDS, dtype=np.float32)) == 0.0
    eye = np.eye(BANDS, dtype=np.float32)
    assert joined(*_zs(map_of(residuals, template, ones, eye), eye))[15, 15] == -1
    _, power = standardised(residuals, template)
    assert power[15, 15] == 0 and power[3, 3] == pytest.approx(1)


def test_contrast_is_unbiased_and_its_error_honest() -> None:
    rng = np.random.default_rng(3)
    template, true = square(2.0, (0.5, 0.5)), np.array([0.05, -0.03])
    ones = np.ones(BANDS, dtype=np.float32)
    found, errors = [], []
    for _ in range(400):
        residuals = noise(rng)
        residuals.values[:, 10:17, 10:17] += (true[:, None, None] * template.fractions[:7, :7]).astype(
            np.float32
        )
        reading = reading_at(residuals, template.fractions, ones, (10, 10))
        found.append(reading.contrast)
        errors.append(reading.error)
    error = np.mean(errors, axis=0)
    np.testing.assert_allclose(np.mean(found, axis=0), true, atol=4 * error.max() / 20)
    np.testing.assert_allclose(np.std(found, axis=0), error, rtol=0.1)


def test_correlated_bands_are_joined_so_that_noise_scores_as_if_they_were_not() -> None:
    rng = np.random.default_rng(4)
    common = rng.normal(size=20_000)
    z = np.stack([common + 0.3 * rng.normal(size=20_000) for _ in range(3)])
    z /= z.std(axis=1, keepdims=True)
    join = band_join(z)
    assert np.einsum("an,ab,bn->n", z, join, z).mean() == pytest.approx(3, rel=0.15)
    np.testing.assert_array_equal(band_join(np.full((3, 10), np.nan)), np.eye(3))
    assert np.isfinite(band_join(np.stack([common, common, common]))).all()


def test_inflation_sees_what_neighbours_share_and_not_one_bad_look() -> None:
    rng = np.random.default_rng(5)
    bank, inside = squares(), np.ones((SIDE, SIDE), dtype=np.bool_)
    white = [noise(rng) for _ in range(8)]
    np.testing.assert_allclose(inflations(white, bank, inside), 1, atol=0.35)
    shared = []
    for _ in range(8):
        smooth = ndimage.gaussian_filter(rng.normal(size=(BANDS, SIDE, SIDE)), (0, 1.5, 1.5))
        smooth *= (SIGMA / smooth.std(axis=(1, 2)))[:, None, None]
        shared.append(Residuals(smooth.astype(np.float32), white[0].variance))
    wide = inflations(shared, bank, inside)
    assert (wide[-1] > 2 * wide[0]).all()
    outlier = Residuals(shared[0].values * 20, shared[0].variance)
    np.testing.assert_allclose(inflations([*shared, outlier], bank, inside), wide, rtol=0.4)


def weights_of(rows: slice, columns: slice) -> np.ndarray:
    weights = np.zeros((SIDE, SIDE), dtype=np.float32)
    weights[rows, columns] = 1
    return weights


def test_a_planted_roof_is_found_where_it_stands_and_nothing_outside_the_site_counts() -> None:
    rng = np.random.default_rng(6)
    shapes = Shapes.searching(weights_of(slice(6, 26), slice(6, 26)))
    quiet = [noise(rng) for _ in range(12)]
    yard = yardstick(quiet, shapes, np.eye(BANDS, dtype=np.float32))
    usual = np.median(quiet_scores(quiet, shapes, yard))
    look = noise(rng)
    template = square(2.0, (0.5, 0.5))
    look.values[:, 12:19, 12:19] += np.float32(0.08) * template.fractions[:7, :7]
    look.values[:, 1:4, 1:4] += 0.5
    peak = find_peak(look, shapes, yard)
    assert peak is not None and peak.score > 2 * usual
    assert abs(peak.place.row - 15) <= 1 and abs(peak.place.column - 15) <= 1
    assert peak.place.side_px == 2.0
    assert peak.reading.contrast == pytest.approx((0.08, 0.08), abs=0.02)
    hidden = np.zeros((SIDE, SIDE), dtype=np.bool_)
    hidden[10:20, 10:20] = True
    rest = find_peak(look, shapes, yard, hidden)
    assert rest is not None and rest.score < 1.4 * usual


def test_a_drawn_footprint_is_one_place_and_needs_less() -> None:
    rng = np.random.default_rng(7)
    fractions = listed_fractions(weights_of(slice(14, 16), slice(14, 16)))
    shapes = Shapes.listing(fractions)
    quiet = [noise(rng) for _ in range(30)]
    yard = yardstick(quiet, shapes, np.eye(BANDS, dtype=np.float32))
    searching = Shapes.searching(weights_of(slice(6, 26), slice(6, 26)))
    wide = yardstick(quiet, searching, np.eye(BANDS, dtype=np.float32))
    assert np.median(quiet_scores(quiet, shapes, yard)) < 0.5 * np.median(
        quiet_scores(quiet, searching, wide)
    )
    peak = find_peak(quiet[0], shapes, yard)
    assert peak is not None and peak.place.is_listed
    assert fractions_at(peak.place, shapes)[0] is fractions
    assert read(quiet[0], peak.place, shapes, yard) == peak.reading
    with pytest.raises(ValueError, match="without a drawn footprint"):
        fractions_at(peak.place, searching)


def test_a_look_that_shows_nothing_has_no_peak() -> None:
    unknown = Residuals(
        np.full((BANDS, SIDE, SIDE), np.nan, dtype=np.float32), noise(np.random.default_rng(8)).variance
    )
    for shapes in (
        Shapes.searching(np.ones((SIDE, SIDE), np.float32)),
        Shapes.listing(np.ones((SIDE, SIDE), np.float32)),
    ):
        yard = yardstick([unknown], shapes, np.eye(BANDS, dtype=np.float32))
        assert find_peak(unknown, shapes, yard) is None
        assert quiet_scores([unknown], shapes, yard).size == 0


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4))
def test_a_site_smaller_than_a_square_can_still_be_searched(rows: int, columns: int) -> None:
    shapes = Shapes.searching(weights_of(slice(10, 10 + rows), slice(10, 10 + columns)))
    assert all(allowed.any() for allowed in shapes.allowed)


def test_whitening_against_what_fields_share_is_the_inverse_of_the_whole_correlation() -> None:
    rng = np.random.default_rng(9)
    for count in (1, 2, 3):
        spread = rng.normal(size=(4, 4))
        correlation = spread @ spread.T + np.eye(4)
        join = np.linalg.inv(correlation).astype(np.float32)
        error, contrast = rng.uniform(0.01, 0.03, 4), rng.normal(0, 0.05, 4)
        drifts = rng.normal(0, 0.05, (count, 4))
        reading = Reading(tuple(contrast), tuple(error), tuple(map(tuple, drifts)))
        shared = drifts / error
        whole = np.linalg.inv(correlation + shared.T @ shared)
        z = contrast / error
        assert joined_score(reading, join) == pytest.approx(np.sqrt(z @ whole @ z), rel=1e-4)


def test_maps_and_readings_are_whitened_alike() -> None:
    residuals = noise(np.random.default_rng(10))
    shared = np.array([[0.02, -0.03], [0.01, 0.02]], dtype=np.float32)
    drifts = np.broadcast_to(shared[:, :, None, None], (2, BANDS, SIDE, SIDE)).copy()
    residuals = Residuals(residuals.values, residuals.variance, drifts)
    join, ones = np.eye(BANDS, dtype=np.float32), np.ones(BANDS, dtype=np.float32)
    for template in (square(1.0, (0.5, 0.0)), square(4.0)):
        scores = joined(*_zs(map_of(residuals, template, ones, join), join))
        reach = template.rows.size // 2
        for row, column in ((16, 16), (12, 20)):
            reading = reading_at(residuals, template.fractions, ones, (row - reach, column - reach))
            assert scores[row, column] == pytest.approx(joined_score(reading, join), rel=1e-3)


def test_two_looks_agree_on_what_both_show_and_one_loud_look_agrees_with_nothing() -> None:
    rng = np.random.default_rng(11)
    join = band_join(rng.normal(size=(BANDS, 500)) + rng.normal(size=500))
    one, other = (rng.normal(size=(BANDS, 6, 6)).astype(np.float32) for _ in range(2))
    seen = np.ones((6, 6), dtype=np.bool_)
    seen[0, 0] = False
    found = agreed(one, other, join, seen)
    for row, column in ((0, 1), (3, 4), (5, 5)):
        a, b = one[:, row, column], other[:, row, column]
        sizes = np.sqrt([a @ join @ a, b @ join @ b])
        assert found[row, column] == pytest.approx(np.sqrt(2) * (a @ join @ b) / sizes.max(), rel=1e-4)
    assert found[0, 0] == -1
    loud = agreed(100 * one, other, join, seen)
    assert loud[1:].max() < 10
    equal = agreed(5 * one, 5 * one, join, seen)
    np.testing.assert_allclose(equal[1:], np.sqrt(2) * joined(5 * one, join, seen)[1:], rtol=1e-4)


def test_three_looks_agree_on_what_all_show_and_two_loud_ones_agree_with_no_third() -> None:
    rng = np.random.default_rng(13)
    join = band_join(rng.normal(size=(BANDS, 500)) + rng.normal(size=500))
    one, two, three = (rng.normal(size=(BANDS, 6, 6)).astype(np.float32) for _ in range(3))
    seen = np.ones((6, 6), dtype=np.bool_)
    seen[0, 0] = False
    found = agreed_thrice(one, two, three, join, seen)
    for row, column in ((0, 1), (3, 4), (5, 5)):
        here = [each[:, row, column] for each in (one, two, three)]
        total = np.sum(here, axis=0)
        along = [each @ join @ total / np.sqrt(total @ join @ total) for each in here]
        assert found[row, column] == pytest.approx(np.sqrt(3) * min(along), rel=1e-3, abs=1e-4)
    assert found[0, 0] == -1
    loud = agreed_thrice(100 * one, 100 * one, two, join, seen)
    assert loud[1:].max() < 10
    equal = agreed_thrice(5 * one, 5 * one, 5 * one, join, seen)
    np.testing.assert_allclose(equal[1:], np.sqrt(3) * joined(5 * one, join, seen)[1:], rtol=1e-4)


def test_a_place_that_history_saw_scatter_takes_a_larger_departure() -> None:
    rng = np.random.default_rng(14)
    shapes = Shapes.searching(weights_of(slice(6, 26), slice(6, 26)))
    frames = [noise(rng) for _ in range(24)]
    for frame in frames[::3]:
        frame.values[:, 20:23, 20:23] += rng.choice([-1, 1]) * 0.15
    even = yardstick(frames, shapes, np.eye(BANDS, dtype=np.float32))
    maps = [maps_of(frame, shapes, even) for frame in frames]
    rough = roughness([alone(each, even) for each in maps], shapes, BANDS)
    assert rough.min() == 1
    assert rough[0, 21, 21] > 3
    assert np.median(rough[0, 8:18, 8:18]) < 1.2
    one_bad_day = roughness(
        [alone(maps[0], even)] + [alone(each, even) for each in maps[1::3]], shapes, BANDS
    )
    assert one_bad_day[0, 21, 21] < 16 / PRIOR_LOOKS + 1.5
    yard = Yardstick(even.join, even.inflation, rough)
    place = Place(1.0, (0.0, 0.0), 21, 21)
    plain, wide = (read(frames[0], place, shapes, each) for each in (even, yard))
    assert np.allclose(np.array(wide.error), np.sqrt(rough[0, 21, 21]) * np.array(plain.error))
    np.testing.assert_allclose(
        smoothed(maps[0], yard).z[0][:, 21, 21],
        maps[0].z[0][:, 21, 21] / np.sqrt(rough[0, 21, 21]),
        rtol=1e-5,
    )


def test_one_loud_look_cannot_stand_for_a_sum() -> None:
    rng = np.random.default_rng(12)
    weights = weights_of(slice(6, 26), slice(6, 26))
    shapes = Shapes.searching(weights)
    yard = yardstick([noise(rng) for _ in range(6)], shapes, np.eye(BANDS, dtype=np.float32))
    quiet = [maps_of(noise(rng), shapes, yard) for _ in range(6)]
    usual = top(summed(quiet, yard), shapes)
    bright = noise(rng)
    bright.values[:, 12:18, 12:18] += 1.0
    loud = top(summed([*quiet[:5], maps_of(bright, shapes, yard)], yard), shapes)
    faint = [noise(rng) for _ in range(6)]
    for look in faint:
        look.values[:, 14:16, 14:16] += 0.03
    lasting = top(summed([maps_of(look, shapes, yard) for look in faint], yard), shapes)
    assert usual is not None and loud is not None and lasting is not None
    assert loud[0] < 1.5 * usual[0] < lasting[0]
    assert abs(lasting[1].row - 14) <= 1 and abs(lasting[1].column - 14) <= 1
