from __future__ import annotations

import numpy as np
import pytest

from imagery.change.controls import NO_CONTROLS, controls, surroundings
from imagery.change.extent import Extent, fractions_of, measure
from imagery.change.kinds import Kind, index, kind_of
from imagery.change.matched import Place, Residuals
from imagery.change.search import Shapes, find_peak, yardstick
from imagery.change.templates import listed_fractions, profile

JOIN = np.eye(2, dtype=np.float32)
CONTRAST = (0.15, -0.10)
SIDE = 33


def seen(
    rng: np.random.Generator,
    width: float,
    height: float,
    sigma: float,
    centre: tuple[float, float],
    looks: int = 3,
) -> list[Residuals]:
    rows = profile(height, centre[0] - 16, radius=16)
    columns = profile(width, centre[1] - 16, radius=16)
    share = np.outer(rows, columns)
    frames = []
    for _ in range(looks):
        values = np.stack([each * share + rng.normal(0, sigma, share.shape) for each in CONTRAST])
        frames.append(Residuals(values.astype(np.float32), np.full(values.shape, sigma**2, np.float32)))
    return frames


def measured(rng: np.random.Generator, width: float, height: float, sigma: float = 0.02) -> Extent:
    centre = (16 + rng.uniform(-0.5, 0.5), 16 + rng.uniform(-0.5, 0.5))
    fractions = fractions_of(seen(rng, width, height, sigma, centre), CONTRAST, JOIN)
    return measure(fractions, (16.0, 16.0), most=3.0)


@pytest.mark.parametrize(("width", "height"), [(1.7, 1.2), (2.0, 2.0), (4.0, 4.0), (10.0, 4.0)])
def test_the_interval_of_the_area_holds_it(width: float, height: float) -> None:
    rng = np.random.default_rng(1)
    found = [measured(rng, width, height) for _ in range(60)]
    true = width * height
    held = np.mean([each.interval_px[0] <= true <= each.interval_px[1] for each in found])
    assert held >= 0.85
    assert np.median([each.area_px for each in found]) == pytest.approx(true, rel=0.15)
    assert {each.is_ambiguous for each in found} == {true < 9}


def test_below_nine_pixels_a_dull_large_and_a_bright_small_roof_cannot_be_told_apart() -> None:
    found = measured(np.random.default_rng(2), 1.0, 1.0, sigma=0.03)
    low, high = found.interval_px
    assert found.patch is None and found.square is not None
    assert high > 2 * low
    assert found.scale <= 3.0


def test_a_change_of_pixels_with_sharp_edges_is_counted_to_the_pixel() -> None:
    values = np.zeros((2, SIDE, SIDE), dtype=np.float32)
    values[0, 10:16, 12:18], values[1, 10:16, 12:18] = CONTRAST
    frame = Residuals(values, np.full_like(values, 1e-5))
    found = measure(fractions_of([frame], CONTRAST, JOIN), (12.0, 14.0))
    assert found.area_px == pytest.approx(36)
    assert found.patch is not None
    assert found.patch[10:16, 12:18].all() and found.patch.sum() == 36


def test_a_patch_far_larger_than_what_was_found_is_not_taken_for_it() -> None:
    values = np.zeros((2, SIDE, SIDE), dtype=np.float32)
    values[0, 4:28, 4:28], values[1, 4:28, 4:28] = CONTRAST
    fractions = fractions_of([Residuals(values, np.full_like(values, 1e-3))], CONTRAST, JOIN)
    whole, part = (measure(fractions, (16.0, 16.0), largest_px=most) for most in (600.0, 100.0))
    assert whole.patch is not None and whole.area_px == pytest.approx(24**2)
    assert part.is_ambiguous and part.area_px <= 14**2


def test_what_is_unknown_counts_for_nothing() -> None:
    values = np.full((2, SIDE, SIDE), np.nan, dtype=np.float32)
    frame = Residuals(values, np.full_like(values, 1e-4))
    fractions = fractions_of([frame], CONTRAST, JOIN)
    assert not fractions.values.any() and not fractions.weight.any()
    found = measure(fractions, (16.0, 16.0))
    assert found.is_ambiguous and np.isfinite(found.area_px)


FIELD = {"blue": 0.04, "green": 0.07, "red": 0.05, "nir": 0.35, "swir16": 0.18}
SOIL = {"blue": 0.08, "green": 0.11, "red": 0.14, "nir": 0.22, "swir16": 0.30}
ROOF = {"blue": 0.22, "green": 0.24, "red": 0.26, "nir": 0.30, "swir16": 0.28}
WATER = {"blue": 0.06, "green": 0.07, "red": 0.05, "nir": 0.03, "swir16": 0.01}
STUBBLE = {"blue": 0.05, "green": 0.08, "red": 0.08, "nir": 0.20, "swir16": 0.22}


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        (FIELD, ROOF, Kind.NEW_BRIGHT_ROOF),
        (SOIL, ROOF, Kind.NEW_BRIGHT_ROOF),
        (FIELD, SOIL, Kind.CLEARED_GROUND),
        (FIELD, WATER, Kind.FLOODED),
        (SOIL, WATER, Kind.FLOODED),
        (ROOF, SOIL, Kind.DEMOLISHED),
        (FIELD, STUBBLE, Kind.VEGETATION_LOSS),
        (SOIL, FIELD, Kind.OTHER),
    ],
)
def test_a_kind_is_named_with_its_evidence(
    before: dict[str, float], after: dict[str, float], kind: Kind
) -> None:
    found = kind_of(before, {band: after[band] - before[band] for band in before})
    assert found.kind is kind
    assert found.values["NDVI"] == pytest.approx((index(before, "nir", "red"), index(after, "nir", "red")))
    assert found.text.startswith(f"{kind} (NDVI ")


def test_without_bands_nothing_is_named() -> None:
    assert kind_of({}, {"red": 0.2}).text == "other"
    assert kind_of({"swir22": 0.2}, {"swir22": 0.2}).kind is Kind.OTHER


def frame_with(rng: np.random.Generator, places: list[tuple[int, int]], side: int = 64) -> Residuals:
    values = rng.normal(0, 0.01, (2, side, side)).astype(np.float32)
    for row, column in places:
        values[:, row : row + 2, column : column + 2] += 0.1
    return Residuals(values, np.full_like(values, 1e-4))


def test_a_site_that_moves_with_its_surroundings_does_not_stand_out() -> None:
    rng = np.random.default_rng(3)
    weights = np.zeros((64, 64), dtype=np.float32)
    weights[26:38, 26:38] = 1
    shapes, context = Shapes.searching(weights), surroundings(weights)
    yard = yardstick([frame_with(rng, []) for _ in range(4)], shapes, JOIN)
    alone = frame_with(rng, [(30, 30)])
    peak = find_peak(alone, shapes, yard)
    assert peak is not None
    found = controls([alone], peak.place, peak.score, shapes, yard, context)
    assert found.blocks >= 6 and found.share_above == 0 and found.level < peak.score
    everywhere = frame_with(rng, [(row, column) for row in range(2, 62, 8) for column in range(2, 62, 8)])
    peak = find_peak(everywhere, shapes, yard)
    assert peak is not None
    found = controls([everywhere], peak.place, peak.score, shapes, yard, context)
    assert found.level > 0.8 * peak.score and found.share_above > 0.05
    assert not context[26:38, 26:38].any() and context[0, 0]


def test_a_drawn_footprint_has_controls_of_its_own_shape() -> None:
    rng = np.random.default_rng(4)
    weights = np.zeros((64, 64), dtype=np.float32)
    weights[30:32, 30:32] = 1
    shapes = Shapes.listing(listed_fractions(weights))
    yard = yardstick([frame_with(rng, []) for _ in range(6)], shapes, JOIN)
    alone = frame_with(rng, [(30, 30)])
    peak = find_peak(alone, shapes, yard)
    assert peak is not None
    found = controls([alone], peak.place, peak.score, shapes, yard, surroundings(weights))
    assert found.blocks > 50 and found.level < 0.5 * peak.score
    nowhere = np.zeros((64, 64), dtype=np.bool_)
    assert controls([alone], peak.place, peak.score, shapes, yard, nowhere) == NO_CONTROLS


def test_a_frame_without_room_has_no_controls() -> None:
    rng = np.random.default_rng(5)
    weights = np.ones((64, 64), dtype=np.float32)
    shapes = Shapes.searching(weights)
    yard = yardstick([frame_with(rng, []) for _ in range(2)], shapes, JOIN)
    place = Place(2.0, (0.0, 0.0), 5, 5)
    assert controls([frame_with(rng, [])], place, 5.0, shapes, yard, surroundings(weights)) == NO_CONTROLS
