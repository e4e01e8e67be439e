"""Who may ask a service: so many at a time, and nobody once it is known to be in vain."""

from __future__ import annotations

from contextlib import contextmanager
from threading import Lock, Semaphore
from typing import TYPE_CHECKING

from geo.errors import SitewatchError
from imagery.errors import BudgetError, CredentialsError

if TYPE_CHECKING:
    from collections.abc import Iterator


class NotBegun(Exception):  # noqa: N818 - no fault of anybody's
    """A turn came too late: nothing was asked."""


class Turns:
    """Turns at a service, shared by threads.

    What is under way when the service is found to be down is paid for, so it is let come; no turn
    begins after that. It is judged before the turn is handed on, so not one request too many is sent.
    """

    def __init__(self, count: int, most_failures: int) -> None:
        """Open the service.

        Args:
            count: Turns at the same time.
            most_failures: Failures one after the other after which nobody asks any more.
        """
        self.count = count
        self.stopped: SitewatchError | None = None
        """What ended it: the budget, the credentials, too many failures in a row."""
        self._most = most_failures
        self._free = Semaphore(count)
        self._lock = Lock()
        self._unanswered = 0
        self._unkept = 0
        self._is_closed = False
        self._noted: list[SitewatchError] = []

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and hold it.

        Raises:
            NotBegun: It was stopped meanwhile.
        """
        with self._free:
            if self._is_closed or self.stopped is not None:
                raise NotBegun
            try:
                yield
            except SitewatchError as error:
                self._count(error, unanswered=1)
                raise
            # Here and not when what came is kept: an earlier answer may be kept after later ones failed.
            with self._lock:
                self._unanswered = 0

    def close(self) -> None:
        """Let nobody begin any more, though nothing failed."""
        self._is_closed = True

    def succeed(self) -> None:
        """Begin the count of what could not be kept anew: something came and is kept."""
        with self._lock:
            self._unkept = 0

    def note(self, error: SitewatchError) -> None:
        """Count what came and could not be kept; a failure of the turn itself is counted already."""
        self._count(error, unkept=1)

    def _count(self, error: SitewatchError, *, unanswered: int = 0, unkept: int = 0) -> None:
        with self._lock:
            if any(known is error for known in self._noted):
                return
            self._noted.append(error)
            self._unanswered += unanswered
            self._unkept += unkept
            too_many = max(self._unanswered, self._unkept) >= self._most
            if isinstance(error, BudgetError | CredentialsError) or too_many:
                self.stopped = self.stopped or error
