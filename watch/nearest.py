"""Which look of a site lies nearest to a date and is clear enough to be compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from geo.errors import InputError, Where
from imagery.errors import NoClearLookError
from imagery.model import NO_MASK
from watch.errors import UnmaskedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from geo.dates import Edtf
    from imagery.change.spec import WatchSpec
    from imagery.model import Chip
    from imagery.provider import Provider
    from watch.watcher import Lattice


@dataclass(frozen=True, slots=True)
class Passed:
    """A look that was nearer, and why it was not taken."""

    solar_day: date
    reason: str


@dataclass(frozen=True, slots=True)
class Chosen:
    """The chip that was taken for a date, and the nearer ones that were not."""

    chip: Chip
    passed: tuple[Passed, ...]


def distance_days(day: date, wanted: Edtf) -> int:
    """Return how many days `day` lies outside what a date allows; 0 inside."""
    if wanted.earliest is not None and day < wanted.earliest:
        return (wanted.earliest - day).days
    if wanted.latest is not None and day > wanted.latest:
        return (day - wanted.latest).days
    return 0


def by_distance(days: Sequence[date], wanted: Edtf) -> list[date]:
    """Return days by distance from a date; equal ones by distance from its middle, then the earlier first."""
    middle = _middle(wanted)

    def key(day: date) -> tuple[int, int, date]:
        return distance_days(day, wanted), 0 if middle is None else abs((day - middle).days), day

    return sorted(days, key=key)


def require_order(before: Edtf, after: Edtf) -> tuple[date, date]:
    """Return the middles of two dates that are in order.

    Raises:
        InputError: `before` does not lie before `after`, or one of them has neither beginning nor end.
    """
    early, late = _middle(before), _middle(after)
    if early is None or late is None or early >= late:
        raise InputError(
            f"{before} does not lie before {after}",
            where=Where(field="--before, --after"),
            hint="Give two dates in order",
        )
    return early, late


def pair_days(days: Sequence[date], before: Edtf, after: Edtf) -> tuple[list[date], list[date]]:
    """Split days into candidates for before and for after, each by distance.

    A day that is nearer to the one date is never offered for the other, so a pair is always in order.

    Raises:
        InputError: The dates are not in order.
    """
    early, late = require_order(before, after)
    near_before = [day for day in days if abs(day - early) < abs(day - late)]
    near_after = [day for day in days if abs(day - late) <= abs(day - early)]
    return by_distance(near_before, before), by_distance(near_after, after)


def first_clear(
    lattice: Lattice, candidates: Sequence[date], provider: Provider, spec: WatchSpec, *, assume_clear: bool
) -> Chosen:
    """Return the first candidate that is clear enough over footprint and frame.

    Raises:
        NoClearLookError: None is; the message names the nearest and why.
        UnmaskedError: The nearest has no cloud mask and nobody said that it is clear.
    """
    passed: list[Passed] = []
    for chip in _chips(lattice, candidates, provider, assume_clear=assume_clear):
        footprint, frame = chip.clear_fraction(spec.weights), chip.clear_fraction()
        if footprint >= spec.min_clear_footprint and frame >= spec.min_clear_frame:
            return Chosen(chip, tuple(passed))
        passed.append(
            Passed(
                chip.solar_day,
                f"clear are {footprint:.0%} of the footprint (needs {spec.min_clear_footprint:.0%}) "
                f"and {frame:.0%} of the frame (needs {spec.min_clear_frame:.0%})",
            )
        )
    nearest = f"; nearest is {passed[0].solar_day}: {passed[0].reason}" if passed else ""
    raise NoClearLookError(
        f"none of {len(candidates)} looks is clear enough{nearest}",
        hint="Add images nearer to the date, or lower [look] min_clear_footprint",
    )


def _chips(
    lattice: Lattice, candidates: Sequence[date], provider: Provider, *, assume_clear: bool
) -> Iterator[Chip]:
    for day in candidates:
        scenes = lattice.scenes[day]
        bare = [scene.id for scene in scenes if scene.mask_scheme == NO_MASK]
        if bare and not assume_clear:
            raise UnmaskedError(
                f"{bare[0]!r} has no cloud mask",
                hint="Add it with --mask-band, or say --assume-clear if you have looked at it",
            )
        yield provider.read(lattice.grid, scenes)


def _middle(wanted: Edtf) -> date | None:
    first, last = wanted.earliest or wanted.latest, wanted.latest or wanted.earliest
    if first is None or last is None:
        return None
    return first + timedelta(days=(last - first).days // 2)
