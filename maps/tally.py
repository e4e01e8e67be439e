"""What can be counted of many sites, as columns of days: notes, looks, detections, and who was watched.

A date is an interval of days, and stays one. It counts in the period that holds its last day (where the
end is open, its first): by then it had happened. Beside that count stand how many surely fall into the
period and how many may. A day is its proleptic Gregorian number (`datetime.date.toordinal`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from geo.dates import Span
from imagery.model import DetectionState
from maps.words import JUDGED
from sites.observation import Expectation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from maps.view import SiteEntry
    from sites.observation import Observation

    Days = NDArray[np.int32]

FIRST_DAY, LAST_DAY = date.min.toordinal(), date.max.toordinal()
"""What an end that is open or unknown stands for."""

YEAR_DAYS = 365.25

_INVESTMENT = re.compile(
    r"\binvest|\bcapital\b|joint venture|\bfinanc|\bloan|equity|투자|합영|합작|자금|투입", re.IGNORECASE
)


class What(StrEnum):
    """What is counted."""

    SITES = "sites"
    """Sites of which anything dated falls into the time."""
    NAMED = "named"
    """Sites by their first note."""
    NOTES = "notes"
    CONSTRUCTION = "construction"
    """Notes that expect something to be built."""
    INVESTMENT = "investment"
    """Notes whose words speak of investment."""
    CHANGES = "changes"
    """Notes that expect any change to be visible."""
    LOOKS = "looks"
    JUDGED = "judged"
    """Looks that could say whether anything changed."""
    DETECTIONS = "detections"


@dataclass(frozen=True, slots=True)
class Records:
    """Dated things, one a row."""

    site: NDArray[np.int32]
    """Position of its site among the entries."""
    earliest: Days
    latest: Days

    @property
    def counting_day(self) -> Days:
        """The day on which each counts: its last, or its first where the end is open."""
        return np.where(self.latest == LAST_DAY, self.earliest, self.latest)

    def where(self, kept: NDArray[np.bool_]) -> Records:
        """Return the rows where `kept` is True."""
        return Records(self.site[kept], self.earliest[kept], self.latest[kept])


@dataclass(frozen=True, slots=True)
class Count:
    """How many fall into a time."""

    count: int
    """By their counting day."""
    sure: int
    """Every day they allow lies in it."""
    possible: int
    """Some day they allow lies in it."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What stands behind every count of a group in a time: the denominators."""

    sites: int
    """In the catalogue, whatever the time."""
    looked: int
    """Sites with a look."""
    seen: int
    """Sites with a look that could be judged."""
    looks: int
    judged: int
    site_years: float
    """From each site's first to its last look that could be judged, as far as the time holds them."""


@dataclass(frozen=True, slots=True)
class Tally:
    """Everything that can be counted of some entries."""

    size: int
    """Number of sites."""
    records: dict[What, Records]
    """All but `What.SITES`, which is any of them."""
    first_judged: Days
    """By site; `LAST_DAY` where no look could be judged."""
    last_judged: Days
    """By site; `FIRST_DAY` where none could."""

    @classmethod
    def of(cls, entries: Sequence[SiteEntry]) -> Tally:
        """Gather the columns; retracted detections and notes that another one replaces are left out."""
        notes = [(number, note) for number, entry in enumerate(entries) for note in _standing(entry)]
        looks = [(number, look) for number, entry in enumerate(entries) for look in entry.looks]
        judged = [(number, look) for number, look in looks if look.outcome in JUDGED]
        records = {what: _of_notes(notes, what) for what in _NOTE_TESTS}
        records[What.NAMED] = _first(records[What.NOTES], len(entries))
        for what, rows in ((What.LOOKS, looks), (What.JUDGED, judged)):
            days = [look.solar_day.toordinal() for _, look in rows]
            records[what] = _records([(site, day, day) for (site, _), day in zip(rows, days, strict=True)])
        records[What.DETECTIONS] = _records(
            [
                (number, each.last_without.toordinal(), each.first_with.toordinal())
                for number, entry in enumerate(entries)
                for each in entry.detections
                if each.state is not DetectionState.RETRACTED
            ]
        )
        first, last = np.full(len(entries), LAST_DAY, np.int32), np.full(len(entries), FIRST_DAY, np.int32)
        np.minimum.at(first, records[What.JUDGED].site, records[What.JUDGED].earliest)
        np.maximum.at(last, records[What.JUDGED].site, records[What.JUDGED].latest)
        return cls(len(entries), records, first, last)

    def count(self, what: What, chosen: NDArray[np.bool_], span: Span | None = None) -> Count:
        """Count what falls into a span (all time when None) at the chosen sites (True)."""
        if what is What.SITES:
            return self._sites(chosen, span)
        rows = self.records[what]
        rows = rows.where(chosen[rows.site])
        if span is None:
            return Count(len(rows.site), len(rows.site), len(rows.site))
        day = rows.counting_day
        start, end = _ends(span)
        return Count(
            int(np.count_nonzero((day >= start) & (day <= end))),
            int(np.count_nonzero((rows.earliest >= start) & (rows.latest <= end))),
            int(np.count_nonzero((rows.earliest <= end) & (rows.latest >= start))),
        )

    def _sites(self, chosen: NDArray[np.bool_], span: Span | None) -> Count:
        if span is None:
            total = int(np.count_nonzero(chosen))
            return Count(total, total, total)
        start, end = _ends(span)
        touched = np.zeros((3, self.size), bool)
        for what in (What.NOTES, What.LOOKS, What.DETECTIONS):
            rows, day = self.records[what], self.records[what].counting_day
            touched[0][rows.site[(day >= start) & (day <= end)]] = True
            touched[1][rows.site[(rows.earliest >= start) & (rows.latest <= end)]] = True
            touched[2][rows.site[(rows.earliest <= end) & (rows.latest >= start)]] = True
        count, sure, possible = (int(np.count_nonzero(each & chosen)) for each in touched)
        return Count(count, sure, possible)

    def watched(self, chosen: NDArray[np.bool_], span: Span | None = None) -> Watched:
        """Return the denominators of the chosen sites (True) in a span; all time when None."""
        start, end = (FIRST_DAY, LAST_DAY) if span is None else _ends(span)
        looks, judged = (self._days(what, chosen, start, end) for what in (What.LOOKS, What.JUDGED))
        # From the end of the day of the first look, so that the years of neighbouring spans add up.
        first, last = np.maximum(self.first_judged, start - 1), np.minimum(self.last_judged, end)
        days = np.maximum(last - first, 0)[chosen].sum(dtype=np.int64)
        return Watched(
            int(np.count_nonzero(chosen)),
            len(np.unique(looks)),
            len(np.unique(judged)),
            len(looks),
            len(judged),
            float(days) / YEAR_DAYS,
        )

    def _days(self, what: What, chosen: NDArray[np.bool_], start: int, end: int) -> NDArray[np.int32]:
        rows = self.records[what]
        inside = chosen[rows.site] & (rows.earliest >= start) & (rows.earliest <= end)
        return rows.site[inside]

    def span(self, whats: Iterable[What], chosen: NDArray[np.bool_]) -> Span | None:
        """Return the days from the first to the last date of `whats`; None without any."""
        days = [
            day[chosen[rows.site] & (day != FIRST_DAY) & (day != LAST_DAY)]
            for rows in (self.records[what] for what in whats)
            for day in (rows.earliest, rows.latest)
        ]
        known = np.concatenate(days)
        if not len(known):
            return None
        return Span(date.fromordinal(int(known.min())), date.fromordinal(int(known.max())))


def speaks_of_investment(note: Observation) -> bool:
    """Return whether a note's words, English or Korean, speak of money or equipment that is put in.

    A list of words finds reports to read; it understands nothing.
    """
    return _INVESTMENT.search(note.text) is not None


_NOTE_TESTS: Mapping[What, Callable[[Observation], bool]] = {
    What.NOTES: lambda _: True,
    What.CONSTRUCTION: lambda note: note.expects is Expectation.CONSTRUCTION,
    What.INVESTMENT: speaks_of_investment,
    What.CHANGES: lambda note: note.expects is not None,
}


def _standing(entry: SiteEntry) -> Iterable[Observation]:
    replaced = {note.supersedes for note in entry.site.observations if note.supersedes}
    return (note for note in entry.site.observations if note.id not in replaced)


def _of_notes(notes: Sequence[tuple[int, Observation]], what: What) -> Records:
    test = _NOTE_TESTS[what]
    return _records(
        [
            (
                site,
                FIRST_DAY if note.date.earliest is None else note.date.earliest.toordinal(),
                LAST_DAY if note.date.latest is None else note.date.latest.toordinal(),
            )
            for site, note in notes
            if test(note)
        ]
    )


def _records(rows: list[tuple[int, int, int]]) -> Records:
    table = np.array(rows, np.int32).reshape(-1, 3)
    return Records(table[:, 0].copy(), table[:, 1].copy(), table[:, 2].copy())


def _first(notes: Records, size: int) -> Records:
    """Return when each site was first noted: no later than the first last day, no earlier than the first."""
    earliest, latest = np.full(size, LAST_DAY, np.int32), np.full(size, LAST_DAY, np.int32)
    np.minimum.at(earliest, notes.site, notes.earliest)
    np.minimum.at(latest, notes.site, notes.latest)
    noted = np.unique(notes.site)
    return Records(noted, earliest[noted], latest[noted])


def _ends(span: Span) -> tuple[int, int]:
    return span.start.toordinal(), span.end.toordinal()
