"""What a pull costs beyond the exchange itself: forty passes of one site from a local hub.

    PYTHONPATH=tests/hub python benchmarks/pull.py

The bare exchange is the same Process requests, sent with `requests` by as many threads, each answer read
whole and decoded to arrays; nothing is searched, counted or kept. Ours is `watch.pull.pull`: credentials,
search, budget journal, checks, and an archive of STAC Items and COGs that survives a power cut.

The hub is a process of its own. In the first pair of rows it really executes each request, on the
processors that the pull has, too. In the second it stands for a service elsewhere: what it answered once it
answers again from memory, 400 ms after it was asked, about what a Process request of that size takes. Wall
time and CPU time of this process, best of rounds.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import orjson
import rasterio
import requests
from affine import Affine
from pyproj import Transformer
from shapely.geometry import Point, mapping

from geo.area import square_around
from geo.dates import Span
from imagery.archive import Archive
from imagery.intake import IntakeOptions, plan_intake
from imagery.sentinelhub.process import PROCESS_PATH, TAR, PassRequest, understand_pixels
from imagery.sentinelhub.service import Answer
from sitewatch_hub.faults import Delay
from sitewatch_hub.server import LocalHub
from sitewatch_hub.tokens import Client
from watch.connection import connected
from watch.pull import PullOptions, pull
from watch.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sitewatch_hub.messages import Reply, Request

WHOLE, PASSES = "`pull`", "`pull`, once it has searched"

DATES = 40
ROUNDS = 3
WORKERS = 4
DELAY_S = 0.4
TILE_PX = 320
CRS = "EPSG:32652"
LEFT, TOP, SIDE = 280_000.0, 4_440_000.0, 10.0
BANDS = ("blue", "green", "red", "nir", "swir16")
FIRST = date(2022, 3, 1)
SPAN = Span(FIRST, FIRST + timedelta(days=5 * DATES))
ACCOUNT = Client()

SETTINGS = """\
[pull]
deployment = "custom"
base_url = "{base}"
token_url = "{token}"
bands = ["blue", "green", "red", "nir", "swir16"]
workers = {workers}
[budget]
requests_per_minute = 1000000
processing_units_per_minute = 1000000.0
"""


@dataclass(frozen=True, slots=True)
class Running:
    """A hub in a process of its own."""

    base_url: str
    token_url: str


def make_archive(folder: Path) -> Path:
    """Archive one tile a date, five bands of noise over fields and scene classes; return where."""
    rng = np.random.default_rng(11)
    fields = np.kron(rng.integers(300, 4000, (len(BANDS), 20, 20)), np.ones((1, 16, 16), dtype=np.int64))
    files = []
    profile = {"driver": "GTiff", "width": TILE_PX, "height": TILE_PX, "dtype": "uint16", "crs": CRS}
    profile |= {"count": len(BANDS) + 1, "transform": Affine(SIDE, 0.0, LEFT, 0.0, -SIDE, TOP), "nodata": 0}
    for number in range(DATES):
        pixels = fields + rng.integers(-60, 60, fields.shape)
        classes = np.kron(rng.choice([4, 5, 9], (20, 20)), np.ones((16, 16), dtype=np.int64))
        path = folder / f"S2A_{FIRST + timedelta(days=5 * number):%Y%m%d}T021130.tif"
        with rasterio.open(path, "w", **profile) as dataset:
            dataset.write(np.concatenate([pixels, classes[None]]).astype(np.uint16))
            dataset.descriptions = (*BANDS, "scl")
        files.append(path)
    options = IntakeOptions(
        pattern=r"S2A_(?P<acquired>\w+)\.tif",
        date_format="%Y%m%dT%H%M%S",
        utc=True,
        platform="S2A",
        scale=1e-4,
        simulated=True,
    )
    Archive(folder / "served").add(plan_intake(files, options).scenes)
    return folder / "served"


def remember_answers(hub: LocalHub) -> None:
    """Let a hub execute each Process request once and answer it from memory after that."""
    service = hub._server.service  # noqa: SLF001 - no test needs it, so there is no other way in
    execute = service.answer
    known: dict[bytes, Reply] = {}

    def answer(request: Request) -> Reply:
        if PROCESS_PATH not in request.path:
            return execute(request)
        asked = orjson.dumps(orjson.loads(request.body), option=orjson.OPT_SORT_KEYS)
        if asked not in known:
            known[asked] = execute(request)
        return known[asked]

    service.answer = answer


def serve(archive: str, delay_s: float) -> None:
    """Serve until the pipe to the parent closes."""
    with LocalHub(Path(archive), client=ACCOUNT) as hub:
        if delay_s:
            hub.faults.add(Delay(delay_s), times=10**9)
            remember_answers(hub)
        print(hub.base_url, hub.token_url, flush=True)
        sys.stdin.read()


@contextmanager
def served(archive: Path, delay_s: float) -> Iterator[Running]:
    """Yield a hub in a process of its own."""
    command = [sys.executable, "-W", "ignore", __file__, "--serve", str(archive), str(delay_s)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
    assert process.stdin
    assert process.stdout
    try:
        yield Running(*process.stdout.readline().split())
    finally:
        process.stdin.close()
        process.wait()


def make_workspace(folder: Path, hub: Running) -> Workspace:
    """Return a workspace with one site in the middle of the tile."""
    workspace = Workspace.create(folder, builtin=False)
    settings = SETTINGS.format(base=hub.base_url, token=hub.token_url, workers=WORKERS)
    (workspace.root / "sitewatch.toml").write_text(settings)
    to_degrees = Transformer.from_crs(CRS, "EPSG:4326", always_xy=True)
    half = SIDE * TILE_PX / 2
    centre = Point(*to_degrees.transform(LEFT + half, TOP - half))
    properties = {"name": "Market", "category": "market"}
    feature = {"type": "Feature", "id": "market", "properties": properties}
    feature["geometry"] = mapping(square_around(centre, 100))
    document = {"type": "FeatureCollection", "features": [feature]}
    (workspace.catalogue_path / "sites.geojson").write_bytes(orjson.dumps(document))
    return Workspace.open(workspace.root)


def account() -> dict[str, str]:
    """Return the environment of a user with the hub's account."""
    return {"SITEWATCH_SH_CLIENT_ID": ACCOUNT.id, "SITEWATCH_SH_CLIENT_SECRET": ACCOUNT.secret}


def wanted(workspace: Workspace) -> list[PassRequest]:
    """Return the requests that a pull will send."""
    with connected(workspace, account()) as connection:
        report = pull(workspace, connection.hub, (), PullOptions(SPAN, dry_run=True))
    return [scene.request for scene in report.missing]


def bare(hub: Running, asked: Sequence[PassRequest]) -> None:
    """Exchange the requests and decode the answers."""
    form = {"grant_type": "client_credentials", "client_id": ACCOUNT.id, "client_secret": ACCOUNT.secret}
    session = requests.Session()
    token = session.post(hub.token_url, data=form, timeout=60).json()["access_token"]
    headers = {"authorization": f"Bearer {token}", "accept": TAR}

    def one(request: PassRequest) -> int:
        answer = session.post(
            hub.base_url + PROCESS_PATH, json=request.document(), headers=headers, timeout=60
        )
        answer.raise_for_status()
        names = {name.lower(): value for name, value in answer.headers.items()}
        return understand_pixels(Answer(answer.content, names), request).counts.nbytes

    with ThreadPoolExecutor(WORKERS) as pool:
        total = sum(pool.map(one, asked))
    if not total:
        raise SystemExit("nothing came")


def ours(workspace: Workspace, searched: list[float]) -> None:
    """Pull the site; append when the search had ended and when everything had."""
    with connected(workspace, account()) as connection:
        report = pull(
            workspace,
            connection.hub,
            (),
            PullOptions(SPAN, workers=WORKERS),
            announce=lambda _: searched.append(time.perf_counter()),
        )
    searched.append(time.perf_counter())
    if len(report.pulled) != DATES:
        raise SystemExit(f"{len(report.pulled)} passes came")


def clocked(work: str, archive: Path, folder: Path, delay_s: float) -> None:
    """Measure both and print their rows."""
    best: dict[str, float] = {}
    cpu: dict[str, float] = {}

    def measure(name: str, work: Callable[[], None]) -> None:
        start, start_cpu = time.perf_counter(), time.process_time()
        work()
        best[name] = min(best.get(name, float("inf")), time.perf_counter() - start)
        cpu[name] = min(cpu.get(name, float("inf")), time.process_time() - start_cpu)

    with served(archive, delay_s) as hub:
        asked = wanted(make_workspace(folder / f"plan{delay_s}", hub))
        bare(hub, asked)  # everything is loaded, and known to a hub that remembers
        for number in range(ROUNDS):
            workspace = make_workspace(folder / f"w{delay_s}-{number}", hub)
            measure("bare exchange", lambda: bare(hub, asked))
            moments: list[float] = []
            measure(WHOLE, partial(ours, workspace, moments))
            began, ended = moments
            best[PASSES] = min(best.get(PASSES, float("inf")), ended - began)
    least = best["bare exchange"]
    for name, seconds in best.items():
        each = 1000 * seconds / DATES
        own = f"{1000 * cpu[name] / DATES:.1f}" if name in cpu else ""
        over = f"{100 * (seconds / least - 1):.0f} %" if seconds > least else "-"
        print(f"| {work} | {name} | {each:.1f} | {own} | {over} |")


def main() -> None:
    """Print the table."""
    if sys.argv[1:2] == ["--serve"]:
        serve(sys.argv[2], float(sys.argv[3]))
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        archive = make_archive(folder)
        print(f"| the hub answers | what | wall ms a pass | own CPU ms a pass | over bare |\n{'|---' * 5}|")
        clocked("by executing", archive, folder, 0.0)
        clocked(f"from memory, {1000 * DELAY_S:.0f} ms later", archive, folder, DELAY_S)


if __name__ == "__main__":
    main()
