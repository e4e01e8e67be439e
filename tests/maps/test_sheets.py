from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from imagery.model import Chip
from maps.composites import shared_stretch
from maps.sheets import chip_picture


def test_a_captioned_picture_is_the_same_each_time_and_grows_by_its_warning(
    make_chip: Callable[..., Chip],
) -> None:
    plain, again = (chip_picture(make_chip(), "Quiet valley") for _ in range(2))
    warned = chip_picture(make_chip(simulated=True), "Quiet valley")
    assert plain == again
    heights = [Image.open(io.BytesIO(each)).height for each in (plain, warned)]
    assert heights[1] > heights[0]  # the line that says SIMULATED


def test_a_shared_stretch_is_used(make_chip: Callable[..., Chip]) -> None:
    bright = make_chip(dn=np.full((3, 40, 50), 3000, np.uint16))
    stretch = shared_stretch([make_chip(), make_chip(), bright])
    shown = np.asarray(Image.open(io.BytesIO(chip_picture(bright, "", stretch))).convert("RGB"))
    assert (shown[150:200, 100:200] == 255).all()
