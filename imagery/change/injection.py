"""A change that never happened, put into real looks: what the instrument would have seen of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from imagery.change.templates import PSF_SIGMA_PX

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from numpy.typing import NDArray

    from imagery.model import Chip

_MAX_DN = 65535


def blurred_rectangle(
    shape: tuple[int, int],
    *,
    centre_px: tuple[float, float],
    size_px: tuple[float, float],
    sigma_px: float = PSF_SIGMA_PX,
) -> NDArray[np.float32]:
    """Return how much of each pixel's signal comes from a rectangle, ``(y, x)``, 0 to 1.

    A pixel weighs the ground by a Gaussian around its centre, so the share is a product of two differences
    of the normal distribution.

    Args:
        shape: Rows, columns.
        centre_px: Row and column of the rectangle's centre; pixel ``(0, 0)`` has its centre at (0.5, 0.5).
        size_px: Height and width.
        sigma_px: Standard deviation of the blur.
    """
    down, right = (
        ndtr((centre + side / 2 - axis) / sigma_px) - ndtr((centre - side / 2 - axis) / sigma_px)
        for axis, centre, side in zip(
            (np.arange(count) + 0.5 for count in shape), centre_px, size_px, strict=True
        )
    )
    share: NDArray[np.float32] = np.outer(down, right).astype(np.float32)
    return share


def planted(
    chips: Sequence[Chip],
    share: NDArray[np.float32],
    contrast: Sequence[float],
    *,
    first_day: date,
) -> tuple[Chip, ...]:
    """Add a change to the looks from its first day on; clouds hide it as they hide the ground.

    Args:
        chips: In order of time.
        share: ``(y, x)`` from `blurred_rectangle`.
        contrast: Reflectance (counts where uncalibrated) added in each band of the chips.
        first_day: The first day with it.

    Raises:
        ValueError: Another number of contrasts than bands.
    """
    for chip in chips:
        if len(contrast) != len(chip.bands):
            message = f"{len(contrast)} contrasts for the bands {', '.join(chip.bands)}"
            raise ValueError(message)
    return tuple(chip if chip.solar_day < first_day else _built(chip, share, contrast) for chip in chips)


def _built(chip: Chip, share: NDArray[np.float32], contrast: Sequence[float]) -> Chip:
    step = 1.0 if chip.scale is None else chip.scale
    added = np.array(contrast, dtype=np.float64)[:, None, None] * share / step
    dn = np.clip(np.rint(chip.dn + added), 0, _MAX_DN).astype(np.uint16)
    return replace(chip, dn=np.where(chip.valid, dn, chip.dn), simulated=True)
