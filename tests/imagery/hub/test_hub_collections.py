"""Collections besides Sentinel-2 L2A, the price table, and archives that can't be served."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson
import pytest
import rasterio
from sentinelhub.api.catalog import SentinelHubCatalog
from sentinelhub.api.process import SentinelHubRequest
from sentinelhub.config import SHConfig
from sentinelhub.data_collections import DataCollection
from sentinelhub.download.sentinelhub_client import SentinelHubDownloadClient

from imagery.archive import Archive
from imagery.intake import IntakeOptions, plan_intake
from sitewatch_hub.cost import processing_units
from sitewatch_hub.granules import read_granules
from sitewatch_hub.sampling import Band
from sitewatch_hub.server import LocalHub
from tests.imagery.hub.conftest import on_the_hub, tiff, window

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from numpy.typing import NDArray

    from tests.imagery.conftest import WriteTif

LEFT, TOP = 280_000.0, 4_440_000.0
SHAPE = (30, 40)
SPAN = ("2021-01-01", "2022-12-31")


def two_bands(first: str, second: str, unit: str) -> str:
    return f"""//VERSION=3
function setup() {{
  return {{
    input: [{{bands: ["{first}", "{second}"], units: "{unit}"}}],
    output: {{bands: 2, sampleType: "FLOAT32"}},
  }};
}}
function evaluatePixel(s) {{ return [s.{first}, s.{second}]; }}
"""


@pytest.fixture
def put(tmp_path: Path, write_tif: WriteTif) -> Callable[..., Archive]:
    """Archive one image of two bands on the window that the tests ask for."""
    archive = Archive(tmp_path / "archive")

    def add(pixels: NDArray[Any], **options: Any) -> Archive:  # noqa: ANN401 - the fields of IntakeOptions
        name = f"{options['platform']}_{options['acquired'][:10]}.tif"
        path = write_tif(name, pixels, transform=rasterio.Affine(10, 0, LEFT, 0, -10, TOP))
        archive.add(plan_intake([path], IntakeOptions(**options)).scenes)
        return archive

    return add


def pixels_of(
    hub: LocalHub,
    script: str,
    collection: DataCollection,
    monkeypatch: pytest.MonkeyPatch,
    **data: Any,  # noqa: ANN401 - the client's own keywords
) -> NDArray[Any]:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    request = SentinelHubRequest(
        evalscript=script,
        input_data=[SentinelHubRequest.input_data(collection, time_interval=SPAN, **data)],
        responses=[SentinelHubRequest.output_response("default", "tiff")],
        bbox=window(0, 0, *SHAPE),
        size=SHAPE[::-1],
        config=settings(hub),
    )
    pixels = tiff(request.get_data(decode_data=False)[0].content).pixels
    SentinelHubDownloadClient.clear_cache()
    return pixels


def settings(hub: LocalHub) -> SHConfig:
    config = SHConfig(use_defaults=True, sh_client_id=hub.client.id, sh_client_secret=hub.client.secret)
    config.sh_base_url, config.sh_token_url, config.max_download_attempts = hub.base_url, hub.token_url, 1
    return config


def test_a_sentinel_2_scene_without_classes_is_level_1c(
    put: Callable[..., Archive], monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = np.random.default_rng(3).integers(900, 5000, (2, *SHAPE), dtype=np.uint16)
    options = {"scale": 1e-4, "offset": -0.1, "nodata": 0, "bands": ("red", "nir")}
    archive = put(raw, platform="S2A", acquired="2022-03-01T02:00:00Z", **options)
    with LocalHub(archive.root) as hub:
        collection = on_the_hub(DataCollection.SENTINEL2_L1C)
        pixels = pixels_of(hub, two_bands("B04", "B08", "DN"), collection, monkeypatch)
        assert hub.granules[0].id.startswith("S2A_MSIL1C_20220301T020000_N0400_")
    assert np.array_equal(pixels, np.clip(raw.astype(int) - 1000, 0, None))


def test_landsat_is_scaled_and_keeps_its_classes(
    put: Callable[..., Archive], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(4)
    raw = rng.integers(8000, 30000, (2, *SHAPE), dtype=np.uint16)
    raw[1] = np.where(rng.random(SHAPE) < 0.5, 21824, 22280)  # clear land, cloud of high confidence
    options = {"scale": 2.75e-5, "offset": -0.2, "nodata": 0, "bands": ("red", "qa")}
    archive = put(raw, platform="LC8", acquired="2021-03-01T02:00:00Z", **options)
    with LocalHub(archive.root) as hub:
        assert hub.granules[0].cloud_cover == pytest.approx(100 * np.mean(raw[1] == 22280), abs=0.01)
        collection = on_the_hub(DataCollection.LANDSAT_OT_L2)
        script = two_bands("B04", "BQA", "REFLECTANCE")
        pixels = pixels_of(hub, script, collection, monkeypatch)
    assert np.abs(pixels[0] - (raw[0] * 2.75e-5 - 0.2)).max() < 1e-6
    assert np.array_equal(pixels[1], raw[1])


def test_radar_is_found_by_orbit_direction_when_its_items_tell_it(
    put: Callable[..., Archive], monkeypatch: pytest.MonkeyPatch
) -> None:
    bands = np.full((2, *SHAPE), 0.25, dtype=np.float32)
    options = {"platform": "S1A", "bands": ("vv", "vh"), "scale": 1.0}
    put(bands, acquired="2021-03-01T09:00:00Z", **options)
    archive = put(bands + np.float32(1), acquired="2021-03-02T09:00:00Z", **options)
    for day, state in (("20210301", "ascending"), ("20210302", "descending")):
        item = next(archive.root.rglob(f"*{day}*.json"))
        document = orjson.loads(item.read_bytes())
        document["properties"] |= {"sat:orbit_state": state, "sar:instrument_mode": "IW"}
        item.write_bytes(orjson.dumps(document))
    with LocalHub(archive.root) as hub:
        collection = on_the_hub(DataCollection.SENTINEL1_IW)
        script = two_bands("VV", "VH", "LINEAR_POWER")
        for number, direction in enumerate(("ASCENDING", "DESCENDING")):
            other = {"dataFilter": {"orbitDirection": direction}}
            pixels = pixels_of(hub, script, collection, monkeypatch, other_args=other)
            assert np.abs(pixels - (0.25 + number)).max() < 1e-6
        catalog = SentinelHubCatalog(settings(hub))
        found = list(
            catalog.search(
                "sentinel-1-grd",
                time=("2021-01-01", "2022-01-01"),
                filter="sat:orbit_state = 'descending' AND sar:instrument_mode = 'IW'",
            )
        )
        assert [feature["properties"]["datetime"] for feature in found] == ["2021-03-02T09:00:00Z"]
        assert "eo:cloud_cover" not in found[0]["properties"]
        SentinelHubDownloadClient.clear_cache()


def test_scenes_that_no_collection_has_are_left_out(put: Callable[..., Archive]) -> None:
    pixels = np.ones((2, *SHAPE), dtype=np.uint16)
    archive = put(pixels, platform="LT5", acquired="2001-03-01T02:00:00Z", bands=("red", "nir"))
    assert len(archive.scenes()) == 1
    assert read_granules(archive.root) == ()


RED, NIR, SCL, MASK = Band("B04", "DN"), Band("B08", "DN"), Band("SCL", ""), Band("dataMask", "")


@pytest.mark.parametrize(
    ("shape", "bands", "types", "samples", "units"),
    [
        ((512, 512), (RED, NIR, SCL), ("UINT16",), 1, 1.0),
        ((512, 512), (RED, NIR, SCL, MASK), ("UINT16", "UINT8"), 1, 1.0),
        ((512, 512), (RED, NIR, SCL), ("UINT16", "FLOAT32"), 1, 2.0),
        ((256, 256), (RED,), ("UINT16",), 1, 1 / 12),
        ((1024, 1024), (RED, NIR), ("UINT8",), 5, 4 * 2 / 3 * 5),
        ((1, 1), (MASK,), ("UINT8",), 1, 0.005),
        ((10, 10), (RED, NIR, SCL), ("UINT8",), 1, 0.01),
    ],
)
def test_prices_follow_the_documented_formula(
    shape: tuple[int, int], bands: tuple[Band, ...], types: tuple[str, ...], samples: int, units: float
) -> None:
    assert processing_units(shape, bands, types, samples) == pytest.approx(units)
