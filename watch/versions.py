"""Which layout a workspace has: the `version` in its settings file, where none means the first.

    1   a settings file without a version
    2   the version is stated; git leaves out what SQLite keeps beside the ledger

A workspace of an older version that this program can still read is used as it is: opening one never writes,
so a read-only folder stays readable and two programs may share a folder until somebody decides to upgrade.
"""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING, Any

from geo.errors import Where
from watch.errors import WorkspaceError

if TYPE_CHECKING:
    from pathlib import Path

VERSION_KEY = "version"

CURRENT_VERSION = 2
"""What `sitewatch init` makes and `sitewatch upgrade` leads to."""

OLDEST_READABLE = 1
"""Workspaces of this version and later are used without an upgrade."""

_STATED = re.compile(r"^(?P<before>[ \t]*version[ \t]*=[ \t]*)[^\s#]+", re.MULTILINE)
_FIRST_WORDS = re.compile(r"\A(?:[ \t]*(?:#[^\n]*)?\r?\n)*")
"""The comment and the empty lines at the head of a file: whatever comes next is top level."""


def stated_version(text: str, file: str) -> int:
    """Return the version that a settings file states.

    Args:
        text: The file's content.
        file: Its path, for the error.

    Raises:
        WorkspaceError: The file is not TOML, or the version is not a whole number from 1.
    """
    where = Where(file=file)
    try:
        version = tomllib.loads(text).get(VERSION_KEY, 1)
    except tomllib.TOMLDecodeError as error:
        raise WorkspaceError(f"not valid TOML: {error}", where=where) from error
    if type(version) is not int or version < 1:
        hint = f"Write version = N with a whole number; this program makes {CURRENT_VERSION}"
        raise WorkspaceError(f"{version!r} is no version", where=Where(file, field=VERSION_KEY), hint=hint)
    return version


def read_version(path: Path) -> int:
    """Return the version of the workspace whose settings file is at `path`.

    Raises:
        WorkspaceError: See `stated_version`; or it is not in UTF-8.
    """
    return stated_version(read_settings_text(path), str(path))


def read_settings_text(path: Path) -> str:
    """Return a settings file as it is, line ends included.

    Raises:
        WorkspaceError: It is not in UTF-8.
    """
    try:
        return path.read_bytes().decode()
    except UnicodeDecodeError as error:
        where = Where(str(path), line=error.object[: error.start].count(b"\n") + 1)
        raise WorkspaceError("not in UTF-8", where=where, hint="Save it as UTF-8") from error


def require_readable(path: Path) -> int:
    """Return the version of a workspace that this program can read as it is.

    Raises:
        WorkspaceError: It is newer than this program, too old to be read, or see `read_version`.
    """
    version = read_version(path)
    where = Where(str(path), field=VERSION_KEY)
    if version > CURRENT_VERSION:
        raise WorkspaceError(
            f"this workspace has version {version}, this program knows versions up to {CURRENT_VERSION}",
            where=where,
            hint="Install a newer sitewatch; nothing was changed",
        )
    if version < OLDEST_READABLE:
        problem = f"this workspace has version {version}, this program reads {OLDEST_READABLE} and later"
        raise WorkspaceError(problem, where=where, hint="Run: sitewatch upgrade")
    return version


def with_version(text: str, version: int, file: str) -> str:
    """Return a settings file that states `version`, with every other character as it was.

    Raises:
        WorkspaceError: The place where the version stands can't be found.
    """
    wanted = tomllib.loads(text) | {VERSION_KEY: version}
    for candidate in _candidates(text, version):
        if _parsed(candidate) == wanted:
            return candidate
    raise WorkspaceError(
        "the place where the version stands can't be found",
        where=Where(file, field=VERSION_KEY),
        hint=f"Write version = {version} as the first line by hand",
    )


def _candidates(text: str, version: int) -> list[str]:
    """Return texts with a version put in; one that hit a table or a long string reads otherwise."""
    found = [
        f"{text[: match.end('before')]}{version}{text[match.end() :]}" for match in _STATED.finditer(text)
    ]
    head = _FIRST_WORDS.match(text)
    place = head.end() if head else 0
    newline = "\r\n" if "\r\n" in text else "\n"
    return [*found, f"{text[:place]}{VERSION_KEY} = {version}{newline}{text[place:]}"]


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
