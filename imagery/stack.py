"""The fast stack: every chip of a site in one series in one file, read in one piece each.

    archive/stacks/<site id>/<grid id>-<series>.stack

A record a chip, one after the other: prefix (magic, lengths, CRC-32), a JSON header, and the pixels: counts
``(band, y, x)`` as little-endian uint16, `classes` as bytes, then `valid` and `clear` as packed bits. All of
it is derived from the scenes: a record is found by a digest of what its chip was made of, so one of other
scenes or settings is never served, and deleting the folder loses nothing but time.

Records are only ever appended. A torn one fails its length or its checksum, is read from the scenes again
and cut off by the next append; that is why nothing here waits for the disk.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import struct
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from geo.errors import Where
from imagery.errors import ArchiveError, ImageError
from imagery.local import DEFAULT_DILATE_PX, LocalArchive
from imagery.model import AcquisitionGeometry, Chip
from imagery.provenance import Provenance
from imagery.provider import NO_LIMITS, Limits
from imagery.quantity import Quantity

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from geo.dates import Span
    from geo.grid import Grid
    from imagery.archive import Archive
    from imagery.model import Scene
    from imagery.provider import Provider
    from imagery.scene_index import SceneIndex

STACKS_FOLDER = "stacks"

STATES_FOLDER = "states"
"""Beside them: what each series carries from look to look (`imagery.change.statestore`), derived as well."""

RECIPE = 2
"""Raised whenever the same scenes would give other pixels than before: resampling, rounding, masks."""

_PREFIX = struct.Struct("<8sIQI")
_MAGIC = b"SWCHIP2\n"
_MAX_NAME = 200


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a record lies in its file."""

    offset: int
    header_bytes: int
    payload_bytes: int

    @property
    def end(self) -> int:
        return self.offset + _PREFIX.size + self.header_bytes + self.payload_bytes


class StackFile:
    """The records of one file, which need not exist yet; several processes may read and append."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, _Place] = {}
        self._inode = 0
        self._end = 0

    def get(self, key: str) -> tuple[dict[str, Any], memoryview] | None:
        """Return header and writable pixels of a record; None where there is no whole one.

        Raises:
            ArchiveError: The file can't be read.
        """
        try:
            with _opened(self.path, os.O_RDONLY) as descriptor:
                if key not in self._places or os.fstat(descriptor).st_ino != self._inode:
                    self._scan(descriptor)
                place = self._places.get(key)
                return None if place is None else _checked_record(descriptor, place, key)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise _failed("read", self.path, error) from error

    def append(self, key: str, header: dict[str, Any], payload: bytes) -> None:
        """Add a record after the last whole one; it takes the place of an earlier one of its key.

        Raises:
            ArchiveError: The file can't be written.
        """
        data = orjson.dumps({**header, "key": key})
        checksum = zlib.crc32(payload, zlib.crc32(data))
        prefix = _PREFIX.pack(_MAGIC, len(data), len(payload), checksum)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with _opened(self.path, os.O_RDWR | os.O_CREAT) as descriptor:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._scan(descriptor)
                os.ftruncate(descriptor, self._end)
                try:
                    _write_at(descriptor, self._end, prefix + data + payload)
                except OSError:
                    os.ftruncate(descriptor, self._end)  # a full disk has no room for half a chip
                    raise
                self._scan(descriptor)
        except OSError as error:
            raise _failed("written", self.path, error) from error

    def _scan(self, descriptor: int) -> None:
        """Learn of the records that were added since, or of all when the file is another one."""
        status = os.fstat(descriptor)
        if status.st_ino != self._inode or status.st_size < self._end:
            self._places, self._inode, self._end = {}, status.st_ino, 0
        while (found := _record_at(descriptor, self._end, status.st_size)) is not None:
            key, place = found
            self._places[key] = place
            self._end = place.end


class Stacked:
    """A provider whose chips are kept in stacks; equal to what it wraps in every field."""

    def __init__(self, provider: Provider, archive: Archive, *, settings: str) -> None:
        """Wrap a provider; nothing is read or written before the first read.

        Args:
            provider: Reads what is not in a stack yet.
            archive: Below whose root the stacks lie.
            settings: What the provider's chips depend on besides scenes, bands and grid.
        """
        self._provider = provider
        self._folder = archive.root / STACKS_FOLDER
        self._settings = settings
        self._files: dict[Path, StackFile] = {}
        self.trouble: ArchiveError | None = None
        """Why nothing more goes into the stacks: the first time that one could not be read or written."""

    def search(self, grid: Grid, span: Span | None = None, limits: Limits = NO_LIMITS) -> tuple[Scene, ...]:
        """Return the scenes that touch a grid's frame, by (acquired, id); see `Provider`."""
        return self._provider.search(grid, span, limits)

    def read(self, grid: Grid, scenes: Sequence[Scene], bands: Sequence[str] | None = None) -> Chip:
        """Return one solar day of one series on a grid, from the stack or else into it; see `Provider`.

        Scenes without a `content_sha` (not fetched yet) always go to the provider; so does everything that
        a stack can't give, and where one can't be written (`trouble`) the chip is returned all the same.
        """
        if not scenes or not all(scene.content_sha for scene in scenes):
            return self._provider.read(grid, scenes, bands)
        file = self._file(grid, scenes[0].series)
        key = _key(grid, scenes, bands, self._settings)
        record = self._kept(file, key)
        if record is not None:
            return _chip(grid, *record)
        chip = self._provider.read(grid, scenes, bands)
        self._keep(file, key, chip)
        return chip

    def _kept(self, file: StackFile, key: str) -> tuple[dict[str, Any], memoryview] | None:
        try:
            return file.get(key)
        except ArchiveError as error:
            self.trouble = self.trouble or error
            return None

    def _keep(self, file: StackFile, key: str, chip: Chip) -> None:
        if self.trouble is not None:
            return
        try:
            file.append(key, _header(chip), _payload(chip))
        except ArchiveError as error:
            self.trouble = error

    def _file(self, grid: Grid, series: str) -> StackFile:
        path = stack_path(self._folder, grid, series)
        return self._files.setdefault(path, StackFile(path))


def stacked_archive(
    archive: Archive, *, index: SceneIndex | None = None, dilate_px: int = DEFAULT_DILATE_PX
) -> Stacked:
    """Return a `LocalArchive` with its stacks; the arguments are those of `LocalArchive`."""
    local = LocalArchive(archive, index=index, dilate_px=dilate_px)
    return Stacked(local, archive, settings=f"local dilate_px={dilate_px}")


def stack_path(folder: Path, grid: Grid, series: str) -> Path:
    """Return where the stack of a grid and series lies.

    Raises:
        ImageError: The site's id or the series can't name a file.
    """
    return folder / _checked_name(grid.site_id) / f"{grid.grid_id}-{_checked_name(series)}.stack"


def _checked_name(name: str) -> str:
    if not name or "/" in name or "\0" in name or name[0] == "." or len(name.encode()) > _MAX_NAME:
        raise ImageError(f"{name!r} can't name a file", hint="Use letters, digits and hyphens")
    return name


def _key(grid: Grid, scenes: Sequence[Scene], bands: Sequence[str] | None, settings: str) -> str:
    ordered = sorted(scenes, key=lambda scene: (scene.acquired, scene.id))
    made_of = {
        "recipe": [RECIPE, settings],
        "grid": grid.grid_id,
        "bands": None if bands is None else list(bands),
        "scenes": [
            (scene.id, scene.content_sha, scene.acquired, scene.day_only, scene.platform, scene.series)
            for scene in ordered
        ],
        "said": [
            (
                scene.mask_scheme,
                scene.simulated,
                scene.credit,
                scene.geometry,
                scene.processing_baseline,
                scene.quantity,
            )
            for scene in ordered
        ],
        "from": [scene.provenance for scene in ordered],
    }
    return hashlib.sha256(orjson.dumps(made_of)).hexdigest()


def _header(chip: Chip) -> dict[str, Any]:
    return {
        "solar_day": chip.solar_day,
        "acquired": chip.acquired,
        "day_only": chip.day_only,
        "platform": chip.platform,
        "series": chip.series,
        "scene_ids": chip.scene_ids,
        "bands": chip.bands,
        "scale": chip.scale,
        "mask_scheme": chip.mask_scheme,
        "clamped_px": chip.clamped_px,
        "simulated": chip.simulated,
        "credit": chip.credit,
        "geometry": chip.geometry,
        "processing_baseline": chip.processing_baseline,
        "provenance": chip.provenance,
        "quantity": chip.quantity,
    }


def _payload(chip: Chip) -> bytes:
    masks = np.packbits(chip.valid).tobytes() + np.packbits(chip.clear).tobytes()
    return np.ascontiguousarray(chip.dn, dtype="<u2").tobytes() + chip.classes.tobytes() + masks


def _chip(grid: Grid, header: dict[str, Any], payload: memoryview) -> Chip:
    bands = tuple(header["bands"])
    rows, columns = grid.shape
    counts_bytes, mask_bytes = 2 * len(bands) * rows * columns, (rows * columns + 7) // 8
    dn = np.frombuffer(payload[:counts_bytes], dtype="<u2").reshape(len(bands), rows, columns)
    classes_end = counts_bytes + rows * columns
    return Chip(
        grid=grid,
        solar_day=date.fromisoformat(header["solar_day"]),
        acquired=datetime.fromisoformat(header["acquired"]),
        day_only=header["day_only"],
        platform=header["platform"],
        series=header["series"],
        scene_ids=tuple(header["scene_ids"]),
        bands=bands,
        dn=dn.astype(np.uint16, copy=False),
        scale=header["scale"],
        valid=_mask(payload[classes_end : classes_end + mask_bytes], grid.shape),
        clear=_mask(payload[classes_end + mask_bytes :], grid.shape),
        classes=np.frombuffer(payload[counts_bytes:classes_end], dtype=np.uint8).reshape(grid.shape),
        mask_scheme=header["mask_scheme"],
        clamped_px=header["clamped_px"],
        simulated=header["simulated"],
        credit=header["credit"],
        geometry=AcquisitionGeometry(**header["geometry"]),
        processing_baseline=header["processing_baseline"],
        provenance=_provenance(header["provenance"]),
        quantity=Quantity(header.get("quantity", Quantity.REFLECTANCE)),
    )


def _provenance(document: dict[str, Any]) -> Provenance:
    return Provenance(
        document["provider"],
        document["product"],
        tuple(document["request_keys"]),
        tuple(document["source_ids"]),
    )


def _mask(packed: memoryview, shape: tuple[int, int]) -> NDArray[np.bool_]:
    rows, columns = shape
    bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), count=rows * columns)
    return bits.reshape(shape).view(np.bool_)


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_CLOEXEC, 0o666)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _failed(verb: str, path: Path, error: OSError) -> ArchiveError:
    problem = f"the stack can't be {verb}: {error.strerror or error}"
    return ArchiveError(problem, where=Where(str(path)), hint="It is derived: stacks may be deleted")


def _record_at(descriptor: int, offset: int, size: int) -> tuple[str, _Place] | None:
    """Return key and place of the record at an offset; None where no whole one begins."""
    prefix = os.pread(descriptor, _PREFIX.size, offset)
    if len(prefix) < _PREFIX.size:
        return None
    magic, header_bytes, payload_bytes, _ = _PREFIX.unpack(prefix)
    place = _Place(offset, header_bytes, payload_bytes)
    if magic != _MAGIC or place.end > size:
        return None
    header = _loaded(os.pread(descriptor, header_bytes, offset + _PREFIX.size))
    return None if header is None else (header["key"], place)


def _checked_record(descriptor: int, place: _Place, key: str) -> tuple[dict[str, Any], memoryview] | None:
    """Return a record's header and pixels; None where the bytes are not those that were written."""
    data = bytearray(place.end - place.offset)
    if os.preadv(descriptor, [data], place.offset) < len(data):
        return None
    body = memoryview(data)[_PREFIX.size :]
    magic, _, _, checksum = _PREFIX.unpack_from(data)
    header = _loaded(body[: place.header_bytes])
    if magic != _MAGIC or header is None or header["key"] != key or zlib.crc32(body) != checksum:
        return None
    return header, body[place.header_bytes :]


def _loaded(data: bytes | memoryview) -> dict[str, Any] | None:
    try:
        header = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return header if isinstance(header, dict) and isinstance(header.get("key"), str) else None


def _write_at(descriptor: int, offset: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        written = os.pwrite(descriptor, left, offset)
        left, offset = left[written:], offset + written


if TYPE_CHECKING:

    def conforms(stacked: Stacked) -> Provider:
        """Let the type checker prove that stacks are a provider."""
        return stacked
