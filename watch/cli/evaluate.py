"""`sitewatch evaluate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watch.cli.options import Json, Quiet

if TYPE_CHECKING:
    from imagery.change.bounds import Proportion, Rate
    from imagery.change.evaluation import Interval, Spread
    from imagery.change.scorecard import PowerCurve, Scorecard
    from imagery.change.smallest import Smallest
    from watch.cli.output import Output
    from watch.evaluate import Evaluation


def evaluate(
    sites: Annotated[int, typer.Option(min=4, help="Simulated sites; half of them stay quiet.")] = 120,
    years: Annotated[float, typer.Option(min=0.5, max=20, help="Monitored years of each site.")] = 1.5,
    seed: Annotated[int, typer.Option(min=0, help="Another one gives other sites.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes; the figures don't depend on it.")] = 1,
    detector: Annotated[
        list[str] | None,
        typer.Option(help="Which detectors, by name; every one if none is named.", show_default=False),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A few sites, in about a minute; says little.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder for the figures, charts and nulls of quiet scores.", show_default=False),
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure detectors on simulated sites: what they find, what they invent, how sure their dates are.

    Half of the sites stay quiet; on each of the others a roof of known size is built on a known day. Every
    figure comes with its interval. See docs/evaluation.md for what each one means.
    """
    from watch.cli.output import Output
    from watch.cli.progress import counted
    from watch.evaluate import evaluate as judge
    from watch.evaluate import makers, write_evaluation
    from watch.simulated import STATEMENT, Design, plans, settings

    output = Output(json, quiet)
    design = Design.quick(seed=seed) if quick else Design(sites, years, seed)
    with counted(output, "sites") as progress:
        evaluation = judge(
            plans(design),
            makers(detector or ()),
            statement=STATEMENT,
            settings=settings(design),
            seed=seed,
            workers=workers,
            progress=progress,
        )
    written = write_evaluation(evaluation, out) if out else ()
    output.document(evaluation.document())
    _print(evaluation, output)
    for path in written:
        output.line(str(path))


def _print(evaluation: Evaluation, output: Output) -> None:
    output.line(evaluation.statement)
    for card in evaluation.cards:
        output.line()
        output.line(_head(card))
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
    output.line("By its own alarms:")
    output.table(
        [
            "level",
            "false alarms in 100 site-years#",
            "found#",
            "bracket holds#",
            "90 % interval holds#",
            "date off, days#",
            "looks needed#",
            "area off#",
        ],
        [
            (
                figures.level.name.lower(),
                _per_100(figures.false_alarms),
                _share(figures.found),
                _interval(figures.bracket),
                _interval(figures.date_interval),
                _spread(figures.date_error),
                _spread(figures.delay),
                _spread(figures.area_error, percent=True),
            )
            for figures in card.levels
        ],
    )


def _print_target(card: Scorecard, output: Output) -> None:
    for figures in card.at_target:
        held = figures.threshold.held_out
        output.line(
            f"{figures.mode}, threshold {figures.threshold.value:.3g} for {figures.threshold.target:g} "
            f"alarms a site-year; on the held-out half {held.estimate:.2f} [{held.low:.2f}, {held.high:.2f}]:"
        )
        _print_curves(figures.curves, output)
        told = "; ".join(
            f"{each.false_discovery_rate:.0%} (at most {each.false_discovery_upper:.0%}) at "
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


def _size(smallest: Smallest) -> str:
    def words(side: float) -> str:
        return f"{side:.0f}" if side < float("inf") else "none"

    sign = "<= " if smallest.at_most else ""
    return f"{sign}{words(smallest.side_m)} [{words(smallest.low)}, {words(smallest.high)}]"


def _per_100(found: Rate) -> str:
    from imagery.change.bounds import SITE_YEARS

    return f"{found.per_100:.1f} [{SITE_YEARS * found.low:.1f}, {SITE_YEARS * found.high:.1f}]"


def _share(share: Proportion) -> str:
    return f"{share.estimate:.0%} [{share.low:.0%}, {share.high:.0%}]" if share.trials else "-"


def _interval(interval: Interval) -> str:
    told = interval.covered.trials
    return f"{_share(interval.covered)}, {interval.median_width:.0f} d" if told else "-"


def _spread(errors: Spread, *, percent: bool = False) -> str:
    if not errors.count:
        return "-"
    form = "{:+.0%}" if percent else "{:+.0f}"
    low, high = form.format(errors.low), form.format(errors.high)
    return f"{form.format(errors.median)} ({low} to {high})"
