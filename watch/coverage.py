"""How often a site could be seen: clear looks a month, blind spans, windows without a scene.

The ledger of looks is the denominator of every claim of absence; this is what it says. The database counts
and gathers days by site and outcome, which one index answers; only gaps between days are worked out here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa

from imagery.model import Outcome
from watch.ledger_tables import LOOKS, NO_SCENES
from watch.seen import CLEAR, JUDGED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date

    from numpy.typing import NDArray

    from geo.dates import Span
    from watch.ledger import Ledger

GAP_DAYS = 60
"""A span without a clear look that is longer than this is told as a gap."""

_OUTCOMES = (*CLEAR, Outcome.OBSCURED, Outcome.FAILED)
_MAX_NAMED = 500
"""More sites than this are picked from all of them: databases limit how many values a question may hold."""
_DAY_CHARS = len("2026-11-22,")


@dataclass(frozen=True, slots=True)
class Blind:
    """A span in which there was no clear look."""

    since: date
    """Day of the clear look before it, or the first day that is asked about."""
    until: date
    """Day of the clear look after it, or the last day that is asked about."""

    @property
    def days(self) -> int:
        """Days from the one to the other."""
        return (self.until - self.since).days


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen in a month."""

    looks: int
    clear: int
    judged: int


@dataclass(frozen=True, slots=True)
class SiteCoverage:
    """How often one site could be seen."""

    site_id: str
    outcomes: dict[Outcome, int]
    """Looks by how they ended, every outcome named."""
    no_scene: int
    """Due windows in which no provider had an acquisition."""
    span: tuple[date, date] | None
    """First and last day that is asked about: of ``--span``, else of its looks; None for a site without."""
    months: dict[str, Seen]
    """By month ``2026-11``; months without any look are left out."""
    longest: Blind | None
    """The longest span without a clear look; None for a site without looks."""
    gaps: tuple[Blind, ...]
    """Such spans of more than the days that were asked for, oldest first."""

    @property
    def looks(self) -> int:
        """All looks."""
        return sum(self.outcomes.values())

    @property
    def clear(self) -> int:
        """Looks that saw enough of the place."""
        return sum(self.outcomes[each] for each in CLEAR)

    @property
    def judged(self) -> int:
        """Looks that could tell a change."""
        return sum(self.outcomes[each] for each in JUDGED)

    @property
    def judged_share(self) -> float | None:
        """Share of the looks that could be judged; None without looks."""
        return self.judged / self.looks if self.looks else None

    @property
    def clear_a_month(self) -> float | None:
        """Clear looks in a month of 30.4 days of its span; None without a span."""
        if self.span is None:
            return None
        return self.clear / (((self.span[1] - self.span[0]).days + 1) / 30.4375)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How often sites could be seen, one by one and over all."""

    sites: tuple[SiteCoverage, ...]
    """By id."""
    months: dict[str, Seen]
    """Over all sites, by month."""

    @property
    def outcomes(self) -> dict[Outcome, int]:
        """Looks of all sites by how they ended."""
        return {each: sum(site.outcomes[each] for site in self.sites) for each in Outcome}

    @property
    def no_scene(self) -> int:
        """Empty windows of all sites."""
        return sum(site.no_scene for site in self.sites)

    @property
    def longest(self) -> SiteCoverage | None:
        """The site with the longest blind span."""
        blind = [site for site in self.sites if site.longest is not None]
        return max(blind, key=lambda site: site.longest.days if site.longest else 0, default=None)


def coverage(
    ledger: Ledger,
    site_ids: Iterable[str] | None = None,
    *,
    span: Span | None = None,
    gap_days: int = GAP_DAYS,
    also: Iterable[str] = (),
) -> Coverage:
    """Return how often sites could be seen.

    Args:
        ledger: Of looks.
        site_ids: Also those without any look; None for all that the ledger knows.
        span: Only these days, both ends included; None for all.
        gap_days: Blind spans longer than this are told.
        also: Sites to tell of even when the ledger has nothing of them.
    """
    wanted = None if site_ids is None else sorted(set(site_ids))
    groups = _groups(ledger, wanted, span)
    windows = _windows(ledger, wanted, span)
    known = {site_id for site_id, *_ in groups} | windows.keys() if wanted is None else wanted
    names = sorted({*known, *also})
    days = _Days(names, groups)
    spans = days.spans(span)
    blind = days.blind(spans, gap_days)
    sites = tuple(
        SiteCoverage(
            name,
            dict(zip(_OUTCOMES, counts, strict=True)),
            windows.get(name, 0),
            spans.get(position),
            months,
            *blind.get(position, (None, ())),
        )
        for position, (name, counts, months) in enumerate(
            zip(names, days.outcomes(), days.months(), strict=True)
        )
    )
    return Coverage(sites, days.all_months())


def _groups(ledger: Ledger, wanted: Sequence[str] | None, span: Span | None) -> list[tuple[str, str, str]]:
    """Return ``(site, outcome, days joined by commas)`` of the looks."""
    table = LOOKS
    days = sa.func.aggregate_strings(sa.cast(table.c.solar_day, sa.String), ",")
    statement = sa.select(table.c.site_id, table.c.outcome, days)
    if span is not None:
        statement = statement.where(table.c.solar_day.between(span.start, span.end))
    statement = _only(statement, table.c.site_id, wanted).group_by(table.c.site_id, table.c.outcome)
    return _picked(ledger.answer(statement), wanted)


def _windows(ledger: Ledger, wanted: Sequence[str] | None, span: Span | None) -> dict[str, int]:
    table = NO_SCENES
    statement = sa.select(table.c.site_id, sa.func.count())
    if span is not None:
        statement = statement.where(table.c.start <= span.end, table.c.end > span.start)
    statement = _only(statement, table.c.site_id, wanted).group_by(table.c.site_id)
    return {row[0]: int(row[1]) for row in _picked(ledger.answer(statement), wanted)}


def _picked(rows: Iterable[Any], wanted: Sequence[str] | None) -> list[Any]:
    named = None if wanted is None else set(wanted)
    return [row for row in rows if named is None or row[0] in named]


def _only(statement: sa.Select[Any], column: Any, wanted: Sequence[str] | None) -> sa.Select[Any]:  # noqa: ANN401 - a column of a table without types
    if wanted is None or len(wanted) > _MAX_NAMED:
        return statement
    return statement.where(column.in_(wanted))


class _Days:
    """The days of all looks as arrays, one element a look."""

    def __init__(self, names: Sequence[str], groups: Sequence[tuple[str, str, str]]) -> None:
        position = {name: number for number, name in enumerate(names)}
        code = {outcome.value: number for number, outcome in enumerate(_OUTCOMES)}
        sizes = [(len(days) + 1) // _DAY_CHARS for _, _, days in groups]
        self._count = len(names)
        self._site = np.repeat(np.array([position[each[0]] for each in groups], np.int64), sizes)
        self._outcome = np.repeat(np.array([code[each[1]] for each in groups], np.int64), sizes)
        self._day = read_days("".join(f"{days}," for *_, days in groups))
        self._months = self._month_table()

    def outcomes(self) -> list[list[int]]:
        """Return the looks of each site by outcome, in the order of `_OUTCOMES`."""
        kinds = len(_OUTCOMES)
        flat = np.bincount(self._site * kinds + self._outcome, minlength=self._count * kinds)
        table: list[list[int]] = flat.reshape(self._count, kinds).tolist()
        return table

    def spans(self, span: Span | None) -> dict[int, tuple[date, date]]:
        """Return the first and last day that is asked about, by site: of the span, else of its looks."""
        if span is not None:
            return dict.fromkeys(range(self._count), (span.start, span.end))
        order = np.argsort(self._site, kind="stable")
        sites, starts = np.unique(self._site[order], return_index=True)
        if not len(sites):
            return {}
        first = np.minimum.reduceat(self._day[order].astype(np.int64), starts).astype("datetime64[D]")
        last = np.maximum.reduceat(self._day[order].astype(np.int64), starts).astype("datetime64[D]")
        ends = zip(first.tolist(), last.tolist(), strict=True)
        return dict(zip(sites.tolist(), ends, strict=True))

    def blind(
        self, spans: dict[int, tuple[date, date]], gap_days: int
    ) -> dict[int, tuple[Blind, tuple[Blind, ...]]]:
        """Return the longest span without a clear look, and all that are longer than `gap_days`, by site.

        The ends of what is asked about bound a span as a clear look does.
        """
        clear = self._outcome < len(CLEAR)
        ends = [(number, day) for number, both in spans.items() for day in both]
        site = np.concatenate([self._site[clear], np.array([number for number, _ in ends], np.int64)])
        day = np.concatenate([self._day[clear], np.array([day for _, day in ends], "datetime64[D]")])
        order = np.lexsort((day, site))
        site, day = site[order], day[order]
        gap = np.diff(day).astype(np.int64)
        numbers, starts, counts = np.unique(site, return_index=True, return_counts=True)
        found = {}
        for number, start, count in zip(numbers.tolist(), starts.tolist(), counts.tolist(), strict=True):
            own = gap[start : start + count - 1]
            days = day[start : start + count]
            spots = [int(own.argmax()), *np.flatnonzero(own > gap_days).tolist()]
            longest, *gaps = (Blind(days[each].item(), days[each + 1].item()) for each in spots)
            found[number] = longest, tuple(gaps)
        return found

    def months(self) -> list[dict[str, Seen]]:
        """Return what was seen of each site, by month."""
        found: list[dict[str, Seen]] = [{} for _ in range(self._count)]
        for number, month, *counts in zip(*self._months, strict=True):
            found[number][month] = Seen(*counts)
        return found

    def all_months(self) -> dict[str, Seen]:
        """Return what was seen of all sites together, by month."""
        sums: dict[str, list[int]] = {}
        for _, month, *counts in zip(*self._months, strict=True):
            sums[month] = [a + b for a, b in zip(sums.get(month, [0, 0, 0]), counts, strict=True)]
        return {month: Seen(*sums[month]) for month in sorted(sums)}

    def _month_table(self) -> tuple[list[Any], ...]:
        """Return columns: site, month, looks, clear and judged ones; by site and month."""
        month = self._day.astype("datetime64[M]").astype(np.int64)
        low = int(month.min(initial=0))
        width = int(month.max(initial=0)) - low + 1
        key = self._site * width + (month - low)
        size = self._count * width
        looks = np.bincount(key, minlength=size)
        clear = np.bincount(key[self._outcome < len(CLEAR)], minlength=size)
        judged = (self._outcome > 0) & (self._outcome < len(CLEAR))
        seen = np.bincount(key[judged], minlength=size)
        there = np.flatnonzero(looks)
        texts = [str(each) for each in (np.arange(low, low + width)).astype("datetime64[M]")]
        return (
            (there // width).tolist(),
            [texts[number] for number in (there % width).tolist()],
            looks[there].tolist(),
            clear[there].tolist(),
            seen[there].tolist(),
        )


def read_days(text: str) -> NDArray[np.datetime64]:
    """Return the days of a text ``2026-11-22,2026-11-27,`` of fixed width.

    >>> read_days("2026-11-22,1970-01-02,").tolist()
    [datetime.date(2026, 11, 22), datetime.date(1970, 1, 2)]
    >>> read_days("").tolist()
    []
    """
    digits = np.frombuffer(text.encode("ascii"), np.uint8).reshape(-1, _DAY_CHARS).astype(np.int64) - ord("0")
    year = digits[:, :4] @ np.array([1000, 100, 10, 1])
    month, day = digits[:, 5] * 10 + digits[:, 6], digits[:, 8] * 10 + digits[:, 9]
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    found: NDArray[np.datetime64] = months.astype("datetime64[D]") + (day - 1)
    return found
