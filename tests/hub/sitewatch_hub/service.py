"""From a request to its reply: which part of the service answers which path."""

from __future__ import annotations

import traceback
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import orjson

from sitewatch_hub import catalog
from sitewatch_hub.messages import RefusedError, Reply, Request, json_reply, refusal
from sitewatch_hub.process import process
from sitewatch_hub.statistical import statistics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sitewatch_hub.granules import Granule
    from sitewatch_hub.tokens import TokenDesk

TOKEN_PATH = "/auth/realms/main/protocol/openid-connect/token"  # noqa: S105 - a path, not a secret
CATALOG_PATH = "/api/v1/catalog/1.0.0"
PROCESS_PATH = "/api/v1/process"
STATISTICS_PATH = "/api/v1/statistics"

_COLLECTION_PARTS = 2
_FEATURE_PARTS = 4


class Service:
    """Answers requests from the granules of one archive."""

    def __init__(self, granules: Sequence[Granule], tokens: TokenDesk) -> None:
        self._granules = granules
        self._tokens = tokens

    def answer(self, request: Request) -> Reply:
        """Return the reply to a request; never raises, a fault of ours is a 500 with its traceback."""
        try:
            return self._routed(request)
        except RefusedError as refused:
            return refused.reply
        except Exception:  # noqa: BLE001 - a server answers, and the traceback is in the answer
            message = traceback.format_exc()
            error = {
                "status": 500,
                "reason": "Internal Server Error",
                "message": message,
                "code": "LOCAL_HUB",
            }
            return json_reply({"error": error}, 500)

    def _routed(self, request: Request) -> Reply:
        path = urlsplit(request.path).path.rstrip("/")
        if (request.method, path) == ("POST", TOKEN_PATH):
            return self._tokens.issue(request)
        if path.startswith(CATALOG_PATH):
            return self._catalog(request, path.removeprefix(CATALOG_PATH).strip("/"))
        if (request.method, path) == ("POST", PROCESS_PATH):
            self._tokens.check(request)
            return process(_payload(request), self._granules)
        if (request.method, path) == ("POST", STATISTICS_PATH):
            self._tokens.check(request)
            return statistics(_payload(request), self._granules)
        raise refusal(404, "COMMON_NOT_FOUND", f"{request.method} {path} is not offered by this server")

    def _catalog(self, request: Request, path: str) -> Reply:
        if request.method == "GET" and path in {"", "conformance"}:
            return catalog.conformance() if path else catalog.landing()
        self._tokens.check(request)
        if (request.method, path) == ("POST", "search"):
            return catalog.search(_payload(request), self._granules)
        parts = [unquote(part) for part in path.split("/")]
        if request.method == "GET" and parts[0] == "collections":
            if len(parts) == 1:
                return catalog.collections()
            if len(parts) == _COLLECTION_PARTS:
                return catalog.one_collection(parts[1])
            if len(parts) == _FEATURE_PARTS and parts[2] == "items":
                return catalog.one_feature(parts[1], parts[3], self._granules)
        raise refusal(
            404, "COMMON_NOT_FOUND", f"{request.method} {request.path} is not offered by this server"
        )


def _payload(request: Request) -> dict[str, Any]:
    try:
        payload = orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise refusal(400, "COMMON_BAD_PAYLOAD", f"The body is no JSON: {error}") from error
    if not isinstance(payload, dict):
        raise refusal(400, "COMMON_BAD_PAYLOAD", "The body is no JSON object")
    return payload
