"""From the numbers in a file to canonical counts, and from pixels to a name that they alone decide.

A canonical count is an unsigned 16-bit integer: reflectance / `CANONICAL_SCALE` where the file is
calibrated, the file's own count where it is not. Validity never lives in a count.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from geo.errors import Where
from imagery.errors import ImageError
from imagery.geotiff import read_strips
from imagery.masks import MaskScheme, SceneClass, scene_classes
from imagery.model import CANONICAL_SCALE, BandFile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

_COUNT_MAX = 65535

_MAX_CLAMPED = 0.5
"""Share of a band's valid pixels outside 0 to 6.5535 above which scale and offset must be wrong."""


@dataclass(frozen=True, slots=True)
class PixelSource:
    """Where the pixels of a band are now: a band of a user's file, or a file of the archive."""

    file: BandFile
    """Its path is as the user wrote it while the pixels are in a file of theirs."""
    index: int
    """Band of the file, from 1."""
    dtype: str
    pixels: NDArray[Any] | None = field(default=None, compare=False, repr=False)
    """``(y, x)`` where they are in memory and in no file."""

    def strips(self) -> Iterator[NDArray[Any]]:
        """Yield its pixels from the top in strips of whole rows, each ``(rows, columns)``.

        Raises:
            ImageError: A block of the file can't be decoded.
        """
        if self.pixels is not None:
            yield self.pixels
        else:
            yield from read_strips(Path(self.file.path), self.index)


def valid_pixels(raw: NDArray[Any], nodata: float | None) -> NDArray[np.bool_]:
    """Return True where a raw value is data: neither `nodata` nor a NaN or infinity."""
    valid: NDArray[np.bool_] = np.isfinite(raw)
    if nodata is not None and not np.isnan(nodata):
        valid &= raw != nodata
    return valid


def to_reflectance_counts(raw: NDArray[Any], scale: float, offset: float) -> NDArray[np.float64]:
    """Return reflectance in units of `CANONICAL_SCALE`, not yet rounded nor clamped."""
    return (raw.astype(np.float64) * scale + offset) / CANONICAL_SCALE


def canonical_counts(
    raw: NDArray[Any], valid: NDArray[np.bool_], scale: float | None, offset: float
) -> tuple[NDArray[np.uint16], NDArray[np.bool_]]:
    """Return canonical counts, 0 where not valid, and where valid pixels were below zero.

    Counts above 65,535 (reflectance 6.55) become 65,535.

    Args:
        raw: Values of the file, any shape.
        valid: Same shape, True where data.
        scale: Reflectance = raw * scale + offset; None for counts that stay as they are.
        offset: See `scale`.
    """
    if scale is None:
        return np.where(valid, raw, 0).astype(np.uint16), np.zeros(raw.shape, dtype=np.bool_)
    if raw.dtype.kind in "ui" and scale == CANONICAL_SCALE and not offset:
        values = raw if valid.all() else np.where(valid, raw, raw.dtype.type(0))
        if raw.dtype == np.uint16:
            return values, np.zeros(raw.shape, dtype=np.bool_)
    else:
        values = np.rint(to_reflectance_counts(np.where(valid, raw, 0), scale, offset))
        values[~valid] = 0
    return np.clip(values, 0, _COUNT_MAX).astype(np.uint16), values < 0


def checked_content_sha(
    bands: Sequence[PixelSource], mask: PixelSource | None, mask_scheme: str, identity: Mapping[str, Any]
) -> str:
    """Read every pixel once: refuse what can't be true, and return the SHA-256 of the content.

    The digest covers decoded pixels (little-endian, row by row) and canonical metadata, so it does
    not depend on compression, tiling or which files the bands came from.

    Args:
        bands: In any order; they are taken by name.
        mask: The band of scene classes, if any.
        mask_scheme: Its scheme, or `NO_MASK`.
        identity: What else the content is: platform, acquisition and so on, as plain JSON values.

    Raises:
        ImageError: Damaged pixels, negative counts without a scale, codes that are no scene class.
    """
    digest = hashlib.sha256(_json({**identity, "mask_scheme": mask_scheme}))
    for source in sorted(bands, key=lambda source: source.file.name):
        digest.update(_json(_band_identity(source)))
        _digest_band(source, digest)
    if mask is not None:
        digest.update(_json(_band_identity(mask)))
        _digest_mask(mask, MaskScheme(mask_scheme), digest)
    return digest.hexdigest()


def _digest_band(source: PixelSource, digest: hashlib._Hash) -> None:
    file = source.file
    total = outside = 0
    for strip in source.strips():
        digest.update(_bytes(strip))
        valid = valid_pixels(strip, file.nodata)
        if _all_inside(strip, file):
            total += int(np.count_nonzero(valid))
            continue
        values = strip[valid]
        if file.scale is not None:
            values = to_reflectance_counts(values, file.scale, file.offset)
        total += values.size
        outside += int(np.count_nonzero((values < 0) | (values > _COUNT_MAX)))
        if file.scale is None and outside:
            _refuse_counts(source, values)
    if outside > _MAX_CLAMPED * total:
        raise ImageError(
            f"{outside / total:.0%} of band {file.name!r} would lie outside reflectance 0 to 6.5",
            where=Where(file.path, field="scale"),
            hint=f"Check --scale and --offset (now {file.scale:g} and {file.offset:g}) and --nodata",
        )


def _all_inside(strip: NDArray[Any], file: BandFile) -> bool:
    """Return whether even the extremes lie where counts can; they do in nearly every image."""
    ends = np.array([strip.min(), strip.max()])
    if file.scale is not None:
        ends = to_reflectance_counts(ends, file.scale, file.offset)
    return bool(((ends >= 0) & (ends <= _COUNT_MAX)).all())


def _refuse_counts(source: PixelSource, values: NDArray[Any]) -> None:
    low, high = values.min(), values.max()
    raise ImageError(
        f"band {source.file.name!r} holds counts from {low:g} to {high:g}, outside 0 to {_COUNT_MAX}",
        where=Where(source.file.path, field="scale"),
        hint="Give --scale (and --offset) if they are reflectance, or --nodata if some mean no data",
    )


def _digest_mask(source: PixelSource, scheme: MaskScheme, digest: hashlib._Hash) -> None:
    for strip in source.strips():
        digest.update(_bytes(strip))
        where = Where(source.file.path, field=source.file.name)
        try:
            classes = scene_classes(strip, scheme)
        except ImageError as error:
            raise ImageError(error.problem, where=where, hint="Is it the right --mask-band?") from error
        unknown = classes == SceneClass.UNKNOWN
        if unknown.any():
            codes = ", ".join(str(code) for code in np.unique(strip[unknown])[:5])
            problem = f"the {scheme} scheme has no code {codes}"
            raise ImageError(problem, where=where, hint="Is it the right --mask-band?")


def _band_identity(source: PixelSource) -> dict[str, Any]:
    file = source.file
    return {
        "name": file.name,
        "crs": file.crs,
        "transform": [float(value) for value in file.transform[:6]],
        "shape": list(file.shape),
        "dtype": source.dtype,
        "nodata": None if file.nodata is None else repr(float(file.nodata)),
        "scale": file.scale,
        "offset": file.offset,
    }


def _json(document: Mapping[str, Any]) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS) + b"\n"


def _bytes(pixels: NDArray[Any]) -> bytes:
    return np.ascontiguousarray(pixels, dtype=pixels.dtype.newbyteorder("<")).tobytes()
