"""The request for the heights under a lattice: no time, no catalogue, one answer for ever.

Source: Sentinel Hub documentation, "DEM": collection ``dem``, instance, heights in metres (orthometric, over
the EGM2008 geoid, unless ``egm`` is asked for), the sea is 0.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from imagery.elevation import Elevation, keep_elevation, kept_elevation
from imagery.errors import ImageError
from imagery.frame import Frame
from imagery.provenance import Charge
from imagery.sentinelhub.cost import processing_units
from imagery.sentinelhub.fetch_frame import MAX_SIDE_PX
from imagery.sentinelhub.images import TIFF, bounds_of_frame, media_type, read_image
from imagery.sentinelhub.process import PROCESS_PATH
from imagery.sentinelhub.service import UnusableAnswer

if TYPE_CHECKING:
    from geo.grid import Grid
    from imagery.archive import Archive
    from imagery.sentinelhub.service import Answer, Service

COLLECTION = "dem"
INSTANCE = "COPERNICUS_30"
DATUM = "EGM2008 (orthometric heights)"
CREDIT = (
    "Produced using Copernicus WorldDEM-30 (c) DLR e.V. 2010-2014 and (c) Airbus Defence and Space GmbH "
    "2014-2018 provided under COPERNICUS by the European Union and ESA; all rights reserved"
)

_HIGHEST_M, _LOWEST_M = 9000.0, -1000.0
_OVERHEAD_BYTES = 2**20

_SCRIPT = """\
//VERSION=3
function setup() {
  return {
    input: ["DEM", "dataMask"],
    output: { id: "default", bands: 2, sampleType: "FLOAT32" }
  };
}

function evaluatePixel(sample) {
  return [sample.DEM, sample.dataMask];
}
"""
_PROCESSING = {"upsampling": "BILINEAR", "downsampling": "BILINEAR"}


@dataclass(frozen=True, slots=True)
class TerrainRequest:
    """The heights at the pixels of a lattice."""

    grid: Grid

    def __post_init__(self) -> None:
        """Refuse a lattice that can't be asked for.

        Raises:
            ImageError: Larger than one request may be, or in a CRS without a code.
        """
        if max(self.grid.shape) > MAX_SIDE_PX or not self.grid.crs.startswith("EPSG:"):
            problem = f"the heights of {self.grid.site_id!r} can't be asked for in one request"
            hint = f"At most {MAX_SIDE_PX} pixels a side, in a CRS with a code; give it a smaller context_m"
            raise ImageError(problem, hint=hint)

    @property
    def frame(self) -> Frame:
        """The pixels that are asked for: the lattice's own."""
        return Frame(self.grid.crs, self.grid.transform, self.grid.shape)

    @property
    def estimate(self) -> Charge:
        """What it should cost: one band of floats."""
        return Charge(1, processing_units(self.grid.shape, 1, floats=True))

    @property
    def max_bytes(self) -> int:
        """More than the largest answer."""
        return 2 * math.prod(self.grid.shape) * 8 + _OVERHEAD_BYTES

    @property
    def key(self) -> str:
        """SHA-256 of what decides the heights."""
        document = {"collection": COLLECTION, "instance": INSTANCE, "processing": _PROCESSING}
        text = orjson.dumps({**document, "grid": self.grid.to_json()}, option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(text).hexdigest()

    def document(self) -> dict[str, Any]:
        """Return the body of the Process request."""
        rows, columns = self.grid.shape
        return {
            "input": {
                "bounds": bounds_of_frame(self.frame),
                "data": [
                    {"type": COLLECTION, "dataFilter": {"demInstance": INSTANCE}, "processing": _PROCESSING}
                ],
            },
            "evalscript": _SCRIPT,
            "output": {
                "width": columns,
                "height": rows,
                "responses": [{"identifier": "default", "format": {"type": TIFF}}],
            },
        }


def fetch_elevation(service: Service, archive: Archive, grid: Grid) -> tuple[Elevation, Charge]:
    """Return the heights on a lattice and what they cost now: from the archive, or into it.

    Raises:
        ImageError: The lattice can't be asked for.
        ServiceError: And what else `Service.post` raises.
        ArchiveError: What is kept is damaged, or can't be written.
    """
    kept = kept_elevation(archive, grid)
    if kept is not None:
        return kept, Charge()
    request = TerrainRequest(grid)
    metres, spent = service.post(
        PROCESS_PATH,
        request.document(),
        accept=TIFF,
        what=f"elevation of {grid.site_id}",
        estimate=request.estimate,
        understand=lambda answer: _understand(answer, request),
        max_bytes=request.max_bytes,
    )
    elevation = Elevation(grid, metres, _provenance(request, spent))
    keep_elevation(archive, elevation)
    return elevation, spent


def _understand(answer: Answer, request: TerrainRequest) -> np.ndarray[Any, np.dtype[np.float32]]:
    media_type(answer)
    heights, mask = read_image(answer.content, request.frame, 2, "float32")
    known = mask == 1
    if not known.all() and mask[~known].any():
        raise UnusableAnswer("its data mask holds other values than 0 and 1")
    if not ((heights[known] > _LOWEST_M) & (heights[known] < _HIGHEST_M)).all():
        raise UnusableAnswer(f"its heights are not between {_LOWEST_M:g} and {_HIGHEST_M:g} m")
    return np.where(known, heights, np.float32(np.nan))


def _provenance(request: TerrainRequest, spent: Charge) -> dict[str, Any]:
    return {
        "provider": "sentinelhub",
        "collection": COLLECTION,
        "instance": INSTANCE,
        "vertical_datum": DATUM,
        "unit": "m",
        "processing": _PROCESSING,
        "request_key": request.key,
        "spent": {"requests": spent.requests, "processing_units": spent.processing_units},
        "credit": CREDIT,
    }
