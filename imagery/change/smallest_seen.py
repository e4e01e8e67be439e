"""The smallest building that a site's latest looks would have shown, as its judge asks and tells it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.day import AGREEING_LOOKS, THRICE_LOOKS
from imagery.change.detectable import Bars, Planting, ResidualLooks, detectable, roof_over
from imagery.change.detectable_words import SECTION, TOLD_LOOKS, detectable_words, told_section
from imagery.change.follow import KEPT_LOOKS
from imagery.change.learned import SUM_LOOKS
from imagery.change.search import CUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.change.day import Day
    from imagery.change.detectable_words import Detectable
    from imagery.model import Look

USUAL_SHIFT_PX = 0.3
"""What alignment leaves of a shift where no look tells."""


def smallest_seen(
    day: Day, taken: NDArray[np.bool_], shift_sds_px: Sequence[tuple[float, float]]
) -> tuple[Detectable, ...]:
    """Return how small a bright roof would have been seen by the looks that a day keeps, by number of looks.

    Nothing for pixels without a scale, for bands that the roof's contrast is not known in, and for too few
    looks.

    Args:
        day: A look, and all it is judged by.
        taken: ``(y, x)`` of the frame: ground of known changes, where nothing is planted.
        shift_sds_px: Standard errors of earlier looks' shifts, along x and y.
    """
    frame = day.frame
    contrast = roof_over(frame.bands)
    if frame.scale is None or not any(contrast):
        return ()
    looks = [look.now for look in day.looks[-KEPT_LOOKS:]]
    drifts = [look.drifts for look in looks if look.drifts is not None]
    residuals = ResidualLooks(
        values=np.stack([look.values for look in looks]),
        variance=np.stack([look.variance for look in looks]),
        drifts=np.stack(drifts) if len(drifts) == len(looks) else None,
    )
    x_sd, y_sd = np.median(shift_sds_px, axis=0) if len(shift_sds_px) else (USUAL_SHIFT_PX, USUAL_SHIFT_PX)
    planting = Planting(
        area=np.where(taken, np.float32(0), day.material.spec.weights)[frame.window],
        contrast=contrast,
        resolution_m=frame.grid.resolution_m,
        shift_sd_px=(float(x_sd), float(y_sd)),
    )
    bars = Bars(
        **asdict(day.threshold),
        agreeing_looks=AGREEING_LOOKS,
        thrice_looks=THRICE_LOOKS,
        sum_looks=SUM_LOOKS,
        cut=CUT,
    )
    return detectable(residuals, frame.shapes, day.learned.yard, bars, planting, _rng(day))


def _rng(day: Day) -> np.random.Generator:
    chip = day.chip
    content = (chip.grid.first_id, chip.grid.grid_id, chip.series, chip.solar_day.isoformat())
    return np.random.default_rng(int.from_bytes(hashlib.sha256(repr(content).encode()).digest()[:8], "big"))


def with_sizes(look: Look, told: Sequence[Detectable]) -> Look:
    """Return a look that says down to which size nothing changed, in its reason and on its card."""
    sizes = next((each for each in told if each.looks == TOLD_LOOKS), None)
    if sizes is None or look.card is None:
        return look
    words = detectable_words(sizes)
    card = replace(
        look.card,
        why=(*look.card.why, words),
        sections={**look.card.sections, SECTION: told_section(told)},
    )
    return replace(look, reason=f"{look.reason}; {words}", card=card)
