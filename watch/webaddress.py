"""Which addresses a word may be posted to."""

from __future__ import annotations

from urllib.parse import urlsplit

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def checked_address(text: str) -> str:
    """Return an address that is https, or http to this very machine.

    Raises:
        ValueError: It is neither, or carries a name and password; the message doesn't hold it, since
            addresses of hooks are secrets.
    """
    if not text.isprintable() or " " in text or "\\" in text:
        message = "an address has no spaces, backslashes or control characters"
        raise ValueError(message)
    parts = urlsplit(text)
    try:
        port = parts.port
    except ValueError:
        port = 0
    if not parts.hostname or port == 0:
        message = "it is no web address with a host"
        raise ValueError(message)
    if parts.username is not None or parts.password is not None:
        message = "name and password do not belong into an address"
        raise ValueError(message)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK):
        message = "only https, or http to this machine"
        raise ValueError(message)
    return text
