"""What was spent on images, month by month, and the limit that a user set.

    spend.jsonl     one line when something is asked, one when it is settled

A line is on the disk before the request it speaks of is sent, so a process that is killed between the two
leaves a request that counts as spent by its estimate: the account errs on the side of having paid. What is
settled may wait for the disk; a power cut then leaves the estimate.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from geo.errors import Where
from imagery.errors import BudgetError
from imagery.provenance import Charge
from watch.errors import LedgerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from imagery.sentinelhub.meter import Meter

SPEND_FILE = "spend.jsonl"

_UNIT_SLACK = 1e-9
"""Sums of floats are not exact; a limit of 1 allows ten tenths."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most that may be spent in a calendar month (UTC); None for no limit."""

    requests: int | None = None
    processing_units: float | None = None


@dataclass(slots=True)
class _Entry:
    month: str
    requests: int
    processing_units: float
    settled: bool = False


class SpendJournal:
    """The account of one workspace; several threads and processes may write to it."""

    def __init__(
        self, path: Path, allowance: Allowance, *, clock: Callable[[], datetime] | None = None
    ) -> None:
        """Read the account so far.

        Args:
            path: The journal; it need not exist.
            allowance: The user's limit.
            clock: Returns the aware present.

        Raises:
            LedgerError: A line of it is damaged.
        """
        self._path = path
        self.allowance = allowance
        self._clock = clock or _now
        self._lock = threading.Lock()
        self._read_to = 0
        self._lines = 0
        self._descriptor = -1
        self._entries: dict[str, _Entry] = {}
        self._session: set[str] = set()
        with self._lock:
            self._catch_up()

    def ask(self, what: str, estimate: Charge) -> str:
        """Note that something will be asked, unless it would pass the limit; see `Meter`."""
        ticket = secrets.token_hex(8)
        with self._writing():
            month = f"{self._clock():%Y-%m}"
            self._check(month, estimate)
            self._append(
                {
                    "at": _text(self._clock()),
                    "ticket": ticket,
                    "state": "asked",
                    "what": what,
                    "requests": estimate.requests,
                    "processing_units": estimate.processing_units,
                }
            )
            os.fsync(self._descriptor)
            self._session.add(ticket)
        return ticket

    def settle(self, ticket: str, spent: Charge) -> None:
        """Note what it did cost; see `Meter`."""
        with self._writing():
            self._append(
                {
                    "at": _text(self._clock()),
                    "ticket": ticket,
                    "state": "settled",
                    "requests": spent.requests,
                    "processing_units": spent.processing_units,
                }
            )

    def spent(self, month: str | None = None) -> Charge:
        """Return what counts as spent in a month ``2026-11``; the present one for None."""
        wanted = month or f"{self._clock():%Y-%m}"
        with self._lock:
            self._catch_up()
            return _total(entry for entry in self._entries.values() if entry.month == wanted)

    def spent_here(self) -> Charge:
        """Return what counts as spent through this object."""
        with self._lock:
            return _total(self._entries[ticket] for ticket in self._session)

    def unsettled(self) -> int:
        """Return how many requests were asked and never settled: they count by their estimate."""
        with self._lock:
            self._catch_up()
            return sum(not entry.settled for entry in self._entries.values())

    def _check(self, month: str, estimate: Charge) -> None:
        used = _total(entry for entry in self._entries.values() if entry.month == month)
        after = used + estimate
        for name, limit, total in (
            ("requests", self.allowance.requests, after.requests),
            ("processing_units", self.allowance.processing_units, after.processing_units),
        ):
            if limit is not None and total > limit + _UNIT_SLACK:
                have = getattr(used, name)
                raise BudgetError(
                    f"the limit of this workspace for {month} is reached: {have:,.6g} of {limit:,.6g} "
                    f"{name.replace('_', ' ')} are spent, the next request would cost "
                    f"{getattr(estimate, name):,.3g}",
                    where=Where(field=f"budget.{name}_per_month"),
                    hint="Raise it in sitewatch.toml, or wait for the next month; what was pulled is kept",
                )

    @contextmanager
    def _writing(self) -> Iterator[None]:
        with self._lock:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                self._catch_up()
                # What a crash cut short was never asked: its line is written before its request is sent.
                os.ftruncate(descriptor, self._read_to)
                self._descriptor = descriptor
                yield
            finally:
                os.close(descriptor)

    def _append(self, line: dict[str, Any]) -> None:
        data = orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)
        os.write(self._descriptor, data)
        self._take(data)

    def _catch_up(self) -> None:
        """Take in whole lines that were written since the last look, by whomever."""
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._read_to)
                data = stream.read()
        except FileNotFoundError:
            return
        self._take(data[: data.rfind(b"\n") + 1])

    def _take(self, data: bytes) -> None:
        for line in data.splitlines():
            self._lines += 1
            try:
                self._note(orjson.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                raise LedgerError(
                    f"damaged spend journal: {type(error).__name__}: {error}",
                    where=Where(str(self._path), line=self._lines),
                    hint="Mend or remove that line; the limits rest on it",
                ) from error
        self._read_to += len(data)

    def _note(self, line: dict[str, Any]) -> None:
        requests, units = int(line["requests"]), float(line["processing_units"])
        if line["state"] == "asked":
            self._entries[line["ticket"]] = _Entry(str(line["at"])[:7], requests, units)
            return
        entry = self._entries[line["ticket"]]
        entry.requests, entry.processing_units, entry.settled = requests, units, True


def _total(entries: Iterator[_Entry]) -> Charge:
    requests, units = 0, 0.0
    for entry in entries:
        requests += entry.requests
        units += entry.processing_units
    return Charge(requests, units)


def _now() -> datetime:
    return datetime.now(UTC)


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


if TYPE_CHECKING:

    def conforms(journal: SpendJournal) -> Meter:
        """Let the type checker prove that it is a meter."""
        return journal
