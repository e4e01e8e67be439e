"""A small workspace with images made here: one site, 16-day scenes, a roof that appears on a known day."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import orjson
import pytest
import rasterio
from rasterio.transform import from_origin
from shapely.geometry import Point, mapping

from geo.area import square_around
from imagery.intake import IntakeOptions, plan_intake
from watch.cli.main import main
from watch.workspace import Workspace

CENTRE = Point(125.754, 39.03)
SITE_ID = "yard"
FIRST_DAY = date(2018, 4, 1)
ROOF_DAY = date(2021, 5, 1)
SIDE_PX = 48
LEFT, TOP = 737_685.0, 4_324_425.0
"""Odd multiples of 15 m, as Landsat's pixel edges are; `CENTRE` lies in the middle of the image."""

INTAKE = IntakeOptions(
    pattern=r"(?P<platform>LE7)_(?P<acquired>\d{8})_(?P<band>\w+)\.tif",
    date_format="%Y%m%d",
    scale=1e-4,
    simulated=True,
    credit="made for a test",
)


def season_days(count: int) -> list[date]:
    """Return days 16 apart in April to June of consecutive years."""
    days = []
    for year in range(10):
        start = date(FIRST_DAY.year + year, FIRST_DAY.month, FIRST_DAY.day)
        days += [start + timedelta(days=16 * step) for step in range(5)]
    return days[:count]


def write_scene(folder: Path, day: date, *, roof: bool, cloud: bool = False, mask: bool = True) -> list[Path]:
    """Write one scene as three GeoTIFFs, its noise drawn from its date."""
    rng = np.random.default_rng(day.toordinal())
    ground = np.random.default_rng(1).normal(1500, 120, (2, SIDE_PX, SIDE_PX))
    values = ground + rng.normal(0, 25, ground.shape) + rng.normal(0, 40)
    if roof:
        values[:, 20:26, 20:26] += np.array([1500, 1000])[:, None, None]
    classes = np.zeros((SIDE_PX, SIDE_PX), dtype=np.uint8)
    if cloud:
        classes[:, : SIDE_PX * 3 // 4] = 4
    images = {"red": values[0].astype(np.int16), "nir": values[1].astype(np.int16)}
    if mask:
        images["fmask"] = classes
    return [_write(folder / f"LE7_{day:%Y%m%d}_{name}.tif", data) for name, data in images.items()]


def _write(path: Path, data: np.ndarray) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    profile = {
        "driver": "GTiff",
        "width": SIDE_PX,
        "height": SIDE_PX,
        "count": 1,
        "dtype": data.dtype,
        "crs": "EPSG:32651",
        "transform": from_origin(LEFT, TOP, 30, 30),
    }
    with rasterio.open(path, "w", **profile) as dataset:
        dataset.write(data, 1)
    return path


@pytest.fixture
def scenes(tmp_path: Path) -> Callable[..., list[Path]]:
    """Return a maker of scenes: a roof stands from `ROOF_DAY`, every seventh day is cloudy."""

    def make(days: list[date], *, mask: bool = True, roof_from: date = ROOF_DAY) -> list[Path]:
        files: list[Path] = []
        for day in days:
            cloud = mask and (day - FIRST_DAY).days // 16 % 7 == 3
            files += write_scene(tmp_path / "images", day, roof=day >= roof_from, cloud=cloud, mask=mask)
        return files

    return make


@pytest.fixture
def make_workspace(tmp_path: Path) -> Callable[[str], Workspace]:
    """Return a maker of workspaces with the one site and no images."""

    def make(name: str) -> Workspace:
        workspace = Workspace.create(tmp_path / name, builtin=False)
        feature = {
            "type": "Feature",
            "id": SITE_ID,
            "geometry": mapping(square_around(CENTRE, 300)),
            "properties": {
                "name": "Yard",
                "category": "storage",
                "watch": {"cadence": "P16D", "context_m": 300},
            },
        }
        document = {"type": "FeatureCollection", "features": [feature]}
        (workspace.catalogue_path / "sites.geojson").write_bytes(orjson.dumps(document))
        return workspace

    return make


@pytest.fixture
def add_scenes() -> Callable[[Workspace, list[Path]], None]:
    """Return what archives files in a workspace."""

    def add(workspace: Workspace, files: list[Path]) -> None:
        workspace.archive().add(plan_intake(files, INTAKE).scenes)

    return add


@pytest.fixture
def now() -> datetime:
    """Return an instant after the last scene."""
    return datetime(2022, 1, 1, tzinfo=UTC)


@pytest.fixture
def days() -> list[date]:
    """Return the days of twenty scenes; the roof stands on the last four."""
    return season_days(20)


@pytest.fixture
def roof_day() -> date:
    """Return the day from which the roof stands."""
    return ROOF_DAY


@pytest.fixture
def sitewatch(
    monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Callable[..., tuple[int, str, str]]:
    """Return a caller of the command line: arguments in, exit code, standard output and error out."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sitewatch", *arguments])
        capfdbinary.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capfdbinary.readouterr()
        return int(stop.value.code or 0), out.decode(), err.decode()

    return call


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger_place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Return where a new ledger may be made: a file, then a real server."""
    if request.param == "sqlite":
        return tmp_path / "ledger.sqlite"
    url: str = request.getfixturevalue("postgresql")
    return url
