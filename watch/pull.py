"""The pull: every pass over the sites that the archive lacks, within the budget, into the archive."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geo.errors import SitewatchError
from geo.grid import DEFAULT_CONTEXT_M, site_grid, utm_crs
from imagery.pins import grid_for, pinned_grid
from imagery.provenance import Charge
from imagery.provider import NO_LIMITS, Limits, within
from watch.lock import writing
from watch.turns import NotBegun, Turns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from shapely.geometry.base import BaseGeometry

    from geo.dates import Span
    from geo.grid import Grid
    from imagery.archive import Archive
    from imagery.sentinelhub.passes import HubScene
    from imagery.sentinelhub.provider import SentinelHub
    from sites.model import Site
    from watch.workspace import Workspace

    Progress = Callable[[int, int, str], None]
    """Called with how many passes are done, of how many, and the last one's id."""

MAX_FAILURES = 3
"""Passes that may fail one after the other before the service is taken to be down."""


@dataclass(frozen=True, slots=True)
class SitePlan:
    """What there is to pull for one site."""

    site_id: str
    found: tuple[HubScene, ...] = ()
    missing: tuple[HubScene, ...] = ()
    """Those of `found` that the archive lacks."""
    skipped: str = ""
    """Why nothing was searched; empty when it was."""


@dataclass(frozen=True, slots=True)
class PullReport:
    """What a pull found, and what it did."""

    sites: tuple[SitePlan, ...]
    pulled: frozenset[str] = frozenset()
    """Ids of the passes that came into the archive."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why passes did not come, by id."""
    stopped: SitewatchError | None = None
    """What ended it early: the budget, the credentials, a service that is down."""

    @property
    def missing(self) -> tuple[HubScene, ...]:
        """Passes that were to be pulled, each once, oldest first."""
        unique = {scene.id: scene for site in self.sites for scene in site.missing}
        return tuple(sorted(unique.values(), key=lambda scene: (scene.acquired, scene.id)))

    @property
    def estimate(self) -> Charge:
        """What the missing passes should cost."""
        return sum((scene.request.estimate for scene in self.missing), Charge())


@dataclass(frozen=True, slots=True)
class PullOptions:
    """What is to be pulled, and how."""

    span: Span
    """Solar days, both included."""
    limits: Limits = NO_LIMITS
    """Which passes to leave out."""
    workers: int = 4
    """Requests at the same time."""
    dry_run: bool = False
    """Search and count, and pull nothing."""


def pull(
    workspace: Workspace,
    hub: SentinelHub,
    sites: Sequence[str],
    options: PullOptions,
    *,
    announce: Callable[[PullReport], None] | None = None,
    progress: Progress | None = None,
) -> PullReport:
    """Pull the passes over sites that the archive of a workspace lacks.

    What comes is archived at once, pass by pass: a pull that is stopped anywhere is carried on by the
    next one, which asks for no pass that came.

    Args:
        workspace: Where catalogue and archive are.
        hub: The service, over the archive of the workspace.
        sites: Ids or aliases; none means every site that is watched.
        options: What is to be pulled, and how.
        announce: Called once with what was found, before anything is pulled.
        progress: Called after each pass.

    Raises:
        UnknownSiteError: A named site is not in the catalogue.
        WorkspaceBusyError: Another process is writing.
        ServiceError: The search failed; so for `BudgetError` and `CredentialsError`.
    """
    catalogue = workspace.catalogue()
    chosen = [catalogue.get(name) for name in dict.fromkeys(sites)] if sites else list(catalogue)
    with writing(workspace.root):
        workspace.sweep()
        archive = workspace.archive()
        search = _Search(hub, archive, options)
        report = PullReport(tuple(search.plan(site) for site in chosen))
        if announce is not None:
            announce(report)
        if options.dry_run:
            return report
        try:
            with hub.keeping():
                return _fetch_all(hub, report, options.workers, progress)
        finally:
            # Also when nothing was missing: an earlier pull may have been killed before it came to this.
            archive.draw_up()


@dataclass(frozen=True, slots=True)
class _Search:
    hub: SentinelHub
    archive: Archive
    options: PullOptions

    def plan(self, site: Site) -> SitePlan:
        area, point = site.area, site.point
        if not site.is_watched or area is None or point is None:
            return SitePlan(site.id, skipped=site.watch_reason)
        side_m, context_m = self.hub.product.resolution_m, site.watch.context_m or DEFAULT_CONTEXT_M
        kept = pinned_grid(self.archive, site.id, area, resolution_m=side_m, context_m=context_m)
        if kept is not None:
            return self._planned(site.id, point.x, self.hub.search(kept, self.options.span))
        first = site_grid(site.id, area, crs=utm_crs(point), resolution_m=side_m, context_m=context_m)
        found = self._on_source_crs(site.id, area, first, context_m)
        if found and not self.options.dry_run and self.hub.product.has_source_grid:
            # Its own first pass, whatever lies near: then pins don't tell which site was pulled first.
            grid = grid_for(
                self.archive, site.id, area, resolution_m=side_m, context_m=context_m, scenes=found[:1]
            )
            if grid.crs != found[0].request.frame.crs:
                found = self.hub.search(grid, self.options.span)
        return self._planned(site.id, point.x, found)

    def _planned(self, site_id: str, lon: float, passes: Sequence[HubScene]) -> SitePlan:
        found = within(passes, self.options.limits, lon)
        missing = tuple(scene for scene in found if not self.hub.holds(scene))
        return SitePlan(site_id, found, missing)

    def _on_source_crs(
        self, site_id: str, area: BaseGeometry, grid: Grid, context_m: float
    ) -> tuple[HubScene, ...]:
        """Return the passes over a site on the CRS of their pixels: the grid's where any granule has it.

        At the border of two UTM zones the tiles over a site may lie in the other one.
        """
        found = self.hub.search(grid, self.options.span)
        if not self.hub.product.has_source_grid:
            return found
        known = [
            granule.crs for each in found for granule in each.request.acquisition.granules if granule.crs
        ]
        if not known or grid.crs in known:
            return found
        moved = site_grid(site_id, area, crs=known[0], resolution_m=grid.resolution_m, context_m=context_m)
        return self.hub.search(moved, self.options.span)


def _fetch_all(hub: SentinelHub, report: PullReport, workers: int, progress: Progress | None) -> PullReport:
    pulled: set[str] = set()
    failed: dict[str, str] = {}
    turns = Turns(workers, MAX_FAILURES)
    for scene, error in _fetched(hub, report.missing, turns):
        if error is None:
            pulled.add(scene.id)
            turns.succeed()
        else:
            failed[scene.id] = str(error)
            turns.note(error)
        if progress is not None:
            progress(len(pulled) + len(failed), len(report.missing), scene.id)
    return PullReport(report.sites, frozenset(pulled), failed, turns.stopped)


def _fetched(
    hub: SentinelHub, scenes: Sequence[HubScene], turns: Turns
) -> Iterator[tuple[HubScene, SitewatchError | None]]:
    """Yield each scene as it came or did not, but for those that nobody began to ask for.

    Twice as many are under way as there are turns: answers come in bursts, and what came is archived while
    the next ask.
    """
    waiting = list(reversed(scenes))
    running: dict[Future[Charge], HubScene] = {}
    with ThreadPoolExecutor(max_workers=2 * turns.count, thread_name_prefix="pull") as pool:
        try:
            while running or (waiting and turns.stopped is None):
                while waiting and len(running) < 2 * turns.count and turns.stopped is None:
                    scene = waiting.pop()
                    running[pool.submit(hub.fetch, scene, turns.turn())] = scene
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    scene = running.pop(future)
                    if not isinstance(future.exception(), NotBegun):
                        yield scene, _error_of(future)
        finally:
            turns.close()  # an interrupted pull waits for what is under way and pays for nothing more


def _error_of(future: Future[Charge]) -> SitewatchError | None:
    error = future.exception()
    if error is None or isinstance(error, SitewatchError):
        return error
    raise error
