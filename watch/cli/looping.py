"""`sitewatch run --loop`: the loop's timetable, and what it does at each of its times."""

from __future__ import annotations

from dataclasses import replace
from datetime import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from watch.cli.output import Output
    from watch.clock import Clock
    from watch.timetable import Timetable

USUAL_HOUR = time(6)


def timetable_of(
    root: Path, *, every: str | None, at: str | None, zone: str, jitter: str | None
) -> Timetable:
    """Return the timetable that the options of a loop name.

    Raises:
        DateError: A duration is none.
        InputError: There is no such hour or time zone, or the jitter is too long.
    """
    import os
    from datetime import timedelta

    from watch.periods import parse_period
    from watch.timetable import Daily, Every, local_zone, read_clock, spread, zone_named

    most = timedelta(0) if jitter is None else parse_period(jitter, "--jitter")
    if every is not None:
        return spread(Every(parse_period(every, "--every")), most, str(root))
    place = zone_named(zone) if zone else local_zone(os.environ)
    return spread(Daily(USUAL_HOUR if at is None else read_clock(at), place), most, str(root))


def stay(
    root: Path,
    table: Timetable,
    look: Callable[[], int],
    *,
    clock: Clock,
    halt: Callable[[], str],
    output: Output,
) -> None:
    """Look at each time of a timetable until told to end; what goes wrong is said and tried again."""
    from watch.attended import last_health
    from watch.health import write_health
    from watch.loop import DONE_EXITS, keep

    def kept(slot: datetime) -> int:
        code = look()
        # One that was asked to end has not looked after its slot: the next start does.
        if code in DONE_EXITS and not halt():
            after = table.after(clock.now())
            write_health(root, replace(last_health(root), last_slot=slot, next_run=after))
            output.note(f"next run {after:%Y-%m-%d %H:%M} UTC")
        return code

    def looking(slot: datetime) -> int:
        return _safely(lambda: kept(slot), output)

    keep(table, looking, clock=clock, halt=halt, last=last_health(root).last_slot)
    output.note(halt())


def _safely(look: Callable[[], int], output: Output) -> int:
    from geo.errors import SitewatchError
    from watch.cause import short_cause

    try:
        return look()
    except SitewatchError as error:
        output.note(str(error))
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a watch that runs for years outlives what it did not foresee
        output.note(short_cause(error))
        return 1
