"""The ground of each kind: which parcels, of which material, how high, how rough, how steep.

The sizes are choices of ours after what such places look like from above: consolidated paddies of about
100 m by 30 to 60 m, houses on lots of 15 m, rows of flats, halls of up to 95 m.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imagery.simulate.canvas import Canvas, buildings, course, strips
from imagery.simulate.materials import materials
from imagery.simulate.noise import smooth_noise
from imagery.simulate.optics import rendered_px
from imagery.simulate.spec import PIXEL_M, GroundKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Mask = NDArray[np.bool_]

_FIELDS = {"paddy": 0.62, "dry_field": 0.22, "winter_cereal": 0.1, "grass": 0.06}
_SLOPE_FIELDS = {"dry_field": 0.75, "grass": 0.25}
_LOTS = {"bare_soil": 0.4, "dry_field": 0.25, "grass": 0.25, "deciduous": 0.1}
_TOWN = {"bare_soil": 0.3, "concrete": 0.3, "grass": 0.2, "dry_field": 0.1, "deciduous": 0.1}
_YARDS = {"yard": 0.5, "concrete": 0.25, "coal": 0.07, "grass": 0.18}
_HOUSES = {"tile_roof": 0.6, "dark_roof": 0.25, "bright_roof": 0.08, "blue_roof": 0.07}
_FLATS = {"concrete": 0.4, "tile_roof": 0.25, "dark_roof": 0.2, "bright_roof": 0.15}
_HALLS = {"dark_roof": 0.35, "bright_roof": 0.25, "blue_roof": 0.2, "concrete": 0.2}
_STREETS = {"asphalt": 0.6, "concrete": 0.25, "bare_soil": 0.15}


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """Ground as it lies there without any planted change."""

    label: NDArray[np.int32]
    """``(y, x)`` in cells: which parcel."""
    material: NDArray[np.intp]
    """``(parcel,)``: its row in `materials`."""
    height_m: NDArray[np.float32]
    """``(parcel,)``"""
    texture: NDArray[np.float32]
    """``(y, x)`` in cells: factor on the parcel's brightness."""
    slope: NDArray[np.float32] | None
    """``(2, y, x)`` in rendered pixels: rise per metre to the east and to the south; None where flat."""


def make_ground(kind: GroundKind, frame_px: int, rng: np.random.Generator) -> Ground:
    """Draw the ground of a kind."""
    canvas = Canvas(frame_px, rng)
    _PAINTERS[kind](canvas)
    material = np.concatenate(canvas.material)
    rough = materials().texture[material][canvas.label]
    texture = 1.0 + rough * (0.8 * canvas.noise(9.0) + 0.6 * canvas.noise(45.0))
    return Ground(
        canvas.label,
        material,
        np.concatenate(canvas.height_m),
        np.maximum(texture, np.float32(0.3)).astype(np.float32),
        _slope(frame_px, rng) if kind is GroundKind.MOUNTAIN else None,
    )


def _slope(frame_px: int, rng: np.random.Generator) -> NDArray[np.float32]:
    axis = np.arange(rendered_px(frame_px)) * PIXEL_M
    return np.stack([0.22 * smooth_noise(axis, axis, 260.0, rng) for _ in range(2)])


def _everywhere(canvas: Canvas) -> Mask:
    return np.ones(canvas.label.shape, dtype=np.bool_)


def _angle(canvas: Canvas) -> float:
    return float(canvas.rng.uniform(0, math.pi / 2))


def _rural(canvas: Canvas) -> None:
    _farmland(canvas, _everywhere(canvas))
    _hill(canvas, 0.4)
    _stream(canvas, 0.4)
    _village(canvas)
    _road(canvas)


def _urban(canvas: Canvas) -> None:
    _town(canvas, _everywhere(canvas))
    _stream(canvas, 0.2)
    _road(canvas)


def _mixed(canvas: Canvas) -> None:
    _farmland(canvas, _everywhere(canvas))
    _hill(canvas, 0.3)
    _stream(canvas, 0.3)
    edge = course(canvas, 60.0, canvas.rng.uniform(-120, 120)) + 40.0 * canvas.noise(80.0)
    _town(canvas, edge > 0)
    _road(canvas)


def _industrial(canvas: Canvas) -> None:
    _farmland(canvas, _everywhere(canvas))
    angle = _angle(canvas)
    works = np.abs(course(canvas, 20.0, 0.0)) < canvas.rng.uniform(200, 400)
    yards = strips(canvas, angle, (60, 130), (70, 160))
    canvas.lay(works, yards.cells, _YARDS)
    canvas.lay(works & ((yards.edge_m < 8) | (yards.end_m < 7)), yards.strip, _STREETS)
    halls, which = buildings(canvas, angle, (65, 105), (18, 50), (35, 95), 0.6)
    canvas.lay(halls & works, which, _HALLS, (7, 16))
    sheds, which = buildings(canvas, angle, (32, 28), (8, 20), (8, 20), 0.2)
    canvas.lay(sheds & works & ~halls, which, _HALLS, (4, 8))
    _village(canvas)
    _road(canvas)


def _mountain(canvas: Canvas) -> None:
    everywhere = _everywhere(canvas)
    stands = (canvas.noise(120.0) > 0.1).astype(np.intp)
    canvas.lay(
        everywhere & (stands == 0),
        strips(canvas, _angle(canvas), (90, 200), (90, 200)).cells,
        {"deciduous": 1},
    )
    canvas.lay(
        everywhere & (stands == 1), strips(canvas, _angle(canvas), (90, 200), (90, 200)).cells, {"conifer": 1}
    )
    canvas.lay(canvas.noise(70.0) > 1.3, None, {"grass": 1})
    valley = course(canvas, 60.0, canvas.rng.uniform(-80, 80))
    terraces = strips(canvas, _angle(canvas), (18, 45), (30, 90))
    canvas.lay(np.abs(valley) < canvas.rng.uniform(40, 110), terraces.cells, _SLOPE_FIELDS)
    canvas.lay(np.abs(valley) < canvas.rng.uniform(4, 9), None, {"river": 0.7, "bare_soil": 0.3})
    canvas.lay(np.abs(valley - 20) < 3, None, {"bare_soil": 0.7, "concrete": 0.3})
    houses, which = buildings(canvas, _angle(canvas), (22, 19), (7, 11), (6, 9), 0.4)
    canvas.lay(houses & (np.abs(valley - 42) < 16), which, _HOUSES, (3, 5))


def _coast(canvas: Canvas) -> None:
    _farmland(canvas, _everywhere(canvas))
    _hill(canvas, 0.5)
    _village(canvas)
    shore = course(canvas, 50.0, canvas.rng.uniform(-100, 100)) + 10.0 * canvas.noise(60.0)
    angle = _angle(canvas)
    port = (shore > -110) & (canvas.noise(260.0) > 0)
    quays = strips(canvas, angle, (40, 90), (40, 120))
    canvas.lay(port, quays.cells, {"concrete": 0.5, "yard": 0.3, "coal": 0.05, "bare_soil": 0.15})
    sheds, which = buildings(canvas, angle, (45, 60), (12, 28), (20, 50), 0.5)
    canvas.lay(sheds & port & (shore < -15), which, _HALLS, (5, 12))
    canvas.lay(shore > -8, None, {"sand": 1})
    canvas.lay(shore > 0, None, {"mud": 0.7, "sand": 0.3})
    canvas.lay(shore > canvas.rng.uniform(10, 70), None, {"sea": 1})


def _farmland(canvas: Canvas, mask: Mask) -> None:
    fields = strips(canvas, _angle(canvas), (28, 60), (60, 140))
    canvas.lay(mask, fields.cells, _FIELDS)
    canvas.lay(mask & (fields.edge_m < 3.5) & (fields.strip % 2 == 0), None, {"bare_soil": 0.6, "grass": 0.4})


def _hill(canvas: Canvas, chance: float) -> None:
    if canvas.rng.random() < chance:
        wood = canvas.noise(180.0) > 0.7
        trees = strips(canvas, _angle(canvas), (80, 160), (80, 160))
        canvas.lay(wood, trees.cells, {"conifer": 0.5, "deciduous": 0.5})


def _stream(canvas: Canvas, chance: float) -> None:
    if canvas.rng.random() < chance:
        distance = np.abs(course(canvas, 35.0, canvas.rng.uniform(-200, 200)))
        half = canvas.rng.uniform(4, 25)
        canvas.lay(distance < half + 10, None, {"grass": 0.7, "sand": 0.3})
        canvas.lay(distance < half, None, {"river": 1})


def _village(canvas: Canvas) -> None:
    angle = _angle(canvas)
    u, v = canvas.turned(0.0)
    east, south = canvas.rng.uniform(-200, 200, size=2)
    distance = np.hypot(u - east, v - south) + 25.0 * canvas.noise(60.0)
    inside = distance < canvas.rng.uniform(60, 130)
    lots = strips(canvas, angle, (14, 22), (15, 40))
    canvas.lay(inside, lots.cells, _LOTS)
    canvas.lay(inside & (lots.edge_m < 3.0), lots.strip, {"bare_soil": 0.8, "concrete": 0.2})
    houses, which = buildings(canvas, angle, (16, 14), (7, 11), (6, 9), 0.7)
    canvas.lay(houses & inside, which, _HOUSES, (3, 5))


def _town(canvas: Canvas, mask: Mask) -> None:
    angle = _angle(canvas)
    blocks = strips(canvas, angle, (45, 95), (50, 130))
    canvas.lay(mask, blocks.cells, _TOWN)
    flats_here = canvas.noise(150.0) > 0
    flats, which = buildings(canvas, angle, (28, 62), (10, 14), (30, 56), 0.75)
    canvas.lay(mask & flats & flats_here, which, _FLATS, (9, 24))
    houses, which = buildings(canvas, angle, (16, 14), (7, 12), (6, 10), 0.75)
    canvas.lay(mask & houses & ~flats_here, which, _HOUSES, (3, 5))
    canvas.lay(mask & ((blocks.edge_m < 9) | (blocks.end_m < 7)), blocks.strip, _STREETS)


def _road(canvas: Canvas) -> None:
    distance = course(canvas, 15.0, canvas.rng.uniform(-150, 150))
    canvas.lay(np.abs(distance) < canvas.rng.uniform(3, 7), None, _STREETS)


_PAINTERS: dict[GroundKind, Callable[[Canvas], None]] = {
    GroundKind.URBAN: _urban,
    GroundKind.RURAL: _rural,
    GroundKind.MIXED: _mixed,
    GroundKind.MOUNTAIN: _mountain,
    GroundKind.COAST: _coast,
    GroundKind.INDUSTRIAL: _industrial,
}
