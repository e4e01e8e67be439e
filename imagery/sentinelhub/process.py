"""The request for one pass over one frame, and the pixels of its answer."""

from __future__ import annotations

import hashlib
import io
import math
import tarfile
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from imagery.masks import MaskScheme, SceneClass, scene_classes
from imagery.provenance import Charge
from imagery.sentinelhub.cost import processing_units
from imagery.sentinelhub.evalscript import BANDS_OUTPUT, MASK_OUTPUT, counts_script
from imagery.sentinelhub.images import TIFF, bounds_of_frame, media_type, read_image
from imagery.sentinelhub.orbits import orbit_filter
from imagery.sentinelhub.service import UnusableAnswer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imagery.frame import Frame
    from imagery.sentinelhub.acquisitions import Acquisition
    from imagery.sentinelhub.products import Product
    from imagery.sentinelhub.service import Answer

PROCESS_PATH = "/api/v1/process"
TAR = "application/x-tar"
NODATA = 65535
"""Count that stands for no data in what we keep: zero is a dark pixel once offsets are undone."""

_KEY_VERSION = 1
_NO_CLASS: dict[MaskScheme | None, int] = {MaskScheme.QA: 1}
"""Code of no data where it is not 0: bit 0 of `QA_PIXEL` says fill, and 0 would be clear."""
_OVERHEAD_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class PassRequest:
    """One pass over one frame, in one product's bands."""

    product: Product
    bands: tuple[str, ...]
    """Canonical names."""
    frame: Frame
    acquisition: Acquisition

    @property
    def key(self) -> str:
        """SHA-256 of what decides the pixels: product, pass, frame, bands, processing.

        Not the deployment, because they serve the same acquisitions.
        """
        document = {
            "version": _KEY_VERSION,
            "product": self.product.collection,
            "platform": self.acquisition.platform,
            "acquired": self.acquisition.acquired.isoformat(),
            "crs": self.frame.crs,
            "transform": [float(value) for value in self.frame.transform[:6]],
            "shape": list(self.frame.shape),
            "bands": list(self.bands),
            "processing": dict(self.product.processing),
        }
        return hashlib.sha256(orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).hexdigest()

    @property
    def estimate(self) -> Charge:
        """What it should cost."""
        count = len(self.bands) + (self.product.mask_band is not None)
        factor = self.product.cost_factor
        return Charge(1, processing_units(self.frame.shape, count, factor=factor))

    @property
    def max_bytes(self) -> int:
        """More than the largest answer: twice the pixels unpacked."""
        samples = 2 * len(self.bands) + 4
        return 2 * math.prod(self.frame.shape) * samples + _OVERHEAD_BYTES

    def document(self) -> dict[str, Any]:
        """Return the body of the Process request."""
        rows, columns = self.frame.shape
        names = [self.product.bands[band] for band in self.bands]
        return {
            "input": {
                "bounds": bounds_of_frame(self.frame),
                "data": [
                    {
                        "type": self.product.collection,
                        "dataFilter": {
                            "timeRange": self._time_range(),
                            "mosaickingOrder": "leastRecent",
                            **self.product.data_filter,
                            **orbit_filter(self.product, self.acquisition),
                        },
                        "processing": dict(self.product.processing),
                    }
                ],
            },
            "evalscript": counts_script(
                names,
                self.product.mask_band,
                coding=self.product.coding,
                mask_type=self.product.mask_type,
            ),
            "output": {
                "width": columns,
                "height": rows,
                "responses": [
                    {"identifier": name, "format": {"type": TIFF}} for name in (BANDS_OUTPUT, MASK_OUTPUT)
                ],
            },
        }

    def _time_range(self) -> dict[str, str]:
        # Whole seconds around the pass: the service compares with milliseconds that the catalogue drops.
        first = self.acquisition.acquired.replace(microsecond=0) - timedelta(seconds=1)
        last = self.acquisition.last.replace(microsecond=0) + timedelta(seconds=2)
        return {"from": f"{first:%Y-%m-%dT%H:%M:%SZ}", "to": f"{last:%Y-%m-%dT%H:%M:%SZ}"}


@dataclass(frozen=True, slots=True, eq=False)
class PassPixels:
    """The pixels of one pass, checked."""

    counts: NDArray[np.uint16]
    """``(band, y, x)``; `NODATA` where there is none."""
    classes: NDArray[np.generic] | None
    """``(y, x)``: codes of the product's mask scheme, that of no data where there is none."""


def understand_pixels(answer: Answer, request: PassRequest) -> PassPixels:
    """Return the pixels of an answer.

    Raises:
        UnusableAnswer: It is not the two images that were asked for, on the frame that was asked for.
    """
    members = _members(answer)
    counts = read_image(members[f"{BANDS_OUTPUT}.tif"], request.frame, len(request.bands), "uint16")
    has_classes = request.product.mask_band is not None
    mask_type = request.product.mask_type.lower()
    mask = read_image(members[f"{MASK_OUTPUT}.tif"], request.frame, 1 + has_classes, mask_type)
    if mask[0].max(initial=0) > 1:
        raise UnusableAnswer("its data mask holds other values than 0 and 1")
    held = mask[0] == 1
    filled = counts == request.product.fill if request.product.fill is not None else False
    counts = np.where(held & ~filled, np.minimum(counts, NODATA - 1), np.uint16(NODATA))
    nothing = mask.dtype.type(_NO_CLASS.get(request.product.mask_scheme, 0))
    classes = np.where(held, mask[1], nothing) if has_classes else None
    _check_classes(classes, request.product)
    return PassPixels(counts, classes)


def _check_classes(classes: NDArray[np.generic] | None, product: Product) -> None:
    if classes is None or product.mask_scheme is None:
        return
    unknown = scene_classes(classes, product.mask_scheme) == SceneClass.UNKNOWN
    if unknown.any():
        raise UnusableAnswer(f"its scene classes hold the unknown code {classes[unknown][0]}")


def _members(answer: Answer) -> dict[str, bytes]:
    kind = media_type(answer)
    wanted = {f"{BANDS_OUTPUT}.tif", f"{MASK_OUTPUT}.tif"}
    members: dict[str, bytes] = {}
    try:
        # The stream is in memory and its names only choose between the two that are known.
        with tarfile.open(fileobj=io.BytesIO(answer.content), mode="r:") as tar:
            for member in tar:
                stream = tar.extractfile(member) if member.isreg() and member.name in wanted else None
                if stream is not None:
                    members[member.name] = stream.read()
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise UnusableAnswer(f"it is no tar file ({kind or 'of unnamed type'})") from error
    if missing := wanted - members.keys():
        raise UnusableAnswer(f"it lacks {', '.join(sorted(missing))}")
    return members
