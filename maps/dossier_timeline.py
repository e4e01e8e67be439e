"""Notes, looks and detections of one site along one line of time, drawn for paper as well.

A date is drawn by what it says: a day as a dot, a month or a year as a bar, an interval as a bar that fades
towards both ends, because it only says between which days something was. What is approximate or uncertain has
a broken outline, what is open an arrow.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from geo.datebounds import Precision
from imagery.model import DetectionState, Outcome
from maps.markup import NOTHING, Markup, el, joined
from maps.timeline import note_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from geo.dates import Edtf
    from imagery.model import Detection
    from maps.view import SiteEntry

_WIDTH, _LEFT, _RIGHT = 960, 96, 12
_LANE, _ROW, _TOP = 11, 26, 10
_MOST_LANES = 24
_FEWEST_PX = 5.0
_APART_PX = 3.0
_MOST_TICKS = 10
_CLEAR = frozenset({Outcome.UNCHANGED, Outcome.CHANGED, Outcome.LEARNING})
_FADING = frozenset({Precision.INTERVAL, Precision.PARTIAL, Precision.ONE_OF})
_LOOKS = (("judged or learnt from", "seen"), ("obscured or failed", "unseen-look"))


@dataclass(frozen=True, slots=True)
class _Scale:
    first: int
    """Ordinal day of the left edge."""
    last: int

    @classmethod
    def around(cls, days: list[date]) -> _Scale:
        low, high = min(days), max(days)
        return cls(date(low.year, 1, 1).toordinal(), date(high.year, 12, 31).toordinal() + 1)

    def x(self, day: date) -> float:
        return self.at(day.toordinal())

    def at(self, ordinal: float) -> float:
        return _LEFT + (ordinal - self.first) / (self.last - self.first) * (_WIDTH - _LEFT - _RIGHT)

    def years(self) -> range:
        first, last = date.fromordinal(self.first).year, date.fromordinal(self.last - 1).year
        step = next(
            each for each in (1, 2, 5, 10, 20, 50, 100, 500, 1000) if (last - first) / each <= _MOST_TICKS
        )
        return range(-(-first // step) * step, last + 1, step)


def timeline_section(entry: SiteEntry) -> Markup:
    """Return notes, looks and detections along one line; nothing where fewer than two days are known."""
    days = _days(entry)
    if len(set(days)) < 2:  # noqa: PLR2004 - one day makes no line
        return NOTHING
    scale = _Scale.around(days)
    lanes = _lanes(entry, scale)
    rows: list[Markup] = []
    top = _TOP
    if lanes:
        rows += [_label("Notes", top + 8), *_notes(lanes, top)]
        top += _LANE * (max(lane for lane, *_ in lanes) + 1) + 14
    if entry.looks:
        rows += [_label("Looks", top + 12), *_looks(entry, scale, top)]
        top += _ROW
    live = [each for each in entry.detections if each.state is not DetectionState.RETRACTED]
    if live:
        rows += [_label("Detections", top + 11), *(_bracket(each, scale, top) for each in live)]
        top += _ROW
    drawing = el(
        "svg",
        _fade(),
        *_years(scale, top),
        *rows,
        viewBox=f"0 0 {_WIDTH} {top + 22}",
        role="img",
        aria_label=_told(entry, live),
        class_="timeline",
    )
    frame = el("div", drawing, class_="table-frame", tabindex="0", role="region", aria_label="Timeline")
    told = (
        "Dots are days, bars longer dates; what fades is somewhere between its ends, what is dashed is "
        "approximate or uncertain. Looks above the line saw the ground, those below it did not."
    )
    title = el("h2", "Through time", id="time-title")
    return el("section", title, frame, el("p", told, class_="fine"), aria_labelledby="time-title")


def _told(entry: SiteEntry, live: list[Detection]) -> str:
    parts = (
        f"{len(entry.site.observations)} notes" if entry.site.observations else "",
        f"{len(entry.looks)} looks" if entry.looks else "",
        f"{len(live)} detections" if live else "",
    )
    return f"Along one line of time: {', '.join(part for part in parts if part)}; all stand below in words"


def _days(entry: SiteEntry) -> list[date]:
    found = [day for note in entry.site.observations for day in (note.date.earliest, note.date.latest) if day]
    found += [look.solar_day for look in entry.looks]
    return found + [day for each in entry.detections for day in (each.last_without, each.first_with)]


def _lanes(entry: SiteEntry, scale: _Scale) -> list[tuple[int, float, float, Edtf]]:
    """Return lane, left and right edge of each dated note; what would overlap gets a lane of its own."""
    ends: list[float] = []
    placed = []
    for note in sorted(entry.site.observations, key=note_order):
        if note.date.earliest is None and note.date.latest is None:
            continue
        left = _LEFT if note.date.earliest is None else scale.x(note.date.earliest)
        right = _WIDTH - _RIGHT if note.date.latest is None else scale.at(note.date.latest.toordinal() + 1)
        right = max(right, left + _FEWEST_PX)
        lane = next((place for place, end in enumerate(ends) if end + _APART_PX <= left), len(ends))
        if lane == len(ends):
            ends.append(right)
        ends[lane] = right
        placed.append((lane % _MOST_LANES, left, right, note.date))
    return placed


def _notes(lanes: list[tuple[int, float, float, Edtf]], top: int) -> Iterator[Markup]:
    for lane, left, right, when in lanes:
        y = top + lane * _LANE
        kind = "when soft" if when.precision in _FADING else "when"
        broken = " vague" if when.approximate or when.uncertain else ""
        title = el("title", when.text)
        if when.precision is Precision.DAY:
            yield el("circle", title, cx=f"{(left + right) / 2:.1f}", cy=y + 4, r=4, class_=f"when{broken}")
        else:
            place = {"x": f"{left:.1f}", "y": f"{y}", "width": f"{right - left:.1f}"}
            yield el("rect", title, **place, height=8, rx=2, class_=kind + broken)
        yield _arrows(when, left, right, y)


def _arrows(when: Edtf, left: float, right: float, y: int) -> Markup:
    """Return an arrow at each end that has no date: filled where it is open, hollow where nobody knows."""
    parts = []
    if when.earliest is None:
        kind = "arrow" if when.open_start else "arrow hollow"
        parts.append(el("path", d=f"M{left + 6:.1f} {y}v8l-6-4z", class_=kind))
    if when.latest is None:
        kind = "arrow" if when.open_end else "arrow hollow"
        parts.append(el("path", d=f"M{right - 6:.1f} {y}v8l6-4z", class_=kind))
    return joined(parts)


def _looks(entry: SiteEntry, scale: _Scale, top: int) -> Iterator[Markup]:
    """Yield all looks as two paths: those that saw the ground stand up, the others hang down."""
    yield el("path", d=f"M{_LEFT} {top + 8}H{_WIDTH - _RIGHT}", class_="axis")
    for (name, kind), sees in zip(_LOOKS, (True, False), strict=True):
        days = sorted({look.solar_day for look in entry.looks if (look.outcome in _CLEAR) is sees})
        step = "v-8" if sees else "v5"
        line = "".join(f"M{scale.x(day):.1f} {top + 8}{step}" for day in days)
        if line:
            yield el("path", el("title", f"{len(days)} days {name}"), d=line, class_=kind)


def _bracket(detection: Detection, scale: _Scale, top: int) -> Markup:
    left, right = scale.x(detection.last_without), scale.at(detection.first_with.toordinal() + 1)
    width = max(right - left, _FEWEST_PX)
    title = el("title", f"{detection.bracket}, {detection.state}")
    return el("rect", title, x=f"{left:.1f}", y=top + 2, width=f"{width:.1f}", height=10, class_="bracket")


def _years(scale: _Scale, bottom: int) -> Iterator[Markup]:
    for year in scale.years():
        x = scale.x(date(max(year, 1), 1, 1))
        yield el("path", d=f"M{x:.1f} {_TOP - 6}V{bottom}", class_="grid")
        yield el("text", str(year), x=f"{x:.1f}", y=bottom + 14, text_anchor="middle", class_="plan-text")


def _label(text: str, y: int) -> Markup:
    return el("text", text, x=_LEFT - 10, y=y, text_anchor="end", class_="plan-text")


def _fade() -> Markup:
    stops = (("0", "0.15"), ("0.5", "0.85"), ("1", "0.15"))
    parts = (el("stop", offset=at, stop_color="#0b5a6b", stop_opacity=share) for at, share in stops)
    return el("defs", el("linearGradient", *parts, id="fade"))
