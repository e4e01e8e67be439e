"""Where a Sentinel Hub service runs: the host that gets requests and the host that gives tokens."""

from __future__ import annotations

import ipaddress
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from geo.errors import Where
from imagery.errors import ImageError
from imagery.sentinelhub.patience import Pace

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PER_MINUTE = 300
"""Requests, and processing units, of a free account."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One installation of Sentinel Hub; requests go to these two addresses and nowhere else."""

    name: str
    title: str
    base_url: str
    """Without a final slash."""
    token_url: str
    requests_per_minute: int = DEFAULT_PER_MINUTE
    processing_units_per_minute: float = DEFAULT_PER_MINUTE
    account_url: str = ""
    """Where a person makes credentials and sees the quota."""

    def __post_init__(self) -> None:
        """Refuse an address that would send a secret in clear text.

        Raises:
            ImageError: Not https (or http to this machine), or with a user, query or fragment.
        """
        for field in ("base_url", "token_url"):
            _check_address(field, getattr(self, field))
        if self.base_url.endswith("/"):
            object.__setattr__(self, "base_url", self.base_url.rstrip("/"))

    @property
    def pace(self) -> Pace:
        """The most that an account may ask in a minute."""
        return Pace(self.requests_per_minute, self.processing_units_per_minute)


@cache
def deployments() -> Mapping[str, Deployment]:
    """Return the deployments that have a name."""
    document = tomllib.loads(files("imagery.sentinelhub").joinpath("deployments.toml").read_text("utf-8"))
    return MappingProxyType({name: Deployment(name, **entry) for name, entry in document.items()})


def deployment_for(name: str, *, base_url: str = "", token_url: str = "") -> Deployment:
    """Return a named deployment, or a custom one by its two addresses.

    Args:
        name: ``copernicus``, ``commercial`` or ``custom``.
        base_url: Of a custom one: where ``/api/v1/process`` hangs.
        token_url: Of a custom one: the OAuth token endpoint.

    Raises:
        ImageError: The name is unknown, or the addresses are missing or can't be.
    """
    if name == "custom":
        if not (base_url and token_url):
            raise ImageError(
                "a custom deployment needs both its addresses",
                where=Where(field="base_url, token_url"),
                hint="Set base_url and token_url beside it",
            )
        return Deployment("custom", urlsplit(base_url).netloc, base_url, token_url)
    known = deployments().get(name)
    if known is None:
        names = ", ".join([*deployments(), "custom"])
        raise ImageError(f"no deployment is called {name!r}", hint=f"Use one of {names}")
    if base_url or token_url:
        raise ImageError(f"{name} has its own addresses", hint='Say deployment = "custom" to name others')
    return known


def _check_address(field: str, text: str) -> None:
    where = Where(field=field)
    parts = urlsplit(text)
    if parts.username or parts.password or parts.query or parts.fragment or not parts.hostname:
        problem = "an address is https://host/path, without user, query or fragment"
        raise ImageError(problem, where=where)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname)):
        problem = f"{parts.scheme or 'no scheme'} would show the secret to everyone on the way"
        raise ImageError(problem, where=where, hint="Use https")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
