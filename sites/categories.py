"""The kinds of site, and how much ground around a bare point each is watched over."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from sites.checks import nearest, refuse, shown

if TYPE_CHECKING:
    from collections.abc import Mapping


class Category(StrEnum):
    """What kind of place a site is."""

    MARKET = "market"
    BRIDGE = "bridge"
    CUSTOMS = "customs"
    FACTORY = "factory"
    POWER_STATION = "power_station"
    MINE = "mine"
    PORT = "port"
    RAIL = "rail"
    SEZ = "sez"
    """Special economic zone."""
    QUARANTINE = "quarantine"
    STORAGE = "storage"
    BORDER_CROSSING = "border_crossing"
    AIRFIELD = "airfield"
    OTHER = "other"


# The analyst's convention, not a measurement: the half side of a square that holds a typical site of
# the kind when its point lies near the middle. A footprint drawn by hand always overrides it.
HALF_WIDTH_M: Mapping[Category, float] = MappingProxyType(
    {
        Category.MARKET: 150.0,
        Category.BRIDGE: 500.0,
        Category.CUSTOMS: 250.0,
        Category.FACTORY: 400.0,
        Category.POWER_STATION: 400.0,
        Category.MINE: 800.0,
        Category.PORT: 600.0,
        Category.RAIL: 400.0,
        Category.SEZ: 1000.0,
        Category.QUARANTINE: 300.0,
        Category.STORAGE: 250.0,
        Category.BORDER_CROSSING: 250.0,
        Category.AIRFIELD: 1000.0,
        Category.OTHER: 300.0,
    }
)

_SYNONYMS: Mapping[str, Category] = MappingProxyType(
    {
        "border": Category.BORDER_CROSSING,
        "checkpoint": Category.BORDER_CROSSING,
        "customs house": Category.CUSTOMS,
        "airport": Category.AIRFIELD,
        "harbour": Category.PORT,
        "jangmadang": Category.MARKET,
        "plant": Category.FACTORY,
        "power plant": Category.POWER_STATION,
        "railway": Category.RAIL,
        "special economic zone": Category.SEZ,
        "station": Category.RAIL,
        "warehouse": Category.STORAGE,
    }
)


def parse_category(text: object) -> Category:
    """Return the category of this name.

    Raises:
        SiteError: There is none; the hint names the nearest.
    """
    if isinstance(text, str):
        try:
            return Category(text)
        except ValueError:
            refuse(f"unknown category {shown(text)}", "", _category_hint(text))
    return refuse(f"a category is a text, not {shown(text)}", "", _category_hint(""))


def _category_hint(text: str) -> str:
    word = text.strip().casefold().replace("_", " ")
    guess = _SYNONYMS.get(word) or nearest(word.replace(" ", "_"), [str(item) for item in Category])
    offer = f"Did you mean '{guess}'? " if guess else ""
    return f"{offer}Known: {', '.join(Category)}"
