from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from imagery.simulate.canvas import CELL_M
from imagery.simulate.directions import directional_factor
from imagery.simulate.materials import materials
from imagery.simulate.noise import layered_noise
from imagery.simulate.optics import (
    OVERSAMPLING,
    PAD_PX,
    PSF_SIGMA_PX,
    ground_cells,
    observe_coarse,
    observe_pixels,
    rendered_px,
    taps,
)
from imagery.simulate.painting import cast_shadows
from imagery.simulate.parcels import Parcels
from imagery.simulate.planting import cover
from imagery.simulate.spec import GroundKind, Rectangle, SiteSpec

FRAME_PX = 24
SIDE = rendered_px(FRAME_PX)


def scene() -> np.ndarray:
    rng = np.random.default_rng(3)
    ground = rng.uniform(0.0, 0.2, (2, ground_cells(FRAME_PX), ground_cells(FRAME_PX))).astype(np.float32)
    ground[:, 80:93, 77:100] += 0.3
    return ground


@pytest.mark.parametrize("shift", [(0.0, 0.0), (0.31, -0.77), (-1.4, 2.05)])
def test_a_pixel_is_the_blurred_ground_at_its_shifted_centre(shift: tuple[float, float]) -> None:
    ground = scene()
    seen = observe_pixels(ground, SIDE, shift)
    centres = (np.arange(SIDE) + 0.5 + PAD_PX) * OVERSAMPLING - 0.5
    rows, columns = np.meshgrid(
        centres - shift[1] * OVERSAMPLING, centres - shift[0] * OVERSAMPLING, indexing="ij"
    )
    blurred = gaussian_filter(ground[0].astype(np.float64), PSF_SIGMA_PX * OVERSAMPLING, truncate=6.0)
    oracle = map_coordinates(blurred, [rows, columns], order=5)
    assert np.abs(seen[0] - oracle).max() < 2e-3


def test_weights_sum_to_one_and_pixels_to_the_area() -> None:
    for shift in (0.0, 0.2, -1.9):
        assert taps(10, shift).weights.sum() == pytest.approx(1.0, abs=1e-6)
    flat = np.full((1, ground_cells(FRAME_PX), ground_cells(FRAME_PX)), 0.25, dtype=np.float32)
    assert np.allclose(observe_pixels(flat, SIDE, (0.3, 0.1)), 0.25, atol=1e-6)
    assert np.allclose(observe_coarse(flat, SIDE, (0.3, 0.1)), 0.25, atol=1e-6)
    spot = np.zeros_like(flat)
    spot[0, 84:92, 80:90] = 1.0  # 20 m x 25 m
    for moved in ((0.0, 0.0), (0.4, -0.6)):
        assert observe_pixels(spot, SIDE, moved).sum() * 100 == pytest.approx(500, rel=1e-3)
        assert observe_coarse(spot, SIDE, moved).sum() * 100 == pytest.approx(500, rel=1e-2)


def test_a_positive_shift_moves_the_content_right_and_down() -> None:
    spot = np.zeros((1, ground_cells(FRAME_PX), ground_cells(FRAME_PX)), dtype=np.float32)
    spot[0, 92:96, 92:96] = 1.0
    row, column = np.indices((SIDE, SIDE))

    def centre(pixels: np.ndarray) -> np.ndarray:
        return np.array([np.average(column, weights=pixels), np.average(row, weights=pixels)])

    for view in (observe_pixels, observe_coarse):
        moved = centre(view(spot, SIDE, (0.6, -0.3))[0]) - centre(view(spot, SIDE, (0.0, 0.0))[0])
        assert moved == pytest.approx([0.6, -0.3], abs=0.15 if view is observe_coarse else 0.01)


@pytest.mark.parametrize("angle", [0.0, 31.0])
def test_the_cover_of_cells_sums_to_the_rectangle(angle: float) -> None:
    place = Rectangle(17.0, 12.0, 3.7, -8.2, angle)
    found = cover(place, ground_cells(FRAME_PX), CELL_M)
    assert found.share.sum() * CELL_M**2 == pytest.approx(204.0, rel=1e-5)
    assert found.share.max() == pytest.approx(1.0, abs=1e-6)


def test_ground_is_brighter_with_the_sun_behind_the_satellite() -> None:
    assert directional_factor(45.0, 0.0, 77.0) == pytest.approx(np.ones(6), abs=1e-6)
    back, forward = directional_factor(50.0, 9.0, 0.0), directional_factor(50.0, 9.0, 180.0)
    assert (back > forward).all()
    assert (back / forward < 1.35).all()


def test_a_shadow_is_as_long_as_the_sun_is_low_and_lies_away_from_it() -> None:
    height = np.zeros((60, 60), dtype=np.float32)
    height[30:34, 28:32] = 10.0
    shaded = cast_shadows(height, 60.0, 180.0)  # from the south, 30 degrees high: 17.3 m northwards
    assert shaded[:, 28:32].sum(axis=0).tolist() == [6, 6, 6, 6]
    assert shaded[24:30, 28:32].all()
    assert not shaded[:, :28].any() and not shaded[:, 32:].any()
    assert not cast_shadows(np.zeros((9, 9), dtype=np.float32), 60.0, 180.0).any()


def test_noise_has_unit_variance() -> None:
    axis = np.arange(300) * 10.0
    fields = [
        layered_noise(axis, axis, (300.0, 80.0), 0.6, np.random.default_rng(seed)) for seed in range(20)
    ]
    assert np.std(fields) == pytest.approx(1.0, abs=0.1)
    assert np.mean(fields) == pytest.approx(0.0, abs=0.05)


def ndvi(name: str, day: int) -> float:
    table = materials()
    _, _, red, nir, _, _ = table.curves[table.index(name), day - 1]
    return float((nir - red) / (nir + red))


def test_seasons_are_those_of_the_peninsula() -> None:
    assert ndvi("paddy", 140) < 0.2 and ndvi("paddy", 215) > 0.7  # flooded in May, green in August
    assert ndvi("paddy", 300) < 0.35
    assert ndvi("deciduous", 200) - ndvi("deciduous", 30) > 0.4
    assert abs(ndvi("conifer", 200) - ndvi("conifer", 30)) < 0.2
    assert ndvi("winter_cereal", 115) > ndvi("dry_field", 115) + 0.4
    water = materials().curves[materials().index("paddy"), 149]
    assert water[4] < 0.12  # standing water takes the short-wave infrared


def test_some_fields_change_their_crop_and_nothing_else_does() -> None:
    names = materials().names
    paddy, roof = names.index("paddy"), names.index("tile_roof")
    spec = SiteSpec("a", GroundKind.RURAL)
    parcels = Parcels(np.array([paddy] * 3000 + [roof] * 300), spec, np.random.default_rng(4))
    grown = parcels._grown
    assert 0.03 < (grown[:, :3000] != paddy).mean() < 0.07
    assert (grown[:, 3000:] == roof).all()
