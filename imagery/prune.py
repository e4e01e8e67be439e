"""Making an archive smaller: what is derived, what crashes left, and scenes that nobody watches."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import shapely

from geo.durable import PART_SUFFIX
from geo.errors import Where
from imagery.errors import ArchiveError, ImageError
from imagery.provenance import LOCAL
from imagery.stack import STACKS_FOLDER, STATES_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from shapely.geometry.base import BaseGeometry

    from imagery.archive import Archive
    from imagery.model import Scene


@dataclass(frozen=True, slots=True)
class PruneReport:
    """What went, or would go."""

    stacks: int
    """Files of stacks."""
    leftovers: int
    """Unfinished files and folders of interrupted writes."""
    scenes: tuple[Scene, ...]
    """Those that touch none of the areas, by time."""
    freed_bytes: int

    @property
    def scene_ids(self) -> tuple[str, ...]:
        """Ids of `scenes`."""
        return tuple(scene.id for scene in self.scenes)

    @property
    def paid(self) -> tuple[Scene, ...]:
        """Those of `scenes` that a service gave: to have them again costs again."""
        return tuple(scene for scene in self.scenes if scene.provenance.provider != LOCAL)


def prune(
    archive: Archive, *, keep_over: Sequence[BaseGeometry] | None = None, dry_run: bool = False
) -> PruneReport:
    """Delete stacks and states, what interrupted writes left, and on demand scenes over none of some areas.

    Stopped anywhere it leaves an archive that is whole, and the next call does the rest.

    Args:
        archive: Nobody else may be reading it when scenes go.
        keep_over: Scenes that touch none of these ``lon, lat`` geometries go; None keeps every scene.
        dry_run: Delete nothing.

    Raises:
        ImageError: `keep_over` is empty, so that every scene would go.
        ArchiveError: An Item is damaged, or something can't be deleted.
    """
    if keep_over is not None and not keep_over:
        problem = "there is no ground to keep scenes over, so all of them would go"
        raise ImageError(problem, hint="Place a site in the catalogue first")
    if not archive.root.is_dir():
        return PruneReport(0, 0, (), 0)
    scenes = () if keep_over is None else _unwatched(archive, keep_over)
    with ExitStack() as locks:
        if not dry_run:
            locks.enter_context(archive.locked("adding"))
            locks.enter_context(archive.locked("pinning"))
        report, doomed = _found(archive.root, scenes)
        if not dry_run:
            _delete(archive.root, doomed)
    if keep_over is not None and not dry_run:
        archive.draw_up()  # also when an earlier call was stopped just before it
    return report


def _unwatched(archive: Archive, keep_over: Sequence[BaseGeometry]) -> tuple[Scene, ...]:
    tree = shapely.STRtree(list(keep_over))
    return tuple(
        scene for scene in archive.scenes() if not tree.query(scene.footprint, predicate="intersects").size
    )


def _found(root: Path, scenes: tuple[Scene, ...]) -> tuple[PruneReport, list[Path]]:
    stacks = [path for path in (root / STACKS_FOLDER).rglob("*.stack") if path.is_file()]
    leftovers = _outermost(root.rglob(f".*{PART_SUFFIX}"))
    folders = [_folder(scene) for scene in scenes]
    doomed = [root / STACKS_FOLDER, root / STATES_FOLDER, *leftovers, *folders]
    report = PruneReport(
        stacks=len(stacks),
        leftovers=len(leftovers),
        scenes=scenes,
        freed_bytes=sum(_size(path) for path in doomed),
    )
    return report, doomed


def _delete(root: Path, doomed: Sequence[Path]) -> None:
    try:
        for path in doomed:
            _remove(path)
        for platform in (root / "scenes").glob("*/"):
            _remove_if_empty(platform)
        # Without a platform there is nothing to draw a catalogue of.
        if not any((root / "scenes").glob("*/")):
            (root / "catalog.json").unlink(missing_ok=True)
    except OSError as error:
        problem = f"it can't be deleted: {error.strerror or error}"
        raise ArchiveError(problem, where=Where(str(error.filename or root))) from error


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        if path.name[0] != ".":
            # Under a leftover's name first, so that a scene is there whole or not at all.
            path = path.rename(path.with_name(f".{path.name}{PART_SUFFIX}"))
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _remove_if_empty(platform: Path) -> None:
    if not any(platform.glob("*/*/*.json")):
        (platform / "collection.json").unlink(missing_ok=True)
        for folder in (*platform.glob("*/"), platform):
            if not any(folder.iterdir()):
                folder.rmdir()


def _folder(scene: Scene) -> Path:
    return Path(scene.bands[0].path).parent


def _outermost(paths: Iterable[Path]) -> list[Path]:
    """Return the paths that lie inside none of the others."""
    chosen: list[Path] = []
    for path in sorted(paths):
        if not any(outer in path.parents for outer in chosen):
            chosen.append(path)
    return chosen


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.lstat().st_size for file in files if file.is_file())
