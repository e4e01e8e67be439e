"""A site: where it is, what it was called and when, how it is watched, what is noted about it.

Geometries are shapely objects in ``lon, lat`` degrees (WGS 84, RFC 7946). Values are frozen and
checked where they are made; a change is a new value (`sites.editing`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from shapely.geometry import LineString, MultiPolygon, Point, Polygon

from sites.checks import (
    allow_texts,
    refuse,
    require_finite,
    require_id,
    require_positive,
    require_text,
)
from sites.shapes import check_geometry, representative_point
from sites.watching import WatchMode, watch_reason, watched_area, watching_mode

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import timedelta

    from geo.dates import Edtf
    from sites.categories import Category
    from sites.observation import Expectation, Observation, Source

SiteGeometry = Point | LineString | Polygon | MultiPolygon
"""What can say where a site is."""

ENTERPRISE_GRADES = ("special", "1", "2", "3", "4", "5", "6", "7", "local")
"""Grades of state enterprises, largest first; ``local`` is run by a province or county."""


@dataclass(frozen=True, slots=True)
class Name:
    """One name of a site."""

    text: str
    language: str | None = None
    """BCP 47 tag: ``ko``, ``ko-Latn``, ``zh``, ``en``."""
    script: str | None = None
    """ISO 15924 code where the language tag does not say it: ``Hang``, ``Latn``."""
    scheme: str | None = None
    """Romanisation: ``McCune-Reischauer``, ``Revised``, ..."""
    span: Edtf | None = None
    """When it was in use; None when not known."""
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Members of the file that are not ours; they are written back."""

    def __post_init__(self) -> None:
        require_text(self.text, "text")
        allow_texts((self.language, self.script, self.scheme), ("language", "script", "scheme"))


@dataclass(frozen=True, slots=True)
class Attribute:
    """A number about a site: stalls, floor area, capacity."""

    quantity: str
    value: float
    unit: str
    date: Edtf | None = None
    """When it held."""
    source: Source | None = None
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        require_text(self.quantity, "quantity")
        require_text(self.unit, "unit")
        require_finite(self.value, "value")


@dataclass(frozen=True, slots=True)
class Relation:
    """How a site stands to another one."""

    kind: str
    """``crosses``, ``served_by``, ``part_of``, ``replaced_by``, ..."""
    site: str
    """Id of the other site."""
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        require_text(self.kind, "kind")
        require_id(self.site, "site")


@dataclass(frozen=True, slots=True)
class Placement:
    """Where a site was believed to be before it was placed anew."""

    geometry: SiteGeometry | None = None
    footprint: SiteGeometry | None = None
    accuracy_m: float | None = None
    source: str | None = None
    licence: str | None = None
    until: Edtf | None = None
    """When the next placement replaced it."""
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        check_geometry(self.geometry, "geometry")
        check_geometry(self.footprint, "footprint")
        require_positive(self.accuracy_m, "accuracy_m")
        allow_texts((self.source, self.licence), ("source", "licence"))


PRIORITIES = range(1, 10)
USUAL_PRIORITY = 5


@dataclass(frozen=True, slots=True)
class WatchRules:
    """How one site is watched, where it differs from the workspace's settings."""

    cadence: timedelta | None = None
    """A look is due this long after the last one."""
    priority: int | None = None
    """Who comes first when not all can be looked at: 1 before 9; 5 when nothing is said."""
    min_area_m2: float | None = None
    """Changes smaller than this are not reported."""
    context_m: float | None = None
    """Ground kept around the footprint on each side."""
    detectors: tuple[str, ...] = ()
    expects: Expectation | None = None
    """What should be seen here again and again; when it is not, that is told."""
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.cadence is not None and self.cadence.total_seconds() <= 0:
            refuse(f"a cadence of {self.cadence} is not above zero", "cadence")
        if self.priority is not None and self.priority not in PRIORITIES:
            refuse(f"a priority of {self.priority} is not one of 1 (first) to 9 (last)", "priority")
        require_positive(self.min_area_m2, "min_area_m2")
        require_positive(self.context_m, "context_m")
        for detector in self.detectors:
            require_text(detector, "detectors")


_BY_THE_SETTINGS = WatchRules()  # one for all sites that say nothing of their own


@dataclass(frozen=True, slots=True)
class Retirement:
    """Since when, and why, a site is no longer watched."""

    date: Edtf
    reason: str
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        require_text(self.reason, "reason")


@dataclass(frozen=True, slots=True)
class Site:
    """A place in the catalogue."""

    id: str
    names: tuple[Name, ...]
    """The first is the one that is shown; at least one."""
    category: Category
    geometry: SiteGeometry | None = None
    """None: known, but not placed."""
    subtype: str | None = None
    description: str | None = None
    province: str | None = None
    county: str | None = None
    country: str | None = None
    """ISO 3166-1 alpha-3 where there is one: ``PRK``."""
    operator: str | None = None
    grade: str | None = None
    """One of `ENTERPRISE_GRADES`."""
    complex: str | None = None
    """The larger works it belongs to."""
    footprint: LineString | Polygon | MultiPolygon | None = None
    """Outline (or course) drawn by hand, where `geometry` is only a point."""
    coordinate_accuracy_m: float | None = None
    """Radius in which the true place lies; None when nobody said."""
    coordinate_source: str | None = None
    coordinate_licence: str | None = None
    placements: tuple[Placement, ...] = ()
    """Earlier places, oldest first."""
    opened: Edtf | None = None
    closed: Edtf | None = None
    relations: tuple[Relation, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    former_ids: tuple[str, ...] = ()
    """Ids it had before; the ledger finds the site by any of them."""
    watch: WatchRules = _BY_THE_SETTINGS
    retired: Retirement | None = None
    observations: Sequence[Observation] = ()
    """In the order of the file; nothing is ever removed. Made when looked at (`sites.deferred`)."""
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Properties of the file that are not ours; they are written back."""
    feature_foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """The same for members beside ``properties`` (RFC 7946, section 6.1)."""

    @property
    def first_id(self) -> str:
        """The id that it had first; a name that follows from it stays when the site is renamed."""
        return self.former_ids[0] if self.former_ids else self.id

    def __post_init__(self) -> None:
        require_id(self.id)
        if not self.names:
            refuse("a site needs a name", "name")
        self._check_texts()
        check_geometry(self.geometry, "geometry")
        check_geometry(self.footprint, "footprint")
        if isinstance(self.footprint, Point):
            refuse("a footprint is a polygon or a line, not a point", "footprint")
        require_positive(self.coordinate_accuracy_m, "coordinate_accuracy_m")
        for position, former in enumerate(self.former_ids):
            require_id(former, f"former_ids[{position}]")
        self._check_notes()

    def _check_texts(self) -> None:
        allow_texts(_texts_of(self), _TEXTS)
        if self.grade is not None and self.grade not in ENTERPRISE_GRADES:
            refuse(f"unknown grade {self.grade!r}", "grade", f"Known: {', '.join(ENTERPRISE_GRADES)}")

    def _check_notes(self) -> None:
        if not isinstance(self.observations, tuple):
            return  # deferred, and found distinct by the reader
        seen: set[str] = set()
        for position, note in enumerate(self.observations):
            if note.id in seen:
                hint = "Two notes that say the same on the same date are one; else give them ids"
                refuse(f"note {note.id!r} stands twice", f"observations[{position}].id", hint)
            seen.add(note.id)

    @property
    def name(self) -> str:
        """The name that is shown."""
        return self.names[0].text

    @property
    def point(self) -> Point | None:
        """One point for the whole site, inside it; None when it is not placed."""
        return representative_point(self.footprint if self.geometry is None else self.geometry)

    @property
    def watch_mode(self) -> WatchMode:
        """Over what it is watched, or why it is not."""
        return watching_mode(self)

    @property
    def watch_reason(self) -> str:
        """`watch_mode` in words, with its numbers."""
        return watch_reason(self)

    @property
    def is_watched(self) -> bool:
        """Whether a run looks at it at all."""
        return self.watch_mode.is_watched

    @property
    def area(self) -> Polygon | MultiPolygon | None:
        """The ground that a look judges, ``lon, lat``; None when it is not placed."""
        return watched_area(self)

    def _repr_html_(self) -> str:
        from sites.reprs import site_html  # noqa: PLC0415 - only notebooks ask

        return site_html(self)


_TEXTS = (
    "subtype",
    "description",
    "province",
    "county",
    "country",
    "operator",
    "complex",
    "coordinate_source",
    "coordinate_licence",
)
_texts_of = attrgetter(*_TEXTS)


@dataclass(frozen=True, slots=True)
class Subject:
    """What notes can be about when they are not about a place: a province or a topic."""

    id: str
    kind: str
    """``province`` or ``topic``."""
    name: str
    observations: Sequence[Observation] = ()
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)
    feature_foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        require_id(self.id)
        if self.kind not in {"province", "topic"}:
            refuse(f"unknown subject {self.kind!r}", "subject", "Write province or topic")
        require_text(self.name, "subject")
