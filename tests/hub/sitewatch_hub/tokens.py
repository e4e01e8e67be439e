"""OAuth2 client credentials (RFC 6749, section 4.4): who may ask, and for how long."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from sitewatch_hub.messages import Reply, Request, json_reply, refusal

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Client:
    """The one account of the hub."""

    id: str = "local-client"
    secret: str = "local-secret"  # noqa: S105 - opens nothing but a server on loopback


class TokenDesk:
    """Issues tokens and knows which of them still hold."""

    def __init__(self, client: Client, clock: Callable[[], float], lifetime_s: float) -> None:
        self._client = client
        self._clock = clock
        self._lifetime_s = lifetime_s
        self._expiry: dict[str, float] = {}
        self._lock = threading.Lock()

    def issue(self, request: Request) -> Reply:
        """Answer the token endpoint: 200 with a token, 400 or 401 with an OAuth2 error."""
        form = parse_qs(request.body.decode(errors="replace"))
        if form.get("grant_type") != ["client_credentials"]:
            return _oauth_error(400, "unsupported_grant_type", "Unsupported grant_type")
        given = (form.get("client_id", [""])[0], form.get("client_secret", [""])[0])
        if not _same(given[0], self._client.id) or not _same(given[1], self._client.secret):
            return _oauth_error(401, "invalid_client", "Invalid client or Invalid client credentials")
        return json_reply(self._new_token())

    def check(self, request: Request) -> None:
        """Let a request through whose bearer token holds.

        Raises:
            RefusedError: 401 where it does not.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        with self._lock:
            expiry = self._expiry.get(token)
        if kind != "Bearer" or expiry is None or expiry <= self._clock():
            raise refusal(401, "COMMON_UNAUTHORIZED", "You are not authorized! Check your token.")

    def set_lifetime(self, lifetime_s: float) -> None:
        """Let tokens issued from now on hold that long; the client renews 120 s before their end."""
        with self._lock:
            self._lifetime_s = lifetime_s

    def revoke_all(self) -> None:
        """Make every token issued so far worthless, as if its time had come."""
        with self._lock:
            self._expiry.clear()

    def _new_token(self) -> dict[str, object]:
        with self._lock:
            now = self._clock()
            token = _jwt({"azp": self._client.id, "exp": int(now + self._lifetime_s)})
            self._expiry[token] = now + self._lifetime_s
            return {
                "access_token": token,
                "expires_in": int(self._lifetime_s),
                "refresh_expires_in": 0,
                "token_type": "Bearer",
                "not-before-policy": 0,
                "scope": "",
            }


def _jwt(claims: dict[str, object]) -> str:
    """Return something of a JSON Web Token's shape (RFC 7519); its signature is random digits."""
    parts = [{"alg": "none", "typ": "JWT"}, claims]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, secrets.token_urlsafe(32)])


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def _oauth_error(status: int, code: str, description: str) -> Reply:
    return json_reply({"error": code, "error_description": description}, status)
