"""The archive: a folder of scenes as STAC Items beside Cloud Optimised GeoTIFFs.

    archive/catalog.json
    archive/scenes/<platform>/collection.json
    archive/scenes/<platform>/<year>/<scene id>/<scene id>.json, <band>.tif ...
    archive/grids/<site id>.json        the lattices that sites are pinned to (`imagery.pins`)
    archive/stacks/<site id>/           chips as they were read once, derived (`imagery.stack`)

The folders are the truth; catalogue and collections are drawn up from them. A scene's folder appears
in one rename, whole or not at all, so a reader never sees half of one. One process adds at a time, and
clears away first what an interrupted one left. A scene id names platform, acquisition and place, so tiles
of one pass stand side by side.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geo.durable import new_directory, sweep, write_bytes
from geo.errors import Where
from imagery.canonical import PixelSource, checked_content_sha
from imagery.errors import ArchiveError, ImageError
from imagery.geotiff import read_header, write_cog
from imagery.masks import MaskScheme, cloud_percent, scene_classes
from imagery.quantity import Quantity
from imagery.stac import (
    catalog_document,
    collection_document,
    damaged,
    dump,
    item_document,
    item_scene,
    load_item,
    utc_text,
)
from imagery.tiled_reader import read_window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from shapely.geometry.base import BaseGeometry

    from imagery.assembly import PlannedScene
    from imagery.model import BandFile, Scene

    Progress = Callable[[int, int, str], None]
    """Called with how many are done, of how many, and the scene's id."""


_READ_BACK_SAMPLES = 2**24
"""Of the largest band that is held in memory once more, to be compared."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A scene that was not added, and why."""

    scene_id: str
    error: ImageError


@dataclass(frozen=True, slots=True)
class AddReport:
    """What became of planned scenes; ids in the order of acquisition."""

    new: tuple[str, ...]
    same: tuple[str, ...]
    """Already there with the same content: nothing was written."""
    refused: tuple[Refusal, ...]


class Archive:
    """The scenes on disk below one folder, which need not exist yet."""

    def __init__(self, root: Path) -> None:
        self.root = Path(root).absolute()
        self._is_held = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let several threads add scenes through this object, each another one, and nobody else meanwhile.

        What interrupted adds left is cleared away once, and no thread waits for another.
        """
        with self.locked("adding"):
            sweep(self.root / "scenes")
            self._is_held = True
            try:
                yield
            finally:
                self._is_held = False

    def add(
        self,
        planned: Sequence[PlannedScene],
        progress: Progress | None = None,
        *,
        skip_refused: bool = False,
        draw_up: bool = True,
    ) -> AddReport:
        """Check every scene's pixels, then write those that are new; waits for another process's add.

        Args:
            planned: From `imagery.intake.plan_intake`.
            progress: Called after each scene, first for the checks and then for the writes.
            skip_refused: Add the others where some are refused, instead of none.
            draw_up: Bring catalogue and collections up to date; else `draw_up` is called when all are in.

        Raises:
            ImageError: A scene was refused and `skip_refused` is not set; nothing was written.
            ArchiveError: The archive can't be written.
        """
        if not planned:
            return AddReport((), (), ())
        with nullcontext() if self._is_held else self.held():
            report = self._add(planned, progress, skip_refused=skip_refused)
            if draw_up:
                refused = {refusal.scene_id for refusal in report.refused}
                self._draw_up({scene.platform for scene in planned if scene.id not in refused})
        return report

    def draw_up(self) -> None:
        """Bring catalogue and collections up to date with the scenes; writes only what is not.

        Raises:
            ArchiveError: An Item is damaged.
        """
        with self.locked("adding"):
            folders = _folders(self.root / "scenes")
            # An add that was killed may leave a platform's folder with nothing in it.
            platforms = {folder.name for folder in folders if any(_items_of(folder))}
            if platforms:
                self._draw_up(platforms)

    def scenes(
        self, covering: BaseGeometry | None = None, until: datetime | None = None
    ) -> tuple[Scene, ...]:
        """Return the scenes by (acquired, id); none for an archive that is not there.

        Args:
            covering: Only those whose footprint touches this ``lon, lat`` geometry.
            until: Only those acquired at or before this aware instant.

        Raises:
            ArchiveError: An Item is damaged; its file is named.
        """
        found = []
        for path in self._item_paths():
            document = load_item(path)
            if covering is not None and not _bbox_touches(document, path, covering.bounds):
                continue
            scene = item_scene(document, path)
            if (until is None or scene.acquired <= until) and (
                covering is None or scene.footprint.intersects(covering)
            ):
                found.append(scene)
        return tuple(sorted(found, key=lambda scene: (scene.acquired, scene.id)))

    def kept(self, scene: PlannedScene | Scene) -> Scene | None:
        """Return the scene of this id as it is in the archive; None where there is none.

        Raises:
            ArchiveError: Its Item is damaged.
        """
        path = self._item_path(scene)
        return item_scene(load_item(path), path) if path.exists() else None

    def verify(self, progress: Progress | None = None) -> tuple[ArchiveError, ...]:
        """Read every pixel again; return a fault for each scene that is not what its Item says."""
        paths = list(self._item_paths())
        faults = []
        for position, path in enumerate(paths):
            try:
                _verify(path)
            except ArchiveError as error:
                faults.append(error)
            _report(progress, position + 1, len(paths), path.stem)
        return tuple(faults)

    @contextmanager
    def locked(self, what: str) -> Iterator[None]:
        """Keep other processes from the same work: ``adding`` scenes, or ``pinning`` grids."""
        self.root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.root / f".{what}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _add(
        self, planned: Sequence[PlannedScene], progress: Progress | None, *, skip_refused: bool
    ) -> AddReport:
        shas, refused = self._checked(planned, progress, skip_refused=skip_refused)
        new: list[str] = []
        same: list[str] = []
        for position, scene in enumerate(planned):
            if scene.id in shas:
                written = self._write(scene, shas[scene.id])
                (new if written else same).append(scene.id)
            _report(progress, len(planned) + position + 1, 2 * len(planned), scene.id)
        return AddReport(tuple(new), tuple(same), refused)

    def _checked(
        self, planned: Sequence[PlannedScene], progress: Progress | None, *, skip_refused: bool
    ) -> tuple[dict[str, str], tuple[Refusal, ...]]:
        shas: dict[str, str] = {}
        refused = []
        for position, scene in enumerate(planned):
            try:
                if scene.id in shas:
                    raise _scene_error(scene, "two of the planned scenes have this id")
                sha = planned_sha(scene)
                self._check_kept(scene, sha)
                shas[scene.id] = sha
            except ImageError as error:
                if not skip_refused:
                    raise
                refused.append(Refusal(scene.id, error))
            _report(progress, position + 1, 2 * len(planned), scene.id)
        return shas, tuple(refused)

    def _check_kept(self, planned: PlannedScene, sha: str) -> bool:
        """Return whether the archive holds this very scene; refuse another content of its id."""
        path = self._item_path(planned)
        if not path.exists():
            return False
        kept = item_scene(load_item(path), path)
        if kept.content_sha != sha:
            problem = f"the archive holds this scene with other content ({_difference(planned, kept)})"
            raise _scene_error(planned, problem)
        return True

    def _write(self, planned: PlannedScene, sha: str) -> bool:
        """Write a scene unless it is there; return whether this call wrote it."""
        path = self._item_path(planned)
        if self._check_kept(planned, sha):
            return False
        try:
            with new_directory(path.parent) as staging:
                _fill(staging, planned, sha)
        except OSError as error:
            problem = f"scene {planned.id} can't be written: {error.strerror or error}"
            raise ArchiveError(problem, where=Where(str(path.parent))) from error
        return True

    def _draw_up(self, platforms: set[str]) -> None:
        scenes = self.root / "scenes"
        for platform in sorted(platforms):
            folder = scenes / platform
            items = [(f"./{path.relative_to(folder)}", load_item(path)) for path in _items_of(folder)]
            _replace(folder / "collection.json", collection_document(platform, items))
        known = [folder.name for folder in _folders(scenes) if (folder / "collection.json").exists()]
        _replace(self.root / "catalog.json", catalog_document(known))

    def _item_path(self, scene: PlannedScene | Scene) -> Path:
        folder = self.root / "scenes" / scene.platform / f"{scene.acquired:%Y}" / scene.id
        return folder / f"{scene.id}.json"

    def _item_paths(self) -> Iterator[Path]:
        for platform in _folders(self.root / "scenes"):
            yield from _items_of(platform)


def planned_sha(planned: PlannedScene) -> str:
    """Return the content digest of a scene whose pixels still lie in the user's files.

    Raises:
        ImageError: Its pixels can't be what they are said to be.
    """
    return checked_content_sha(planned.bands, planned.mask, planned.mask_scheme, _identity(planned))


def _identity(scene: PlannedScene | Scene) -> dict[str, Any]:
    identity = {
        "platform": scene.platform,
        "acquired": utc_text(scene.acquired),
        "day_only": scene.day_only,
        "simulated": scene.simulated,
    }
    # Named only where it is another, so that digests of reflectance stay what they were.
    return identity if scene.quantity is Quantity.REFLECTANCE else {**identity, "quantity": scene.quantity}


def _fill(staging: Path, planned: PlannedScene, sha: str) -> None:
    cloud = None
    for source in [*planned.bands, *([planned.mask] if planned.mask else [])]:
        file = source.file
        strips = list(source.strips())
        pixels = strips[0] if len(strips) == 1 else np.concatenate(strips)
        if source is planned.mask:
            cloud = cloud_percent(scene_classes(pixels, MaskScheme(planned.mask_scheme)))
        write_cog(
            staging / f"{file.name}.tif",
            pixels,
            crs=file.crs,
            transform=file.transform,
            nodata=file.nodata,
            scale=file.scale,
            offset=file.offset,
            name=file.name,
        )
    item = staging / f"{planned.id}.json"
    item.write_bytes(dump(item_document(planned, sha, cloud)))
    # Reading back proves that nothing was lost and that the user's files did not change meanwhile.
    _verify(item, _read_back)


def _verify(path: Path, stored: Callable[[BandFile], PixelSource] | None = None) -> None:
    """Hold a scene's pixels against its Item; `stored` reads them otherwise than with GDAL."""
    read = stored or _stored
    scene = item_scene(load_item(path), path)
    try:
        bands = [read(file) for file in scene.bands]
        mask = read(scene.mask) if scene.mask else None
        sha = checked_content_sha(bands, mask, scene.mask_scheme, _identity(scene))
    except ImageError as error:
        raise damaged(path, str(error)) from error
    if sha != scene.content_sha:
        raise damaged(path, "its pixels are not those it was made of")


def _stored(file: BandFile) -> PixelSource:
    header = read_header(Path(file.path))
    if (header.crs, header.shape) != (file.crs, file.shape) or not header.transform.almost_equals(
        file.transform, precision=1e-9
    ):
        raise ImageError("its grid is not that of its item", where=Where(file.path))
    return PixelSource(file, 1, header.dtypes[0])


def _read_back(file: BandFile) -> PixelSource:
    """Return the pixels of a file that was written just now, by our own reader where it can."""
    rows, columns = file.shape
    pixels = None
    if rows * columns <= _READ_BACK_SAMPLES:
        pixels = read_window(file.path, file.shape, slice(0, rows), slice(0, columns))
    return _stored(file) if pixels is None else PixelSource(file, 1, pixels.dtype.name, pixels)


def _difference(planned: PlannedScene, kept: Scene) -> str:
    given, held = ([file.name for file in files] for files in (_files(planned), _files(kept)))
    if set(given) != set(held):
        return f"bands {', '.join(held)} there, {', '.join(given)} now"
    return "other pixels, scale, nodata or mask"


def _files(scene: PlannedScene | Scene) -> list[BandFile]:
    members = [*scene.bands, *([scene.mask] if scene.mask else [])]
    return [member.file if isinstance(member, PixelSource) else member for member in members]


def _scene_error(planned: PlannedScene, problem: str) -> ImageError:
    where = Where(planned.bands[0].file.path, feature=planned.id)
    return ImageError(problem, where=where, hint="Nothing was added; leave this scene out")


def _bbox_touches(document: dict[str, Any], path: Path, bounds: tuple[float, float, float, float]) -> bool:
    try:
        left, bottom, right, top = document["bbox"]
        return bool(left <= bounds[2] and right >= bounds[0] and bottom <= bounds[3] and top >= bounds[1])
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, f"its bbox is not four numbers ({error})") from error


def _folders(path: Path) -> list[Path]:
    try:
        with os.scandir(path) as entries:
            names = sorted(entry.name for entry in entries if entry.is_dir() and entry.name[0] != ".")
    except FileNotFoundError:
        return []
    return [path / name for name in names]


def _items_of(platform: Path) -> Iterator[Path]:
    for year in _folders(platform):
        for scene in _folders(year):
            yield scene / f"{scene.name}.json"


def _replace(path: Path, document: dict[str, Any]) -> None:
    data = dump(document)
    if not path.exists() or path.read_bytes() != data:
        write_bytes(path, data)


def _report(progress: Progress | None, done: int, total: int, scene_id: str) -> None:
    if progress is not None:
        progress(done, total, scene_id)
