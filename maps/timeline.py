"""When things were: every note, detection and look of a page as columns of whole numbers.

A page with 270,000 notes filters and draws them by their days; texts stay with the details of each site.
Days count from 1970-01-01, months from 1970-01. Rows stand by site in the page's order, and within a site
in the order of its details: the k-th note here is the k-th note there.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date
from enum import IntFlag
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from geo.datebounds import Precision
from imagery.model import DetectionState, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geo.dates import Edtf
    from imagery.model import Detection
    from maps.view import MapView, SiteEntry
    from sites.observation import Observation

EPOCH = date(1970, 1, 1)
MONTHS = 12

PRECISIONS = tuple(Precision)
"""An extent names its precision by its position here; so does the page's script."""

STATES = tuple(DetectionState)
LOOK_OUTCOMES = (*Outcome, "NoScene")


class Mark(IntFlag):
    """What a date says of itself beyond its two bounds."""

    APPROXIMATE = 1
    UNCERTAIN = 2
    OPEN_START = 4
    OPEN_END = 8
    UNKNOWN_START = 16
    UNKNOWN_END = 32


@dataclass(frozen=True, slots=True)
class Extent:
    """The days that a date allows."""

    first: int | None
    """Day number; None where the start is open or unknown, which `marks` tells apart."""
    last: int | None
    """Day number of the last day, itself included; None as above."""
    marks: Mark
    precision: Precision

    @property
    def row(self) -> tuple[int, int, int]:
        """Return (start, length, code): the dated end alone, with length 0, where the other is missing.

        A code is ``64 * precision + marks``, the precision as a position in `PRECISIONS`.
        """
        dated = [day for day in (self.first, self.last) if day is not None]
        code = 64 * PRECISIONS.index(self.precision) + self.marks.value
        return dated[0], dated[-1] - dated[0], code


def day_number(day: date) -> int:
    """Return the days since 1970-01-01.

    >>> day_number(date(1970, 1, 31)), day_number(date(1969, 12, 31))
    (30, -1)
    """
    return (day - EPOCH).days


def extent(written: Edtf) -> Extent:
    """Return the days that a date allows, with its qualifiers.

    >>> from geo.dates import parse_edtf
    >>> extent(parse_edtf("1970-02~")).row[:2]
    (31, 27)
    """
    marks = (
        Mark.APPROXIMATE.value * written.approximate
        + Mark.UNCERTAIN.value * written.uncertain
        + Mark.OPEN_START.value * written.open_start
        + Mark.OPEN_END.value * written.open_end
        + Mark.UNKNOWN_START.value * written.unknown_start
        + Mark.UNKNOWN_END.value * written.unknown_end
    )
    return Extent(
        None if written.earliest is None else day_number(written.earliest),
        None if written.latest is None else day_number(written.latest),
        Mark(marks),
        written.precision,
    )


def note_order(note: Observation) -> tuple[date, date, str, str]:
    """Return what a site's notes stand by, here and in its details."""
    return *note.date.sort_key(), note.id


def detection_order(detection: Detection) -> tuple[date, str]:
    """Return what a site's detections stand by, here and in its details."""
    return detection.first_with, detection.id


def times_block(view: MapView) -> dict[str, Any]:
    """Return the block ``sitewatch-times``.

    ``notes``: how many of each site, then per note its start (the first of a site from 1970, the others
    from the one before), its length in days beyond the first, and its code (`Extent.row`).
    ``detections``: the same with the bracket as extent, then state, simulated, and start and length of the
    90 % interval (-1 where it was not told). ``looks``: how many months of each site have any, then per
    month its number (delta coded likewise) and a position in ``table``, whose rows count looks by
    `LOOK_OUTCOMES`.
    """
    return {
        "today": day_number(view.made.astimezone(UTC).date()),
        "precisions": [str(each) for each in PRECISIONS],
        "states": [str(each) for each in STATES],
        "outcomes": [str(each) for each in LOOK_OUTCOMES],
        "notes": _notes(view.entries),
        "detections": _detections(view.entries),
        "looks": _looks(view.entries),
    }


def _notes(entries: Iterable[SiteEntry]) -> dict[str, list[int]]:
    counts: list[int] = []
    starts: list[int] = []
    lengths: list[int] = []
    codes: list[int] = []
    known: dict[str, tuple[int, int, int]] = {}
    for entry in entries:
        rows = []
        for note in sorted(entry.site.observations, key=note_order):
            row = known.get(note.date.text)
            if row is None:
                row = known[note.date.text] = extent(note.date).row
            rows.append(row)
        counts.append(len(rows))
        starts += _deltas([start for start, _, _ in rows])
        lengths += [length for _, length, _ in rows]
        codes += [code for _, _, code in rows]
    return {"counts": counts, "starts": starts, "lengths": lengths, "codes": codes}


def _deltas(values: Sequence[int]) -> list[int]:
    """Return the first value and the steps from each to the next.

    >>> _deltas([5, 7, 6]), _deltas([])
    ([5, 2, -1], [])
    """
    return [*values[:1], *(after - before for before, after in pairwise(values))]


def _detections(entries: Iterable[SiteEntry]) -> dict[str, list[int]]:
    rows: list[tuple[int, int, int, int, int, int]] = []
    counts: list[int] = []
    for entry in entries:
        counts.append(len(entry.detections))
        rows += [_detection(each) for each in sorted(entry.detections, key=detection_order)]
    names = ("starts", "lengths", "states", "simulated", "likely", "likely_lengths")
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    return {"counts": counts, **dict(zip(names, columns, strict=True))}


def _detection(detection: Detection) -> tuple[int, int, int, int, int, int]:
    start, end = day_number(detection.last_without), day_number(detection.first_with)
    likely, likely_length = 0, -1
    if detection.date_interval_90:
        first, _, last = detection.date_interval_90.partition("/")
        likely = day_number(date.fromisoformat(first))
        likely_length = day_number(date.fromisoformat(last or first)) - likely
    state = STATES.index(detection.state)
    return start, end - start, state, int(detection.simulated), likely, likely_length


def _looks(entries: Iterable[SiteEntry]) -> dict[str, Any]:
    counts: list[int] = []
    months: list[int] = []
    codes: list[int] = []
    table: dict[tuple[int, ...], int] = {}
    for entry in entries:
        by_month = _by_month(entry)
        counts.append(len(by_month))
        months += _deltas(list(by_month))
        codes += [table.setdefault(tuple(row), len(table)) for row in by_month.values()]
    return {"counts": counts, "months": months, "codes": codes, "table": [list(row) for row in table]}


def _by_month(entry: SiteEntry) -> dict[int, list[int]]:
    """Return how many looks ended how, by month in order; an empty window counts in the month it began."""
    ended = [(look.solar_day, LOOK_OUTCOMES.index(look.outcome)) for look in entry.looks]
    ended += [(window.start, LOOK_OUTCOMES.index("NoScene")) for window in entry.no_scenes]
    found: dict[int, list[int]] = {}
    for day, outcome in sorted(ended):
        month = (day.year - EPOCH.year) * MONTHS + day.month - 1
        found.setdefault(month, [0] * len(LOOK_OUTCOMES))[outcome] += 1
    return found
