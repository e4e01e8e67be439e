"""Where in a site its own quiet looks scatter more than elsewhere: shores, yards, the edges of fields.

A pixel's sigma knows how its values scatter around its year; it does not know that some places are now and
then far off it: parcels whose crops change, yards on which grain is dried, roofs that lose their snow first.
Such a place takes a larger departure to be as rare. Measured for each template and place is the mean square
of the scores that the looks of the history show there, each judged without itself, over their usual square
in the whole site. It is drawn towards 1 by `PRIOR_LOOKS` looks' worth, and no look counts for more than
`MOST` usual squares, so that one bad day does not blind a place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.change.search import Shapes

PRIOR_LOOKS = 6.0
"""Looks without any roughness that stand beside those of the history."""

MOST = 16.0
"""Usual squares that one look counts for at most."""

_TINY = 1e-3


def roughness(
    scores: Sequence[Sequence[NDArray[np.float32]]], shapes: Shapes, bands: int
) -> NDArray[np.float32]:
    """Return the extra variance of a score by place, ``(template, y, x)``; never below 1.

    Args:
        scores: By look, by template, ``(y, x)``: below 0 where a place was not seen.
        shapes: What is looked for.
        bands: How many bands make a score.
    """
    stacked = [np.stack(each) for each in zip(*scores, strict=True)]
    return np.stack([_of_template(each, shapes, number, bands) for number, each in enumerate(stacked)])


def _of_template(scores: NDArray[np.float32], shapes: Shapes, number: int, bands: int) -> NDArray[np.float32]:
    seen = scores >= 0
    square = np.where(seen, np.square(scores), 0).astype(np.float64)
    counted = seen if shapes.listed is not None else seen & shapes.allowed[number]
    if not counted.any():
        return np.ones(scores.shape[1:], dtype=np.float32)
    usual = max(float(np.median(square[counted])), _TINY)
    # The mean of a chi-square over its median (Wilson, Hilferty 1931): what no roughness leaves.
    even = 1 / (1 - 2 / (9 * bands)) ** 3
    total = np.minimum(square, MOST * usual).sum(axis=0) / (usual * even)
    rough = (PRIOR_LOOKS + total) / (PRIOR_LOOKS + seen.sum(axis=0))
    return np.asarray(np.maximum(rough, 1), dtype=np.float32)
