"""Text from outside, made fit to stand in a message."""

from __future__ import annotations

_LIMIT = 60


def shown(text: str) -> str:
    """Return `text` quoted and escaped, cut at 60 characters.

    >>> print(shown("2016/6"), len(shown("9" * 1_000_000)))
    '2016/6' 65
    """
    return repr(text if len(text) <= _LIMIT else f"{text[:_LIMIT]}...")
