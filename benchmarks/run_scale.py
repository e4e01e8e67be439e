"""What one new date costs a run over many sites, stage by stage, and what a run costs that finds nothing new.

    OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 python benchmarks/run_scale.py --sites 100 --workers 2

One simulated image of 1,024 pixels a date (30 m, two bands and a mask; noise drawn from the date) holds all
sites, each a square of 300 m with as much ground around it: frames of 30 pixels. Each run is a process of
its own. Memory is the peak of the run's process, and of the largest of its workers, as the kernel counts
what is resident; and the most that all of them held at one time, where pages that several of them share
count once (PSS, asked for five times a second).
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import rasterio
from rasterio.transform import from_origin
from rasterio.warp import transform
from shapely.geometry import Point, mapping

from geo.area import square_around
from geo.durable import write_bytes
from imagery.intake import IntakeOptions, plan_intake
from watch.conduct import Conduct
from watch.ledger import Ledger
from watch.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

SIDE_PX = 1024
PIXEL_M = 30
LEFT, TOP = 737_685.0, 4_339_425.0
STEP_PX = 32
CRS = "EPSG:32651"
FIRST_DAY = date(2021, 1, 5)
STEP_DAYS = 8

INTAKE = IntakeOptions(
    pattern=r"(?P<platform>LE7)_(?P<acquired>\d{8})_(?P<band>\w+)\.tif",
    date_format="%Y%m%d",
    scale=1e-4,
    simulated=True,
    credit="made for a benchmark",
)


def day_of(number: int) -> date:
    """Return the day of a date."""
    return FIRST_DAY + timedelta(days=STEP_DAYS * number)


def after(number: int) -> datetime:
    """Return an instant after a date and before the next one."""
    day = day_of(number)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, hours=12)


def write_date(folder: Path, number: int) -> list[Path]:
    """Write the image of one date."""
    day = day_of(number)
    ground = np.random.default_rng(1).normal(1500, 120, (2, SIDE_PX, SIDE_PX))
    values = ground + np.random.default_rng(day.toordinal()).normal(0, 25, ground.shape)
    clear = np.zeros((SIDE_PX, SIDE_PX), dtype=np.uint8)
    images = {"red": values[0].astype(np.int16), "nir": values[1].astype(np.int16), "fmask": clear}
    files = []
    for name, data in images.items():
        files.append(folder / f"LE7_{day:%Y%m%d}_{name}.tif")
        profile = {
            "driver": "GTiff",
            "width": SIDE_PX,
            "height": SIDE_PX,
            "count": 1,
            "dtype": data.dtype,
            "crs": CRS,
            "transform": from_origin(LEFT, TOP, PIXEL_M, PIXEL_M),
        }
        with rasterio.open(files[-1], "w", **profile) as dataset:
            dataset.write(data, 1)
    return files


def site_features(count: int) -> list[dict[str, Any]]:
    """Return sites side by side on the image."""
    across = SIDE_PX // STEP_PX
    features = []
    for number in range(count):
        row, column = divmod(number, across)
        x = LEFT + PIXEL_M * (column + 0.5) * STEP_PX
        y = TOP - PIXEL_M * (row + 0.5) * STEP_PX
        (lon,), (lat,) = transform(CRS, "EPSG:4326", [x], [y])
        properties = {
            "name": f"Yard {number}",
            "category": "storage",
            "watch": {"cadence": f"P{STEP_DAYS}D", "context_m": 300},
        }
        features.append(
            {
                "type": "Feature",
                "id": f"yard-{number:04}",
                "geometry": mapping(square_around(Point(lon, lat), 300)),
                "properties": properties,
            }
        )
    return features


def prepared(folder: Path, sites: int, dates: int) -> Workspace:
    """Return a workspace with the images of all dates in its archive."""
    workspace = Workspace.create(folder / "w", builtin=False)
    document = {"type": "FeatureCollection", "features": site_features(sites)}
    write_bytes(workspace.catalogue_path / "sites.geojson", json.dumps(document).encode())
    for number in range(dates):
        workspace.archive().add(plan_intake(write_date(folder, number), INTAKE).scenes)
    return workspace


def peak_mb(who: int) -> float:
    """Return the peak resident memory of this process, or of the largest one that it waited for."""
    return resource.getrusage(who).ru_maxrss / 1024


def cpu_s(who: int) -> float:
    """Return CPU seconds of this process, or of all that it waited for."""
    usage = resource.getrusage(who)
    return usage.ru_utime + usage.ru_stime


@contextmanager
def writing_timed(spent: list[float]) -> Iterator[None]:
    """Note the seconds of every transaction meanwhile."""
    usual = Ledger.transaction

    @contextmanager
    def timed(self: Ledger) -> Iterator[Any]:
        start = time.perf_counter()
        with usual(self) as transaction:
            yield transaction
        spent.append(time.perf_counter() - start)

    Ledger.transaction = timed  # type: ignore[method-assign]
    try:
        yield
    finally:
        Ledger.transaction = usual  # type: ignore[method-assign]


class Together:
    """The most memory that this process and those that it started held at one time."""

    def __init__(self) -> None:
        """Begin to ask."""
        self.most_mb = 0.0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Ask once more, and no more."""
        self._is_over.set()
        self._thread.join()

    def _ask(self) -> None:
        own = os.getpid()
        while True:
            children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
            self.most_mb = max(self.most_mb, sum(pss_mb(process) for process in [str(own), *children]))
            if self._is_over.wait(0.2):
                return


def pss_mb(process: str) -> float:
    """Return the memory of a process, shared pages by their share; 0 for one that has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def one_run(root: str, now: str, workers: int) -> None:
    """Make a run and print its figures as JSON."""
    workspace = Workspace.open(root)
    spent: list[float] = []
    together = Together()
    with writing_timed(spent):
        start, own_s = time.perf_counter(), time.process_time()
        report = workspace.run(now=datetime.fromisoformat(now), conduct=Conduct(workers=workers))
        wall_s, own_s = time.perf_counter() - start, time.process_time() - own_s
    together.end()
    if report.exit_code:
        raise SystemExit("\n".join(report.wrong[:5]))
    figures = {
        "looks": report.looks.total(),
        "wall_s": wall_s,
        **dict(report.stages),
        "write": sum(spent),
        "own_cpu_s": own_s,
        "workers_cpu_s": cpu_s(resource.RUSAGE_CHILDREN),
        "own_mb": peak_mb(resource.RUSAGE_SELF),
        "worker_mb": peak_mb(resource.RUSAGE_CHILDREN),
        "together_mb": together.most_mb,
    }
    print(json.dumps(figures))


def apart(workspace: Workspace, now: datetime, workers: int) -> dict[str, float]:
    """Return the figures of a run in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, "--run", str(workspace.root)]
    command += ["--now", now.isoformat(), "--workers", str(workers)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - ourselves
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--sites", type=int, default=100)
    arguments.add_argument("--history", type=int, default=13, help="dates before the new one")
    arguments.add_argument("--workers", type=int, default=2)
    arguments.add_argument("--run", default="", help=argparse.SUPPRESS)
    arguments.add_argument("--now", default="", help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.run:
        one_run(given.run, given.now, given.workers)
        return
    with tempfile.TemporaryDirectory() as name:
        workspace = prepared(Path(name), given.sites, given.history + 1)
        print(f"load before: {os.getloadavg()[0]:.1f}")
        runs = {}
        if given.history:
            runs["the dates before"] = apart(workspace, after(given.history - 1), given.workers)
        runs["one new date"] = apart(workspace, after(given.history), given.workers)
        runs["nothing new"] = apart(workspace, after(given.history) + timedelta(hours=1), given.workers)
        print(f"| {given.sites} sites, {given.workers} workers | {' | '.join(runs['nothing new'])} |")
        print(f"|---|{'---|' * len(runs['nothing new'])}")
        for title, figures in runs.items():
            print(f"| {title} | {' | '.join(f'{value:.2f}' for value in figures.values())} |")
        print(f"load after: {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
