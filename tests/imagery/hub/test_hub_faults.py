"""Faults on order, as the real client and plain HTTP meet them."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import requests
from oauthlib.oauth2.rfc6749.errors import InvalidClientError  # type: ignore[import-untyped]  # has no stubs
from sentinelhub.download.sentinelhub_client import SentinelHubDownloadClient
from sentinelhub.download.session import SentinelHubSession
from sentinelhub.exceptions import DownloadFailedException, OutOfRequestsException, SHRateLimitWarning

from sitewatch_hub import faults, service
from sitewatch_hub.collections_served import COLLECTIONS
from sitewatch_hub.faults import (
    Answer,
    Drip,
    ExpireTokens,
    Fault,
    FaultQueue,
    Hang,
    Misstate,
    Reset,
    Truncate,
    html_page,
    quota_used_up,
    server_error,
    too_many_requests,
)
from sitewatch_hub.server import LocalHub
from sitewatch_hub.tokens import Client
from tests.imagery.hub.conftest import refused, window

if TYPE_CHECKING:
    from sentinelhub.config import SHConfig

    from tests.imagery.hub.conftest import Asker

RED = """//VERSION=3
function setup() {
  return {input: [{bands: ["B04"], units: "DN"}], output: {bands: 1, sampleType: "UINT16"}};
}
function evaluatePixel(s) { return [s.B04]; }
"""
PROCESS = "/api/v1/process"


def raw_process(
    hub: LocalHub, config: SHConfig
) -> tuple[http.client.HTTPResponse, http.client.HTTPConnection]:
    """Post one Process request without any client of ours between it and the bytes."""
    headers = {**SentinelHubSession(config).session_headers, "Content-Type": "application/json"}
    left, bottom, right, top = window(0, 0, 100, 100)
    crs = "http://www.opengis.net/def/crs/EPSG/0/32652"
    days = {"from": "2021-11-03T00:00:00Z", "to": "2021-11-03T23:59:59Z"}
    payload = {
        "input": {
            "bounds": {"bbox": [left, bottom, right, top], "properties": {"crs": crs}},
            "data": [{"type": "sentinel-2-l2a", "dataFilter": {"timeRange": days}}],
        },
        "evalscript": RED,
        "output": {
            "width": 100,
            "height": 100,
            "responses": [{"identifier": "default", "format": {"type": "image/tiff"}}],
        },
    }
    connection = http.client.HTTPConnection(hub.base_url.removeprefix("http://"), timeout=5)
    connection.request("POST", PROCESS, json.dumps(payload), headers)
    return connection.getresponse(), connection


def test_a_rate_limit_in_milliseconds_is_waited_out(ask: Asker, hub: LocalHub) -> None:
    hub.faults.add(too_many_requests("30"))
    with pytest.warns(SHRateLimitWarning):
        assert ask.image(RED).pixels.any()
    first, second = hub.journal.entries(PROCESS)
    assert (first.status, first.fault, second.status) == (429, "Answer", 200)
    assert first.body == second.body


def test_a_rate_limit_without_end(ask: Asker, hub: LocalHub) -> None:
    hub.faults.add(too_many_requests("10"), times=99)
    with pytest.raises(OutOfRequestsException), pytest.warns(SHRateLimitWarning):
        ask.image(RED)


@pytest.mark.parametrize("written", ["Wed, 21 Oct 2026 07:28:00 GMT", "soon", "1.5"])
def test_a_rate_limit_that_is_no_number_breaks_the_plain_client(
    ask: Asker, hub: LocalHub, written: str
) -> None:
    hub.faults.add(too_many_requests(written))
    with (
        pytest.warns(SHRateLimitWarning),
        pytest.raises(ValueError, match=r"invalid literal for int"),
    ):
        ask.image(RED)
    assert hub.journal.entries(PROCESS)[0].status == 429


@pytest.mark.parametrize(
    ("fault", "status", "text"),
    [
        (quota_used_up(), 403, "Insufficient processing units"),
        (server_error(), 500, "Something went wrong"),
        (server_error(503), 503, "COMMON_EXCEPTION"),
        (html_page(), 200, "Please sign in"),
        (Answer(418, b"{}", headers={"X-Extra": "1"}), 418, "{}"),
    ],
)
def test_answers_come_as_ordered(
    hub: LocalHub, config: SHConfig, fault: Answer, status: int, text: str
) -> None:
    hub.faults.add(fault)
    response, connection = raw_process(hub, config)
    body = response.read().decode()
    connection.close()
    assert (response.status, text in body) == (status, True)
    assert response.headers["X-Extra"] == fault.headers.get("X-Extra")


def test_a_truncated_body_stops_short_of_its_true_length(hub: LocalHub, config: SHConfig) -> None:
    hub.faults.add(Truncate(0.5))
    response, connection = raw_process(hub, config)
    promised = int(response.headers["Content-Length"])
    with pytest.raises(http.client.IncompleteRead) as caught:
        response.read()
    connection.close()
    assert len(caught.value.partial) == promised // 2
    whole, connection = raw_process(hub, config)
    assert len(whole.read()) == promised
    connection.close()


@pytest.mark.parametrize("by", [-100, 100])
def test_a_misstated_length(hub: LocalHub, config: SHConfig, by: int) -> None:
    response, connection = raw_process(hub, config)
    true_length = len(response.read())
    connection.close()
    hub.faults.add(Misstate(by))
    response, connection = raw_process(hub, config)
    assert int(response.headers["Content-Length"]) == true_length + by
    if by < 0:
        assert len(response.read()) == true_length + by
    else:
        with pytest.raises(http.client.IncompleteRead):
            response.read()
    connection.close()


def test_a_slow_drip_ends_whole(hub: LocalHub, config: SHConfig) -> None:
    response, connection = raw_process(hub, config)
    whole = response.read()
    connection.close()
    hub.faults.add(Drip(chunk=len(whole) // 10, pause_s=0.02))
    began = time.monotonic()
    response, connection = raw_process(hub, config)
    assert response.read() == whole
    connection.close()
    assert time.monotonic() - began >= 0.2


def test_a_hang_ends_with_the_patience_of_either_side(ask: Asker, hub: LocalHub, config: SHConfig) -> None:
    config.download_timeout_seconds = 0.3
    hub.faults.add(Hang(60.0))
    with pytest.raises(DownloadFailedException, match="timed out"):
        ask.image(RED)
    hub.faults.add(Hang(0.1))
    with pytest.raises(DownloadFailedException):
        ask.image(RED)
    assert [entry.status for entry in hub.journal.entries(PROCESS)] == [0, 0]


def test_closing_the_hub_lets_hanging_requests_go(simulated: Path) -> None:
    with LocalHub(simulated) as hub:
        hub.faults.add(Hang(60.0), path="/")
        failed = threading.Event()

        def ask_in_vain() -> None:
            with pytest.raises(requests.RequestException):
                requests.get(hub.base_url, timeout=30)
            failed.set()

        thread = threading.Thread(target=ask_in_vain)
        thread.start()
        while not hub.journal.entries():
            time.sleep(0.01)
    assert failed.wait(10)
    thread.join()


def test_a_reset_is_a_reset(hub: LocalHub, config: SHConfig) -> None:
    hub.faults.add(Reset())
    with pytest.raises(ConnectionResetError):
        raw_process(hub, config)


def test_a_token_that_expires_midway_is_unauthorized_until_a_new_one(ask: Asker, hub: LocalHub) -> None:
    ask.image(RED)
    hub.faults.add(ExpireTokens())
    for _ in range(2):
        with pytest.raises(DownloadFailedException) as caught:
            ask.image(RED)
        assert refused(caught.value).json()["error"]["code"] == "COMMON_UNAUTHORIZED"
    SentinelHubDownloadClient.clear_cache()
    assert ask.image(RED).pixels.any()
    assert len(hub.journal.entries("/token")) == 2


def test_tokens_hold_as_long_as_said(simulated: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
    now = [1000.0]
    with LocalHub(simulated, token_lifetime_s=300.0, clock=lambda: now[0]) as hub:
        form = {
            "grant_type": "client_credentials",
            "client_id": hub.client.id,
            "client_secret": hub.client.secret,
        }
        token = requests.post(hub.token_url, data=form, timeout=5).json()
        assert token["expires_in"] == 300
        url = f"{hub.base_url}/api/v1/catalog/1.0.0/collections"
        headers = {"Authorization": f"Bearer {token['access_token']}"}
        statuses = []
        for now[0] in (1000.0, 1299.0, 1300.0):
            statuses.append(requests.get(url, headers=headers, timeout=5).status_code)
        assert statuses == [200, 200, 401]
        hub.tokens.set_lifetime(10.0)
        assert requests.post(hub.token_url, data=form, timeout=5).json()["expires_in"] == 10


def test_a_wrong_secret_or_grant_gets_no_token(hub: LocalHub, config: SHConfig) -> None:
    config.sh_client_secret = "guess"  # noqa: S105 - a wrong one
    with pytest.raises(InvalidClientError):
        SentinelHubSession(config)
    form = {"grant_type": "password", "client_id": hub.client.id, "client_secret": hub.client.secret}
    answer = requests.post(hub.token_url, data=form, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (400, "unsupported_grant_type")
    assert "guess" not in repr(hub.journal.entries())


def test_a_session_can_read_its_token(config: SHConfig, hub: LocalHub) -> None:
    assert SentinelHubSession(config).info()["azp"] == hub.client.id


def test_rules_count_their_own_requests_and_the_first_that_strikes_is_played() -> None:
    queue = FaultQueue()
    first, second = Hang(1.0), Reset()
    queue.add(first, path="/a", nth=2, times=2)
    queue.add(second, path="/", nth=3)
    played: list[Fault | None] = [queue.next_for(path) for path in ("/a", "/b", "/a", "/a", "/a")]
    assert played == [None, None, first, first, None]
    queue.add(second, path="/")
    queue.clear()
    assert queue.next_for("/a") is None


def test_four_threads_of_twenty_requests_all_get_their_own_pixels(
    ask: Asker, config: SHConfig, hub: LocalHub
) -> None:
    SentinelHubSession(config)
    # The second band is warped and the first is copied.
    both = (
        RED.replace('"B04"', '"B04", "B11"').replace("bands: 1", "bands: 2").replace("s.B04", "s.B04, s.B11")
    )
    boxes = [(number, window(number, 2 * number, 30, 40)) for number in range(80)]
    whole = ask.image(both, bbox=window(0, 0, 150, 240), size=(240, 150)).pixels

    def pull(job: tuple[int, object]) -> bool:
        number, box = job
        pixels = ask.image(both, bbox=box, size=(40, 30)).pixels
        return bool(np.array_equal(pixels, whole[:, number : number + 30, 2 * number : 2 * number + 40]))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(pull, boxes))
    assert len(hub.journal.entries(PROCESS)) == 81


def test_it_runs_from_a_shell_too_and_makes_an_archive(tmp_path: Path) -> None:
    folder = Path(sys.modules["sitewatch_hub.server"].__file__ or "").parent.parent
    command = [
        sys.executable,
        "-m",
        "sitewatch_hub",
        str(tmp_path / "made"),
        "--simulate",
        "--client-id",
        "me",
    ]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=folder, env={"PYTHONPATH": f"{folder.parent.parent}"}
    ) as running:
        try:
            assert running.stdout is not None
            lines = [running.stdout.readline().split() for _ in range(4)]
            assert [line[0] for line in lines] == ["base", "token", "client", "granules"]
            assert lines[1][2].startswith(lines[0][2])
            assert (lines[2][1], lines[3][1]) == ("me", "20")
            assert requests.get(f"{lines[0][2]}/api/v1/catalog/1.0.0/", timeout=10).ok
        finally:
            running.terminate()


def test_the_date_header_tells_the_time(hub: LocalHub) -> None:
    answer = requests.get(f"{hub.base_url}/api/v1/catalog/1.0.0/", timeout=10)
    assert abs(parsedate_to_datetime(answer.headers["Date"]).timestamp() - time.time()) < 5


def test_the_account_is_what_it_was_made_with(simulated: Path) -> None:
    hub = LocalHub(simulated, client=Client("me", "mine"))
    with hub:
        assert (hub.client.id, hub.client.secret) == ("me", "mine")


def test_the_guide_names_every_fault_and_every_part_of_the_service() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "local-hub.md").read_text()
    made = [
        name for name, value in vars(faults).items() if getattr(value, "__module__", "") == faults.__name__
    ]
    public = [name for name in made if not name.startswith("_") and name != "FaultQueue"]
    assert {"Answer", "Drip", "html_page"} <= set(public)
    paths = [service.TOKEN_PATH, service.CATALOG_PATH, service.PROCESS_PATH, service.STATISTICS_PATH]
    assert [name for name in [*public, *paths] if name not in guide] == []
    assert [entry.id for entry in COLLECTIONS if f"`{entry.id}`" not in guide] == []
