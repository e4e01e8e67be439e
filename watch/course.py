"""The days of one lattice, shown to its judges in order, from where the last run stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geo.errors import SitewatchError
from imagery.change.lookkey import LookKey
from imagery.change.statestore import StateStore
from imagery.errors import ArchiveError, ImageError, StateError
from watch.judges import Judges, first_usable, settings_digest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from geo.grid import Grid
    from imagery.change.null import Null
    from imagery.change.spec import WatchSpec
    from imagery.model import Chip, Detection, Look, Scene


class Course:
    """What the days before taught is taken up from a state, or learned again from their chips.

    A state is used only when the looks in it are the first of those in the ledger, by name and content, and
    it is saved after them. So a run that was killed, a ledger that was put back and a scene that came late
    cost a replay and change nothing.
    """

    def __init__(
        self,
        spec: WatchSpec,
        grid: Grid,
        series: str,
        scenes: Mapping[date, tuple[Scene, ...]],
        read: Callable[[date], Chip],
        states: Path | None,
        null: Null | None = None,
    ) -> None:
        """Begin before the first day.

        Args:
            spec: Footprint and rules.
            grid: Of the chips.
            series: Of the chips.
            scenes: By day.
            read: Returns the chip of a day.
            states: The archive's root, below which states are kept; None: nowhere.
            null: Quiet scores of the sensor; what judges learn does not depend on them.
        """
        self._scenes, self._read = scenes, read
        self._new: Callable[[], Judges] = lambda: Judges(spec, grid, series, read, null)
        self._judges = self._new()
        self._past: list[date] = []
        self._since = 0
        self._report: tuple[Detection, ...] = ()
        self._store: StateStore | None = None
        self.lost: SitewatchError | None = None
        """Why nothing can be judged any more: a chip of the history can't be read."""
        self.trouble: ArchiveError | None = None
        """Why what was learned could not be kept."""
        if states is not None:
            try:
                self._store = StateStore(states, grid, series, settings=settings_digest(spec))
            except ImageError as error:
                self.trouble = ArchiveError(error.problem, where=error.where, hint=error.hint)

    def begin(self, days: Sequence[date]) -> None:
        """Know what the days that were judged before taught; `lost` says when that can't be."""
        if self._store is not None:
            snapshots = self._store.resume([self._key(day) for day in days])
            first_usable(self._judges, snapshots, self._store.shelf)
        self._since = self._judges.seen
        self._past = list(days[: self._since])
        try:
            for day in days[self._since :]:
                self._shown(day, self._read(day))
        except SitewatchError as error:
            self.lost = error
        self._report = self._judges.report()

    def judge(self, day: date) -> Look:
        """Judge one more day.

        Raises:
            SitewatchError: Its chip can't be read; or one of the history can't, then `lost` says so too.
        """
        chip = self._read(day)
        try:
            look = self._shown(day, chip)
        except SitewatchError as error:
            self.lost = error
            raise
        self._report = self._judges.report()
        return look

    def report(self) -> tuple[Detection, ...]:
        """Return the detections after the last look that was judged."""
        return self._report

    def save(self) -> None:
        """Keep what is known, once all looks are in the ledger; `trouble` says when that can't be."""
        if self._store is None or self.lost is not None:
            return
        shelf = self._store.shelf
        try:
            checkpoints = [known.snapshot(shelf) for known in self._judges.checkpoints]
            self._store.save(self._judges.known().snapshot(shelf), checkpoints, since=self._since)
        except ArchiveError as error:
            self.trouble = error

    def _key(self, day: date) -> LookKey:
        return LookKey.of_scenes(self._scenes[day])

    def _shown(self, day: date, chip: Chip) -> Look:
        try:
            look = self._judges.monitor(chip, self._key(day))
        except StateError:
            # A part of the state is gone or damaged: the looks are shown to new judges.
            self._judges, self._since = self._new(), 0
            for earlier in self._past:
                self._judges.monitor(self._read(earlier), self._key(earlier))
            look = self._judges.monitor(chip, self._key(day))
        self._past.append(day)
        return look
