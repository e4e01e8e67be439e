"""Dated notes and what they rest on: sources with their grades, measurements, media, evidence.

A note is never rewritten: a later one `supersedes` it, and reports that contradict one another
stand side by side and say so.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from sites.checks import (
    allow_texts,
    refuse,
    require_finite,
    require_id,
    require_text,
    require_web_address,
    shown,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geo.dates import Edtf

RELIABILITY_GRADES = frozenset("ABCDEF")
"""Admiralty scale, the source: A completely reliable ... E unreliable, F cannot be judged."""

CREDIBILITY_GRADES = frozenset("123456")
"""Admiralty scale, the information: 1 confirmed ... 5 improbable, 6 cannot be judged."""

_SHA256 = re.compile(r"[0-9a-f]{64}")


class ObservationKind(StrEnum):
    """How the observer came to know."""

    IMAGERY = "imagery"
    REPORT = "report"
    STATISTIC = "statistic"
    VISIT = "visit"
    DETECTION = "detection"


class Expectation(StrEnum):
    """What a reported event should look like from above, if it is true."""

    CONSTRUCTION = "construction"
    DEMOLITION = "demolition"
    MORE_ACTIVITY = "more_activity"
    LESS_ACTIVITY = "less_activity"
    CLOSED = "closed"
    REOPENED = "reopened"


class Qualifier(StrEnum):
    """How surely the measured things are what they are taken for."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"
    POSSIBLE = "possible"


class Likelihood(StrEnum):
    """How likely a judgement is; one row of words of ICD 203, section D.6.e(2)(a)."""

    ALMOST_NO_CHANCE = "almost_no_chance"
    VERY_UNLIKELY = "very_unlikely"
    UNLIKELY = "unlikely"
    ROUGHLY_EVEN_CHANCE = "roughly_even_chance"
    LIKELY = "likely"
    VERY_LIKELY = "very_likely"
    ALMOST_CERTAIN = "almost_certain"


class Confidence(StrEnum):
    """How good the basis of a judgement is; ICD 203 keeps it apart from likelihood."""

    LOW = "low"
    MODERATE = "moderate"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement comes from."""

    outlet: str
    """Newspaper, institute, agency, archive or person."""
    title: str | None = None
    author: str | None = None
    published: Edtf | None = None
    language: str | None = None
    """BCP 47 tag: ``ko``, ``en``."""
    url: str | None = None
    archive_url: str | None = None
    reliability: str | None = None
    """Grade of the source, `RELIABILITY_GRADES`; None when nobody gave one."""
    credibility: str | None = None
    """Grade of this information, `CREDIBILITY_GRADES`; None when nobody gave one."""
    specificity: str | None = None
    """Code of the KDI interview for state-media reports on enterprises."""
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Members of the file that are not ours; they are written back."""

    def __post_init__(self) -> None:
        require_text(self.outlet, "outlet")
        texts = (self.title, self.author, self.language, self.specificity)
        allow_texts(texts, ("title", "author", "language", "specificity"))
        require_web_address(self.url, "url")
        require_web_address(self.archive_url, "archive_url")
        if self.reliability is not None and self.reliability not in RELIABILITY_GRADES:
            refuse(f"{shown(self.reliability)} is no grade of a source", "reliability", "Write A to F")
        if self.credibility is not None and self.credibility not in CREDIBILITY_GRADES:
            refuse(f"{shown(self.credibility)} is no grade of information", "credibility", "Write 1 to 6")


@dataclass(frozen=True, slots=True)
class Measurement:
    """A size or a count, with how sure it is."""

    quantity: str
    """What was measured: ``footprint``, ``railcars``, ``stalls``."""
    unit: str
    """``m``, ``m2``, ``railcars``."""
    value: float | tuple[float, ...] | None = None
    """One number, the sides of a thing (``(17, 12)``), or None where only `low` and `high` are known."""
    qualifier: Qualifier | None = None
    low: float | None = None
    """Lower end of a count range, in `unit`."""
    high: float | None = None
    """Upper end, in `unit`."""
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        require_text(self.quantity, "quantity")
        require_text(self.unit, "unit")
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        for value in values:
            require_finite(value, "value")
        require_finite(self.low, "low")
        require_finite(self.high, "high")
        if self.value is None and self.low is None and self.high is None:
            refuse("a measurement needs a value, or low and high", "value")
        if self.low is not None and self.high is not None and self.low > self.high:
            refuse(f"the range runs backwards: {self.low} to {self.high}", "low")


@dataclass(frozen=True, slots=True)
class Media:
    """A screenshot, photograph or document that shows what a note says."""

    file: str | None = None
    """Path inside the workspace, with forward slashes."""
    url: str | None = None
    caption: str | None = None
    date: Edtf | None = None
    """When the image was taken, not when it was found."""
    credit: str | None = None
    licence: str | None = None
    sha256: str | None = None
    private: bool = False
    """True: never published."""
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.file is None and self.url is None:
            refuse("media need a file or an address", "file")
        _require_inner_path(self.file)
        require_web_address(self.url, "url")
        allow_texts((self.caption, self.credit, self.licence), ("caption", "credit", "licence"))
        if self.sha256 is not None and not _SHA256.fullmatch(self.sha256):
            refuse(f"{shown(self.sha256)} is not a SHA-256 digest", "sha256", "64 digits, 0-9 and a-f")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A look, chip or detection of ours that a note rests on."""

    kind: str
    """``look``, ``chip`` or ``detection``."""
    ref: str
    """Its id."""
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if self.kind not in {"look", "chip", "detection"}:
            refuse(f"{shown(self.kind)} is no kind of evidence", "kind", "Write look, chip or detection")
        require_text(self.ref, "ref")


@dataclass(frozen=True, slots=True)
class Observation:
    """A dated note on a site, a province or a topic."""

    id: str
    """Unique within its site; `derived_id` where the writer gave none."""
    date: Edtf
    """As written; an interval stays an interval."""
    text: str
    kind: ObservationKind = ObservationKind.REPORT
    author: str | None = None
    """Who wrote the note (not who wrote its sources)."""
    expects: Expectation | None = None
    """What should be visible; None for what leaves no trace."""
    measurement: Measurement | None = None
    obscured_by: str | None = None
    """What hid a part of it: roofs, tarpaulins, cloud."""
    likelihood: Likelihood | None = None
    confidence: Confidence | None = None
    supersedes: str | None = None
    """Id of the earlier note that this one replaces; the earlier one stays."""
    contradicts: tuple[str, ...] = ()
    """Ids of notes that say otherwise."""
    sources: tuple[Source, ...] = ()
    media: tuple[Media, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    private: bool = False
    """True: not for readers. Profiles of publication leave it out, and every note that it replaces."""
    foreign: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        require_id(self.id)
        require_text(self.text, "text")
        allow_texts((self.author, self.obscured_by), ("author", "obscured_by"))
        if self.supersedes == self.id or self.id in self.contradicts:
            refuse(f"note {self.id!r} speaks of itself", "supersedes")

    def _repr_html_(self) -> str:
        from sites.reprs import observation_html  # noqa: PLC0415 - only notebooks ask

        return observation_html(self)


def derived_id(date: str, text: str) -> str:
    """Return the id of a note that came without one: the same words on the same date, the same id.

    >>> derived_id("2016", "A market.")
    'note-b889ec7d30'
    """
    digest = hashlib.blake2b(f"{date}\n{text}".encode(), digest_size=5).hexdigest()
    return f"note-{digest}"


def _require_inner_path(path: str | None) -> None:
    if path is None:
        return
    require_text(path, "file")
    parts = path.split("/")
    if "\\" in path or ":" in path or path.startswith("/") or ".." in parts:
        refuse(f"{shown(path)} leads out of the workspace", "file", "Give a path inside it, with '/'")
