"""What a request costs, before it is made.

Source: Sentinel Hub documentation, "Processing unit": one unit is 512 x 512 pixels of three bands in
integers, from one acquisition; the multiplication factors and minima are those of its table.
"""

from __future__ import annotations

_UNIT_PX = 512 * 512
_UNIT_BANDS = 3
_SMALLEST_AREA = 0.01
_SMALLEST_REQUEST = 0.005
_FLOAT_FACTOR = 2.0

CATALOG_UNITS = 0.01
"""The least that a page of search results costs."""


def processing_units(
    shape: tuple[int, int],
    bands: int,
    *,
    floats: bool = False,
    samples_per_pixel: int = 1,
    factor: float = 1.0,
) -> float:
    """Return the processing units of one Process request.

    >>> round(processing_units((256, 256), 1), 4)
    0.0833

    Args:
        shape: Rows and columns of the output.
        bands: Input bands; `dataMask` is free beside others.
        floats: Whether any output is 32-bit floating point.
        samples_per_pixel: Acquisitions that the script sees at each pixel.
        factor: Product of the remaining factors: 2 for orthorectified radar, 2.5 for terrain-corrected.
    """
    rows, columns = shape
    area = max(_SMALLEST_AREA, rows * columns / _UNIT_PX)
    units = area * bands / _UNIT_BANDS * (_FLOAT_FACTOR if floats else 1.0) * samples_per_pixel * factor
    return max(_SMALLEST_REQUEST, units)
