"""`sitewatch regions`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.dates import Span
    from imagery.change.bounds import Rate
    from maps.comparison import Cell, Comparison
    from maps.regions import Group, Regions, Row
    from maps.tally import Count
    from maps.tally import What as Counted
    from watch.cli.output import Output


class By(StrEnum):
    """`maps.regions.By`, which costs an import that ``--help`` must not pay."""

    PROVINCE = "province"
    COUNTY = "county"
    CATEGORY = "category"


class What(StrEnum):
    """`maps.tally.What`, for the same reason."""

    SITES = "sites"
    NAMED = "named"
    NOTES = "notes"
    CONSTRUCTION = "construction"
    INVESTMENT = "investment"
    CHANGES = "changes"
    LOOKS = "looks"
    JUDGED = "judged"
    DETECTIONS = "detections"


class Step(StrEnum):
    """`maps.comparison.Step`, for the same reason."""

    YEAR = "year"
    MONTH = "month"


def regions(
    by: Annotated[By, typer.Option(help="What sites are grouped by.")] = By.PROVINCE,
    span: Annotated[
        str | None,
        typer.Option(metavar="A/B", help="Only these days; all time when absent.", show_default=False),
    ] = None,
    count: Annotated[
        What | None,
        typer.Option(help="Count this, and say how surely; for --compare: notes.", show_default=False),
    ] = None,
    compare: Annotated[
        tuple[str, str] | None,
        typer.Option(
            metavar="A B",
            help="Compare two groups over time: a province, county or category, or several joined by '+'.",
            show_default=False,
        ),
    ] = None,
    step: Annotated[Step, typer.Option(help="Length of a period of --compare.")] = Step.YEAR,
    plot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw --compare as an SVG file.", dir_okay=False, show_default=False
        ),
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Count sites, notes, looks and detections by province, county or category, beside their denominators.

    A date that is an interval counts in the period of its last day; beside the count stand how many surely
    fall into the period and how many may. Where no look could be judged, nothing is known about change.
    """
    from geo.errors import InputError, Where
    from maps.tally import What as Tallied
    from watch.cli.options import closed_span
    from watch.cli.output import Output
    from watch.regions import regions_of
    from watch.workspace import Workspace as Folder

    output = Output(json, quiet)
    days = None if span is None else closed_span(span)
    if plot is not None and compare is None:
        hint = "Say what is drawn: --compare A B"
        raise InputError("only a comparison can be drawn", where=Where(field="--plot"), hint=hint)
    found = regions_of(Folder.open(workspace))
    if compare is None:
        _tell_groups(found, by, days, None if count is None else Tallied(count), output)
    else:
        _compare(found, compare, Tallied(count or What.NOTES), days, step, plot, output)


def _tell_groups(found: Regions, by: By, span: Span | None, what: Counted | None, output: Output) -> None:
    from maps.provinces import How
    from maps.regions import By as Grouping

    rows = found.table(Grouping(by), span)
    placed = {how.value: sum(each.how is how for each in found.where) for how in How}
    output.document(
        {
            "by": str(by),
            "span": None if span is None else str(span),
            "placed": placed,
            "groups": [_row_json(row) for row in rows],
        }
    )
    if what is None:
        _overview(rows, by, output)
    else:
        _one_count(rows, what, by, output)
    output.line(_found_words(found, by))


def _found_words(found: Regions, by: By) -> str:
    """Return how it is known where the sites lie."""
    from maps.provinces import How

    total = len(found.where)
    if by is By.CATEGORY:
        return f"{total} sites."
    if by is By.COUNTY:
        named = sum(bool(county.name) for county in found.counties)
        own = sum(county.by_name for county in found.counties)
        return f"{total} sites: {named - own} by the county that is written, {own} by a county in their name."
    count = {how: sum(each.how is how for each in found.where) for how in How}
    near = f", {count[How.NEAR]} just outside one" if count[How.NEAR] else ""
    return (
        f"{total} sites: {count[How.NAME]} by the province that is written, {count[How.POINT]} by their "
        f"point inside an outline{near}, {count[How.NONE]} in no province of the DPRK. "
        "Nampo and Kaesong have no outline of their own on the map."
    )


def _overview(rows: Sequence[Row], by: By, output: Output) -> None:
    from maps.tally import What as Tallied

    columns = ["sites#", "seen#", "notes#", "looks#", "judged#", "detections#", "site-years#"]
    output.table(
        [str(by), *columns, "detections a site-year, 95 %#"],
        [
            (
                row.group.label,
                row.watched.sites,
                row.watched.seen,
                row.counts[Tallied.NOTES].count,
                row.watched.looks,
                row.watched.judged,
                row.counts[Tallied.DETECTIONS].count if row.watched.judged else "not known",
                f"{row.watched.site_years:.1f}",
                rate_words(row.detected),
            )
            for row in rows
        ],
    )


def _one_count(rows: Sequence[Row], what: Counted, by: By, output: Output) -> None:
    from maps.comparison import BEHIND, WHAT_WORDS

    behind = BEHIND.get(what)
    out_of = [] if behind is None else [f"out of {WHAT_WORDS[behind]}#"]
    output.table(
        [str(by), f"{WHAT_WORDS[what]}#", "surely#", "at most#", *out_of, "sites#"],
        [
            (
                row.group.label,
                *_count_cells(row.counts[what], None if behind is None else row.counts[behind]),
                row.watched.sites,
            )
            for row in rows
        ],
    )


def _count_cells(count: Count, behind: Count | None) -> tuple[object, ...]:
    if behind is None:
        return count.count, count.sure, count.possible
    if not behind.possible:
        return "not known", None, None, 0
    return count.count, count.sure, count.possible, behind.count


def rate_words(found: Rate | None) -> str:
    """Return a rate with its interval; nothing where nothing could be judged."""
    return "" if found is None else f"{found.estimate:.2g} ({found.low:.2g} to {found.high:.2g})"


def _compare(
    found: Regions,
    pair: tuple[str, str],
    what: Counted,
    span: Span | None,
    step: Step,
    plot: Path | None,
    output: Output,
) -> None:
    from geo.durable import write_text
    from maps.charts import stacked
    from maps.comparison import Step as Length
    from maps.comparison import charts
    from maps.comparison import compare as compared

    one, other = (found.group(text) for text in pair)
    comparison = compared(found, one, other, what, span=span, step=Length(step))
    output.document(comparison_json(comparison, step))
    _show_comparison(comparison, output)
    for group in comparison.groups:
        if group.remark:
            output.note(group.remark)
    if plot is not None:
        write_text(plot, stacked(charts(comparison)))
        output.line(str(plot))


def _show_comparison(found: Comparison, output: Output) -> None:
    from maps.comparison import BEHIND, WHAT_WORDS

    behind = BEHIND.get(found.what)
    heads = [
        head
        for group in found.groups
        for head in (f"{group.label}#", *([] if behind is None else [f"of {WHAT_WORDS[behind]}#"]))
    ]
    rows = [
        (period.label, *(part for cell in pair for part in _cell_words(cell)))
        for period, pair in zip(found.periods, zip(*found.cells, strict=True), strict=True)
        if any(cell.count.possible or (cell.behind and cell.behind.possible) for cell in pair)
    ]
    output.table(["period", *heads], rows)
    sites = ", ".join(f"{group.label}: {int(group.chosen.sum())} sites" for group in found.groups)
    output.line(f"{WHAT_WORDS[found.what]}; {sites}. Periods without any are left out.")


def _cell_words(cell: Cell) -> tuple[str, ...]:
    count = cell.count
    doubt = "" if count.sure == count.possible else f" ({count.sure} to {count.possible})"
    rate = f", {rate_words(cell.rate)} a site-year" if cell.rate is not None else ""
    words = f"{count.count}{doubt}{rate}" if cell.is_known else "not known"
    return (words,) if cell.behind is None else (words, str(cell.behind.count))


def comparison_json(found: Comparison, step: str) -> dict[str, Any]:
    """Return a comparison as JSON values."""
    return {
        "count": str(found.what),
        "step": str(step),
        "groups": [_group_json(group) for group in found.groups],
        "periods": [
            {"period": period.label, "cells": [_cell_json(cell) for cell in pair]}
            for period, pair in zip(found.periods, zip(*found.cells, strict=True), strict=True)
        ],
    }


def _cell_json(cell: Cell) -> dict[str, Any]:
    return {
        **_count_json(cell.count),
        "known": cell.is_known,
        "out_of": None if cell.behind is None else _count_json(cell.behind),
        "judged": cell.watched.judged,
        "site_years": round(cell.watched.site_years, 4),
        "per_site_year": _rate_json(cell.rate),
    }


def _row_json(row: Row) -> dict[str, Any]:
    watched, per_100 = row.watched, row.per_100_looks
    return {
        **_group_json(row.group),
        "looked": watched.looked,
        "seen": watched.seen,
        "counts": {str(what): _count_json(count) for what, count in row.counts.items()},
        "site_years": round(watched.site_years, 4),
        "detections_per_site_year": _rate_json(row.detected),
        "detections_per_100_judged_looks": None if per_100 is None else round(per_100, 4),
    }


def _group_json(group: Group) -> dict[str, Any]:
    sites = int(group.chosen.sum())
    return {"group": group.spec, "label": group.label, "sites": sites, "remark": group.remark or None}


def _count_json(count: Count) -> dict[str, int]:
    return {"count": count.count, "sure": count.sure, "possible": count.possible}


def _rate_json(found: Rate | None) -> dict[str, float] | None:
    if found is None:
        return None
    return {"estimate": found.estimate, "low": found.low, "high": found.high, "confidence": 0.95}
