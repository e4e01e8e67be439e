"""A Sentinel Hub service as one thing to ask: patient, metered, and plain about what went wrong."""

from __future__ import annotations

import random
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from sentinelhub.constants import RequestType
from sentinelhub.download.models import DownloadRequest

from geo.errors import Where
from imagery.errors import BudgetError, CredentialsError, ServiceError
from imagery.provenance import Charge
from imagery.sentinelhub.exchange import Exchange, Interrupted, Limits, Rejected
from imagery.sentinelhub.meter import Unmetered
from imagery.sentinelhub.patience import Patience, RateLimit, retry_after_s

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sentinelhub.download.models import DownloadResponse

    from imagery.sentinelhub.credentials import Credentials
    from imagery.sentinelhub.deployment import Deployment
    from imagery.sentinelhub.meter import Meter
    from imagery.sentinelhub.patience import Clock, Pace

T = TypeVar("T")

SPENT_HEADER = "x-processingunits-spent"
_MOST_UNITS = 1e6
_QUOTA_WORDS = re.compile(
    r"quota|processing unit|insufficient|exceed|limit|used up|expired (?:account|plan)", re.IGNORECASE
)
_SAID_CHARACTERS = 300
_TOO_MANY, _UNAUTHORISED, _FORBIDDEN, _SERVER_SIDE = 429, 401, 403, 500


class UnusableAnswer(Exception):  # noqa: N818 - a reason to ask again, not yet an error
    """A success that is not what was asked for: a web page, a damaged image."""


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The time of this machine."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def now(self) -> datetime:
        """Return the aware instant."""
        return datetime.now(UTC)

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that was understood."""

    content: bytes
    headers: Mapping[str, str]
    """Names in lower case."""

    def units(self, estimate: float) -> float:
        """Return the processing units that the service says it charged, else the estimate."""
        return _units(self.headers, estimate)


@dataclass(frozen=True, slots=True)
class Greeting:
    """What the token endpoint says."""

    valid_s: float
    server_time: datetime | None
    """From its `Date` header; aware."""


class Service:
    """Asks one deployment in one account's name; safe to share between threads."""

    def __init__(
        self,
        deployment: Deployment,
        credentials: Credentials,
        *,
        meter: Meter | None = None,
        patience: Patience | None = None,
        limits: Limits | None = None,
        pace: Pace | None = None,
        clock: Clock | None = None,
        rng: random.Random | None = None,
    ) -> None:
        """Take what the service is asked with; nothing is sent yet.

        Args:
            deployment: Where it is.
            credentials: In whose name.
            meter: Told of every request before and after.
            patience: When to ask again.
            limits: Time and size of one exchange.
            pace: The most that is asked in a minute, by all threads; the deployment's own for None.
            clock: For waiting.
            rng: Draws the waits.
        """
        self.deployment = deployment
        self._exchange = Exchange(deployment, credentials, limits or Limits())
        self._secret = credentials.client_secret
        self._client_id = credentials.client_id
        self._meter = meter or Unmetered()
        self._patience = patience or Patience()
        self._clock: Clock = clock or SystemClock()
        self._rng = rng or random.Random()  # noqa: S311 - spreads retries, keeps no secret
        self._rate = RateLimit(pace or deployment.pace, self._clock)

    @property
    def received_bytes(self) -> int:
        """How much came in whole answers so far."""
        return self._exchange.received_bytes

    def close(self) -> None:
        """Close the connections."""
        self._exchange.close()

    def post(
        self,
        path: str,
        document: Mapping[str, object],
        *,
        accept: str,
        what: str,
        estimate: Charge,
        understand: Callable[[Answer], T],
        max_bytes: int | None = None,
    ) -> tuple[T, Charge]:
        """Ask until there is an answer that can be understood, or patience ends.

        Args:
            path: Below the deployment's base address, from ``/``.
            document: Sent as JSON.
            accept: Media type wanted.
            what: For the meter and for errors.
            estimate: What it should cost.
            understand: Makes a value of the answer; raises `UnusableAnswer` if it can't.
            max_bytes: Size of the largest answer that is read.

        Returns:
            The value, and what it cost.

        Raises:
            BudgetError: The user's limit or the account's quota is used up.
            CredentialsError: The service does not accept the credentials.
            ServiceError: It refused, or failed until patience ended.
        """
        request = DownloadRequest(
            url=f"{self.deployment.base_url}{path}",
            request_type=RequestType.POST,
            post_values=dict(document),
            headers={"content-type": "application/json", "accept": accept},
            use_session=True,
        )

        def attempt() -> tuple[T, Charge]:
            return self._metered(request, what, estimate, understand, max_bytes)

        return self._patiently(attempt, what, estimate.processing_units)

    def greet(self) -> Greeting:
        """Ask for a token, the old one forgotten.

        Raises:
            CredentialsError: The service does not accept the credentials.
            ServiceError: The token endpoint refused or failed until patience ended.
        """
        self._exchange.forget_token()

        def attempt() -> Greeting:
            session = self._exchange.session()
            valid_s = float(session.token["expires_at"]) - time.time()
            return Greeting(valid_s, _http_date(session.server_date))

        return self._patiently(attempt, "token")

    def _metered(
        self,
        request: DownloadRequest,
        what: str,
        estimate: Charge,
        understand: Callable[[Answer], T],
        max_bytes: int | None,
    ) -> tuple[T, Charge]:
        ticket = self._meter.ask(what, estimate)
        try:
            answer = _answer(self._exchange.send(request, max_bytes=max_bytes))
        except Rejected:
            self._meter.settle(ticket, Charge())
            self._rate.correct(-estimate.processing_units)
            raise
        except Interrupted as broken:
            # Without a header nobody knows whether it was charged: the estimate stays on the account.
            if broken.headers is not None:
                units = _units(_lower(broken.headers), estimate.processing_units)
                self._meter.settle(ticket, Charge(1, units))
            raise
        spent = Charge(1, answer.units(estimate.processing_units))
        self._meter.settle(ticket, spent)
        self._rate.correct(spent.processing_units - estimate.processing_units)
        return understand(answer), spent

    def _patiently(self, attempt: Callable[[], T], what: str, units: float = 0.0) -> T:
        ends = self._clock.monotonic() + self._patience.total_s
        failures, renewed = 0, False
        while True:
            ends += self._take_turn(ends, what, units)
            try:
                return attempt()
            except Rejected as rejected:
                if rejected.status == _UNAUTHORISED and not (rejected.at_token or renewed):
                    renewed = True
                    self._exchange.forget_token()
                    continue
                if rejected.status == _TOO_MANY:
                    self._rate.close_for(self._asked_wait_s(rejected, failures + 1))
                    continue
                if rejected.status < _SERVER_SIDE:
                    raise self._refusal(rejected, what) from None
                reason = f"it answered with status {rejected.status}{self._said(rejected)}"
            except Interrupted as broken:
                reason = str(broken)
            except UnusableAnswer as unusable:
                reason = f"its answer can't be used: {unusable}"
            failures += 1
            wait_s = self._patience.backoff_s(failures, self._rng)
            if failures >= self._patience.attempts or self._clock.monotonic() + wait_s > ends:
                raise self._gave_up(what, reason, failures)
            self._clock.sleep(wait_s)

    def _take_turn(self, ends: float, what: str, units: float) -> float:
        """Wait until it may be asked; return for how long our own pace made us, which is no trouble."""
        own_s = 0.0
        while wait_s := self._rate.next_wait_s(units):
            asked_s = self._rate.asked_wait_s()
            if not asked_s:
                own_s += wait_s
            elif self._clock.monotonic() + wait_s > ends + own_s:
                reason = f"it asks to wait {wait_s:.0f} seconds, longer than there is time for"
                raise self._gave_up(what, reason, 0)
            self._clock.sleep(wait_s)
        return own_s

    def _asked_wait_s(self, rejected: Rejected, failures: int) -> float:
        asked = retry_after_s(rejected.headers, self._clock.now())
        own = self._patience.backoff_s(failures, self._rng)
        # Never less than a little: an asked-for wait of nothing would be a loop.
        return own if asked is None else asked + 0.1 * own

    def _refusal(self, rejected: Rejected, what: str) -> BudgetError | CredentialsError | ServiceError:
        said = self._said(rejected)
        title = self.deployment.title
        if rejected.at_token:
            return CredentialsError(
                f"{title} gives no token for this client id and secret (status {rejected.status}{said})",
                hint=f"Make an OAuth client in your account {self.deployment.account_url}".rstrip()
                + "; a user name is not a client id",
            )
        if rejected.status == _UNAUTHORISED:
            return CredentialsError(
                f"{title} gives a token and then does not accept it{said}",
                hint="Are base_url and token_url of one service? Try: sitewatch doctor",
            )
        if rejected.status == _FORBIDDEN and _QUOTA_WORDS.search(rejected.body.decode(errors="replace")):
            return BudgetError(
                f"the account's quota at {title} is used up{said}",
                hint="Wait for the next month or raise the quota; what was pulled is kept",
            )
        return ServiceError(
            f"{title} refused the request for {what} (status {rejected.status}{said})",
            where=Where(self.deployment.base_url),
        )

    def _gave_up(self, what: str, reason: str, failures: int) -> ServiceError:
        tried = f" after {failures} attempts" if failures > 1 else ""
        return ServiceError(
            f"{self.deployment.title} did not deliver {what}{tried}: {reason}",
            where=Where(self.deployment.base_url),
            hint="Run the same command again later; what has come is kept",
        )

    def _said(self, rejected: Rejected) -> str:
        """Return the server's own words, shortened, with nothing in them that is ours to keep."""
        text = " ".join(rejected.body.decode(errors="replace").split())
        for private in (self._secret, self._client_id):
            text = text.replace(private, "***")
        found = re.search(r'"(?:message|error_description)"\s*:\s*"([^"]+)"', text)
        words = found.group(1) if found else ("" if text.startswith("<") else text)
        words = "".join(char for char in words if char.isprintable())[:_SAID_CHARACTERS]
        return f": {words!r}" if words else ""


def _answer(response: DownloadResponse) -> Answer:
    return Answer(response.content, _lower(response.headers))


def _lower(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}


def _units(headers: Mapping[str, str], estimate: float) -> float:
    try:
        units = float(headers[SPENT_HEADER])
    except (KeyError, ValueError):
        return estimate
    return units if 0.0 <= units <= _MOST_UNITS else estimate


def _http_date(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - only a greeting needs it

    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
