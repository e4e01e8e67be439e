"""The script that the service runs on each pixel: it hands the counts out and decides nothing.

Version 3 of the service's script language (Sentinel Hub documentation, "Evalscript V3").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

BANDS_OUTPUT = "bands"
MASK_OUTPUT = "mask"

_SCRIPT = """\
//VERSION=3
function setup() {{
  return {{
    input: [{{ bands: [{inputs}], units: "DN" }}],
    output: [
      {{ id: "{bands_id}", bands: {count}, sampleType: "UINT16" }},
      {{ id: "{mask_id}", bands: {mask_count}, sampleType: "UINT8" }}
    ]
  }};
}}

function evaluatePixel(sample) {{
  return {{
    {bands_id}: [{values}],
    {mask_id}: [{masks}]
  }};
}}
"""


def counts_script(bands: Sequence[str], mask_band: str | None) -> str:
    """Return the script that gives counts as UINT16, and data mask and scene classes as UINT8.

    Args:
        bands: The service's band names, in the order wanted.
        mask_band: The band of scene classes, if the product has one; it becomes the second of the mask.
    """
    masks = ["dataMask", *([mask_band] if mask_band else [])]
    return _SCRIPT.format(
        inputs=", ".join(f'"{name}"' for name in [*bands, *masks]),
        bands_id=BANDS_OUTPUT,
        mask_id=MASK_OUTPUT,
        count=len(bands),
        mask_count=len(masks),
        values=", ".join(f"sample.{name}" for name in bands),
        masks=", ".join(f"sample.{name}" for name in masks),
    )
