"""The preparation of a look by alignment and normalisation, noted so that it can be made again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from imagery.align import estimate_shift
from imagery.change.seriesmonitor import Expected, Prepare, Ready, Refused
from imagery.normalise import NormaliseMethod, NormaliseSettings, normalise
from imagery.reference import structure
from imagery.resampling import shifted
from imagery.shift import Misaligned, MisalignedReason, Shift, settled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.model import Chip

STILL_PX = 0.03
"""A shorter shift is left alone: resampling would cost more than it mends."""

MAX_LEVERAGE = 1.0
"""Above this median leverage the model does not know the season: a look that differs from it is no haze."""

_NOISE_RATIO = 0.2
"""Variance of the prediction's noise over that of a look's."""


def laid_onto_the_model(context: NDArray[np.bool_] | None = None) -> Prepare:
    """Return the preparation that lays looks onto what the model predicts for their day.

    The shift is estimated on the sharp bands jointly (`structure`), drawn towards none by what is
    known of the product (`settled`), and taken out by one resampling; its uncertainty becomes variance by the
    prediction's gradient. Gain and offset come from the unchanged context. Before the first fit, and in a
    season that the model does not know, looks are taken as they are.

    Args:
        context: ``(y, x)``, True where gain and offset may be taken from; None: everywhere.
    """

    def prepare(chip: Chip, expected: Expected | None, note: dict[str, Any] | None) -> Ready | Refused:
        values = chip.values()
        if note is not None and expected is not None:
            return _made(values, expected, note)
        if expected is None or not _season_known(expected):
            return Ready(values)
        found = _shift(values, expected.predicted, chip.bands)
        if isinstance(found, Misaligned):
            return Refused(f"it can't be laid onto the site's model: {found.text}")
        moved = _moved(values, found)
        settings = NormaliseSettings(noise_ratio=_NOISE_RATIO)
        if chip.scale is None:
            settings = replace(settings, max_level=np.inf)  # counts have no plausible range
        result = normalise(moved, expected.predicted, context, settings)
        if result.method is not NormaliseMethod.NONE and not result.plausible:
            return Refused(f"the whole frame moved: {result.text}")
        offset = result.offset - result.common
        return _made(values, expected, _noted(found, result.gain, offset))

    return prepare


def _season_known(expected: Expected) -> bool:
    known = expected.leverage[np.isfinite(expected.leverage)]
    return bool(known.size) and float(np.median(known)) <= MAX_LEVERAGE


def _shift(
    values: NDArray[np.float32], predicted: NDArray[np.float32], bands: Sequence[str]
) -> Shift | Misaligned:
    found = settled(estimate_shift(structure(values, bands), structure(predicted, bands)))
    if isinstance(found, Misaligned) and found.reason is MisalignedReason.FEW_CLEAR:
        return settled(Misaligned(MisalignedReason.UNCERTAIN, found.figure, found.limit, found.clear_px))
    return found


def _moved(values: NDArray[np.float32], shift: Shift) -> NDArray[np.float32]:
    return shifted(values, shift) if shift.length_px >= STILL_PX else values


def _noted(shift: Shift, gain: NDArray[np.float64], offset: NDArray[np.float64]) -> dict[str, Any]:
    return {
        "shift": [shift.dx_px, shift.dy_px, shift.var_x, shift.var_y, shift.cov_xy],
        "gain": gain.tolist(),
        "offset": offset.tolist(),
    }


def _made(values: NDArray[np.float32], expected: Expected, note: dict[str, Any]) -> Ready:
    shift = Shift(*note["shift"])
    gain, offset = (np.array(note[name], dtype=np.float32)[:, None, None] for name in ("gain", "offset"))
    return Ready(
        values=gain * _moved(values, shift) + offset,
        extra_variance=_variance(expected.predicted, shift),
        note=note,
    )


def _variance(predicted: NDArray[np.float32], shift: Shift) -> NDArray[np.float32]:
    """Return what the shift's uncertainty adds, ``(band, y, x)``: to first order ``g' C g``."""
    down, across = np.gradient(np.nan_to_num(predicted), axis=(-2, -1))
    added = shift.var_x * across**2 + shift.var_y * down**2 + 2 * shift.cov_xy * across * down
    variance: NDArray[np.float32] = np.maximum(added, 0).astype(np.float32)
    return variance
