"""What looks agree on, place by place: a single loud look scores noise, however loud it is.

The z of a template in several looks are projected on a common direction, and the smallest projection counts.
Looks that are equal score what their sum would.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from imagery.change.matched import product_row
from imagery.compiled import compiled

if TYPE_CHECKING:
    from numpy.typing import NDArray


@compiled
def agreed(
    one: NDArray[np.float32], other: NDArray[np.float32], join: NDArray[np.float32], seen: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Return what two looks agree on at each place, ``(y, x)``; -1 where either did not see it.

    Each is projected on the direction of the other, and the smaller projection counts, times the root of
    two: two equal looks score what their sum would, and one look alone scores noise, however loud it is.
    """
    bands, height, width = one.shape
    score = np.empty((height, width), dtype=np.float32)
    cross, of_one = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    of_other, part = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    for y in range(height):
        cross[:] = 0
        of_one[:] = 0
        of_other[:] = 0
        for a in range(bands):
            product_row(part, join[a], other, y)
            for x in range(width):
                cross[x] += part[x] * one[a, y, x]
                of_other[x] += part[x] * other[a, y, x]
            product_row(part, join[a], one, y)
            for x in range(width):
                of_one[x] += part[x] * one[a, y, x]
        for x in range(width):
            louder = np.sqrt(max(of_one[x], of_other[x], np.float32(1e-12)))
            agreed_here = np.float32(1.4142135) * cross[x] / louder
            score[y, x] = agreed_here if seen[y, x] else np.float32(-1)
    return score


@compiled
def agreed_thrice(
    one: NDArray[np.float32],
    two: NDArray[np.float32],
    three: NDArray[np.float32],
    join: NDArray[np.float32],
    seen: NDArray[np.bool_],
) -> NDArray[np.float32]:
    """Return what three looks agree on at each place, ``(y, x)``; -1 where any of them did not see it.

    Each is projected on the direction of their sum, and the smallest projection counts, times the root of
    three.
    """
    bands, height, width = one.shape
    score = np.empty((height, width), dtype=np.float32)
    total = one + two + three
    first, second = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    third, part = np.empty(width, dtype=np.float32), np.empty(width, dtype=np.float32)
    for y in range(height):
        first[:] = 0
        second[:] = 0
        third[:] = 0
        for a in range(bands):
            product_row(part, join[a], total, y)
            for x in range(width):
                first[x] += part[x] * one[a, y, x]
                second[x] += part[x] * two[a, y, x]
                third[x] += part[x] * three[a, y, x]
        for x in range(width):
            length = np.sqrt(max(first[x] + second[x] + third[x], np.float32(1e-12)))
            least = np.float32(1.7320508) * min(first[x], second[x], third[x]) / length
            score[y, x] = least if seen[y, x] else np.float32(-1)
    return score
