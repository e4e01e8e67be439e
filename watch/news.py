"""What is worth a word: states that are not those that were told last. Pure.

A piece of news has an id made of what it says and of how often its subject was told of before, so that the
same news has the same id whoever finds it, and a state that comes back is news again.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self
from unicodedata import category

from imagery.model import DetectionState, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from imagery.model import Detection
    from sites.model import Site
    from watch.ledger import LookOutcome
    from watch.silence import Silence

WITHDRAWN = "withdrawn"
"""State of a detection that was told of and that the ledger no longer knows."""

MAX_TITLE = 200
MAX_LINE = 500
"""Characters."""

FAILING = "failing"
WELL = "well"

_OVER = frozenset({DetectionState.RETRACTED.value, WITHDRAWN})
_TELLABLE = frozenset({DetectionState.PROBABLE, DetectionState.CONFIRMED, DetectionState.RETRACTED})


class Kind(StrEnum):
    """What a piece of news is about."""

    CHANGE = "change"
    SILENCE = "silence"
    FAILURE = "failure"
    QUIET = "quiet"
    """Nothing else was to be told for a while."""


@dataclass(frozen=True, slots=True)
class News:
    """One thing to be told, as plain values; nothing else of it is needed to write it out."""

    kind: Kind
    subject: str
    """Id of the detection, of site and note, of what fails."""
    state: str
    title: str
    """One line."""
    lines: tuple[str, ...] = ()
    """What else is to be said, a sentence each."""
    site_id: str = ""
    site_name: str = ""
    lon: float | None = None
    """Degrees."""
    lat: float | None = None
    bracket: str = ""
    """EDTF: between which days."""
    area_m2: float | None = None
    simulated: bool = False
    said_before: int = 0
    """How often the subject was told of before."""

    def __post_init__(self) -> None:
        """Cut what is too long and take control characters out: names and reasons come from anywhere."""
        object.__setattr__(self, "title", _one_line(self.title, MAX_TITLE))
        object.__setattr__(self, "lines", tuple(_one_line(line, MAX_LINE) for line in self.lines))

    @property
    def id(self) -> str:
        """From content: subject, state and how often the subject was told of."""
        content = (self.kind.value, self.subject, self.state, self.said_before)
        return f"news-{hashlib.sha256(repr(content).encode()).hexdigest()[:16]}"

    def to_json(self) -> dict[str, Any]:
        """Return the news as JSON values."""
        return {"id": self.id} | asdict(self) | {"kind": self.kind.value, "lines": list(self.lines)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        """Return the news that `to_json` wrote."""
        parts = {key: part for key, part in value.items() if key != "id"}
        return cls(**parts | {"kind": Kind(value["kind"]), "lines": tuple(value["lines"])})


@dataclass(frozen=True, slots=True)
class Trouble:
    """How something that may fail is doing."""

    subject: str
    title: str
    words: str
    """What is wrong; empty while nothing is."""
    site_id: str = ""


@dataclass(frozen=True, slots=True)
class LastWord:
    """What was last told of a subject."""

    state: str
    times: int
    news: News


def change_news(detection: Detection, site: Site, said: str, last: LastWord | None) -> News | None:
    """Return what is to be told of a detection, or None: its state is that of the last word.

    Args:
        detection: As the machine judged it.
        site: Where.
        said: What analysts said of it, in words.
        last: The last word; None where there was none. A change that nobody was told of is not taken back.
    """
    state = detection.state
    if state not in _TELLABLE or (last is not None and last.state == state.value):
        return None
    if last is None and state is DetectionState.RETRACTED:
        return None
    taken_back = state is DetectionState.RETRACTED
    head = "no longer held to be a change" if taken_back else f"{state} change"
    simulated = " (SIMULATED)" if detection.simulated else ""
    where = detection.geometry.representative_point() if not detection.geometry.is_empty else site.point
    return News(
        kind=Kind.CHANGE,
        subject=detection.id,
        state=state.value,
        title=f"{site.name}: {head}, about {detection.area_m2:,.0f} m2{simulated}",
        lines=tuple(_change_lines(detection, site, said, last)),
        site_id=site.id,
        site_name=site.name,
        lon=None if where is None else round(where.x, 5),
        lat=None if where is None else round(where.y, 5),
        bracket=detection.bracket,
        area_m2=round(detection.area_m2, 1),
        simulated=detection.simulated,
        said_before=0 if last is None else last.times,
    )


def withdrawn_news(last: LastWord) -> News:
    """Return the word that a detection which was told of is no longer made."""
    before = last.news
    return News(
        kind=Kind.CHANGE,
        subject=before.subject,
        state=WITHDRAWN,
        title=f"{before.site_name or before.site_id}: a change that was told of is withdrawn",
        lines=(
            f"It was {last.state}; judged anew, the looks no longer make it a change.",
            f"Detection {before.subject}.",
        ),
        site_id=before.site_id,
        site_name=before.site_name,
        lon=before.lon,
        lat=before.lat,
        bracket=before.bracket,
        area_m2=before.area_m2,
        simulated=before.simulated,
        said_before=last.times,
    )


def _one_line(text: str, limit: int) -> str:
    plain = "".join("\ufffd" if category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} else char for char in text)
    return plain if len(plain) <= limit else f"{plain[: limit - 3]}..."


def area_range(detection: Detection) -> str:
    """Return the range of a detection's area as it follows the area; empty where none was told."""
    if detection.area_interval_m2 is None:
        return ""
    low, high = detection.area_interval_m2
    return f" (with 90 % {low:,.0f} to {high:,.0f})"


def is_over(state: str) -> bool:
    """Whether nothing is left to be withdrawn."""
    return state in _OVER


def silence_news(silence: Silence, site: Site) -> News:
    """Return the word that nothing was seen of what a note expects."""
    expected = silence.expects.replace("_", " ")
    who = f"The note {silence.note_id} of {silence.noted} expects" if silence.note_id else "Its rules expect"
    after = "after it" if silence.note_id else f"after {silence.since}"
    words = (
        f"{who} {expected}; none of {silence.judged} looks {after} that could be judged, the last on "
        f"{silence.last_judged}, came to a detection."
    )
    return News(
        kind=Kind.SILENCE,
        # What a site's rules expect is expected anew after every detection.
        subject=f"{silence.site_id}/{silence.note_id or silence.since}",
        state="silent",
        title=f"{site.name}: expected {expected} is not seen",
        lines=(
            words,
            "What is too small, under a roof or like its ground stays unseen.",
        ),
        site_id=site.id,
        site_name=site.name,
        lon=None if site.point is None else round(site.point.x, 5),
        lat=None if site.point is None else round(site.point.y, 5),
    )


def trouble_news(trouble: Trouble, last: LastWord | None) -> News | None:
    """Return the word that something fails, or works again; None where that was the last word."""
    known = WELL if last is None else last.state
    state = FAILING if trouble.words else WELL
    if state == known:
        return None
    return News(
        kind=Kind.FAILURE,
        subject=trouble.subject,
        state=state,
        title=f"{trouble.title}: {'failing' if trouble.words else 'works again'}",
        lines=(trouble.words,) if trouble.words else (),
        site_id=trouble.site_id,
        site_name=trouble.title if trouble.site_id else "",
        said_before=0 if last is None else last.times,
    )


def look_troubles(looks: Iterable[LookOutcome], sites: Mapping[str, Site]) -> tuple[Trouble, ...]:
    """Return how the latest looks of each site and series went.

    Args:
        looks: Of some days, by site and day.
        sites: Those that count, by id.
    """
    last = {(look.site_id, look.series): look for look in looks if look.site_id in sites}
    return tuple(
        Trouble(
            subject=f"{look.site_id}/{look.series}",
            title=sites[look.site_id].name,
            words=f"The image of {look.solar_day} ({look.series}) can't be looked at: {look.reason}"
            if look.outcome is Outcome.FAILED
            else "",
            site_id=look.site_id,
        )
        for look in last.values()
    )


def _change_lines(detection: Detection, site: Site, said: str, last: LastWord | None) -> Iterable[str]:
    days = f"{detection.last_without} (last clear look without it) and {detection.first_with} (first with it)"
    yield f"Between {days}."
    if detection.date_interval_90:
        yield f"With 90 % between {detection.date_interval_90.replace('/', ' and ')}."
    yield f"How big: about {detection.area_m2:,.0f} m2{area_range(detection)}."
    p_value = "no p-value yet" if detection.p_value is None else f"p = {detection.p_value:.2g}"
    yield (
        f"How sure: {detection.state}, seen on {detection.looks_with} clear looks, {detection.magnitude:.1f} "
        f"times its threshold, {p_value}."
    )
    if detection.kind:
        yield f"Looks like: {detection.kind}."
    yield from (f"But note: {flag}." for flag in detection.flags)
    if last is not None:
        yield f"It was told as {last.state} before."
    if site.point is not None:
        place = ", ".join(part for part in (site.province, site.country) if part)
        yield f"Where: {site.point.y:.5f}, {site.point.x:.5f} (lat, lon){'; ' + place if place else ''}."
    if said:
        yield f"Analysts: {said}."
    yield f"sitewatch review show {detection.id}"
