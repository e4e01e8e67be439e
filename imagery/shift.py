"""Where a look's content lies beside the reference's, or why that can't be told: values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PRIOR_SIGMA_PX = 0.4
"""How far looks of Sentinel-2 lie from each other in each direction, pixels (L. Yan et al. 2018, "Sentinel-2A
multi-temporal misregistration characterization and an orbit-based sub-pixel registration methodology", Remote
Sensing of Environment 215, 495-506: 0.4 px on average since June 2016)."""


class MisalignedReason(StrEnum):
    """Why a look can't be laid onto the reference."""

    FEW_CLEAR = "too few clear pixels"
    UNLIKE = "too unlike the reference"
    FAR = "too far from the reference"
    UNCERTAIN = "too little texture to tell the shift"


@dataclass(frozen=True, slots=True)
class Shift:
    """Where a look's content lies: ``look(x + dx, y + dy) ~ gain * reference(x, y) + bias``."""

    dx_px: float
    """Right (east) of the reference's."""
    dy_px: float
    """Down (south) of the reference's."""
    var_x: float = 0.0
    """Variance of `dx_px`, square pixels."""
    var_y: float = 0.0
    cov_xy: float = 0.0
    correlation: float = 1.0
    """Between look and reference once aligned, over the pixels that did not change."""
    clear_px: int = 0
    """Pixels that were compared."""

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Of (dx, dy), ``(2, 2)``, square pixels."""
        return np.array([[self.var_x, self.cov_xy], [self.cov_xy, self.var_y]])

    @property
    def length_px(self) -> float:
        """How far, whatever the direction."""
        return float(np.hypot(self.dx_px, self.dy_px))

    @property
    def sigma_px(self) -> float:
        """Standard error in the worse direction."""
        if not np.isfinite(self.var_x + self.var_y):
            return float("inf")
        return float(np.sqrt(max(np.linalg.eigvalsh(self.covariance)[-1], 0.0)))


@dataclass(frozen=True, slots=True)
class Misaligned:
    """A look that can't be laid onto the reference."""

    reason: MisalignedReason
    figure: float
    """What was too much or too little: pixels of shift or of error, correlation, or clear pixels."""
    limit: float
    clear_px: int

    @property
    def text(self) -> str:
        """The reason with its figures, in words."""
        unit = {MisalignedReason.FAR: " px", MisalignedReason.UNCERTAIN: " px"}.get(self.reason, "")
        return f"{self.reason}: {self.figure:.3g}{unit}, limit {self.limit:.3g}{unit}"


def settled(found: Shift | Misaligned, prior_sigma_px: float = PRIOR_SIGMA_PX) -> Shift | Misaligned:
    """Return the shift drawn towards none by what is known of the product beforehand.

    A place without edges can't tell its shift, and is not disturbed by one either: it is left where it is,
    with the product's own uncertainty. All other refusals stay.

    Args:
        found: What `estimate_shift` returned.
        prior_sigma_px: Standard deviation of the product's shifts, in each direction.
    """
    variance = prior_sigma_px**2
    if isinstance(found, Misaligned):
        if found.reason is not MisalignedReason.UNCERTAIN:
            return found
        return Shift(0.0, 0.0, variance, variance, 0.0, 0.0, found.clear_px)
    share = variance * np.linalg.inv(found.covariance + variance * np.eye(2))
    dx, dy = share @ np.array([found.dx_px, found.dy_px])
    left = share @ found.covariance
    return replace(
        found,
        dx_px=float(dx),
        dy_px=float(dy),
        var_x=float(left[0, 0]),
        var_y=float(left[1, 1]),
        cov_xy=float(left[0, 1]),
    )
