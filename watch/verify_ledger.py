"""Whether the ledger is whole, and whether what it says still has something to rest on."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from geo.errors import SitewatchError
from imagery.model import DetectionState
from watch.findings import Finding, damaged, finding_of, stale
from watch.queue import orphans

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from imagery.model import Detection, Look
    from watch.decisions import Decision
    from watch.ledger import Ledger
    from watch.reviews import Reviews
    from watch.workspace import Workspace

_REBUILD = "Take it from a backup, or make it again from archive and files: sitewatch ledger rebuild"
_MAX_FAULTS = 20
"""Of one damaged file; the rest says nothing more."""


def ledger_findings(
    workspace: Workspace,
    *,
    scene_ids: Collection[str],
    wanted: Collection[str],
    site_ids: Collection[str] | None,
    reviews: Reviews,
    quick: bool,
) -> Iterator[Finding]:
    """Yield what is wrong with the ledger of a workspace.

    Args:
        workspace: Whose.
        scene_ids: Of the archive.
        wanted: Scenes that a restored archive lacks, as it says itself.
        site_ids: Present and former ids of the catalogue's sites; None when it can't be read.
        reviews: What analysts said of detections.
        quick: SQLite's shorter check, without what indexes say.
    """
    place = workspace.ledger_place
    if isinstance(place, Path):
        if not place.is_file():
            return
        faults = list(_integrity(place, quick=quick))
        if faults:
            yield from faults
            return
    name = place if isinstance(place, Path) else "ledger"
    try:
        with workspace.ledger() as ledger:
            yield from _contents(ledger, name, scene_ids, wanted, site_ids)
            yield from _orphans(workspace, reviews, ledger.detections())
    except SitewatchError as error:
        yield finding_of("ledger", error, name, _REBUILD)
    except (sa.exc.DBAPIError, ValueError, KeyError, TypeError) as error:
        problem = f"a row can't be read: {type(error).__name__}: {error}"
        yield damaged("ledger", name, problem, _REBUILD)


def _integrity(path: Path, *, quick: bool) -> Iterator[Finding]:
    """Yield what SQLite says of its own file (https://www.sqlite.org/pragma.html#pragma_integrity_check)."""
    check = "quick_check" if quick else "integrity_check"
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            rows = connection.execute(f"PRAGMA {check}({_MAX_FAULTS})").fetchall()
    except sqlite3.Error as error:
        yield damaged("ledger", path, f"it can't be read: {error}", _REBUILD)
        return
    for (words,) in rows:
        if words != "ok":
            yield damaged("ledger", path, str(words), _REBUILD)


def _contents(
    ledger: Ledger,
    name: object,
    scene_ids: Collection[str],
    wanted: Collection[str],
    site_ids: Collection[str] | None,
) -> Iterator[Finding]:
    found = sorted(ledger.detections(), key=lambda detection: detection.site_id)
    windows = Counter(window.site_id for window in ledger.no_scenes())
    by_site = {site_id: list(each) for site_id, each in groupby(found, lambda detection: detection.site_id)}
    # One site after the other: all looks of many years would not fit into memory.
    for site_id in sorted({*ledger.examined(), *windows, *by_site, *(site_ids or ())}):
        looks = ledger.looks(site_id)
        detections = by_site.get(site_id, [])
        is_foreign = site_ids is not None and site_id not in site_ids
        rows = len(looks) + len(detections) + windows[site_id]
        if is_foreign and rows:
            problem = f"it speaks of a site that the catalogue does not have, in {rows} rows"
            hint = "Take the site's file from a backup; if it was renamed by hand, name its former id in it"
            yield stale("ledger", name, problem, hint, feature=site_id)
        yield from _without_scenes(name, site_id, looks, scene_ids, wanted, is_foreign=is_foreign)
        yield from _without_looks(name, detections, looks)


def _orphans(workspace: Workspace, reviews: Reviews, found: Sequence[Detection]) -> Iterator[Finding]:
    """Yield the decisions on detections that the ledger does not have, a finding for each detection."""
    by_id: dict[str, list[Decision]] = {}
    for decision in orphans(reviews.decisions, found):
        by_id.setdefault(decision.detection_id, []).append(decision)
    for detection_id, said in by_id.items():
        verdicts = ", ".join(f"{each.verdict} by {each.by}" for each in said)
        problem = f"no detection of the ledger has this id ({verdicts}, of site {said[0].site_id})"
        hint = "See `sitewatch review list --orphans`: say it anew of what was found instead, or retract it"
        yield stale("reviews", workspace.reviews_path, problem, hint, feature=f"detection {detection_id}")


def _without_scenes(
    name: object,
    site_id: str,
    looks: Iterable[Look],
    scene_ids: Collection[str],
    wanted: Collection[str],
    *,
    is_foreign: bool,
) -> Iterator[Finding]:
    gone = [look for look in looks if any(scene not in scene_ids for scene in look.scene_ids)]
    if not gone:
        return
    lost = [scene for look in gone for scene in look.scene_ids if scene not in scene_ids]
    problem = f"{len(gone)} looks rest on scenes that are not in the archive, the first on {lost[0]}"
    if is_foreign or all(scene in wanted for scene in lost):
        hint = "Add or pull them again to see what was seen; until then the looks stay"
        yield stale("ledger", name, problem, hint, feature=site_id)
    else:
        hint = "Take them from a backup, or add or pull them again; until then nobody can see what was seen"
        yield damaged("ledger", name, problem, hint, feature=site_id)


def _without_looks(name: object, found: Iterable[Detection], looks: Iterable[Look]) -> Iterator[Finding]:
    days = {(look.grid_id, look.series, look.solar_day) for look in looks}
    for detection in found:
        ends = (detection.last_without, detection.first_with)
        lacking = [str(day) for day in ends if (detection.grid_id, detection.series, day) not in days]
        if lacking and detection.state is not DetectionState.RETRACTED:
            problem = f"it rests on looks that are gone: {', '.join(lacking)}"
            yield damaged("ledger", name, problem, _REBUILD, feature=f"detection {detection.id}")
