from __future__ import annotations

import io
import tarfile
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import rasterio
from affine import Affine
from rasterio.io import MemoryFile
from sentinelhub.api.process import SentinelHubRequest
from sentinelhub.config import SHConfig
from sentinelhub.constants import CRS, MimeType
from sentinelhub.data_collections import DataCollection
from sentinelhub.geometry import BBox
from shapely.geometry import box

from imagery.frame import Frame
from imagery.sentinelhub.acquisitions import Acquisition, Granule, group_granules
from imagery.sentinelhub.evalscript import counts_script
from imagery.sentinelhub.process import NODATA, TAR, PassRequest, understand_pixels
from imagery.sentinelhub.products import product_for
from imagery.sentinelhub.service import Answer, UnusableAnswer

FRAME = Frame("EPSG:32652", Affine(10.0, 0.0, 280_020.0, 0.0, -10.0, 4_440_000.0), (12, 18))
TIME = datetime(2021, 11, 3, 2, 11, 39, 24000, tzinfo=UTC)


def granule(seconds: float = 0.0, platform: str = "sentinel-2b", name: str = "") -> Granule:
    moment = TIME + timedelta(seconds=seconds)
    return Granule(name or f"{platform}-{moment}", platform, moment, box(0, 0, 1, 1), 5.0, None, (), False)


def request_of(*granules: Granule, bands: tuple[str, ...] = ("red", "nir")) -> PassRequest:
    acquisition = Acquisition(granules or (granule(),))
    return PassRequest(product_for("sentinel-2-l2a"), bands, FRAME, acquisition)


def tif(pixels: np.ndarray, **changes: Any) -> bytes:  # noqa: ANN401 - rasterio's own keywords
    profile = {
        "driver": "GTiff",
        "count": pixels.shape[0],
        "height": pixels.shape[1],
        "width": pixels.shape[2],
        "dtype": pixels.dtype.name,
        "crs": FRAME.crs,
        "transform": FRAME.transform,
    }
    with MemoryFile() as memory:
        with memory.open(**{**profile, **changes}) as dataset:
            dataset.write(pixels)
        return bytes(memory.read())


def tar(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return stream.getvalue()


def images() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(1)
    mask = np.ones((2, *FRAME.shape), dtype=np.uint8)
    mask[1] = 4
    return {"bands": rng.integers(0, 9999, (2, *FRAME.shape), dtype=np.uint16), "mask": mask}


def answer(members: dict[str, bytes]) -> Answer:
    return Answer(tar(members), {"content-type": TAR})


def good() -> dict[str, bytes]:
    return {f"{name}.tif": tif(pixels) for name, pixels in images().items()}


def test_the_body_is_the_one_the_client_itself_would_send() -> None:
    request = request_of(granule(), granule(9.5))
    collection = DataCollection.SENTINEL2_L2A.define_from("SITEWATCH_TEST_S2L2A", service_url=None)
    config = SHConfig(use_defaults=True, sh_base_url="https://hub.example")
    left, bottom, right, top = FRAME.bounds
    client = SentinelHubRequest(
        evalscript=counts_script(["B04", "B08"], "SCL"),
        input_data=[
            SentinelHubRequest.input_data(
                collection,
                time_interval=("2021-11-03T02:11:38Z", "2021-11-03T02:11:50Z"),
                other_args={
                    "dataFilter": {"mosaickingOrder": "leastRecent"},
                    "processing": {
                        "harmonizeValues": True,
                        "upsampling": "NEAREST",
                        "downsampling": "NEAREST",
                    },
                },
            )
        ],
        responses=[
            SentinelHubRequest.output_response("bands", MimeType.TIFF),
            SentinelHubRequest.output_response("mask", MimeType.TIFF),
        ],
        bbox=BBox((left, bottom, right, top), crs=CRS("32652")),
        size=(18, 12),
        config=config,
    )
    (download,) = client.download_list
    assert download.post_values == request.document()
    assert download.url == "https://hub.example/api/v1/process"
    assert download.headers["accept"] == TAR


def test_the_key_names_what_decides_the_pixels_and_nothing_else() -> None:
    one = request_of(granule())
    assert one.key == request_of(granule(name="another id of the same")).key
    assert one.key == request_of(granule(), granule(9)).key
    assert one.key != request_of(granule(), bands=("red",)).key
    assert one.key != request_of(granule(60)).key
    assert one.key != request_of(granule(platform="sentinel-2a")).key


def test_granules_of_one_pass_are_one_acquisition() -> None:
    gap = timedelta(seconds=600)
    tiles = [granule(14), granule(), granule(3), granule(3)]
    other = granule(5, platform="sentinel-2a")
    later = granule(6000)
    passes = group_granules([*tiles, later, other], gap)
    assert [len(each.granules) for each in passes] == [3, 1, 1]
    assert passes[0].acquired == TIME
    assert passes[0].last == TIME + timedelta(seconds=14)
    assert group_granules([], gap) == ()


def test_pixels_come_back_with_validity_in_one_value() -> None:
    given = images()
    given["bands"][0, 0, 0], given["bands"][1, 0, 1], given["mask"][0, 5, 5] = 0, NODATA, 0
    members = {f"{name}.tif": tif(pixels) for name, pixels in given.items()}
    pixels = understand_pixels(answer(members), request_of())
    assert pixels.counts[0, 0, 0] == 0
    assert pixels.counts[1, 0, 1] == NODATA - 1
    assert (pixels.counts[:, 5, 5] == NODATA).all()
    assert pixels.classes is not None
    assert pixels.classes[5, 5] == 0
    assert (pixels.counts != NODATA).sum() == pixels.counts.size - 2


def _bad_members() -> dict[str, dict[str, bytes]]:
    given = images()
    bands, mask = given["bands"], given["mask"]
    strange = mask.copy()
    strange[1, 0, 0] = 99
    twos = mask.copy()
    twos[0, 0, 0] = 2
    moved = FRAME.transform * Affine.translation(0.5, 0)
    return {
        "lacks mask.tif": {"bands.tif": tif(bands)},
        "is no TIFF": good() | {"bands.tif": b"<VRTDataset></VRTDataset>"},
        "not as asked": good() | {"bands.tif": tif(bands[:, 1:])},
        "2 x 12 x 18": good() | {"bands.tif": tif(bands.astype(np.float32))},
        "1 x 12 x 18": good() | {"mask.tif": tif(mask[:1])},
        "is in EPSG:32651": good() | {"bands.tif": tif(bands, crs="EPSG:32651")},
        "is in no CRS": good() | {"mask.tif": tif(mask, crs=None)},
        "lies elsewhere": good() | {"bands.tif": tif(bands, transform=moved)},
        "is damaged": good() | {"bands.tif": tif(bands)[:-200]},
        "unknown code 99": good() | {"mask.tif": tif(strange)},
        "other values than 0 and 1": good() | {"mask.tif": tif(twos)},
    }


@pytest.mark.parametrize("message", sorted(_bad_members()))
def test_images_that_were_not_asked_for_are_not_taken(message: str) -> None:
    with pytest.raises(UnusableAnswer, match=message):
        understand_pixels(answer(_bad_members()[message]), request_of())


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        (b"<html>sign in</html>", "text/html; charset=utf-8", "a web page"),
        (b"{}", "application/json", "no tar file"),
        (b"", TAR, "no tar file|lacks"),
        (tar(good())[:700], TAR, "no tar file|lacks|damaged"),
    ],
)
def test_answers_of_another_kind_are_not_taken(content: bytes, kind: str, message: str) -> None:
    with pytest.raises(UnusableAnswer, match=message):
        understand_pixels(Answer(content, {"content-type": kind}), request_of())


def test_names_in_the_answer_name_no_file() -> None:
    evil = {"../../bands.tif": b"x", "/etc/passwd": b"x"}
    pixels = understand_pixels(answer(good() | evil), request_of())
    assert np.array_equal(pixels.counts, images()["bands"])


def test_the_image_is_read_as_what_it_was_written() -> None:
    with MemoryFile(good()["bands.tif"]) as memory, rasterio.open(memory.name) as dataset:
        assert np.array_equal(dataset.read(), understand_pixels(answer(good()), request_of()).counts)
