"""One site on one lattice in one series: which days are to be judged, and judging them in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from geo.errors import SitewatchError
from geo.grid import DEFAULT_CONTEXT_M
from imagery.change.card import METHOD
from imagery.change.spec import WatchSpec
from imagery.model import NO_MASK, Look, Outcome
from imagery.pins import grid_for, native_resolution_m
from imagery.provider import solar_days
from sites.watching import WatchMode, watching_mode
from watch.nulls import no_null

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import date, datetime
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from geo.grid import Grid
    from imagery.archive import Archive
    from imagery.change.null import Null
    from imagery.errors import ArchiveError
    from imagery.model import Chip, Scene
    from imagery.provider import Provider
    from imagery.scene_index import SceneIndex
    from sites.model import Site
    from watch.book import Book, Looked
    from watch.course import Course
    from watch.nulls import NullFor
    from watch.settings import LookSettings

CLEAR_OUTCOMES = frozenset({Outcome.LEARNING, Outcome.UNCHANGED, Outcome.CHANGED})
"""Looks that were clear enough to be history for later ones."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """What a watcher looks at: a site's pixels in one series of comparable sensors."""

    grid: Grid
    area: BaseGeometry
    """The ground that is judged, ``lon, lat``."""
    series: str
    scenes: Mapping[date, tuple[Scene, ...]]
    """By solar day, in order of time."""


def lattices(site: Site, archive: Archive, index: SceneIndex, *, until: datetime) -> list[Lattice]:
    """Return the lattices on which a site has scenes that can be judged, acquired up to `until`, by series.

    Radar is not among them (`watch.unjudged` says so), nor does it lay a lattice: it has no source pixels.
    """
    area, point = site.area, site.point
    if area is None or point is None:
        return []
    covering = [scene for scene in index.covering(area, until=until) if scene.quantity.is_optical]
    days: dict[str, dict[date, tuple[Scene, ...]]] = {}
    for (day, series), scenes in solar_days(covering, point.x).items():
        days.setdefault(series, {})[day] = scenes
    found = []
    for series, by_day in sorted(days.items()):
        first = next(iter(by_day.values()))[0]
        grid = grid_for(
            archive,
            site.id,
            area,
            resolution_m=native_resolution_m(first),
            context_m=site.watch.context_m or DEFAULT_CONTEXT_M,
            scenes=covering,
        )
        found.append(Lattice(replace(grid, former_id=site.first_id), area, series, by_day))
    return found


def watch_spec(site: Site, lattice: Lattice, settings: LookSettings) -> WatchSpec:
    """Return the rules by which a site's looks on a lattice are judged."""
    return WatchSpec(
        weights=lattice.grid.weights(lattice.area),
        pixel_area_m2=lattice.grid.resolution_m**2,
        is_listed=is_listed(site, lattice),
        min_area_m2=site.watch.min_area_m2 or 0.0,
        season_half_width_days=settings.season_half_width_days,
        min_history=settings.min_history,
        max_history=settings.max_history,
        min_clear_footprint=settings.min_clear_footprint,
        min_clear_frame=settings.min_clear_frame,
    )


LISTED_MAX_PX = 64.0
"""A drawn outline larger than this many pixels is ground on which things stand, and is searched."""


def is_listed(site: Site, lattice: Lattice) -> bool:
    """Whether the outline that was drawn is itself what may change: a building, a yard."""
    drawn = watching_mode(site) is WatchMode.FOOTPRINT and lattice.area == (site.footprint or site.geometry)
    return drawn and float(lattice.grid.weights(lattice.area).sum()) <= LISTED_MAX_PX


class Watcher:
    """Judges the days of one lattice that have not been judged, oldest first.

    A day is judged anew when its scenes are not those that the ledger names, or when another method judged
    it, and so is every day after it: what is in the ledger never depends on the order in which scenes
    arrived. What earlier days taught is taken up from the state that the last run left; where there is none
    that fits, it is learned anew from their chips, which gives the same.
    """

    def __init__(
        self,
        site: Site,
        lattice: Lattice,
        ledger: Book,
        *,
        provider: Provider,
        spec: Callable[[], WatchSpec],
        states: Path | None = None,
        null: Null | None = None,
    ) -> None:
        """Compare the lattice's days with the ledger's looks.

        Args:
            site: That is watched.
            lattice: Of the site.
            ledger: Of the looks so far.
            provider: Of the chips.
            spec: Returns footprint and rules, once there is something to judge.
            states: The archive's root, below which states are kept between runs; None: nowhere.
            null: Quiet scores of its sensor.
        """
        self._site = site
        self._lattice = lattice
        self._ledger = ledger
        self._provider = provider
        self._spec = spec
        self._null = null
        known = ledger.looked(site.id, grid_id=lattice.grid.grid_id, series=lattice.series)
        first = self._first_stale({look.solar_day: look for look in known})
        self._todo = [] if first is None else [day for day in lattice.scenes if day >= first]
        again = set(self._todo)
        self._stale = [look.solar_day for look in known if look.solar_day in again]
        self._shown = [
            look.solar_day
            for look in known
            # A look may outlive its scenes, where an archive was pruned or not restored: it stays true.
            if look.solar_day not in again
            and look.solar_day in lattice.scenes
            and look.outcome is not Outcome.FAILED
        ]
        self._states = states
        self.state_trouble: ArchiveError | None = None
        """Why what was learned could not be kept."""

    @property
    def days(self) -> tuple[date, ...]:
        """Solar days on which there are scenes, oldest first."""
        return tuple(self._lattice.scenes)

    @property
    def pending(self) -> int:
        """How many looks are to be made."""
        return len(self._todo)

    def unmasked_scene_ids(self) -> list[str]:
        """Return the scenes to be judged that have no cloud mask."""
        todo = (scene for day in self._todo for scene in self._lattice.scenes[day])
        return [scene.id for scene in todo if scene.mask_scheme == NO_MASK]

    def judge_pending(self, *, run_id: str, clock: Callable[[], datetime]) -> Iterator[Look]:
        """Judge the pending days in order; each is in the ledger, with what follows from it, when yielded."""
        site_id, grid_id, series = self._site.id, self._lattice.grid.grid_id, self._lattice.series
        if self._stale:
            with self._ledger.transaction() as transaction:
                transaction.drop_looks(site_id, grid_id, series, self._stale)
        if not self._todo:
            return
        from watch.course import Course  # noqa: PLC0415 - what judges is not loaded where nothing is judged

        course = Course(
            self._spec(),
            self._lattice.grid,
            series,
            self._lattice.scenes,
            self._read,
            self._states,
            self._null,
        )
        course.begin(self._shown)
        for day in self._todo:
            look = self._judged(course, day)
            with self._ledger.transaction() as transaction:
                transaction.add_look(look, run_id=run_id, judged_at=clock())
                found = course.report()
                transaction.set_detections(site_id, grid_id, series, found, run_id=run_id, day=day)
            try:
                yield look
            except GeneratorExit:
                self._keep(course)  # the run ends here, and the next one goes on from here
                raise
        self._keep(course)

    def _keep(self, course: Course) -> None:
        course.save()
        self.state_trouble = course.trouble

    def _judged(self, course: Course, day: date) -> Look:
        if course.lost is not None:
            return self._failed(day, course.lost)
        try:
            return course.judge(day)
        except SitewatchError as error:
            return self._failed(day, error)

    def _read(self, day: date) -> Chip:
        return self._provider.read(self._lattice.grid, self._lattice.scenes[day])

    def _first_stale(self, known: Mapping[date, Looked]) -> date | None:
        for day, scenes in self._lattice.scenes.items():
            look = known.get(day)
            if look is None or look.scene_ids != tuple(scene.id for scene in scenes):
                return day
            if look.outcome is Outcome.FAILED:
                if self._can_read(day):
                    return day
            elif look.method != METHOD:
                return day
        return None

    def _can_read(self, day: date) -> bool:
        try:
            self._read(day)
        except SitewatchError:
            return False
        return True

    def _failed(self, day: date, error: SitewatchError) -> Look:
        scenes = self._lattice.scenes[day]
        return Look(
            site_id=self._site.id,
            grid_id=self._lattice.grid.grid_id,
            solar_day=day,
            series=self._lattice.series,
            platform=scenes[0].platform,
            scene_ids=tuple(scene.id for scene in scenes),
            acquired=scenes[0].acquired,
            day_only=scenes[0].day_only,
            outcome=Outcome.FAILED,
            reason=str(error),
            clear_fraction=0.0,
            frame_clear_fraction=0.0,
            mask_scheme=scenes[0].mask_scheme,
            history=0,
            score=None,
            threshold=None,
            simulated=any(scene.simulated for scene in scenes),
        )


def open_watchers(  # noqa: PLR0913 - what a run has at hand, each thing by its name
    site: Site,
    archive: Archive,
    index: SceneIndex,
    ledger: Book,
    *,
    provider: Provider,
    settings: LookSettings,
    until: datetime,
    keeps_states: bool = True,
    nulls: NullFor = no_null,
) -> tuple[Watcher, ...]:
    """Return the watchers of a site, by series; `nulls` gives the null of a series at a resolution."""
    states = archive.root if keeps_states else None
    return tuple(
        Watcher(
            site,
            lattice,
            ledger,
            provider=provider,
            spec=partial(watch_spec, site, lattice, settings),
            states=states,
            null=nulls(lattice.series, lattice.grid.resolution_m),
        )
        for lattice in lattices(site, archive, index, until=until)
    )
