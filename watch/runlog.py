"""The log of a workspace's runs: one JSON object a line, and never more than a few megabytes.

    run.log     the present one; run.log.1 is the one before it, and so on

Every line has `at` (UTC), `event` and, where there is one, `run`. A line is written in one piece behind
what is there, so a crash costs the line that it cut off at most. Only whoever holds the workspace's writer
lock may call `rotate`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from watch.clock import Clock
    from watch.conduct import Log

LOG_FILE = "run.log"
RUN_BEGUN = "run begun"
"""The event with which a run begins, once it holds the lock."""
MAX_BYTES = 4 * 2**20
"""A log that has grown beyond this is put aside."""
KEPT = 4
"""How many that were put aside are kept."""


class RunLog:
    """Writes the log of one workspace."""

    def __init__(self, root: Path, clock: Clock, *, max_bytes: int = MAX_BYTES) -> None:
        """Write to `root`'s log, with the times of `clock`."""
        self._path = root / LOG_FILE
        self._clock = clock
        self._max_bytes = max_bytes

    def note(self, event: str, **facts: object) -> None:
        """Write a line.

        Raises:
            OSError: The disk is full, or the folder can't be written to.
        """
        if event == RUN_BEGUN:
            self.rotate()  # only what holds the lock says that
        at = self._clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        line = orjson.dumps(
            {"at": at, "event": event, **facts}, default=str, option=orjson.OPT_APPEND_NEWLINE
        )
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def rotate(self) -> None:
        """Put the log aside if it has grown too large; the oldest of those goes."""
        if not self._path.exists() or self._path.stat().st_size <= self._max_bytes:
            return
        names = [self._path, *(self._path.with_name(f"{LOG_FILE}.{number}") for number in range(1, KEPT + 1))]
        for older, newer in zip(reversed(names), list(reversed(names))[1:], strict=False):
            if newer.exists():
                newer.replace(older)


def read_log(root: Path) -> Iterator[dict[str, object]]:
    """Yield the events of the present log, oldest first; a line that a crash cut off is left out."""
    path = root / LOG_FILE
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            continue


if TYPE_CHECKING:

    def conforms(log: RunLog) -> Log:
        """Let the type checker prove that it is a log."""
        return log
