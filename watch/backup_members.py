"""What of a workspace goes into a backup, by a list of what is known to be wanted.

A list of what is left out would let in whatever secret somebody puts into the folder next; so only files
that this module knows are taken, and a report names the rest.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from unicodedata import category, normalize

from geo.durable import PART_SUFFIX
from geo.errors import Where
from watch.credentials import CREDENTIALS_FILE
from watch.errors import BackupRefusedError
from watch.settings import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LEDGER_FILE = "ledger.sqlite"

JOURNAL_ENDING = ".jsonl"
"""Files that are only added to; at the top of a workspace and in `reviews/`."""

MAX_PATH_BYTES = 1000
MAX_NAME_BYTES = 255

_FILES = frozenset({SETTINGS_FILE, LEDGER_FILE, ".gitignore", ".gitattributes", "README.md"})
_FOLDERS = ("catalogue", "reviews", "templates", "archive/grids")
_ARCHIVE_FOLDERS = ("archive/scenes", "archive/elevation")
_ARCHIVE_FILES = frozenset({"archive/catalog.json"})

_LEFT_OUT = {
    CREDENTIALS_FILE: "a secret",
    "public": "pages are made again by: sitewatch map",
    "archive/stacks": "made again when it is needed",
    "archive/states": "made again when it is needed",
    "archive/scenes": "only the list of scenes is in it; --with-archive takes them along",
    "archive/elevation": "only with --with-archive",
    "archive/catalog.json": "drawn up from the scenes",
    "archive/wanted.json": "its scenes are in the list of scenes",
    "upgrades": "copies that upgrades kept",
}
_UNSPOKEN = re.compile(r"ledger\.sqlite-(wal|shm|journal)|\..*|.*\.lock|run\.log.*|health\.json|timer\.log")
"""Side files, locks and logs that nobody would miss; not named in the report."""

_SECRET_IN_ADDRESS = re.compile(r"(://[^\s/:@\"']*:)([^\s@\"'/]+)(@)")
_SECRET_VALUE = re.compile(
    r"""^([ \t]*["']?[\w.-]*(?:password|passwd|secret|api_?key|token)["']?[ \t]*=[ \t]*)"""
    r"""("[^"\n]+"|'[^'\n]+')""",
    re.MULTILINE | re.IGNORECASE,
)
_STARS = "********"


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which files a backup takes."""

    files: tuple[str, ...]
    """Paths inside the workspace with forward slashes, sorted; the ledger is not among them."""
    left_out: tuple[str, ...]
    """What else there is, each with the reason."""


def is_kept(path: str, *, with_archive: bool = True) -> bool:
    """Tell whether a backup takes a file of this path inside the workspace."""
    parts = PurePosixPath(path).parts
    if _is_never_kept(parts):
        return False
    if path in _FILES or (len(parts) == 1 and path.endswith(JOURNAL_ENDING) and not path.startswith(".")):
        return True
    if any(part.startswith(".") for part in parts):
        return False
    folders = (*_FOLDERS, *_ARCHIVE_FOLDERS) if with_archive else _FOLDERS
    return (with_archive and path in _ARCHIVE_FILES) or path.startswith(tuple(f"{name}/" for name in folders))


def require_safe_path(path: str) -> None:
    """Refuse a path that could mean another place here or on another system.

    Raises:
        BackupRefusedError: It is absolute, climbs, is no plain relative path, or holds control characters.
    """
    problem = _unsafe(path)
    if problem is not None:
        raise BackupRefusedError(problem, where=Where(feature=repr(path[:200])))


def folded(path: str) -> str:
    """Return what two paths share that are one file where case or composition of letters don't count."""
    return normalize("NFC", normalize("NFC", path).casefold())


def choose(root: Path, *, with_archive: bool) -> Chosen:
    """Return the files of a workspace that go into its backup.

    Raises:
        BackupRefusedError: A link or a special file stands where a file is expected.
    """
    kept, left_out = [], set()
    for path in _walk(root):
        if is_kept(path, with_archive=with_archive):
            if path != LEDGER_FILE:
                require_safe_path(path)
                _require_plain(root, path)
                kept.append(path)
        else:
            left_out.add(_reason(path))
    return Chosen(tuple(sorted(kept)), tuple(sorted(left_out - {""})))


def without_secrets(text: str) -> tuple[str, tuple[int, ...]]:
    """Return a settings file with passwords made unreadable, and the lines that held them, from 1.

    >>> without_secrets('url = "postgresql://anna:geheim@db/watch"')
    ('url = "postgresql://anna:********@db/watch"', (1,))
    """
    hidden = _SECRET_VALUE.sub(rf'\g<1>"{_STARS}"', _SECRET_IN_ADDRESS.sub(rf"\g<1>{_STARS}\g<3>", text))
    pairs = zip(text.splitlines(), hidden.splitlines(), strict=True)
    return hidden, tuple(number for number, (before, after) in enumerate(pairs, 1) if before != after)


def _is_never_kept(parts: tuple[str, ...]) -> bool:
    return any(part.endswith(PART_SUFFIX) or folded(part) == CREDENTIALS_FILE for part in parts)


def _unsafe(path: str) -> str | None:
    parts = path.split("/")
    if not path or path.startswith("/") or (len(path) > 1 and path[1] == ":"):
        return "an absolute or empty path"
    if any(part in {"", ".", ".."} for part in parts):
        return "a path that climbs or has empty parts"
    if "\\" in path or any(category(char) in {"Cc", "Cs"} for char in path):
        return "a path with a backslash or control characters"
    size = len(path.encode(errors="surrogatepass"))
    if size > MAX_PATH_BYTES or any(len(part.encode()) > MAX_NAME_BYTES for part in parts):
        return "a path that is too long"
    return None


def _walk(root: Path) -> Iterator[str]:
    """Yield every file below a workspace; its own folders may be links to other places, none below."""
    pending = [""]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(root / folder), key=lambda entry: entry.name)
        except FileNotFoundError:
            continue
        for entry in entries:
            path = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_dir(follow_symlinks=not folder) and not _is_dark(path):
                pending.append(path)
            else:
                yield path


def _is_dark(folder: str) -> bool:
    """Tell whether nothing below a folder is ever taken, so that nobody need look into it."""
    wanted = (*_FOLDERS, *_ARCHIVE_FOLDERS)
    inside = any(f"{folder}/".startswith(f"{name}/") or name.startswith(f"{folder}/") for name in wanted)
    return not inside or PurePosixPath(folder).name.startswith(".")


def _require_plain(root: Path, path: str) -> None:
    where = root / path
    if where.is_symlink() or not where.is_file():
        raise BackupRefusedError(
            "a link or no plain file",
            where=Where(str(where)),
            hint="Put the file itself there, or move it out of the workspace",
        )


def _reason(path: str) -> str:
    for known, words in _LEFT_OUT.items():
        if path == known or path.startswith(f"{known}/"):
            return f"{known}: {words}"
    if _is_never_kept(PurePosixPath(path).parts):
        return "" if path.endswith(PART_SUFFIX) else f"{path}: a secret"
    if _UNSPOKEN.fullmatch(PurePosixPath(path).name):
        return ""
    return f"{path}: no part of a workspace"
