"""The heights under the lattices of sites, pulled once: for what the ground itself does to an image."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from geo.errors import SitewatchError
from geo.grid import DEFAULT_CONTEXT_M
from imagery.elevation import kept_elevation
from imagery.errors import BudgetError, CredentialsError
from imagery.pins import pinned_grid, read_pins
from imagery.provenance import Charge
from imagery.sentinelhub.terrain import TerrainRequest
from watch.lock import writing
from watch.pull import MAX_FAILURES

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from geo.grid import Grid
    from imagery.archive import Archive
    from imagery.sentinelhub.provider import SentinelHub
    from sites.model import Site
    from watch.pull import Progress
    from watch.workspace import Workspace

NO_LATTICE = "it has no lattice yet: pull scenes of it first, or add some and run"


@dataclass(frozen=True, slots=True)
class TerrainPlan:
    """What heights there are to pull for one site."""

    site_id: str
    held: tuple[Grid, ...] = ()
    missing: tuple[Grid, ...] = ()
    """Lattices that have no heights yet, finest first."""
    skipped: str = ""
    """Why none can be asked for; empty when they can."""


@dataclass(frozen=True, slots=True)
class TerrainReport:
    """What a pull of heights found, and what it did."""

    sites: tuple[TerrainPlan, ...]
    pulled: frozenset[str] = frozenset()
    """Ids of the lattices whose heights came into the archive."""
    failed: dict[str, str] = field(default_factory=dict)
    """Why heights did not come, by the id of the lattice."""
    stopped: SitewatchError | None = None
    """What ended it early."""

    @property
    def missing(self) -> tuple[Grid, ...]:
        """Lattices whose heights were to be pulled."""
        return tuple(grid for site in self.sites for grid in site.missing)

    @property
    def estimate(self) -> Charge:
        """What the missing heights should cost."""
        return sum((TerrainRequest(grid).estimate for grid in self.missing), Charge())


def pull_elevation(
    workspace: Workspace,
    hub: SentinelHub,
    sites: Sequence[str],
    *,
    dry_run: bool = False,
    announce: Callable[[TerrainReport], None] | None = None,
    progress: Progress | None = None,
) -> TerrainReport:
    """Pull the heights under every lattice of the sites that has none.

    Args:
        workspace: Where catalogue and archive are.
        hub: The service, over the archive of the workspace.
        sites: Ids or aliases; none means every site that is watched.
        dry_run: Ask for nothing.
        announce: Called once with what was found, before anything is asked.
        progress: Called after each lattice.

    Raises:
        UnknownSiteError: A named site is not in the catalogue.
        WorkspaceBusyError: Another process is writing.
    """
    catalogue = workspace.catalogue()
    chosen = [catalogue.get(name) for name in dict.fromkeys(sites)] if sites else list(catalogue)
    with writing(workspace.root):
        workspace.sweep()
        archive = workspace.archive()
        report = TerrainReport(tuple(_plan(site, archive) for site in chosen))
        if announce is not None:
            announce(report)
        return report if dry_run else _fetch_all(hub, report, progress)


def _plan(site: Site, archive: Archive) -> TerrainPlan:
    area = site.area
    if not site.is_watched or area is None:
        return TerrainPlan(site.id, skipped=site.watch_reason)
    context_m = site.watch.context_m or DEFAULT_CONTEXT_M
    sides_m = sorted({pin.resolution_m for pin in read_pins(archive, site.id)})
    found = [
        pinned_grid(archive, site.id, area, resolution_m=side_m, context_m=context_m) for side_m in sides_m
    ]
    grids = [grid for grid in found if grid is not None]
    if not grids:
        return TerrainPlan(site.id, skipped=NO_LATTICE)
    held = [grid for grid in grids if kept_elevation(archive, grid) is not None]
    return TerrainPlan(site.id, tuple(held), tuple(grid for grid in grids if grid not in held))


def _fetch_all(hub: SentinelHub, report: TerrainReport, progress: Progress | None) -> TerrainReport:
    pulled: set[str] = set()
    failed: dict[str, str] = {}
    in_a_row = 0
    for grid in report.missing:
        try:
            hub.elevation(grid)
            pulled.add(grid.grid_id)
            in_a_row = 0
        except SitewatchError as error:
            failed[grid.grid_id] = str(error)
            in_a_row += 1
            if isinstance(error, BudgetError | CredentialsError) or in_a_row >= MAX_FAILURES:
                return TerrainReport(report.sites, frozenset(pulled), failed, error)
        if progress is not None:
            progress(len(pulled) + len(failed), len(report.missing), f"{grid.site_id} elevation")
    return TerrainReport(report.sites, frozenset(pulled), failed)
