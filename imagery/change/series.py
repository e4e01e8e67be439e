"""Judge one look against the earlier clear looks of its season.

Each pixel and band has its own baseline: the median of its history, and the median absolute deviation
as its spread. What the whole frame did that day (haze, sun angle, a dry spring) is taken off first; the
residuals are scaled, averaged over 3 x 3 pixels and the bands joined. The threshold comes from the
history itself: every earlier look is judged in the same way against all the others.

Residuals are observed minus predicted. Nothing here is a probability.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from imagery.change.medians import finite_median, medians
from imagery.change.regions import label_patches
from imagery.model import Outcome

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imagery.change.spec import WatchSpec

MAD_TO_SIGMA = 1.4826
"""Standard deviation of a Gaussian over its median absolute deviation."""

MIN_JUDGED_SHARE = 0.5
"""Of the clear part of the footprint, the share that must have enough history; else Learning."""

MIN_FOOTPRINT_PX = 0.5
"""A patch decides when it covers more of the footprint than this, in pixels."""

CONTROL_QUANTILE = 0.8
"""When more than the rest of the surroundings moved, the site must stand out from them as well."""

CAP = 2.5
"""Standardised residuals count up to this many thresholds where a patch is outlined: between 9/4, at which
the corner of a strong change is still inside, and 3, at which its neighbours would be."""

FAINT = 0.5
"""Part of the threshold from which on a patch is recorded, though it decides nothing."""

MAX_FRAME_SHIFT = 4.0
"""A look whose whole frame moved further than this is not a look at the ground."""

MIN_CONTROL_PX = 100
"""Fewer pixels than these don't speak for the surroundings."""

THRESHOLD_MARGIN = 1.75
"""Threshold over the usual largest score of a quiet look."""

MIN_THRESHOLD = 4.0
"""The lowest threshold, however quiet the history was."""

_PRIOR_LOOKS = 6.0
_MIN_CLEAR_PX = 9


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """What a history predicts, and how well it predicts each of its own looks."""

    predicted: NDArray[np.float32]
    """``(band, y, x)``: the median of the aligned history; NaN with fewer values than `min_history`."""
    spread: NDArray[np.float32]
    """``(band, y, x)``: standard deviation of one residual."""
    own_scores: NDArray[np.float32]
    """``(time, y, x)``: score of each look of the history judged by the others; NaN where hidden."""
    shifts: NDArray[np.float32]
    """``(time, band)``: what the whole frame did in each look of the history."""


@dataclass(frozen=True, slots=True, eq=False)
class Judgement:
    """What a look shows against its baseline."""

    outcome: Outcome
    """`Learning`, `Unchanged`, `Changed`, or `Obscured` where the whole frame moved."""
    score: NDArray[np.float32]
    """``(y, x)``: NaN where nothing was judged."""
    threshold: float
    """Scores above it are changes; NaN while learning."""
    changed: NDArray[np.bool_]
    """``(y, x)``: above the threshold, whatever the footprint or the size of the patch."""
    outline: NDArray[np.bool_]
    """``(y, x)``: the patches, large enough and on the footprint, of what changed and of what is faint:
    over `FAINT` of the threshold. They say where a change begins and ends; only `changed` decides."""
    residual: NDArray[np.float32]
    """``(band, y, x)``: observed minus predicted, in the values' units, the frame's shift removed."""
    judged: NDArray[np.bool_]
    """``(y, x)``: enough history and clear in this look."""
    control_share: float | None = None
    """Share of the judged pixels around the footprint that moved too; None without any."""
    frame_shift: float = 0.0
    """How far the whole frame moved (`shift_size`); above `MAX_FRAME_SHIFT` the look is Obscured."""


def baseline(history: NDArray[np.float32], *, min_history: int, resolution: float) -> Baseline:
    """Learn what a history predicts.

    The spread of a pixel comes from few values, so it is drawn towards the frame's median spread as if
    that had been seen `_PRIOR_LOOKS` times, and it is never below one step of quantisation.

    Args:
        history: ``(time, band, y, x)``, NaN where hidden.
        min_history: Values that a pixel needs.
        resolution: Smallest step of the values, in their units.
    """
    first, _ = medians(history)
    shifts = common_shift(history - first)
    aligned = history - shifts
    predicted, others = medians(aligned)
    deviation, deviation_of_others = medians(np.abs(aligned - predicted))
    count = np.isfinite(aligned).sum(axis=0)
    enough = count >= min_history
    typical = finite_median(np.square(MAD_TO_SIGMA * deviation))
    spread = _spread(deviation, count, typical, resolution)
    own_spread = _spread(deviation_of_others, count - 1, typical, resolution)
    own_scores = joint_score(np.where(enough, (aligned - others) / own_spread, np.nan))
    predicted = np.where(enough, predicted, np.float32(np.nan))
    return Baseline(predicted, spread, own_scores, shifts[..., 0, 0])


def _spread(
    mad: NDArray[np.float32], count: NDArray[np.intp], typical: NDArray[np.float32], resolution: float
) -> NDArray[np.float32]:
    known = np.maximum(count, 0).astype(np.float32)
    share = known / (known + np.float32(_PRIOR_LOOKS))
    pooled = share * np.square(MAD_TO_SIGMA * mad) + (1 - share) * typical
    spread: NDArray[np.float32] = np.sqrt(pooled + np.float32(resolution**2))
    return spread


def common_shift(residual: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the median residual of the frame, ``(..., 1, 1)``; 0 where too few pixels are clear."""
    enough = np.isfinite(residual).sum(axis=(-2, -1), keepdims=True) >= _MIN_CLEAR_PX
    return np.where(enough, finite_median(residual), np.float32(0))


def joint_score(z: NDArray[np.floating]) -> NDArray[np.float32]:
    """Join standardised residuals: the 3 x 3 mean of each band, then the root mean square over bands.

    The mean keeps its sign, so what neighbours do not share cancels. A mean over fewer than nine clear
    pixels is scaled down to the noise of one over nine.

    Args:
        z: ``(..., band, y, x)``, NaN where unknown.

    Returns:
        ``(..., y, x)``, NaN where the pixel itself is unknown.
    """
    known = np.isfinite(z)
    box = (1,) * (z.ndim - 2) + (3, 3)
    filled = np.where(known, z, 0).astype(np.float32)
    total = ndimage.uniform_filter(filled, size=box, mode="constant")
    share = ndimage.uniform_filter(known.astype(np.float32), size=box, mode="constant")
    mean = total / np.sqrt(np.maximum(share, np.float32(1 / 9)))
    mean[~known] = np.nan
    score: NDArray[np.float32] = np.sqrt(np.square(mean).mean(axis=-3))
    return score


def judge(
    values: NDArray[np.float32],
    history: NDArray[np.float32],
    spec: WatchSpec,
    *,
    resolution: float,
) -> Judgement:
    """Judge one look against its history.

    Args:
        values: ``(band, y, x)``, NaN where not clear.
        history: ``(time, band, y, x)``: the earlier clear looks of the season, NaN where not clear.
        spec: Footprint and rules.
        resolution: Smallest step of the values, in their units: one count times its scale.
    """
    if len(history) < spec.min_history:
        return _learning(values)
    learned = baseline(history, min_history=spec.min_history, resolution=resolution)
    residual, score = _residual(values, learned)
    judged = np.isfinite(score)
    clear = np.isfinite(values).all(axis=0)
    known, seen = (float(spec.weights[pixels].sum()) for pixels in (judged, clear))
    if known == 0 or known < MIN_JUDGED_SHARE * seen:
        return _learning(values)
    quiet = history_threshold(learned.own_scores)
    controls = score[judged & (spec.weights == 0)]
    level = max(quiet, control_level(controls))
    changed = judged & (score > level)
    outline = outlined(joint_score(capped(residual / learned.spread, CAP * level)), level, spec)
    shift = shift_size(common_shift(values - learned.predicted)[:, 0, 0], learned)
    return Judgement(
        outcome=_outcome(shift, seen=bool((changed & outline).any())),
        score=score,
        threshold=level,
        changed=changed,
        outline=outline,
        residual=residual,
        judged=judged,
        control_share=float((controls > quiet).mean()) if controls.size else None,
        frame_shift=shift,
    )


def _outcome(shift: float, *, seen: bool) -> Outcome:
    if shift > MAX_FRAME_SHIFT:
        return Outcome.OBSCURED
    return Outcome.CHANGED if seen else Outcome.UNCHANGED


def _learning(values: NDArray[np.float32]) -> Judgement:
    frame = values.shape[1:]
    nothing = np.zeros(frame, dtype=np.bool_)
    unknown = np.full(values.shape, np.nan, dtype=np.float32)
    return Judgement(Outcome.LEARNING, unknown[0], np.nan, nothing, nothing, unknown, nothing)


def _residual(
    values: NDArray[np.float32], learned: Baseline
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return residual and score; the frame's shift is taken twice, then without what stood out."""
    residual = values - learned.predicted
    residual = residual - common_shift(residual)
    score = joint_score(residual / learned.spread)
    quiet = score <= 2 * finite_median(score)
    residual = residual - common_shift(np.where(quiet, residual, np.float32(np.nan)))
    return residual, joint_score(residual / learned.spread)


def history_threshold(own_scores: NDArray[np.float32]) -> float:
    """Return the score that quiet looks of this history don't reach.

    The usual largest score of a look, times a margin. The largest of all would be the score of the one
    hazy look that every history holds, and blind the site for years.

    Args:
        own_scores: ``(time, y, x)``.
    """
    scores = own_scores.reshape(len(own_scores), -1)
    largest = np.fmax.reduce(scores, axis=1)
    usual = float(np.median(largest[np.isfinite(largest)]))
    return max(THRESHOLD_MARGIN * usual, MIN_THRESHOLD)


def control_level(controls: NDArray[np.float32]) -> float:
    """Return the score above which a footprint stands out from its surroundings; 0 without enough."""
    return float(np.quantile(controls, CONTROL_QUANTILE)) if controls.size >= MIN_CONTROL_PX else 0.0


def capped(z: NDArray[np.float32], limit: float) -> NDArray[np.float32]:
    """Shorten the standardised residuals of pixels whose root mean square over bands is above `limit`.

    A bright roof would be smeared over its neighbours by the 3 x 3 mean. Capped, a pixel beside a straight
    edge gets a third of `limit` and one in a corner four ninths, whatever the contrast.

    Args:
        z: ``(band, y, x)``, NaN where unknown.
        limit: Largest root mean square that is kept.
    """
    size = np.sqrt(np.square(z).mean(axis=0))
    with np.errstate(divide="ignore", invalid="ignore"):
        shortened: NDArray[np.float32] = z * np.minimum(np.float32(1), np.float32(limit) / size)
    return shortened


def outlined(score: NDArray[np.float32], level: float, spec: WatchSpec) -> NDArray[np.bool_]:
    """Return the patches on the footprint, out to half of each patch's peak, ``(y, x)``.

    Averaged over 3 x 3 pixels, a patch keeps its edge where the score falls to half its height. A patch
    just over the threshold would lose its rim at the threshold itself, so its outline goes down to half
    its peak; one far above it is cut at the threshold, so that its weaker parts stay in.

    Args:
        score: ``(y, x)``, NaN where not judged.
        level: Threshold of the score.
        spec: Footprint and smallest patch.
    """
    labels, count = label_patches(np.nan_to_num(score) > FAINT * level, 1)
    peaks = np.zeros(count + 1, dtype=np.float32)
    np.fmax.at(peaks, labels.ravel(), score.ravel())
    floor = np.clip(FAINT * peaks, FAINT * level, level)
    return _on_footprint((labels > 0) & (score > floor[labels]), spec)


def _on_footprint(mask: NDArray[np.bool_], spec: WatchSpec) -> NDArray[np.bool_]:
    """Keep the patches that are large enough and hold more than half a pixel of the footprint."""
    labels, count = label_patches(mask, spec.min_pixels)
    inside = np.bincount(labels.ravel(), weights=spec.weights.ravel(), minlength=count + 1)
    inside[0] = 0
    kept: NDArray[np.bool_] = (inside > MIN_FOOTPRINT_PX)[labels]
    return kept


def shift_size(shift: NDArray[np.float32], learned: Baseline) -> float:
    """Return how far the whole frame moved, in what it usually moves plus the spread of a pixel.

    The largest over the bands. Buildings don't move a frame; snow, haze, cloud that the mask missed and
    a new calibration do.

    Args:
        shift: ``(band)``: common shift of the look.
        learned: The baseline that it was taken against.
    """
    centre = np.median(learned.shifts, axis=0)
    usual = MAD_TO_SIGMA * np.median(np.abs(learned.shifts - centre), axis=0)
    pixel = finite_median(learned.spread)[:, 0, 0]
    return float((np.abs(shift - centre) / (usual + pixel)).max())
