"""The ledger made again from archive and files.

Looks, detections and empty windows are a function of archive, catalogue and settings, up to the instants
that each site was examined to; those instants, and what can't be judged any more because its images or its
place are gone, are taken from the ledger that is there. Nothing derived is trusted: neither stacks nor
states. Reviews and spend are files and are not touched.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from pydantic import SecretStr

from geo.durable import fsync_directory
from watch.errors import DamagedLedgerError, LedgerError
from watch.ledger import Ledger
from watch.ledger_copy import carry_over, replace_all
from watch.ledger_tables import RUNS
from watch.lock import writing
from watch.renaming import adopt_former
from watch.run import run
from watch.settings import LedgerSettings

if TYPE_CHECKING:
    from datetime import datetime

    from watch.ledger import Examined
    from watch.run import Progress
    from watch.run_report import RunReport
    from watch.workspace import Workspace

DRAFT = "ledger.rebuilt.sqlite"
_BESIDE = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was made again."""

    sites: int
    judged: int
    """Looks that were judged anew."""
    failed: int
    """Looks among them that could not be made."""
    carried: int
    """Looks that were taken over, since their images or their place are gone."""
    damaged: Path | None = None
    """Where the ledger was put that could not be read; None when it could."""


@dataclass(frozen=True, slots=True)
class _Before:
    examined: dict[str, Examined]
    runs: tuple[str, ...]


def rebuild(
    workspace: Workspace,
    *,
    now: datetime | None = None,
    assume_clear: bool | None = None,
    progress: Progress | None = None,
) -> Rebuilt:
    """Make the ledger again beside the one that is there, and put it in its place at once.

    Args:
        workspace: Where archive, catalogue and ledger are.
        now: Up to when scenes are looked at where no ledger says it; the present when absent.
        assume_clear: Judge images without a cloud mask as clear; None asks the settings.
        progress: Told of each look.

    Raises:
        LedgerError: A site could not be looked at, or a run was made meanwhile; the ledger is as it was.
        WorkspaceBusyError: Another run is writing.
    """
    draft = workspace.root / DRAFT
    with writing(workspace.root):
        _remove(draft)
        before = _before(workspace)
        with closing(Ledger.open(draft)) as made, made.transaction() as transaction:
            for site_id, examined in (before.examined if before else {}).items():
                transaction.set_examined(site_id, examined)
    report = _judge(workspace, before, now, assume_clear=assume_clear, progress=progress)
    troubled = [site for site in report.sites if site.failure or site.left] if report else []
    if troubled:
        problem = f"{troubled[0].site_id} could not be looked at: {troubled[0].failure or troubled[0].left}"
        raise LedgerError(problem, hint="The ledger is as it was; mend this and rebuild again")
    judged = {site.site_id for site in report.sites if not site.skipped} if report else set()
    with writing(workspace.root):
        damaged, carried = None, 0
        if before is not None:
            carried = _swap(workspace, draft, before, judged)
        elif isinstance(workspace.ledger_place, Path):
            damaged = _replace_file(workspace.ledger_place, draft)
        _remove(draft)
    looks = report.looks if report else None
    return Rebuilt(
        len(judged), looks.total() if looks else 0, report.failed if report else 0, carried, damaged
    )


def _before(workspace: Workspace) -> _Before | None:
    """Return what only the ledger that is there knows; None when it can't be read at all."""
    try:
        with workspace.ledger() as ledger:
            adopt_former(list(workspace.catalogue()), workspace.archive(), ledger)
            return _known(ledger)
    except (DamagedLedgerError, sa.exc.DatabaseError) as error:
        if isinstance(workspace.ledger_place, str):
            raise LedgerError("the database can't be read as a ledger") from error
        return None


def _known(ledger: Ledger) -> _Before:
    runs = tuple(sorted(row[0] for row in ledger.answer(sa.select(RUNS.c.id))))
    return _Before(ledger.examined(), runs)


def _judge(
    workspace: Workspace,
    before: _Before | None,
    now: datetime | None,
    *,
    assume_clear: bool | None,
    progress: Progress | None,
) -> RunReport | None:
    known = before.examined if before else {}
    sites = [site.id for site in workspace.catalogue() if site.id in known]
    if known and not sites:
        return None
    settings = workspace.settings
    apart = settings.model_copy(
        update={
            "ledger": LedgerSettings(url=SecretStr(f"sqlite:///{DRAFT}")),
            "run": settings.run.model_copy(update={"stacks": False}),
        }
    )
    # Each site is looked at up to the instant that it was examined to, which is this one or a later one.
    instant = min(known[site].until for site in sites) if known else now
    elsewhere = replace(workspace, settings=apart)
    return run(elsewhere, sites, now=instant, assume_clear=assume_clear, progress=progress)


def _swap(workspace: Workspace, draft: Path, before: _Before, judged: set[str]) -> int:
    with workspace.ledger() as ledger, ledger.sole_writer(), closing(Ledger.open(draft)) as made:
        if _known(ledger) != before:
            problem = "a run was made while the ledger was made again"
            raise LedgerError(problem, hint="The ledger is as it was; rebuild when no run is due")
        carried = carry_over(ledger, made, judged)
        replace_all(ledger, made)
    return carried


def _replace_file(path: Path, draft: Path) -> Path:
    """Put the draft where a ledger stood that can't be read; return where that one is now."""
    aside = path.with_name(f"{path.name}.damaged")
    path.replace(aside)
    # What SQLite kept beside the old file would be taken for the new one's.
    for ending in _BESIDE[1:]:
        path.with_name(path.name + ending).unlink(missing_ok=True)
    draft.replace(path)
    fsync_directory(path.parent)
    return aside


def _remove(draft: Path) -> None:
    for ending in _BESIDE:
        draft.with_name(draft.name + ending).unlink(missing_ok=True)
