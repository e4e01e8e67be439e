"""From what a script returned to the bytes of a response: sample types, images, archives."""

from __future__ import annotations

import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image
from rasterio.io import MemoryFile

from sitewatch_hub.messages import field_refusal, refusal, script_refusal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from sitewatch_hub.canvas import Canvas
    from sitewatch_hub.evalscript import OutputSpec

JSON_TYPE = "application/json"
TAR_TYPE = "application/x-tar"
SUFFIXES = {"image/tiff": "tif", "image/png": "png", "image/jpeg": "jpg", JSON_TYPE: "json"}

_DTYPES: dict[str, Any] = {"UINT8": np.uint8, "UINT16": np.uint16, "INT16": np.int16, "FLOAT32": np.float32}
_PICTURE_MODES = {1: "L", 3: "RGB", 4: "RGBA"}


def cast(values: NDArray[np.float64], sample_type: str) -> NDArray[Any]:
    """Return values in a sample type: integers are rounded and clamped, and a NaN becomes 0.

    ``AUTO`` maps 0 to 1 onto 0 to 255 of ``UINT8``. Halves are rounded up, as JavaScript's
    ``Math.round`` does; what the service does with a NaN is not documented.
    """
    if sample_type == "AUTO":
        values, sample_type = values * 255.0, "UINT8"
    dtype = _DTYPES[sample_type]
    if sample_type == "FLOAT32":
        return values.astype(dtype)
    limits = np.iinfo(dtype)
    rounded = np.floor(np.nan_to_num(values, nan=0.0, posinf=limits.max, neginf=limits.min) + 0.5)
    return np.clip(rounded, limits.min, limits.max).astype(dtype)


def encode(pixels: NDArray[Any], spec: OutputSpec, media_type: str, canvas: Canvas) -> bytes:
    """Return ``(band, y, x)`` as an image file.

    Raises:
        RefusedError: The format can't hold such pixels, or is unknown.
    """
    if media_type == "image/tiff":
        return _tiff(pixels, spec, canvas)
    if media_type in SUFFIXES and media_type != JSON_TYPE:
        return _picture(pixels, media_type)
    raise field_refusal(
        "output->responses->format->type", media_type, f"must be one of {', '.join(SUFFIXES)}"
    )


def pack(members: Sequence[tuple[str, bytes]]) -> bytes:
    """Return named members as an uncompressed tar archive, without times or owners."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def encode_json(document: object) -> bytes:
    """Return a document as JSON; a NaN is written as null, as JavaScript does."""
    return json.dumps({} if document is None else document).encode()


def _tiff(pixels: NDArray[Any], spec: OutputSpec, canvas: Canvas) -> bytes:
    bands, rows, columns = pixels.shape
    if spec.nodata is not None and not _holds(pixels.dtype, spec.nodata):
        raise script_refusal(f"nodataValue {spec.nodata:g} is no {pixels.dtype.name}")
    profile = {
        "driver": "GTiff",
        "count": bands,
        "height": rows,
        "width": columns,
        "dtype": pixels.dtype.name,
        "crs": canvas.crs,
        "transform": canvas.transform,
        "nodata": spec.nodata,
        "compress": "DEFLATE",
    }
    with MemoryFile() as memory:
        with memory.open(**profile) as dataset:
            dataset.write(pixels)
        return bytes(memory.getbuffer())


def _holds(dtype: np.dtype[Any], value: float) -> bool:
    if not np.issubdtype(dtype, np.integer):
        return True
    limits = np.iinfo(dtype)
    return value == int(value) and bool(limits.min <= value <= limits.max)


def _picture(pixels: NDArray[Any], media_type: str) -> bytes:
    bands = pixels.shape[0]
    kind = media_type.removeprefix("image/")
    sixteen_bit = pixels.dtype == np.uint16 and bands == 1 and kind == "png"
    if bands not in _PICTURE_MODES or not (pixels.dtype == np.uint8 or sixteen_bit):
        raise refusal(
            400,
            "RENDERER_EXCEPTION",
            f"{kind} can't hold {bands} bands of {pixels.dtype.name}; use 1, 3 or 4 of UINT8",
        )
    stream = io.BytesIO()
    image = Image.fromarray(np.moveaxis(pixels, 0, -1).squeeze() if bands > 1 else pixels[0])
    image.save(stream, kind)
    return stream.getvalue()
