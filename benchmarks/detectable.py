"""How small a building is said to be seen on simulated sites, what saying so costs, and whether it is true.

    python benchmarks/detectable.py --sites 12 --seed 1

Each quiet site is watched until its looks tell sizes. Then the same site is simulated with a bright roof in
it, of one size after the other at random places of the watched ground, and the judge goes on from where it
stood: misregistration, weather, alignment and all. The share of roofs that raise a candidate within 4 and 6
clear looks is set beside the share that was foretold.

Besides, footprints of `FOOTPRINTS_M` are drawn on the same ground, one at a time, and a roof is built exactly
there: what a listed site of such a size is worth.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from imagery.change import sitejudge
from imagery.change.detectable_words import SECTION
from imagery.change.sitejudge import SiteJudge
from imagery.change.spec import WatchSpec
from imagery.model import Outcome
from imagery.simulate.population import ROOF_CONTRAST
from imagery.simulate.site import SimulatedSite, simulate_site, site_rng
from imagery.simulate.spec import PIXEL_M, Change, ChangeKind, Rectangle
from watch.trials_simulated import Design, SimulatedPlan, plans

if TYPE_CHECKING:
    from collections.abc import Sequence

    from imagery.simulate.spec import SiteSpec

SIDES_M = (10.0, 15.0, 20.0, 30.0)
FOOTPRINTS_M = ((17.0, 12.0), (20.0, 20.0))
HORIZONS = (4, 6)
JUDGED = frozenset({Outcome.UNCHANGED, Outcome.CHANGED})
NEAR_PX = 4
DRAWN_TIMES = (0.6, 0.7, 0.8, 0.9)
"""Parts of the dates after which a roof is built on a drawn footprint."""


@dataclass(slots=True)
class Foretold:
    """What one kind of site was told, and what came true."""

    sizes: dict[int, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))
    """By clear looks: sides seen with probability 0.5 and 0.9."""
    shares: dict[tuple[int, float], list[tuple[float, bool]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    """By clear looks and side: the share that was foretold, and whether the roof was found."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--roofs", type=int, default=2, help="of each size, at each of two times of a site")
    arguments = parser.parse_args()
    costs = _timed()
    told: dict[str, Foretold] = defaultdict(Foretold)
    design = Design(sites=2 * arguments.sites, years=1.0, seed=arguments.seed)
    for plan in plans(design)[: arguments.sites]:
        mode = "search" if plan.spec.footprint is None else "listed"
        _watch(plan.spec, arguments.seed, arguments.roofs, told[mode])
    _print_drawn(plans(design)[: arguments.sites], arguments.seed)
    print("foretold sizes, m: median over the sites (lower and upper quartile)")
    for mode, each in sorted(told.items()):
        for looks, sizes in sorted(each.sizes.items()):
            half, nine = (
                np.quantile([size[at] for size in sizes], (0.5, 0.25, 0.75), method="nearest")
                for at in (0, 1)
            )
            print(f"  {mode} {looks} looks: 0.5 {_three(half)}   0.9 {_three(nine)}   ({len(sizes)} times)")
    print("foretold and found")
    for mode, each in sorted(told.items()):
        for (looks, side), pairs in sorted(each.shares.items()):
            foretold, found = np.mean([pair[0] for pair in pairs]), np.mean([pair[1] for pair in pairs])
            words = f"foretold {foretold:.2f}, found {found:.2f} of {len(pairs)}"
            print(f"  {mode} {looks} looks, {side:g} m: {words}")
    if costs:
        print(f"cost: median {np.median(costs) * 1000:.0f} ms, largest {max(costs) * 1000:.0f} ms CPU")


def _print_drawn(among: Sequence[SimulatedPlan], seed: int) -> None:
    print("a roof on the whole of a drawn footprint")
    for width_m, height_m in FOOTPRINTS_M:
        needed = [each for plan in among for each in _drawn(plan.spec, seed, width_m, height_m)]
        shares = ", ".join(f"{looks} looks {np.mean(np.array(needed) <= looks):.2f}" for looks in HORIZONS)
        print(f"  {width_m:g} x {height_m:g} m: {shares} of {len(needed)}", flush=True)


def _drawn(spec: SiteSpec, seed: int, width_m: float, height_m: float) -> list[float]:
    """Return after how many clear looks a roof on a drawn footprint was found, at each of the times."""
    rng = np.random.default_rng([seed, round(width_m), round(height_m)])
    east, south = rng.uniform(-60, 60, 2)
    place = Rectangle(width_m, height_m, float(east), float(south))
    own = replace(spec, footprint=place)
    site = simulate_site(own, site_rng(seed, spec.site_id))
    dates = [each.number for each in site.acquisitions if not each.overcast]
    judge, found = _judge(site, listed=True), []
    stops = {dates[int(share * len(dates))] for share in DRAWN_TIMES}
    for at, number in enumerate(dates):
        if number in stops:
            found.append(_built(own, seed, judge, dates[at:], place))
        judge.monitor(site.look(number).chip)
    return found


def _three(values: np.ndarray) -> str:
    return f"{values[0]:.0f} ({values[1]:.0f} to {values[2]:.0f})"


def _timed() -> list[float]:
    """Let every telling of sizes be timed; those that tell none and the compiling first one are left out."""
    costs: list[float] = []
    inner, warm = sitejudge.smallest_seen, []

    def timed(*arguments: object) -> object:
        start = time.process_time()
        found = inner(*arguments)  # type: ignore[arg-type]
        if found and warm:
            costs.append(time.process_time() - start)
        warm.extend(found[:1])
        return found

    sitejudge.smallest_seen = timed  # type: ignore[assignment]
    return costs


def _watch(spec: SiteSpec, seed: int, roofs: int, told: Foretold) -> None:
    site = simulate_site(spec, site_rng(seed, spec.site_id))
    dates = [each.number for each in site.acquisitions if not each.overcast]
    judge, rng = _judge(site, listed=spec.footprint is not None), np.random.default_rng([seed, len(dates)])
    stops = {dates[int(share * len(dates))] for share in (0.7, 0.85)}
    section = None
    for at, number in enumerate(dates):
        if number in stops and section is not None:
            for looks, entry in section["looks"].items():
                sides = (entry["half"]["side_m"], entry["nine"]["side_m"])
                half, nine = (float("inf") if side is None else side for side in sides)
                told.sizes[int(looks)].append((half, nine))
            for side in SIDES_M:
                for _ in range(roofs):
                    found = _built(spec, seed, judge, dates[at:], _place(spec, side, rng))
                    for looks in HORIZONS:
                        shares = section["looks"][str(looks)]["shares"]
                        told.shares[looks, side].append(
                            (shares[section["sides_m"].index(side)], found <= looks)
                        )
        look = judge.monitor(site.look(number).chip)
        section = look.card.sections.get(SECTION, section) if look.card else section


def _judge(site: SimulatedSite, *, listed: bool) -> SiteJudge:
    spec = WatchSpec(site.weights(), PIXEL_M**2, is_listed=listed, min_history=12, max_history=72)
    chip = site.look(0).chip
    return SiteJudge(spec, site.grid, series=chip.series, bands=chip.bands, scale=chip.scale)


def _place(spec: SiteSpec, side: float, rng: np.random.Generator) -> Rectangle:
    area = spec.area
    east = area.east_m + rng.uniform(-0.5, 0.5) * area.width_m
    south = area.south_m + rng.uniform(-0.5, 0.5) * area.height_m
    return Rectangle(side, side, float(east), float(south))


def _another(judge: SiteJudge) -> SiteJudge:
    """Return a judge that knows the same and goes its own way."""
    found = copy.copy(judge)
    found._memory = judge.memory.copy()  # noqa: SLF001 - nobody else goes two ways from one state
    return found


def _built(spec: SiteSpec, seed: int, judge: SiteJudge, dates: list[int], place: Rectangle) -> float:
    """Return after how many clear looks a roof that stands from the first date on raised a candidate."""
    first = simulate_site(spec, site_rng(seed, spec.site_id)).acquisitions[dates[0]].day
    change = Change(ChangeKind.NEW_ROOF, place, first, contrast=ROOF_CONTRAST)
    site = simulate_site(replace(spec, changes=(change,)), site_rng(seed, spec.site_id))
    ahead, clear = _another(judge), 0
    known = len(ahead.cases)
    middle = spec.frame_px / 2
    row, column = middle + place.south_m / PIXEL_M - 0.5, middle + place.east_m / PIXEL_M - 0.5
    for number in dates:
        look = ahead.monitor(site.look(number).chip)
        clear += look.outcome in JUDGED
        for case in ahead.cases[known:]:
            rows, columns = np.array(case.pixels).T
            if np.hypot(rows - row, columns - column).min() <= NEAR_PX:
                return clear
        if clear >= max(HORIZONS):
            break
    return float("inf")


if __name__ == "__main__":
    main()
