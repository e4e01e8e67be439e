"""The model of a series and its update at a new date: ours, plain NumPy, nrt, and what the memory gives.

    OMP_NUM_THREADS=1 python benchmarks/series.py [--nrt PYTHON]

PYTHON is an interpreter that has nrt (it is no dependency of ours and wants other versions); without one nrt
takes no part. One thread, CPU seconds, the best of rounds that alternate; compare rows of one run, not runs.
A pixel-date is one pixel of one band on one date, hidden ones (a fifth) included.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.harmonics import design_matrix, fit
from imagery.change.monitor import Monitored, deviations, update
from imagery.compiled import compiled

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from imagery.change.harmonics import HarmonicModel

LOOKS = 60
SIDE = 256
BANDS = 4
HIDDEN = 0.2
ROUNDS = 5
LARGE_PX = 4096
BYTES_OF_UPDATE = 46
"""Read: value, prediction, deviation. Read and written: EWMA, two CUSUMs, count. Written: z."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that is measured."""

    name: str
    run: Callable[[], object]
    pixel_dates: float
    repeat: int = 1


def days_of(looks: int, step: int = 11) -> list[date]:
    """Return the days of some looks."""
    return [date(2019, 1, 5) + timedelta(days=step * number) for number in range(looks)]


def reflectance(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.float32]:
    """Return ``(time, band, y, x)`` with a season, noise and hidden pixels."""
    angle = 2 * np.pi * np.arange(shape[0]) * 11 / 365.25
    values = rng.normal(0.2, 0.02, shape).astype(np.float32)
    values += (0.05 * np.cos(angle)).astype(np.float32)[:, None, None, None]
    hidden = rng.random((shape[0], 1, *shape[2:]), dtype=np.float32) < HIDDEN
    values[np.broadcast_to(hidden, shape)] = np.nan
    return values


def plain_fit(values: NDArray[np.float32], design: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fit by least squares with masks, as one would write it in NumPy; no robustness, no leverage."""
    flat = values.reshape(len(values), -1)
    mask = np.isfinite(flat).astype(np.float32)
    filled = np.nan_to_num(flat)
    size = design.shape[1]
    products = (design[:, :, None] * design[:, None, :]).reshape(len(values), -1)
    gram = (products.T @ mask).T.reshape(-1, size, size) + 0.01 * np.eye(size, dtype=np.float32)
    coefficients = np.linalg.solve(gram, (design.T @ filled).T[..., None])[..., 0]
    residual = np.where(mask > 0, flat - design @ coefficients.T, np.nan)
    spread: NDArray[np.float32] = np.sqrt(np.nanmean(residual**2, axis=0))
    return spread


def plain_update(
    state: list[NDArray[np.float32]],
    values: NDArray[np.float32],
    predicted: NDArray[np.float32],
    deviation: NDArray[np.float32],
) -> None:
    """Update EWMA and CUSUM as one would write it in NumPy."""
    z = np.clip((values - predicted) / deviation, -3, 3)
    seen = np.isfinite(z)
    ewma, above, below = state
    state[0] = np.where(seen, 0.7 * ewma + 0.3 * z, ewma)
    state[1] = np.where(seen, np.maximum(0, above + z - 0.5), above)
    state[2] = np.where(seen, np.maximum(0, below - z - 0.5), below)


@compiled
def triad(a: NDArray[np.float32], b: NDArray[np.float32], out: NDArray[np.float32]) -> None:
    """Do STREAM's triad."""
    for place in range(len(out)):
        out[place] = a[place] + np.float32(3.0) * b[place]


def memory_rates() -> dict[str, float]:
    """Return what one core moves, GB/s: copying (8 bytes an element) and triad (12)."""
    size = 2**26
    a, b, out = (np.full(size, value, dtype=np.float32) for value in (1.0, 2.0, 0.0))
    triad(a[:8], b[:8], out[:8])
    rows = {"copy": lambda: np.copyto(out, a), "triad": lambda: triad(a, b, out)}
    best = best_seconds([Row(name, run, 1) for name, run in rows.items()])
    return {"copy": 8e-9 * size / best["copy"], "triad": 12e-9 * size / best["triad"]}


def fit_rows(rng: np.random.Generator) -> list[Row]:
    """Return who fits."""
    days = days_of(LOOKS)
    design = design_matrix(days, [""] * LOOKS, [""])
    one, four = (reflectance((LOOKS, bands, SIDE, SIDE), rng) for bands in (1, BANDS))
    orbits = ["3-descending", "46-descending"] * (LOOKS // 2)
    return [
        Row("fit, one band", lambda: fit(one, days, resolution=1e-4), one.size),
        Row("fit, four bands", lambda: fit(four, days, resolution=1e-4), four.size),
        Row("fit, four bands, two orbits", lambda: fit(four, days, orbits, resolution=1e-4), four.size),
        Row("NumPy fit, one band: least squares, no robustness", lambda: plain_fit(one, design), one.size),
    ]


def update_rows(side: int, rng: np.random.Generator) -> list[Row]:
    """Return who updates one band of a frame."""
    values = reflectance((1, 1, side, side), rng)[0]
    predicted = np.full((1, side, side), 0.2, dtype=np.float32)
    deviation = np.full((1, side, side), 0.02, dtype=np.float32)
    state = Monitored.fresh(1, (side, side))
    plain = [np.zeros((1, side, side), dtype=np.float32) for _ in range(3)]
    repeat = max(1, 2**23 // values.size)
    return [
        Row(
            f"EWMA and CUSUM, {side} px",
            lambda: update(state, values, predicted, deviation),
            values.size,
            repeat,
        ),
        Row(
            f"NumPy EWMA and CUSUM, {side} px",
            lambda: plain_update(plain, values, predicted, deviation),
            values.size,
            max(1, repeat // 8),
        ),
    ]


def whole_rows(rng: np.random.Generator) -> list[Row]:
    """Return the whole step of a date, all bands: leverage is theirs in common."""
    model = fit(reflectance((LOOKS, BANDS, SIDE, SIDE), rng), days_of(LOOKS), resolution=1e-4)
    values = reflectance((1, BANDS, SIDE, SIDE), rng)[0]
    state = Monitored.fresh(BANDS, (SIDE, SIDE))
    name = f"prediction, leverage, EWMA and CUSUM, four bands, {SIDE} px"
    return [Row(name, lambda: step(model, values, state), values.size, 16)]


def step(model: HarmonicModel, values: NDArray[np.float32], state: Monitored) -> None:
    """Predict, standardise and update."""
    predicted, leverage = model.predict(date(2021, 3, 3))
    update(state, values, predicted, deviations(model.sigma, leverage))


def best_seconds(rows: list[Row]) -> dict[str, float]:
    """Return the best CPU seconds of one run of each, rounds alternating."""
    best = {row.name: float("inf") for row in rows}
    for row in rows:
        row.run()
    for _ in range(ROUNDS):
        for row in rows:
            start = time.process_time()
            for _ in range(row.repeat):
                row.run()
            best[row.name] = min(best[row.name], (time.process_time() - start) / row.repeat)
    return best


def rates_of(rows: list[Row]) -> dict[str, float]:
    """Return pixel-dates/s."""
    best = best_seconds(rows)
    return {row.name: row.pixel_dates / best[row.name] for row in rows}


def by_nrt(python: str, rng: np.random.Generator) -> dict[str, float]:
    """Return nrt's rates, pixel-dates/s."""
    values = reflectance((LOOKS + 1, 1, SIDE, SIDE), rng)[:, 0]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.save(folder / "history.npy", values[:-1])
        np.save(folder / "date.npy", values[-1])
        (folder / "days.txt").write_text("\n".join(day.isoformat() for day in days_of(LOOKS + 1)))
        script = Path(__file__).with_name("series_nrt.py")
        done = subprocess.run(  # noqa: S603 - the interpreter that the user named
            [python, str(script), str(folder), str(ROUNDS)], check=True, capture_output=True, text=True
        )
    seconds = json.loads(done.stdout)
    return {
        f"nrt {name}": SIDE**2 * (LOOKS if name.endswith("fit") else 1) / value
        for name, value in seconds.items()
    }


def main() -> None:
    """Print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--nrt", metavar="PYTHON", help="an interpreter that has nrt")
    python = arguments.parse_args().nrt
    rng = np.random.default_rng(5)
    memory = memory_rates()
    print(f"One core copies {memory['copy']:.1f} GB/s; triad {memory['triad']:.1f} GB/s.\n")
    rates = rates_of([*fit_rows(rng), *update_rows(128, rng), *update_rows(SIDE, rng), *whole_rows(rng)])
    rates |= rates_of(update_rows(LARGE_PX, rng))
    if python:
        rates |= by_nrt(python, rng)
    else:
        print("nrt takes no part: name an interpreter that has it (--nrt)\n")
    print("| one core | million pixel-dates/s |\n|---|---|")
    for name, rate in rates.items():
        print(f"| {name} | {1e-6 * rate:.3g} |")
    share = rates[f"EWMA and CUSUM, {LARGE_PX} px"] * BYTES_OF_UPDATE * 1e-9
    print(f"\nOut of the cache the update moves {share:.1f} GB/s ({BYTES_OF_UPDATE} bytes a pixel-date).")


if __name__ == "__main__":
    main()
