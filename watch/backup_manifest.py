"""The first member of a backup: what else is in it, with sizes and digests.

manifest.json            this
scenes.json              the scenes of the archive, where the archive itself is not in it
ledger-rows.jsonl        the rows of a ledger that is kept on a server
workspace/...            files as they stand in the workspace
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from geo.errors import Where
from watch.backup_members import folded, is_kept, require_safe_path
from watch.errors import BackupRefusedError

if TYPE_CHECKING:
    from collections.abc import Iterable

MANIFEST = "manifest.json"
SCENES = "scenes.json"
ROWS = "ledger-rows.jsonl"
INSIDE = "workspace/"
FORMAT = "sitewatch-backup"
FORMAT_VERSION = 1

MAX_MANIFEST_BYTES = 2**27
MAX_SCENES_BYTES = 2**30

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Listed:
    """One member as the manifest lists it."""

    path: str
    bytes: int
    sha256: str

    @property
    def inside(self) -> str | None:
        """Its path inside the workspace; None when it is not of the workspace."""
        return self.path.removeprefix(INSIDE) if self.path.startswith(INSIDE) else None


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    members: tuple[Listed, ...]
    """In the order of the archive file."""
    with_archive: bool
    workspace_version: int

    def to_bytes(self) -> bytes:
        """Return the document; equal manifests give equal bytes."""
        document = {
            "format": FORMAT,
            "format_version": FORMAT_VERSION,
            "workspace_version": self.workspace_version,
            "with_archive": self.with_archive,
            "members": [
                {"path": each.path, "bytes": each.bytes, "sha256": each.sha256} for each in self.members
            ],
        }
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_manifest(data: bytes) -> Manifest:
    """Return the manifest of a backup.

    Raises:
        BackupRefusedError: It is no manifest, of a newer format, or lists what no backup holds.
    """
    document = _document(data)
    try:
        rows, with_archive, version = (
            document[name] for name in ("members", "with_archive", "workspace_version")
        )
        manifest = Manifest(tuple(_listed(row) for row in rows), with_archive, version)
    except (KeyError, TypeError) as error:
        raise _refused(f"it lacks what a manifest has ({error})") from error
    if type(with_archive) is not bool or type(version) is not int:
        raise _refused("it lacks what a manifest has")
    require_distinct(each.path for each in manifest.members)
    return manifest


def require_distinct(paths: Iterable[str]) -> None:
    """Refuse paths of which two would be one file on some system, or one the folder of another.

    Raises:
        BackupRefusedError: Two collide; both are named.
    """
    folders: dict[str, str] = {}
    files: dict[str, str] = {}
    for path in paths:
        parts = path.split("/")
        for prefix in ("/".join(parts[:depth]) for depth in range(1, len(parts))):
            key = folded(prefix)
            other = files.get(key) or folders.setdefault(key, prefix)
            if other != prefix or key in files:
                raise _collision(other, path)
        key = folded(path)
        if key in files or key in folders:
            raise _collision(files.get(key) or folders[key], path)
        files[key] = path


def _listed(row: dict[str, Any]) -> Listed:
    path, size, sha256 = row["path"], row["bytes"], row["sha256"]
    if not isinstance(path, str) or type(size) is not int or size < 0:
        raise _refused("a member has no path or no size")
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise _refused("a member has no SHA-256 digest")
    listed = Listed(path, size, sha256)
    _check(listed)
    return listed


def _check(listed: Listed) -> None:
    require_safe_path(listed.path)
    if listed.inside is None:
        if listed.path not in {SCENES, ROWS} or (listed.path == SCENES and listed.bytes > MAX_SCENES_BYTES):
            raise _refused(f"it lists {listed.path[:200]!r}, which no backup holds")
    elif not is_kept(listed.inside):
        raise _refused(f"it lists {listed.path[:200]!r}, which is no part of a workspace's backup")


def _document(data: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise _refused(f"not JSON ({error})") from error
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _refused("not the manifest of a backup of sitewatch")
    if document.get("format_version") != FORMAT_VERSION:
        raise BackupRefusedError(
            f"it has format {document.get('format_version')!r:.40}, this program reads {FORMAT_VERSION}",
            where=Where(MANIFEST),
            hint="Restore it with the version of sitewatch that wrote it, or a newer one",
        )
    return document


def _collision(one: str, other: str) -> BackupRefusedError:
    problem = f"two members would be one file: {one[:200]!r} and {other[:200]!r}"
    return BackupRefusedError(problem, where=Where(MANIFEST))


def _refused(problem: str) -> BackupRefusedError:
    hint = "Restore from a file that `sitewatch backup` wrote"
    return BackupRefusedError(problem, where=Where(MANIFEST), hint=hint)
