from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
import scipy.stats
from scipy.ndimage import binary_dilation

from imagery.change.pair import (
    PairResult,
    PairSettings,
    compare,
    noise_multiple,
    normalisation,
    smoothing_kernel,
    unchanged_median,
)

if TYPE_CHECKING:
    from pathlib import Path


def _noise(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    if kind == "gaussian":
        return rng.normal(size=shape)
    if kind == "poisson":
        return rng.poisson(20, size=shape).astype(np.float64)
    if kind == "uint8":
        return np.rint(rng.normal(60, 2, size=shape))
    gaps = rng.normal(size=shape)
    gaps[:, rng.random(shape[1:]) < 0.2] = np.nan
    return gaps


def _false_regions(kind: str, bands: int, side: int, seeds: int) -> int:
    fired = 0
    for seed in range(seeds):
        rng = np.random.default_rng([seed, bands, side])
        shape = (bands, side, side)
        fired += bool(compare(_noise(kind, rng, shape), _noise(kind, rng, shape)).changed.any())
    return fired


@pytest.mark.parametrize("kind", ["gaussian", "poisson", "uint8", "gaps"])
@pytest.mark.parametrize("bands", [1, 2, 3, 4, 5, 6, 7])
def test_noise_has_no_regions(kind: str, bands: int) -> None:
    assert _false_regions(kind, bands, 32, seeds=8) == 0


@pytest.mark.parametrize("bands", [1, 3, 6])
def test_large_noise_has_no_regions(bands: int) -> None:
    assert _false_regions("gaussian", bands, 200, seeds=1) == 0


@pytest.mark.parametrize("bands", [1, 2, 6])
def test_noise_multiple_bounds_smoothed_chi_square(bands: int) -> None:
    rng = np.random.default_rng(bands)
    kernel = smoothing_kernel(0.7)
    patch = np.outer(kernel, kernel).ravel()
    draws = rng.chisquare(bands, size=(100_000, patch.size)) @ patch
    reach = noise_multiple(bands, 10, 0.7) ** 2 * np.median(draws)
    assert (draws > reach).mean() == pytest.approx(1e-3, abs=5e-4)


def _scene(seed: int, bands: int = 4, side: int = 120) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = np.random.default_rng(seed)
    ground = np.repeat(np.repeat(rng.uniform(0.02, 0.4, (bands, side // 4, side // 4)), 4, axis=1), 4, axis=2)
    before = ground + rng.normal(0, 0.01, ground.shape)
    after = 0.8 * ground + 0.03 + rng.normal(0, 0.01, ground.shape)
    return before, after, rng


def _planted(share: float, rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    truth = np.zeros(shape, dtype=bool)
    while truth.mean() < share:
        row, column = rng.integers(0, shape[0] - 6), rng.integers(0, shape[1] - 6)
        truth[row : row + 6, column : column + 6] = True
    return truth


@pytest.mark.parametrize("share", [0.01, 0.05, 0.2, 0.4])
def test_finds_what_was_planted_and_little_else(share: float) -> None:
    before, after, rng = _scene(1)
    truth = _planted(share, rng, before.shape[1:])
    after[:, truth] = np.roll(after, 37, axis=2)[:, truth] + np.array([0.15, 0.1, -0.15, 0.1])[:, None]
    changed = compare(before, after).changed
    ring = binary_dilation(truth, iterations=1) & ~truth
    assert changed[truth].mean() > 0.95
    assert changed[~truth & ~ring].mean() < 0.01


def test_nothing_changed_nothing_found() -> None:
    before, after, _ = _scene(2)
    assert compare(before, after).changed_fraction == 0


def test_the_same_picture_twice_has_no_regions_and_one_edit_is_found() -> None:
    before, _, _ = _scene(7)
    assert not compare(before, 2 * before + 1).changed.any()
    edited = before.copy()
    edited[:, 50:56, 50:60] += 0.1
    assert np.array_equal(np.argwhere(compare(before, edited).changed)[[0, -1]], [[50, 50], [55, 59]])


def test_gaps_are_not_judged_and_small_patches_dropped() -> None:
    before, after, _ = _scene(3)
    after[0, :30] = np.nan
    after[:, 60, 60:62] += 0.5
    result = compare(before, after)
    assert not result.judged[:30].any() and result.judged[30:].all()
    assert np.isnan(result.score[:30]).all() and np.isnan(result.difference[:, :30]).all()
    assert not result.changed.any()
    assert compare(before, after, PairSettings(min_pixels=1)).changed[60, 60:62].all()


def test_nothing_to_judge_is_an_outcome_and_not_an_error() -> None:
    empty = np.full((3, 20, 20), np.nan, dtype=np.float32)
    result = compare(empty, empty)
    assert np.isnan(result.threshold) and not result.judged.any() and not result.changed.any()
    assert result.changed_fraction == 0


def test_normalisation_finds_gain_and_offset_despite_change() -> None:
    before, after, rng = _scene(4)
    truth = _planted(0.1, rng, before.shape[1:])
    after[:, truth] += 0.3
    result = compare(before, after)
    np.testing.assert_allclose(result.gain, 1 / 0.8, rtol=0.03)
    np.testing.assert_allclose(result.offset, -0.03 / 0.8, atol=0.01)
    assert abs(np.median(result.difference[:, ~truth])) < 0.003
    assert np.median(result.difference[:, truth]) == pytest.approx(0.3 / 0.8, rel=0.05)


def test_normalisation_keeps_a_constant_band() -> None:
    before, after, _ = _scene(5)
    before[0], after[0] = 0.2, 0.3
    gain, offset = normalisation(before, after, np.ones(before.shape[1:]))
    assert gain[0] == 1.0
    assert offset[0] == pytest.approx(-0.1)


def test_unchanged_median_withstands_two_fifths() -> None:
    rng = np.random.default_rng(0)
    quiet = np.abs(rng.normal(2, 0.5, 6000))
    both = np.concatenate([quiet, rng.uniform(8, 20, 4000)])
    assert unchanged_median(both) == pytest.approx(np.median(quiet), rel=0.02)


def test_thirteen_bands_and_sixteen_bits() -> None:
    before, after, _ = _scene(6, bands=13, side=80)
    counts = np.rint(np.stack([before, after]).clip(0) * 1e4).astype(np.uint16).astype(np.float32)
    counts[1, :, 40:50, 40:50] += 2000
    result = compare(counts[0], counts[1])
    assert result.changed[41:49, 41:49].all()
    assert result.changed.sum() < 200


def _read(path: Path) -> np.ndarray:
    with rasterio.open(path) as source:
        pixels: np.ndarray = source.read().astype(np.float32)
    return pixels


@pytest.fixture(scope="module")
def taizhou(test_data: Path) -> tuple[PairResult, np.ndarray, np.ndarray]:
    folder = test_data / "imagery" / "landsat-taizhou-pair"
    result = compare(_read(folder / "taizhou_2000-03-17.tif"), _read(folder / "taizhou_2003-02-06.tif"))
    change, unchanged = (_read(folder / f"label_{name}.tif")[0] > 0 for name in ("change", "unchanged"))
    return result, change, unchanged


def test_taizhou_scores_rank_the_labels(taizhou: tuple[PairResult, np.ndarray, np.ndarray]) -> None:
    result, change, unchanged = taizhou
    greater, _ = scipy.stats.mannwhitneyu(result.score[change], result.score[unchanged])
    assert greater / (change.sum() * unchanged.sum()) >= 0.997


def test_taizhou_default_threshold_splits_the_labels(
    taizhou: tuple[PairResult, np.ndarray, np.ndarray],
) -> None:
    result, change, unchanged = taizhou
    hits, false, missed = (
        (result.changed & change).sum(),
        (result.changed & unchanged).sum(),
        (~result.changed & change).sum(),
    )
    assert 2 * hits / (2 * hits + false + missed) >= 0.95
    assert false / unchanged.sum() < 0.02
