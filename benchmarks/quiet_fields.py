"""Fields without buildings, watched through one year of Sentinel-2, and what it takes to be seen there.

    python benchmarks/quiet_fields.py FOLDER

FOLDER holds the 33 dates near Valladolid, Spain (`s2-valladolid-fields`): red, nir and the scene classes at
10 m. Crops grow and are harvested, nothing is built, so whatever is raised is false for construction. **Two
bands, one year, few dates**: each season is seen for the first time, and most looks are to learn from.
Windows of the frame share their weather and their fields: their counts are correlated.

Then a roof is put into the real pixels (`imagery.change.injection`): +0.15 red, +0.10 nir, blurred by the
sensor, at a random place of each window and any phase of the pixels, in each look 0.3 pixel off in a random
direction. The judge goes on from where it stood; found is a candidate or more on the roof, or a look that
ends as Changed with a region on it, so many clear looks after the first with the roof.
"""

from __future__ import annotations

import argparse
from copy import deepcopy
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio
from odc.geo.geobox import GeoBox
from quiet_watch import JUDGED, OUTCOMES_HEAD, RATES_HEAD, details, judge_of, outcomes_row, rates_row, watched
from shapely.geometry import Point, box

from geo.grid import Grid
from imagery.change.bounds import proportion
from imagery.change.injection import blurred_rectangle, planted
from imagery.change.spec import WatchSpec
from imagery.masks import MaskScheme, SceneClass, clear_pixels, scene_classes
from imagery.model import Chip, Outcome

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from imagery.change.sitejudge import SiteJudge
    from imagery.model import Look

WINDOW_PX = 10
DRAWN_PX = 3
MIN_SEEN = 0.9
"""Share of a window that the data must cover."""
SIDES_PX = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
CONTRAST = (0.15, 0.10)
SHIFT_PX = 0.3
BUILT = date(2019, 7, 11)
"""The first day with the roof: the first look that is judged."""
PLACES = 3
"""Random places a window."""
LOOKS = (1, 2, 4, 6)
MIN_CLEAR = 0.5


def read_chip(path: Path) -> Chip:
    """Return one date as a chip."""
    with rasterio.open(path) as source:
        counts = source.read()
        grid = Grid("fields", GeoBox(source.shape, source.transform, source.crs))
    valid = (counts[:2] > 0).all(axis=0)
    classes = np.where(valid, scene_classes(counts[2], MaskScheme.SCL), np.uint8(SceneClass.NODATA))
    acquired = datetime.fromisoformat(path.stem[-10:]).replace(hour=11, tzinfo=UTC)
    return Chip(
        grid=grid,
        solar_day=acquired.date(),
        acquired=acquired,
        day_only=True,
        platform="sentinel-2",
        series="sentinel-2",
        scene_ids=(path.stem,),
        bands=("red", "nir"),
        dn=counts[:2],
        scale=1e-4,
        valid=valid,
        clear=valid & clear_pixels(classes),
        classes=classes,
        mask_scheme="scl",
    )


def spec_of(
    chip: Chip, row: int, column: int, size: tuple[int, int], *, is_listed: bool = False
) -> WatchSpec:
    """Return the spec of a rectangular site, as `run` judges by default."""
    weights = np.zeros(chip.grid.shape, dtype=np.float32)
    weights[row : row + size[0], column : column + size[1]] = 1
    return WatchSpec(weights, pixel_area_m2=100.0, is_listed=is_listed, min_history=12, max_history=72)


def corners(chips: list[Chip]) -> list[tuple[int, int]]:
    """Return the windows, side by side, that the data cover."""
    seen = np.median([chip.valid for chip in chips], axis=0)
    rows, columns = seen.shape
    return [
        (row, column)
        for row, column in product(
            range(0, rows - WINDOW_PX + 1, WINDOW_PX), range(0, columns - WINDOW_PX + 1, WINDOW_PX)
        )
        if seen[row : row + WINDOW_PX, column : column + WINDOW_PX].mean() >= MIN_SEEN
    ]


def quiet_tables(chips: list[Chip]) -> None:
    """Print how the looks ended and what was raised: all of it is false."""
    first, tiles, margin = chips[0], corners(chips), (WINDOW_PX - DRAWN_PX) // 2
    drawn = (DRAWN_PX, DRAWN_PX)
    plans = {
        "the frame, searched": [spec_of(first, 0, 0, first.grid.shape)],
        f"{len(tiles)} windows of {WINDOW_PX}0 m, searched": [
            spec_of(first, *tile, (WINDOW_PX, WINDOW_PX)) for tile in tiles
        ],
        f"{len(tiles)} footprints of {DRAWN_PX}0 m, drawn": [
            spec_of(first, row + margin, column + margin, drawn, is_listed=True) for row, column in tiles
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


@dataclass(frozen=True, slots=True)
class Trial:
    """After how many judged looks a roof was seen; None: never."""

    changed: int | None
    """A look ended as Changed and stands out there, or has a region there."""
    raised: int | None
    """A candidate lies on it."""
    clear: int
    """Clear looks with it, those that the judge did not judge too."""
    judged: int


def roofed(
    chips: list[Chip], centre: tuple[float, float], side_px: float, rng: np.random.Generator
) -> list[Chip]:
    """Put a roof into looks, in each of them a little elsewhere."""
    found: list[Chip] = []
    for chip in chips:
        angle = rng.uniform(0, 2 * np.pi)
        there = centre[0] + SHIFT_PX * np.sin(angle), centre[1] + SHIFT_PX * np.cos(angle)
        share = blurred_rectangle(chip.grid.shape, centre_px=there, size_px=(side_px, side_px))
        found += planted([chip], share, CONTRAST, first_day=date.min)
    return found


def places_shown(look: Look) -> list[BaseGeometry]:
    """Return what a look that ends as Changed shows: its regions, and what stands out in it alone."""
    if look.outcome is not Outcome.CHANGED:
        return []
    found = [region.geometry for region in look.regions]
    where = look.card.sections["alone"].get("where") if look.card else None
    if where is None:
        return found
    lat, lon = map(float, where.split(","))
    return [*found, Point(lon, lat)]


def trial(
    judge: SiteJudge, chips: list[Chip], centre: tuple[float, float], side_px: float, rng: np.random.Generator
) -> Trial:
    """Go on with looks that show a roof."""
    grid, before, half = chips[0].grid, len(judge.cases), side_px / 2
    (left, top), (right, bottom) = (
        grid.transform * (centre[1] + sign * half, centre[0] + sign * half) for sign in (-1, 1)
    )
    around = box(left, bottom, right, top).buffer(grid.resolution_m)
    clear, judged, changed, raised = 0, 0, None, None
    for chip in roofed(chips, centre, side_px, rng):
        look = judge.monitor(chip)
        clear += look.clear_fraction >= MIN_CLEAR
        if look.outcome not in JUDGED:
            continue
        judged += 1
        shown = places_shown(look)
        cases = [case.geometry for case in judge.cases[before:]]
        if changed is None and any(around.intersects(grid.to_grid(each)) for each in shown):
            changed = judged
        if raised is None and any(around.intersects(grid.to_grid(each)) for each in cases):
            raised = judged
    return Trial(changed, raised, clear, judged)


def power_table(chips: list[Chip], rng: np.random.Generator) -> None:
    """Print how often a roof of each size is seen; the first row has none and says what chance does."""
    tiles = corners(chips)
    later = [chip for chip in chips if chip.solar_day >= BUILT]
    tried: dict[float, list[Trial]] = {side: [] for side in (0.0, *SIDES_PX)}
    for row, column in tiles:
        judge = judge_of(chips[0], spec_of(chips[0], row, column, (WINDOW_PX, WINDOW_PX)))
        for chip in chips:
            if chip.solar_day < BUILT:
                judge.monitor(chip)
        for _ in range(PLACES):
            at = rng.uniform(size=2)
            for side, found in tried.items():
                room = WINDOW_PX - side
                centre = row + side / 2 + room * at[0], column + side / 2 + room * at[1]
                found.append(trial(deepcopy(judge), later, centre, side, rng))
    every = [each for found in tried.values() for each in found]
    clear, judged = (np.median([[each.clear, each.judged] for each in every], axis=0)).astype(int)
    print(f"{len(tiles)} windows, {PLACES} places each; {clear} clear looks with it, {judged} judged")
    heads = [f"Changed, {n}" for n in LOOKS] + [f"raised, {n}" for n in LOOKS]
    print(f"| roof, m | {' | '.join(heads)} | ever, 95 % |")
    print("|---|" + "---|" * (len(heads) + 1))
    for side, found in tried.items():
        cells = [
            f"{np.mean([at is not None and at <= looks for at in times]):.2f}"
            for times in ([each.changed for each in found], [each.raised for each in found])
            for looks in LOOKS
        ]
        seen = proportion(sum(bool(each.changed or each.raised) for each in found), len(found))
        cells.append(f"{seen.estimate:.2f} [{seen.low:.2f}, {seen.high:.2f}]")
        print(f"| {10 * side:.0f} | {' | '.join(cells)} |")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    chips = [read_chip(path) for path in sorted(given.folder.glob("*.tif"))]
    quiet_tables(chips)
    print()
    power_table(chips, np.random.default_rng(given.seed))


if __name__ == "__main__":
    main()
