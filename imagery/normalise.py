"""A look put on the scale of a reference image, so that what is left is change and noise.

Haze, sun and view angle, and the atmospheric correction change gain and offset of a whole look. The pixels
of the context that did not change are found by IR-MAD, which no gain or offset disturbs, and a straight
line a band is laid through them (M. J. Canty, A. A. Nielsen, "Automatic radiometric normalization of
multitemporal satellite imagery with the iteratively re-weighted MAD transformation", Remote Sensing of
Environment 112, 2008, 1025-1036). The site itself takes no part, or the line would absorb what is sought.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.irmad import irmad

if TYPE_CHECKING:
    from numpy.typing import NDArray

UNCHANGED_WEIGHT = 0.05
"""Pixels of a smaller no-change weight don't count as unchanged."""


class NormaliseMethod(StrEnum):
    """How much of the line could be told."""

    LINE = "line"
    """Gain and offset, from the pixels that did not change."""
    OFFSET = "offset"
    """Offset alone, from the median: too few pixels, or nothing that varies."""
    NONE = "none"
    """Nothing: next to no clear pixel in the context."""


@dataclass(frozen=True, slots=True)
class NormaliseSettings:
    """What the line is taken from and what is still plausible."""

    min_line_px: int = 300
    """Unchanged clear pixels of the context that a gain needs, weights summed."""
    min_offset_px: int = 30
    """Clear pixels of the context that an offset needs."""
    min_correlation: float = 0.5
    """Between look and reference over the unchanged pixels; a band below it gets an offset alone."""
    noise_ratio: float = 1.0
    """Variance of the reference's noise over that of the look's: 1 for another look (orthogonal regression),
    near 0 for a model's prediction, which has next to none (Deming regression)."""
    gain_sigma: float = 0.1
    """How far gains are known to stray from 1; a gain that the pixels tell less surely is drawn towards 1."""
    patch_px: float = 100.0
    """Pixels that count as one witness, since what makes neighbours stray makes them stray alike."""
    gain_range: tuple[float, float] = (0.6, 1.6)
    """Gains outside it are implausible."""
    max_level: float = 0.08
    """Largest plausible change of the context's mean by the line, reflectance; infinite for counts."""


@dataclass(frozen=True, slots=True, eq=False)
class Normalised:
    """A look on the reference's scale."""

    values: NDArray[np.float32]
    """``(band, y, x)``: ``gain * look + offset - common``, NaN where the look is."""
    gain: NDArray[np.float64]
    """``(band)``; 1 where only an offset was fitted."""
    offset: NDArray[np.float64]
    """``(band)``."""
    common: NDArray[np.float64]
    """``(band)``: median residual of the unchanged context after the line, taken off."""
    level: NDArray[np.float64]
    """``(band)``: by how much line and common residual together move the context's mean."""
    weights: NDArray[np.float64]
    """``(y, x)``: 1 = surely unchanged, 0 = changed, not clear or not in the context."""
    method: NormaliseMethod
    clear_px: int
    """Clear pixels of the context."""
    plausible: bool
    """Every band's gain and level are within the settings' range."""

    @property
    def text(self) -> str:
        """What was done, with its figures, in words."""
        gains = f"gain {self.gain.min():.2f} to {self.gain.max():.2f}" if self.gain.size else "no band"
        level = f"level {self.level.min():+.3f} to {self.level.max():+.3f}" if self.level.size else "no band"
        verdict = "" if self.plausible else "; out of the plausible range"
        return f"normalised by {self.method} over {self.clear_px} clear pixels: {gains}, {level}{verdict}"


def normalise(
    values: NDArray[np.floating],
    reference: NDArray[np.floating],
    context: NDArray[np.bool_] | None = None,
    settings: NormaliseSettings | None = None,
) -> Normalised:
    """Put a look on the scale of a reference.

    Args:
        values: The look, ``(band, y, x)``, 1 to 13 bands, NaN where not clear.
        reference: What it should look like, the same bands and pixels, NaN where unknown.
        context: ``(y, x)``, True where the line may be taken from: all but the site and a margin around it.
            None: everywhere.
        settings: How.

    Returns:
        The look, and how it was changed. Its `method` says when there was too little to go by.

    Raises:
        ValueError: The shapes don't match.
    """
    settings = settings or NormaliseSettings()
    if values.shape != reference.shape or values.ndim != 3:  # noqa: PLR2004 - band, y, x
        message = f"expected two (band, y, x) arrays of one shape, got {values.shape} and {reference.shape}"
        raise ValueError(message)
    used = np.isfinite(values).all(axis=0) & np.isfinite(reference).all(axis=0)
    if context is not None:
        used &= context
    weights, method = _weights(values, reference, used, settings)
    unchanged = weights >= UNCHANGED_WEIGHT
    look, truth, weight = (part[..., unchanged].astype(np.float64) for part in (values, reference, weights))
    lines = [
        _line(x, y, weight, method, settings) if method is not NormaliseMethod.NONE else (1.0, 0.0)
        for x, y in zip(look, truth, strict=True)
    ]
    gain, offset = np.array(lines).reshape(-1, 2).T
    common = _common(look, truth, gain, offset)
    level = _level(look, gain, offset - common)
    low, high = settings.gain_range
    return Normalised(
        values=scaled(values, gain, offset - common),
        gain=gain,
        offset=offset,
        common=common,
        level=level,
        weights=weights,
        method=method,
        clear_px=int(used.sum()),
        plausible=bool(((gain >= low) & (gain <= high) & (np.abs(level) <= settings.max_level)).all()),
    )


def _weights(
    values: NDArray[np.floating],
    reference: NDArray[np.floating],
    used: NDArray[np.bool_],
    settings: NormaliseSettings,
) -> tuple[NDArray[np.float64], NormaliseMethod]:
    """Return the no-change weights, ``(y, x)``, and what can be told from so many pixels."""
    if int(used.sum()) < settings.min_offset_px:
        return np.zeros(used.shape), NormaliseMethod.NONE
    equal = used.astype(np.float64)
    if int(used.sum()) < settings.min_line_px:
        return equal, NormaliseMethod.OFFSET
    rows, columns = (slice(*np.flatnonzero(used.any(axis=axis))[[0, -1]] + [0, 1]) for axis in (1, 0))
    window = used[rows, columns]
    look = np.where(window, values[:, rows, columns], np.float32(np.nan))
    fit = irmad(look, reference[:, rows, columns])
    if not fit.degrees or fit.weights.sum() < settings.min_line_px / 2:
        return equal, NormaliseMethod.OFFSET
    weights = np.zeros(used.shape)
    weights[rows, columns] = fit.weights
    return weights, NormaliseMethod.LINE


def _line(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weights: NDArray[np.float64],
    method: NormaliseMethod,
    settings: NormaliseSettings,
) -> tuple[float, float]:
    """Return gain and offset that put x on the scale of y."""
    if method is NormaliseMethod.OFFSET:
        return 1.0, float(np.median(y - x))
    total = weights.sum()
    x_mean, y_mean = float(x @ weights / total), float(y @ weights / total)
    from_x, from_y = x - x_mean, y - y_mean
    weighted = from_x * weights
    xx, xy, yy = (float(part) for part in (weighted @ from_x, weighted @ from_y, (from_y * weights) @ from_y))
    gain = 1.0
    if xy > settings.min_correlation * np.sqrt(xx * yy):
        fitted = deming_slope(xx, xy, yy, settings.noise_ratio)
        unexplained = max(xx * yy / xy**2 - 1, 0.0)
        variance = fitted**2 * unexplained * settings.patch_px / total
        gain += (fitted - 1) * settings.gain_sigma**2 / (settings.gain_sigma**2 + variance)
    return gain, y_mean - gain * x_mean


def deming_slope(xx: float, xy: float, yy: float, noise_ratio: float) -> float:
    """Return the slope of y on x where both carry noise; `xy` is positive.

    Source: W. E. Deming, "Statistical adjustment of data", 1943; a ratio of 1 is orthogonal regression.

    Args:
        xx: Sum of squares of x about its mean.
        xy: Sum of products.
        yy: Sum of squares of y.
        noise_ratio: Variance of the noise in y over that in x.

    >>> deming_slope(1.0, 2.0, 4.0, 1.0)
    2.0
    """
    excess = yy - noise_ratio * xx
    return float((excess + np.sqrt(excess**2 + 4 * noise_ratio * xy**2)) / (2 * xy))


def _common(
    look: NDArray[np.float64],
    truth: NDArray[np.float64],
    gain: NDArray[np.float64],
    offset: NDArray[np.float64],
) -> NDArray[np.float64]:
    if not look.shape[1]:
        return np.zeros(len(look))
    residual = look * gain[:, None] + offset[:, None] - truth
    common: NDArray[np.float64] = np.median(residual, axis=1)
    return common


def _level(
    look: NDArray[np.float64], gain: NDArray[np.float64], offset: NDArray[np.float64]
) -> NDArray[np.float64]:
    if not look.shape[1]:
        return np.zeros(len(look))
    mean = look.mean(axis=1)
    level: NDArray[np.float64] = gain * mean + offset - mean
    return level


def scaled(
    values: NDArray[np.floating], gain: NDArray[np.float64], offset: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return ``gain * values + offset``.

    Args:
        values: ``(band, y, x)``.
        gain: ``(band)``.
        offset: ``(band)``.
    """
    times, plus = (each[:, None, None].astype(np.float32) for each in (gain, offset))
    return np.asarray(values.astype(np.float32) * times + plus)
