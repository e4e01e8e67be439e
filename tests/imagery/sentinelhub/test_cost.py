from __future__ import annotations

import pytest

from imagery.provenance import Charge
from imagery.sentinelhub.cost import processing_units


@pytest.mark.parametrize(
    ("shape", "bands", "more", "expected"),
    [
        # the service's own examples: a unit is 512 x 512 pixels of three bands in integers
        ((512, 512), 3, {}, 1.0),
        ((512, 512), 3, {"floats": True}, 2.0),
        ((256, 256), 1, {}, 1 / 12),
        ((256, 256), 6, {}, 0.5),
        ((512, 512), 3, {"samples_per_pixel": 10}, 10.0),
        ((512, 512), 2, {"factor": 2.0}, 4 / 3),
        # the smallest area counts as a hundredth, and no request is below 0.005
        ((1, 1), 3, {}, 0.01),
        ((1, 1), 1, {}, 0.005),
        ((2500, 2500), 12, {}, 2500 * 2500 / 512**2 * 4),
    ],
)
def test_units_are_those_of_the_table(
    shape: tuple[int, int], bands: int, more: dict[str, float], expected: float
) -> None:
    assert processing_units(shape, bands, **more) == pytest.approx(expected)  # type: ignore[arg-type]


def test_charges_add_up() -> None:
    assert Charge(1, 0.5) + Charge(2, 0.25) == Charge(3, 0.75)
