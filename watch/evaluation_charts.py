"""The charts of an evaluation: power by size, false alarms with their bounds, p-values as they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imagery.change.bounds import SITE_YEARS
from imagery.change.scorecard import HORIZONS
from imagery.change.thresholds import TARGET_RATE
from maps.charts import Chart, Dot, Line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imagery.change.bounds import Proportion, Rate
    from imagery.change.scorecard import PowerCurve, Scorecard
    from watch.evaluate import Evaluation


def charts(evaluation: Evaluation) -> dict[str, Chart]:
    """Return charts by file name."""
    found = {
        f"power-{horizon}-looks.svg": _power(evaluation, horizon)
        for horizon in HORIZONS
        if any(_curves(card, horizon) for card in evaluation.cards)
    }
    return {**found, "false-alarms.svg": _false_alarms(evaluation), "p-values.svg": _p_values(evaluation)}


def _curves(card: Scorecard, horizon: int) -> list[PowerCurve]:
    curves = [curve for figures in card.at_target for curve in figures.curves]
    return [curve for curve in curves if curve.within_looks == horizon]


def _power(evaluation: Evaluation, horizon: int) -> Chart:
    lines = [
        Line(
            f"{card.detector}, {curve.mode}, {curve.contrast:g}",
            tuple(_share(cell.side_m, cell.found) for cell in curve.cells),
        )
        for card in evaluation.cards
        for curve in _curves(card, horizon)
    ]
    return Chart(
        title=f"Found within {horizon} clear looks, at {TARGET_RATE:g} false alarms a site-year",
        x_label="side of the square of the same area, m",
        y_label="share of changes found",
        lines=tuple(lines),
        note=evaluation.statement,
        y_max=1.0,
        levels=(0.5, 0.9),
    )


def _share(x: float, found: Proportion) -> Dot:
    return Dot(x, found.estimate, found.low, found.high)


def _false_alarms(evaluation: Evaluation) -> Chart:
    bars = list(_rates(evaluation))
    levels = dict.fromkeys(level for level, _, _ in bars)
    names = dict.fromkeys(name for _, name, _ in bars)
    place = {name: float(number) for number, name in enumerate(names)}
    shift = {level: 0.12 * number for number, level in enumerate(levels)}
    lines = [
        Line(
            level,
            tuple(_per_100(place[name] + shift[level], rate) for each, name, rate in bars if each == level),
            joined=False,
        )
        for level in levels
    ]
    return Chart(
        title="False alarms on quiet sites",
        x_label="detector",
        y_label="per 100 site-years",
        lines=tuple(lines),
        note=evaluation.statement,
        x_ticks=tuple((number, name) for name, number in place.items()),
        levels=(SITE_YEARS * TARGET_RATE,),
    )


def _rates(evaluation: Evaluation) -> Iterator[tuple[str, str, Rate]]:
    for card in evaluation.cards:
        for figures in card.levels:
            yield f"own {figures.level.name.lower()}", card.detector, figures.false_alarms
        for target in card.at_target:
            yield f"at the common threshold, {target.mode}", card.detector, target.threshold.held_out


def _per_100(x: float, rate: Rate) -> Dot:
    return Dot(x, rate.per_100, SITE_YEARS * rate.low, SITE_YEARS * rate.high)


def _p_values(evaluation: Evaluation) -> Chart:
    lines = [
        Line(card.detector, tuple(_share(level, found) for level, found in card.p_values.below))
        for card in evaluation.cards
    ]
    fair = Line("what they should be", (Dot(0.0, 0.0, 0.0, 0.0), Dot(1.0, 1.0, 1.0, 1.0)))
    return Chart(
        title="p-values of quiet looks: share at or below",
        x_label="p",
        y_label="share of quiet looks",
        lines=(*lines, fair),
        note=evaluation.statement,
        x_ticks=tuple((value / 10, f"{value / 10:g}") for value in range(0, 11, 2)),
        y_max=1.0,
    )
