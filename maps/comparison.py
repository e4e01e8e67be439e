"""Two groups of sites over time, period by period, with what stands behind each number."""

from __future__ import annotations

import math
from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from geo.dates import Span
from geo.errors import InputError
from imagery.change.bounds import rate
from maps.charts import Chart, Dot, Line, Marker
from maps.tally import What

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imagery.change.bounds import Rate
    from maps.regions import Group, Regions
    from maps.tally import Count, Tally, Watched

MOST_PERIODS = 600
_MONTHS = 12
_MOST_TICKS = 12


class Step(StrEnum):
    """How long a period is."""

    YEAR = "year"
    MONTH = "month"


WHAT_WORDS: Mapping[What, str] = MappingProxyType(
    {
        What.SITES: "sites with anything dated",
        What.NAMED: "sites first noted",
        What.NOTES: "notes",
        What.CONSTRUCTION: "notes of construction",
        What.INVESTMENT: "notes that speak of investment",
        What.CHANGES: "notes of a visible change",
        What.LOOKS: "looks",
        What.JUDGED: "looks that could be judged",
        What.DETECTIONS: "detections",
    }
)

BEHIND: Mapping[What, What] = MappingProxyType(
    {
        What.CONSTRUCTION: What.NOTES,
        What.INVESTMENT: What.NOTES,
        What.CHANGES: What.NOTES,
        What.JUDGED: What.LOOKS,
        What.DETECTIONS: What.JUDGED,
    }
)
"""What a count is seen against: few notes of construction mean little where little was written."""


@dataclass(frozen=True, slots=True)
class Period:
    """A year or a month."""

    label: str
    span: Span


@dataclass(frozen=True, slots=True)
class Cell:
    """One group in one period."""

    count: Count
    behind: Count | None
    """Of `BEHIND`; None where there is none."""
    watched: Watched
    rate: Rate | None
    """Detections per site-year with the exact 95 % interval; None for other counts, or without exposure."""

    @property
    def is_known(self) -> bool:
        """Whether anything stands behind the count: a zero out of nothing says nothing."""
        return self.behind is None or self.behind.possible > 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two groups over time."""

    what: What
    groups: tuple[Group, Group]
    periods: tuple[Period, ...]
    cells: tuple[tuple[Cell, ...], tuple[Cell, ...]]
    """By group and period."""


def compare(
    regions: Regions,
    one: Group,
    other: Group,
    what: What,
    *,
    span: Span | None = None,
    step: Step = Step.YEAR,
) -> Comparison:
    """Count `what` of two groups in each period of a span.

    Args:
        regions: The sites.
        one: A group of them.
        other: Another; they may share sites.
        what: What is counted.
        span: Whole periods around it are counted; when None, from the first to the last of what is counted,
            or stands behind it.
        step: Length of a period.

    Raises:
        InputError: There are more than `MOST_PERIODS` of them.
    """
    either = one.chosen | other.chosen
    periods = periods_of(span or regions.tally.span(_dated(what), either), step)
    cells = tuple(
        tuple(_cell(regions.tally, group, what, period) for period in periods) for group in (one, other)
    )
    return Comparison(what, (one, other), periods, (cells[0], cells[1]))


def _dated(what: What) -> tuple[What, ...]:
    """Return the records that span all time for a count: its own, and those behind it."""
    if what is What.SITES:
        return What.NOTES, What.LOOKS, What.DETECTIONS
    behind = BEHIND.get(what)
    return (what,) if behind is None else (what, behind)


def periods_of(span: Span | None, step: Step) -> tuple[Period, ...]:
    """Return the years or months that touch a span, by time; none without a span.

    Raises:
        InputError: There are more than `MOST_PERIODS` of them.
    """
    if span is None:
        return ()
    first, last = (12 * day.year + day.month - 1 for day in (span.start, span.end))
    count = span.end.year - span.start.year + 1 if step is Step.YEAR else last - first + 1
    if count > MOST_PERIODS:
        raise InputError(f"{count} periods are more than {MOST_PERIODS}", hint="Give a shorter --span A/B")
    if step is Step.YEAR:
        years = range(span.start.year, span.end.year + 1)
        return tuple(Period(f"{year:04}", Span(date(year, 1, 1), date(year, 12, 31))) for year in years)
    return tuple(_month(number) for number in range(first, last + 1))


def _month(number: int) -> Period:
    year, month = number // _MONTHS, number % _MONTHS + 1
    last = monthrange(year, month)[1]
    return Period(f"{year:04}-{month:02}", Span(date(year, month, 1), date(year, month, last)))


def _cell(tally: Tally, group: Group, what: What, period: Period) -> Cell:
    count = tally.count(what, group.chosen, period.span)
    behind = BEHIND.get(what)
    watched = tally.watched(group.chosen, period.span)
    exposed = what is What.DETECTIONS and watched.judged > 0 and watched.site_years > 0
    return Cell(
        count,
        None if behind is None else tally.count(behind, group.chosen, period.span),
        watched,
        rate(count.count, watched.site_years) if exposed else None,
    )


def charts(found: Comparison) -> tuple[Chart, ...]:
    """Return the counts as a chart, and what stands behind them as another one below.

    A period in which nothing stands behind a count has no point: nothing is known of it.
    """
    title = f"{WHAT_WORDS[found.what]}: {' against '.join(group.label for group in found.groups)}"
    note = "Bars: from what surely falls into the period to what may (dates are intervals)."
    behind = BEHIND.get(found.what)
    counts = [[cell.count if cell.is_known else None for cell in row] for row in found.cells]
    above = _chart(found, f"{title[0].upper()}{title[1:]}", note, counts)
    if behind is None:
        return (above,)
    under = [[cell.behind for cell in row] for row in found.cells]
    empty = "Where there are none, nothing is known, and there is no point above."
    below = _chart(found, f"Out of: {WHAT_WORDS[behind]}", empty, under)
    return (above, below) if found.what is not What.DETECTIONS else (above, _rates(found), below)


def _rates(found: Comparison) -> Chart:
    dots = [[_rate_dot(x, cell.rate) for x, cell in enumerate(row)] for row in found.cells]
    highest = max((dot.y for row in dots for dot in row if math.isfinite(dot.y)), default=1.0) or 1.0
    highs = max((dot.high for row in dots for dot in row if math.isfinite(dot.high)), default=highest)
    note = "Bars: exact 95 % interval (Garwood), cut at the edge where it is far wider than the rates."
    chart = _drawn(found, "Detections a site-year", note, "a site-year", dots)
    return replace(chart, y_max=min(4 * highest, highs))


def _chart(found: Comparison, title: str, note: str, counts: Sequence[Sequence[Count | None]]) -> Chart:
    dots = [[_dot(x, each) for x, each in enumerate(row)] for row in counts]
    return _drawn(found, title, note, "count", dots)


def _drawn(found: Comparison, title: str, note: str, unit: str, dots: Sequence[Sequence[Dot]]) -> Chart:
    lines = [
        Line(
            f"{group.label} ({_sites(group)})",
            tuple(row),
            dashed=bool(number),
            marker=Marker.SQUARE if number else Marker.CIRCLE,
        )
        for number, (group, row) in enumerate(zip(found.groups, dots, strict=True))
    ]
    every = -(-len(found.periods) // _MOST_TICKS) or 1
    ticks = tuple((float(x), period.label) for x, period in enumerate(found.periods) if x % every == 0)
    return Chart(title, "", unit, tuple(lines), note, x_ticks=ticks)


def _rate_dot(x: int, rate: Rate | None) -> Dot:
    if rate is None:
        return Dot(float(x), math.nan, math.nan, math.nan)
    return Dot(float(x), rate.estimate, rate.low, rate.high)


def _dot(x: int, count: Count | None) -> Dot:
    if count is None:
        return Dot(float(x), math.nan, math.nan, math.nan)
    return Dot(float(x), count.count, count.sure, count.possible)


def _sites(group: Group) -> str:
    count = int(group.chosen.sum())
    return f"{count} site{'' if count == 1 else 's'}"
