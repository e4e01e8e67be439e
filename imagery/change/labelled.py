"""A score against labelled pixels: how well it ranks them, and how well its threshold parts them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import rankdata

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class LabelFigures:
    """What a score is worth on labelled pixels; those that were not judged count as unchanged."""

    changed_px: int
    unchanged_px: int
    f1: float
    precision: float
    recall: float
    false_positive_rate: float
    """Share of the unchanged that is flagged."""
    auc: float
    auc_error: float
    """Standard error of `auc` as if pixels were independent; neighbours aren't, so it is a lower bound."""


def label_figures(
    score: NDArray[np.floating],
    flagged: NDArray[np.bool_],
    changed: NDArray[np.bool_],
    unchanged: NDArray[np.bool_],
) -> LabelFigures:
    """Return the figures of a score.

    Args:
        score: ``(y, x)``, NaN where not judged.
        flagged: ``(y, x)``: what the method calls changed.
        changed: ``(y, x)``: labelled changed.
        unchanged: ``(y, x)``: labelled unchanged; pixels with neither label don't count.

    Raises:
        ValueError: A class without a pixel, or pixels with both labels.
    """
    if not changed.any() or not unchanged.any() or (changed & unchanged).any():
        message = f"{changed.sum()} changed and {unchanged.sum()} unchanged pixels can't be compared"
        raise ValueError(message)
    hits, false = int((flagged & changed).sum()), int((flagged & unchanged).sum())
    positives, negatives = int(changed.sum()), int(unchanged.sum())
    known = np.nan_to_num(score, nan=-math.inf)
    value, error = auc(known[changed], known[unchanged])
    return LabelFigures(
        changed_px=positives,
        unchanged_px=negatives,
        f1=2 * hits / (hits + false + positives),
        precision=hits / (hits + false) if hits + false else math.nan,
        recall=hits / positives,
        false_positive_rate=false / negatives,
        auc=value,
        auc_error=error,
    )


def auc(positive: NDArray[np.floating], negative: NDArray[np.floating]) -> tuple[float, float]:
    """Return the area under the ROC curve and its standard error.

    The area is the chance that a positive scores above a negative, ties counting half. Its variance is that
    of the two classes' placements (E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, Biometrics 44, 1988).

    Args:
        positive: ``(n,)`` scores, n at least 1.
        negative: ``(m,)`` scores, m at least 1.
    """
    n, m = positive.size, negative.size
    ranks = rankdata(np.concatenate([positive, negative]))
    above_negative = (ranks[:n] - rankdata(positive)) / m
    below_positive = 1 - (ranks[n:] - rankdata(negative)) / n
    variance = sum(
        float(each.var(ddof=1)) / each.size for each in (above_negative, below_positive) if each.size > 1
    )
    return float(above_negative.mean()), math.sqrt(variance)
