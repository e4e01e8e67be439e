"""Real looks of a workspace to evaluate detectors on: as they are, and with a roof put into them.

Nothing is known of what truly happened there. A real change at a site is counted as a false alarm, so these
figures are the worse for every one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from shapely.geometry import box

from geo.errors import InputError
from imagery.change.injection import blurred_rectangle, planted
from imagery.change.tracks import DAYS_PER_YEAR, Change
from imagery.change.trials import SEARCH, Trial
from imagery.local import LocalArchive
from imagery.scene_index import SceneIndex
from imagery.simulate.materials import BANDS
from imagery.simulate.population import ROOF_CONTRAST
from watch.watcher import lattices, watch_spec
from watch.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.grid import Grid
    from imagery.model import Chip
    from watch.watcher import Lattice

STATEMENT = "The looks are those of the archive, the changes are simulated: roofs put into the pixels."
ALL_SIMULATED = "All data are simulated, looks as well as changes: no satellite took them."

SIDES_PX = (1.0, 2.0, 3.0, 4.0, 6.0)
"""Sides of the roofs in pixels of the sensor."""

MIN_SCENES = 24
"""Fewer scenes of a series can't be learned from and monitored."""

LONGEST_HISTORY_DAYS = 548

_ROOF = dict(zip(BANDS, ROOF_CONTRAST, strict=True))


@dataclass(frozen=True, slots=True)
class InjectedPlan:
    """One site and series of a workspace, with a roof or without."""

    root: str
    site_id: str
    series: str
    side_px: float | None
    """None: the looks as they are."""
    seed: int
    number: int

    def trial(self) -> Trial:
        """Read the looks and put the roof in."""
        workspace = Workspace.open(Path(self.root))
        site, lattice, provider = _opened(workspace, self.site_id, self.series)
        chips = _alike([provider.read(lattice.grid, scenes) for scenes in lattice.scenes.values()])
        days = [chip.solar_day for chip in chips]
        history_days = min(LONGEST_HISTORY_DAYS, (days[-1] - days[0]).days // 2)
        first = days[0] + timedelta(days=history_days)
        rng = np.random.default_rng([self.seed, self.number])
        change, ground = None, None
        if self.side_px is not None:
            built = first + timedelta(days=int(rng.integers(max((days[-1] - first).days * 2 // 3, 1))))
            chips, change, ground = _with_roof(chips, lattice, self.side_px, built, rng)
        return Trial(
            site_id=f"{self.site_id}/{self.series}/{self.number}",
            mode=SEARCH,
            spec=watch_spec(site, lattice, workspace.settings.look),
            history=tuple(chip for chip in chips if chip.solar_day < first),
            monitored=tuple(chip for chip in chips if chip.solar_day >= first),
            site_years=(days[-1] - first).days / DAYS_PER_YEAR,
            change=change,
            ground=ground,
            group=self.site_id,
        )


def _opened(workspace: Workspace, site_id: str, series: str) -> tuple[Any, Lattice, LocalArchive]:
    archive = workspace.archive()
    index = SceneIndex(archive.scenes())
    site = workspace.catalogue().get(site_id)
    found = lattices(site, archive, index, until=datetime.now(UTC))
    (lattice,) = (each for each in found if each.series == series)
    return site, lattice, LocalArchive(archive, index=index)


def _alike(chips: Sequence[Chip]) -> tuple[Chip, ...]:
    """Return the chips that share bands and scale with the latest."""
    last = chips[-1]
    return tuple(chip for chip in chips if (chip.bands, chip.scale) == (last.bands, last.scale))


def _with_roof(
    chips: tuple[Chip, ...], lattice: Lattice, side_px: float, built: date, rng: np.random.Generator
) -> tuple[tuple[Chip, ...], Change, Any]:
    """Put a square roof at a random place of the site; one larger than the site lies in its middle."""
    grid = lattice.grid
    if chips[-1].scale is None:
        raise InputError(
            f"the images of {grid.site_id!r} are uncalibrated counts: a roof's reflectance can't be put in",
            hint="Add images with --scale, or evaluate simulated data",
        )
    rows, columns = np.nonzero(grid.weights(lattice.area) > 0)
    centre = tuple(_place(along, side_px, rng) for along in (rows, columns))
    share = blurred_rectangle(grid.shape, centre_px=(centre[0], centre[1]), size_px=(side_px, side_px))
    contrast = [_ROOF.get(name, 0.0) for name in chips[-1].bands]
    change = Change(built, built, (side_px * grid.resolution_m) ** 2, max(contrast), "new_roof")
    return planted(chips, share, contrast, first_day=built), change, _outline(grid, centre, side_px)


def _place(along: Any, side_px: float, rng: np.random.Generator) -> float:  # noqa: ANN401 - pixel numbers
    low, high = float(along.min()) + side_px / 2, float(along.max()) + 1 - side_px / 2
    return float(rng.uniform(low, high)) if high > low else (low + high) / 2


def _outline(grid: Grid, centre: Sequence[float], side_px: float) -> Any:  # noqa: ANN401 - a polygon, lon lat
    row, column = centre
    x, y = grid.transform * (column, row)
    half = side_px * grid.resolution_m / 2
    return grid.to_lonlat(box(x - half, y - half, x + half, y + half))


def plans(workspace: Workspace, *, seed: int) -> tuple[InjectedPlan, ...]:
    """Return each site and series with enough scenes: once as it is, and once with a roof of each size.

    Raises:
        InputError: No site has enough scenes.
    """
    archive = workspace.archive()
    index = SceneIndex(archive.scenes())
    found = [
        (site.id, lattice.series)
        for site in workspace.catalogue()
        if site.is_watched
        for lattice in lattices(site, archive, index, until=datetime.now(UTC))
        if len(lattice.scenes) >= MIN_SCENES
    ]
    if not found:
        raise InputError(
            f"no site of {workspace.root} has {MIN_SCENES} scenes of one series",
            hint="Add images with: sitewatch archive add, or evaluate simulated data",
        )
    return tuple(
        InjectedPlan(str(workspace.root), site_id, series, side, seed, number)
        for site_id, series in found
        for number, side in enumerate((None, *SIDES_PX))
    )


def statement(workspace: Workspace) -> str:
    """Return what the data are: looks of a simulated workspace aren't real either."""
    simulated = any(scene.simulated for scene in workspace.archive().scenes())
    return ALL_SIMULATED if simulated else STATEMENT


def settings(workspace: Workspace, *, seed: int) -> dict[str, Any]:
    """Return what the figures follow from, beside the archive, as JSON values."""
    return {
        "data": "injected",
        "workspace": workspace.root.name,
        "seed": seed,
        "sides_px": list(SIDES_PX),
        "contrast": max(ROOF_CONTRAST),
    }
