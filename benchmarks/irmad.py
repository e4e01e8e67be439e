"""IR-MAD beside the same method in plain NumPy, and beside what the machine's memory allows.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/irmad.py

Pairs of Landsat frames over Taizhou (`SITEWATCH_TEST_DATA`, default ``../shared``) and made ones of other
sizes: fields with noise, a tenth of them changed. One thread, CPU time, the best of several rounds that
alternate; everything stands in the cache of files and of machine code. A pair of pixels is two pixel-dates.
"""

from __future__ import annotations

import os
import runpy
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import rasterio

from imagery.change.irmad import irmad

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 7
STREAM_FLOATS = 1 << 24

plain_irmad = runpy.run_path(str(ROOT / "tests/imagery/change/plain_irmad.py"))["plain_irmad"]


def best_cpu_seconds(calls: list[Callable[[], object]], rounds: int = ROUNDS) -> list[float]:
    """Return the best CPU time of each call, rounds alternating."""
    best = [float("inf")] * len(calls)
    for _ in range(rounds):
        for position, call in enumerate(calls):
            start = time.process_time()
            call()
            best[position] = min(best[position], time.process_time() - start)
    return best


def copy_bandwidth() -> float:
    """Return bytes moved a second by copying an array far larger than the caches: read and written."""
    source, target = (np.ones(STREAM_FLOATS, dtype=np.float32) for _ in range(2))
    (seconds,) = best_cpu_seconds([lambda: np.copyto(target, source)])
    return 2 * source.nbytes / seconds


def taizhou() -> tuple[np.ndarray, np.ndarray]:
    """Return both dates, ``(6, 400, 400)``."""
    folder = Path(os.environ.get("SITEWATCH_TEST_DATA", ROOT.parent / "shared"))
    pixels = []
    for day in ("2000-03-17", "2003-02-06"):
        with rasterio.open(folder / "imagery/landsat-taizhou-pair" / f"taizhou_{day}.tif") as source:
            pixels.append(source.read().astype(np.float32))
    return pixels[0], pixels[1]


def made(bands: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return two dates of fields, ``(band, side, side)``; a tenth of the second is other fields."""
    rng = np.random.default_rng([bands, side])
    fields = rng.uniform(0.03, 0.4, (2, bands, side // 8, side // 8)).repeat(8, axis=2).repeat(8, axis=3)
    before, after = fields[0], 0.9 * fields[0] + 0.02
    after[:, : side // 10] = fields[1, :, : side // 10]
    noise = rng.normal(0, 0.01, (2, *before.shape))
    return (before + noise[0]).astype(np.float32), (after + noise[1]).astype(np.float32)


def pairs() -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield what is compared."""
    before, after = taizhou()
    window = (slice(0, 4), slice(50, 306), slice(50, 306))
    yield "Taizhou, 4 bands, 256 px", before[window].copy(), after[window].copy()
    yield "Taizhou, 6 bands, 400 px", before, after
    for bands, side in ((1, 256), (4, 256), (4, 1024), (10, 256), (13, 256)):
        yield f"made, {bands} bands, {side} px", *made(bands, side)


def main() -> None:
    """Print the table."""
    bandwidth = copy_bandwidth()
    print(f"copying moves {bandwidth / 1e9:.1f} GB/s\n")
    print(
        "| frame | rounds, NumPy / ours | NumPy, Mpx-dates/s | ours, Mpx-dates/s | ratio | ours, ms a pair "
        "| of copying speed |\n|---|---|---|---|---|---|---|"
    )
    for name, before, after in pairs():
        own, (_, _, rounds) = irmad(before, after), plain_irmad(before, after)
        seconds = best_cpu_seconds([lambda b=before, a=after: irmad(b, a)], ROUNDS)[0]
        plain = best_cpu_seconds([lambda b=before, a=after: plain_irmad(b, a)], 2)[0]
        dates = 2 * before[0].size
        # Each round reads every value once, besides the first sums and the last statistic.
        read = (own.iterations + 2) * (before.nbytes + after.nbytes) / seconds
        print(
            f"| {name} | {rounds} / {own.iterations} | {dates / plain / 1e6:.2f} "
            f"| {dates / seconds / 1e6:.1f} | {plain / seconds:.1f} | {1000 * seconds:.1f} "
            f"| {100 * read / bandwidth:.0f} % |"
        )


if __name__ == "__main__":
    main()
