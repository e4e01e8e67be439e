"""A series of numbers as a small picture: the mean as a line, the spread as a band, gaps as gaps."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

from maps.drawing import font, png

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

SIZE = (960, 360)
_LEFT, _TOP, _RIGHT, _BOTTOM = 70, 40, 940, 310
_INK, _GRID, _LINE, _BAND = (40, 40, 40), (225, 225, 225), (20, 90, 160), (200, 218, 236)
_LINES = 5
_MOST_LABELS = 12


@dataclass(frozen=True, slots=True)
class PlotPoint:
    """One interval of a series."""

    day: date
    """Its middle."""
    mean: float | None
    """None is a gap: the line ends before it and begins after it."""
    stdev: float = 0.0


def series_png(points: Sequence[PlotPoint], *, title: str, unit: str) -> bytes:
    """Return a series as PNG; same points, same bytes.

    Args:
        points: By day; none, or gaps alone, give an empty frame that says so.
        title: Written above.
        unit: Written beside it; ``1`` is not.
    """
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    named = title if unit == "1" else f"{title} [{unit}]"
    draw.text((_LEFT, 12), named, font=font(15), fill=_INK)
    known = [point for point in points if point.mean is not None]
    if known:
        _Frame.around(points).draw_all(draw, points)
    else:
        draw.text((_LEFT, 160), "There is no clear look in this span.", font=font(15), fill=_INK)
    return png(image)


@dataclass(frozen=True, slots=True)
class _Frame:
    first: int
    days: int
    low: float
    high: float

    @classmethod
    def around(cls, points: Sequence[PlotPoint]) -> _Frame:
        known = [(point.mean, point.stdev) for point in points if point.mean is not None]
        low = min(mean - stdev for mean, stdev in known)
        high = max(mean + stdev for mean, stdev in known)
        margin = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
        first, last = points[0].day.toordinal(), points[-1].day.toordinal()
        return cls(first, max(1, last - first), low - margin, high + margin)

    def x(self, day: date) -> float:
        return _LEFT + (day.toordinal() - self.first) / self.days * (_RIGHT - _LEFT)

    def y(self, value: float) -> float:
        return _BOTTOM - (value - self.low) / (self.high - self.low) * (_BOTTOM - _TOP)

    def draw_all(self, draw: ImageDraw.ImageDraw, points: Sequence[PlotPoint]) -> None:
        runs = [list(run) for is_known, run in groupby(points, lambda p: p.mean is not None) if is_known]
        for run in runs:
            self._draw_band(draw, run)
        self._draw_axes(draw, points)
        for run in runs:
            corners = [(self.x(point.day), self.y(point.mean or 0.0)) for point in run]
            if len(corners) > 1:
                draw.line(corners, fill=_LINE, width=2)
            for x, y in corners:
                draw.ellipse((x - 3, y - 3, x + 3, y + 3), fill=_LINE)

    def _draw_band(self, draw: ImageDraw.ImageDraw, run: Sequence[PlotPoint]) -> None:
        upper = [(self.x(p.day), self.y((p.mean or 0.0) + p.stdev)) for p in run]
        lower = [(self.x(p.day), self.y((p.mean or 0.0) - p.stdev)) for p in run]
        if len(run) > 1:
            draw.polygon([*upper, *reversed(lower)], fill=_BAND)
        else:
            draw.line([upper[0], lower[0]], fill=_BAND, width=6)

    def _draw_axes(self, draw: ImageDraw.ImageDraw, points: Sequence[PlotPoint]) -> None:
        for step in range(_LINES + 1):
            value = self.low + step / _LINES * (self.high - self.low)
            y = self.y(value)
            draw.line([(_LEFT, y), (_RIGHT, y)], fill=_GRID)
            draw.text((_LEFT - 8, y), f"{value:.3g}", font=font(12), anchor="rm", fill=_INK)
        every = -(-len(points) // _MOST_LABELS)
        for point in points[::every]:
            x = self.x(point.day)
            draw.line([(x, _BOTTOM), (x, _BOTTOM + 5)], fill=_INK)
            draw.text((x, _BOTTOM + 8), f"{point.day:%Y-%m-%d}", font=font(11), anchor="mt", fill=_INK)
        draw.rectangle((_LEFT, _TOP, _RIGHT, _BOTTOM), outline=_INK)
