"""Are standardised residuals standard? Each look of quiet simulated sites against the model before it.

    OMP_NUM_THREADS=1 python benchmarks/series_calibration.py [--sites N] [--seed N]

A look counts when 40 % of the frame is clear. z is the residual over its deviation, EWMA that over its own;
both would have a spread of 1 (1.4826 times the median size) if nothing but independent noise were left.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.laid import MAX_LEVERAGE, laid_onto_the_model
from imagery.change.seriesmonitor import SeriesMonitor, as_it_is
from imagery.change.state import SiteState
from imagery.simulate.population import random_specs
from imagery.simulate.site import simulate_site, site_rng

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imagery.change.seriesmonitor import Prepare, Step
    from imagery.model import Chip

MIN_CLEAR = 0.4
MAD_TO_SIGMA = 1.4826
STAGES = ((6, "6 to 11"), (12, "12 to 23"), (24, "24 to 53"), (54, "54 and more"))


def chips_of(sites: int, seed: int) -> list[list[Chip]]:
    """Return the clear chips of some quiet sites."""
    specs = random_specs(sites, np.random.default_rng(seed), quiet=True)
    simulated = (simulate_site(spec, site_rng(seed, spec.site_id)) for spec in specs)
    return [[c for c in site.chips(overcast=False) if c.clear_fraction() > MIN_CLEAR] for site in simulated]


def figures(step: Step) -> tuple[float, float, float]:
    """Return spread of z, share of |z| above 3, spread of the EWMA."""
    z, ewma = (finite(array) for array in (step.z, step.ewma_z()))
    return (
        MAD_TO_SIGMA * float(np.median(np.abs(z))),
        float((np.abs(z) > 3).mean()),
        MAD_TO_SIGMA * float(np.median(np.abs(ewma))),
    )


def finite(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what is known."""
    return array[np.isfinite(array)]


def measured(name: str, prepare: Prepare, sites: list[list[Chip]]) -> None:
    """Print the rows of one preparation."""
    found: dict[tuple[str, str], list[tuple[float, float, float]]] = defaultdict(list)
    refused = taken = 0
    for chips in sites:
        by_key = {"+".join(chip.scene_ids): chip for chip in chips}
        state = SiteState.fresh(chips[0])
        monitor = SeriesMonitor(state, lambda look, by_key=by_key: by_key[look.key.id], prepare=prepare)  # type: ignore[misc]
        for chip in chips:
            step = monitor.monitor(chip)
            taken += 1
            refused += step.refused is not None
            if step.refused or not step.looks or not np.isfinite(step.z).any():
                continue
            stage = [text for least, text in STAGES if step.looks >= least][-1]
            known = float(np.median(finite(step.expected.leverage))) <= MAX_LEVERAGE
            found["known" if known else "unknown", stage].append(figures(step))
    stages = [text for _, text in STAGES]
    for (season, stage), rows in sorted(
        found.items(), key=lambda item: (item[0][0], stages.index(item[0][1]))
    ):
        spread, beyond, ewma = np.median(rows, axis=0)
        print(
            f"| {name} | {season} | {stage} | {len(rows)} | {spread:.2f} | {100 * beyond:.1f}% | {ewma:.2f} |"
        )
    print(f"| {name} | | refused | {refused} of {taken} | | | |")


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sites", type=int, default=12)
    arguments.add_argument("--seed", type=int, default=3)
    given = arguments.parse_args()
    sites = chips_of(given.sites, given.seed)
    print("| preparation | season | fitted to looks | looks | spread of z | beyond 3 | spread of EWMA |")
    print("|---|---|---|---|---|---|---|")
    measured("none", as_it_is, sites)
    measured("laid onto the model", laid_onto_the_model(), sites)


if __name__ == "__main__":
    main()
