"""`sitewatch evaluate`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from watch.cli.options import HERE, Json, Quiet, Workspace

if TYPE_CHECKING:
    from imagery.change.labelled import LabelFigures
    from watch.cli.output import Output
    from watch.trials_simulated import Design


class Data(StrEnum):
    """On which data detectors are measured."""

    SIMULATED = "simulated"
    INJECTED = "injected"
    LABELLED = "labelled"


def evaluate(
    data: Annotated[
        Data,
        typer.Argument(
            help="simulated sites; injected: roofs put into the real looks of a workspace; labelled: two "
            "images whose changes are known.",
        ),
    ] = Data.SIMULATED,
    sites: Annotated[int, typer.Option(min=4, help="Simulated sites, quiet and changed ones.")] = 120,
    changed_sites: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Of these, the sites on which a roof is built; the others stay quiet.  [default: half]",
            show_default=False,
        ),
    ] = None,
    years: Annotated[
        float, typer.Option(min=0.5, max=20, help="Monitored years of each simulated site.")
    ] = 1.5,
    seed: Annotated[int, typer.Option(min=0, help="Another one gives other sites and places.")] = 1,
    workers: Annotated[int, typer.Option(min=1, help="Processes; the figures don't depend on it.")] = 1,
    detector: Annotated[
        list[str] | None,
        typer.Option(help="Which detectors, by name; every one if none is named.", show_default=False),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A few simulated sites, in about a minute; says little.")
    ] = False,
    pair: Annotated[
        tuple[Path, Path] | None,
        typer.Option(metavar="BEFORE AFTER", help="Labelled: the two images.", show_default=False),
    ] = None,
    labels: Annotated[
        tuple[Path, Path] | None,
        typer.Option(
            metavar="CHANGED UNCHANGED",
            help="Labelled: rasters of the same pixels, not 0 where labelled.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="Folder for the figures, charts and nulls of quiet scores; simulated sites that a stopped "
            "command judged there are taken over.",
            show_default=False,
        ),
    ] = None,
    workspace: Workspace = HERE,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Measure detectors: what they find, what they invent, how good their dates and sizes are.

    Some of the simulated sites stay quiet; on each of the others a roof of known size is built on a known
    day. Every figure comes with its interval. See docs/evaluation.md for what each one means.
    """
    from watch.cli.evaluation_tables import print_comparison, print_evaluation
    from watch.cli.output import Output
    from watch.cli.progress import counted
    from watch.evaluate import evaluate as judge
    from watch.evaluate import makers, write_evaluation
    from watch.evaluation_rows import NAME, EvaluationRows

    output = Output(json, quiet)
    if data is Data.LABELLED:
        _labelled(pair, labels, output)
        return
    chosen = makers(detector or ())
    if data is Data.INJECTED:
        asked = _injected(workspace, seed)
    else:
        asked = _simulated(_design(sites, changed_sites, years, seed, quick=quick))
    rows = (
        EvaluationRows(out / NAME, asked["settings"], list(chosen))
        if out and data is Data.SIMULATED
        else None
    )
    with counted(output, "sites") as progress:
        evaluation = judge(makers=chosen, seed=seed, workers=workers, progress=progress, rows=rows, **asked)
    written = write_evaluation(evaluation, out) if out else ()
    if rows:
        rows.drop()
    output.document(evaluation.document())
    print_evaluation(evaluation, output)
    if len(evaluation.cards) > 1:
        print_comparison(evaluation, output)
    for path in written:
        output.line(str(path))


def _design(sites: int, changed_sites: int | None, years: float, seed: int, *, quick: bool) -> Design:
    from geo.errors import InputError
    from watch.trials_simulated import Design

    if quick:
        return Design.quick(seed=seed)
    design = Design(sites, years, seed, changed_sites=changed_sites)
    if design.changed > sites - _LEAST_QUIET:
        raise InputError(
            f"{design.changed} changed sites of {sites} leave too few quiet ones",
            hint=f"Say --changed-sites {sites - _LEAST_QUIET} or fewer, or more --sites",
        )
    return design


_LEAST_QUIET = 2


def _simulated(design: Design) -> dict[str, Any]:
    from watch.trials_simulated import STATEMENT, plans, settings

    return {"plans": plans(design), "statement": STATEMENT, "settings": settings(design)}


def _injected(root: Path, seed: int) -> dict[str, Any]:
    from watch.trials_injected import plans, settings, statement
    from watch.workspace import Workspace as Folder

    folder = Folder.open(root)
    return {
        "plans": plans(folder, seed=seed),
        "statement": statement(folder),
        "settings": settings(folder, seed=seed),
    }


def _labelled(pair: tuple[Path, Path] | None, labels: tuple[Path, Path] | None, output: Output) -> None:
    from geo.errors import InputError
    from watch.labelled import figures_json, labelled_pair

    if pair is None or labels is None:
        raise InputError(
            "labelled data are two images and two rasters of labels",
            hint="Say --pair BEFORE AFTER --labels CHANGED UNCHANGED",
        )
    figures = labelled_pair(pair, labels)
    output.document(figures_json(figures))
    _print_labelled(figures, output)


def _print_labelled(figures: LabelFigures, output: Output) -> None:
    output.line(f"{figures.changed_px:,} pixels labelled changed, {figures.unchanged_px:,} unchanged")
    output.line(
        f"F1 {figures.f1:.3f}, precision {figures.precision:.3f}, recall {figures.recall:.3f}, "
        f"{figures.false_positive_rate:.2%} of the unchanged flagged"
    )
    output.line(
        f"AUC {figures.auc:.4f}, standard error {figures.auc_error:.4f} if pixels were independent "
        "(neighbours are not: it is larger)"
    )
