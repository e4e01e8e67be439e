"""What moving a look by a fraction of a pixel costs, by several interpolations, and what leaving it costs.

    python benchmarks/resampling.py

Random roofs and fields on a lattice ten times finer than the pixels, seen through a point spread of 0.53
pixel at two places; one is moved back onto the other. Printed are the root mean square error in reflectance
and what is left of independent noise of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imagery.resampling import shifted
from imagery.shift import Shift

if TYPE_CHECKING:
    from collections.abc import Callable

FINE = 10
SIDE = 64
EDGE = 4
SCENES = 12


def scene(rng: np.random.Generator) -> np.ndarray:
    """Return rectangles of 1.5 to 12 pixels on even ground, ``(y, x)`` of the fine lattice."""
    ground = np.full((SIDE * FINE,) * 2, 0.12)
    for _ in range(60):
        (height, width), (y, x) = rng.integers(15, 120, 2), rng.integers(0, SIDE * FINE - 120, 2)
        ground[y : y + height, x : x + width] = rng.uniform(0.04, 0.35)
    return ground


def seen(ground: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """Return the pixels of a scene whose content lies right and down by tenths of a pixel."""
    moved = np.roll(ground, (round(dy * FINE), round(dx * FINE)), (0, 1))
    return ndimage.gaussian_filter(moved, 0.53 * FINE, mode="wrap")[FINE // 2 :: FINE, FINE // 2 :: FINE]


def ways() -> dict[str, Callable[[np.ndarray, float, float], np.ndarray]]:
    """Return the ways to move an image back."""
    return {
        "left as it is": lambda image, _dx, _dy: image,
        "linear": lambda image, dx, dy: ndimage.shift(image, (-dy, -dx), order=1, mode="grid-wrap"),
        "cubic convolution, ours": lambda image, dx, dy: shifted(image, Shift(dx, dy)),
        "cubic B-spline": lambda image, dx, dy: ndimage.shift(image, (-dy, -dx), order=3, mode="grid-wrap"),
    }


def main() -> None:
    """Print the table."""
    print("| pixels | " + " | ".join(ways()) + " |\n|---|---|---|---|---|")
    inner = (slice(EDGE, -EDGE), slice(EDGE, -EDGE))
    for length in (0.1, 0.2, 0.3, 0.5, 0.7, 1.0):
        cells = []
        for move in ways().values():
            rng = np.random.default_rng(0)
            errors, noises = [], []
            for number in range(SCENES):
                ground = scene(rng)
                dx, dy = ((length, 0.0), (0.0, length), (length, length))[number % 3]
                error = move(seen(ground, dx, dy), dx, dy) - seen(ground, 0, 0)
                errors.append((error[inner] ** 2).mean())
                noises.append(move(rng.normal(size=(SIDE, SIDE)), dx, dy)[inner].std())
            cells.append(f"{np.sqrt(np.mean(errors)):.4f} / {np.mean(noises):.2f}")
        print(f"| {length} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
