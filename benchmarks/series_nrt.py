"""What `benchmarks/series.py` asks of nrt, run by an interpreter that has it: it shares nothing with ours.

    python benchmarks/series_nrt.py FOLDER ROUNDS

FOLDER holds ``history.npy`` (time, y, x), ``date.npy`` (y, x), both float32 with NaN, and ``days.txt``: one
ISO day a look of the history, then that of the date. Prints CPU seconds by detector and step, the best of
rounds, as JSON.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from nrt.monitor.cusum import CuSum
from nrt.monitor.ewma import EWMA

DATES = 20


def main() -> None:
    """Fit and monitor with each detector."""
    warnings.simplefilter("ignore")
    folder, rounds = Path(sys.argv[1]), int(sys.argv[2])
    values, date = np.load(folder / "history.npy"), np.load(folder / "date.npy")
    days = [datetime.fromisoformat(day) for day in (folder / "days.txt").read_text().split()]
    coordinates = {"time": np.array(days[:-1], dtype="datetime64[ns]")}
    history = xr.DataArray(values, dims=("time", "y", "x"), coords=coordinates)
    best: dict[str, float] = {}
    for _ in range(rounds):
        for name, detector in (("EWMA", EWMA), ("CuSum", CuSum)):
            monitor = detector(trend=False, harmonic_order=2)
            start = time.process_time()
            monitor.fit(history, method="OLS")
            keep(best, f"{name} fit", time.process_time() - start)
            start = time.process_time()
            for _ in range(DATES):
                monitor.monitor(date, days[-1])
            keep(best, f"{name} date", (time.process_time() - start) / DATES)
    print(json.dumps(best))


def keep(best: dict[str, Any], name: str, seconds: float) -> None:
    """Keep the shorter time."""
    best[name] = min(best.get(name, seconds), seconds)


if __name__ == "__main__":
    main()
