"""What each year brings to a place and looks like change from orbit; the facts stand in ``seasons.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True)
class Season:
    """A yearly span of days in which something is usual."""

    name: str
    start: tuple[int, int]
    """Month and day, included."""
    end: tuple[int, int]
    """Month and day, included; before `start` where the span runs over the end of the year."""
    source: str

    def holds(self, day: date) -> bool:
        """Return whether a day of any year is in the span.

        >>> from datetime import date
        >>> Season("ice", (12, 1), (3, 20), "ours").holds(date(2021, 1, 5))
        True
        """
        at = (day.month, day.day)
        if self.start <= self.end:
            return self.start <= at <= self.end
        return at >= self.start or at <= self.end


@dataclass(frozen=True, slots=True)
class Calendar:
    """The seasons of a region."""

    title: str
    bounds: tuple[float, float, float, float]
    """West, south, east, north, degrees."""
    seasons: tuple[Season, ...]

    def covers(self, lon: float, lat: float) -> bool:
        """Return whether the calendar speaks for a place."""
        west, south, east, north = self.bounds
        return west <= lon <= east and south <= lat <= north

    def season(self, name: str, day: date) -> Season | None:
        """Return the season of that name if a day is in it."""
        return next((each for each in self.seasons if each.name == name and each.holds(day)), None)


def calendar_for(lon: float, lat: float) -> Calendar | None:
    """Return the calendar that speaks for a place; None where there is none.

    >>> calendar_for(125.75, 39.02).title, calendar_for(-105.0, 40.0)
    ('Korean peninsula', None)
    """
    return next((calendar for calendar in _calendars() if calendar.covers(lon, lat)), None)


@cache
def _calendars() -> tuple[Calendar, ...]:
    document = tomllib.loads(files("imagery.change").joinpath("seasons.toml").read_text("utf-8"))
    return tuple(_calendar(entry) for _, entry in sorted(document.items()))


def _calendar(entry: dict[str, Any]) -> Calendar:
    west, south, east, north = entry["bounds"]
    seasons = tuple(
        Season(each["name"], _month_day(each["start"]), _month_day(each["end"]), each["source"])
        for each in entry["season"]
    )
    return Calendar(entry["title"], (west, south, east, north), seasons)


def _month_day(text: str) -> tuple[int, int]:
    month, day = text.split("-")
    return int(month), int(day)
