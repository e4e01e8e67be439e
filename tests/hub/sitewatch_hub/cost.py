"""What a request costs in processing units, by the formula of the service's documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sitewatch_hub.sampling import DATA_MASK

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sitewatch_hub.sampling import Band

HEADER = "X-ProcessingUnits-Spent"

CATALOG_UNITS = 0.01
STATISTICAL_MINIMUM = 0.01

_REFERENCE_PX = 512 * 512
_REFERENCE_BANDS = 3
_SMALLEST_AREA = 0.01
_SMALLEST = 0.005


def processing_units(
    shape: tuple[int, int],
    bands: Sequence[Band],
    sample_types: Iterable[str],
    samples: int,
    *,
    processing: float = 1.0,
) -> float:
    """Return the price of one response.

    One unit is 512 x 512 pixels of three bands in 8 or 16 bits from one acquisition. A 32-bit output doubles
    it; ``dataMask`` is free unless it is alone.

    Args:
        shape: Rows, columns.
        bands: What the script reads.
        sample_types: Of its outputs.
        samples: Samples a pixel: 1 for ``SIMPLE``, the number of scenes for ``ORBIT`` and ``TILE``.
        processing: Factor of what is done to radar; see `radar_factor`.
    """
    paid = [band for band in bands if band.name != DATA_MASK] or list(bands)
    area = max(_SMALLEST_AREA, shape[0] * shape[1] / _REFERENCE_PX)
    factor = 2.0 if "FLOAT32" in set(sample_types) else 1.0
    factor *= max(1, samples) * processing
    return max(_SMALLEST, area * len(paid) / _REFERENCE_BANDS * factor)


def radar_factor(*, orthorectify: bool, terrain: bool, speckle_filter: bool) -> float:
    """Return the factor of a radar request: terrain correction takes the place of orthorectification's."""
    geometry = 2.5 if terrain else 2.0 if orthorectify else 1.0
    return geometry * (2.0 if speckle_filter else 1.0)


def header(units: float) -> dict[str, str]:
    """Return the response header that tells the price."""
    return {HEADER: f"{units:.10g}"}
