"""A request and a reply as plain values, and refusals in the forms the service documents."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent."""

    method: str
    path: str
    """With the query, as on the request line."""
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back."""

    status: int
    body: bytes
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


class RefusedError(Exception):
    """A request that is answered by an error document."""

    def __init__(self, reply: Reply) -> None:
        """Keep the reply to send."""
        super().__init__(f"{reply.status}: {reply.body.decode()}")
        self.reply = reply


def json_reply(document: object, status: int = 200) -> Reply:
    """Return a document as JSON; a NaN in it is a mistake of ours and raises ValueError."""
    return Reply(status, json.dumps(document, allow_nan=False).encode())


def refusal(status: int, code: str, message: str, errors: list[dict[str, Any]] | None = None) -> RefusedError:
    """Return a refusal in the form of the Process API, to be raised."""
    error: dict[str, Any] = {
        "status": status,
        "reason": HTTPStatus(status).phrase,
        "message": message,
        "code": code,
    }
    if errors is not None:
        error["errors"] = errors
    return RefusedError(json_reply({"error": error}, status))


def field_refusal(parameter: str, value: object, violation: str) -> RefusedError:
    """Return the refusal of one field of a payload; `parameter` is its path, ``output->width``."""
    fault = {"parameter": parameter, "invalidValue": value, "violation": violation}
    return refusal(400, "COMMON_BAD_PAYLOAD", "Invalid request", [fault])


def script_refusal(detail: str) -> RefusedError:
    """Return the refusal of an evalscript, with what V8 or the checks of its output said."""
    return refusal(400, "RENDERER_EXCEPTION", f"Failed to evaluate script!\n{detail}")
