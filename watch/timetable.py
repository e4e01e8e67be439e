"""When a watch is to be looked after: at an hour of a place, or every so often. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geo.errors import InputError, Where

if TYPE_CHECKING:
    from collections.abc import Mapping

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
LOCALTIME = Path("/etc/localtime")


class Timetable(Protocol):
    """Instants at which something is to happen, each of them once."""

    @property
    def interval(self) -> timedelta:
        """About how far apart they are."""

    def at_or_before(self, instant: datetime) -> datetime:
        """Return the last of them up to `instant`."""

    def after(self, instant: datetime) -> datetime:
        """Return the first of them after `instant`."""


@dataclass(frozen=True, slots=True)
class Every:
    """Every so often, counted from 1970, so that a restart shifts nothing."""

    interval: timedelta

    def at_or_before(self, instant: datetime) -> datetime:
        """Return the last of them up to `instant`."""
        return EPOCH + (instant - EPOCH) // self.interval * self.interval

    def after(self, instant: datetime) -> datetime:
        """Return the first of them after `instant`."""
        return self.at_or_before(instant) + self.interval


@dataclass(frozen=True, slots=True)
class Daily:
    """Once each day of a place's calendar, at an hour of its clocks.

    Where the clocks go forward over that hour it is as much later as they jump (02:30 becomes 03:30); where
    they go back over it, it is the first of the two. So no day is left out and none comes twice.
    """

    at: time
    zone: tzinfo

    @property
    def interval(self) -> timedelta:
        """A day."""
        return _DAY

    def at_or_before(self, instant: datetime) -> datetime:
        """Return the last of them up to `instant`."""
        return max(moment for moment in self._around(instant) if moment <= instant)

    def after(self, instant: datetime) -> datetime:
        """Return the first of them after `instant`."""
        return min(moment for moment in self._around(instant) if moment > instant)

    def _around(self, instant: datetime) -> list[datetime]:
        today = instant.astimezone(self.zone).date()
        days = (today + timedelta(days=offset) for offset in (-2, -1, 0, 1, 2))
        # fold=0: before a gap, and the first of two; PEP 495.
        return [datetime.combine(day, self.at, self.zone).astimezone(UTC) for day in days]


@dataclass(frozen=True, slots=True)
class Spread:
    """A timetable whose instants come a little later, each by its own part of `most`.

    The parts are drawn from `seed` and the instant, so a restart draws the same, and two workspaces differ.
    """

    table: Timetable
    most: timedelta
    """At most a quarter of the table's interval."""
    seed: str

    @property
    def interval(self) -> timedelta:
        """The table's."""
        return self.table.interval

    def at_or_before(self, instant: datetime) -> datetime:
        """Return the last of them up to `instant`."""
        plain = self.table.at_or_before(instant)
        late = self._late(plain)
        return late if late <= instant else self._late(self.table.at_or_before(plain - timedelta.resolution))

    def after(self, instant: datetime) -> datetime:
        """Return the first of them after `instant`."""
        late = self._late(self.table.at_or_before(instant))
        return late if late > instant else self._late(self.table.after(instant))

    def _late(self, plain: datetime) -> datetime:
        draw = random.Random(f"{self.seed} {plain.isoformat()}").random()  # noqa: S311 - spreads, hides nothing
        return plain + timedelta(seconds=int(self.most.total_seconds() * draw))


def spread(table: Timetable, most: timedelta, seed: str) -> Timetable:
    """Return a timetable that keeps off the full hour by up to `most`.

    Raises:
        InputError: That is more than a quarter of its interval: a site that is due once an interval could be
            left out (`watch.plan.EARLY`).
    """
    if not most:
        return table
    if most * 4 > table.interval:
        problem = f"a jitter of {most} is more than a quarter of {table.interval}"
        raise InputError(problem, where=Where(field="--jitter"), hint="Make it shorter")
    return Spread(table, most, seed)


def read_clock(text: str) -> time:
    """Read an hour of the day: ``06:00``, ``6`` or ``23:30``.

    Raises:
        InputError: There is no such hour.
    """
    hours, _, minutes = text.partition(":")
    is_plain = all(part.isascii() and part.isdigit() and len(part) <= 2 for part in (hours, minutes or "0"))  # noqa: PLR2004
    if not is_plain or int(hours) > 23 or int(minutes or 0) > 59:  # noqa: PLR2004 - of a day, of an hour
        hint = "Write it like 06:00"
        raise InputError(f"{text[:40]!r} is no hour of a day", where=Where(field="--at"), hint=hint)
    return time(int(hours), int(minutes or 0))


def zone_named(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name: ``Asia/Pyongyang``.

    Raises:
        InputError: There is none of that name here.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        hint = "Write an IANA name like Asia/Pyongyang or UTC; the machine needs its tzdata"
        raise InputError(f"{name[:60]!r} is no time zone", where=Where(field="--zone"), hint=hint) from error


def local_zone(environment: Mapping[str, str], localtime: Path = LOCALTIME) -> tzinfo:
    """Return the machine's own time zone with its daylight saving; UTC where it has none.

    Args:
        environment: The process's variables; TZ goes first.
        localtime: The machine's zone, a TZif file.
    """
    name = environment.get("TZ", "").removeprefix(":")
    if name:
        return zone_named(name)
    try:
        with localtime.open("rb") as stream:
            return ZoneInfo.from_file(stream, key=None)
    except (OSError, ValueError):
        return UTC
