"""Where pixels come from, and what they cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

LOCAL = "local"
"""The provider of files of one's own."""


@dataclass(frozen=True, slots=True)
class Charge:
    """Requests and processing units, asked for or spent."""

    requests: int = 0
    processing_units: float = 0.0

    def __add__(self, other: Charge) -> Charge:
        return Charge(self.requests + other.requests, self.processing_units + other.processing_units)


@dataclass(frozen=True, slots=True)
class Provenance:
    """Who gave the pixels, of what, and what they were asked."""

    provider: str = LOCAL
    """`LOCAL` or ``sentinelhub``; several are joined by ``+``."""
    product: str = ""
    """What was asked for, ``sentinel-2-l2a``; empty for files of one's own."""
    request_keys: tuple[str, ...] = ()
    """SHA-256 of each request (`imagery.sentinelhub.process`), a scene each; none for files of one's own."""
    source_ids: tuple[str, ...] = ()
    """What the pixels are cut from, as its producer names it; a scene of one's own is its own source."""


def joint_provenance(members: Sequence[Provenance]) -> Provenance:
    """Return the provenance of what several scenes make up, in their order.

    >>> joint_provenance([Provenance(source_ids=("a",)), Provenance(source_ids=("a", "b"))]).source_ids
    ('a', 'b')
    """
    return Provenance(
        provider=_joined(member.provider for member in members),
        product=_joined(member.product for member in members),
        request_keys=tuple(dict.fromkeys(key for member in members for key in member.request_keys)),
        source_ids=tuple(dict.fromkeys(source for member in members for source in member.source_ids)),
    )


def _joined(names: Iterable[str]) -> str:
    return "+".join(dict.fromkeys(name for name in names if name))
