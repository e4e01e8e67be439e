"""How each category of site looks on a map: a shape and a colour of its own.

Shapes tell the categories apart without any colour. The colours are those of Okabe and Ito (Color
Universal Design, 2008), which stay apart under the common kinds of colour blindness.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from sites.categories import Category

if TYPE_CHECKING:
    from collections.abc import Mapping

_ORANGE, _SKY, _GREEN, _YELLOW = "#e69f00", "#56b4e9", "#009e73", "#f0e442"
_BLUE, _VERMILION, _PURPLE, _INK, _GREY = "#0072b2", "#d55e00", "#cc79a7", "#2b2f31", "#8a9499"

_SQUARE = "M4 4H20V20H4Z"
_DIAMOND = "M12 1.5L22.5 12L12 22.5L1.5 12Z"
_CIRCLE = "M12 3A9 9 0 1 1 12 21A9 9 0 1 1 12 3Z"


@dataclass(frozen=True, slots=True)
class Symbol:
    """One category's sign."""

    label: str
    colour: str
    """``#rrggbb``."""
    path: str
    """SVG path data in a box of 24 by 24."""


SYMBOLS: Mapping[Category, Symbol] = MappingProxyType(
    {
        Category.MARKET: Symbol("Market", _ORANGE, _CIRCLE),
        Category.FACTORY: Symbol("Factory", _VERMILION, _SQUARE),
        Category.POWER_STATION: Symbol("Power station", _YELLOW, "M14 1L4 14H11L9 23L20 9H13Z"),
        Category.MINE: Symbol("Mine", _INK, "M2 5H22L12 22.5Z"),
        Category.BRIDGE: Symbol("Bridge", _BLUE, "M1.5 8H22.5V19H17A5 5 0 0 0 7 19H1.5Z"),
        Category.CUSTOMS: Symbol("Customs house", _PURPLE, _DIAMOND),
        Category.BORDER_CROSSING: Symbol("Border crossing", _SKY, _DIAMOND),
        Category.PORT: Symbol("Port", _BLUE, "M1.5 11H22.5A10.5 10.5 0 0 1 1.5 11ZM10.5 2H13.5V11H10.5Z"),
        Category.RAIL: Symbol("Railway", _INK, "M2 6H22V10H2ZM2 14H22V18H2ZM5 3H9V21H5ZM15 3H19V21H15Z"),
        Category.SEZ: Symbol("Special economic zone", _GREEN, "M12 1.5L21.5 6.8V17.2L12 22.5L2.5 17.2V6.8Z"),
        Category.QUARANTINE: Symbol(
            "Quarantine", _PURPLE, "M8.5 2H15.5V8.5H22V15.5H15.5V22H8.5V15.5H2V8.5H8.5Z"
        ),
        Category.STORAGE: Symbol("Storage", _GREEN, "M2.5 10L12 3L21.5 10V21H2.5Z"),
        Category.AIRFIELD: Symbol("Airfield", _SKY, "M12 1.5L22.5 21.5L12 16.5L1.5 21.5Z"),
        Category.OTHER: Symbol("Other", _GREY, "M12 6A6 6 0 1 1 12 18A6 6 0 1 1 12 6Z"),
    }
)
