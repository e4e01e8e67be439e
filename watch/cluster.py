"""Those who judge sites side by side: the workers of a Dask cluster.

They read the archive themselves, so it has to lie on a file system that all of them share; a file that is
written there as the run begins has to be read by each. Nobody but the run writes the ledger.
"""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import TYPE_CHECKING, Any, Self

import distributed

from imagery.change.card import METHOD
from imagery.stack import RECIPE
from watch.cause import short_cause
from watch.clock import SystemClock
from watch.crew import POLL_S, QUEUED
from watch.errors import WorkerError
from watch.means import Judged, Means, Task, judge

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from watch.crew import Crew

CONNECT_TIMEOUT_S = 30
ASK_AFTER_S = 60.0
"""So long nothing may be heard before a scheduler is asked whether it is there."""
PROBE = ".shared-by-the-cluster"
"""A file of the archive's folder, there while a cluster judges."""

_PROBE_BYTES = 32
_FAREWELL_S = 3


@dataclass(frozen=True, slots=True)
class Ground:
    """What a worker must have in common with the run."""

    probe: Path
    digest: str
    """Of the probe's content."""
    method: str = METHOD
    recipe: int = RECIPE

    def lacking(self) -> str:
        """Return what this process lacks; empty when it may judge."""
        if (self.method, self.recipe) != (METHOD, RECIPE):
            return f"has another version of sitewatch (method {METHOD}, recipe {RECIPE})"
        with suppress(OSError):
            if hashlib.sha256(self.probe.read_bytes()).hexdigest() == self.digest:
                return ""
        return f"can't read the archive of the run ({self.probe.parent})"


class Cluster:
    """A `Crew` of the workers behind a scheduler's address, asked when there is something to do."""

    def __init__(self, means: Means, address: str) -> None:
        """Ask nobody yet."""
        self._means = means
        self._address = address
        self._client: distributed.Client | None = None
        self._probe = means.archive.root / PROBE
        self._size = 1
        self._at: dict[int, Any] = {}
        self._ready: SimpleQueue[int] = SimpleQueue()
        self._given: tuple[Any, Ground, str] | None = None
        self._halting: distributed.Variable | None = None
        self._reason = ""
        self._heard_s = 0.0
        self._is_lost = False

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let those who are at something end it at the next look, and leave."""
        if self._client is not None:
            with suppress(Exception):  # a scheduler that is gone can't be told
                if self._at and not self._is_lost:
                    self.stop("the run has ended")
                    self._client.cancel(list(self._at.values()))
            with suppress(Exception):  # nor does it answer a farewell
                self._client.close(timeout=_FAREWELL_S)
            self._client = self._halting = None
        self._probe.unlink(missing_ok=True)

    @property
    def has_room(self) -> bool:
        """Whether somebody has not got its fill."""
        return len(self._at) < QUEUED * self._size

    @property
    def ahead(self) -> int:
        """So many that a site which takes eight times as long as others holds nobody up."""
        return 8 * QUEUED * self._size

    def begin(self, number: int, task: Task) -> None:
        """Give a site to the cluster.

        Raises:
            WorkerError: There is no cluster, or its workers can't judge.
        """
        client = self._client or self._connected()
        self._require_connection(client)
        future = client.submit(_judged, *(self._given or ()), task, pure=False)
        self._at[number] = future
        future.add_done_callback(lambda _: self._ready.put(number))

    def done(self) -> list[tuple[int, Judged]]:
        """Return the sites that are done; see `Crew`."""
        if not self._at:
            return []
        found: list[tuple[int, Judged]] = []
        with suppress(Empty):
            found.append(self._result(self._ready.get(timeout=POLL_S)))
            while True:
                found.append(self._result(self._ready.get_nowait()))
        if self._client is not None:
            self._require_connection(self._client)
            if found:
                self._heard_s = monotonic()
            else:
                self._require_answer(self._client)
        return found

    def _require_connection(self, client: distributed.Client) -> None:
        if client.status != "running":
            self._is_lost = True
            raise WorkerError(f"the scheduler at {self._address} is gone", hint="Start it, and run again")

    def _require_answer(self, client: distributed.Client) -> None:
        """Ask a scheduler of which nothing was heard for long; one that was halted keeps its connections."""
        if monotonic() - self._heard_s < ASK_AFTER_S:
            return
        try:
            ask = client.scheduler.identity  # type: ignore[union-attr]  # there is one while it is connected
            client.sync(ask, callback_timeout=CONNECT_TIMEOUT_S)
        except (TimeoutError, OSError) as error:
            self._is_lost = True
            problem = f"the scheduler at {self._address} does not answer any more"
            raise WorkerError(problem, hint="Start it anew, and run again") from error
        self._heard_s = monotonic()

    def stop(self, reason: str) -> None:
        """Let everybody end after the look that they are at."""
        if self._halting is not None and not self._reason:
            self._reason = reason
            with suppress(TimeoutError, OSError):  # a scheduler that does not answer is found out by `done`
                self._halting.set(reason, callback_timeout=CONNECT_TIMEOUT_S)

    def _result(self, number: int) -> tuple[int, Judged]:
        future = self._at.pop(number)
        if future.status == "finished":
            return number, future.result()
        if future.status == "error":
            return number, Judged(failure=short_cause(future.exception()))
        return number, Judged(failure=f"the cluster lost it ({future.status})")

    def _connected(self) -> distributed.Client:
        try:
            client = distributed.Client(self._address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            problem = f"no scheduler answers at {self._address!r}: {short_cause(error)}"
            raise WorkerError(problem, hint="Name it like tcp://HOST:8786") from error
        self._client = client
        try:
            client.wait_for_workers(1, timeout=CONNECT_TIMEOUT_S)
        except TimeoutError as error:
            raise WorkerError(f"the scheduler at {self._address} has no workers") from error
        content = secrets.token_bytes(_PROBE_BYTES)
        self._probe.write_bytes(content)
        ground = Ground(self._probe, hashlib.sha256(content).hexdigest())
        self._refuse_unfit(client, ground)
        self._size = len(client.nthreads())
        (means,) = client.scatter([self._means], broadcast=True, hash=False)
        name = f"sitewatch-{secrets.token_hex(8)}"
        self._halting = distributed.Variable(name, client=client)
        self._halting.set("")
        self._given = (means, ground, name)
        self._heard_s = monotonic()
        return client

    def _refuse_unfit(self, client: distributed.Client, ground: Ground) -> None:
        for worker, threads in client.nthreads().items():
            if threads > 1:
                hint = "Start workers with --nthreads 1"
                raise WorkerError(f"the worker {worker} has {threads} threads", hint=hint)
        for worker, lacking in client.run(ground.lacking).items():
            if lacking:
                hint = "The archive must lie under the same path on a file system that all workers share"
                raise WorkerError(f"the worker {worker} {lacking}", hint=hint)


def _judged(means: Means, ground: Ground, halting: str, task: Task) -> Judged:
    """Judge a site, on a worker; a worker may have come after the others were asked."""
    lacking = ground.lacking()
    if lacking:
        return Judged(failure=f"the worker that was to judge it {lacking}")
    asked = distributed.Variable(halting)
    return judge(means, task, clock=SystemClock(), halt=lambda: str(asked.get(timeout=CONNECT_TIMEOUT_S)))


if TYPE_CHECKING:

    def conforms(cluster: Cluster) -> Crew:
        """A cluster is a crew."""
        return cluster
