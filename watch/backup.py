"""One file that holds what of a workspace nobody can make again, and no secret.

A tar archive (POSIX.1-2001, pax) whose first member lists the others with their digests. The same workspace
gives the same bytes: times are zero, owners empty, the order is that of the paths. A run may go on meanwhile:
the ledger is copied first, by SQLite's own online copy, and analysts' files after it, so that whatever the
ledger rests on is in the files; journals are taken up to where they ended at that moment.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from geo.durable import replacing
from geo.errors import Where
from imagery.errors import ArchiveError
from watch.backup_ledger import copied_ledger
from watch.backup_manifest import INSIDE, MANIFEST, SCENES, Listed, Manifest, require_distinct
from watch.backup_members import choose, without_secrets
from watch.backup_scenes import WANTED_FILE, scenes_document
from watch.errors import BackupError, BackupRefusedError
from watch.settings import SETTINGS_FILE
from watch.versions import read_settings_text, require_readable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from imagery.model import Scene
    from watch.workspace import Workspace

    Progress = Callable[[int, int, str], None]
    """Called with how many bytes are done, of how many, and the member's path."""

ENDINGS = (".tar", ".tar.gz", ".tgz")

_CHUNK_BYTES = 2**20
_GZIP_LEVEL = 6


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup holds and what not."""

    file: Path
    manifest: Manifest
    scenes: int
    """How many the archive has."""
    ledger_words: str
    """What there is to say of a ledger that is not a file of the workspace."""
    hidden_lines: tuple[int, ...]
    """Lines of the settings file in which a password was made unreadable, from 1."""
    left_out: tuple[str, ...]
    """What else lies in the workspace, each with the reason."""

    @property
    def bytes(self) -> int:
        """Of all members, before compression."""
        return sum(each.bytes for each in self.manifest.members)


@dataclass(frozen=True, slots=True)
class _Taken:
    """A member and where its bytes come from."""

    listed: Listed
    source: Path | bytes


def backup(
    workspace: Workspace,
    file: Path,
    *,
    with_archive: bool = False,
    replace: bool = False,
    progress: Progress | None = None,
) -> BackupReport:
    """Write a backup of a workspace, whole or not at all.

    Args:
        workspace: What is backed up; nothing in it is changed.
        file: To be written; its ending says whether it is compressed (`ENDINGS`).
        with_archive: Take the scenes and heights along, instead of a list of the scenes.
        replace: It may take the place of an older file.
        progress: Called after every piece.

    Raises:
        BackupRefusedError: The file lies in the workspace or is there already, or a member is a link.
        BackupError: Something was changed meanwhile, or the ledger is damaged.
        LedgerError: The database of the ledger can't be reached.
    """
    _require_target(workspace, file, replace=replace)
    with tempfile.TemporaryDirectory(prefix="sitewatch-backup-") as scratch:
        ledger = copied_ledger(workspace, Path(scratch))
        chosen = choose(workspace.root, with_archive=with_archive)
        text, hidden = without_secrets(read_settings_text(workspace.root / SETTINGS_FILE))
        scenes, unlisted = _scenes(workspace)
        sources: dict[str, Path | bytes] = {INSIDE + path: workspace.root / path for path in chosen.files}
        sources[INSIDE + SETTINGS_FILE] = text.encode()
        if ledger is not None:
            sources[ledger.member] = ledger.source
        if not with_archive:
            sources[SCENES] = scenes_document(scenes, _earlier(workspace))
        taken = [_take(path, source) for path, source in sorted(sources.items(), key=lambda each: each[0])]
        listed = tuple(each.listed for each in taken)
        require_distinct(each.path for each in listed)
        manifest = Manifest(listed, with_archive, require_readable(workspace.root / SETTINGS_FILE))
        with replacing(file) as stream:
            _write(stream, file, manifest, taken, progress)
    words = ledger.words if ledger else ""
    return BackupReport(file, manifest, len(scenes), words, hidden, unlisted + chosen.left_out)


def _scenes(workspace: Workspace) -> tuple[tuple[Scene, ...], tuple[str, ...]]:
    """Return the scenes of the archive; where it is damaged, none and words: analysts' files go first."""
    try:
        return workspace.archive().scenes(), ()
    except ArchiveError as error:
        return (), (f"the list of scenes: {error}",)


def _earlier(workspace: Workspace) -> bytes | None:
    path = workspace.archive_path / WANTED_FILE
    return path.read_bytes() if path.is_file() else None


def _require_target(workspace: Workspace, file: Path, *, replace: bool) -> None:
    where = Where(str(file))
    if not file.name.endswith(ENDINGS):
        hint = f"Name it like watch{ENDINGS[0]} or watch{ENDINGS[1]}"
        raise BackupRefusedError("not the name of a backup", where=where, hint=hint)
    if not file.parent.is_dir():
        raise BackupRefusedError("its folder is not there", where=where, hint=f"Make {file.parent} first")
    target = file.parent.resolve() / file.name
    inside = [workspace.root, workspace.archive_path, workspace.catalogue_path, workspace.root / "reviews"]
    if any(target.is_relative_to(folder.resolve()) for folder in inside):
        hint = "Write it to another folder, best on another disk"
        raise BackupRefusedError("it would lie in what it backs up", where=where, hint=hint)
    if file.is_symlink() or (file.exists() and not (replace and file.is_file())):
        hint = "Name a new file, or say --replace"
        raise BackupRefusedError("there is something of this name", where=where, hint=hint)


def _take(path: str, source: Path | bytes) -> _Taken:
    digest, size = hashlib.sha256(), 0
    with _opened(source) as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return _Taken(Listed(path, size, digest.hexdigest()), source)


@contextmanager
def _opened(source: Path | bytes) -> Iterator[BinaryIO]:
    with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as stream:
        yield stream


def _write(
    stream: BinaryIO, file: Path, manifest: Manifest, taken: list[_Taken], progress: Progress | None
) -> None:
    if file.name.endswith(".tar"):
        _write_tar(stream, manifest, taken, progress)
        return
    # Neither name nor time in the header: they would make two equal backups differ.
    with gzip.GzipFile("", "wb", _GZIP_LEVEL, stream, mtime=0) as packed:
        _write_tar(packed, manifest, taken, progress)


def _write_tar(
    stream: BinaryIO | gzip.GzipFile, manifest: Manifest, taken: list[_Taken], progress: Progress | None
) -> None:
    document = manifest.to_bytes()
    total = sum(each.listed.bytes for each in taken)
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(_header(MANIFEST, len(document)), io.BytesIO(document))
        done = 0
        for each in taken:
            with _opened(each.source) as source:
                checked = _Checked(source, each.listed)
                _add(archive, each.listed, checked)
            done += each.listed.bytes
            if progress is not None:
                progress(done, total, each.listed.path)


def _add(archive: tarfile.TarFile, listed: Listed, checked: _Checked) -> None:
    try:
        archive.addfile(_header(listed.path, listed.bytes), checked)
    except OSError as error:
        if "unexpected end of data" not in str(error):
            raise
        raise checked.changed() from error
    checked.require_same()


def _header(path: str, size: int) -> tarfile.TarInfo:
    header = tarfile.TarInfo(path)
    header.size = size
    header.mode = 0o644
    return header


class _Checked(io.RawIOBase):
    """A member's bytes on their way into the backup, held against what was listed."""

    def __init__(self, source: BinaryIO, listed: Listed) -> None:
        self._source = source
        self._listed = listed
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._source.read(size)
        self._digest.update(data)
        return data

    def require_same(self) -> None:
        if self._digest.hexdigest() != self._listed.sha256:
            raise self.changed()

    def changed(self) -> BackupError:
        hint = "Run the backup again; the older one, if any, is untouched"
        problem = "it was changed while it was being backed up"
        return BackupError(problem, where=Where(self._listed.path), hint=hint)
