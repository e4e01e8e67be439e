"""The ground of the simulated year: made-up images of many small sites, and a service that has some of them.

Most sites lie side by side on one image a date (30 m, two bands and a mask) that somebody adds to the
archive; the others on the tiles of a local hub (10 m, two bands and scene classes), to be pulled. On two of
five something changes: on one for good, on the other for a few dates.
"""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import rasterio
from affine import Affine
from pyproj import Transformer
from shapely.geometry import Point, mapping

from geo.area import square_around
from geo.durable import write_bytes
from imagery.archive import Archive
from imagery.intake import IntakeOptions, plan_intake
from sitewatch_hub import faults
from sitewatch_hub.server import LocalHub
from sitewatch_hub.tokens import Client

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Self

    from numpy.typing import NDArray

    from imagery.assembly import PlannedScene

STEP_PX = 48
"""From site to site; their frames are 30 px, and what is pulled for one must not touch the next."""
STEP_DAYS = 5
CADENCES_DAYS = (3, 5, 7)
ACCOUNT = Client()
LOCAL, DISTANT = "yard", "depot"

TROUBLES = {
    "429": faults.too_many_requests("20"),
    "500": faults.server_error(500),
    "503": faults.server_error(503),
    "quota": faults.quota_used_up(),
    "page": faults.html_page(),
    "half an answer": faults.Truncate(0.5),
    "wrong length": faults.Misstate(-100),
    "silence": faults.Hang(2.0),
    "reset": faults.Reset(),
    "old token": faults.ExpireTokens(),
}
"""What a service does on a bad day."""

_CHANGE_COUNTS = 600
_CHANGED_PX = 4
_CLOUD_PX = 16
_BRIGHTNESS = 1500
_CLOUD_COUNTS = 6000


@dataclass(frozen=True, slots=True)
class Ground:
    """Sites in rows on a square image, and what its sensor is like."""

    name: str
    sites: int
    seed: int
    start: date
    days: int
    """Of the year; images begin 60 days before it."""
    side_m: float
    crs: str
    left: float
    top: float
    context_m: float

    @property
    def across(self) -> int:
        """How many sites stand in a row."""
        return max(1, int(np.ceil(np.sqrt(self.sites))))

    @property
    def side_px(self) -> int:
        """The side of the image."""
        return self.across * STEP_PX

    def days_of_images(self) -> list[date]:
        """Return the days with an image; some are missing."""
        first = self.start - timedelta(days=60)
        days = [first + timedelta(days=step) for step in range(0, 60 + self.days, STEP_DAYS)]
        drawn = np.random.default_rng(self.seed).random(len(days))
        return [day for day, luck in zip(days, drawn, strict=True) if luck > 0.15 or day < self.start]

    def features(self) -> list[dict[str, Any]]:
        """Return the sites."""
        to_degrees = Transformer.from_crs(self.crs, "EPSG:4326", always_xy=True)
        return [self._feature(number, to_degrees) for number in range(self.sites)]

    def _feature(self, number: int, to_degrees: Transformer) -> dict[str, Any]:
        row, column = divmod(number, self.across)
        x = self.left + self.side_m * (column + 0.5) * STEP_PX
        y = self.top - self.side_m * (row + 0.5) * STEP_PX
        cadence = CADENCES_DAYS[number % len(CADENCES_DAYS)]
        return {
            "type": "Feature",
            "id": f"{self.name}-{number:03}",
            "geometry": mapping(square_around(Point(*to_degrees.transform(x, y)), 10 * self.side_m)),
            "properties": {
                "name": f"{self.name.title()} {number}",
                "category": "storage",
                "watch": {"cadence": f"P{cadence}D", "context_m": self.context_m},
            },
        }

    def counts(self, day: date) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
        """Return red and near infrared of a day, ``(band, y, x)``, and where clouds are, ``(y, x)``."""
        rng = np.random.default_rng([self.seed, day.toordinal()])
        shape = (2, self.side_px, self.side_px)
        season = 1 + 0.06 * np.sin(2 * np.pi * day.timetuple().tm_yday / 365.25)
        values = season * np.random.default_rng(self.seed).normal(_BRIGHTNESS, 120, shape)
        for number in range(self.sites):
            if self._is_changed(number, day):
                row, column = (STEP_PX * part + STEP_PX // 2 for part in divmod(number, self.across))
                values[:, row : row + _CHANGED_PX, column : column + _CHANGED_PX] += _CHANGE_COUNTS
        values += rng.normal(0, 25, shape)
        share = rng.choice([0.0, 0.2, 0.5, 1.0], p=[0.7, 0.15, 0.05, 0.1])
        coarse = rng.random((self.side_px // _CLOUD_PX, self.side_px // _CLOUD_PX)) < share
        cloud = np.kron(coarse, np.ones((_CLOUD_PX, _CLOUD_PX), dtype=np.bool_)).astype(np.bool_)
        return np.where(cloud, _CLOUD_COUNTS, values).astype(np.int16), cloud

    def _is_changed(self, number: int, day: date) -> bool:
        kind = number % 5
        if kind > 1 or self.days < 60:
            return False
        rng = np.random.default_rng([self.seed, number])
        began = self.start + timedelta(days=int(rng.integers(20, self.days - 30)))
        lasts = self.days if kind == 0 else int(rng.integers(8, 40))
        return began <= day < began + timedelta(days=lasts)


@dataclass(frozen=True, slots=True)
class Made:
    """Images of both kinds of sites on the disk."""

    folder: Path
    local: Ground
    distant: Ground

    @classmethod
    def of(cls, folder: Path, *, sites: int, pulled: int, start: date, days: int, seed: int) -> Self:
        """Write all images of a year."""
        local = Ground(
            LOCAL, sites - pulled, seed, start, days, 30.0, "EPSG:32651", 737_685.0, 4_339_425.0, 300.0
        )
        distant = Ground(
            DISTANT, pulled, seed + 1, start, days, 10.0, "EPSG:32652", 280_000.0, 4_440_000.0, 100.0
        )
        made = cls(folder, local, distant)
        for ground, name in ((local, "down"), (distant, "tiles")):
            (folder / name).mkdir(parents=True)
            for day in ground.days_of_images():
                made._write(ground, folder / name, day)
        files = sorted((folder / "tiles").iterdir())
        Archive(folder / "served").add(plan_intake(files, _options(r"(?P<band>\w+)", mask="scl")).scenes)
        return made

    @property
    def served(self) -> Path:
        """The archive of the hub."""
        return self.folder / "served"

    def write_catalogue(self, file: Path) -> None:
        """Write the sites."""
        features = [*self.local.features(), *self.distant.features()]
        write_bytes(file, orjson.dumps({"type": "FeatureCollection", "features": features}))

    def scenes(self, day: date) -> tuple[PlannedScene, ...]:
        """Return what came down on a day, to be archived."""
        files = sorted((self.folder / "down").glob(f"LE7_{day:%Y%m%d}T*"))
        return plan_intake(files, _options(r"(?P<band>\w+)", mask="fmask")).scenes if files else ()

    def _write(self, ground: Ground, folder: Path, day: date) -> None:
        values, cloud = ground.counts(day)
        is_local = ground is self.local
        # Fmask: 0 is clear land, 4 cloud; SCL: 5 is bare ground, 9 cloud.
        mask = np.where(cloud, 4, 0) if is_local else np.where(cloud, 9, 5)
        images = {"red": values[0], "nir": values[1], "fmask" if is_local else "scl": mask.astype(np.uint8)}
        for band, pixels in images.items():
            name = f"{'LE7' if is_local else 'S2A'}_{day:%Y%m%d}T021130_{band}.tif"
            profile = {"driver": "GTiff", "width": ground.side_px, "height": ground.side_px, "count": 1}
            transform = Affine(ground.side_m, 0.0, ground.left, 0.0, -ground.side_m, ground.top)
            with rasterio.open(
                folder / name, "w", crs=ground.crs, dtype=pixels.dtype, transform=transform, **profile
            ) as dataset:
                dataset.write(pixels, 1)


def _options(band: str, *, mask: str) -> IntakeOptions:
    return IntakeOptions(
        pattern=rf"(?P<platform>LE7|S2A)_(?P<acquired>\d{{8}}T\d{{6}})_{band}\.tif",
        date_format="%Y%m%dT%H%M%S",
        utc=True,
        scale=1e-4,
        mask_band=mask,
        simulated=True,
        credit="made for a benchmark",
    )


@dataclass(frozen=True, slots=True)
class Service:
    """A hub in a process of its own."""

    process: subprocess.Popen[str]
    base_url: str
    token_url: str

    def order(self, trouble: str, path: str, nth: int, times: int) -> None:
        """Let the nth request from now on, and so many in all, meet a trouble."""
        self._say(f"{trouble}|{path}|{nth}|{times}")

    def well(self) -> None:
        """Let all troubles be over."""
        self._say("")

    def _say(self, line: str) -> None:
        assert self.process.stdin
        assert self.process.stdout
        print(line, file=self.process.stdin, flush=True)
        self.process.stdout.readline()


@contextmanager
def serving(archive: Path) -> Iterator[Service]:
    """Yield a service that has an archive."""
    command = [sys.executable, "-W", "ignore", __file__, str(archive)]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True)  # noqa: S603 - ourselves
    assert process.stdin
    assert process.stdout
    try:
        yield Service(process, *process.stdout.readline().split())
    finally:
        process.stdin.close()
        process.wait()


def serve(archive: Path) -> None:
    """Serve until nobody is at the other end; each line orders a trouble, an empty one ends them."""
    with LocalHub(archive, client=ACCOUNT) as hub:
        print(hub.base_url, hub.token_url, flush=True)
        for line in sys.stdin:
            trouble, *rest = line.rstrip("\n").split("|")
            if trouble:
                path, nth, times = rest
                hub.faults.add(TROUBLES[trouble], path=path, nth=int(nth), times=int(times))
            else:
                hub.faults.clear()
            print(flush=True)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
