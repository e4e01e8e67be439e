"""Runs of the simulated year, each a process of its own, and what becomes of such processes.

A process is forked from one that has loaded everything: what is killed is a whole run with its locks, its
ledger and its connections, without the seconds that an interpreter takes to start.
"""

from __future__ import annotations

import os
import resource
import signal
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from year_ground import ACCOUNT, DISTANT

from geo.errors import SitewatchError
from imagery.sentinelhub.exchange import Limits
from imagery.sentinelhub.patience import Patience
from watch.attended import attended
from watch.conduct import Conduct
from watch.connection import connected
from watch.fresh import run_fresh
from watch.publish import publish
from watch.workspace import Workspace

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from imagery.assembly import PlannedScene
    from watch.run_report import RunReport

ENVIRONMENT = {"SITEWATCH_SH_CLIENT_ID": ACCOUNT.id, "SITEWATCH_SH_CLIENT_SECRET": ACCOUNT.secret}
STRANGER, LODGER = 65533, 65534
"""Users who own nothing of a workspace, and all of it but the archive."""
LOOK_EVERY_S = 0.004
HANGS_AFTER_S = 900.0

PATIENT = (Patience(total_s=120.0), Limits(timeout_s=60.0))
HASTY = (
    Patience(total_s=5.0, attempts=3, first_wait_s=0.01, longest_wait_s=0.05),
    Limits(timeout_s=1.0),
)


@dataclass(frozen=True, slots=True)
class VirtualClock:
    """A clock that was set to an instant as its process began."""

    begins: datetime
    began_s: float

    @classmethod
    def at(cls, instant: datetime) -> VirtualClock:
        """Set a clock."""
        return cls(instant, time.monotonic())

    def now(self) -> datetime:
        """Return the virtual present."""
        return self.begins + timedelta(seconds=self.elapsed_s())

    def elapsed_s(self) -> float:
        """Return real seconds."""
        return time.monotonic() - self.began_s

    def wait(self, seconds: float) -> None:
        """Nothing here waits."""
        raise AssertionError(seconds)


@dataclass(frozen=True, slots=True)
class Act:
    """What a process does."""

    root: Path
    now: datetime
    workers: int = 1
    manners: tuple[Patience, Limits] = HASTY

    def run(self) -> int:
        """Make two unattended runs, over what is pulled and over the rest; return the worse exit code."""
        workspace, patience, limits = Workspace.open(self.root), *self.manners
        ids = [site.id for site in workspace.catalogue()]
        pulled = [site_id for site_id in ids if site_id.startswith(DISTANT)]

        def look(sites: Sequence[str], conduct: Conduct) -> RunReport:
            return workspace.run(sites, now=self.now, due_only=True, conduct=conduct)

        def pull(conduct: Conduct) -> RunReport:
            with connected(workspace, ENVIRONMENT, patience=patience, limits=limits) as connection:
                return run_fresh(workspace, pulled, connection, now=self.now, conduct=conduct, look=look)

        rest = [site_id for site_id in ids if site_id not in pulled]
        conduct = Conduct(clock=VirtualClock.at(self.now), workers=self.workers)
        reports = [attended(self.root, conduct, do) for do in (pull, partial(look, rest))]
        wrong = [problem for report in reports for problem in report.wrong]
        if wrong and self.manners is PATIENT:
            raise SystemExit("\n".join(wrong[:5]))
        return max(report.exit_code for report in reports)

    def add(self, scenes: Sequence[PlannedScene]) -> int:
        """Add what came down to the archive."""
        Workspace.open(self.root).archive().add(scenes)
        return 0

    def publish(self, out: Path) -> int:
        """Write the pages."""
        return 3 if publish(Workspace.open(self.root), out, now=self.now).missing else 0

    def at(self, now: datetime) -> Act:
        """Return the same at another time."""
        return replace(self, now=now)


def forked(do: Callable[[], int], prepare: Callable[[], object] | None = None) -> int:
    """Start a process that does something; return its id."""
    child = os.fork()
    if child:
        return child
    code = 70
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        if prepare is not None:
            prepare()
        code = do()
    except (SitewatchError, OSError) as error:
        code = getattr(error, "exit_code", 1)
    finally:
        os._exit(code)


def ended(child: int) -> str:
    """Wait for a process; return how it ended. One that does not end is a fault of what is tried here."""
    how = killed_after(child, HANGS_AFTER_S)
    if how == "killed":
        raise SystemExit(f"process {child} hung")
    return how


def killed_after(child: int, seconds: float) -> str:
    """Kill a process (SIGKILL) after so long unless it has ended; return how it ended."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return _words(status)
        time.sleep(min(LOOK_EVERY_S, max(0.0, until - time.monotonic())))
    os.kill(child, signal.SIGKILL)
    return _words(os.waitpid(child, 0)[1])


def bereft_after(child: int, seconds: float, rng: random.Random) -> str:
    """Kill one of the processes that a process started after so long; return how it ended itself."""
    until = time.monotonic() + seconds
    while time.monotonic() < until or not _children(child):
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return _words(status)
        time.sleep(LOOK_EVERY_S)
    with suppress(ProcessLookupError):
        os.kill(rng.choice(_children(child)), signal.SIGKILL)
    return ended(child)


def _children(process: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
    except FileNotFoundError:
        return []


def _words(status: int) -> str:
    return "killed" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}"


def with_disk_of(limit: int) -> Callable[[], object]:
    """Return what makes every file that grows beyond `limit` bytes fail as on a full disk."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def as_stranger(root: Path) -> Callable[[], object]:
    """Return what makes a whole workspace read-only for a process."""
    return partial(_become, STRANGER, root)


def as_lodger(root: Path) -> Callable[[], object]:
    """Return what makes the archive of a workspace read-only for a process."""
    for path in (root, *(each for each in root.iterdir() if each.is_file())):
        os.chown(path, LODGER, LODGER)
    return partial(_become, LODGER, root)


def _become(user: int, root: Path) -> None:
    os.environ["HOME"] = str(root.parent)  # root's own can't be read by others
    os.setresuid(user, user, user)


def own_again(root: Path) -> None:
    """Take back what was lent to the lodger."""
    for path in (root, *(each for each in root.iterdir() if each.is_file())):
        os.chown(path, os.getuid(), os.getgid())
