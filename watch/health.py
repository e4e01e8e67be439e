"""How a watch that nobody looks at is doing: one small file, and what can be read from it.

    health.json     last start, end, success and exit code, when something is due next, what is wrong

Every `run --due` writes it as it begins and as it ends, whole or not at all.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import orjson

from geo.durable import write_bytes
from geo.errors import Where
from watch.errors import WorkspaceError

if TYPE_CHECKING:
    from pathlib import Path

HEALTH_FILE = "health.json"
GRACE = timedelta(hours=36)
"""A daily timer that says nothing for so long after something fell due has gone silent."""
MAX_WRONG = 20
"""Things that are wrong beyond so many are counted, and stand in the report of the run."""
_AHEAD = timedelta(minutes=5)


class Pulse(StrEnum):
    """How the watch is doing."""

    WELL = "well"
    UNWELL = "unwell"
    """It runs, and not all of it works."""
    SILENT = "silent"
    """It should have run and has not, or it fails every time."""


@dataclass(frozen=True, slots=True)
class Health:
    """What the last unattended run left behind; every instant is aware UTC."""

    last_start: datetime | None = None
    last_end: datetime | None = None
    last_success: datetime | None = None
    """When a run last ended with exit code 0."""
    last_exit: int | None = None
    next_due: datetime | None = None
    """When the next site falls due."""
    last_slot: datetime | None = None
    """The time of the loop's timetable that was last kept."""
    next_run: datetime | None = None
    """When the loop runs next; None for a timer, which keeps its own time."""
    wrong: tuple[str, ...] = ()
    """What is wrong, a line each."""

    def begun(self, now: datetime) -> Health:
        """Return the health as a run begins."""
        return replace(self, last_start=now, next_run=None)

    def ended(
        self, now: datetime, exit_code: int, *, next_due: datetime | None = None, wrong: tuple[str, ...] = ()
    ) -> Health:
        """Return the health as a run ends."""
        told = wrong
        if len(wrong) > MAX_WRONG:
            told = (*wrong[: MAX_WRONG - 1], f"and {len(wrong) - MAX_WRONG + 1} more")
        return replace(
            self,
            last_start=self.last_start or now,
            last_end=now,
            last_success=now if exit_code == 0 else self.last_success,
            last_exit=exit_code,
            next_due=next_due or self.next_due,
            wrong=told,
        )


def write_health(root: Path, health: Health) -> None:
    """Write a workspace's health, whole or not at all."""
    values = {"version": 1, **asdict(health)}
    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_UTC_Z
    write_bytes(root / HEALTH_FILE, orjson.dumps(values, option=options))


def read_health(root: Path) -> Health | None:
    """Return a workspace's health; None where no unattended run was ever made.

    Raises:
        WorkspaceError: The file is damaged.
    """
    path = root / HEALTH_FILE
    if not path.exists():
        return None
    try:
        values = orjson.loads(path.read_bytes())
        instants = {
            name.name: None if values.get(name.name) is None else _instant(values[name.name])
            for name in fields(Health)
            if name.name not in {"last_exit", "wrong"}
        }
        code = values.get("last_exit")
        return Health(
            **instants,
            last_exit=None if code is None else int(code),
            wrong=tuple(str(each) for each in values.get("wrong", ())),
        )
    except (ValueError, TypeError, AttributeError) as error:
        hint = "Delete it; the next run --due writes it anew"
        problem = f"the health of this workspace can't be read: {error}"
        raise WorkspaceError(problem, where=Where(file=str(path)), hint=hint) from error


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return instant.astimezone(UTC)


def pulse(health: Health, now: datetime, holder: str = "") -> tuple[Pulse, str]:
    """Say how a watch is doing, and in words why.

    Args:
        health: What the last run left behind.
        now: Aware instant.
        holder: Who holds the writer lock; empty when nobody does.

    >>> monday = datetime(2026, 1, 5, 6, tzinfo=UTC)
    >>> pulse(Health(last_start=monday, last_end=monday, last_exit=0), monday + timedelta(days=4))[0]
    <Pulse.SILENT: 'silent'>
    """
    last = max((each for each in (health.last_start, health.last_end) if each is not None), default=None)
    if last is None:
        return Pulse.UNWELL, "no run --due has come to an end here yet"
    if last > now + _AHEAD:
        return Pulse.UNWELL, f"the last run is of {_text(last)}, which is yet to come: a clock was set back"
    expected = max(health.next_run or health.next_due or last, last) + GRACE
    if now > expected:
        return Pulse.SILENT, f"silent since {_text(last)}; it should have run by {_text(expected)}"
    if health.last_end is None or (health.last_start or last) > health.last_end:
        return _begun(last, holder)
    return _ended(health, health.last_end)


def _begun(start: datetime, holder: str) -> tuple[Pulse, str]:
    if holder:
        return Pulse.WELL, f"a run is under way ({holder})"
    return Pulse.UNWELL, f"the run of {_text(start)} was cut off; the next one carries on"


def _ended(health: Health, end: datetime) -> tuple[Pulse, str]:
    success = "never" if health.last_success is None else _text(health.last_success)
    due = "" if health.next_due is None else f"; next due {_text(health.next_due)}"
    if health.last_exit == 0:
        return Pulse.WELL, f"last run {_text(end)}, all of it went well{due}"
    wrong = f": {health.wrong[0]}" if health.wrong else ""
    more = f" (and {len(health.wrong) - 1} more in {HEALTH_FILE})" if len(health.wrong) > 1 else ""
    words = f"last run {_text(end)}, exit code {health.last_exit}{wrong}{more}; last success {success}{due}"
    return (Pulse.UNWELL if health.last_exit in {3, 4} else Pulse.SILENT), words


def _text(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
