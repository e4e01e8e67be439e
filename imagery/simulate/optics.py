"""From ground on a fine lattice to pixels: what the instrument's blur and a shift make of it.

The ground is constant inside each cell of a lattice `OVERSAMPLING` times finer than the pixels. A pixel is
the ground weighted by a Gaussian around its centre; the weight of a cell is the integral of that Gaussian
over it, so a shift by any part of a pixel is exact, with the aliasing that a real instrument has.

The Gaussian's sigma of 0.53 pixel belongs to a modulation transfer of 0.25 at the Nyquist frequency,
exp(-2 pi^2 sigma^2 / 4); Sentinel-2's is specified between 0.15 and 0.30 (ESA, Sentinel-2 User Handbook).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from imagery.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray

OVERSAMPLING = 4
"""Cells of the ground along a pixel's side."""

PSF_SIGMA_PX = 0.53

MARGIN_PX = 2
"""Pixels rendered around the frame, so that a cloud just outside rims it as it would inside."""

PAD_PX = 12
"""Ground around the rendered pixels, for the blur of the 20 m bands and for shifts up to 2.5 pixels."""

_REACH_SIGMAS = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Taps:
    """The weights of cells along one axis, the same for every pixel but for the stride."""

    first: int
    """Cell of the first weight of the first pixel."""
    weights: NDArray[np.float32]
    """Sum to one."""
    stride: int
    """Cells from one pixel to the next."""
    count: int
    """Pixels."""


def rendered_px(frame_px: int) -> int:
    """Return the side of what is rendered: the frame and its margin."""
    return frame_px + 2 * MARGIN_PX


def ground_cells(frame_px: int) -> int:
    """Return the side of the ground in cells."""
    return (rendered_px(frame_px) + 2 * PAD_PX) * OVERSAMPLING


def taps(count: int, shift_px: float, *, pixel: int = 1, lead: int = 0) -> Taps:
    """Return the weights along one axis for a content that is shifted by `shift_px` pixels of 10 m.

    Args:
        count: Pixels.
        shift_px: How far right or down the content lies of where it belongs.
        pixel: Side of a pixel in units of 10 m: 2 for the 20 m bands.
        lead: Pixels before the first one of the rendered frame.
    """
    stride = OVERSAMPLING * pixel
    sigma = PSF_SIGMA_PX * stride
    centre = PAD_PX * OVERSAMPLING + (0.5 - lead) * stride - shift_px * OVERSAMPLING
    first = math.floor(centre - _REACH_SIGMAS * sigma)
    edges = np.arange(first, math.ceil(centre + _REACH_SIGMAS * sigma) + 1)
    weights = np.diff(ndtr((edges - centre) / sigma))
    return Taps(first, (weights / weights.sum()).astype(np.float32), stride, count)


def observe(image: NDArray[np.float32], down: Taps, right: Taps) -> NDArray[np.float32]:
    """Return pixels ``(band, y, x)`` of ground ``(band, y, x)`` in cells."""
    bands = image.shape[0]
    out = np.empty((bands, down.count, right.count), dtype=np.float32)
    _observe(image, down.first, down.weights, down.stride, right.first, right.weights, right.stride, out)
    return out


@compiled
def _observe(
    image: NDArray[np.float32],
    first_y: int,
    weights_y: NDArray[np.float32],
    stride_y: int,
    first_x: int,
    weights_x: NDArray[np.float32],
    stride_x: int,
    out: NDArray[np.float32],
) -> None:
    cells = image.shape[2]
    line = np.empty(cells, dtype=np.float32)
    for band in range(out.shape[0]):
        for row in range(out.shape[1]):
            line[:] = 0.0
            for tap in range(weights_y.size):
                weight = weights_y[tap]
                source = image[band, first_y + stride_y * row + tap]
                for cell in range(cells):
                    line[cell] += weight * source[cell]
            target = out[band, row]
            target[:] = 0.0
            for tap in range(weights_x.size):
                weight = weights_x[tap]
                for column in range(target.size):
                    target[column] += weight * line[first_x + stride_x * column + tap]


def observe_pixels(
    image: NDArray[np.float32], rendered: int, shift_px: tuple[float, float]
) -> NDArray[np.float32]:
    """Return 10 m pixels of all bands of `image`; `shift_px` is right, down."""
    return observe(image, taps(rendered, shift_px[1]), taps(rendered, shift_px[0]))


def observe_coarse(
    image: NDArray[np.float32], rendered: int, shift_px: tuple[float, float]
) -> NDArray[np.float32]:
    """Return bands that are seen at 20 m, brought to 10 m by cubic convolution (Keys 1981, a = -1/2)."""
    count = rendered // 2 + 4
    coarse = observe(
        image, taps(count, shift_px[1], pixel=2, lead=2), taps(count, shift_px[0], pixel=2, lead=2)
    )
    return _doubled(_doubled(coarse, 1), 2)


_KEYS_QUARTER = (-0.0703125, 0.8671875, 0.2265625, -0.0234375)
"""Weights of four neighbours for a point a quarter of the way from the second to the third."""


def _doubled(values: NDArray[np.float32], axis: int) -> NDArray[np.float32]:
    moved = np.moveaxis(values, axis, -1)
    count = moved.shape[-1] - 4

    def part(weights: tuple[float, ...], start: int) -> NDArray[np.float32]:
        return sum(  # type: ignore[return-value]  # the sum of arrays is one
            np.float32(weight) * moved[..., start + tap : start + tap + count]
            for tap, weight in enumerate(weights)
        )

    out = np.empty((*moved.shape[:-1], 2 * count), dtype=np.float32)
    out[..., 0::2] = part(_KEYS_QUARTER[::-1], 0)  # a quarter before the coarse centre
    out[..., 1::2] = part(_KEYS_QUARTER, 1)
    return np.moveaxis(out, -1, axis)
