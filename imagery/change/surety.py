"""How sure a detection is among all of a catalogue: what was measured, and what came of its test."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Surety:
    """The weight of a detection's evidence, and the test that it was put to."""

    discovery: bool | None
    """Whether it is one; None where it could not be tested."""
    words: str
    """Why, in one sentence."""
    stratum: str = ""
    """Of the quiet looks that its p was counted among; empty where there are none for its sensor."""
    count: int = 0
    source: str = ""
    p_later: tuple[float, ...] = ()
    """Of the looks after the one that raised it, in their order."""
    e: float | None = None
    """Its e-value; what is needed is one over the level."""
    level: float | None = None
    """At which it was tested."""
    settled: date | None = None
    """The latest look that speaks for or against it."""

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON values: `from_json` gives an equal one."""
        settled = None if self.settled is None else self.settled.isoformat()
        return asdict(self) | {"p_later": list(self.p_later), "settled": settled}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Surety:
        """Read what `to_json` wrote."""
        settled = document["settled"]
        return cls(
            **{
                **document,
                "p_later": tuple(map(float, document["p_later"])),
                "settled": None if settled is None else date.fromisoformat(settled),
            }
        )
