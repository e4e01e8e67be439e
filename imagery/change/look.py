"""One look: is it clear enough, is there enough history, and what does it show?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imagery.change.regions import NEIGHBOURS, pixels_inside, regions
from imagery.change.season import same_season
from imagery.change.series import Judgement, judge
from imagery.model import DetectionState, Look, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.change.spec import WatchSpec
    from imagery.model import Chip, Detection, Region

REBASE_MARGIN_PX = 2
"""Pixels around a confirmed change that start afresh with it: the 3 x 3 mean reaches one, edges wobble."""

MIN_SEEN_OF_PROBABLE = 0.5
"""A look that saw less of a probable change says nothing about it."""

CONTROL_NOTICE = 0.05
"""Share of the surroundings over the threshold from which on the reason speaks of it."""


def look_at(chip: Chip, earlier: Sequence[Chip], detections: Sequence[Detection], spec: WatchSpec) -> Look:
    """Say what a chip shows.

    Args:
        chip: The pixels of one solar day.
        earlier: Chips of the same grid and series, any order; those not strictly before `chip`, of
            another season, or not clear enough are passed over.
        detections: What is known so far. Where one is confirmed, history before its first day no longer
            counts: the change is part of the baseline from then on. A look that saw nothing, and less
            than half of a probable one, is Obscured: it must not take back what it could not see.
        spec: Footprint and rules.

    Returns:
        A look that ends as Obscured, Learning, Unchanged or Changed.

    Raises:
        ValueError: Chips or footprint lie on another grid, or differ in series, bands or scale.
    """
    _check_comparable(chip, earlier, spec)
    dim = _too_dim(chip, spec)
    if dim:
        return _look(chip, spec, Outcome.OBSCURED, dim)
    history = season_history(chip, earlier, spec)
    if len(history) < spec.min_history:
        return _look(chip, spec, Outcome.LEARNING, _too_few(len(history), spec), history=len(history))
    stack = _stack(chip, history, detections)
    result = judge(chip.values(), stack, spec, resolution=_resolution(chip))
    return _judged_look(chip, spec, result, len(history), detections)


def season_history(chip: Chip, earlier: Sequence[Chip], spec: WatchSpec) -> list[Chip]:
    """Return the latest clear enough chips of the season, strictly before `chip`, in order of time."""
    clear = [other for other in earlier if not _too_dim(other, spec)]
    positions = same_season(
        chip.solar_day,
        [other.solar_day for other in clear],
        half_width_days=spec.season_half_width_days,
        limit=spec.max_history,
    )
    return [clear[position] for position in positions]


def _check_comparable(chip: Chip, earlier: Sequence[Chip], spec: WatchSpec) -> None:
    if spec.weights.shape != chip.clear.shape:
        message = f"footprint weights are {spec.weights.shape}, the chip is {chip.clear.shape}"
        raise ValueError(message)
    for other in earlier:
        for name in ("series", "bands", "scale"):
            if getattr(other, name) != getattr(chip, name):
                message = (
                    f"the chips of {other.solar_day} and {chip.solar_day} differ in {name}: "
                    f"{getattr(other, name)!r} and {getattr(chip, name)!r}"
                )
                raise ValueError(message)
        if other.grid != chip.grid:
            message = f"the chips of {other.solar_day} and {chip.solar_day} lie on different grids"
            raise ValueError(message)


def _resolution(chip: Chip) -> float:
    return 1.0 if chip.scale is None else chip.scale


def _too_dim(chip: Chip, spec: WatchSpec) -> str:
    """Return why a chip is not clear enough, or nothing."""
    footprint, frame = chip.clear_fraction(spec.weights), chip.clear_fraction()
    if footprint < spec.min_clear_footprint:
        return f"{footprint:.0%} of the footprint is clear, at least {spec.min_clear_footprint:.0%} is needed"
    if frame < spec.min_clear_frame:
        return f"{frame:.0%} of the frame is clear, at least {spec.min_clear_frame:.0%} is needed"
    return ""


def _too_few(count: int, spec: WatchSpec) -> str:
    return (
        f"{count} earlier clear looks within {spec.season_half_width_days:g} days of this day of the "
        f"year, at least {spec.min_history} are needed"
    )


def _stack(chip: Chip, history: Sequence[Chip], detections: Sequence[Detection]) -> NDArray[np.float32]:
    """Return ``(time, band, y, x)`` with what lies before a confirmed change set to NaN."""
    stack = np.stack([other.values() for other in history])
    for detection in detections:
        if not _rebases(detection, chip):
            continue
        inside = pixels_inside(detection.geometry, chip.grid)
        inside = ndimage.binary_dilation(inside, NEIGHBOURS, iterations=REBASE_MARGIN_PX)
        before = np.array([other.solar_day < detection.first_with for other in history])
        stack[np.broadcast_to(before[:, None, None, None] & inside, stack.shape)] = np.nan
    return stack


def _rebases(detection: Detection, chip: Chip) -> bool:
    return (
        detection.state is DetectionState.CONFIRMED
        and _same_pixels(detection, chip)
        and detection.last_with < chip.solar_day
    )


def _same_pixels(detection: Detection, chip: Chip) -> bool:
    return detection.grid_id == chip.grid.grid_id and detection.series == chip.series


def _hidden(chip: Chip, result: Judgement, detections: Sequence[Detection]) -> str:
    """Return why a look that saw nothing must not take back a probable change, or nothing."""
    for detection in detections:
        if detection.state is not DetectionState.PROBABLE or not _same_pixels(detection, chip):
            continue
        inside = pixels_inside(detection.geometry, chip.grid)
        share = float(result.judged[inside].mean()) if inside.any() else 1.0
        if share < MIN_SEEN_OF_PROBABLE:
            return (
                f"nothing else changed, but only {share:.0%} of the probable change {detection.id} was seen"
            )
    return ""


def _judged_look(
    chip: Chip, spec: WatchSpec, result: Judgement, history: int, detections: Sequence[Detection]
) -> Look:
    if result.outcome is Outcome.LEARNING:
        reason = f"less than half of the clear footprint has {spec.min_history} earlier clear looks"
        return _look(chip, spec, Outcome.LEARNING, reason, history=history)
    if result.outcome is Outcome.OBSCURED:
        reason = (
            f"the whole frame moved {result.frame_shift:.1f} times as far as usual: haze, snow, cloud that "
            "the mask missed, or another calibration"
        )
        return _look(chip, spec, Outcome.OBSCURED, reason, history=history)
    hidden = _hidden(chip, result, detections) if result.outcome is Outcome.UNCHANGED else ""
    if hidden:
        return _look(chip, spec, Outcome.OBSCURED, hidden, history=history)
    seen = result.judged & (spec.weights > 0)
    found = regions(
        result.outline,
        result.score / result.threshold,
        result.residual,
        chip.grid,
        bands=chip.bands,
    )
    return _look(
        chip,
        spec,
        result.outcome,
        _reason(result, found, history),
        history=history,
        score=float(result.score[seen].max()),
        threshold=result.threshold,
        found=found,
    )


def _reason(result: Judgement, found: Sequence[Region], history: int) -> str:
    seen = [region for region in found if region.magnitude > 1]
    if seen:
        pixels = sum(region.pixels for region in seen)
        area = sum(region.area_m2 for region in seen)
        places = "1 place" if len(seen) == 1 else f"{len(seen)} places"
        text = f"{pixels} pixels ({area:.0f} m2) in {places} are over the threshold"
    else:
        text = "nothing in the footprint is over the threshold"
    text += f" {result.threshold:.1f} that {history} earlier looks of the season set"
    if result.control_share is not None and result.control_share >= CONTROL_NOTICE:
        text += f"; {result.control_share:.0%} of the surroundings moved too"
    return text


def _look(
    chip: Chip,
    spec: WatchSpec,
    outcome: Outcome,
    reason: str,
    *,
    history: int = 0,
    score: float | None = None,
    threshold: float | None = None,
    found: tuple[Region, ...] = (),
) -> Look:
    return Look(
        site_id=chip.site_id,
        grid_id=chip.grid.grid_id,
        solar_day=chip.solar_day,
        series=chip.series,
        platform=chip.platform,
        scene_ids=chip.scene_ids,
        acquired=chip.acquired,
        day_only=chip.day_only,
        outcome=outcome,
        reason=reason,
        clear_fraction=chip.clear_fraction(spec.weights),
        frame_clear_fraction=chip.clear_fraction(),
        mask_scheme=chip.mask_scheme,
        history=history,
        score=score,
        threshold=threshold,
        regions=found,
        simulated=chip.simulated,
    )
