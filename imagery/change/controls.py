"""Did the surroundings move too? The same template, the same day, everywhere around the site.

The context is cut into blocks as large as the site. The largest score of each block says what a place
without any reason to change shows on that day under the same search; a site that does not stand out from
them shows the weather, not a change of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imagery.change.matched import MIN_COVER
from imagery.change.search import Shapes, Yardstick, alone, maps_of, summed, thrice, together
from imagery.change.templates import square

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.change.matched import Place, Residuals
    from imagery.change.search import LookMaps

QUANTILE = 0.9
"""A site's score must lie above that of nine in ten blocks of its surroundings."""

MIN_BLOCKS = 6
"""Fewer blocks than these don't speak for the surroundings."""

MARGIN_PX = 4
"""Ground around the site that belongs to neither: what changed reaches over the site's edge."""

_MIN_BLOCK_PX = 8
_BLOCKS_ACROSS = 6
_MAX_LISTED = 150


@dataclass(frozen=True, slots=True)
class Controls:
    """What the surroundings show under the same template."""

    blocks: int
    """How many there were."""
    level: float
    """The score that nine in ten stay below; 0 where there are too few."""
    share_above: float
    """Share of the blocks whose score reaches the site's."""
    is_passed: bool
    """Whether the site's lies at the level or above it, or there are too few."""


NO_CONTROLS = Controls(0, 0.0, 0.0, is_passed=True)


def surroundings(weights: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return the pixels that are context: outside the site and a margin around it, ``(y, x)``."""
    site = ndimage.binary_dilation(weights > 0, iterations=MARGIN_PX)
    return np.asarray(~site, dtype=np.bool_)


def controls(
    frames: Sequence[Residuals],
    place: Place,
    score: float,
    shapes: Shapes,
    yard: Yardstick,
    context: NDArray[np.bool_],
) -> Controls:
    """Compare a site's score with that of its surroundings.

    Args:
        frames: Residuals of the whole frame: of one look, of two or three that agree, or of more that add up.
        place: The template that scored; only its shape counts here.
        score: The site's.
        shapes: What is looked for, on a window of the frame.
        yard: The site's own scatter.
        context: ``(y, x)``: see `surroundings`.
    """
    if place.is_listed:
        largest = _listed(frames, shapes, yard, context)
    else:
        only = Shapes.one(square(place.side_px, place.phase), context)
        own = Yardstick(yard.join, yard.of(shapes, place.side_px)[None])
        # Nobody knows how rough the surroundings are: they and the site are compared without it.
        score *= math.sqrt(yard.rough_at(shapes, place))
        (scores,) = joint([maps_of(frame, only, own) for frame in frames], own)
        largest = _block_maxima(np.where(context, scores, -1), _block_px(shapes, min(scores.shape)))
    if len(largest) < MIN_BLOCKS:
        return NO_CONTROLS
    level = float(np.quantile(largest, QUANTILE))
    return Controls(len(largest), level, float((largest >= score).mean()), is_passed=score >= level)


def joint(maps: Sequence[LookMaps], yard: Yardstick) -> list[NDArray[np.float32]]:
    """Return the score of one look alone, of two or three that agree, or of the sum of more."""
    if len(maps) == 1:
        return alone(maps[0], yard)
    if len(maps) == _TWO:
        return together(maps[0], maps[1], yard)
    return thrice(maps, yard) if len(maps) == _THREE else summed(maps, yard)


_TWO, _THREE = 2, 3


def _block_px(shapes: Shapes, frame_px: int) -> int:
    """Return the side of a block: as many places as the site is searched at, but several in a frame."""
    places = int(shapes.allowed.any(axis=0).sum())
    return max(min(math.isqrt(places), frame_px // _BLOCKS_ACROSS), _MIN_BLOCK_PX)


def _block_maxima(scores: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Return the largest score of each block that is mostly judged."""
    found = []
    rows, columns = scores.shape
    for row in range(0, rows - side + 1, side):
        for column in range(0, columns - side + 1, side):
            block = scores[row : row + side, column : column + side]
            if (block >= 0).mean() >= MIN_COVER:
                found.append(block.max())
    return np.array(found, dtype=np.float32)


def _listed(
    frames: Sequence[Residuals], shapes: Shapes, yard: Yardstick, context: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return the score of the drawn footprint at places of the context, side by side."""
    if shapes.listed is None:
        return np.zeros(0, dtype=np.float32)
    rows, columns = np.nonzero(shapes.listed > 0)
    shape = shapes.listed[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    height, width = shape.shape
    places = [
        (row, column)
        for row in range(0, context.shape[0] - height + 1, height)
        for column in range(0, context.shape[1] - width + 1, width)
        if context[row : row + height, column : column + width].all()
    ]
    found: list[float] = []
    for row, column in places[:: max(1, len(places) // _MAX_LISTED)]:
        part = (slice(row, row + height), slice(column, column + width))
        here = [frame.part(part) for frame in frames]
        maps = [maps_of(frame, Shapes.listing(shape), yard) for frame in here]
        found.append(float(joint(maps, yard)[0][0, 0]))
    return np.array([each for each in found if each >= 0], dtype=np.float32)
