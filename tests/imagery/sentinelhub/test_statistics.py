"""Series from the Statistical API: the numbers are NumPy's over the same clear pixels, and gaps are gaps."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rasterio.features import geometry_mask
from sentinelhub.api.statistical import SentinelHubStatistical
from sentinelhub.config import SHConfig
from sentinelhub.constants import CRS as CLIENT_CRS
from sentinelhub.data_collections import DataCollection
from sentinelhub.geometry import BBox, Geometry
from shapely.geometry import Point, Polygon, mapping

from geo.dates import Span
from geo.grid import Grid
from imagery.archive import Archive
from imagery.errors import ImageError, ServiceError
from imagery.local import LocalArchive
from imagery.provider import solar_days
from imagery.sentinelhub.credentials import Credentials
from imagery.sentinelhub.deployment import deployment_for
from imagery.sentinelhub.measures import measure_for
from imagery.sentinelhub.patience import Patience
from imagery.sentinelhub.products import product_for
from imagery.sentinelhub.provider import SentinelHub
from imagery.sentinelhub.service import Service
from imagery.sentinelhub.statistics import Statistic, StatisticsRequest, statistics_request
from sitewatch_hub.faults import Answer as Reply
from sitewatch_hub.server import LocalHub
from sitewatch_hub.simulated import CRS, LEFT, PASSES, TOP, make_archive
from sitewatch_hub.simulated_products import LANDSAT_EDGE, LANDSAT_PASSES, add_landsat

S2, LANDSAT = product_for("sentinel-2-l2a"), product_for("landsat-ot-l2")
SPAN = Span(date(2021, 10, 25), date(2022, 4, 15))
STEP = timedelta(days=10)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    rng = np.random.default_rng(17)
    archive = make_archive(tmp_path_factory.mktemp("series") / "archive", rng)
    add_landsat(archive, rng)
    return archive


@pytest.fixture(scope="module")
def hub(source: Archive) -> Iterator[LocalHub]:
    with LocalHub(source.root) as running:
        yield running


@pytest.fixture(autouse=True)
def _good_day(hub: LocalHub) -> Iterator[None]:
    yield
    hub.faults.clear()


@pytest.fixture
def remote(hub: LocalHub, tmp_path: Path) -> SentinelHub:
    deployment = deployment_for("custom", base_url=hub.base_url, token_url=hub.token_url)
    patience = Patience(total_s=5.0, attempts=2, first_wait_s=0.01)
    service = Service(deployment, Credentials(hub.client.id, hub.client.secret), patience=patience)
    return SentinelHub(service, Archive(tmp_path / "pulled"), S2)


def grid_at(row: int, column: int, rows: int = 48, columns: int = 36) -> Grid:
    """Return a grid; with 12 and 14, and multiples of six, its edges are those of all bands."""
    transform = [10.0, 0.0, LEFT + 10.0 * column, 0.0, -10.0, TOP - 10.0 * row]
    return Grid.from_json({"site_id": "a", "crs": CRS, "transform": transform, "shape": [rows, columns]})


def _measured(measure: str, bands: dict[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    nir = bands["nir"] if "nir" in bands else bands["nir08"]
    match measure:
        case "ndvi":
            return (nir - bands["red"]) / (nir + bands["red"])
        case "ndwi":
            return (bands["green"] - nir) / (bands["green"] + nir)
        case "brightness":
            return (bands["blue"] + bands["green"] + bands["red"]) / 3
    return nir


def clear_values(source: Archive, grid: Grid, series: str, measure: str) -> dict[date, NDArray[np.float64]]:
    """Return a measure from the archive itself, ``(y, x)`` by day, NaN where not clear."""
    local = LocalArchive(source, dilate_px=0)
    found = {}
    for (day, name), scenes in solar_days(local.search(grid), 126.4).items():
        if name != series:
            continue
        chip = local.read(grid, scenes)
        bands = dict(zip(chip.bands, chip.dn * 1e-4, strict=True))
        found[day] = np.where(chip.clear, _measured(measure, bands), np.nan)
    return found


def check(found: Statistic, values: NDArray[np.float64], tolerance: float = 1e-6) -> None:
    known = values[np.isfinite(values)]
    assert found.clear == known.size
    if not known.size:
        assert (found.gap, found.mean) == ("nothing clear", None)
        return
    expected = (known.mean(), known.std(), known.min(), known.max())
    assert (found.mean, found.stdev, found.lowest, found.highest) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("measure", ["ndvi", "ndwi", "brightness", "nir"])
def test_the_numbers_are_those_of_the_clear_pixels(
    source: Archive, remote: SentinelHub, hub: LocalHub, measure: str
) -> None:
    grid = grid_at(12, 14)
    request = statistics_request(S2, grid, SPAN, measure, interval=STEP)
    before = hub.journal.units()
    series = remote.statistics(request)
    values = clear_values(source, grid, "sentinel-2", measure)
    assert len(series.statistics) == len(request.intervals) == 18
    by_day = {each.start.date(): each for each in series.statistics if each.pixels}
    assert len(by_day) == len(values) == len(PASSES)
    for day, expected in values.items():
        start = max(known for known in by_day if known <= day)
        assert day - start < STEP
        check(by_day[start], expected)
        assert by_day[start].pixels == expected.size
    assert sum(each.gap == "no scene" for each in series.statistics) == 18 - len(PASSES)
    # The grid is under the cloud of two passes.
    assert sum(each.gap == "nothing clear" for each in series.statistics) == 2
    assert hub.journal.units() - before == pytest.approx(series.spent.processing_units)
    assert series.spent.processing_units == pytest.approx(request.estimate.processing_units * 6 / 18)


def test_a_polygon_counts_the_pixels_inside_it_alone(source: Archive, remote: SentinelHub) -> None:
    grid = grid_at(90, 14)
    left, _, _, top = grid.bounds
    circle = grid.to_lonlat(Point(left + 181.0, top - 243.0).buffer(133.0))
    assert isinstance(circle, Polygon)
    request = statistics_request(S2, grid, SPAN, interval=STEP, area=circle)
    inside = geometry_mask([mapping(grid.to_grid(circle))], grid.shape, grid.transform, invert=True)
    assert request.pixels == int(inside.sum())
    found = {each.start.date(): each for each in remote.statistics(request).statistics if each.pixels}
    for day, values in clear_values(source, grid, "sentinel-2", "ndvi").items():
        each = found[max(known for known in found if known <= day)]
        assert each.pixels == request.pixels
        check(each, np.where(inside, values, np.nan))


def test_landsat_is_measured_by_its_own_bands_and_classes(
    source: Archive, hub: LocalHub, tmp_path: Path
) -> None:
    left, top = LANDSAT_EDGE
    place = {"site_id": "a", "crs": CRS, "shape": [40, 30]}
    grid = Grid.from_json({**place, "transform": [30.0, 0.0, left + 300, 0.0, -30.0, top - 300]})
    deployment = deployment_for("custom", base_url=hub.base_url, token_url=hub.token_url)
    service = Service(deployment, Credentials(hub.client.id, hub.client.secret))
    remote = SentinelHub(service, Archive(tmp_path / "pulled"), LANDSAT)
    series = remote.statistics(statistics_request(LANDSAT, grid, SPAN, "ndvi", interval=STEP))
    found = [each for each in series.statistics if each.pixels]
    assert len(found) == len(LANDSAT_PASSES)
    for each, values in zip(found, clear_values(source, grid, "landsat-oli", "ndvi").values(), strict=True):
        # The archive's chips are rounded to a ten-thousandth of reflectance, which near zero counts for much.
        check(each, values, tolerance=0.02)


def test_the_last_interval_is_short_and_long_spans_are_asked_in_parts(
    remote: SentinelHub, hub: LocalHub
) -> None:
    request = statistics_request(
        S2, grid_at(12, 14, 6, 6), Span(date(2021, 10, 30), date(2022, 3, 9)), interval=timedelta(days=1)
    )
    assert len(request.intervals) == 131
    before = len(hub.journal.entries("/statistics"))
    series = remote.statistics(request)
    assert len(hub.journal.entries("/statistics")) == before + 2 == before + request.estimate.requests
    assert [each.start.date() for each in series.statistics if each.pixels] == [
        moment.date() for moment in PASSES[:5]
    ]
    short = statistics_request(
        S2, grid_at(12, 14, 6, 6), Span(date(2021, 11, 1), date(2021, 11, 13)), interval=STEP
    )
    assert [end - start for start, end in short.intervals] == [timedelta(days=10), timedelta(days=3)]


def _row(start: str, **rest: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    return {"interval": {"from": f"{start}T00:00:00Z", "to": "2021-11-04T00:00:00Z"}, **rest}


def _request(days: int = 10) -> StatisticsRequest:
    return statistics_request(
        S2,
        grid_at(90, 14, 12, 12),
        Span(date(2021, 10, 25), date(2021, 11, 13)),
        interval=timedelta(days=days),
    )


def _canned(*rows: dict[str, Any]) -> Reply:
    return Reply(200, json.dumps({"data": list(rows), "status": "PARTIAL"}).encode(), "application/json")


@pytest.mark.parametrize(
    ("kind", "times", "asked", "gap"),
    [
        ("EXECUTION_ERROR", 1, 2, ""),
        ("TIMEOUT", 1, 2, ""),
        ("EXECUTION_ERROR", 2, 2, "failed: EXECUTION_ERROR"),
        ("BAD_REQUEST", 1, 1, "failed: BAD_REQUEST"),
    ],
)
def test_an_interval_that_fails_is_asked_for_once_more(
    remote: SentinelHub, hub: LocalHub, kind: str, times: int, asked: int, gap: str
) -> None:
    hub.faults.add(_canned(_row("2021-10-25", error={"type": kind})), path="/statistics", times=times)
    before = len(hub.journal.entries("/statistics"))
    request = statistics_request(
        S2, grid_at(90, 14, 12, 12), Span(date(2021, 10, 25), date(2021, 11, 3)), interval=STEP
    )
    (found,) = remote.statistics(request).statistics
    assert len(hub.journal.entries("/statistics")) == before + asked
    assert (found.gap, found.mean is None) == (gap, bool(gap))


STATS = {"min": 0.1, "max": 0.4, "mean": 0.2, "stDev": 0.05, "sampleCount": 144, "noDataCount": 4}


def _measured_row(stats: dict[str, Any]) -> dict[str, Any]:
    return _row("2021-10-25", outputs={"measure": {"bands": {"B0": {"stats": stats}}}})


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b"[]", "application/json"),
        Reply(200, b"<html>", "text/html"),
        _canned(_row("2019-10-25", error={"type": "TIMEOUT"})),
        _canned({"interval": {}}),
        _canned(_row("2021-10-25", outputs={})),
        _canned(
            _row(
                "2021-10-25", outputs={"measure": {"bands": {"B0": {"stats": STATS | {"noDataCount": 145}}}}}
            )
        ),
        _canned(
            _row("2021-10-25", outputs={"measure": {"bands": {"B0": {"stats": STATS | {"mean": "much"}}}}})
        ),
    ],
)
def test_what_is_no_series_is_not_taken(remote: SentinelHub, hub: LocalHub, answer: Reply) -> None:
    hub.faults.add(answer, path="/statistics", times=5)
    with pytest.raises(ServiceError, match=r"no series of statistics|web page"):
        remote.statistics(_request())


def test_numbers_that_are_none_come_as_none(remote: SentinelHub, hub: LocalHub) -> None:
    stats = STATS | {"stDev": "NaN", "mean": None}
    hub.faults.add(
        _canned(_row("2021-10-25", outputs={"measure": {"bands": {"B0": {"stats": stats}}}})),
        path="/statistics",
    )
    first = remote.statistics(_request()).statistics[0]
    assert (first.mean, first.stdev, first.lowest, first.clear) == (None, None, 0.1, 140)


def test_the_body_is_the_one_the_client_itself_would_send() -> None:
    grid = grid_at(12, 14, 12, 18)
    left, _, _, top = grid.bounds
    ground = Point(left + 90, top - 60).buffer(50)
    area = grid.to_lonlat(ground)
    request = statistics_request(S2, grid, SPAN, area=area, interval=STEP)
    frame = request.frame
    collection = DataCollection.SENTINEL2_L2A.define_from("SITEWATCH_TEST_S2L2A", service_url=None)
    aggregation = SentinelHubStatistical.aggregation(
        evalscript=request.script(),
        time_interval=("2021-10-25T00:00:00Z", "2022-04-16T00:00:00Z"),
        aggregation_interval="P10D",
        resolution=(10.0, 10.0),
    )
    aggregation["aggregationInterval"]["lastIntervalBehavior"] = "SHORTEN"
    client = SentinelHubStatistical(
        aggregation=aggregation,
        input_data=[
            SentinelHubStatistical.input_data(
                collection,
                other_args={
                    "dataFilter": {"mosaickingOrder": "leastCC"},
                    "processing": {
                        "harmonizeValues": True,
                        "upsampling": "NEAREST",
                        "downsampling": "NEAREST",
                    },
                },
            )
        ],
        bbox=BBox(frame.bounds, crs=CLIENT_CRS("32652")),
        geometry=Geometry(mapping(grid.to_grid(area)), crs=CLIENT_CRS("32652")),
        calculations={"default": {}},
        config=SHConfig(use_defaults=True, sh_base_url="https://hub.example"),
    )
    (download,) = client.download_list
    start, end = request.intervals[0][0], request.intervals[-1][1]
    assert (start, end) == (datetime(2021, 10, 25, tzinfo=UTC), datetime(2022, 4, 16, tzinfo=UTC))
    assert json.loads(json.dumps(download.post_values)) == json.loads(
        json.dumps(request.document(start, end))
    )
    assert download.url == "https://hub.example/api/v1/statistics"


def test_what_cannot_be_measured_is_refused() -> None:
    for product in ("sentinel-2-l1c", "sentinel-1-grd"):
        with pytest.raises(ImageError, match="no scene classes"):
            measure_for("ndvi", product_for(product))
    with pytest.raises(ImageError, match=r"no index or band 'evi'.* ndvi, ndwi, nbr, brightness, coastal"):
        measure_for("evi", S2)
    with pytest.raises(ImageError, match="whole number of days"):
        _request(days=0)
    with pytest.raises(ImageError, match="no pixel"):
        grid = grid_at(12, 14)
        left, _, _, top = grid.bounds
        statistics_request(S2, grid, SPAN, area=grid.to_lonlat(Point(left + 20, top - 20).buffer(1.0)))
