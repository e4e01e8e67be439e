"""The run: every scene of every site, looked at once, in order, into the ledger.

What a run leaves behind depends on the archive, the catalogue, the settings and `now` alone: not on how
often it ran, on where it was killed, or on the order in which scenes arrived. A scene that arrives late
takes the looks after it back and judges them anew, because they are judged against it.
"""

from __future__ import annotations

import secrets
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Protocol

from imagery.model import Outcome
from watch.agenda import Standing, make_plan
from watch.book import copy
from watch.cause import short_cause
from watch.conduct import AT_EASE, Conduct, Patience, Stages
from watch.crew import crew_of
from watch.errors import LedgerError, UnmaskedError, WorkerError
from watch.ledger import Examined
from watch.lock import writing
from watch.means import Means, Task
from watch.nulls import chosen_nulls, with_dismissed
from watch.plan import empty_windows
from watch.renaming import adopt_former
from watch.reviews import read_reviews
from watch.run_report import RunReport, SiteReport
from watch.runlog import RUN_BEGUN
from watch.silence import Silence, silences_in
from watch.together import in_order
from watch.unjudged import Unjudged, unjudged
from watch.weighing import weigh

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from imagery.errors import ArchiveError
    from imagery.model import Look, NoScene
    from sites.model import Site
    from watch.agenda import Planned
    from watch.ledger import Ledger
    from watch.means import Judged
    from watch.watcher import Watcher
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


def run(
    workspace: Workspace,
    sites: Sequence[str] = (),
    *,
    now: datetime | None = None,
    due_only: bool = False,
    assume_clear: bool | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    conduct: Conduct = AT_EASE,
) -> RunReport:
    """Look at every scene acquired up to `now` that has not been looked at.

    What goes wrong with one site costs that site, and is in the report; what goes wrong with the ledger
    ends the run.

    Args:
        workspace: Where catalogue, archive and ledger are.
        sites: Ids or aliases; none means every site that can be watched.
        now: Aware instant; the present when absent. Later scenes are left alone.
        due_only: Skip sites whose cadence has not passed since they were last examined.
        assume_clear: Judge images without a cloud mask as clear; None asks the settings.
        dry_run: Only count what would be looked at.
        progress: Told of each look.
        conduct: How long it may take, who may end it, and who is told.

    Raises:
        UnknownSiteError: A named site is not in the catalogue.
        UnmaskedError: There are images without a cloud mask and nobody said that they are clear.
        WorkspaceBusyError: Another run is writing.
    """
    instant, patience = now or conduct.clock.now(), Patience(conduct)
    trusting = workspace.settings.run.assume_clear if assume_clear is None else assume_clear
    chosen = choose(workspace, sites)
    run_id = f"{instant:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"
    stages = Stages(patience.spent_s)
    with writing(workspace.root), workspace.ledger() as ledger, ledger.sole_writer():
        conduct.log.note(RUN_BEGUN, run=run_id, now=instant.isoformat())
        workspace.sweep()
        archive = workspace.archive()
        adopt_former(chosen, archive, ledger)
        examined = ledger.examined()
        # A dry run leaves nothing behind, not even what is derived.
        chosen_quiet = chosen_nulls(workspace.settings.look.null, workspace.root)
        reviews = read_reviews(workspace.reviews_path)
        means = Means.of(
            archive,
            workspace.settings.look,
            keeps=workspace.settings.run.stacks and not dry_run,
            quiet=with_dismissed(chosen_quiet, ledger.detections(), reviews),
        )
        stages.end("read")
        told = progress or Silent()
        work = _Work(workspace, means, ledger, run_id, instant, told, conduct, patience)
        usual = timedelta(days=workspace.settings.run.cadence_days)
        agenda = make_plan(chosen, examined, now=instant, cadence=usual)
        known = {site.id: site for site in chosen}
        jobs: Iterable[_Job] = (
            _plan(work, known[each.site_id], examined.get(each.site_id), each, due_only=due_only)
            for each in agenda.sites
        )
        # Each site is planned as its turn comes, but where one may refuse the whole run.
        if due_only and not trusting:
            jobs = map(_without_unmasked, jobs)
        elif not trusting:
            jobs = _refuse_unmasked(list(jobs))
        stages.end("plan")
        if dry_run:
            reports = tuple(_unstarted(job) for job in jobs)
            return RunReport(run_id, instant, reports, plan=agenda, stages=stages.done)
        ledger.start_run(run_id, now=instant, started_at=conduct.clock.now())
        reports = tuple(_attempts(work, jobs))
        reckoned = weigh(ledger, chosen_quiet, reviews)
        reports = _with_sureties(reports, ledger)
        ledger.finish_run(run_id, conduct.clock.now())
        looked_at = [known[report.site_id] for report in reports if not report.skipped]
        silence = _silence(workspace, looked_at, ledger)
        stages.end("judge")
    troubles = work.troubles
    return RunReport(
        run_id,
        instant,
        reports,
        troubles.stack,
        agenda,
        silence,
        stages.done,
        reckoning=reckoned,
        state_trouble=troubles.state,
    )


def _silence(workspace: Workspace, sites: Sequence[Site], ledger: Ledger) -> tuple[Silence, ...]:
    needed = workspace.settings.notify.silent_looks
    return silences_in(sites, ledger, needed=needed, dismissed=read_reviews(workspace.reviews_path).dismissed)


@dataclass(slots=True)
class _Troubles:
    """The first of each kind."""

    stack: ArchiveError | None = None
    state: ArchiveError | None = None

    def note(self, stack: ArchiveError | None, state: ArchiveError | None) -> None:
        self.stack, self.state = self.stack or stack, self.state or state


@dataclass(frozen=True, slots=True)
class _Work:
    workspace: Workspace
    means: Means
    ledger: Ledger
    run_id: str
    now: datetime
    progress: Progress
    conduct: Conduct
    patience: Patience
    troubles: _Troubles = field(default_factory=_Troubles)


@dataclass(frozen=True, slots=True)
class _Job:
    site: Site
    examined: Examined | None
    skipped: str = ""
    due_on: str = ""
    watchers: tuple[Watcher, ...] = ()
    unjudged: tuple[Unjudged, ...] = ()
    failure: str = ""

    @property
    def pending(self) -> int:
        """Looks to be made."""
        return sum(watcher.pending for watcher in self.watchers)


def _with_sureties(reports: tuple[SiteReport, ...], ledger: Ledger) -> tuple[SiteReport, ...]:
    """Return the reports with their detections as the ledger has them now."""
    known = {each.id: each for each in ledger.detections()}
    return tuple(
        replace(report, detections=tuple(known.get(each.id, each) for each in report.detections))
        for report in reports
    )


def choose(workspace: Workspace, sites: Sequence[str]) -> list[Site]:
    """Return the named sites, or all that aren't retired when none is named.

    Raises:
        UnknownSiteError: A named site is not in the catalogue.
    """
    catalogue = workspace.catalogue()
    if sites:
        return [catalogue.get(site_id) for site_id in dict.fromkeys(sites)]
    return [site for site in catalogue if not site.retired]


def _cadence(work: _Work, site: Site) -> timedelta:
    return site.watch.cadence or timedelta(days=work.workspace.settings.run.cadence_days)


def _plan(work: _Work, site: Site, examined: Examined | None, planned: Planned, *, due_only: bool) -> _Job:
    if planned.standing is Standing.NOT_WATCHED:
        return _Job(site, examined, skipped=planned.reason)
    if due_only and planned.standing is Standing.NOT_DUE:
        return _Job(site, examined, skipped="not due", due_on=planned.reason)
    if planned.standing is Standing.CUT:
        return _Job(site, examined, skipped=planned.reason)
    horizon = _horizon(work, examined)
    try:
        watchers = work.means.watchers(site, work.ledger, until=horizon)
        aside = unjudged(site, work.means.index, until=horizon)
    except Exception as error:  # noqa: BLE001 - whatever one site meets, the others are looked at
        return _Job(site, examined, due_on=planned.reason, failure=_one_sites(error))
    return _Job(site, examined, due_on=planned.reason, watchers=watchers, unjudged=aside)


def _one_sites(error: Exception) -> str:
    """Return the cause of what one site is to pay for; raise what concerns them all."""
    if isinstance(error, LedgerError | MemoryError):
        raise error
    return short_cause(error)


def _refuse_unmasked(jobs: Sequence[_Job]) -> Sequence[_Job]:
    """Refuse to judge images without a mask."""
    bare = set().union(*(_bare(job) for job in jobs))
    if bare:
        raise _unmasked(bare)
    return jobs


def _without_unmasked(job: _Job) -> _Job:
    """Refuse only the site, when nobody is there to ask."""
    bare = _bare(job)
    return replace(job, watchers=(), failure=str(_unmasked(bare))) if bare else job


def _bare(job: _Job) -> set[str]:
    return {scene_id for watcher in job.watchers for scene_id in watcher.unmasked_scene_ids()}


def _unmasked(scene_ids: set[str]) -> UnmaskedError:
    return UnmaskedError(
        f"{len(scene_ids)} scene(s) have no cloud mask, {min(scene_ids)!r} among them",
        hint="Add them with --mask-band, or say --assume-clear if you have looked at them",
    )


def _unstarted(job: _Job, left: str = "") -> SiteReport:
    return SiteReport(
        job.site.id,
        skipped=job.skipped,
        due_on=job.due_on,
        pending=job.pending,
        unjudged=job.unjudged,
        failure=job.failure,
        left=left,
    )


def _attempts(work: _Work, jobs: Iterable[_Job]) -> Iterator[SiteReport]:
    """Look at the sites one after the other or side by side, and write what came of each in their order."""
    crew = crew_of(work.means, work.conduct)
    if crew is None:
        yield from (_attempt(work, job) for job in jobs)
        return
    with crew:
        for job, judged in in_order(jobs, crew, partial(_task, work), work.patience.must_stop):
            yield _attempt(work, job) if judged is None else _entered(work, job, judged)


def _task(work: _Work, job: _Job) -> Task | None:
    """Return what somebody else may do of a job; None when it may not begin or nothing is to be judged."""
    if job.skipped or job.failure or not job.pending or work.patience.may_not_begin():
        return None
    return Task(job.site, tuple(work.ledger.looked(job.site.id)), _horizon(work, job.examined))


def _horizon(work: _Work, examined: Examined | None) -> datetime:
    """Return up to when scenes are looked at: what a later run saw is never taken back."""
    return max(work.now, examined.until) if examined else work.now


def _attempt(work: _Work, job: _Job) -> SiteReport:
    """Look at one site if that may still be begun; what goes wrong with it is its own."""
    if job.skipped:
        return _unstarted(job)
    left = "" if job.failure else work.patience.may_not_begin()
    began_s = work.patience.spent_s()
    report = _unstarted(job, left) if left or job.failure else _run_site(work, job)
    report = replace(report, took_s=work.patience.spent_s() - began_s)
    _tell(work, report)
    return report


def _tell(work: _Work, report: SiteReport) -> None:
    what = "site failed" if report.failure else "site left" if report.left else "site done"
    looks = {str(outcome): count for outcome, count in report.looks.items()}
    why = {"why": report.failure or report.left} if report.failure or report.left else {}
    facts = {"looks": looks, "detections": len(report.detections), "no_scene": len(report.no_scenes)}
    seconds = round(report.took_s, 3)
    work.conduct.log.note(what, run=work.run_id, site=report.site_id, seconds=seconds, **facts, **why)


def _entered(work: _Work, job: _Job, judged: Judged) -> SiteReport:
    """Write what somebody else judged."""
    report = replace(_run_site(work, job, judged), took_s=judged.took_s)
    _tell(work, report)
    return report


def _run_site(work: _Work, job: _Job, judged: Judged | None = None) -> SiteReport:
    """Judge a site, or write what was `judged` of it, and note how far it was examined."""
    site = job.site
    pending = job.pending
    work.progress.site(site.id, pending)
    before = {each.id: each for each in work.ledger.detections(site.id)} if pending else {}
    outcomes: Counter[Outcome] = Counter()
    failed: list[Look] = []
    added: tuple[NoScene, ...] = ()
    failure = left = ""
    try:
        left = (
            _judge(work, job, outcomes, failed)
            if judged is None
            else _copy(work, job, judged, outcomes, failed)
        )
        added = () if left else _close(work, job)
    except Exception as error:  # noqa: BLE001 - whatever one site meets, the others are looked at
        failure = _one_sites(error)
    for watcher in job.watchers:
        work.troubles.note(work.means.stack_trouble, watcher.state_trouble)
    after = work.ledger.detections(site.id) if pending else []
    changed = tuple(each for each in after if before.get(each.id) != each)
    return SiteReport(
        site.id,
        outcomes,
        added,
        changed,
        due_on=job.due_on,
        pending=pending,
        unjudged=job.unjudged,
        failure=failure,
        left=left,
        failed_looks=tuple(failed),
    )


def _judge(work: _Work, job: _Job, outcomes: Counter[Outcome], failed: list[Look]) -> str:
    """Judge what is pending, counting into `outcomes`; return why that was left off, if it was."""
    for watcher in job.watchers:
        for look in watcher.judge_pending(run_id=work.run_id, clock=work.conduct.clock.now):
            outcomes[look.outcome] += 1
            failed += [look] if look.outcome is Outcome.FAILED else []
            work.progress.look(job.site.id)
            reason = work.patience.must_stop()
            if reason:
                return reason
    return ""


def _copy(work: _Work, job: _Job, judged: Judged, outcomes: Counter[Outcome], failed: list[Look]) -> str:
    """Write what was judged elsewhere, counting into `outcomes`; return why that was left off, if it was."""
    work.troubles.note(judged.stack_trouble, judged.state_trouble)
    with work.ledger.transaction() as transaction:
        copy(judged.entries, job.site.id, transaction, run_id=work.run_id, judged_at=work.conduct.clock.now())
    for entry in judged.entries:
        for look in entry.looks:
            outcomes[look.outcome] += 1
            failed += [look] if look.outcome is Outcome.FAILED else []
            work.progress.look(job.site.id)
    if judged.failure:
        raise WorkerError(judged.failure)
    return judged.left


def _close(work: _Work, job: _Job) -> tuple[NoScene, ...]:
    """Note the empty windows and how far the site was examined, in one transaction."""
    site = job.site
    since = job.examined.since if job.examined else work.now.date()
    until = _horizon(work, job.examined)
    days = [day for watcher in job.watchers for day in watcher.days]
    windows = empty_windows(site.id, days, since=since, now=until, cadence=_cadence(work, site))
    known = set(work.ledger.no_scenes(site.id))
    with work.ledger.transaction() as transaction:
        if known != set(windows):
            transaction.set_no_scenes(site.id, windows, run_id=work.run_id)
        transaction.set_examined(site.id, Examined(since, until))
    return tuple(window for window in windows if window not in known)
