"""Whether what analysts wrote can be read: catalogue and media, reviews and journals, line by line."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import orjson

from geo.errors import SitewatchError
from sites.catalogue import Catalogue, check
from sites.context import read_events, read_series
from watch.budget import SPEND_FILE, Allowance, SpendJournal
from watch.findings import Finding, damaged, finding_of, stale
from watch.journal import read_lines
from watch.reviews import read_reviews

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sites.observation import Media
    from watch.workspace import Workspace

_BACK = "Mend it, or take it from a backup"


def catalogue_findings(workspace: Workspace, *, quick: bool) -> Iterator[Finding]:
    """Yield the faults of the catalogue, of figures and events, and of the media that notes name.

    Args:
        workspace: Whose.
        quick: Media are only looked for, not read.
    """
    folder = workspace.catalogue_path
    try:
        faults = check(folder)
        yield from (finding_of("catalogue", fault, folder, _BACK) for fault in faults)
        if not faults:
            yield from _media_findings(workspace, quick=quick)
    except SitewatchError as error:
        yield finding_of("catalogue", error, folder, _BACK)
    for read in (read_series, read_events):
        try:
            read(folder)
        except SitewatchError as error:
            yield finding_of("catalogue", error, folder, _BACK)


def review_findings(workspace: Workspace) -> Iterator[Finding]:
    """Yield the lines of `reviews/` that can't be read."""
    folder = workspace.root / "reviews"
    for fault in read_reviews(folder).faults:
        yield finding_of("reviews", fault, folder, _BACK)
    for path in sorted(folder.glob("*.jsonl")):
        yield from _torn(path, "reviews")


def journal_findings(workspace: Workspace) -> Iterator[Finding]:
    """Yield the lines of the journals that can't be read."""
    for path in sorted(workspace.root.glob("*.jsonl")):
        faults = [finding_of("journals", fault, path, _BACK) for fault in read_lines(path)[1]]
        yield from faults
        yield from _torn(path, "journals")
        if path.name == SPEND_FILE and not faults:
            try:
                SpendJournal(path, Allowance())
            except SitewatchError as error:
                yield finding_of("journals", error, path, _BACK)


def _torn(path: Path, part: str) -> Iterator[Finding]:
    with path.open("rb") as stream:
        last = stream.read().rpartition(b"\n")[2]
    if last and not _is_json(last):
        problem = "its last line was cut short, by a crash or in this moment"
        yield stale(part, path, problem, "Nothing to do: it is passed over, and set aside by the next write")


def _is_json(data: bytes) -> bool:
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True


def _media_findings(workspace: Workspace, *, quick: bool) -> Iterator[Finding]:
    catalogue = Catalogue.read(workspace.catalogue_path)
    for record in (*catalogue, *catalogue.subjects.values()):
        for note in record.observations:
            for medium in note.media:
                problem = _fault_of(medium, workspace.root, quick=quick)
                if problem:
                    where = f"{record.id}, note {note.id}"
                    yield damaged("catalogue", medium.file, problem, _BACK, feature=where)


def _fault_of(medium: Media, root: Path, *, quick: bool) -> str:
    if medium.file is None:
        return ""
    path = root / medium.file
    if not path.is_file():
        return "a note names it, and it is not there"
    if quick or medium.sha256 is None:
        return ""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return "" if digest == medium.sha256 else "it is not the file that its note was given"
