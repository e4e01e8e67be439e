"""What lies over each pixel: the class codes of three mask products, as one set of classes.

Each scheme is a lookup table, so a chip is classified by one indexing.

Sources: Fmask, Zhu and Woodcock 2012 (Remote Sensing of Environment 118) and the USGS CFmask codes;
Sentinel-2 scene classification, ESA Sentinel-2 Level-2A Algorithm Theoretical Basis Document, table
of SCL labels; Landsat Collection 2 `QA_PIXEL` bits, USGS LSDS-1619 (Landsat 8-9 Level 2 Science
Product Guide) and LSDS-1337 (Landsat 4-7).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from imagery.errors import ImageError

if TYPE_CHECKING:
    from numpy.typing import NDArray


class SceneClass(IntEnum):
    """What a pixel shows; the codes are ours."""

    NODATA = 0
    CLEAR = 1
    WATER = 2
    SHADOW = 3
    SNOW = 4
    CLOUD = 5
    CIRRUS = 6
    UNKNOWN = 255
    """A code the scheme does not define."""


class MaskScheme(StrEnum):
    """Whose codes a mask band holds."""

    FMASK = "fmask"
    SCL = "scl"
    QA = "qa"


CLEAR_CLASSES = (SceneClass.CLEAR, SceneClass.WATER)
"""Fit for judging change. Snow is not: the ground below it is unseen."""

_GROWING_CLASSES = (SceneClass.CLOUD, SceneClass.CIRRUS, SceneClass.SHADOW)
"""Rimmed by haze and thin shadow that the mask does not call so."""

_FMASK = {
    0: SceneClass.CLEAR,
    1: SceneClass.WATER,
    2: SceneClass.SHADOW,
    3: SceneClass.SNOW,
    4: SceneClass.CLOUD,
    255: SceneClass.NODATA,
}

_SCL = {
    0: SceneClass.NODATA,
    1: SceneClass.NODATA,  # saturated or defective
    2: SceneClass.CLEAR,  # dark area: terrain shadow returns each season, dark roofs and asphalt stay
    3: SceneClass.SHADOW,
    4: SceneClass.CLEAR,  # vegetation
    5: SceneClass.CLEAR,  # not vegetated
    6: SceneClass.WATER,
    7: SceneClass.CLEAR,  # unclassified: cloud probability is low; bright roofs land here
    8: SceneClass.CLOUD,  # medium probability
    9: SceneClass.CLOUD,
    10: SceneClass.CIRRUS,
    11: SceneClass.SNOW,
}

# Strongest last: a pixel with several bits set takes the class of the last one that matches.
_QA_BITS = (
    (7, SceneClass.WATER),
    (5, SceneClass.SNOW),
    (4, SceneClass.SHADOW),
    (2, SceneClass.CIRRUS),
    (1, SceneClass.CLOUD),  # dilated cloud
    (3, SceneClass.CLOUD),
    (0, SceneClass.NODATA),  # fill
)


@cache
def class_table(scheme: MaskScheme) -> NDArray[np.uint8]:
    """Return the class of every code of a scheme, read-only; codes index it.

    The table of fmask and scl has 256 entries, that of qa 65,536.
    """
    table = _qa_table() if scheme is MaskScheme.QA else _code_table(scheme)
    table.setflags(write=False)
    return table


def scene_classes(codes: NDArray[np.generic], scheme: MaskScheme) -> NDArray[np.uint8]:
    """Return the `SceneClass` of each pixel, the shape of `codes`.

    Raises:
        ImageError: A code is negative or larger than the scheme can hold.
    """
    table = class_table(scheme)
    if codes.size and (int(codes.min()) < 0 or int(codes.max()) >= table.size):
        outlier = int(codes.min()) if int(codes.min()) < 0 else int(codes.max())
        raise ImageError(f"{outlier} is not a code of the {scheme} scheme")
    classes: NDArray[np.uint8] = table[codes.astype(np.intp)]
    return classes


def unmasked_classes(valid: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the classes of pixels that no mask speaks of: clear where valid, else no data."""
    classes: NDArray[np.uint8] = np.where(valid, np.uint8(SceneClass.CLEAR), np.uint8(SceneClass.NODATA))
    return classes


def cloud_percent(classes: NDArray[np.uint8]) -> float:
    """Return the share of cloud and cirrus among the pixels that have data, 0 to 100, to a hundredth.

    Where no pixel has data it is 100: nothing can be seen.
    """
    valid = int(np.count_nonzero(classes != SceneClass.NODATA))
    cloudy = int(np.count_nonzero(np.isin(classes, (SceneClass.CLOUD, SceneClass.CIRRUS))))
    return round(100.0 * cloudy / valid, 2) if valid else 100.0


def clear_pixels(classes: NDArray[np.uint8], *, dilate_px: int = 0) -> NDArray[np.bool_]:
    """Return True where a pixel is clear land or water, ``(y, x)``.

    Args:
        classes: `SceneClass` codes, ``(y, x)``.
        dilate_px: Pixels around cloud, cirrus and shadow that count as covered too (a square).
    """
    clear: NDArray[np.bool_] = _members(CLEAR_CLASSES)[classes]
    if dilate_px:
        covered = _members(_GROWING_CLASSES)[classes]
        clear &= ~_grown(covered, dilate_px)
    return clear


@cache
def _members(chosen: tuple[SceneClass, ...]) -> NDArray[np.bool_]:
    """Return for every code whether it is one of the chosen; a lookup is a tenth of a search."""
    table = np.zeros(256, dtype=np.bool_)
    table[list(chosen)] = True
    return table


def _grown(mask: NDArray[np.bool_], margin_px: int) -> NDArray[np.bool_]:
    rows, columns = mask.shape
    padded = np.pad(mask, margin_px)
    steps = range(2 * margin_px + 1)
    tall = np.logical_or.reduce([padded[step : step + rows] for step in steps])
    return np.asarray(np.logical_or.reduce([tall[:, step : step + columns] for step in steps]))


def _code_table(scheme: MaskScheme) -> NDArray[np.uint8]:
    table = np.full(256, SceneClass.UNKNOWN, dtype=np.uint8)
    for code, scene_class in (_FMASK if scheme is MaskScheme.FMASK else _SCL).items():
        table[code] = scene_class
    return table


def _qa_table() -> NDArray[np.uint8]:
    codes = np.arange(65536, dtype=np.uint16)
    table = np.full(codes.size, SceneClass.CLEAR, dtype=np.uint8)
    for bit, scene_class in _QA_BITS:
        table[(codes >> bit) & 1 == 1] = scene_class
    return table
