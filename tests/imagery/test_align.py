from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from imagery.align import AlignSettings, estimate_shift
from imagery.resampling import shifted
from imagery.shift import Misaligned, MisalignedReason, Shift, settled
from imagery.subpixel import TAPS, bell_taps, detail, eroded, smoothed, whole_correlations

PAD = 12


def moved(image: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """Return the image with its content moved right and down, exactly but for its edges."""
    fy, fx = np.fft.fftfreq(image.shape[0])[:, None], np.fft.fftfreq(image.shape[1])
    spectrum = np.fft.fft2(image) * np.exp(-2j * np.pi * (fx * dx + fy * dy))
    shifted: np.ndarray = np.fft.ifft2(spectrum).real
    return shifted


def texture(rng: np.random.Generator, side: int = 64, sigma: float = 1.5) -> np.ndarray:
    noise = ndimage.gaussian_filter(rng.normal(size=(side + 2 * PAD,) * 2), sigma, mode="wrap")
    scaled: np.ndarray = noise / noise.std()
    return scaled


def inner(image: np.ndarray) -> np.ndarray:
    return image[PAD:-PAD, PAD:-PAD]


def found(look: np.ndarray, reference: np.ndarray, **options: float) -> Shift:
    shift = estimate_shift(look, reference, settings=AlignSettings(**options))  # type: ignore[arg-type]
    assert isinstance(shift, Shift), shift
    return shift


@pytest.mark.parametrize(("dx", "dy"), [(0.0, 0.0), (0.3, -0.7), (-1.2, 0.5), (1.0, 1.0)])
@pytest.mark.parametrize("gain", [1.3, -0.8])
def test_a_shift_is_found_whatever_gain_and_bias(dx: float, dy: float, gain: float) -> None:
    rng = np.random.default_rng(1)
    ground = texture(rng)
    look = gain * inner(moved(ground, dx, dy)) + 4 + 0.1 * rng.normal(size=(64, 64))
    shift = found(look, inner(ground))
    assert (shift.dx_px, shift.dy_px) == pytest.approx((dx, dy), abs=0.02)
    assert shift.correlation * np.sign(gain) > 0.95


def test_the_error_is_as_large_as_the_covariance_says() -> None:
    rng = np.random.default_rng(2)
    squares, errors = [], []
    for _ in range(120):
        ground = texture(rng)
        truth = rng.uniform(-1, 1, 2)
        look = inner(moved(ground, *truth)) + rng.normal(size=(64, 64))
        shift = found(look, inner(ground) + rng.normal(size=(64, 64)), floor_px=0.0)
        error = np.array([shift.dx_px, shift.dy_px]) - truth
        errors.append(error)
        squares.append(error @ np.linalg.solve(shift.covariance, error) / 2)
    assert 0.75 < np.mean(squares) < 1.35
    assert np.abs(np.mean(errors, axis=0)).max() < 0.02
    assert np.sqrt(np.mean(np.square(errors))) < 0.1


def test_change_and_missed_cloud_do_not_pull() -> None:
    rng = np.random.default_rng(3)
    ground = texture(rng)
    look = inner(moved(ground, 0.4, -0.3)) + 0.1 * rng.normal(size=(64, 64))
    look[20:32, 24:40] += 5  # built
    look[48:, 40:] = 9 + rng.normal(size=(16, 24))  # cloud
    shift = found(look, inner(ground))
    assert (shift.dx_px, shift.dy_px) == pytest.approx((0.4, -0.3), abs=0.05)


def test_gaps_in_either_image_and_the_mask_are_left_out() -> None:
    rng = np.random.default_rng(4)
    ground = texture(rng)
    look, reference = inner(moved(ground, -0.6, 0.2)).copy(), inner(ground).copy()
    look[:20, :30], reference[50:, 10:40] = np.nan, np.nan
    mask = np.ones((64, 64), dtype=bool)
    mask[30:40, 50:] = False
    look[30:40, 50:] = 1e6
    shift = estimate_shift(look, reference, mask)
    assert isinstance(shift, Shift)
    assert (shift.dx_px, shift.dy_px) == pytest.approx((-0.6, 0.2), abs=0.02)
    assert 0 < shift.clear_px < (np.isfinite(look) & np.isfinite(reference) & mask).sum()


def test_bands_of_opposite_contrast_are_joined() -> None:
    rng = np.random.default_rng(5)
    grounds = [texture(rng), texture(rng)]
    look = np.stack([inner(moved(ground, 0.5, 0.8)) for ground in grounds]) * np.array([2, -1])[:, None, None]
    reference = np.stack([inner(ground) for ground in grounds])
    noise = rng.normal(size=(2, 2, 64, 64))
    joint = found(look + noise[0], reference + noise[1])
    single = found(look[1] + noise[0, 1], reference[1] + noise[1, 1], max_sigma_px=1.0)
    assert (joint.dx_px, joint.dy_px) == pytest.approx((0.5, 0.8), abs=0.15)
    assert joint.sigma_px < single.sigma_px


def reason(look: np.ndarray, reference: np.ndarray) -> MisalignedReason:
    refused = estimate_shift(look, reference)
    assert isinstance(refused, Misaligned)
    assert refused.reason.value in refused.text
    return refused.reason


def test_what_cannot_be_aligned_is_refused_with_its_reason() -> None:
    rng = np.random.default_rng(6)
    ground = texture(rng)
    reference = inner(ground)
    assert reason(inner(moved(ground, 1.9, 0.4)), reference) is MisalignedReason.FAR
    cloudy = reference.copy()
    cloudy[4:] = np.nan
    assert reason(cloudy, reference) is MisalignedReason.FEW_CLEAR
    furrows = np.add.outer(np.zeros(64), np.sin(np.arange(64.0)))  # say nothing of up and down
    assert reason(*(furrows + 0.2 * rng.normal(size=(2, 64, 64)))) is MisalignedReason.UNCERTAIN
    assert reason(np.ones((64, 64)), reference) is MisalignedReason.UNLIKE
    assert reason(reference, np.ones((64, 64))) is MisalignedReason.UNLIKE


def test_unrelated_images_never_align() -> None:
    rng = np.random.default_rng(7)
    for _ in range(40):
        assert isinstance(estimate_shift(inner(texture(rng)), inner(texture(rng))), Misaligned)


@given(
    seed=st.integers(0, 10_000),
    rows=st.integers(1, 40),
    columns=st.integers(1, 40),
    bands=st.integers(1, 3),
    reach=st.integers(1, 7),
)
@settings(max_examples=80)
def test_whatever_is_clear_there_is_an_answer(
    seed: int, rows: int, columns: int, bands: int, reach: int
) -> None:
    """Speckles, strips, constants and frames smaller than a kernel: a value each, and no warning."""
    rng = np.random.default_rng(seed)
    look, reference = (
        rng.normal(size=(2, bands, rows, columns)) * rng.choice([0, 1e-6, 1, 1e4], 2)[:, None, None, None]
    )
    look[:, rng.random((rows, columns)) < rng.choice([0, 0.02, 0.5])] = np.nan
    look[:, rng.random(rows) < rng.choice([0, 0.1])] = np.inf
    chosen = AlignSettings(min_clear_px=1, reach_px=reach)
    answer = estimate_shift(look, reference, settings=chosen)
    assert isinstance(answer, Misaligned) or np.isfinite(answer.covariance).all()


@pytest.mark.parametrize("reach", [0, 8])
def test_a_search_beyond_the_padding_is_refused(reach: int) -> None:
    with pytest.raises(ValueError, match="reach_px"):
        AlignSettings(reach_px=reach)


def test_images_of_two_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        estimate_shift(np.zeros((4, 4)), np.zeros((4, 5)))


def test_the_same_images_give_the_same_bits() -> None:
    ground = texture(np.random.default_rng(8), side=150)
    look, reference = inner(moved(ground, 0.2, 0.1)), inner(ground)
    assert estimate_shift(look, reference) == estimate_shift(look.copy(), reference.copy())


def test_what_is_known_beforehand_draws_a_shift_towards_none() -> None:
    sure, vague = Shift(1.0, 0.0, 1e-6, 1e-6), Shift(1.0, 0.5, 0.16, 0.16, clear_px=7)
    kept, half = settled(sure, 0.4), settled(vague, 0.4)
    assert isinstance(kept, Shift) and isinstance(half, Shift)
    assert kept.dx_px == pytest.approx(1, abs=1e-4)
    assert (half.dx_px, half.dy_px, half.var_x, half.clear_px) == pytest.approx((0.5, 0.25, 0.08, 7))
    bare = settled(Misaligned(MisalignedReason.UNCERTAIN, 9, 0.2, 5), 0.4)
    assert isinstance(bare, Shift)
    assert (bare.dx_px, bare.var_x) == pytest.approx((0, 0.16))
    far = Misaligned(MisalignedReason.FAR, 9, 1.5, 5)
    assert settled(far) is far


def test_passes_agree_with_plain_numpy() -> None:
    rng = np.random.default_rng(9)
    image, other = (rng.normal(size=(20, 23)).astype(np.float32) for _ in range(2))
    mask = rng.random((20, 23)) > 0.05
    assert np.array_equal(eroded(mask, 1) > 0, ndimage.binary_erosion(mask, np.ones((3, 3))))
    bell = bell_taps(0.3, 0.9, TAPS)
    padded = np.pad(image, ((3, 4), (3, 4)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (TAPS, TAPS))
    np.testing.assert_allclose(
        smoothed(image, bell, bell), np.einsum("yxij,i,j->yx", windows, bell, bell), atol=1e-5
    )
    padded = np.pad(np.where(mask, image, np.nan), 2, constant_values=np.nan)
    means = np.nanmean(np.lib.stride_tricks.sliding_window_view(padded, (5, 5)), axis=(2, 3))
    np.testing.assert_allclose(detail(image, mask, 2), np.where(mask, image - means, 0), atol=1e-5)
    clear = mask.astype(np.float32)
    table = whole_correlations(image * clear, other * clear, clear, 2, 1)
    here, there = mask[:-1, 2:], mask[1:, :-2]  # dy 1, dx -2
    both = here & there
    expected = np.corrcoef(other[:-1, 2:][both], image[1:, :-2][both])[0, 1]
    assert table[3, 0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("band", [2, 3, 4])
def test_real_ground_between_two_dates_of_other_light(test_data: Path, band: int) -> None:
    """Two years lie between the dates; what is known is by how much more one copy was moved than another."""
    folder = test_data / "imagery/landsat-taizhou-pair"
    with rasterio.open(folder / "taizhou_2000-03-17.tif") as source:
        before = source.read(band).astype(np.float64)
    with rasterio.open(folder / "taizhou_2003-02-06.tif") as source:
        after = source.read(band).astype(np.float64)
    rng = np.random.default_rng(band)
    window = (slice(100, 260), slice(60, 220))
    still = found(after[window], before[window])
    for dx, dy in ((0.25, -0.4), (-0.8, 0.6)):
        look = (0.8 * moved(after, dx, dy) + 9 + rng.normal(size=after.shape))[window]
        look[:40, 50:90] = np.nan
        shift = found(look, before[window])
        assert (shift.dx_px - still.dx_px, shift.dy_px - still.dy_px) == pytest.approx((dx, dy), abs=0.1)


def test_a_year_of_fields_aligns_on_looks_of_the_same_season(test_data: Path) -> None:
    """Nobody knows how these dates lie, but red and near infrared must agree, and a move must be found."""
    days = ["2019-07-21", "2019-08-05", "2019-08-15", "2019-08-20", "2019-08-30"]
    looks = []
    for day in days:
        with rasterio.open(test_data / "imagery/s2-valladolid-fields" / f"s2_{day}.tif") as source:
            counts = source.read().astype(np.float64)
        looks.append(np.where((counts[:2] > 0).all(axis=0) & np.isin(counts[2], (4, 5)), counts[:2], np.nan))
    for number, look in enumerate(looks):
        reference = np.median([other for at, other in enumerate(looks) if at != number], axis=0)
        red, nir = (found(a, b, max_sigma_px=1.0) for a, b in zip(look, reference, strict=True))
        joint = found(look, reference)
        assert (red.dx_px, red.dy_px) == pytest.approx((nir.dx_px, nir.dy_px), abs=0.15)
        assert joint.sigma_px < 0.15
        by = np.array([0.4, -0.3])
        again = found(shifted(look, Shift(*-by)), reference, max_shift_px=2.5)
        assert np.array([again.dx_px, again.dy_px]) - (joint.dx_px, joint.dy_px) == pytest.approx(by, abs=0.1)
