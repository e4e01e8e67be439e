"""What every provider promises, asked of each; and that two of them say the same of one archive.

``pytest -m live`` asks the service itself, with the credentials in SITEWATCH_SH_CLIENT_ID and
SITEWATCH_SH_CLIENT_SECRET and the deployment in SITEWATCH_SH_DEPLOYMENT; it costs about one processing unit.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from geo.dates import Span
from geo.grid import Grid, grid_box_lonlat
from imagery.archive import Archive
from imagery.errors import ImageError
from imagery.local import LocalArchive
from imagery.masks import CLEAR_CLASSES
from imagery.model import CANONICAL_SCALE, Chip
from imagery.provenance import LOCAL, Charge, Provenance
from imagery.provider import NO_LIMITS, Limits, Provider, solar_days
from imagery.sentinelhub.credentials import Credentials
from imagery.sentinelhub.deployment import deployment_for
from imagery.sentinelhub.products import product_for
from imagery.sentinelhub.provider import SentinelHub
from imagery.sentinelhub.service import Service
from imagery.stack import Stacked
from sitewatch_hub.server import LocalHub
from sitewatch_hub.simulated import BASELINE_CHANGE, CRS, LEFT, PASSES, STEP_PX, TILE_PX, TOP, make_archive

BANDS = ("blue", "green", "red", "nir", "swir16", "swir22")
PROVIDERS = ["local", "stacked", "hub", pytest.param("live", marks=pytest.mark.live)]
PIXELS = ("dn", "valid", "clear", "classes")
CANONICAL = (
    "solar_day",
    "acquired",
    "day_only",
    "platform",
    "series",
    "bands",
    "scale",
    "quantity",
    "mask_scheme",
    "simulated",
    "geometry",
    "processing_baseline",
)
"""What a chip says that doesn't depend on who gave it; credit, ids and provenance do."""
SEAM_PX = STEP_PX
"""Column at which the eastern tile begins."""


@dataclass(frozen=True, slots=True)
class Case:
    """A provider and ground that it knows something of."""

    provider: Provider
    grid: Grid
    span: Span


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    return make_archive(tmp_path_factory.mktemp("simulated") / "archive", np.random.default_rng(7))


@pytest.fixture(scope="session")
def hub(simulated: Archive) -> Iterator[LocalHub]:
    with LocalHub(simulated.root) as running:
        yield running


@pytest.fixture
def local(simulated: Archive) -> LocalArchive:
    return LocalArchive(simulated)


@pytest.fixture
def remote(hub: LocalHub, tmp_path: Path) -> SentinelHub:
    return _hub_provider(hub, tmp_path / "pulled")


@pytest.fixture
def stacked(simulated: Archive, tmp_path: Path) -> Stacked:
    # Its stacks lie below a root of their own, so that no test fills another's.
    return Stacked(LocalArchive(simulated), Archive(tmp_path / "stacks"), settings="")


def _hub_provider(hub: LocalHub, root: Path) -> SentinelHub:
    deployment = deployment_for("custom", base_url=hub.base_url, token_url=hub.token_url)
    service = Service(deployment, Credentials(hub.client.id, hub.client.secret))
    return SentinelHub(service, Archive(root), product_for("sentinel-2-l2a"), bands=BANDS)


@pytest.fixture(autouse=True)
def _live_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _no_network: None) -> None:
    if request.node.get_closest_marker("live"):
        monkeypatch.undo()


@pytest.fixture
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    if request.param == "live":
        return live_case(tmp_path)
    provider = request.getfixturevalue({"hub": "remote"}.get(request.param, request.param))
    return Case(provider, grid_at(30, 40, 60, 50), Span(date(2021, 12, 1), date(2022, 2, 28)))


def live_case(folder: Path) -> Case:
    client_id, secret = (os.environ.get(f"SITEWATCH_SH_CLIENT_{part}", "") for part in ("ID", "SECRET"))
    deployment = deployment_for(os.environ.get("SITEWATCH_SH_DEPLOYMENT", "copernicus"))
    service = Service(deployment, Credentials(client_id, secret, "environment"))
    provider = SentinelHub(service, Archive(folder / "pulled"), product_for("sentinel-2-l2a"), bands=BANDS)
    place = {"site_id": "live", "crs": "EPSG:32651", "shape": [60, 50]}
    grid = Grid.from_json({**place, "transform": [10.0, 0.0, 793_000.0, 0.0, -10.0, 4_446_000.0]})
    return Case(provider, grid, Span(date(2023, 4, 1), date(2023, 4, 14)))


def grid_at(row: float, column: float, rows: int, columns: int) -> Grid:
    transform = [10.0, 0.0, LEFT + 10.0 * column, 0.0, -10.0, TOP - 10.0 * row]
    return Grid.from_json({"site_id": "a", "crs": CRS, "transform": transform, "shape": [rows, columns]})


def chips(provider: Provider, grid: Grid) -> dict[tuple[date, str], Chip]:
    lon = grid_box_lonlat(grid).centroid.x
    days = solar_days(provider.search(grid), lon)
    return {key: provider.read(grid, scenes) for key, scenes in days.items()}


@pytest.mark.parametrize("case", PROVIDERS, indirect=True)
def test_scenes_are_in_order_inside_the_span_and_on_the_ground(case: Case) -> None:
    found = case.provider.search(case.grid, case.span)
    frame = grid_box_lonlat(case.grid)
    assert found
    assert list(found) == sorted(found, key=lambda scene: (scene.acquired, scene.id))
    assert len({scene.id for scene in found}) == len(found)
    for scene in found:
        assert case.span.contains(scene.solar_day(frame.centroid.x))
        assert scene.acquired.utcoffset() is not None
        assert scene.footprint.intersects(frame)
        assert (scene.series, scene.mask_scheme) == ("sentinel-2", "scl")
        assert {file.name for file in scene.bands} == set(BANDS)


@pytest.mark.parametrize("case", PROVIDERS, indirect=True)
def test_searching_twice_says_the_same(case: Case) -> None:
    first, again = (case.provider.search(case.grid, case.span) for _ in range(2))
    assert first == again


@pytest.mark.parametrize("case", PROVIDERS, indirect=True)
def test_a_chip_says_what_it_is(case: Case) -> None:
    lon = grid_box_lonlat(case.grid).centroid.x
    (day, series), scenes = next(iter(solar_days(case.provider.search(case.grid, case.span), lon).items()))
    chip = case.provider.read(case.grid, scenes)
    assert (chip.solar_day, chip.series, chip.scale) == (day, series, CANONICAL_SCALE)
    assert chip.bands == BANDS
    assert chip.dn.shape == (len(BANDS), *case.grid.shape)
    assert chip.dn.dtype == np.uint16
    assert chip.scene_ids == tuple(scene.id for scene in scenes)
    assert not (chip.clear & ~chip.valid).any()
    assert not chip.dn[:, ~chip.valid].any()
    assert chip.classes.dtype == np.uint8
    assert chip.classes.shape == case.grid.shape
    assert not chip.classes[~chip.valid].any()
    assert np.isin(chip.classes[chip.clear], CLEAR_CLASSES).all()
    assert chip.geometry.orbit == scenes[0].geometry.orbit != ""
    assert chip.processing_baseline == scenes[0].processing_baseline != ""
    assert chip.valid.any()


@pytest.mark.parametrize("case", PROVIDERS, indirect=True)
def test_a_chip_of_some_bands_is_a_part_of_the_whole(case: Case) -> None:
    scene = case.provider.search(case.grid, case.span)[:1]
    whole, part = case.provider.read(case.grid, scene), case.provider.read(case.grid, scene, ["nir", "red"])
    assert part.bands == ("nir", "red")
    assert np.array_equal(part.dn[0], whole.dn[BANDS.index("nir")])
    assert np.array_equal(part.dn[1], whole.dn[BANDS.index("red")])


@pytest.mark.parametrize("case", PROVIDERS, indirect=True)
def test_what_cannot_be_one_chip_is_refused(case: Case) -> None:
    found = case.provider.search(case.grid, case.span)
    with pytest.raises(ImageError, match="no scenes were given"):
        case.provider.read(case.grid, [])
    with pytest.raises(ImageError, match="no band ultraviolet"):
        case.provider.read(case.grid, found[:1], ["ultraviolet"])
    with pytest.raises(ImageError, match="not of one solar day"):
        case.provider.read(case.grid, [found[0], found[-1]])


@pytest.mark.parametrize("case", PROVIDERS, indirect=True)
def test_where_nothing_was_seen_nothing_is_found(case: Case) -> None:
    assert case.provider.search(case.grid, Span(date(2013, 1, 1), date(2013, 12, 31))) == ()


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (30, 40),  # inside the western tile, on its edges
        (31, 43),  # edges of 10 m pixels that are not those of the 20 m ones
        (30.4, 40.7),  # edges of no pixel: every band is resampled
        (150, 20),  # above the corner without data
        (195, 2),  # over the corner without data and the tile's edge
        (40, 300),  # the eastern tile alone
    ],
)
def test_both_say_the_same_of_one_archive(
    local: LocalArchive, stacked: Stacked, remote: SentinelHub, row: float, column: float
) -> None:
    grid = grid_at(row, column, 50, 60)
    ours, theirs = chips(local, grid), chips(remote, grid)
    again = [chips(stacked, grid) for _ in range(2)][1]
    assert ours.keys() == theirs.keys()
    assert len(ours) == len(PASSES)
    for key, chip in ours.items():
        for other in (theirs[key], again[key]):
            for name in PIXELS:
                assert np.array_equal(getattr(chip, name), getattr(other, name)), (key, name)
            for name in CANONICAL:
                assert getattr(chip, name) == getattr(other, name), (key, name)
    before_and_after = {
        (chip.acquired >= BASELINE_CHANGE, chip.processing_baseline) for chip in ours.values()
    }
    assert before_and_after == {(False, "03.01"), (True, "04.00")}


def test_across_the_seam_of_two_tiles_only_resampled_pixels_beside_it_differ(
    local: LocalArchive, remote: SentinelHub
) -> None:
    # The archive warps tile by tile, the service joins first: a cubic kernel sees the seam from both sides.
    grid = grid_at(40, TILE_PX - 30, 40, 60)
    for key, chip in chips(local, grid).items():
        pulled = chips(remote, grid)[key]
        assert np.array_equal(chip.dn[:4], pulled.dn[:4])
        assert np.array_equal(chip.valid, pulled.valid)
        assert np.array_equal(chip.clear, pulled.clear)
        columns = np.flatnonzero((chip.dn[4] != pulled.dn[4]).any(axis=0))
        assert np.abs(columns - 29.5).max(initial=0) < 5


def test_counts_do_not_jump_at_processing_baseline_04_00(remote: SentinelHub) -> None:
    grid = grid_at(100, 40, 50, 60)
    means = {True: [], False: []}  # type: dict[bool, list[float]]
    for chip in chips(remote, grid).values():
        means[chip.acquired >= BASELINE_CHANGE].append(float(chip.dn[2][chip.clear].mean()))
    assert means[True]
    assert abs(np.mean(means[True]) - np.mean(means[False])) < 300


def test_what_was_read_once_is_not_paid_for_again(remote: SentinelHub, hub: LocalHub) -> None:
    grid = grid_at(60, 60, 30, 30)
    scenes = remote.search(grid)[:2]
    before = len(hub.journal.entries("/process"))
    first = [remote.read(grid, [scene]).dn for scene in scenes]
    assert len(hub.journal.entries("/process")) == before + 2
    again = [remote.read(grid, [scene]).dn for scene in remote.search(grid)[:2]]
    assert len(hub.journal.entries("/process")) == before + 2
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert all(remote.holds(scene) for scene in scenes)


def test_the_estimate_is_what_the_service_charges(remote: SentinelHub, hub: LocalHub) -> None:
    (scene, *_) = remote.search(grid_at(60, 60, 70, 55))
    spent = remote.fetch(scene)
    assert spent.processing_units == pytest.approx(scene.request.estimate.processing_units, rel=1e-3)
    assert hub.journal.entries("/process")[-1].units == pytest.approx(spent.processing_units)


def test_what_a_terse_catalogue_does_not_tell_is_computed_or_unknown(
    simulated: Archive, local: LocalArchive, tmp_path: Path
) -> None:
    grid = grid_at(30, 40, 20, 20)
    with LocalHub(simulated.root, tells_facts=False) as terse:
        provider = _hub_provider(terse, tmp_path / "terse")
        theirs = [provider.read(grid, [scene]).geometry for scene in provider.search(grid)]
        baselines = [scene.processing_baseline for scene in provider.search(grid)]
    ours = local.search(grid)
    assert baselines == [scene.processing_baseline for scene in ours] == ["03.01"] * 3 + ["04.00"] * 3
    for pulled, scene in zip(theirs, ours, strict=True):
        kept = scene.geometry
        assert (pulled.orbit, pulled.view_zenith_deg, pulled.view_azimuth_deg) == (kept.orbit, None, None)
        assert pulled.sun_zenith_deg == pytest.approx(kept.sun_zenith_deg, abs=0.05)
        assert pulled.sun_azimuth_deg == pytest.approx(kept.sun_azimuth_deg, abs=0.05)


@pytest.mark.parametrize(
    ("limits", "count"),
    [
        (NO_LIMITS, 6),
        (Limits(max_cloud_percent=15.0), 4),
        (Limits(relative_orbit=3, orbit_state="descending"), 6),
        (Limits(relative_orbit=4), 0),
        (Limits(orbit_state="ascending"), 0),
        (Limits(max_days=2), 2),
        (Limits(max_cloud_percent=15.0, max_days=3), 3),
    ],
)
def test_limits_leave_the_same_days_at_every_provider(
    local: LocalArchive, stacked: Stacked, remote: SentinelHub, limits: Limits, count: int
) -> None:
    grid = grid_at(40, TILE_PX - 30, 40, 60)
    lon = grid_box_lonlat(grid).centroid.x
    span = Span(date(2021, 11, 1), date(2022, 12, 31))
    days = [list(solar_days(it.search(grid, span, limits), lon)) for it in (local, stacked, remote)]
    assert days[0] == days[1] == days[2]
    assert len(days[0]) == count
    whole = remote.search(grid, span)
    assert [scene for scene in whole if scene in remote.search(grid, span, limits)] == list(
        remote.search(grid, span, limits)
    )


@pytest.mark.parametrize("case", PROVIDERS, indirect=True)
def test_limits_are_honoured(case: Case) -> None:
    whole = case.provider.search(case.grid, case.span)
    limit = min(scene.cloud_percent for scene in whole if scene.cloud_percent is not None)
    clear = case.provider.search(case.grid, case.span, Limits(max_cloud_percent=limit))
    assert clear
    assert {scene.cloud_percent for scene in clear} <= {limit, None}
    (orbit, *_) = {scene.geometry.relative_orbit for scene in whole}
    assert orbit is not None
    on_it = case.provider.search(case.grid, case.span, Limits(relative_orbit=orbit))
    assert on_it == tuple(scene for scene in whole if scene.geometry.relative_orbit == orbit)
    last = case.provider.search(case.grid, case.span, Limits(max_days=1))
    assert last
    assert last == whole[-len(last) :]


@pytest.mark.parametrize("case", PROVIDERS, indirect=True)
def test_a_chip_says_where_its_pixels_come_from_and_what_they_cost(case: Case) -> None:
    scenes = case.provider.search(case.grid, case.span)[:1]
    first, again = (case.provider.read(case.grid, scenes) for _ in range(2))
    assert first.provenance == again.provenance == scenes[0].provenance
    assert first.provenance.source_ids
    assert again.cost == Charge()
    if not isinstance(case.provider, SentinelHub):
        assert first.provenance == Provenance(LOCAL, "", (), (scenes[0].id,))
        assert first.cost == Charge()
    else:
        assert (first.provenance.provider, first.provenance.product) == ("sentinelhub", "sentinel-2-l2a")
        assert [len(key) for key in first.provenance.request_keys] == [64]
        assert first.cost.requests == 1
        assert first.cost.processing_units > 0


def test_what_was_pulled_tells_the_archive_the_same(remote: SentinelHub, tmp_path: Path) -> None:
    grid = grid_at(30, 40, 20, 20)
    (scene, *_) = remote.search(grid)
    chip = remote.read(grid, [scene])
    local = LocalArchive(Archive(tmp_path / "pulled"))
    (kept,) = local.search(grid)
    assert (kept.geometry, kept.cloud_percent) == (scene.geometry, scene.cloud_percent)
    assert (kept.provenance, kept.processing_baseline) == (scene.provenance, scene.processing_baseline)
    read = local.read(grid, [kept])
    assert read.cost == Charge()
    assert read.provenance == chip.provenance
    assert np.array_equal(read.classes, chip.classes)


def test_only_the_configured_host_is_asked(remote: SentinelHub, hub: LocalHub) -> None:
    remote.fetch(remote.search(grid_at(80, 60, 30, 30))[0])
    assert {entry.host for entry in hub.journal.entries()} == {hub.base_url.removeprefix("http://")}
