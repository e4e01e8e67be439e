"""A chip as a look: is it clear enough, and the look that says how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagery.change.card import Card, section
from imagery.model import Look, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from imagery.change.spec import WatchSpec
    from imagery.model import Chip, Region


def too_dim(chip: Chip, spec: WatchSpec) -> str:
    """Return why a chip is not clear enough, or nothing."""
    footprint, frame = chip.clear_fraction(spec.weights), chip.clear_fraction()
    if footprint < spec.min_clear_footprint:
        return f"{footprint:.0%} of the footprint is clear, at least {spec.min_clear_footprint:.0%} is needed"
    if frame < spec.min_clear_frame:
        return f"{frame:.0%} of the frame is clear, at least {spec.min_clear_frame:.0%} is needed"
    return ""


def obscured(chip: Chip, spec: WatchSpec, reason: str, *, history: int = 0) -> Look:
    """Return a look that says nothing about change."""
    return look_of(chip, spec, Outcome.OBSCURED, reason, history=history)


def look_of(  # noqa: PLR0913 - as many as a look has facts of its own
    chip: Chip,
    spec: WatchSpec,
    outcome: Outcome,
    reason: str,
    *,
    history: int = 0,
    score: float | None = None,
    threshold: float | None = None,
    regions: tuple[Region, ...] = (),
    sections: Mapping[str, Mapping[str, Any]] | None = None,
    why_not: tuple[str, ...] = (),
) -> Look:
    """Return a chip's look, with its card."""
    footprint, frame = chip.clear_fraction(spec.weights), chip.clear_fraction()
    clear = section(
        footprint=footprint,
        needed_of_footprint=spec.min_clear_footprint,
        frame=frame,
        needed_of_frame=spec.min_clear_frame,
        mask=chip.mask_scheme,
        clamped_px=chip.clamped_px,
    )
    scene = section(
        day=chip.solar_day,
        platform=chip.platform,
        scenes=chip.scene_ids,
        bands=chip.bands,
        orbit=chip.geometry.orbit or None,
        sun_zenith_deg=chip.geometry.sun_zenith_deg,
        baseline=chip.processing_baseline or None,
    )
    card = Card(
        outcome=outcome.value,
        why=(reason,),
        why_not=why_not,
        sections={"scene": scene, "clear": clear, **(sections or {})},
    )
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
        clear_fraction=footprint,
        frame_clear_fraction=frame,
        mask_scheme=chip.mask_scheme,
        history=history,
        score=score,
        threshold=threshold,
        regions=regions,
        simulated=chip.simulated,
        card=card,
    )
