"""`sitewatch simulate`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watch.cli.options import Json, Quiet

if TYPE_CHECKING:
    from watch.simulation import Planted


def simulate(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.", show_default=False)],
    sites: Annotated[int, typer.Option(metavar="N", min=1, max=9999, help="How many sites.")] = 4,
    span: Annotated[
        str, typer.Option(metavar="A/B", help="Days, both included: 2021-04-01/2021-10-31, or 2021.")
    ] = "2021/2023",
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Another number gives other sites.")] = 1,
    changes: Annotated[
        str,
        typer.Option(metavar="WHAT", help="What is planted on two sites of every four: none, roof or any."),
    ] = "any",
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Make a workspace of simulated sites, with the truth beside it in truth.geojson.

    Catalogue, scenes and pages say that they are simulated. What is modelled, and what is not, stands in
    docs/simulation.md.
    """
    from geo.dates import parse_span
    from watch.cli.output import Output
    from watch.cli.progress import counted
    from watch.simulation import TRUTH_FILE, simulate_workspace

    output = Output(json, quiet)
    planted, days = _planted(changes), parse_span(span)
    with counted(output, "simulate") as progress:
        made = simulate_workspace(folder, days, sites=sites, seed=seed, planted=planted, progress=progress)
    output.document(
        {
            "workspace": str(made.workspace.root),
            "sites": len(made.sites),
            "scenes": len(made.scenes),
            "changes": made.changes,
            "truth": str(made.workspace.root / TRUTH_FILE),
        }
    )
    output.line(
        f"Made a workspace of {len(made.sites)} simulated sites in {made.workspace.root}: "
        f"{len(made.scenes)} scenes, {made.changes} changes planted ({TRUTH_FILE})."
    )
    output.line(f"Next, in that folder: sitewatch run --now {days.end} and sitewatch map.")


def _planted(text: str) -> Planted:
    from geo.errors import InputError, Where
    from watch.simulation import Planted

    if text not in set(Planted):
        known = ", ".join(Planted)
        problem = f"{text!r} is nothing to plant"
        raise InputError(problem, where=Where(field="--changes"), hint=f"Use one of {known}")
    return Planted(text)
