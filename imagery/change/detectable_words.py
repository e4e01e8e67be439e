"""How small a building would have been seen, as values, as words, and as a section of a look's card.

Nothing here computes over pixels, so reading what a ledger holds costs no compiler.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from imagery.model import Look

ROOF_WORDS = "a bright roof (red +0.15, nir +0.10)"

SECTION = "detectable"
"""Name of the section of a card."""

TOLD_LOOKS = 4
"""Clear looks for which a look's reason tells the sizes."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The smallest side that is seen with a probability."""

    side_m: float
    """Infinite when no size that was tried is seen so often."""
    low_m: float
    """Lower end of the 95 % interval."""
    high_m: float
    """Its upper end; infinite when it can't be told from never."""
    at_most: bool
    """The smallest size tried is already seen so often: the true figure may be smaller."""


@dataclass(frozen=True, slots=True)
class Detectable:
    """How often planted squares were seen within a number of clear looks."""

    looks: int
    """Clear looks with the building."""
    sides_m: tuple[float, ...]
    shares: tuple[float, ...]
    """Of each side, 0 to 1; never falls."""
    trials: int
    """Of each side."""
    half: Seen
    """With probability 0.5."""
    nine: Seen
    """With probability 0.9."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """What a card says of one number of clear looks."""

    looks: int
    what: str
    """The thing and its contrast."""
    half_m: float
    """Side that is seen with probability 0.5; infinite when none that was tried is."""
    nine_m: float
    """The same with probability 0.9."""


def size_words(seen: Seen, sides_m: Sequence[float]) -> str:
    """Return a size in words: ``22 m``, ``10 m or less``, ``more than 80 m``."""
    if math.isinf(seen.side_m):
        return f"more than {sides_m[-1]:g} m"
    return f"{seen.side_m:.0f} m or less" if seen.at_most else f"{seen.side_m:.0f} m"


def detectable_words(told: Detectable, what: str = ROOF_WORDS) -> str:
    """Return down to which size a building would have been seen, with its probabilities.

    >>> half, nine = Seen(16.2, 15.0, 18.0, False), Seen(math.inf, 70.0, math.inf, False)
    >>> detectable_words(Detectable(4, (10.0, 80.0), (0.3, 0.6), 96, half, nine))
    'down to more than 80 m (0.9) / 16 m (0.5) of a bright roof (red +0.15, nir +0.10) in 4 clear looks'
    """
    half, nine = (size_words(each, told.sides_m) for each in (told.half, told.nine))
    return _in_words(half, nine, what, told.looks)


def sizes_words(sizes: Sizes) -> str:
    """Return sizes that were read from a card, in words.

    >>> sizes_words(Sizes(4, "a bright roof", 16.2, math.inf))
    'down to more than was tried (0.9) / 16 m (0.5) of a bright roof in 4 clear looks'
    """
    half, nine = (
        "more than was tried" if math.isinf(side) else f"{side:.0f} m"
        for side in (sizes.half_m, sizes.nine_m)
    )
    return _in_words(half, nine, sizes.what, sizes.looks)


def _in_words(half: str, nine: str, what: str, looks: int) -> str:
    times = "1 clear look" if looks == 1 else f"{looks} clear looks"
    return f"down to {nine} (0.9) / {half} (0.5) of {what} in {times}"


def told_section(told: Sequence[Detectable], what: str = ROOF_WORDS) -> dict[str, Any]:
    """Return the sizes as a section of a card; `sizes_in` reads it."""
    if not told:
        return {}
    return {
        "what": what,
        "trials": told[0].trials,
        "sides_m": list(told[0].sides_m),
        "looks": {str(each.looks): _numbers(each) for each in told},
    }


def _numbers(told: Detectable) -> dict[str, Any]:
    shares = [round(each, 3) for each in told.shares]
    return {"half": _entry(told.half), "nine": _entry(told.nine), "shares": shares}


def _entry(seen: Seen) -> dict[str, float | bool | None]:
    """Return a size in JSON; what is infinite is null."""
    sides = {"side_m": seen.side_m, "low_m": seen.low_m, "high_m": seen.high_m}
    found: dict[str, float | bool | None] = {
        name: None if math.isinf(side) else round(side, 1) for name, side in sides.items()
    }
    return found | {"at_most": seen.at_most}


def sizes_of(look: Look, looks: int = TOLD_LOOKS) -> Sizes | None:
    """Return the sizes that a look tells; None where it has no card, or one that tells none."""
    return None if look.card is None else sizes_in(look.card.sections.get(SECTION), looks)


def sizes_in(section: Mapping[str, Any] | None, looks: int = TOLD_LOOKS) -> Sizes | None:
    """Return the sizes that a section tells for a number of clear looks; None where it tells none.

    >>> sizes_in({}) is None
    True
    """
    entry = ((section or {}).get("looks") or {}).get(str(looks))
    if section is None or entry is None:
        return None
    half, nine = (entry[name]["side_m"] for name in ("half", "nine"))
    return Sizes(
        looks=looks,
        what=str(section["what"]),
        half_m=math.inf if half is None else float(half),
        nine_m=math.inf if nine is None else float(nine),
    )


def sizes_lines(section: Mapping[str, Any]) -> list[str]:
    r"""Return the section as lines of text.

    >>> none = {"side_m": None, "low_m": None, "high_m": None, "at_most": False}
    >>> half = {"side_m": 16.2, "low_m": 15.0, "high_m": 18.4, "at_most": False}
    >>> entry = {"half": half, "nine": none, "shares": [0.3, 0.6]}
    >>> told = {"what": "a roof", "trials": 96, "sides_m": [10.0, 80.0], "looks": {"4": entry}}
    >>> print("\n".join(sizes_lines(told)))
      what: a roof; 96 trials of each size
      in 4 clear looks: half of them from 16 m on (15 to 18), nine in ten at no size tried
        seen: 10 m 0.30, 80 m 0.60
    """
    lines = [f"  what: {section['what']}; {section['trials']} trials of each size"]
    for looks, entry in section["looks"].items():
        half, nine = (_side_words(entry[name]) for name in ("half", "nine"))
        shares = zip(section["sides_m"], entry["shares"], strict=True)
        times = "1 clear look" if looks == "1" else f"{looks} clear looks"
        lines.append(f"  in {times}: half of them {half}, nine in ten {nine}")
        lines.append("    seen: " + ", ".join(f"{side:g} m {share:.2f}" for side, share in shares))
    return lines


def _side_words(entry: Mapping[str, Any]) -> str:
    if entry["side_m"] is None:
        return "at no size tried"
    low, high = (
        f"{each:.0f}" if each is not None else "more than was tried"
        for each in (entry["low_m"], entry["high_m"])
    )
    sign = "(the smallest tried) " if entry["at_most"] else ""
    return f"from {entry['side_m']:.0f} m on {sign}({low} to {high})"
