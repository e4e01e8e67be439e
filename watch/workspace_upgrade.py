"""From an older workspace to the present layout: one step after the other, each all or nothing.

    upgrades/1-to-2-<digest>/       the files that a step was about to change, as they were

Every file is replaced in one rename and the settings file, which states the version, comes last: a step that
was interrupted is simply taken again, because what it does to a file that it has changed is nothing. Files
are edited as text, so that comments and words that no program wrote stay where they are.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from geo.durable import new_directory, write_bytes
from watch.lock import writing
from watch.settings import SETTINGS_FILE
from watch.versions import CURRENT_VERSION, require_readable, stated_version, with_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Rewrite = Callable[[str], str]
    """Takes a file's text to the next version; again it changes nothing."""

UPGRADES_FOLDER = "upgrades"

_ENCODING = "utf-8"
_ERRORS = "surrogateescape"
"""A file that is not in UTF-8 keeps its bytes."""


@dataclass(frozen=True, slots=True)
class Step:
    """What leads from one version to the next, apart from stating it."""

    to: int
    words: str
    """What it does, for a person."""
    rewrites: Mapping[str, Rewrite]
    """By path inside the workspace; a file that is not there stays away."""


@dataclass(frozen=True, slots=True)
class Change:
    """What a step does to one file."""

    path: str
    """Inside the workspace."""
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class StepTaken:
    """One step and what it changed, or would."""

    to: int
    words: str
    changes: tuple[Change, ...]
    copies: Path | None
    """The folder with the files as they were; None in a dry run."""


@dataclass(frozen=True, slots=True)
class UpgradeReport:
    """What an upgrade did, or would do."""

    before: int
    after: int
    steps: tuple[StepTaken, ...]
    """None where the workspace had the present version already."""


def _ignoring(*names: str) -> Rewrite:
    def rewrite(text: str) -> str:
        lacking = [name for name in names if name not in text.splitlines()]
        if not lacking:
            return text
        newline = "\r\n" if "\r\n" in text else "\n"
        begun = text if text.endswith("\n") or not text else text + newline
        return begun + "".join(name + newline for name in lacking)

    return rewrite


STEPS = (
    Step(
        2,
        "state the version; let git leave out what SQLite keeps beside the ledger, and copies of upgrades",
        {
            ".gitignore": _ignoring(
                "ledger.sqlite-wal", "ledger.sqlite-shm", "ledger.rebuilt.sqlite*", f"{UPGRADES_FOLDER}/"
            )
        },
    ),
)
"""In order. A step that was released is never edited: there are workspaces that have taken it."""


def upgrade(root: Path, *, dry_run: bool = False, steps: Sequence[Step] = STEPS) -> UpgradeReport:
    """Bring a workspace to the present version; one that has it stays as it is.

    Args:
        root: The workspace.
        dry_run: Say what would be done, and write nothing.
        steps: Those that there are.

    Raises:
        WorkspaceError: Its version is newer than this program, or its settings file can't be edited.
        WorkspaceBusyError: Another process is writing.
    """
    settings = root / SETTINGS_FILE
    newest = steps[-1].to if steps else CURRENT_VERSION
    if dry_run:
        return _upgrade(root, stated_or_refused(settings, newest), steps, keep=False)
    with writing(root):
        return _upgrade(root, stated_or_refused(settings, newest), steps, keep=True)


def stated_or_refused(settings: Path, newest: int) -> int:
    """Return the version to upgrade from; older ones than the program reads are what it is for.

    Raises:
        WorkspaceError: It is newer than the program.
    """
    version = stated_version(_read(settings) or "", str(settings))
    return require_readable(settings) if version > newest else version


def _upgrade(root: Path, before: int, steps: Sequence[Step], *, keep: bool) -> UpgradeReport:
    overlay: dict[str, str] = {}
    taken = []
    for step in steps:
        if step.to <= before:
            continue
        changes = _changes(root, step, overlay)
        copies = _apply(root, step, changes) if keep else None
        overlay |= {change.path: change.after for change in changes}
        taken.append(StepTaken(step.to, step.words, changes, copies))
    return UpgradeReport(before, taken[-1].to if taken else before, tuple(taken))


def _changes(root: Path, step: Step, overlay: Mapping[str, str]) -> tuple[Change, ...]:
    """Return what a step does, the settings file last: it says that the step is done."""
    found = []
    for path in [*(name for name in step.rewrites if name != SETTINGS_FILE), SETTINGS_FILE]:
        before = overlay[path] if path in overlay else _read(root / path)
        if before is None:
            continue
        after = step.rewrites[path](before) if path in step.rewrites else before
        if path == SETTINGS_FILE:
            after = with_version(after, step.to, str(root / path))
        if after != before:
            found.append(Change(path, before, after))
    return tuple(found)


def _apply(root: Path, step: Step, changes: Sequence[Change]) -> Path:
    copies = root / UPGRADES_FOLDER / f"{step.to - 1}-to-{step.to}-{_digest(changes)}"
    if not copies.exists():
        with new_directory(copies) as staging:
            for change in changes:
                target = staging / change.path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(_bytes(change.before))
    for change in changes:
        # Through a link to the file it means: a rename would put a file in the link's place.
        write_bytes((root / change.path).resolve(), _bytes(change.after))
    return copies


def _digest(changes: Sequence[Change]) -> str:
    """Return what names the copies: a step taken again after edits keeps those beside the first."""
    digest = hashlib.sha256()
    for change in changes:
        for part in (change.path.encode(), _bytes(change.before)):
            digest.update(len(part).to_bytes(8, "little") + part)
    return digest.hexdigest()[:12]


def _read(path: Path) -> str | None:
    try:
        return path.read_bytes().decode(_ENCODING, _ERRORS)
    except FileNotFoundError:
        return None


def _bytes(text: str) -> bytes:
    return text.encode(_ENCODING, _ERRORS)
