"""The run: every scene of every site, looked at once, in order, into the ledger.

What a run leaves behind depends on the archive, the catalogue, the settings and `now` alone: not on how
often it ran, on where it was killed, or on the order in which scenes arrived. A scene that arrives late
takes the looks after it back and judges them anew, because they are judged against it.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from imagery.local import LocalArchive
from imagery.model import Outcome
from imagery.scene_index import SceneIndex
from imagery.stack import stacked_archive
from watch.errors import UnmaskedError
from watch.ledger import Examined
from watch.lock import writing
from watch.plan import due, empty_windows
from watch.renaming import adopt_former
from watch.unjudged import Unjudged, unjudged
from watch.watcher import Watcher, open_watchers

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imagery.archive import Archive
    from imagery.errors import ArchiveError
    from imagery.model import Detection, NoScene
    from imagery.provider import Provider
    from sites.model import Site
    from watch.ledger import Ledger
    from watch.workspace import Workspace


class Progress(Protocol):
    """Told how a run goes; the command line draws it."""

    def site(self, site_id: str, looks: int) -> None:
        """Say that a site with so many new looks begins."""

    def look(self, site_id: str) -> None:
        """Say that one look is in the ledger."""


class Silent:
    """A `Progress` that says nothing."""

    def site(self, site_id: str, looks: int) -> None:
        """Say nothing."""

    def look(self, site_id: str) -> None:
        """Say nothing."""


@dataclass(frozen=True, slots=True)
class SiteReport:
    """What a run did for one site."""

    site_id: str
    looks: Counter[Outcome] = field(default_factory=Counter)
    """New looks by outcome."""
    no_scenes: tuple[NoScene, ...] = ()
    """Due windows without any scene that this run added."""
    detections: tuple[Detection, ...] = ()
    """Detections that this run made or changed."""
    skipped: str = ""
    """Why the site was not examined; empty when it was."""
    due_on: str = ""
    """What made the site due."""
    pending: int = 0
    """Looks that were there to be made when the run began."""
    unjudged: tuple[Unjudged, ...] = ()
    """Series that are kept and that no detector looks at."""


@dataclass(frozen=True, slots=True)
class RunReport:
    """What a run did."""

    run_id: str
    now: datetime
    sites: tuple[SiteReport, ...]
    stack_trouble: ArchiveError | None = None
    """Why the archive's stacks could not be kept; the looks are the same without them."""

    @property
    def looks(self) -> Counter[Outcome]:
        """New looks by outcome, every outcome named."""
        total = Counter(dict.fromkeys(Outcome, 0))
        for site in self.sites:
            total.update(site.looks)
        return total

    @property
    def detections(self) -> tuple[Detection, ...]:
        """Detections that this run made or changed, by site."""
        return tuple(detection for site in self.sites for detection in site.detections)

    @property
    def failed(self) -> int:
        """Looks that could not be made."""
        return self.looks[Outcome.FAILED]

    @property
    def no_scene(self) -> int:
        """Due windows without any scene that this run added."""
        return sum(len(site.no_scenes) for site in self.sites)


def run(
    workspace: Workspace,
    sites: Sequence[str] = (),
    *,
    now: datetime | None = None,
    due_only: bool = False,
    assume_clear: bool | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
) -> RunReport:
    """Look at every scene acquired up to `now` that has not been looked at.

    Args:
        workspace: Where catalogue, archive and ledger are.
        sites: Ids or aliases; none means every site that can be watched.
        now: Aware instant; the present when absent. Later scenes are left alone.
        due_only: Skip sites whose cadence has not passed since they were last examined.
        assume_clear: Judge images without a cloud mask as clear; None asks the settings.
        dry_run: Only count what would be looked at.
        progress: Told of each look.

    Raises:
        UnknownSiteError: A named site is not in the catalogue.
        UnmaskedError: There are images without a cloud mask and nobody said that they are clear.
        WorkspaceBusyError: Another run is writing.
    """
    instant = now or datetime.now(UTC)
    trusting = workspace.settings.run.assume_clear if assume_clear is None else assume_clear
    chosen = _choose(workspace, sites)
    run_id = f"{instant:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    with writing(workspace.root), workspace.ledger() as ledger:
        workspace.sweep()
        archive = workspace.archive()
        adopt_former(chosen, archive, ledger)
        examined = ledger.examined()
        index = SceneIndex(archive.scenes())
        # A dry run leaves nothing behind, not even what is derived.
        stacked = stacked_archive(archive, index=index)
        plain = dry_run or not workspace.settings.run.stacks
        provider = LocalArchive(archive, index=index) if plain else stacked
        work = _Work(workspace, archive, index, provider, ledger, run_id, instant, progress or Silent())
        jobs = [_plan(work, site, examined.get(site.id), due_only=due_only) for site in chosen]
        if not trusting:
            _refuse_unmasked(jobs)
        if dry_run:
            return RunReport(run_id, instant, tuple(_unstarted(job) for job in jobs))
        ledger.start_run(run_id, now=instant, started_at=datetime.now(UTC))
        reports = tuple(_run_site(work, job) for job in jobs)
        ledger.finish_run(run_id, datetime.now(UTC))
    return RunReport(run_id, instant, reports, stack_trouble=stacked.trouble)


@dataclass(frozen=True, slots=True)
class _Work:
    workspace: Workspace
    archive: Archive
    index: SceneIndex
    provider: Provider
    ledger: Ledger
    run_id: str
    now: datetime
    progress: Progress


@dataclass(frozen=True, slots=True)
class _Job:
    site: Site
    examined: Examined | None
    skipped: str = ""
    due_on: str = ""
    watchers: tuple[Watcher, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()

    @property
    def pending(self) -> int:
        """Looks to be made."""
        return sum(watcher.pending for watcher in self.watchers)


def _choose(workspace: Workspace, sites: Sequence[str]) -> list[Site]:
    catalogue = workspace.catalogue()
    if sites:
        return [catalogue.get(site_id) for site_id in dict.fromkeys(sites)]
    return [site for site in catalogue if not site.retired]


def _cadence(work: _Work, site: Site) -> timedelta:
    return site.watch.cadence or timedelta(days=work.workspace.settings.run.cadence_days)


def _plan(work: _Work, site: Site, examined: Examined | None, *, due_only: bool) -> _Job:
    if not site.is_watched:
        return _Job(site, examined, skipped=site.watch_reason)
    state = due(examined.until if examined else None, now=work.now, cadence=_cadence(work, site))
    if due_only and not state.is_due:
        return _Job(site, examined, skipped="not due", due_on=state.reason)
    # A run asked about an earlier instant never takes back what a later one saw.
    horizon = max(work.now, examined.until) if examined else work.now
    watchers = open_watchers(
        site,
        work.archive,
        work.index,
        work.ledger,
        provider=work.provider,
        settings=work.workspace.settings.look,
        until=horizon,
    )
    aside = unjudged(site, work.index, until=horizon)
    return _Job(site, examined, due_on=state.reason, watchers=watchers, unjudged=aside)


def _refuse_unmasked(jobs: Sequence[_Job]) -> None:
    bare = {scene_id for job in jobs for watcher in job.watchers for scene_id in watcher.unmasked_scene_ids()}
    if bare:
        example = min(bare)
        raise UnmaskedError(
            f"{len(bare)} scene(s) have no cloud mask, {example!r} among them",
            hint="Add them with --mask-band, or say --assume-clear if you have looked at them",
        )


def _unstarted(job: _Job) -> SiteReport:
    return SiteReport(
        job.site.id, skipped=job.skipped, due_on=job.due_on, pending=job.pending, unjudged=job.unjudged
    )


def _run_site(work: _Work, job: _Job) -> SiteReport:
    site = job.site
    if job.skipped:
        return _unstarted(job)
    pending = job.pending
    work.progress.site(site.id, pending)
    before = {detection.id: detection for detection in work.ledger.detections(site.id)}
    outcomes: Counter[Outcome] = Counter()
    for watcher in job.watchers:
        for look in watcher.judge_pending(run_id=work.run_id, clock=_wall_clock):
            outcomes[look.outcome] += 1
            work.progress.look(site.id)
    added = _close(work, job)
    changed = tuple(d for d in work.ledger.detections(site.id) if before.get(d.id) != d)
    return SiteReport(
        site.id, outcomes, added, changed, due_on=job.due_on, pending=pending, unjudged=job.unjudged
    )


def _close(work: _Work, job: _Job) -> tuple[NoScene, ...]:
    """Note the empty windows and how far the site was examined, in one transaction."""
    site = job.site
    since = job.examined.since if job.examined else work.now.date()
    until = max(work.now, job.examined.until) if job.examined else work.now
    days = [day for watcher in job.watchers for day in watcher.days]
    windows = empty_windows(site.id, days, since=since, now=until, cadence=_cadence(work, site))
    known = set(work.ledger.no_scenes(site.id))
    with work.ledger.transaction() as transaction:
        transaction.set_no_scenes(site.id, windows, run_id=work.run_id)
        transaction.set_examined(site.id, Examined(since, until))
    return tuple(window for window in windows if window not in known)


def _wall_clock() -> datetime:
    return datetime.now(UTC)
