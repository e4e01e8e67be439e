"""GeoTIFFs from outside, read without trust, and Cloud Optimised GeoTIFFs of our own.

A file is what its first bytes say, not what its name says: GDAL opens a VRT called ``x.tif`` and
hands out the pixels of whatever other file it names. Sizes are checked before a pixel is decoded,
because a hundred kilobytes can unpack to a gigabyte.
"""

from __future__ import annotations

import math
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.enums import MaskFlags
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.windows import Window

from geo.errors import Where
from imagery.errors import ImageError
from imagery.tiled_writer import cog, key_of_crs, tile_side

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from affine import Affine
    from numpy.typing import NDArray

MAX_SAMPLES = 2**28
"""Width x height x bands of the largest file that is taken: twice a whole Sentinel-2 10 m band."""

_MAGIC = (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")
# TIFF 6.0, section 2, and the BigTIFF design of the libtiff project.

_DTYPES = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"})

GDAL_OPTIONS = MappingProxyType({"GDAL_DISABLE_READDIR_ON_OPEN": "EMPTY_DIR", "GDAL_PAM_ENABLED": "NO"})
"""Neighbours of a file (.aux.xml, .msk, .tfw) could move it or hide pixels; they are never read."""

_STRIP_SAMPLES = 2**22


@dataclass(frozen=True, slots=True)
class Header:
    """What a GeoTIFF says of itself; no pixel has been decoded."""

    path: Path
    shape: tuple[int, int]
    """Rows, columns."""
    crs: str
    """``EPSG:n`` where it has a code, else WKT; projected, in metres."""
    transform: Affine
    """North up, square pixels."""
    dtypes: tuple[str, ...]
    nodata: tuple[float | None, ...]
    descriptions: tuple[str | None, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    hidden_mask: bool
    """The file says which pixels are valid by a mask or an alpha band instead of a nodata value."""

    @property
    def count(self) -> int:
        """How many bands."""
        return len(self.dtypes)


def bounds_of(transform: Affine, shape: tuple[int, int]) -> tuple[float, float, float, float]:
    """Return left, bottom, right, top of a north-up raster of ``(rows, columns)``."""
    rows, columns = shape
    right, bottom = transform @ (columns, rows)
    return float(transform.c), float(bottom), float(right), float(transform.f)


@contextmanager
def open_geotiff(path: Path) -> Iterator[Any]:
    """Open a GeoTIFF by GDAL's GeoTIFF driver alone, and let nothing beside it be read.

    Raises:
        ImageError: Not a TIFF by its first bytes, or damaged; also when a read inside the block fails.
    """
    _check_magic(path)
    try:
        with rasterio.Env(**GDAL_OPTIONS), _quiet_open(path) as dataset:
            yield dataset
    except RasterioError as error:
        reason = " ".join(str(error.__cause__ or error).split())
        raise ImageError(
            f"the file can't be read as a GeoTIFF: {reason}",
            where=Where(str(path)),
            hint="Fetch it again; it may be cut short",
        ) from error


def read_header(path: Path, *, max_samples: int = MAX_SAMPLES) -> Header:
    """Read and check everything but the pixels.

    Raises:
        ImageError: Not a GeoTIFF, too large, no CRS, not in metres, rotated, complex numbers.
    """
    with open_geotiff(path) as dataset:
        flags = {flag for band in dataset.mask_flag_enums for flag in band}
        header = Header(
            path=path,
            shape=(dataset.height, dataset.width),
            crs=_crs_text(dataset.crs),
            transform=dataset.transform,
            dtypes=tuple(dataset.dtypes),
            nodata=tuple(dataset.nodatavals),
            descriptions=tuple(dataset.descriptions),
            scales=tuple(dataset.scales),
            offsets=tuple(dataset.offsets),
            hidden_mask=bool(flags & {MaskFlags.per_dataset, MaskFlags.alpha}),
        )
    try:
        _check(header, max_samples)
    except ImageError as error:
        raise error.located(file=str(path)) from None
    return header


def read_strips(path: Path, index: int) -> Iterator[NDArray[Any]]:
    """Yield band `index` (from 1) from the top in strips of whole rows, each ``(rows, columns)``.

    Raises:
        ImageError: A block can't be decoded.
    """
    with open_geotiff(path) as dataset:
        rows = max(1, _STRIP_SAMPLES // dataset.width)
        for top in range(0, dataset.height, rows):
            window = Window(0, top, dataset.width, min(rows, dataset.height - top))
            yield dataset.read(index, window=window)


def write_cog(
    path: Path,
    pixels: NDArray[Any],
    *,
    crs: str,
    transform: Affine,
    nodata: float | None,
    scale: float | None,
    offset: float,
    name: str,
) -> None:
    """Write one band as a Cloud Optimised GeoTIFF without overviews, losslessly.

    Args:
        path: The new file.
        pixels: ``(y, x)``, written as they are.
        crs: ``EPSG:n`` or WKT.
        transform: North up.
        nodata: Value of pixels without data.
        scale: Reflectance of one count, or None for uncalibrated counts.
        offset: Reflectance of count zero.
        name: Description of the band.
    """
    key = key_of_crs(crs)
    if key is None:
        _write_by_gdal(
            path,
            pixels,
            {"crs": crs, "transform": transform, "nodata": nodata},
            calibration=None if scale is None else (scale, offset),
            name=name,
        )
    else:
        path.write_bytes(
            cog(
                pixels,
                crs_key=key,
                transform=transform,
                nodata=nodata,
                scale=scale,
                offset=offset,
                name=name,
            )
        )


def _write_by_gdal(
    path: Path,
    pixels: NDArray[Any],
    place: dict[str, Any],
    *,
    calibration: tuple[float, float] | None,
    name: str,
) -> None:
    rows, columns = pixels.shape
    profile = {
        **place,
        "driver": "COG",
        "height": rows,
        "width": columns,
        "count": 1,
        "dtype": pixels.dtype.name,
        "compress": "DEFLATE",
        "predictor": "YES",
        "blocksize": max(128, tile_side(pixels.shape)),  # the least that the driver takes
        "overviews": "NONE",
    }
    with rasterio.Env(**GDAL_OPTIONS), rasterio.open(path, "w", **profile) as dataset:
        dataset.write(pixels, 1)
        dataset.set_band_description(1, name)
        if calibration is not None:
            dataset.scales, dataset.offsets = (calibration[0],), (calibration[1],)


def _check_magic(path: Path) -> None:
    where = Where(str(path))
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
    except OSError as error:
        problem = f"the file can't be opened: {error.strerror or error}"
        raise ImageError(problem, where=where) from error
    if head not in _MAGIC:
        problem = "not a TIFF: its first bytes are not those of a TIFF, whatever its name"
        raise ImageError(problem, where=where, hint="Convert it with gdal_translate -of GTiff")


@contextmanager
def _quiet_open(path: Path) -> Iterator[Any]:
    # An image without georeference is refused with our own words; the warning would come first.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotGeoreferencedWarning)
        dataset = rasterio.open(path.absolute(), driver="GTiff")
    with dataset:
        yield dataset


def _crs_text(crs: Any) -> str:  # noqa: ANN401 - rasterio has no types
    if not crs:
        return ""
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else str(crs.to_wkt())


def _check(header: Header, max_samples: int) -> None:
    samples = math.prod(header.shape) * header.count
    if samples > max_samples:
        problem = f"{samples:,} samples are more than the {max_samples:,} that are taken at once"
        raise ImageError(problem, hint="Cut it to the ground around your sites")
    for dtype in header.dtypes:
        if dtype not in _DTYPES:
            problem = f"pixels of type {dtype} can't be used"
            raise ImageError(problem, hint=f"Use one of {', '.join(sorted(_DTYPES))}")
    _check_crs(header.crs)
    _check_transform(header.transform)


def _check_crs(text: str) -> None:
    from pyproj import CRS  # noqa: PLC0415 - only intake needs it, readers of the archive don't
    from pyproj.exceptions import CRSError  # noqa: PLC0415 - as above

    hint = "Warp it to its UTM zone: gdalwarp -t_srs EPSG:326zz -r cubic"
    if not text:
        raise ImageError("it has no coordinate reference system", hint="Give it one: gdal_edit -a_srs")
    try:
        crs = CRS.from_user_input(text)
    except CRSError as error:
        raise ImageError(f"its coordinate reference system can't be read: {error}", hint=hint) from error
    if not crs.is_projected:
        raise ImageError(f"its coordinates are not in metres ({crs.name})", hint=hint)
    if any(axis.unit_name != "metre" for axis in crs.axis_info[:2]):
        unit = crs.axis_info[0].unit_name
        raise ImageError(f"its coordinates are in {unit}, not in metres ({crs.name})", hint=hint)
    if crs.coordinate_operation and "Pseudo Mercator" in crs.coordinate_operation.method_name:
        raise ImageError("a metre of Web Mercator is not a metre on the ground", hint=hint)


def _check_transform(transform: Affine) -> None:
    values = np.array(transform[:6], dtype=np.float64)
    if not np.isfinite(values).all():
        raise ImageError("its transform is not finite")
    if transform.b or transform.d or transform.a <= 0 or transform.e >= 0:
        raise ImageError("it is rotated, flipped or not north up", hint="Warp it north up with gdalwarp")
    if not math.isclose(transform.a, -transform.e, rel_tol=1e-6):
        problem = f"its pixels are not square ({transform.a:g} m x {-transform.e:g} m)"
        raise ImageError(problem, hint="Warp it with equal -tr X X")
