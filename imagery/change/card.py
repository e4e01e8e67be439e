"""The card of a look: every number its outcome rests on, and why it ended so and not otherwise.

Plain JSON values in named sections, so that a ledger can keep it, a page can show it and a reader can check
each step. Values that are not finite are left out.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from imagery.change.detectable_words import SECTION, sizes_lines

if TYPE_CHECKING:
    from collections.abc import Mapping

METHOD = "site-2"
"""Version of the method; another number says that the same pixels may be judged otherwise."""

TITLES = MappingProxyType(
    {
        "scene": "the image",
        "clear": "what clouds left of it, as shares of 1",
        "model": "the history it is set against; leverage: variance of its prediction over that of a look",
        "alignment": "where it lay beside the prediction, right and down",
        "normalisation": "what put it on the scale of its surroundings; noise: their scatter over the usual",
        "alone": "what stands out most in this look by itself; quiet: what quiet looks reach",
        "agreed": "what it agrees on most with a look before it",
        "thrice": "what it agrees on most with two of the three looks before it",
        "summed": "what the latest looks add up to most",
        "decision": "the nearest of these to raising a candidate, which takes a ratio of 1",
        "cases": "what is suspected, and what this look says of it",
        SECTION: "how small a building would have been seen",
    }
)
"""The sections of a card in the order of judging, each with what it tells."""

_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Card:
    """What a look's outcome rests on."""

    outcome: str
    why: tuple[str, ...]
    """Sentences: why it did."""
    why_not: tuple[str, ...] = ()
    """Sentences: what was considered and did not hold."""
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: MappingProxyType({}))
    """Section, name, JSON value."""
    method: str = METHOD

    def to_json(self) -> dict[str, Any]:
        """Return the card as JSON values: `from_json` gives an equal card."""
        return {
            "method": self.method,
            "outcome": self.outcome,
            "why": list(self.why),
            "why_not": list(self.why_not),
            "sections": {name: dict(section) for name, section in self.sections.items()},
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Card:
        """Read what `to_json` wrote."""
        return cls(
            outcome=str(document["outcome"]),
            why=tuple(document["why"]),
            why_not=tuple(document["why_not"]),
            sections=dict(document["sections"]),
            method=str(document["method"]),
        )

    def text(self) -> str:
        """Return the card as lines of text, its sections in the order in which a look is judged."""
        lines = [f"{self.outcome} (method {self.method})"]
        lines += [f"  because {each}" for each in self.why]
        lines += [f"  although {each}" for each in self.why_not]
        order = [*(name for name in TITLES if name in self.sections), *self.sections]
        for name in dict.fromkeys(order):
            told = self.sections[name]
            if not told:
                continue
            lines.append(f"{name}: {TITLES[name]}" if name in TITLES else f"{name}:")
            lines += sizes_lines(told) if name == SECTION else _lines(told, "  ")
        return "\n".join(lines)


def plain(value: Any) -> Any:  # noqa: ANN401 - any value in, any JSON value out
    """Return a value as JSON: numbers rounded to six digits, days as ISO text, what is not finite as None.

    >>> plain({"score": 1.23456789, "day": date(2020, 5, 1), "none": float("nan")})
    {'score': 1.23457, 'day': '2020-05-01', 'none': None}
    """
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    number = float(value)
    return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else None


def section(**entries: Any) -> dict[str, Any]:  # noqa: ANN401 - any values
    """Return a section as JSON values, without what is unknown."""
    found = {name: plain(value) for name, value in entries.items()}
    return {name: value for name, value in found.items() if value is not None}


def _lines(told: Mapping[str, Any], indent: str) -> list[str]:
    """Return one line a value; what holds several by name of its own stands below its name."""
    lines = []
    for key, value in told.items():
        if isinstance(value, dict) and any(isinstance(each, dict | list | str) for each in value.values()):
            lines += [f"{indent}{key}:", *_lines(value, indent + "  ")]
        else:
            lines.append(f"{indent}{key}: {_words(value)}")
    return lines


def _words(value: Any) -> str:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return ", ".join(f"{name} {_words(each)}" for name, each in value.items())
    if isinstance(value, list):
        return "; ".join(_words(each) for each in value) or "none"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
