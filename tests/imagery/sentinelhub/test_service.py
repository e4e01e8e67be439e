from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from imagery.errors import CredentialsError, ServiceError
from imagery.provenance import Charge
from imagery.sentinelhub.credentials import Credentials
from imagery.sentinelhub.deployment import Deployment, deployment_for
from imagery.sentinelhub.exchange import Exchange, Limits
from imagery.sentinelhub.patience import Pace, Patience
from imagery.sentinelhub.service import Answer, Service
from sitewatch_hub.faults import Answer as Reply
from sitewatch_hub.faults import Drip, server_error
from sitewatch_hub.server import LocalHub
from sitewatch_hub.simulated import make_archive

SEARCH = "/api/v1/catalog/1.0.0/search"
QUICK = Patience(total_s=5.0, attempts=3, first_wait_s=0.01, longest_wait_s=0.02)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalHub]:
    root = tmp_path_factory.mktemp("ground") / "archive"
    make_archive(root, np.random.default_rng(2))
    with LocalHub(root) as running:
        yield running


@pytest.fixture(autouse=True)
def _good_day(hub: LocalHub) -> Iterator[None]:
    yield
    hub.faults.clear()


@pytest.fixture
def deployment(hub: LocalHub) -> Deployment:
    return deployment_for("custom", base_url=hub.base_url, token_url=hub.token_url)


@pytest.fixture
def ask(hub: LocalHub, deployment: Deployment) -> Callable[..., bytes]:
    """Return what searches the hub's catalogue and gives the answer as it came."""

    def post(secret: str = "", *, limits: Limits | None = None, max_bytes: int | None = None) -> bytes:
        account = Credentials(hub.client.id, secret or hub.client.secret)
        service = Service(deployment, account, patience=QUICK, limits=limits)
        content, _ = service.post(
            SEARCH,
            {"collections": ["sentinel-2-l2a"], "limit": 1},
            accept="application/json",
            what="search",
            estimate=Charge(1, 0.01),
            understand=_content,
            max_bytes=max_bytes,
        )
        return content

    return post


def _content(answer: Answer) -> bytes:
    return answer.content


def test_an_answer_comes_whole(ask: Callable[..., bytes]) -> None:
    assert ask().startswith(b'{"type": "FeatureCollection"')


def test_no_file_and_no_variable_is_read_for_it(
    ask: Callable[..., bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hub: LocalHub
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SH_CLIENT_ID", "somebody-else")
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    (tmp_path / ".netrc").chmod(0o600)
    assert ask()
    assert [path.name for path in tmp_path.iterdir()] == [".netrc"]
    assert hub.journal.entries(SEARCH)[-1].status == 200


def test_a_request_to_another_host_is_stopped_before_it_is_sent(
    deployment: Deployment, hub: LocalHub
) -> None:
    exchange = Exchange(deployment, Credentials(hub.client.id, hub.client.secret))
    before = len(hub.journal.entries())
    for url in (
        "https://services.sentinel-hub.com/api/v1/process",
        hub.base_url.replace("http:", "https:") + SEARCH,
        hub.base_url.replace("127.0.0.1", "localhost") + SEARCH,
        hub.base_url + "0/api/v1/process",
    ):
        with pytest.raises(ServiceError, match="was stopped"):
            exchange.call("POST", url, max_bytes=10)
    assert len(hub.journal.entries()) == before


def test_a_secret_that_the_server_says_back_is_not_passed_on(
    ask: Callable[..., bytes], hub: LocalHub
) -> None:
    body = f'{{"error": {{"message": "bad secret {hub.client.secret} of {hub.client.id}"}}}}'
    hub.faults.add(Reply(400, body.encode()), path=SEARCH)
    with pytest.raises(ServiceError, match=r"bad secret \*\*\* of \*\*\*") as caught:
        ask()
    assert hub.client.secret not in str(caught.value)


def test_control_characters_of_the_server_are_not_passed_on(ask: Callable[..., bytes], hub: LocalHub) -> None:
    hub.faults.add(Reply(400, b"\x1b[2J\x07hello"), path=SEARCH)
    with pytest.raises(ServiceError, match="hello") as caught:
        ask()
    assert str(caught.value).isprintable()


def test_wrong_credentials_are_said_at_once(ask: Callable[..., bytes], hub: LocalHub) -> None:
    before = len(hub.journal.entries("/token"))
    with pytest.raises(CredentialsError, match="gives no token") as caught:
        ask("canary-wrong")
    assert len(hub.journal.entries("/token")) == before + 1
    assert "canary-wrong" not in f"{caught.value} {caught.value.__cause__!r} {caught.value.__context__!r}"


def test_an_answer_that_is_too_large_is_not_read(ask: Callable[..., bytes]) -> None:
    with pytest.raises(ServiceError, match="larger than it can be"):
        ask(max_bytes=100)


def test_a_slow_drip_ends_with_the_time_that_one_exchange_has(
    ask: Callable[..., bytes], hub: LocalHub
) -> None:
    hub.faults.add(Drip(1, 0.02), path=SEARCH, times=10)
    with pytest.raises(ServiceError, match=r"no whole answer within 0\.2 seconds"):
        ask(limits=Limits(timeout_s=0.2))


def test_a_failing_token_endpoint_is_asked_again(ask: Callable[..., bytes], hub: LocalHub) -> None:
    hub.faults.add(server_error(502), path="/token", times=2)
    assert ask()


@pytest.mark.parametrize("body", [b"{}", b"[]", b"<html>", b'{"access_token": "a b\\n", "expires_in": 5}'])
def test_a_token_that_is_none_is_not_taken(ask: Callable[..., bytes], hub: LocalHub, body: bytes) -> None:
    hub.faults.add(Reply(200, body), path="/token", times=10)
    with pytest.raises(ServiceError, match="something that is no token"):
        ask()


def test_the_service_tells_the_time(deployment: Deployment, hub: LocalHub) -> None:
    service = Service(deployment, Credentials(hub.client.id, hub.client.secret), patience=QUICK)
    greeting = service.greet()
    assert greeting.server_time is not None
    assert abs((datetime.now(UTC) - greeting.server_time).total_seconds()) < 60
    assert 3000 < greeting.valid_s <= 3600


class FastClock:
    """A clock on which a wait takes no time, and sleepers sleep side by side."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._lock = threading.Lock()

    def monotonic(self) -> float:
        return self.seconds

    def now(self) -> datetime:
        return datetime(2026, 11, 22, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        until = self.seconds + seconds
        with self._lock:
            self.seconds = max(self.seconds, until)


@pytest.mark.parametrize(
    ("pace", "least_s", "most_s"),
    [
        (Pace(requests=10, processing_units=1e6), 84.0, 200.0),
        (Pace(requests=1e6, processing_units=0.1), 83.9, 200.0),
        (Pace(requests=1e6, processing_units=1.0), 0.0, 1.0),
    ],
)
def test_all_threads_of_a_service_keep_one_pace_and_lose_no_patience_over_it(
    hub: LocalHub, deployment: Deployment, pace: Pace, least_s: float, most_s: float
) -> None:
    clock = FastClock()
    account = Credentials(hub.client.id, hub.client.secret)
    service = Service(deployment, account, patience=QUICK, pace=pace, clock=clock)

    def search(_number: int) -> float:
        document = {"collections": ["sentinel-2-l2a"], "limit": 1}
        # The estimate is dear on purpose: what was not charged is given back.
        _page, charge = service.post(
            SEARCH,
            document,
            accept="application/json",
            what="search",
            estimate=Charge(1, 0.05),
            understand=_content,
        )
        return charge.processing_units

    with ThreadPoolExecutor(max_workers=4) as pool:
        spent = list(pool.map(search, range(24)))
    assert spent == [0.01] * 24
    assert least_s <= clock.seconds <= most_s
