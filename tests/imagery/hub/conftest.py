"""A local hub over a simulated archive, and the real client set up for it."""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from rasterio.io import MemoryFile
from sentinelhub.api.process import SentinelHubRequest
from sentinelhub.config import SHConfig
from sentinelhub.constants import CRS
from sentinelhub.data_collections import DataCollection
from sentinelhub.download.sentinelhub_client import SentinelHubDownloadClient
from sentinelhub.geometry import BBox

from sitewatch_hub.server import LocalHub
from sitewatch_hub.simulated import LEFT, TOP, make_archive

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from affine import Affine
    from numpy.typing import NDArray
    from requests import Response
    from sentinelhub.exceptions import DownloadFailedException


def on_the_hub(stock: DataCollection) -> DataCollection:
    """Return a stock collection without a service of its own, to which the token would go.

    The client refuses one definition under two names in a process; `wfs_id`, which nothing here uses,
    keeps ours apart from those of other tests.
    """
    return stock.define_from(f"LOCAL_HUB_{stock.name}", service_url=None, wfs_id="LOCAL_HUB")


S2 = on_the_hub(DataCollection.SENTINEL2_L2A)


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    pixels: NDArray[Any]
    crs: str
    transform: Affine
    nodata: float | None


@dataclass(frozen=True, slots=True, eq=False)
class Asker:
    """The real client's Process request, its answer decoded with the georeference kept."""

    config: SHConfig

    def request(self, script: str, identifiers: dict[str, str], **overrides: Any) -> SentinelHubRequest:  # noqa: ANN401 - the client's own keywords
        data: dict[str, Any] = {
            "time_interval": ("2021-11-03", "2021-11-03"),
            "mosaicking_order": "leastRecent",
        }
        data |= {name: overrides.pop(name) for name in tuple(overrides) if name in _DATA_KEYWORDS}
        place = {"bbox": window(0, 0, 30, 40), "size": (40, 30)} if "bbox" not in overrides else {}
        return SentinelHubRequest(
            evalscript=script,
            input_data=[SentinelHubRequest.input_data(S2, **data)],
            responses=[SentinelHubRequest.output_response(name, kind) for name, kind in identifiers.items()],
            config=self.config,
            **{**place, **overrides},
        )

    def bytes_of(self, script: str, identifiers: dict[str, str], **overrides: Any) -> Any:  # noqa: ANN401 - undecoded
        request = self.request(script, identifiers, **overrides)
        return request.get_data(decode_data=False)[0]

    def image(self, script: str, **overrides: Any) -> Image:  # noqa: ANN401 - as above
        return tiff(self.bytes_of(script, {"default": "tiff"}, **overrides).content)

    def images(self, script: str, names: tuple[str, ...], **overrides: Any) -> dict[str, Image]:  # noqa: ANN401 - as above
        answer = self.bytes_of(script, dict.fromkeys(names, "tiff"), **overrides)
        with tarfile.open(fileobj=io.BytesIO(answer.content)) as archive:
            members = {member.name: archive.extractfile(member) for member in archive.getmembers()}
        return {name: tiff(stream.read()) for name, stream in members.items() if stream is not None}


_DATA_KEYWORDS = {
    "time_interval",
    "mosaicking_order",
    "maxcc",
    "upsampling",
    "downsampling",
    "other_args",
}


def window(row: int, column: int, rows: int, columns: int) -> BBox:
    """Return a box on the pixel edges of the archive's 10 m bands."""
    left, top = LEFT + 10.0 * column, TOP - 10.0 * row
    return BBox((left, top - 10.0 * rows, left + 10.0 * columns, top), crs=CRS("32652"))


def tiff(data: bytes) -> Image:
    with MemoryFile(data) as memory, memory.open(driver="GTiff") as dataset:
        return Image(dataset.read(), str(dataset.crs), dataset.transform, dataset.nodata)


def refused(error: DownloadFailedException) -> Response:
    """Return the response that the client gave up on."""
    assert error.request_exception is not None
    assert error.request_exception.response is not None
    return error.request_exception.response


@pytest.fixture(scope="session")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the simulated archive; nothing may be written into it."""
    folder = tmp_path_factory.mktemp("simulated") / "archive"
    make_archive(folder, np.random.default_rng(7))
    return folder


@pytest.fixture
def hub(simulated: Path) -> Iterator[LocalHub]:
    with LocalHub(simulated) as running:
        yield running


@pytest.fixture
def config(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> Iterator[SHConfig]:
    """The client's settings for the hub: one attempt, nothing read from or written to the home folder."""
    # oauthlib refuses plain http; the hub is on 127.0.0.1 and its secret opens nothing.
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    settings = SHConfig(use_defaults=True, sh_client_id=hub.client.id, sh_client_secret=hub.client.secret)
    settings.sh_base_url, settings.sh_token_url = hub.base_url, hub.token_url
    settings.max_download_attempts, settings.download_sleep_time, settings.max_retries = 1, 0, 2
    settings.download_timeout_seconds = 20.0
    yield settings
    SentinelHubDownloadClient.clear_cache()


@pytest.fixture
def ask(config: SHConfig) -> Asker:
    return Asker(config)
