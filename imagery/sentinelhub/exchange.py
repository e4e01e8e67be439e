"""One exchange with the service through the `sentinelhub` client: to one host, bounded in time and size.

The client builds and signs requests; what it does when an exchange fails is taken out of its hands. Its
own handling waits for ever on some answers and raises `ValueError` on others, so every answer that is
not a success leaves this module as `Rejected`, and every one that did not arrive whole as `Interrupted`.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from sentinelhub.config import SHConfig
from sentinelhub.constants import SHConstants
from sentinelhub.download.sentinelhub_client import SentinelHubDownloadClient
from sentinelhub.download.session import SentinelHubSession

from imagery.errors import ServiceError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sentinelhub.download.models import DownloadRequest, DownloadResponse

    from imagery.sentinelhub.credentials import Credentials
    from imagery.sentinelhub.deployment import Deployment

_CONNECT_S = 10.0
_MOST_CONNECTIONS = 32
_CHUNK = 2**16
_MAX_ERROR_BYTES = 2**16
_MAX_TOKEN_BYTES = 2**16
_OK = range(200, 300)


class Rejected(Exception):  # noqa: N818 - an answer, turned into an error by whoever knows what was asked
    """The service answered with another status than success; nothing is charged for that."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes, *, at_token: bool) -> None:
        super().__init__(f"status {status}")
        self.status = status
        self.headers = headers
        self.body = body
        self.at_token = at_token
        """Whether it was asked for a token, not for data."""


class Interrupted(Exception):  # noqa: N818 - as above
    """No whole answer came; `headers` are those of a success that broke off, else None."""

    def __init__(self, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one exchange may take and how much may come."""

    timeout_s: float = 90.0
    """From the request to the last byte of the answer."""
    max_bytes: int = 2**28


@dataclass(slots=True)
class Exchange:
    """What requests of one account to one deployment share: the connection and the token."""

    deployment: Deployment
    credentials: Credentials
    limits: Limits = field(default_factory=Limits)
    received_bytes: int = field(default=0, init=False)
    """Of all answers that came whole, unpacked."""
    _http: requests.Session = field(default_factory=requests.Session, init=False, repr=False)
    _session: _Session | None = field(default=None, init=False, repr=False)
    _lock: Any = field(default_factory=threading.RLock, init=False, repr=False)

    def __post_init__(self) -> None:
        """Keep a connection for each of as many threads as there may be."""
        for scheme in ("https://", "http://"):
            self._http.mount(scheme, HTTPAdapter(pool_maxsize=_MOST_CONNECTIONS))

    def send(self, request: DownloadRequest, *, max_bytes: int | None = None) -> DownloadResponse:
        """Send one request of the client and return its undecoded answer.

        Raises:
            Rejected: The status is not a success.
            Interrupted: No connection, no answer in time, or one that broke off or is too large.
        """
        client = _Client(self, max_bytes or self.limits.max_bytes)
        answers: list[DownloadResponse] = client.download([request], max_threads=1, decode_data=False)
        return answers[0]

    def session(self) -> _Session:
        """Return the session that holds the token, made at the first call."""
        with self._lock:
            if self._session is None:
                self._session = _Session(self)
            return self._session

    def forget_token(self) -> None:
        """Ask for a new token before the next request."""
        with self._lock:
            self._session = None

    def config(self) -> SHConfig:
        """Return the client's configuration: from arguments alone, no file, no environment."""
        return SHConfig(
            use_defaults=True,
            sh_client_id=self.credentials.client_id,
            sh_client_secret=self.credentials.client_secret,
            sh_base_url=self.deployment.base_url,
            sh_token_url=self.deployment.token_url,
            max_download_attempts=1,
            max_retries=1,
            download_sleep_time=0.0,
            download_timeout_seconds=self.limits.timeout_s,
        )

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, method: str, url: str, *, max_bytes: int, **content: Any) -> requests.Response:  # noqa: ANN401 - what `requests` takes
        """Do one HTTP exchange and return the answer with its whole body.

        Raises:
            Rejected: See `send`.
            Interrupted: See `send`.
        """
        _pin(url, self.deployment)
        ends = time.monotonic() + self.limits.timeout_s
        timeout = (min(_CONNECT_S, self.limits.timeout_s), self.limits.timeout_s)
        response = None
        try:
            response = self._http.request(
                method, url, stream=True, allow_redirects=False, timeout=timeout, auth=_unchanged, **content
            )
            succeeded = response.status_code in _OK
            body = _body(response, max_bytes if succeeded else _MAX_ERROR_BYTES, ends, cut=not succeeded)
        except (requests.RequestException, urllib3.exceptions.HTTPError, _OverdueError) as error:
            headers = response.headers if response is not None and response.status_code in _OK else None
            raise Interrupted(_reason(error, self.limits.timeout_s), headers) from error
        finally:
            if response is not None:
                response.close()
        if not succeeded:
            at_token = url == self.deployment.token_url
            raise Rejected(response.status_code, response.headers, body, at_token=at_token)
        with self._lock:
            self.received_bytes += len(body)
        response._content = body  # noqa: SLF001 - `requests` has no other way to hand over a body read by us
        return response


class _Client(SentinelHubDownloadClient):
    """The client with its network call replaced by a bounded one."""

    def __init__(self, exchange: Exchange, max_bytes: int) -> None:
        super().__init__(config=exchange.config())
        self._exchange = exchange
        self._max_bytes = max_bytes

    def get_session(self) -> SentinelHubSession:
        return self._exchange.session()

    def _do_download(self, request: DownloadRequest) -> requests.Response:
        return self._exchange.call(
            request.request_type.value,
            str(request.url),
            max_bytes=self._max_bytes,
            json=request.post_values,
            headers=self._prepare_headers(request),
        )


class _Session(SentinelHubSession):
    """The client's session, fetching its token within the same bounds and once at a time."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._refreshing = threading.Lock()
        self.server_date = ""
        super().__init__(config=exchange.config())

    @property
    def token(self) -> dict[str, Any]:
        with self._refreshing:
            return dict(super().token)

    def _collect_new_token(self) -> dict[str, Any]:
        config = self.config
        response = self._exchange.call(
            "POST",
            config.sh_token_url,
            max_bytes=_MAX_TOKEN_BYTES,
            headers={**self.DEFAULT_HEADERS, **SHConstants.HEADERS},
            data={
                "grant_type": "client_credentials",
                "client_id": config.sh_client_id,
                "client_secret": config.sh_client_secret,
            },
        )
        self.server_date = response.headers.get("Date", "")
        return _token(response)


class _OverdueError(Exception):
    """The answer takes too long or is too large."""


def _token(response: requests.Response) -> dict[str, Any]:
    try:
        document = response.json()
        token, seconds = document["access_token"], float(document["expires_in"])
        if not (isinstance(token, str) and token.isascii() and token.isprintable() and seconds > 0):
            raise ValueError("no usable token")  # noqa: TRY301 - one place says what a token is
    except (ValueError, KeyError, TypeError) as error:
        raise Interrupted("the token endpoint answered with something that is no token") from error
    return {"access_token": token, "expires_at": time.time() + seconds}


def _pin(url: str, deployment: Deployment) -> None:
    allowed = {urlsplit(address)[:2] for address in (deployment.base_url, deployment.token_url)}
    if urlsplit(url)[:2] not in allowed:
        host = urlsplit(url).netloc
        raise ServiceError(f"a request to {host} was stopped: {deployment.title} is elsewhere")


def _body(response: requests.Response, max_bytes: int, ends: float, *, cut: bool) -> bytes:
    parts, total = [], 0
    # read1 gives what has come; read would wait for a whole chunk and never see the deadline pass.
    while part := response.raw.read1(_CHUNK, decode_content=True):
        total += len(part)
        if time.monotonic() > ends:
            raise _OverdueError("overdue")
        if total > max_bytes:
            if cut:
                break
            raise _OverdueError(f"more than {max_bytes:,} bytes")
        parts.append(part)
    return b"".join(parts)


def _reason(error: Exception, timeout_s: float) -> str:
    if isinstance(error, requests.Timeout | urllib3.exceptions.TimeoutError) or str(error) == "overdue":
        return f"no whole answer within {timeout_s:g} seconds"
    if isinstance(error, _OverdueError):
        return f"the answer is larger than it can be ({error})"
    if isinstance(error, urllib3.exceptions.HTTPError | requests.exceptions.ChunkedEncodingError):
        return "the answer broke off"
    if isinstance(error, requests.exceptions.SSLError):
        return "the connection is not secure: the certificate was refused"
    return f"no connection ({type(error).__name__})"


def _unchanged(request: requests.PreparedRequest) -> requests.PreparedRequest:
    # With no auth given, `requests` lets a ~/.netrc entry of the host replace the token.
    return request
