"""Whose word it is: said, set, or taken from where the person has a name already."""

from __future__ import annotations

import getpass
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from watch.decisions import MAX_NAME
from watch.errors import ReviewError

if TYPE_CHECKING:
    from pathlib import Path

_GIT_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class Reviewer:
    """A name and where it comes from."""

    name: str
    origin: str
    """In words: ``--by``, ``[review] reviewer``, ``git``, ``user name``."""

    def __str__(self) -> str:
        """Return both: ``anna (git)``."""
        return f"{self.name} ({self.origin})"


def find_reviewer(root: Path, *, given: str | None, setting: str) -> Reviewer:
    """Return the first name there is: given, in the settings, git's, the user's.

    Raises:
        ReviewError: There is none.
    """
    for name, origin in ((given, "--by"), (setting, "[review] reviewer")):
        if name:
            return Reviewer(name, origin)
    found = _git_name(root)
    if found:
        return Reviewer(found, "git")
    try:
        return Reviewer(getpass.getuser(), "user name")
    except (OSError, KeyError) as error:
        raise ReviewError("it is not known who you are", hint="Say it with --by NAME") from error


def _git_name(root: Path) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            ["git", "-C", str(root), "config", "user.name"],  # noqa: S607 - the user's own git
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=False,
        )
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return ""
    name = done.stdout.strip()
    return name if name.isprintable() and len(name) <= MAX_NAME else ""
