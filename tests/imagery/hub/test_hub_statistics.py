"""The hub's Statistical API, asked by the real client and checked against NumPy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import rasterio
from sentinelhub.api.statistical import SentinelHubStatistical
from sentinelhub.constants import MosaickingOrder
from sentinelhub.download.sentinelhub_statistical_client import SentinelHubStatisticalDownloadClient
from sentinelhub.exceptions import DownloadFailedException

from imagery.archive import Archive
from tests.imagery.hub.conftest import S2, refused, window

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from sentinelhub.config import SHConfig

    from sitewatch_hub.server import LocalHub

NDVI = """//VERSION=3
function setup() {
  return {
    input: [{bands: ["B04", "B08", "SCL", "dataMask"], units: "REFLECTANCE"}],
    output: [{id: "ndvi", bands: 1}, {id: "dataMask", bands: 1}],
  };
}
function evaluatePixel(s) {
  return {ndvi: [(s.B08 - s.B04) / (s.B08 + s.B04)], dataMask: [s.dataMask * (s.SCL < 7 ? 1 : 0)]};
}
"""


def ask(
    config: SHConfig,
    interval: str,
    *,
    script: str = NDVI,
    time: tuple[str, str],
    **extra: Any,  # noqa: ANN401 - the client's own keywords
) -> dict[str, Any]:
    aggregation = SentinelHubStatistical.aggregation(
        evalscript=script, time_interval=time, aggregation_interval=interval, resolution=(10, 10)
    )
    aggregation["aggregationInterval"] |= extra.pop("behaviour", {})
    request = SentinelHubStatistical(
        aggregation=aggregation,
        input_data=[SentinelHubStatistical.input_data(S2, mosaicking_order=MosaickingOrder.LEAST_RECENT)],
        bbox=window(10, 20, 50, 60),
        config=config,
        **extra,
    )
    try:
        answer: dict[str, Any] = request.get_data()[0]
    finally:
        SentinelHubStatisticalDownloadClient.clear_cache()
    return answer


def expected(root: Path, day: str) -> NDArray[np.float64]:
    """Return the NDVI of the clear pixels of a day's western tile, from its files."""
    scene = next(s for s in Archive(root).scenes() if f"{s.acquired:%Y-%m-%d}" == day)
    read = {}
    for file in scene.bands:
        with rasterio.open(file.path) as dataset:
            read[file.name] = dataset.read(1)[10:60, 20:80] * file.scale + file.offset
    with rasterio.open(scene.mask.path if scene.mask else "") as dataset:
        classes = np.kron(dataset.read(1), np.ones((2, 2)))[10:60, 20:80]
    ndvi: NDArray[np.float64] = (read["nir"] - read["red"]) / (read["nir"] + read["red"])
    return ndvi[classes < 7]


def test_statistics_are_numpys_for_every_interval(config: SHConfig, simulated: Path) -> None:
    calculations = {
        "ndvi": {
            "statistics": {"default": {"percentiles": {"k": [5, 50]}}},
            "histograms": {"default": {"lowEdge": 0.3, "highEdge": 0.6, "nBins": 3}},
        }
    }
    answer = ask(config, "P1D", time=("2021-11-03", "2022-02-02"), calculations=calculations)
    assert answer["status"] == "OK"
    days = [row["interval"]["from"][:10] for row in answer["data"]]
    assert days == ["2021-11-03", "2021-12-08", "2022-01-17", "2022-02-01"]
    for day, row in zip(days, answer["data"], strict=True):
        band = row["outputs"]["ndvi"]["bands"]["B0"]
        values = expected(simulated, day)
        if not values.size:
            assert (day, band["stats"]["mean"], band["stats"]["noDataCount"]) == ("2021-12-08", "NaN", 3000)
            continue
        stats = band["stats"]
        assert stats["sampleCount"] - stats["noDataCount"] == values.size
        for name in ("min", "max", "mean"):
            assert stats[name] == pytest.approx(getattr(np, name)(values), abs=1e-6)
        assert stats["stDev"] == pytest.approx(np.std(values), abs=1e-6)
        assert stats["percentiles"]["50.0"] == pytest.approx(np.percentile(values, 50), abs=1e-6)
        counts = [entry["count"] for entry in band["histogram"]["bins"]]
        outside = band["histogram"]["underflowCount"] + band["histogram"]["overflowCount"]
        assert abs(np.array(counts) - np.histogram(values, np.linspace(0.3, 0.6, 4))[0]).max() <= 1
        assert sum(counts) + outside == values.size


@pytest.mark.parametrize(
    ("behaviour", "ends"),
    [
        ({}, ["2021-12-03", "2022-01-02"]),
        ({"lastIntervalBehavior": "SHORTEN"}, ["2021-12-03", "2022-01-02", "2022-01-20"]),
        ({"lastIntervalBehavior": "EXTEND"}, ["2021-12-03", "2022-01-02", "2022-02-01"]),
    ],
)
def test_a_last_interval_that_is_too_short_is_dropped_unless_asked_for(
    config: SHConfig, behaviour: dict[str, str], ends: list[str]
) -> None:
    answer = ask(config, "P30D", time=("2021-11-03T00:00:00Z", "2022-01-20T00:00:00Z"), behaviour=behaviour)
    assert [row["interval"]["to"][:10] for row in answer["data"]] == ends


def test_the_price_is_that_of_the_intervals_with_scenes(config: SHConfig, hub: LocalHub) -> None:
    ask(config, "P1D", time=("2021-11-03", "2021-12-09"))
    one = max(0.01, 50 * 60 / 512**2) * 3 / 3 * 2
    assert hub.journal.entries("/statistics")[0].units == pytest.approx(2 * one)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"script": NDVI.replace('"dataMask", bands: 1', '"other", bands: 1')}, "RENDERER_EXCEPTION"),
        ({"script": NDVI.replace("dataMask: [", "dataMask: [boom + ")}, "RENDERER_EXCEPTION"),
        ({"behaviour": {"of": "P1Y2"}}, "COMMON_BAD_PAYLOAD"),
        ({"behaviour": {"of": "P0D"}}, "COMMON_BAD_PAYLOAD"),
        ({"behaviour": {"lastIntervalBehavior": "LOSE"}}, "COMMON_BAD_PAYLOAD"),
        ({"calculations": {"ndvi": {"histograms": {"default": {"bins": [3, 2]}}}}}, "COMMON_BAD_PAYLOAD"),
    ],
)
def test_what_can_not_be_computed_is_refused(config: SHConfig, change: dict[str, Any], code: str) -> None:
    with pytest.raises(DownloadFailedException) as caught:
        ask(config, "P1D", time=("2021-11-03", "2021-11-05"), **change)
    assert refused(caught.value).json()["error"]["code"] == code
