"""What lies behind places: figures over time (prices, trade) and dated events (a border closed).

    catalogue/series.json   {"series": [{"id", "quantity", "place", "unit", "points": [...]}]}
    catalogue/events.json   {"events": [{"id", "date", "kind", "text", "sources": [...]}]}

Figures that contradict one another stand side by side; a point's flag says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from geo.errors import InputError, Where
from sites.checks import refuse, require_finite, require_id, require_text
from sites.errors import CatalogueError
from sites.files import read_bounded
from sites.forms import SOURCE
from sites.geojson import load_json
from sites.members import DATE, Form, Member, choice, each, listed, number, text, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from geo.dates import Edtf
    from sites.observation import Source

T = TypeVar("T", bound="Series | Event")

SERIES_FILE = "series.json"
EVENTS_FILE = "events.json"


class Flag(StrEnum):
    """What must be known of a figure before it is used."""

    APPROXIMATE = "approximate"
    UPPER_BOUND = "upper_bound"
    LOWER_BOUND = "lower_bound"
    PRELIMINARY = "preliminary"
    ILLUSTRATIVE = "illustrative"
    AMBIGUOUS = "ambiguous"
    INCONSISTENT = "inconsistent"
    """Its source contradicts itself."""
    CONFLICT = "conflict"
    """Another source gives another figure."""
    MISPRINT_ELSEWHERE = "misprint_elsewhere"


class Happened(StrEnum):
    """Whether what was announced came to pass."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Figure:
    """One value of a series."""

    date: Edtf
    value: float
    """In the series' unit."""
    source: Source
    flag: Flag | None = None
    remark: str | None = None
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        require_finite(self.value, "value")


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity of one place over time."""

    id: str
    quantity: str
    place: str
    unit: str
    points: tuple[Figure, ...]
    """In the order of the file."""
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("id", "quantity", "place", "unit"):
            require_text(getattr(self, name), name)
        if not self.points:
            refuse("a series needs a figure", "points")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, or was announced, on a date."""

    id: str
    date: Edtf
    kind: str
    """``closure``, ``reopening``, ``sanctions``, ..."""
    text: str
    sources: tuple[Source, ...] = ()
    happened: Happened = Happened.YES
    sites: tuple[str, ...] = ()
    """Ids of the sites that it concerns."""
    notes: tuple[str, ...] = ()
    """Ids of the notes that tell it."""
    series: tuple[str, ...] = ()
    contradicts: tuple[str, ...] = ()
    """Ids of events that say otherwise."""
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        require_id(self.id)
        require_text(self.kind, "kind")
        require_text(self.text, "text")


FIGURE = Form(
    Figure,
    "a figure",
    [
        Member("date", *DATE),
        Member("value", number),
        Member("source", SOURCE.read, SOURCE.write),
        Member("flag", choice(Flag), str),
        Member("remark", text),
    ],
)

SERIES = Form(
    Series,
    "a series",
    [
        Member("id", text),
        Member("quantity", text),
        Member("place", text),
        Member("unit", text),
        Member("points", listed(FIGURE.read), each(FIGURE.write)),
    ],
)

EVENT = Form(
    Event,
    "an event",
    [
        Member("id", text),
        Member("date", *DATE),
        Member("kind", text),
        Member("text", text),
        Member("happened", choice(Happened), str),
        Member("sites", texts, list),
        Member("notes", texts, list),
        Member("series", texts, list),
        Member("contradicts", texts, list),
        Member("sources", listed(SOURCE.read), each(SOURCE.write)),
    ],
)


def read_series(folder: Path) -> tuple[Series, ...]:
    """Return the series of a catalogue folder, by id; none where there is no such file.

    Raises:
        InputError: The first fault, with its file and record.
    """
    return _read(folder / SERIES_FILE, "series", SERIES.read)


def read_events(folder: Path) -> tuple[Event, ...]:
    """Return the events of a catalogue folder, by date; none where there is no such file.

    Raises:
        InputError: The first fault, with its file and record.
    """
    found = _read(folder / EVENTS_FILE, "events", EVENT.read)
    return tuple(sorted(found, key=lambda event: (event.date.sort_key(), event.id)))


def _read(path: Path, key: str, read: Callable[[object], T]) -> tuple[T, ...]:
    if not path.exists():
        return ()
    document = load_json(read_bounded(path), str(path))
    rows = document.get(key) if isinstance(document, dict) else None
    if not isinstance(rows, list):
        raise CatalogueError(f"no list of {key}", where=Where(file=str(path), field=key))
    found = [_located(read, row, f"{key}[{position}]", path) for position, row in enumerate(rows)]
    _refuse_twice(found, path)
    return tuple(sorted(found, key=lambda each: each.id))


def _located(read: Callable[[object], T], row: object, feature: str, path: Path) -> T:
    try:
        return read(row)
    except InputError as error:
        raise error.located(file=str(path), feature=feature) from None


def _refuse_twice(found: Iterable[Series | Event], path: Path) -> None:
    seen: set[str] = set()
    for each_found in found:
        if each_found.id in seen:
            raise CatalogueError(f"the id {each_found.id!r} stands twice", where=Where(file=str(path)))
        seen.add(each_found.id)
