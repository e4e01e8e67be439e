"""Other detectors on the same simulated sites, at the same false-alarm rate.

    python benchmarks/peers.py [--sites N] [--years Y] [--seed S] [--workers N] [--out DIR]

Run it in an environment that holds sitewatch and, for its detectors, `nrt` (pip install nrt; EUPL-1.2, never
a requirement of sitewatch). What is missing is named and left out.

How a detector that judges pixels becomes one that judges a site, the same way for all of them:

1. It makes a map of signed departures for each look: process over boundary (EWMA, CuSum, MoSum), residual
   over its scale (IQR, CCDC), difference over the frame's spread (two dates), root of the statistic (IR-MAD).
2. The map is read with our own templates: the drawn footprint where there is one, else the strongest square
   of 10 to 80 m in the area. The scatter of each template is measured on the looks of the history.
3. IQR and CCDC want three outliers in a row: their score is the least of the last three.
4. Each one gets the threshold at which it raises 0.1 alarms a site-year on one half of the quiet sites.

Its own alarms, told beside it, are those of its usual settings: any pixel of the area flagged, or for two
dates a region on it.
"""

from __future__ import annotations

import argparse
import copy
import importlib
import importlib.util
import sys
import warnings
from abc import ABC, abstractmethod
from collections import deque
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from imagery.change.detector import Found, Judged
from imagery.change.matched import Residuals
from imagery.change.pair import compare
from imagery.change.search import Shapes, Yardstick, find_peak, yardstick
from imagery.change.season import season_distance_days
from imagery.change.templates import listed_fractions
from imagery.change.thresholds import DEAD_TIME_DAYS, alarms_above
from imagery.change.tracks import SiteTrack
from imagery.change.trials import LISTED, is_clear
from imagery.model import Outcome
from watch.cli.evaluation_tables import print_comparison, print_evaluation
from watch.cli.output import Output
from watch.evaluate import evaluate, makers, write_evaluation
from watch.trials_simulated import STATEMENT, Design, plans, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from imagery.change.detector import DetectorMaker
    from imagery.change.spec import WatchSpec
    from imagery.model import Chip

MARGIN_PX = 12
HISTORY_FRAMES = 40
"""Looks of the history, the latest, on which the scatter of the templates is measured."""


class Peer(ABC):
    """What all peers share: the window, the reading of a map, and the record of their own alarms."""

    def __init__(self, spec: WatchSpec, *, mode: str) -> None:
        """Cut the window around the watched ground."""
        self.spec = spec
        rows, columns = np.nonzero(spec.weights > 0)
        self.window = (
            slice(max(rows.min() - MARGIN_PX, 0), rows.max() + MARGIN_PX + 1),
            slice(max(columns.min() - MARGIN_PX, 0), columns.max() + MARGIN_PX + 1),
        )
        self.weights = spec.weights[self.window]
        listed = mode == LISTED
        self.shapes = (
            Shapes.listing(listed_fractions(self.weights)) if listed else Shapes.searching(self.weights)
        )
        self.yard: Yardstick | None = None
        self.days: list[date] = []
        self.flags: list[float] = []

    def fit(self, history: Sequence[Chip]) -> None:
        """Learn from the clear looks, then measure how the maps of the latest of them scatter."""
        clear = [chip for chip in history if is_clear(chip, self.spec)]
        frames = [Residuals(each, np.ones_like(each)) for each in self.learn(clear)]
        bands = frames[0].values.shape[0]
        self.yard = yardstick(frames, self.shapes, np.eye(bands, dtype=np.float32))

    def monitor(self, chip: Chip) -> Judged:
        """Read the look's map."""
        if not is_clear(chip, self.spec):
            return Judged(chip.solar_day, Outcome.OBSCURED, None)
        departure, flagged = self.departure(chip)
        self.days.append(chip.solar_day)
        self.flags.append(float(flagged))
        peak = find_peak(Residuals(departure, np.ones_like(departure)), self.shapes, self.known_yard())
        score = None if peak is None else self.score(peak.score)
        outcome = Outcome.UNCHANGED if score is not None else Outcome.OBSCURED
        return Judged(chip.solar_day, outcome, score)

    def known_yard(self) -> Yardstick:
        """Return the scatter that `fit` measured."""
        assert self.yard is not None
        return self.yard

    def report(self) -> tuple[Found, ...]:
        """Return the runs of looks that its usual settings flag."""
        track = SiteTrack("own", 1.0, tuple(self.days), tuple(self.flags))
        return tuple(Found(alarm, None) for alarm in alarms_above(track, 0.5, dead_time_days=DEAD_TIME_DAYS))

    def score(self, peak: float) -> float:
        """Return the look's score; some peers remember the ones before."""
        return peak

    @abstractmethod
    def learn(self, history: Sequence[Chip]) -> list[NDArray[np.float32]]:
        """Learn, and return the maps ``(band, y, x)`` of the latest looks of the history."""

    @abstractmethod
    def departure(self, chip: Chip) -> tuple[NDArray[np.float32], bool]:
        """Return the map ``(band, y, x)`` of a look, and whether the peer itself would flag the site."""

    def flagged_inside(self, flagged: NDArray[np.bool_]) -> bool:
        """Return whether a pixel that is mostly watched ground is flagged, ``(y, x)`` of the window."""
        return bool((flagged & (self.weights > min(0.5, self.weights.max() / 2))).any())


def one_band(name: str, chip: Chip) -> NDArray[np.float32]:
    """Return a band, or NDVI, of a whole chip, ``(y, x)``."""
    values = chip.values()
    red, nir = values[chip.bands.index("red")], values[chip.bands.index("nir")]
    if name != "ndvi":
        return values[chip.bands.index(name)]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.clip((nir - red) / (nir + red), -1, 1).astype(np.float32)


class Nrt(Peer):
    """A detector of nrt on one band or NDVI."""

    def __init__(self, spec: WatchSpec, *, mode: str, kind: str, band: str) -> None:
        """Keep which detector and which band."""
        super().__init__(spec, mode=mode)
        self.kind, self.band = kind, band
        self.monitored: Any = None
        self.last: deque[float] = deque(maxlen=3)

    def values(self, chip: Chip) -> NDArray[np.float64]:
        """Return the band on the window."""
        return one_band(self.band, chip)[self.window].astype(np.float64)

    def learn(self, history: Sequence[Chip]) -> list[NDArray[np.float32]]:
        """Fit by ordinary least squares, no trend: a year and a half can't tell one from the season."""
        made = getattr(importlib.import_module(f"nrt.monitor.{self.kind.lower()}"), self.kind)
        self.monitored = made(trend=False, harmonic_order=2, update_mask=False)
        options: dict[str, Any] = {"method": "OLS"}
        if self.kind == "CCDC":
            green, swir = (self.cube(history, name) for name in ("green", "swir16"))
            options |= {"screen_outliers": "CCDC_RIRLS", "green": green, "swir": swir}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.monitored.fit(self.cube(history, self.band), **options)
        self.monitored.mask[self.monitored.mask == 2] = 1
        fitted = copy.deepcopy(self.monitored)
        frames = [self.departure(chip)[0] for chip in history[-HISTORY_FRAMES:]]
        self.monitored = fitted
        return frames

    def cube(self, history: Sequence[Chip], band: str) -> Any:  # noqa: ANN401 - xarray is not among our types
        """Return ``(time, y, x)`` as nrt wants it."""
        import xarray as xr  # noqa: PLC0415 - comes with nrt

        stack = np.stack([one_band(band, chip)[self.window] for chip in history]).astype(np.float64)
        times = np.array([np.datetime64(chip.solar_day) for chip in history], dtype="datetime64[ns]")
        y, x = (np.arange(side) for side in stack.shape[1:])
        return xr.DataArray(stack, dims=("time", "y", "x"), coords={"time": times, "y": y, "x": x})

    def departure(self, chip: Chip) -> tuple[NDArray[np.float32], bool]:
        """Update nrt's state and return its process over its boundary, or the residual over its scale."""
        day = datetime(chip.solar_day.year, chip.solar_day.month, chip.solar_day.day)  # noqa: DTZ001 - as nrt wants it
        values = self.values(chip)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            residual = values - self.monitored.predict(day)
            self.monitored.monitor(values, day)
            inside = np.isfinite(values) & (self.monitored.mask == 1)
            departure = np.where(inside, self.process(residual), np.nan).astype(np.float32)
            flagged = inside & (np.abs(self.monitored.process) >= self.monitored.boundary)
        return departure[None], self.flagged_inside(flagged)

    def process(self, residual: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the signed departure in units of what nrt lets pass."""
        if self.kind == "CCDC":
            return residual / (self.monitored.sensitivity * self.monitored.rmse)
        if self.kind == "IQR":
            middle = (self.monitored.q75 + self.monitored.q25) / 2
            iqr = self.monitored.q75 - self.monitored.q25
            return (residual - middle) / ((self.monitored.sensitivity + 0.5) * iqr)
        return self.monitored.process / self.monitored.boundary

    def score(self, peak: float) -> float:
        """Three in a row for the detectors that count outliers."""
        if self.kind not in {"IQR", "CCDC"}:
            return peak
        self.last.append(peak)
        return min(self.last) if len(self.last) == 3 else 0.0


class TwoDates(Peer):
    """A look against the clearest look of the history near its day of the year."""

    BANDS = ("red", "nir")
    NEAR_DAYS = 45

    def learn(self, history: Sequence[Chip]) -> list[NDArray[np.float32]]:
        """Keep the history; its own looks are compared with each other."""
        self.history = list(history)
        return [self.departure(chip)[0] for chip in history[-HISTORY_FRAMES:]]

    def reference(self, chip: Chip) -> Chip:
        """Return the clearest look of the season, the latest of equals, else the nearest in season."""
        others = [other for other in self.history if other is not chip]
        distance = {id(other): season_distance_days(chip.solar_day, other.solar_day) for other in others}
        near = [other for other in others if distance[id(other)] <= self.NEAR_DAYS]
        if near:
            return max(near, key=lambda other: (round(other.clear_fraction(), 2), other.solar_day))
        return min(others, key=lambda other: distance[id(other)])

    def departure(self, chip: Chip) -> tuple[NDArray[np.float32], bool]:
        """Return the difference of red and near infrared over the frame's own spread; median removed."""
        first, second = self.reference(chip).values(), chip.values()
        places = [chip.bands.index(name) for name in self.BANDS]
        difference = (second - first)[places]
        middle = np.nanmedian(difference, axis=(1, 2), keepdims=True)
        spread = 1.4826 * np.nanmedian(np.abs(difference - middle), axis=(1, 2), keepdims=True)
        return self.cut((difference - middle) / (spread + 1e-4)), self.flag(first, second)

    def cut(self, maps: NDArray[np.floating]) -> NDArray[np.float32]:
        """Return the window of ``(band, y, x)``."""
        return np.ascontiguousarray(maps[(slice(None), *self.window)], dtype=np.float32)

    def flag(self, first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
        """Return whether five standard deviations are passed somewhere inside."""
        difference = second - first
        centred = difference - np.nanmedian(difference, axis=(1, 2), keepdims=True)
        spread = 1.4826 * np.nanmedian(np.abs(centred), axis=(1, 2), keepdims=True)
        with np.errstate(invalid="ignore"):
            return self.flagged_inside((np.abs(centred) > 5 * spread).any(axis=0)[self.window])


class IrMadDates(TwoDates):
    """The same two looks by IR-MAD, as `sitewatch detect` compares them."""

    def departure(self, chip: Chip) -> tuple[NDArray[np.float32], bool]:
        """Return the score over its median, less one, and whether a region lies inside."""
        found = compare(self.reference(chip).values(), chip.values())
        middle = np.nanmedian(found.score) if found.judged.any() else np.nan
        return self.cut(found.score[None] / middle - 1), self.flagged_inside(found.changed[self.window])


def peers() -> tuple[dict[str, DetectorMaker], list[str]]:
    """Return the peers that are there, by name, and what is missing."""
    found: dict[str, Any] = {"two-date difference": TwoDates, "IR-MAD, two dates": IrMadDates}
    if importlib.util.find_spec("nrt") is None:
        return found, ["nrt (EWMA, CuSum, MoSum, IQR, CCDC): pip install nrt"]
    for kind in ("EWMA", "CuSum", "MoSum", "IQR", "CCDC"):
        for band in ("red", "ndvi"):
            found[f"nrt {kind}, {band}"] = partial(Nrt, kind=kind, band=band)
    return found, []


def drawn(every: int = 20) -> Callable[[int, int, str], None]:
    """Return a callback that says how far the work is."""

    def tell(done: int, total: int, _site: str) -> None:
        if done % every == 0:
            print(f"{datetime.now(UTC):%H:%M:%S} {done} of {total}", file=sys.stderr, flush=True)

    return tell


def main() -> None:
    """Judge the sites and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sites", type=int, default=120)
    parser.add_argument("--years", type=float, default=1.5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[], help="parts of the names to run")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    others, missing = peers()
    for what in missing:
        print(f"left out: {what}")
    every = {**makers(()), **others}
    chosen = {
        name: made for name, made in every.items() if not given.only or any(o in name for o in given.only)
    }
    design = Design(given.sites, given.years, given.seed, strengths=(1.0,))
    evaluation = evaluate(
        plans(design),
        chosen,
        statement=STATEMENT,
        settings=settings(design),
        seed=given.seed,
        workers=given.workers,
        progress=drawn(),
    )
    output = Output(json=False, quiet=False)
    print_comparison(evaluation, output)
    print_evaluation(evaluation, output)
    if given.out:
        write_evaluation(evaluation, given.out)


if __name__ == "__main__":
    main()
