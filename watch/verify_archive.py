"""Whether the archive is what it was: scenes, heights, lattices, and what is derived from them.

    archive/verified.json       size and time of each file of a scene when it was last found well

A quick verification reads no pixels: it holds sizes and times against that record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from geo.durable import PART_SUFFIX, write_bytes
from geo.errors import SitewatchError
from geo.grid import Grid
from imagery.change.packed import unpack
from imagery.elevation import ELEVATION_FOLDER, kept_elevation
from imagery.errors import ArchiveError
from imagery.pins import read_pins
from imagery.stack import STACKS_FOLDER, STATES_FOLDER
from watch.backup_scenes import WANTED_FILE, read_wanted
from watch.findings import Finding, damaged, finding_of, stale

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from imagery.archive import Archive, Progress

RECORD_FILE = "verified.json"

_AGAIN = "Take its folder from a backup, or move it away and pull or add the scene again"
_PRUNE = "Delete what is left over with: sitewatch archive prune"

Stamp = tuple[int, int]
"""Size in bytes, and time of the last change in nanoseconds."""


@dataclass(frozen=True, slots=True)
class ArchiveChecked:
    """What was found in an archive."""

    findings: tuple[Finding, ...]
    scenes: int
    scene_ids: frozenset[str] = frozenset()
    """Of the Items that are there, damaged or not."""
    wanted: frozenset[str] = frozenset()
    """Scenes that a backup listed and did not hold, and that are still not there."""


def check_archive(
    archive: Archive, site_ids: Collection[str] | None, *, quick: bool, progress: Progress | None = None
) -> ArchiveChecked:
    """Hold an archive against what it says of itself.

    Args:
        archive: It need not be there.
        site_ids: Present and former ids of the catalogue's sites; None when it can't be read.
        quick: Read no pixels; see `RECORD_FILE`.
        progress: Called after each scene.
    """
    folders = {folder: _stamps(folder, archive.root) for folder in _scene_folders(archive.root)}
    found = _quick(archive, folders) if quick else _full(archive, folders, progress)
    ids = frozenset(folder.name for folder in folders)
    wanted, lacking = _wanted(archive.root, ids)
    found += lacking
    found += _pins(archive)
    found += _elevation(archive, quick=quick)
    found += _leftovers(archive.root)
    found += _derived(archive, site_ids, quick=quick)
    return ArchiveChecked(tuple(found), len(folders), ids, wanted)


def _scene_folders(root: Path) -> list[Path]:
    found = (root / "scenes").glob("*/*/*/")
    return sorted(path for path in found if path.is_dir() and not path.name.startswith("."))


def _stamps(folder: Path, root: Path) -> dict[str, Stamp]:
    files = (path for path in sorted(folder.iterdir()) if path.is_file())
    return {path.relative_to(root).as_posix(): _stamp(path) for path in files}


def _stamp(path: Path) -> Stamp:
    status = path.stat()
    return status.st_size, status.st_mtime_ns


def _full(
    archive: Archive, folders: Mapping[Path, dict[str, Stamp]], progress: Progress | None
) -> list[Finding]:
    present = {folder.relative_to(archive.root).as_posix() for folder in folders}
    before = {name.rpartition("/")[0] for name in _record(archive.root)}
    faults = archive.verify(progress)
    bad = {str(fault.where.file) for fault in faults}
    # Stamps were taken before the pixels were read: what is changed since shows next time.
    well = {
        name: stamp
        for folder, stamps in folders.items()
        if str(folder / f"{folder.name}.json") not in bad
        for name, stamp in stamps.items()
    }
    found = [finding_of("archive", fault, archive.root, _AGAIN) for fault in faults]
    found += [_gone(archive.root / name) for name in sorted(before - present)]
    if folders:
        document = orjson.dumps({"files": well}, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)
        try:
            write_bytes(archive.root / RECORD_FILE, document)
        except OSError as error:
            problem = f"what was found well can't be noted: {error.strerror or error}"
            hint = "Quick verifications will rest on the note before"
            found.append(stale("archive", archive.root / RECORD_FILE, problem, hint))
    return found


def _quick(archive: Archive, folders: Mapping[Path, dict[str, Stamp]]) -> list[Finding]:
    record = _record(archive.root)
    known: dict[str, dict[str, Stamp]] = {}
    for name, stamp in record.items():
        known.setdefault(name.rpartition("/")[0], {})[name] = stamp
    found: list[Finding] = []
    unread = 0
    for folder, stamps in folders.items():
        before = known.pop(folder.relative_to(archive.root).as_posix(), None)
        if before is None:
            unread += 1
        else:
            found += _differences(archive.root, before, stamps)
    found += [_gone(archive.root / name) for name in sorted(known)]
    if unread:
        problem = f"{unread} of {len(folders)} scenes were not found well by a full verification yet"
        found.append(stale("archive", archive.root, problem, "Run: sitewatch verify"))
    return found


def _gone(folder: Path) -> Finding:
    # Pruned or lost, nobody can tell here; where looks rest on it, the ledger's part calls it damage.
    hint = "Nothing to do if it was pruned; else take it from a backup, or pull or add it again"
    return stale("archive", folder, "this scene was there when the archive was last verified", hint)


def _differences(root: Path, before: dict[str, Stamp], now: dict[str, Stamp]) -> list[Finding]:
    found = []
    for name, (size, time) in sorted(before.items()):
        if name not in now:
            found.append(damaged("archive", root / name, "it is gone", _AGAIN))
        elif now[name][0] != size:
            problem = f"it has {now[name][0]:,} bytes, and had {size:,}"
            found.append(damaged("archive", root / name, problem, _AGAIN))
        elif now[name][1] != time:
            problem = "it was touched since it was last read in full"
            found.append(stale("archive", root / name, problem, "Run: sitewatch verify"))
    return found


def _record(root: Path) -> dict[str, Stamp]:
    """Return what was well; nothing where no record is or can be read, and all is to be read again."""
    try:
        files: dict[str, Any] = orjson.loads((root / RECORD_FILE).read_bytes())["files"]
        return {str(name): (int(size), int(time)) for name, (size, time) in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def _wanted(root: Path, held: frozenset[str]) -> tuple[frozenset[str], list[Finding]]:
    path = root / WANTED_FILE
    if not path.is_file():
        return frozenset(), []
    try:
        listed = read_wanted(path.read_bytes(), str(path))
    except SitewatchError as error:
        return frozenset(), [finding_of("archive", error, path, "Take it from the backup again")]
    lacking = [scene for scene in listed if scene.id not in held]
    if not lacking:
        hint = "Delete the list"
        return frozenset(), [stale("archive", path, "all scenes that it asks for are there", hint)]
    own = sum(scene.is_own for scene in lacking)
    problem = (
        f"{len(lacking)} scenes were not in the backup that this was restored from, {own} of them your own"
    )
    hint = "Add your own with `sitewatch archive add`, the others with `sitewatch pull`"
    return frozenset(scene.id for scene in lacking), [stale("archive", path, problem, hint)]


def _pins(archive: Archive) -> list[Finding]:
    found = []
    for path in sorted((archive.root / "grids").glob("*.json")):
        try:
            read_pins(archive, path.stem)
        except SitewatchError as error:
            found.append(finding_of("archive", error, path, "Take it from a backup"))
    return found


def _elevation(archive: Archive, *, quick: bool) -> list[Finding]:
    found = []
    for folder in sorted((archive.root / ELEVATION_FOLDER).glob("*/*/")):
        if folder.name.startswith("."):
            continue
        try:
            document = orjson.loads((folder / "elevation.json").read_bytes())
            grid = Grid.from_json(document["grid"])
            if not (folder / "elevation.tif").is_file() or not (quick or kept_elevation(archive, grid)):
                raise ArchiveError("its heights are gone, or lie where they don't belong")
        except SitewatchError as error:
            found.append(finding_of("archive", error, folder, "Pull it again: sitewatch pull --elevation"))
        except (OSError, KeyError, TypeError, ValueError) as error:
            hint = "Move that folder away and pull it again with: sitewatch pull --elevation"
            found.append(damaged("archive", folder, f"damaged elevation: {error}", hint))
    return found


def _leftovers(root: Path) -> list[Finding]:
    problem = "what an interrupted write left, or one that is going on"
    return [stale("archive", path, problem, _PRUNE) for path in sorted(root.rglob(f".*{PART_SUFFIX}"))]


def _derived(archive: Archive, site_ids: Collection[str] | None, *, quick: bool) -> list[Finding]:
    """Return the stacks and states that nothing will ask for, and the states that can't be read."""
    found = []
    for name in (STACKS_FOLDER, STATES_FOLDER):
        for folder in sorted((archive.root / name).glob("*/")):
            if site_ids is not None and folder.name not in site_ids:
                found.append(stale("archive", folder, "no site of the catalogue has this id", _PRUNE))
                continue
            grids = _grids_of(archive, folder.name)
            found += [
                stale("archive", path, "its lattice is none of the site's any more", _PRUNE)
                for path in sorted(folder.iterdir())
                if not path.name.startswith((*grids, "."))
            ]
    if not quick:
        found += _unreadable_states(archive.root / STATES_FOLDER)
    return found


def _grids_of(archive: Archive, site_id: str) -> tuple[str, ...]:
    try:
        return tuple(pin.grid.grid_id for pin in read_pins(archive, site_id))
    except SitewatchError:
        return ("",)  # said already; nothing can be held against it


def _unreadable_states(folder: Path) -> list[Finding]:
    found = []
    for path in sorted((*folder.rglob("*.state"), *folder.rglob("*.part"))):
        if path.name.startswith("."):
            continue
        try:
            unpack(path.read_bytes())
        except (SitewatchError, OSError) as error:
            found.append(stale("archive", path, f"it can't be read ({error})", "It is made again: delete it"))
    return found
