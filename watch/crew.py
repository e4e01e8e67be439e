"""Those who judge sites side by side: processes of this machine, each with a pipe of its own.

A site costs what happens to it. A worker that is killed takes the site that it was at with it; the site
that waited behind it and the next ones go to the worker that takes its place.
"""

from __future__ import annotations

import os
import signal
from collections import deque
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import wait
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, Protocol, Self

from watch.clock import SystemClock
from watch.errors import WorkerError
from watch.means import Judged, judge

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess
    from types import TracebackType

    from watch.conduct import Conduct
    from watch.means import Means, Task

QUEUED = 2
"""Tasks that a worker holds: one that it is at, and one so that it need not wait for the next."""

POLL_S = 0.25
"""How long a crew may keep its caller from asking whether the run is to end."""

_STARTS = 3
"""Workers that may end before they are ready, one after the other."""

_GRACE_S = 5.0
_ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
_STOP = "stop"
_READY = "ready"


class Crew(Protocol):
    """Judges the sites that it is given; a context that nobody is left working after."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let everybody go."""

    @property
    def has_room(self) -> bool:
        """Whether one more site would be begun without waiting for long."""

    @property
    def ahead(self) -> int:
        """How many sites at most may be begun and not yet written."""

    def begin(self, number: int, task: Task) -> None:
        """Take a site, known by a number."""

    def done(self) -> list[tuple[int, Judged]]:
        """Return the sites that are done, waiting `POLL_S` at most for one.

        Raises:
            WorkerError: There is nobody to judge them.
        """

    def stop(self, reason: str) -> None:
        """Let everybody end after the look that they are at."""


def crew_of(means: Means, conduct: Conduct) -> Crew | None:
    """Return who judges the sites of a run; None where the run itself does.

    Raises:
        WorkerError: A cluster is named, and what speaks with it is not installed.
    """
    if not conduct.cluster:
        return Processes(means, conduct.workers) if conduct.workers > 1 else None
    try:
        from watch.cluster import Cluster  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as error:
        hint = "Install it with: pip install 'sitewatch[cluster]'"
        raise WorkerError("Dask distributed is not installed", hint=hint) from error
    return Cluster(means, conduct.cluster)


@dataclass(slots=True)
class _Worker:
    process: BaseProcess
    pipe: Connection
    is_ready: bool = False
    tasks: deque[tuple[int, Task]] = field(default_factory=deque)
    """Given to it, and not back yet."""


class Processes:
    """A `Crew` of processes of this machine, started when there is something to do."""

    def __init__(self, means: Means, workers: int) -> None:
        """Start nobody yet."""
        self._means = means
        self._size = workers
        self._workers: list[_Worker] = []
        self._unready_ends = 0
        self._reason = ""

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let idle workers go, and end those that are at something."""
        for worker in self._workers:
            worker.pipe.close()
            if worker.tasks:
                worker.process.kill()
        for worker in self._workers:
            worker.process.join(_GRACE_S)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.process.close()
        self._workers = []

    @property
    def pids(self) -> tuple[int, ...]:
        """The processes at work."""
        return tuple(worker.process.pid or 0 for worker in self._workers)

    @property
    def has_room(self) -> bool:
        """Whether a worker may be started or has not got its fill."""
        return len(self._workers) < self._size or min(len(each.tasks) for each in self._workers) < QUEUED

    @property
    def ahead(self) -> int:
        """So many that a site which takes eight times as long as others holds nobody up."""
        return 8 * QUEUED * self._size

    def begin(self, number: int, task: Task) -> None:
        """Give a site to the worker that has the fewest, or to a new one."""
        idle = next((worker for worker in self._workers if not worker.tasks), None)
        if idle is None and len(self._workers) < self._size:
            idle = self._start()
        self._give(idle or min(self._workers, key=lambda worker: len(worker.tasks)), number, task)

    def done(self) -> list[tuple[int, Judged]]:
        """Return the sites that are done; see `Crew`."""
        by_pipe = {worker.pipe: worker for worker in self._workers}
        if not any(worker.tasks for worker in self._workers):
            return []
        found: list[tuple[int, Judged]] = []
        for pipe in wait(list(by_pipe), POLL_S):
            worker = by_pipe[pipe]  # type: ignore[index]  # only pipes are waited for
            try:
                said = worker.pipe.recv()
            except (EOFError, OSError):
                found += self._buried(worker)
                continue
            if said == _READY:
                worker.is_ready, self._unready_ends = True, 0
            else:
                number, _ = worker.tasks.popleft()
                found.append((number, said))
        return found

    def stop(self, reason: str) -> None:
        """Tell everybody."""
        if not self._reason:
            self._reason = reason
            for worker in self._workers:
                with suppress(OSError):
                    worker.pipe.send((_STOP, reason))

    def _start(self) -> _Worker:
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_serve, args=(theirs,), daemon=True)
        with _one_thread():
            process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._workers.append(worker)
        # Not as an argument: whoever starts a process that is killed before it reads those waits for ever.
        with suppress(OSError):
            ours.send(self._means)
        return worker

    def _give(self, worker: _Worker, number: int, task: Task) -> None:
        worker.tasks.append((number, task))
        # A worker that has ended is found out, and its tasks given to another, when it is listened to.
        with suppress(OSError):
            worker.pipe.send(task)

    def _buried(self, worker: _Worker) -> list[tuple[int, Judged]]:
        """Return what a worker's end costs, and let another one do the rest."""
        worker.pipe.close()
        worker.process.join()
        ended = _how_it_ended(worker.process.exitcode)
        worker.process.close()
        self._workers.remove(worker)
        lost: list[tuple[int, Judged]] = []
        if worker.is_ready and worker.tasks:
            number, _ = worker.tasks.popleft()
            lost.append((number, Judged(failure=f"the worker that judged it {ended}")))
        elif not worker.is_ready:
            self._unready_ends += 1
            if self._unready_ends == _STARTS:
                hint = "A script that calls run must do so below `if __name__ == '__main__':`"
                raise WorkerError(f"no worker can be started: the last one {ended}", hint=hint)
        if self._reason:
            return lost + [(number, Judged(left=self._reason)) for number, _ in worker.tasks]
        if worker.tasks:
            heir = self._start()
            for number, task in worker.tasks:
                self._give(heir, number, task)
        return lost


def _how_it_ended(code: int | None) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return f"was killed ({name}{'; memory may have run out' if name == 'SIGKILL' else ''})"
    return f"ended by itself (exit code {code})"


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let processes that are started meanwhile compute on one core each."""
    former = {name: os.environ.get(name) for name in _ONE_THREAD}
    os.environ.update(dict.fromkeys(_ONE_THREAD, "1"))
    try:
        yield
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: Connection) -> None:
    """Be a worker: judge what comes until nobody sends any more."""
    # Whoever started the run decides when it ends; a terminal tells the whole group.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    clock = SystemClock()
    with suppress(OSError, EOFError):
        means: Means = pipe.recv()
        inbox = _Inbox(pipe)
        pipe.send(_READY)
        while (task := inbox.task()) is not None:
            pipe.send(judge(means, task, clock=clock, halt=inbox.halt))


class _Inbox:
    """What a worker is told; always listened to, so that neither side waits to be heard by the other."""

    def __init__(self, pipe: Connection) -> None:
        """Begin to listen."""
        self._pipe = pipe
        self._tasks: SimpleQueue[Task | None] = SimpleQueue()
        self._reason = ""
        Thread(target=self._listen, daemon=True).start()

    def task(self) -> Task | None:
        """Return the next task, waiting for it; None when there will be none."""
        return self._tasks.get()

    def halt(self) -> str:
        """Return why to end: somebody said so, or nobody is there any more."""
        return self._reason

    def _listen(self) -> None:
        try:
            while True:
                said: Any = self._pipe.recv()
                if isinstance(said, tuple):
                    self._reason = said[1]
                else:
                    self._tasks.put(said)
        except (EOFError, OSError):
            pass
        finally:
            self._reason = self._reason or "the run has ended"
            self._tasks.put(None)


if TYPE_CHECKING:

    def conforms(processes: Processes) -> Crew:
        """Processes are a crew."""
        return processes
