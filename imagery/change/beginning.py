"""Clear looks that came before their season was known, laid onto the others once there are some."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.harmonics import fit
from imagery.change.prepare import aligned, moves, on_scale
from imagery.change.recipe import Scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from imagery.change.harmonics import HarmonicModel
    from imagery.change.learned import PastLook
    from imagery.normalise import NormaliseSettings


def settle(
    looks: Sequence[PastLook],
    bands: Sequence[str],
    context: NDArray[np.bool_],
    *,
    resolution: float,
    settings: NormaliseSettings,
) -> list[PastLook]:
    """Settle the looks that are not: align each with a model of all, then scale it by a second one.

    A look that can't be aligned, or whose scale would be implausible, stays as it is: fits are robust.

    Args:
        looks: In order of days.
        bands: Names of the bands.
        context: ``(y, x)``: the ground around the site.
        resolution: Smallest step of the values.
        settings: What scale is plausible.
    """
    if all(look.is_settled for look in looks):
        return list(looks)
    model = _model(looks, resolution)
    placed = [look if look.is_settled else _placed(look, model, bands) for look in looks]
    model = _model(placed, resolution)
    return [look if look.is_settled else _scaled(look, model, context, settings) for look in placed]


def _model(looks: Sequence[PastLook], resolution: float) -> HarmonicModel:
    return fit(
        np.stack([look.values for look in looks]),
        [look.day for look in looks],
        [look.orbit for look in looks],
        resolution=resolution,
    )


def _placed(look: PastLook, model: HarmonicModel, bands: Sequence[str]) -> PastLook:
    predicted, _ = model.predict(look.day, look.orbit)
    values, found = aligned(look.values, predicted, bands)
    return replace(look, values=values, recipe=look.recipe.then(*moves(found)))


def _scaled(
    look: PastLook, model: HarmonicModel, context: NDArray[np.bool_], settings: NormaliseSettings
) -> PastLook:
    predicted, _ = model.predict(look.day, look.orbit)
    result = on_scale(look.values, predicted, context, settings)
    if not result.plausible:
        return replace(look, is_settled=True)
    return replace(look, values=result.values, recipe=look.recipe.then(Scaled.by(result)), is_settled=True)
