"""One writer at a time: a lock that the kernel drops when its holder dies."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from watch.errors import WorkspaceBusyError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LOCK_FILE = ".sitewatch.lock"
NOTIFY_LOCK_FILE = ".notify.lock"
"""Of those who send word: a mail server that takes its time must not keep a run from writing."""


@contextmanager
def writing(root: Path, file: str = LOCK_FILE) -> Iterator[None]:
    """Hold the workspace's writer lock for the length of a block, or the lock of another `file`.

    Raises:
        WorkspaceBusyError: Another process holds it.
    """
    descriptor = os.open(root / file, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise WorkspaceBusyError(
                f"another run is writing here ({_holder(descriptor)})",
                hint="Wait until it ends",
            ) from error
        os.ftruncate(descriptor, 0)
        since = datetime.now(UTC)  # for people to read: nothing rests on it
        os.write(descriptor, f"{os.getpid()} {since:%Y-%m-%dT%H:%M:%SZ}\n".encode())
        try:
            yield
        finally:
            os.ftruncate(descriptor, 0)
    finally:
        os.close(descriptor)


def holder(root: Path) -> str:
    """Return who holds the writer lock of a workspace, and since when; empty when nobody does."""
    # Trying the lock would refuse a run that starts at this very moment, so the file is only read.
    try:
        text = (root / LOCK_FILE).read_text(errors="replace")
    except FileNotFoundError:
        return ""
    pid, _, since = text.strip().partition(" ")
    if not pid.isdigit() or not _is_alive(int(pid)):
        return ""
    return _named(pid, since)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True  # somebody else's
    return True


def _holder(descriptor: int) -> str:
    pid, _, since = os.read(descriptor, 64).decode(errors="replace").strip().partition(" ")
    return _named(pid, since)


def _named(pid: str, since: str) -> str:
    return f"process {pid or 'unknown'}{', since ' + since if since else ''}"
