"""What a new date of a site costs from the archive to the ledger, by stage, and how that grows.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/path.py [--px 256] [--at 50,200] [--dates N]

One simulated site, six bands, all weather. All dates up to a length of history go into one run; then each
further date is a run of its own, as a timer would make it, refits and states included. CPU milliseconds of
this process, one thread; stages are exclusive of one another.
"""

from __future__ import annotations

import argparse
import functools
import resource
import tempfile
import time
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imagery.change.beginning
import imagery.change.prepare
import imagery.change.sitejudge
import imagery.local
from geo.dates import parse_span
from imagery.change.memory import Remembered
from imagery.change.sitejudge import SiteJudge
from imagery.change.statestore import FolderShelf, StateStore
from imagery.local import LocalArchive
from imagery.stack import STACKS_FOLDER, STATES_FOLDER, Stacked
from watch.course import Course
from watch.simulation import Planted, simulate_workspace
from watch.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

STAGES = (
    "read",
    "mask",
    "align",
    "normalise",
    "decide",
    "fit",
    "history again",
    "state",
    "around",
)


class Stages:
    """CPU time by stage, each without what runs inside it."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = time.process_time()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what follows to a stage."""
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def _turn(self) -> None:
        now = time.process_time()
        if self._open:
            self.spent[self._open[-1]] += now - self._since
        self._since = now

    def watch(self, owner: Any, name: str, stage: str) -> None:  # noqa: ANN401 - a module or a class
        """Count every call of something to a stage."""
        work: Callable[..., Any] = getattr(owner, name)

        @functools.wraps(work)
        def timed(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - handed on
            with self.stage(stage):
                return work(*arguments, **named)

        setattr(owner, name, timed)

    def taken(self) -> dict[str, float]:
        """Return what was spent since the last time, seconds."""
        found, self.spent = self.spent, defaultdict(float)
        return found


def watched() -> Stages:
    """Return the stages, counting from now on."""
    stages = Stages()
    stages.watch(Stacked, "read", "read")
    stages.watch(LocalArchive, "read", "read")
    stages.watch(imagery.local, "clear_pixels", "mask")
    stages.watch(imagery.local, "read_classes", "mask")
    for module in (imagery.change.prepare, imagery.change.beginning):
        stages.watch(module, "aligned", "align")
        stages.watch(module, "on_scale", "normalise")
    stages.watch(SiteJudge, "_refit", "fit")
    stages.watch(SiteJudge, "monitor", "decide")
    stages.watch(Remembered, "look", "history again")
    stages.watch(Course, "save", "state")
    stages.watch(StateStore, "resume", "state")
    stages.watch(FolderShelf, "get", "state")
    return stages


def row(name: str, spent: dict[str, float], dates: int) -> str:
    """Return one row: milliseconds a date by stage, and their sum."""
    each = [1000 * spent.get(stage, 0.0) / dates for stage in STAGES]
    return f"| {name} | {' | '.join(f'{one:.1f}' for one in each)} | {sum(each):.1f} |"


def run(workspace: Workspace, stages: Stages, now: datetime) -> int:
    """Run up to an instant; return how many looks were clear."""
    with stages.stage("around"):
        report = workspace.run(now=now)
    return sum(count for outcome, count in report.looks.items() if outcome not in {"Obscured", "Failed"})


def size_mb(folder: Path) -> float:
    """Return what the files below a folder hold."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def measured(px: int, lengths: list[int], dates: int) -> None:
    """Print the rows of one frame size."""
    with tempfile.TemporaryDirectory() as name:
        span = parse_span("2021-01-01/2024-06-30")
        simulated = simulate_workspace(
            Path(name) / "w", span, sites=1, seed=3, planted=Planted.NONE, frame_px=px + 4
        )
        workspace = Workspace.open(simulated.workspace.root)
        moments = sorted(scene.acquired for scene in workspace.archive().scenes())
        stages = watched()
        run(workspace, stages, moments[1])  # loads code
        stages.taken()
        done = 2
        for length in lengths:
            clear = run(workspace, stages, moments[length - 1])
            print(
                row(
                    f"{px} px, one run of {length - done} dates ({clear} clear)",
                    stages.taken(),
                    length - done,
                )
            )
            clear = sum(run(workspace, stages, moments[length + number]) for number in range(dates))
            done = length + dates
            print(
                row(f"{px} px, a run a date after {length} ({clear} of {dates} clear)", stages.taken(), dates)
            )
        archive = workspace.archive().root
        states = size_mb(archive / STATES_FOLDER)
        print(f"\nStates {states:.1f} MB; stacks {size_mb(archive / STACKS_FOLDER):.1f} MB of {done} dates.")
        print(f"Peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB.\n")


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--px", type=int, default=256)
    arguments.add_argument("--at", default="50,100,200")
    arguments.add_argument("--dates", type=int, default=32)
    given = arguments.parse_args()
    print(f"| CPU ms a date | {' | '.join(STAGES)} | all |\n|---|{'---|' * (len(STAGES) + 1)}")
    measured(given.px, [int(each) for each in given.at.split(",")], given.dates)


if __name__ == "__main__":
    main()
