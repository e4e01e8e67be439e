"""Simulated sites to evaluate detectors on: some of them quiet, the others with one new roof each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from imagery.change.spec import WatchSpec
from imagery.change.tracks import DAYS_PER_YEAR, Change
from imagery.change.trials import LISTED, SEARCH, Trial
from imagery.simulate.population import ROOF_CONTRAST, USUAL, Population, random_specs
from imagery.simulate.site import simulate_site, site_rng
from imagery.simulate.spec import PIXEL_M

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imagery.simulate.spec import SiteSpec

STATEMENT = "All data are simulated: no satellite took them."

FAINT = 0.4
"""Contrast of a faint roof over that of a bright one."""

_QUICK_SIZES_M = ((17.0, 12.0), (30.0, 30.0), (60.0, 60.0))


@dataclass(frozen=True, slots=True)
class Design:
    """Which sites are simulated."""

    sites: int = 120
    """Quiet and changed together."""
    years: float = 1.5
    """Monitored time of each."""
    seed: int = 1
    history_days: int = 548
    """Time before, in which a detector learns and nothing changes."""
    sizes_m: tuple[tuple[float, float], ...] = USUAL.sizes_m
    """Width and height of the changes."""
    strengths: tuple[float, ...] = (1.0, 1.0, FAINT)
    """Contrasts over that of a bright roof, in turn: bright ones twice as often as faint ones."""
    frame_px: int = 64
    changed_sites: int | None = None
    """Of the sites, those with a change; None: half of them, the odd one is quiet."""

    @property
    def changed(self) -> int:
        """How many sites change."""
        return self.sites // 2 if self.changed_sites is None else self.changed_sites

    @classmethod
    def quick(cls, *, seed: int = 1) -> Design:
        """Return a design that takes about a minute and says little."""
        return cls(sites=24, years=1.0, seed=seed, sizes_m=_QUICK_SIZES_M, strengths=(1.0,))

    def population(self) -> Population:
        """Return what all sites have in common."""
        start = USUAL.start
        days = self.history_days + round(self.years * DAYS_PER_YEAR)
        return Population(
            frame_px=self.frame_px,
            start=start,
            end=start + timedelta(days=days),
            warm_up_days=self.history_days,
        )


@dataclass(frozen=True, slots=True)
class SimulatedPlan:
    """One simulated site."""

    spec: SiteSpec
    seed: int
    history_days: int

    def trial(self) -> Trial:
        """Simulate it; dates on which nothing of the ground is seen are left out."""
        spec = self.spec
        site = simulate_site(spec, site_rng(self.seed, spec.site_id))
        chips = tuple(site.chips(overcast=False))
        first = spec.start + timedelta(days=self.history_days)
        change = spec.changes[0] if spec.changes else None
        return Trial(
            site_id=spec.site_id,
            mode=SEARCH if spec.footprint is None else LISTED,
            spec=WatchSpec(site.weights(), pixel_area_m2=PIXEL_M**2),
            history=tuple(chip for chip in chips if chip.solar_day < first),
            monitored=tuple(chip for chip in chips if chip.solar_day >= first),
            site_years=(spec.end - first).days / DAYS_PER_YEAR,
            change=None
            if change is None
            else Change(
                first_day=change.day,
                last_day=change.day + timedelta(days=change.ramp_days),
                area_m2=change.place.area_m2,
                contrast=max(abs(each) for each in change.contrast or (np.nan,)),
                kind=change.kind.value,
            ),
            ground=None if change is None else site.polygon(change.place),
        )


def plans(design: Design) -> tuple[SimulatedPlan, ...]:
    """Return the sites of a design: quiet ones, then changed ones, each kind as often as possible."""
    specs = (*_quiet(design), *_changed(design))
    return tuple(SimulatedPlan(spec, design.seed, design.history_days) for spec in specs)


def _quiet(design: Design) -> Iterator[SiteSpec]:
    rng = np.random.default_rng([design.seed, 0])
    for number in range(design.sites - design.changed):
        among = replace(design.population(), listed=(number % 2 == 0,))
        yield _one(rng, among, f"quiet-{number + 1:05d}", quiet=True)


def _changed(design: Design) -> Iterator[SiteSpec]:
    """Deal modes, sizes and contrasts out in shuffled rounds."""
    rng = np.random.default_rng([design.seed, 1])
    round_ = [
        (listed, size, strength)
        for listed in (True, False)
        for size in design.sizes_m
        for strength in design.strengths
    ]
    order = np.empty(0, dtype=np.intp)
    for number in range(design.changed):
        if number % len(round_) == 0:
            order = rng.permutation(len(round_))
        listed, size, strength = round_[order[number % len(round_)]]
        contrast = tuple(strength * each for each in ROOF_CONTRAST)
        among = replace(design.population(), listed=(listed,), sizes_m=(size,), contrasts=(contrast,))
        yield _one(rng, among, f"changed-{number + 1:05d}", quiet=False)


def _one(rng: np.random.Generator, among: Population, site_id: str, *, quiet: bool) -> SiteSpec:
    ground = among.grounds[int(rng.integers(len(among.grounds)))]
    (spec,) = random_specs(1, rng, quiet=quiet, population=replace(among, grounds=(ground,)))
    return replace(spec, site_id=site_id)


def settings(design: Design) -> dict[str, Any]:
    """Return the design as JSON values."""
    return {
        "data": "simulated",
        "sites": design.sites,
        "changed_sites": design.changed,
        "years": design.years,
        "seed": design.seed,
        "history_days": design.history_days,
        "sizes_m": [list(size) for size in design.sizes_m],
        "contrasts": sorted({round(each * max(ROOF_CONTRAST), 6) for each in design.strengths}),
        "frame_px": design.frame_px,
    }
