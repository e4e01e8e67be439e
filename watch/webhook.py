"""Words posted as JSON: to https or this machine only, no redirects, signed where there is a key."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import orjson
import requests

from watch.errors import NotifyError
from watch.webaddress import LOOPBACK

if TYPE_CHECKING:
    from watch.credentials import Secret
    from watch.sinks import Message

SIGNATURE_HEADER = "X-Sitewatch-Signature"
"""``sha256=`` and the HMAC of the body, in hexadecimal; the key is the secret."""

ID_HEADER = "Idempotency-Key"
"""The message's id: whoever gets one twice may pass over the second."""


@dataclass(frozen=True, slots=True)
class Webhook:
    """An address that takes digests."""

    address: str = field(repr=False)
    """Checked by `watch.webaddress.checked_address`; it may hold a secret and is never shown."""
    secret: Secret | None
    timeout_s: float
    name: str = "webhook"

    def deliver(self, message: Message) -> None:
        """Post the message; any answer but 2xx is a failure."""
        body = orjson.dumps({"subject": message.subject, "text": message.text, "digest": message.document})
        host = urlsplit(self.address).hostname or ""
        try:
            with requests.Session() as session:
                # Else a .netrc would send passwords along; nor does a proxy stand before this machine.
                session.auth = _nobody
                session.trust_env = host not in LOOPBACK
                with session.post(
                    self.address,
                    data=body,
                    headers=self._headers(message, body),
                    timeout=self.timeout_s,
                    allow_redirects=False,
                    stream=True,
                ) as answer:
                    status = answer.status_code
        except requests.RequestException as error:
            # Without the cause: its words hold the address.
            raise NotifyError(f"{host}: {_reason(error)}", hint="It is tried again next time") from None
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            moved = ", a redirect, which is not followed" if status // 100 == _REDIRECTS else ""
            raise NotifyError(f"{host} answers {status}{moved}")

    def _headers(self, message: Message, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "sitewatch", ID_HEADER: message.id}
        if self.secret is not None:
            digest = hmac.new(self.secret.value.encode(), body, hashlib.sha256).hexdigest()
            headers[SIGNATURE_HEADER] = f"sha256={digest}"
        return headers


_REDIRECTS = 3


def _nobody(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _reason(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "no trusted encryption"
    return "no connection" if isinstance(error, requests.ConnectionError) else type(error).__name__
