from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from imagery.change.harmonic_kernels import TILE_PX
from imagery.change.harmonics import (
    LOOKS_FOR_ORDER,
    MIN_VALUES,
    PRIOR_LOOKS,
    RIDGE,
    design_matrix,
    fit,
    orbits_told_apart,
    order_for,
)

START = date(2020, 1, 3)
RESOLUTION = 1e-4


def days_of(looks: int, step: int = 17) -> list[date]:
    return [START + timedelta(days=step * number) for number in range(looks)]


def season(days: list[date], level: float = 0.2, amplitude: float = 0.05) -> NDArray[np.float64]:
    angle = 2 * np.pi * np.array([day.toordinal() for day in days]) / 365.25
    return level + amplitude * np.cos(angle) - 0.3 * amplitude * np.sin(2 * angle)


def middle(sizes: NDArray[np.float64], depth: int) -> float:
    """Return the lower median, cut off after its first bits like the kernel's."""
    value = np.sort(sizes)[(len(sizes) + 1) // 2 - 1].astype(np.float32)
    return float((value.view(np.int32) >> (31 - depth) << (31 - depth)).view(np.float32))


def plain_fit(values: NDArray[np.float64], design: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """One pixel and band in double precision: the steps of the kernel, written as the text has them."""
    ridge = np.full(design.shape[1], RIDGE)
    ridge[0] = 0
    inverse = np.linalg.inv(design.T @ design + np.diag(ridge))
    found: NDArray[np.float64] = inverse @ design.T @ values
    freedom = np.sqrt(len(values) / (len(values) - design.shape[1]))
    for _ in range(3):
        clip = 1.345 * max(RESOLUTION / 2, 1.4826 * freedom * middle(np.abs(values - design @ found), 12))
        for _ in range(2):
            pull = np.clip(values - design @ found, -clip, clip)
            found = found + inverse @ (design.T @ pull - ridge * found)
    sizes = np.abs(values - design @ found)
    rough = max(RESOLUTION / 2, 1.4826 * freedom * middle(sizes, 15))
    inside = sizes[sizes <= 3 * rough]
    return found, freedom * float(np.sqrt(np.mean(inside**2))) / 0.98658


def reweighted(values: NDArray[np.float64], design: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """Huber's M-estimate by iterated reweighting, run to its fixed point."""
    ridge = np.diag([0.0] + [RIDGE] * (design.shape[1] - 1))
    weights = np.ones(len(values))
    found: NDArray[np.float64] = np.zeros(design.shape[1])
    for _ in range(500):
        found = np.asarray(
            np.linalg.solve((design.T * weights) @ design + ridge, (design.T * weights) @ values)
        )
        weights = np.minimum(1, 1.345 * scale / np.maximum(np.abs(values - design @ found), 1e-12))
    return found


def with_gaps(rng: np.random.Generator, looks: int, side: int, hidden: float = 0.3) -> NDArray[np.float32]:
    clean = season(days_of(looks))[:, None, None, None] + rng.normal(0, 0.01, (looks, 2, side, side))
    clean[rng.random((looks, 2, side, side)) < 0.03] += 0.4
    history = clean.astype(np.float32)
    history[np.broadcast_to(rng.random((looks, 1, side, side)) < hidden, history.shape)] = np.nan
    return history


@pytest.mark.parametrize(("looks", "orbits"), [(9, 1), (16, 1), (40, 1), (44, 2), (66, 4)])
def test_the_kernel_does_what_the_plain_fit_does(looks: int, orbits: int) -> None:
    rng = np.random.default_rng(looks)
    history = with_gaps(rng, looks, side=12)
    names = [f"orbit {number}" for number in rng.permutation(np.arange(looks) % orbits)]
    model = fit(history, days_of(looks), names, resolution=RESOLUTION)
    design = design_matrix(days_of(looks), names, model.orbits).astype(np.float64)
    needed = [6, 9, 9, 15, 15][: 2 * order_for(looks) + 1]
    raw = np.full((2, 12, 12), np.nan)
    for band, y, x in np.ndindex(2, 12, 12):
        seen = np.isfinite(history[:, band, y, x])
        assert model.count[y, x] == seen.sum()
        if seen.sum() < MIN_VALUES:
            assert np.isnan(model.coefficients[:, band, y, x]).all()
            assert np.isnan(model.sigma[band, y, x])
            continue
        used = [column for column, least in enumerate(needed) if seen.sum() >= least]
        for column in range(5, design.shape[1]):
            with_it = design[seen, column].sum()
            if min(with_it, seen.sum() - with_it) >= 6:
                used.append(column)
        found, raw[band, y, x] = plain_fit(
            history[seen, band, y, x].astype(np.float64), design[seen][:, used]
        )
        expected = np.zeros(design.shape[1])
        expected[used] = found
        np.testing.assert_allclose(model.coefficients[:, band, y, x], expected, atol=2e-4)
    variance = raw**2
    share = model.count / (model.count + PRIOR_LOOKS)
    typical = np.nanmedian(variance, axis=(1, 2), keepdims=True)
    sigma = np.sqrt(share * variance + (1 - share) * typical + RESOLUTION**2)
    np.testing.assert_allclose(model.sigma, sigma, rtol=0.02)


def test_steps_enough_to_be_at_the_fixed_point_of_reweighting() -> None:
    rng = np.random.default_rng(4)
    days = days_of(60)
    design = design_matrix(days, [""] * 60, [""]).astype(np.float64)
    history = (season(days)[:, None, None, None] + rng.normal(0, 0.01, (60, 1, 8, 8))).astype(np.float32)
    history[rng.random(history.shape) < 0.05] += 0.4
    model = fit(history, days, resolution=RESOLUTION)
    away = []
    for y, x in np.ndindex(8, 8):
        exact = reweighted(history[:, 0, y, x].astype(np.float64), design, float(model.sigma[0, y, x]))
        away.append(np.abs(design @ (model.coefficients[:, 0, y, x] - exact)).mean())
    assert np.median(away) < 0.05 * 0.01  # a twentieth of one look's noise
    assert np.quantile(away, 0.9) < 0.1 * 0.01
    plain = [np.linalg.lstsq(design, history[:, 0, y, x], rcond=None)[0] for y, x in np.ndindex(8, 8)]
    errors = [design @ each - season(days) for each in plain]
    ours = design @ model.coefficients[:, 0].reshape(5, -1) - season(days)[:, None]
    assert np.median(np.abs(ours)) < 0.15 * np.median(np.abs(errors))


def test_orders_follow_the_number_of_looks_and_of_values() -> None:
    assert LOOKS_FOR_ORDER == (0, 12, 24)
    rng = np.random.default_rng(1)
    for looks, order in ((11, 0), (12, 1), (23, 1), (24, 2)):
        history = rng.normal(0.2, 0.01, (looks, 1, 1, 20)).astype(np.float32)
        for pixel in range(20):
            history[pixel:, 0, 0, pixel] = np.nan
        model = fit(history, days_of(looks), resolution=RESOLUTION)
        assert model.order == order
        harmonics = [(np.nan_to_num(model.coefficients[k : k + 2, 0, 0]) != 0).all(axis=0) for k in (1, 3)]
        values = np.minimum(np.arange(20), looks)
        assert np.array_equal(harmonics[0], (values >= 9) & (order >= 1))
        assert np.array_equal(harmonics[1], (values >= 15) & (order >= 2))
        assert np.array_equal(np.isnan(model.sigma[0, 0]), values < MIN_VALUES)


def test_an_orbit_needs_enough_looks_for_a_level_of_its_own() -> None:
    assert orbits_told_apart(["b"] * 8 + ["a"] * 8 + ["c"] * 5) == ("a", "b")
    assert orbits_told_apart([]) == ()
    names = ["r61"] * 18 + ["r32"] * 12
    rng = np.random.default_rng(2)
    history = rng.normal(0.2, 0.002, (30, 1, 6, 6)).astype(np.float32)
    history[18:] += np.float32(0.03)
    days = [START + timedelta(days=11 * int(place)) for place in rng.permutation(30)]
    model = fit(history, days, names, resolution=RESOLUTION)
    known, unknown = (model.predict(START, orbit)[0].mean() for orbit in ("r32", "r999"))
    assert known - unknown == pytest.approx(0.03, abs=0.002)
    assert model.knows("r61") and not model.knows("r999")


def test_leverage_is_the_variance_of_the_prediction() -> None:
    rng = np.random.default_rng(3)
    days, later = days_of(36, 9), START + timedelta(days=360)
    design = design_matrix(days, [""] * 36, [""])
    model = fit(rng.normal(0.2, 0.01, (36, 1, 200, 20)).astype(np.float32), days, resolution=RESOLUTION)
    predicted, leverage = model.predict(later)
    row = design_matrix([later], [""], [""])[0].astype(np.float64)
    gram = design.T.astype(np.float64) @ design + np.diag([0.0] + [RIDGE] * 4)
    assert np.allclose(leverage, row @ np.linalg.inv(gram) @ row, rtol=1e-3)
    assert predicted.var() / 0.01**2 == pytest.approx(float(leverage[0, 0]), rel=0.12)


def test_a_season_that_was_never_seen_has_a_large_leverage_and_a_bounded_prediction() -> None:
    rng = np.random.default_rng(6)
    summers = [date(year, 6, 1) + timedelta(days=6 * n) for year in (2019, 2020, 2021) for n in range(9)]
    history = rng.normal(0.2, 0.01, (27, 1, 8, 8)).astype(np.float32)
    model = fit(history, summers, resolution=RESOLUTION)
    seen, unseen = model.predict(date(2022, 6, 20))[1], model.predict(date(2022, 12, 20))[1]
    assert seen.max() < 0.5 and unseen.min() > 10
    assert np.abs(model.predict(date(2022, 12, 20))[0] - 0.2).max() < 0.3


@given(st.integers(0, 2**32 - 1), st.integers(1, 70), st.integers(1, 9))
@settings(max_examples=25)
def test_a_pixel_is_fitted_alike_wherever_it_lies(seed: int, looks: int, columns: int) -> None:
    rng = np.random.default_rng(seed)
    history = with_gaps(rng, looks, side=columns)
    model = fit(history, days_of(looks), resolution=RESOLUTION)
    wide = np.full((looks, 2, columns, columns + TILE_PX), np.nan, dtype=np.float32)
    wide[..., TILE_PX:] = history
    again = fit(wide, days_of(looks), resolution=RESOLUTION)
    assert again.coefficients[..., TILE_PX:].tobytes() == model.coefficients.tobytes()
    assert again.sigma[..., TILE_PX:].tobytes() == model.sigma.tobytes()


def test_no_looks_no_model() -> None:
    model = fit(np.empty((0, 2, 3, 4), dtype=np.float32), [], resolution=RESOLUTION)
    predicted, leverage = model.predict(START)
    assert np.isnan(predicted).all() and np.isnan(leverage).all() and not model.count.any()


# The reference CCDC: its days count from year 0 (366 more than ours), temperatures are hundredths of a
# degree Celsius in the coefficients and tenths of a kelvin in the observations.

SEGMENTS_OF_ALL_LOOKS = (724785, 733201)
"""Segments that the reference fitted to just the looks inside them: it fits again only now and then."""


def ccdc(test_data: Path) -> tuple[NDArray[np.float64], dict[tuple[int, int], NDArray[np.float64]]]:
    folder = test_data / "imagery" / "ccdc-landsat-pixels"
    seen = np.loadtxt(folder / "test_3657_3610_observations.csv", delimiter=",")
    seen = seen[np.argsort(seen[:, 0], kind="stable")]
    clear = (seen[:, 8] <= 1) & ((seen[:, 1:7] > 0) & (seen[:, 1:7] < 10000)).all(axis=1)
    seen = seen[clear]
    seen[:, 7] = 10 * seen[:, 7] - 27315
    rows = np.loadtxt(folder / "test_3657_3610_coefficients.csv", delimiter=",").reshape(-1, 8, 9)
    return seen, {(int(each[0, 0]) - 366, int(each[0, 1]) - 366): each[:, 2:] for each in rows}


def ccdc_design(days: NDArray[np.float64]) -> NDArray[np.float64]:
    angle = 2 * np.pi * (days + 366) / 365.25
    waves = [wave(k * angle) for k in (1, 2, 3) for wave in (np.cos, np.sin)]
    return np.stack([np.ones_like(days), days + 366, *waves], axis=1)


def lasso(design: NDArray[np.float64], values: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
    mean, spread = design[:, 1:].mean(axis=0), design[:, 1:].std(axis=0)
    columns = (design[:, 1:] - mean) / spread
    left = values - values.mean()
    found = np.zeros(columns.shape[1])
    for _ in range(400):
        for place, column in enumerate(columns.T):
            pull = column @ left / len(values) + found[place]
            new = np.sign(pull) * max(abs(pull) - penalty, 0)
            left = left - column * (new - found[place])
            found[place] = new
    slopes = found / spread
    return np.concatenate([[values.mean() - mean @ slopes], slopes])


def segment_looks(
    seen: NDArray[np.float64], span: tuple[int, int], model: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the looks of a segment without the outliers that the reference screens in green and swir16."""
    inside = seen[(seen[:, 0] >= span[0]) & (seen[:, 0] <= span[1])]
    size = np.abs(inside[:, 1:8] - ccdc_design(inside[:, 0]) @ model)[:, [1, 4]]
    kept: NDArray[np.float64] = inside[(size < 3 * 1.4826 * np.median(size, axis=0)).all(axis=1)]
    return kept


def test_the_reference_ccdc_is_read_as_it_was_written(test_data: Path) -> None:
    seen, segments = ccdc(test_data)
    checked = 0
    for span, model in segments.items():
        if span[0] + 366 not in SEGMENTS_OF_ALL_LOOKS:
            continue
        looks = segment_looks(seen, span, model)
        design = ccdc_design(looks[:, 0])[:, :4]  # fewer than 24 looks: one harmonic
        for band in range(7):
            ours = design @ lasso(design, looks[:, 1 + band], penalty=20)
            np.testing.assert_allclose(ours, design @ model[:4, band], atol=2.0)  # counts of 1e-4
            checked += 1
    assert checked == 14


def test_predictions_agree_with_the_reference_ccdc(test_data: Path) -> None:
    # The reference has a trend, up to three harmonics and a lasso, and does not fit again at every look. Its
    # trend is taken off the looks first. What then differs must be of the size of a fit's own error, the
    # square root of coefficients over looks: 0.3 to 0.5 of the scatter of one look, and at most 0.7.
    seen, segments = ccdc(test_data)
    ratios = []
    for span, model in segments.items():
        looks = segment_looks(seen, span, model)
        if len(looks) < 12:
            continue
        design = ccdc_design(looks[:, 0])
        trend = np.outer(design[:, 1] - design[:, 1].mean(), model[1])
        history = (looks[:, 1:8] - trend).astype(np.float32)[..., None, None]
        days = [date.fromordinal(int(day)) for day in looks[:, 0]]
        ours = fit(history, days, resolution=1.0)
        if ours.order < 2 and model[4:6].any():
            continue  # the reference uses its second harmonic from 18 looks on, we from 24
        predicted = np.array([ours.predict(day)[0][:, 0, 0] for day in days]) + trend
        scatter = np.sqrt(np.mean(np.square(looks[:, 1:8] - design @ model), axis=0))
        ratios.append(np.sqrt(np.mean(np.square(predicted - design @ model), axis=0)) / scatter)
    assert len(ratios) == 7
    assert np.median(ratios) < 0.4
    assert np.max(ratios) < 0.7
