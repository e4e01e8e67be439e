"""The tables of an evaluation, as text."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from imagery.change.bounds import SITE_YEARS
from imagery.change.scorecard import HORIZONS
from imagery.change.tracks import Level

if TYPE_CHECKING:
    from imagery.change.bounds import Proportion, Rate
    from imagery.change.evaluation import Interval, Spread
    from imagery.change.scorecard import LevelFigures, PowerCurve, Scorecard, TargetFigures
    from imagery.change.smallest import Smallest
    from watch.cli.output import Output
    from watch.evaluate import Evaluation


def print_comparison(evaluation: Evaluation, output: Output) -> None:
    """Print one row a detector and mode, all at the common false-alarm rate, for the strongest contrast."""
    output.line()
    if not _targets(evaluation):
        output.line(
            "No comparison at one false-alarm rate: it takes two quiet sites that were judged (trials of one "
            f"place are one site), and changes that {max(HORIZONS)} clear looks follow."
        )
        return
    output.line(
        f"At one false-alarm rate, strongest contrast, {HORIZONS[0]} clear looks. {evaluation.statement}"
    )
    sides = sorted({cell.side_m for figures in _targets(evaluation) for cell in _curve(figures).cells})
    output.table(
        [
            "detector",
            "mode",
            "alarms a site-year, held out#",
            *(f"{side:g} m#" for side in sides),
            "half found, m#",
            "9 of 10 found, m#",
        ],
        [
            (
                card.detector,
                figures.mode,
                f"{figures.threshold.held_out.estimate:.2f}",
                *(_cell(_curve(figures), side) for side in sides),
                _size(_curve(figures).half),
                _size(_curve(figures).most),
            )
            for card in evaluation.cards
            for figures in card.at_target
            if figures.curves
        ],
    )


def _targets(evaluation: Evaluation) -> list[TargetFigures]:
    return [figures for card in evaluation.cards for figures in card.at_target if figures.curves]


def _curve(figures: TargetFigures) -> PowerCurve:
    wanted = [curve for curve in figures.curves if curve.within_looks == HORIZONS[0]]
    return max(wanted, key=lambda curve: curve.contrast)


def print_evaluation(evaluation: Evaluation, output: Output) -> None:
    """Print the tables of an evaluation."""
    output.line(evaluation.statement)
    for card in evaluation.cards:
        output.line()
        output.line(_head(card))
        if not card.judged_looks:
            output.line(
                "Nothing was judged: no look was clear enough, or the history before it is too short. Run "
                "sitewatch run, then sitewatch looks SITE: it tells why, look by look."
            )
            continue
        _print_alarms(card, output)
        _print_target(card, output)
    output.line()
    output.line("In brackets: 95 % intervals. " + evaluation.statement)


def _head(card: Scorecard) -> str:
    return (
        f"{card.detector}: {card.quiet_sites} quiet sites ({card.quiet_site_years:.1f} site-years) and "
        f"{card.changed_sites} changed ones; {card.judged_looks:,} of {card.clear_looks:,} clear looks judged"
    )


def _print_alarms(card: Scorecard, output: Output) -> None:
    told = [figures for figures in card.levels if _is_reached(figures)]
    output.line("By its own alarms, in 100 quiet site-years:")
    output.table(
        ["level", *(f"{mode}#" for mode, _ in card.levels[0].by_mode), "all#", "all, below with 95 %#"],
        [
            (
                figures.level.name.lower(),
                *(_per_100(rate) for _, rate in figures.by_mode),
                _per_100(figures.false_alarms),
                f"{SITE_YEARS * figures.false_alarms.upper:.1f}" if figures.false_alarms.site_years else "-",
            )
            for figures in told
        ],
    )
    output.line("and what it says of the changes that it finds:")
    output.table(
        ["level", "found#", "looks#", "bracket holds#", "90 % interval holds#", "days off#", "area off#"],
        [
            (
                figures.level.name.lower(),
                _share(figures.found),
                _spread(figures.delay, "{:.0f}"),
                _interval(figures.bracket),
                _interval(figures.date_interval),
                _spread(figures.date_error),
                _spread(figures.area_error, "{:+.0%}"),
            )
            for figures in told
        ],
    )


def _is_reached(figures: LevelFigures) -> bool:
    """Return whether the detector knows the level: one that never confirms anything has none."""
    counts = (figures.false_alarms.events, figures.found.successes)
    return figures.level is Level.CANDIDATE or any(counts)


def _print_target(card: Scorecard, output: Output) -> None:
    own = card.levels[Level.CANDIDATE - 1].curves
    if own and not card.at_target:
        output.line("found by its own candidates, by size:")
        _print_curves(own, output)
    for figures in card.at_target:
        held = figures.threshold.held_out
        output.line(
            f"{figures.mode}, threshold {figures.threshold.value:.3g} for {figures.threshold.target:g} "
            f"alarms a site-year; on the held-out half {held.estimate:.2f} [{held.low:.2f}, {held.high:.2f}]:"
        )
        _print_curves(figures.curves, output)
        told = "; ".join(
            f"{_percent(each.false_discovery_rate)} (at most {each.false_discovery_upper:.0%}) at "
            f"{each.base_rate:g} changes a site-year"
            for each in figures.precision
        )
        output.line(f"false ones among its alarms: {told}")
    tested = card.p_values
    if tested.count:
        output.line(
            f"p-values of {tested.count} quiet looks: distance to uniform {tested.distance:.3f} "
            f"(p {tested.p:.2f})"
        )
    else:
        output.line("p-values: too few quiet scores for a null")


def _print_curves(curves: tuple[PowerCurve, ...], output: Output) -> None:
    sides = sorted({cell.side_m for curve in curves for cell in curve.cells})
    output.table(
        ["contrast#", "looks#", *(f"{side:g} m#" for side in sides), "half found, m#", "9 of 10 found, m#"],
        [
            (
                f"{curve.contrast:g}",
                curve.within_looks,
                *(_cell(curve, side) for side in sides),
                _size(curve.half),
                _size(curve.most),
            )
            for curve in curves
        ],
    )


def _cell(curve: PowerCurve, side: float) -> str:
    found = [cell.found for cell in curve.cells if cell.side_m == side]
    return f"{found[0].successes}/{found[0].trials}" if found else "-"


def _percent(share: float) -> str:
    return f"{share:.0%}" if math.isfinite(share) else "unknown"


def _size(smallest: Smallest) -> str:
    def words(side: float) -> str:
        return f"{side:.0f}" if math.isfinite(side) else "none"

    sign = "<= " if smallest.at_most else ""
    return f"{sign}{words(smallest.side_m)} [{words(smallest.low)}, {words(smallest.high)}]"


def _per_100(found: Rate) -> str:
    if not found.site_years:
        return "-"
    return f"{found.per_100:.1f} [{SITE_YEARS * found.low:.1f}, {SITE_YEARS * found.high:.1f}]"


def _share(share: Proportion) -> str:
    return f"{share.estimate:.0%} [{share.low:.0%}, {share.high:.0%}]" if share.trials else "-"


def _interval(interval: Interval) -> str:
    told = interval.covered.trials
    return f"{_share(interval.covered)}, {interval.median_width:.0f} d" if told else "-"


def _spread(errors: Spread, form: str = "{:+.0f}") -> str:
    if not errors.count:
        return "-"
    low, high = form.format(errors.low), form.format(errors.high)
    return f"{form.format(errors.median)} ({low} to {high})"
