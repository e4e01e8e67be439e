"""A chip made comparable: laid onto its prediction, put on its scale, and set against it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from imagery.align import estimate_shift
from imagery.change.matched import MEDIAN_CHI2, Residuals
from imagery.change.recipe import AS_IT_CAME, Moved, Recipe, Scaled
from imagery.normalise import NormaliseMethod, NormaliseSettings, normalise
from imagery.shift import Misaligned, MisalignedReason, Shift, settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.model import Chip
    from imagery.normalise import Normalised

STILL_PX = 0.03
"""A shift shorter than this is left alone: resampling would cost more than it mends."""

USUAL_GAIN = (0.7, 1.43)
"""Outside it an offset alone puts a look on the scale of its prediction."""

PLAUSIBLE_GAIN = (0.4, 2.5)
"""Outside it the frame shows no ground: haze, snow or another calibration."""

_ALIGNING_BANDS = ("red", "nir")
_LEAST_PX = 100
_NOISE_RATIO = 0.2
"""Variance of the prediction's noise over that of the look's."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A look beside its prediction."""

    values: NDArray[np.float32]
    """``(band, y, x)`` on the reference's pixels and scale; NaN where not clear."""
    recipe: Recipe
    """How the values follow from the chip."""
    residuals: Residuals
    """Of the whole frame, without drifts."""
    leverage: NDArray[np.float32]
    """``(y, x)``: variance of the prediction in units of that of a value; NaN where there is no model."""
    predicted: NDArray[np.float32]
    """``(band, y, x)``."""
    noise: NDArray[np.float32]
    """``(band)``: how much wider the surroundings scatter than was predicted, as a variance; 1 or more."""
    shift: Shift | None
    """What was taken out; None where it could not be told."""
    normalised: Normalised
    alignment: str
    """What was done, in words."""

    @property
    def is_scaled(self) -> bool:
        """Whether the scale could be taken from the surroundings."""
        return self.normalised.method is not NormaliseMethod.NONE


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a look says nothing about the ground."""

    reason: str


def aligning_bands(bands: Sequence[str]) -> list[int]:
    """Return the positions of the bands whose structure is aligned: red and nir, else the first two."""
    named = [bands.index(name) for name in _ALIGNING_BANDS if name in bands]
    return named or list(range(min(2, len(bands))))


def aligned(
    values: NDArray[np.float32], reference: NDArray[np.float32], bands: Sequence[str]
) -> tuple[NDArray[np.float32], Shift | Misaligned]:
    """Return the values on the reference's pixels, and their shift or why it is not known.

    Values whose shift is not known, or too short to matter, are returned as they are.

    Args:
        values: ``(band, y, x)``, NaN where not clear.
        reference: The same bands and pixels.
        bands: Their names.
    """
    used = aligning_bands(bands)
    found = settled(estimate_shift(values[used], reference[used]))
    for move in moves(found):
        values = move.of(values)
    return values, found


def moves(found: Shift | Misaligned) -> tuple[Moved, ...]:
    """Return what `aligned` does about a shift."""
    if isinstance(found, Misaligned) or found.length_px < STILL_PX:
        return ()
    return (Moved(found.dx_px, found.dy_px),)


def prepared(
    chip: Chip,
    predicted: NDArray[np.float32],
    leverage: NDArray[np.float32],
    sigma: NDArray[np.float32],
    context: NDArray[np.bool_],
) -> Prepared | Refused:
    """Make a chip comparable with its prediction.

    Args:
        chip: Clear enough.
        predicted: ``(band, y, x)``: of its day and orbit.
        leverage: ``(y, x)``: of the prediction.
        sigma: ``(band, y, x)``: standard deviation of one value.
        context: ``(y, x)``: the ground around the site, which the scale is taken from.
    """
    values, found = aligned(chip.values(), predicted, chip.bands)
    if isinstance(found, Misaligned) and found.reason is not MisalignedReason.FEW_CLEAR:
        return Refused(f"it can't be laid onto the site's reference: {found.text}")
    result = on_scale(values, predicted, context, normalise_settings(chip.scale))
    if result.method is not NormaliseMethod.NONE and not result.plausible:
        return Refused(
            "the whole frame moved: haze, snow, cloud that the mask missed, or another calibration "
            f"({result.text})"
        )
    shift = None if isinstance(found, Misaligned) else found
    residuals = set_against(result.values, predicted, leverage, sigma, shift)
    noise = noise_of(residuals, context)
    return Prepared(
        values=result.values,
        recipe=AS_IT_CAME.then(*moves(found), Scaled.by(result)),
        residuals=widened(residuals, noise),
        noise=noise,
        leverage=leverage,
        predicted=predicted,
        shift=shift,
        normalised=result,
        alignment=found.text if isinstance(found, Misaligned) else shift_words(found),
    )


def set_against(
    values: NDArray[np.float32],
    predicted: NDArray[np.float32],
    leverage: NDArray[np.float32],
    sigma: NDArray[np.float32],
    shift: Shift | None,
) -> Residuals:
    """Return prepared values less their prediction, with the variance that was to be expected."""
    variance = np.square(sigma) * (1 + leverage) + registration_variance(predicted, shift)
    return Residuals(values - predicted, variance.astype(np.float32))


def widened(residuals: Residuals, noise: NDArray[np.float32]) -> Residuals:
    """Return residuals whose variance is `noise` times as large, ``(band)``."""
    return replace(residuals, variance=residuals.variance * noise[:, None, None])


def shift_words(shift: Shift) -> str:
    """Return a shift in words, with its error."""
    way = f"{shift.dx_px:+.2f}, {shift.dy_px:+.2f} px"
    return f"{way} (error {shift.sigma_px:.2f} px, r {shift.correlation:.2f})"


def registration_variance(predicted: NDArray[np.float32], shift: Shift | None) -> NDArray[np.float32]:
    """Return what the shift's uncertainty adds to a residual's variance, ``(band, y, x)``.

    First order: the gradient times the shift's error, ``g' C g``.
    """
    if shift is None:
        return np.zeros(predicted.shape, dtype=np.float32)
    down, across = np.gradient(np.nan_to_num(predicted), axis=(-2, -1))
    added = shift.var_x * across**2 + shift.var_y * down**2 + 2 * shift.cov_xy * across * down
    return np.asarray(np.maximum(added, 0), dtype=np.float32)


def noise_of(residuals: Residuals, context: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return how much wider the surroundings scatter on a day than was predicted, ``(band)``, 1 or more.

    By the median of the squared standardised residuals: haze, a noisy image or poor registration widen all
    of them, a change widens few.
    """
    z = residuals.values[:, context] / np.sqrt(residuals.variance[:, context])
    z = z[:, np.isfinite(z).all(axis=0)]
    if z.shape[1] < _LEAST_PX:
        return np.ones(len(z), dtype=np.float32)
    return np.maximum(np.median(np.square(z), axis=1) / MEDIAN_CHI2, 1).astype(np.float32)


def on_scale(
    values: NDArray[np.float32],
    predicted: NDArray[np.float32],
    context: NDArray[np.bool_],
    settings: NormaliseSettings,
) -> Normalised:
    """Put values on the scale of a prediction: by a line, or by an offset where the line is too steep.

    Light and haze change the contrast of a frame a little; a summer that was greener than predicted changes
    that of one band a lot, and stretching the band by it would stretch what is looked for as well.
    """
    result = normalise(values, predicted, context, settings)
    low, high = USUAL_GAIN
    usual = ((result.gain >= low) & (result.gain <= high)).all()
    if usual or result.method is not NormaliseMethod.LINE or not result.plausible:
        return result
    return normalise(values, predicted, context, replace(settings, min_line_px=predicted[0].size + 1))


def normalise_settings(scale: float | None) -> NormaliseSettings:
    """Return how a look is put on the scale of a prediction; counts have no largest plausible level."""
    settings = NormaliseSettings(noise_ratio=_NOISE_RATIO, gain_range=PLAUSIBLE_GAIN)
    return settings if scale is not None else replace(settings, max_level=np.inf)
