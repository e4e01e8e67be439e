"""Plain charts as SVG: points with intervals, joined or not. Equal data give equal bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

WIDTH, HEIGHT = 640, 400
_LEFT, _RIGHT, _BOTTOM = 64, 16, 52
_LEGEND_TOP, _LEGEND_ROW = 48, 14
_COLOURS = ("#1b6ca8", "#c8442b", "#3c8d40", "#7b4ba0", "#b07d12", "#4d5358")
_LEGEND_COLUMNS = 3
_APART_PX = 3.0
"""Lines stand so far apart, so that their intervals at one place can be told apart."""


@dataclass(frozen=True, slots=True)
class Dot:
    """A point with its interval."""

    x: float
    y: float
    low: float
    """Equal to `y` where there is no interval."""
    high: float


class Marker(StrEnum):
    """The shape of a line's points."""

    CIRCLE = "circle"
    SQUARE = "square"


@dataclass(frozen=True, slots=True)
class Line:
    """Points of one colour, with the name that the legend gives them."""

    name: str
    dots: tuple[Dot, ...]
    joined: bool = True
    dashed: bool = False
    """Told apart without its colour, with `marker`."""
    marker: Marker | None = None
    """Drawn at every point, and the line breaks where a value is not finite; None joins what is there, with
    a circle only where a point has an interval or stands alone."""


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart before it is drawn."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    note: str
    """One sentence under the title: what the data are."""
    x_ticks: tuple[tuple[float, str], ...] = ()
    """Places and words; none are chosen by the values."""
    y_max: float | None = None
    """Upper end of the y axis; the lower one is 0."""
    levels: tuple[float, ...] = ()
    """Heights at which a dashed line is drawn."""


def svg(chart: Chart) -> str:
    """Return the chart as one SVG document that needs nothing else.

    Values that are not finite are left out; an interval that is not is drawn to the edge.
    """
    scale = _Scale.of(chart)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12">'
        ),
        f"<title>{escape(chart.title)}</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        _text(_LEFT, 18, chart.title, size=14),
        _text(_LEFT, 34, chart.note, colour="#5a6066", size=11),
        *_legend(chart),
        *_axes(chart, scale),
    ]
    for number, line in enumerate(chart.lines):
        aside = _APART_PX * (number - (len(chart.lines) - 1) / 2)
        parts += _drawn(line, scale, _COLOURS[number % len(_COLOURS)], aside)
    return "\n".join([*parts, "</svg>", ""])


def stacked(charts: Sequence[Chart]) -> str:
    """Return charts one below the other as one SVG document."""
    height = HEIGHT * max(len(charts), 1)
    size = f'width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>']
    for number, chart in enumerate(charts):
        parts.append(svg(chart).rstrip().replace("<svg ", f'<svg y="{HEIGHT * number}" ', 1))
    return "\n".join([*parts, "</svg>", ""])


@dataclass(frozen=True, slots=True)
class _Scale:
    x_low: float
    x_high: float
    y_high: float
    top: float
    """Where the plot begins, below the legend."""

    @classmethod
    def of(cls, chart: Chart) -> _Scale:
        dots = [dot for line in chart.lines for dot in line.dots]
        across = [dot.x for dot in dots] + [place for place, _ in chart.x_ticks] or [0.0, 1.0]
        up = [value for dot in dots for value in (dot.y, dot.high) if math.isfinite(value)]
        low, high = min(across), max(across)
        room = (high - low or 1.0) * 0.06
        highest = chart.y_max or max([*up, *chart.levels], default=1.0) or 1.0
        rows = math.ceil(len(chart.lines) / _LEGEND_COLUMNS)
        return cls(low - room, high + room, highest, _LEGEND_TOP + _LEGEND_ROW * rows)

    def x(self, value: float) -> float:
        return _LEFT + (value - self.x_low) / (self.x_high - self.x_low) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        part = min(max(value / self.y_high, 0.0), 1.0)
        return HEIGHT - _BOTTOM - part * (HEIGHT - self.top - _BOTTOM)


def steps(high: float, count: int = 5) -> tuple[float, ...]:
    """Return round values from 0 to at most `high`.

    >>> steps(0.9)
    (0.0, 0.2, 0.4, 0.6, 0.8)
    """
    raw = high / count
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(each * power for each in (1, 2, 5, 10) if each * power >= raw * (1 - 1e-9))
    return tuple(round(step * k, 12) for k in range(int(high / step + 1e-9) + 1))


def _axes(chart: Chart, scale: _Scale) -> Iterator[str]:
    left, right, bottom = _LEFT, WIDTH - _RIGHT, HEIGHT - _BOTTOM
    for value in steps(scale.y_high):
        y = scale.y(value)
        yield _stroke(left, y, right, y, "#e4e7ea")
        yield _text(left - 8, y + 4, f"{value:g}", anchor="end")
    for value in chart.levels:
        yield _stroke(left, scale.y(value), right, scale.y(value), "#8a9096", dashed=True)
    for value, words in chart.x_ticks or _numbers(chart):
        yield _stroke(scale.x(value), bottom, scale.x(value), bottom + 4, "#5a6066")
        yield _text(scale.x(value), bottom + 18, words, anchor="middle")
    yield _stroke(left, bottom, right, bottom, "#5a6066")
    yield _text((left + right) / 2, HEIGHT - 12, chart.x_label, anchor="middle")
    turned = f'transform="rotate(-90 16 {(bottom + scale.top) / 2:.1f})"'
    yield _text(16, (bottom + scale.top) / 2, chart.y_label, anchor="middle", extra=turned)


def _numbers(chart: Chart) -> tuple[tuple[float, str], ...]:
    places = sorted({dot.x for line in chart.lines for dot in line.dots})
    return tuple((place, f"{place:g}") for place in places)


def _legend(chart: Chart) -> Iterator[str]:
    width = (WIDTH - _LEFT - _RIGHT) / _LEGEND_COLUMNS
    for number, line in enumerate(chart.lines):
        row, column = divmod(number, _LEGEND_COLUMNS)
        x, y = _LEFT + column * width, float(_LEGEND_TOP + _LEGEND_ROW * row)
        colour = _COLOURS[number % len(_COLOURS)]
        if line.marker is None:
            yield f'<rect x="{x:.1f}" y="{y - 6:.1f}" width="9" height="9" fill="{colour}"/>'
        else:
            yield _stroke(x - 6, y - 2, x + 18, y - 2, colour, dashed=line.dashed)
            yield _mark(line.marker, x + 6, y - 2, colour)
        yield _text(x + (14 if line.marker is None else 24), y + 2, line.name, size=11)


def _drawn(line: Line, scale: _Scale, colour: str, aside_px: float) -> Iterator[str]:
    dots = [dot for dot in line.dots if math.isfinite(dot.y)]
    dash = ' stroke-dasharray="7 4"' if line.dashed else ""
    for run in _runs(line) if line.joined else ():
        places = " ".join(f"{scale.x(dot.x) + aside_px:.1f},{scale.y(dot.y):.1f}" for dot in run)
        yield f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'
    for dot in dots:
        x = scale.x(dot.x) + aside_px
        if dot.low != dot.high:
            high = scale.y(dot.high) if math.isfinite(dot.high) else scale.y(scale.y_high)
            yield _stroke(x, scale.y(dot.low), x, high, colour)
        if line.marker is not None:
            yield _mark(line.marker, x, scale.y(dot.y), colour)
        elif not line.joined or dot.low != dot.high:
            yield _mark(Marker.CIRCLE, x, scale.y(dot.y), colour)


def _runs(line: Line) -> list[list[Dot]]:
    """Return the points between which the line is drawn."""
    if line.marker is None:
        known = [dot for dot in line.dots if math.isfinite(dot.y)]
        return [known] if known else []
    grouped = groupby(line.dots, key=lambda dot: math.isfinite(dot.y))
    return [list(run) for finite, run in grouped if finite]


def _mark(marker: Marker, x: float, y: float, colour: str) -> str:
    if marker is Marker.CIRCLE:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>'
    shape = f'x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7"'
    return f'<rect {shape} fill="#fff" stroke="{colour}" stroke-width="2"/>'


def _stroke(x0: float, y0: float, x1: float, y1: float, colour: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="4 3"' if dashed else ""
    return f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" stroke="{colour}"{dash}/>'


def _text(
    x: float,
    y: float,
    words: str,
    *,
    anchor: str = "start",
    colour: str = "#202428",
    size: int = 12,
    extra: str = "",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{colour}" font-size="{size}"'
        f"{' ' + extra if extra else ''}>{escape(words)}</text>"
    )
