"""From a backup to a workspace: into a new folder, whole or not at all, and nowhere else.

A backup may come from anywhere, so nothing in it is believed: the manifest comes first, each member must be
the next one that it lists, of the size and with the digest that it says, and only what a backup takes from a
workspace may be among them. All of it goes into a folder beside the new one, which gets its name at the end.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from geo.durable import new_directory
from geo.errors import SitewatchError, Where
from watch.backup_manifest import (
    MANIFEST,
    MAX_MANIFEST_BYTES,
    ROWS,
    SCENES,
    Listed,
    Manifest,
    read_manifest,
)
from watch.backup_members import LEDGER_FILE
from watch.backup_scenes import WANTED_FILE, WantedScene, read_wanted
from watch.errors import BackupRefusedError
from watch.ledger_rows import load_rows
from watch.settings import SETTINGS_FILE, read_settings
from watch.store import ledger_url, shown
from watch.tar_members import TarMembers
from watch.versions import require_readable
from watch.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watch.tar_members import Header

    Progress = Callable[[int, int, str], None]
    """Called with how many bytes are done, of how many, and the member's path."""

_FOLDERS = ("catalogue", "archive", "reviews", "public")


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What came out of a backup."""

    root: Path
    manifest: Manifest
    wanted: tuple[WantedScene, ...]
    """Scenes that the workspace had and the backup does not hold."""
    rows: int | None
    """Of a ledger that was kept on a server and is a file now; None where it was a file."""
    ledger_elsewhere: str
    """Where the settings keep the ledger, without a password; empty where it is in the new folder."""


def restore(file: Path, folder: Path, progress: Progress | None = None) -> RestoreReport:
    """Make a workspace of a backup.

    Args:
        file: What `watch.backup.backup` wrote.
        folder: New or empty; its parent is there.
        progress: Called after every member.

    Raises:
        BackupRefusedError: The folder is not empty, or the file is not a whole and honest backup.
    """
    root = _target(folder)
    try:
        with file.open("rb") as stream, new_directory(root, over_empty=True) as staging:
            members = iter(TarMembers(stream))
            manifest = _first(members)
            _require_room(staging, manifest)
            _place_all(staging, manifest, members, progress)
            wanted = _wanted(staging)
            rows = _ledger_of_rows(staging)
            _complete(staging)
    except FileExistsError as error:
        raise _not_empty(folder) from error
    except SitewatchError as error:
        raise error.located(file=str(file)) from None
    return RestoreReport(root, manifest, wanted, rows, _elsewhere(Workspace.open(root)))


def _elsewhere(workspace: Workspace) -> str:
    """Return where a run would write outside the new folder, since settings that came along say so."""
    place = workspace.ledger_place
    if isinstance(place, Path):
        return "" if place.resolve().is_relative_to(workspace.root) else str(place)
    try:
        return shown(ledger_url(place))
    except SitewatchError:
        return "a database that can't be made out"


def _target(folder: Path) -> Path:
    where = Where(str(folder))
    if folder.is_symlink():
        raise BackupRefusedError("it is a link", where=where, hint="Name a new folder")
    root = folder.resolve()
    if not root.parent.is_dir():
        raise BackupRefusedError("its parent is not there", where=where, hint=f"Make {root.parent} first")
    if root.exists() and (not root.is_dir() or any(root.iterdir())):
        raise _not_empty(folder)
    if root == Path.cwd():
        # It is replaced by a rename, which would leave the caller in a folder that is gone.
        raise BackupRefusedError(
            "it is the current folder", where=where, hint="Go up, and name it from there"
        )
    return root


def _not_empty(folder: Path) -> BackupRefusedError:
    return BackupRefusedError("not a new or empty folder", where=Where(str(folder)), hint="Name a new one")


def _first(members: Iterator[tuple[Header, Iterator[bytes]]]) -> Manifest:
    header, pieces = next(members, (None, iter(())))
    if header is None or header.path != MANIFEST:
        hint = "Restore from a file that `sitewatch backup` wrote"
        raise BackupRefusedError("no backup of sitewatch: its first member is no manifest", hint=hint)
    if header.bytes > MAX_MANIFEST_BYTES:
        raise BackupRefusedError(f"a manifest of {header.bytes:,} bytes; none is that long")
    return read_manifest(b"".join(pieces))


def _require_room(staging: Path, manifest: Manifest) -> None:
    status = os.statvfs(staging)
    free, needed = status.f_bavail * status.f_frsize, sum(each.bytes for each in manifest.members)
    if needed > free:
        problem = f"it holds {needed / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are free"
        raise BackupRefusedError(problem, hint="Make room, or name a folder on another disk")


def _place_all(
    staging: Path,
    manifest: Manifest,
    members: Iterator[tuple[Header, Iterator[bytes]]],
    progress: Progress | None,
) -> None:
    total = sum(each.bytes for each in manifest.members)
    done = 0
    for listed in manifest.members:
        header, pieces = next(members, (None, iter(())))
        if header is None:
            raise BackupRefusedError("a member is missing", where=Where(feature=listed.path))
        _require_listed(header, listed)
        _place(_path(staging, listed), listed, pieces)
        done += listed.bytes
        if progress is not None:
            progress(done, total, listed.path)
    extra = next(members, None)
    if extra is not None:
        raise _not_listed(extra[0])


def _require_listed(header: Header, listed: Listed) -> None:
    if header.path != listed.path:
        raise _not_listed(header)
    if header.bytes != listed.bytes:
        problem = f"it has {header.bytes:,} bytes, its manifest says {listed.bytes:,}"
        raise BackupRefusedError(problem, where=Where(feature=listed.path))


def _not_listed(header: Header) -> BackupRefusedError:
    return BackupRefusedError(
        "a member that its manifest does not list here", where=Where(feature=header.path[:200])
    )


def _path(staging: Path, listed: Listed) -> Path:
    # Safe, because the manifest was only read once all of its paths were found to be.
    places = {SCENES: f"archive/{WANTED_FILE}", ROWS: ROWS}
    return staging / (places.get(listed.path) or str(listed.inside))


def _place(path: Path, listed: Listed, pieces: Iterator[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o666)
    with os.fdopen(descriptor, "wb") as stream:
        for piece in pieces:
            digest.update(piece)
            stream.write(piece)
    if digest.hexdigest() != listed.sha256:
        problem = "its bytes are not those that its manifest lists"
        raise BackupRefusedError(problem, where=Where(feature=listed.path), hint="The backup is damaged")


def _wanted(staging: Path) -> tuple[WantedScene, ...]:
    path = staging / "archive" / WANTED_FILE
    return read_wanted(path.read_bytes(), SCENES) if path.exists() else ()


def _ledger_of_rows(staging: Path) -> int | None:
    rows, ledger = staging / ROWS, staging / LEDGER_FILE
    if not rows.exists():
        return None
    if ledger.exists():
        raise BackupRefusedError("it holds both a ledger and the rows of one", where=Where(MANIFEST))
    count = load_rows(rows, ledger)
    rows.unlink()
    return count


def _complete(staging: Path) -> None:
    """Make the folders that a backup has nothing for, and see that it opens."""
    for name in _FOLDERS:
        (staging / name).mkdir(exist_ok=True)
    settings = staging / SETTINGS_FILE
    if not settings.is_file():
        raise BackupRefusedError(f"it holds no {SETTINGS_FILE}")
    require_readable(settings)
    read_settings(settings)
