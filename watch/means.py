"""What the sites of a run are judged with, the same for all of them, and judging one of them with it.

All of it can be sent to another process, and judging touches no ledger: what it would write is returned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from imagery.local import LocalArchive
from imagery.scene_index import SceneIndex
from imagery.stack import Stacked, stacked_archive
from watch.book import Sheet
from watch.cause import short_cause
from watch.conduct import never
from watch.nulls import NO_NULLS, Nulls
from watch.watcher import open_watchers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from typing import Self

    from imagery.archive import Archive
    from imagery.errors import ArchiveError
    from sites.model import Site
    from watch.book import Book, Entry, Looked
    from watch.clock import Clock
    from watch.settings import LookSettings
    from watch.watcher import Watcher


@dataclass(frozen=True, slots=True)
class Means:
    """What every site of a run is judged with."""

    archive: Archive
    index: SceneIndex
    provider: LocalArchive | Stacked
    look: LookSettings
    keeps: bool
    """Whether what is read and learned is kept for the next run."""
    quiet: Nulls = NO_NULLS
    """The quiet scores that detections are set beside."""

    @classmethod
    def of(cls, archive: Archive, look: LookSettings, *, keeps: bool, quiet: Nulls = NO_NULLS) -> Self:
        """Read which scenes there are."""
        index = SceneIndex(archive.scenes())
        provider = stacked_archive(archive, index=index) if keeps else LocalArchive(archive, index=index)
        return cls(archive, index, provider, look, keeps, quiet)

    @property
    def stack_trouble(self) -> ArchiveError | None:
        """Why chips could not be kept."""
        return self.provider.trouble if isinstance(self.provider, Stacked) else None

    def watchers(self, site: Site, book: Book, *, until: datetime) -> tuple[Watcher, ...]:
        """Return the watchers of a site, by series; see `open_watchers`."""
        return open_watchers(
            site,
            self.archive,
            self.index,
            book,
            provider=self.provider,
            settings=self.look,
            until=until,
            keeps_states=self.keeps,
            nulls=self.quiet.of,
        )


@dataclass(frozen=True, slots=True)
class Task:
    """A site to be judged, with all there is to know of it."""

    site: Site
    known: tuple[Looked, ...]
    """Its looks in the ledger, of all lattices."""
    until: datetime
    """Later scenes are left alone."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What judging a site came to."""

    entries: tuple[Entry, ...] = ()
    """What is to be written; with a failure, what there was until then."""
    failure: str = ""
    left: str = ""
    """Why it was not brought to its end."""
    took_s: float = 0.0
    stack_trouble: ArchiveError | None = None
    state_trouble: ArchiveError | None = None


def judge(means: Means, task: Task, *, clock: Clock, halt: Callable[[], str] = never) -> Judged:
    """Judge what is pending of a site.

    Args:
        means: What it is judged with.
        task: The site.
        clock: Tells how long it took.
        halt: Asked before the first and after every look: a reason ends it there.
    """
    sheet, began_s = Sheet(task.known), clock.elapsed_s()
    failure = left = ""
    watchers: tuple[Watcher, ...] = ()
    try:
        left = halt()
        if not left:
            watchers = means.watchers(task.site, sheet, until=task.until)
            left = _judge_pending(watchers, clock, halt)
    except Exception as error:  # noqa: BLE001 - whatever one site meets, the others are looked at
        failure = short_cause(error)
    trouble = next((each.state_trouble for each in watchers if each.state_trouble), None)
    took_s = clock.elapsed_s() - began_s
    return Judged(sheet.entries, failure, left, took_s, means.stack_trouble, trouble)


def _judge_pending(watchers: Sequence[Watcher], clock: Clock, halt: Callable[[], str]) -> str:
    """Judge all that is pending; return why that was left off, if it was."""
    for watcher in watchers:
        for _ in watcher.judge_pending(run_id="", clock=clock.now):
            reason = halt()
            if reason:
                return reason
    return ""
