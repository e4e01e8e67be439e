"""The names of looks, in the order in which they are taken, and a digest of all that were."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from imagery.model import Scene

NO_LOOKS = hashlib.sha256(b"").hexdigest()
"""The chain before the first look."""


@dataclass(frozen=True, slots=True, order=True)
class LookKey:
    """Names a look; looks are taken in the order of their keys."""

    acquired: datetime
    """Aware UTC."""
    id: str
    """Of its scenes, joined by ``+``."""
    content: str = ""
    """Digest of what it is made of: a scene that was replaced is noticed."""

    @classmethod
    def of_scenes(cls, scenes: Sequence[Scene]) -> Self:
        """Return the key of the look that some scenes of one day make; no pixel is read."""
        ordered = sorted(scenes, key=lambda scene: (scene.acquired, scene.id))
        content = "+".join(scene.content_sha for scene in ordered)
        return cls(ordered[0].acquired, "+".join(scene.id for scene in ordered), content)


def chained(keys: Iterable[LookKey], chain: str = NO_LOOKS) -> str:
    """Return the digest of looks after those of `chain`; none leave it as it was."""
    for key in keys:
        row = f"{chain} {key.acquired.isoformat()} {key.id} {key.content}"
        chain = hashlib.sha256(row.encode()).hexdigest()
    return chain
