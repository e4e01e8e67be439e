"""Images of an answer, read only when they are those that were asked for."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import rasterio
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.io import MemoryFile

from imagery.geotiff import GDAL_OPTIONS
from imagery.sentinelhub.service import UnusableAnswer

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imagery.frame import Frame
    from imagery.sentinelhub.service import Answer

TIFF = "image/tiff"

_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


def bounds_of_frame(frame: Frame) -> dict[str, Any]:
    """Return a frame as the ``input.bounds`` of a request; its CRS must have a code."""
    code = frame.crs.removeprefix("EPSG:")
    return {
        "properties": {"crs": f"http://www.opengis.net/def/crs/EPSG/0/{code}"},
        "bbox": [float(value) for value in frame.bounds],
    }


def media_type(answer: Answer) -> str:
    """Return the media type of an answer, in lower case, empty where it names none.

    Raises:
        UnusableAnswer: It is a web page.
    """
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/html":
        raise UnusableAnswer("it is a web page; is there a proxy or a login page in between?")
    return kind


def read_image(data: bytes, frame: Frame, count: int, dtype: str) -> NDArray[Any]:
    """Return the bands of a GeoTIFF, ``(band, y, x)``.

    Args:
        data: The file.
        frame: The pixels that were asked for.
        count: How many bands it must have.
        dtype: Of its pixels.

    Raises:
        UnusableAnswer: It is damaged, or another image than that which was asked for.
    """
    if data[:4] not in _MAGIC:
        raise UnusableAnswer("an image in it is no TIFF")
    try:
        with rasterio.Env(**GDAL_OPTIONS), MemoryFile(data) as memory, warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)
            with memory.open(driver="GTiff") as dataset:
                _check_image(dataset, frame, count, dtype)
                pixels: NDArray[Any] = dataset.read()
    except RasterioError as error:
        raise UnusableAnswer("an image in it is damaged") from error
    return pixels


def _check_image(dataset: Any, frame: Frame, count: int, dtype: str) -> None:  # noqa: ANN401 - rasterio has no types
    # Before a pixel is decoded: a small file can unpack to a large one.
    found = (dataset.count, dataset.height, dataset.width, set(dataset.dtypes))
    if found != (count, *frame.shape, {dtype}):
        raise UnusableAnswer(f"an image in it is {found[0]} x {found[1]} x {found[2]}, not as asked")
    code = dataset.crs.to_epsg() if dataset.crs else None
    if f"EPSG:{code}" != frame.crs:
        raise UnusableAnswer(f"an image in it is in {dataset.crs or 'no CRS'}, not in {frame.crs}")
    if not dataset.transform.almost_equals(frame.transform, precision=1e-6):
        raise UnusableAnswer("an image in it lies elsewhere than the frame that was asked for")
