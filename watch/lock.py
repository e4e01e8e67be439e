"""One writer at a time: a lock that the kernel drops when its holder dies."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from watch.errors import WorkspaceBusyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_FILE = ".sitewatch.lock"


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """Hold the workspace's writer lock for the length of a block.

    Raises:
        WorkspaceBusyError: Another process holds it.
    """
    descriptor = os.open(root / LOCK_FILE, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.read(descriptor, 32).decode(errors="replace").strip()
            raise WorkspaceBusyError(
                f"another run is writing here (process {holder or 'unknown'})",
                hint="Wait until it ends",
            ) from error
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        os.close(descriptor)
