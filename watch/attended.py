"""A run that nobody watches: it writes the log and the health of its workspace."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from geo.errors import SitewatchError
from watch.cause import short_cause
from watch.errors import WorkspaceBusyError, WorkspaceError
from watch.health import Health, read_health, write_health
from watch.runlog import RUN_BEGUN, RunLog

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from watch.clock import Clock
    from watch.conduct import Conduct
    from watch.run_report import RunReport


def attended(root: Path, conduct: Conduct, make: Callable[[Conduct], RunReport]) -> RunReport:
    """Make a run, and write down that it began and how it ended, whatever happens.

    A run that is refused because another one is writing leaves that one's health alone.

    Args:
        root: The workspace.
        conduct: On what terms the run is made; its log is replaced by the workspace's.
        make: Makes the run on the terms it is given.
    """
    record = _Record(root, conduct.clock)
    try:
        report = make(replace(conduct, log=record))
    except WorkspaceBusyError as error:
        record.note("run refused", why=short_cause(error))
        raise
    except BaseException as error:
        code = error.exit_code if isinstance(error, SitewatchError) else 1
        # A full disk, mostly; then this can't be written either, and the error itself says so.
        with suppress(OSError):
            record.end(code, None, (short_cause(error),))
        raise
    record.end(report.exit_code, report.next_due, report.wrong)
    return report


class _Record:
    """A `Log` that also keeps the health."""

    def __init__(self, root: Path, clock: Clock) -> None:
        self._root = root
        self._clock = clock
        self._log = RunLog(root, clock)
        self._run = ""

    def note(self, event: str, **facts: object) -> None:
        if event == RUN_BEGUN:
            self._run = str(facts.get("run", ""))
            write_health(self._root, last_health(self._root).begun(self._clock.now()))
        self._log.note(event, **facts)

    def end(self, exit_code: int, next_due: datetime | None, wrong: tuple[str, ...]) -> None:
        health = last_health(self._root)
        now = self._clock.now()
        write_health(self._root, health.ended(now, exit_code, next_due=next_due, wrong=wrong))
        self._log.note("run ended", run=self._run, exit_code=exit_code, wrong=len(wrong))


def last_health(root: Path) -> Health:
    """Return a workspace's health; that of a new one where there is none or it can't be read."""
    try:
        return read_health(root) or Health()
    except WorkspaceError:
        return Health()
