"""Are standardised residuals standard? Each look of quiet simulated sites against the model before it.

    OMP_NUM_THREADS=1 python benchmarks/series_calibration.py [--sites N] [--seed N]

A look counts when 40 % of the frame is clear. z is the residual over its deviation, EWMA that over its own;
both would have a spread of 1 (1.4826 times the median size) if nothing but independent noise were left. The
models are those of the site's judge, refits included.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.controls import surroundings
from imagery.change.monitor import Monitored, deviations, ewma_z, update
from imagery.change.prepare import Refused, prepared
from imagery.change.sitejudge import MAX_LEVERAGE, SiteJudge
from imagery.change.spec import WatchSpec
from imagery.simulate.population import random_specs
from imagery.simulate.site import simulate_site, site_rng

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imagery.model import Chip

MIN_CLEAR = 0.4
MAD_TO_SIGMA = 1.4826
STAGES = ((12, "12 to 23"), (24, "24 to 53"), (54, "54 and more"))
SITE_PX = 20


def chips_of(sites: int, seed: int) -> list[list[Chip]]:
    """Return the clear chips of some quiet sites."""
    specs = random_specs(sites, np.random.default_rng(seed), quiet=True)
    simulated = (simulate_site(spec, site_rng(seed, spec.site_id)) for spec in specs)
    return [[c for c in site.chips(overcast=False) if c.clear_fraction() > MIN_CLEAR] for site in simulated]


def spec_of(chip: Chip) -> WatchSpec:
    """Return the rules for a site in the middle of the frame."""
    weights = np.zeros(chip.grid.shape, dtype=np.float32)
    rows, columns = (slice((side - SITE_PX) // 2, (side + SITE_PX) // 2) for side in weights.shape)
    weights[rows, columns] = 1
    return WatchSpec(weights, pixel_area_m2=100.0, min_history=12, max_history=72)


def finite(array: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return what is known."""
    return array[np.isfinite(array)]


class Series:
    """One site: what each look leaves, as it came and laid onto the model."""

    def __init__(self, first: Chip) -> None:
        spec = spec_of(first)
        self._context = surroundings(spec.weights)
        self._judge = SiteJudge(
            spec, first.grid, series=first.series, bands=first.bands, scale=first.scale, chips=None
        )
        self._monitored: dict[str, Monitored] = {}

    def figures(self, chip: Chip) -> dict[str, tuple[str, str, tuple[float, float, float]] | None]:
        """Return by preparation season, stage and figures; None where it was refused."""
        learned = self._judge.memory.learned
        found: dict[str, tuple[str, str, tuple[float, float, float]] | None] = {}
        if learned is not None:
            model = learned.model
            predicted, leverage = model.predict(chip.solar_day, chip.geometry.orbit)
            stage = [text for least, text in STAGES if model.looks >= least][-1]
            known = float(np.median(finite(leverage))) <= MAX_LEVERAGE
            season = "known" if known else "unknown"
            deviation = deviations(model.sigma, leverage)
            result = prepared(chip, predicted, leverage, model.sigma, self._context)
            for name, values, width in (
                ("none", chip.values(), deviation),
                *(
                    []
                    if isinstance(result, Refused)
                    else [
                        (
                            "laid onto the model",
                            result.values,
                            np.sqrt(result.residuals.variance / result.noise[:, None, None]),
                        )
                    ]
                ),
            ):
                state = self._monitored.setdefault(name, Monitored.fresh(len(chip.bands), chip.grid.shape))
                z = finite(update(state, values, predicted, width))
                if z.size:
                    found[name] = season, stage, spreads(z, finite(ewma_z(state)))
            if isinstance(result, Refused):
                found["laid onto the model"] = None
        self._judge.monitor(chip)
        return found


def spreads(z: NDArray[np.float32], ewma: NDArray[np.float32]) -> tuple[float, float, float]:
    """Return spread of z, share of |z| above 3, spread of the EWMA."""
    return (
        MAD_TO_SIGMA * float(np.median(np.abs(z))),
        float((np.abs(z) > 3).mean()),
        MAD_TO_SIGMA * float(np.median(np.abs(ewma))),
    )


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sites", type=int, default=12)
    arguments.add_argument("--seed", type=int, default=3)
    given = arguments.parse_args()
    rows: dict[tuple[str, str, str], list[tuple[float, float, float]]] = defaultdict(list)
    refused = 0
    for chips in chips_of(given.sites, given.seed):
        series = Series(chips[0])
        for chip in chips:
            for name, figures in series.figures(chip).items():
                if figures is None:
                    refused += 1
                else:
                    rows[name, figures[0], figures[1]].append(figures[2])
    print("| preparation | season | fitted to looks | looks | spread of z | beyond 3 | spread of EWMA |")
    print("|---|---|---|---|---|---|---|")
    for (name, season, stage), each in sorted(rows.items()):
        spread, beyond, ewma = np.median(each, axis=0)
        print(
            f"| {name} | {season} | {stage} | {len(each)} | {spread:.2f} | {100 * beyond:.1f}% | {ewma:.2f} |"
        )
    print(f"\nRefused: {refused} looks.")


if __name__ == "__main__":
    main()
