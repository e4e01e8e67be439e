from __future__ import annotations

import numpy as np
import pytest

from imagery.errors import ImageError
from imagery.masks import MaskScheme, SceneClass, class_table, clear_pixels, scene_classes

C = SceneClass


def test_fmask_codes() -> None:
    codes = np.array([0, 1, 2, 3, 4, 255, 7], dtype=np.uint8)
    expected = [C.CLEAR, C.WATER, C.SHADOW, C.SNOW, C.CLOUD, C.NODATA, C.UNKNOWN]
    assert scene_classes(codes, MaskScheme.FMASK).tolist() == expected


def test_sentinel_2_codes() -> None:
    expected = [
        *[C.NODATA, C.NODATA, C.CLEAR, C.SHADOW, C.CLEAR, C.CLEAR],
        *[C.WATER, C.CLEAR, C.CLOUD, C.CLOUD, C.CIRRUS, C.SNOW, C.UNKNOWN],
    ]
    assert scene_classes(np.arange(13, dtype=np.uint16), MaskScheme.SCL).tolist() == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        # The example values of the Landsat 8-9 Collection 2 guide (USGS LSDS-1619).
        (1, C.NODATA),
        (21824, C.CLEAR),
        (21826, C.CLOUD),  # dilated cloud over land
        (21952, C.WATER),
        (22080, C.CLEAR),  # cloud of medium confidence: the cloud bit itself is not set
        (22280, C.CLOUD),
        (23888, C.SHADOW),
        (23952, C.SHADOW),  # over water
        (30048, C.SNOW),
        (54596, C.CIRRUS),
        (54852, C.CIRRUS),
        (55052, C.CLOUD),
    ],
)
def test_landsat_quality_bits(code: int, expected: SceneClass) -> None:
    assert scene_classes(np.array([code], dtype=np.uint16), MaskScheme.QA)[0] == expected


def test_codes_outside_a_scheme_are_refused() -> None:
    with pytest.raises(ImageError, match="-3 is not a code of the fmask scheme"):
        scene_classes(np.array([0, -3], dtype=np.int16), MaskScheme.FMASK)
    with pytest.raises(ImageError, match="300 is not a code of the scl scheme"):
        scene_classes(np.array([300], dtype=np.uint16), MaskScheme.SCL)


def test_the_tables_can_not_be_changed() -> None:
    with pytest.raises(ValueError, match="read-only"):
        class_table(MaskScheme.SCL)[0] = 1


def test_snow_is_not_clear_and_water_is() -> None:
    classes = np.array([[C.CLEAR, C.WATER, C.SNOW, C.NODATA, C.UNKNOWN, C.SHADOW, C.CIRRUS]], dtype=np.uint8)
    assert clear_pixels(classes).tolist() == [[True, True, False, False, False, False, False]]


def test_dilation_grows_cloud_by_a_square_and_snow_not_at_all() -> None:
    classes = np.full((7, 9), C.CLEAR, dtype=np.uint8)
    classes[3, 2] = C.CLOUD
    classes[3, 8] = C.SNOW
    clear = clear_pixels(classes, dilate_px=1)
    expected = np.ones((7, 9), dtype=bool)
    expected[2:5, 1:4] = False
    expected[3, 8] = False
    assert np.array_equal(clear, expected)


@pytest.mark.parametrize("margin_px", [1, 2])
def test_dilation_agrees_with_scipy(margin_px: int) -> None:
    from scipy.ndimage import binary_dilation  # noqa: PLC0415 - the oracle of this test alone

    rng = np.random.default_rng(7)
    classes = np.where(rng.random((23, 31)) < 0.05, C.SHADOW, C.CLEAR).astype(np.uint8)
    side = 2 * margin_px + 1
    grown = binary_dilation(classes == C.SHADOW, np.ones((side, side)))
    assert np.array_equal(clear_pixels(classes, dilate_px=margin_px), ~grown)
