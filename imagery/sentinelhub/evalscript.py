"""The script that the service runs on each pixel: it hands the counts out and decides nothing.

Version 3 of the service's script language (Sentinel Hub documentation, "Evalscript V3").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagery.quantity import FLOOR_DB, STEP_DB, TOP_COUNT

if TYPE_CHECKING:
    from collections.abc import Sequence

BANDS_OUTPUT = "bands"
MASK_OUTPUT = "mask"


@dataclass(frozen=True, slots=True)
class Coding:
    """How the service's numbers become counts of 16 bits: half the price of floats."""

    unit: str
    """Asked of all bands; empty for each band's own default."""
    function: str
    """JavaScript of one number ``v`` that is data; its result is rounded and clamped. Empty: as it comes."""


def counts_as_they_come() -> Coding:
    """Return the coding of a product that the service gives in counts."""
    return Coding("DN", "")


def counts_of_reflectance(scale: float, offset: float) -> Coding:
    """Return the coding that takes reflectance back to the counts it was made of."""
    return Coding("", f"(v - ({offset!r})) / {scale!r}")


def counts_of_decibels() -> Coding:
    """Return the coding of linear power as hundredths of a decibel; see `imagery.quantity`."""
    return Coding("", f"(10 * Math.log(v) / Math.LN10 - ({FLOOR_DB!r})) / {STEP_DB!r}")


_SCRIPT = """\
//VERSION=3
function setup() {{
  return {{
    input: [{{ bands: [{inputs}]{units} }}],
    output: [
      {{ id: "{bands_id}", bands: {count}, sampleType: "UINT16" }},
      {{ id: "{mask_id}", bands: {mask_count}, sampleType: "{mask_type}" }}
    ]
  }};
}}
{encode}
function evaluatePixel(sample) {{
  return {{
    {bands_id}: [{values}],
    {mask_id}: [{masks}]
  }};
}}
"""


# A number that is none (no data of Landsat) and the logarithm of nothing both fail the comparison.
_ENCODE = """
function encode(v) {{
  const count = Math.round({function});
  return count > 0 ? Math.min(count, {top}) : 0;
}}
"""


def counts_script(
    bands: Sequence[str], mask_band: str | None, *, coding: Coding | None = None, mask_type: str = "UINT8"
) -> str:
    """Return the script that gives counts as UINT16, and data mask and scene classes beside them.

    Args:
        bands: The service's band names, in the order wanted.
        mask_band: The band of scene classes, if the product has one; it becomes the second of the mask.
        coding: How numbers become counts; None for those that are counts.
        mask_type: Sample type that holds the codes of the classes.
    """
    chosen = coding or counts_as_they_come()
    value = "encode(sample.{})" if chosen.function else "sample.{}"
    masks = ["dataMask", *([mask_band] if mask_band else [])]
    return _SCRIPT.format(
        inputs=", ".join(f'"{name}"' for name in [*bands, *masks]),
        bands_id=BANDS_OUTPUT,
        mask_id=MASK_OUTPUT,
        count=len(bands),
        mask_count=len(masks),
        units=f', units: "{chosen.unit}"' if chosen.unit else "",
        mask_type=mask_type,
        encode=_ENCODE.format(function=chosen.function, top=TOP_COUNT) if chosen.function else "",
        values=", ".join(value.format(name) for name in bands),
        masks=", ".join(f"sample.{name}" for name in masks),
    )
