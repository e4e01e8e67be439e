"""The categories' signs as PNG, for programs that read no SVG."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image, ImageColor, ImageDraw

from maps.drawing import png
from maps.symbols import SYMBOLS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sites.categories import Category

SIDE_PX = 64
_OVER = 4
_BOX = 24.0
_MARGIN = 2.0
_ARC_STEPS = 24
_TOKEN = re.compile(r"[A-Z]|-?\d*\.?\d+")
_WHITE, _EDGE = (255, 255, 255, 255), (43, 47, 49, 255)

Outline = list[tuple[float, float]]


@lru_cache(maxsize=32)
def icon_png(category: Category) -> bytes:
    """Return the sign of a category, `SIDE_PX` a side, see-through around it, with a white rim."""
    symbol = SYMBOLS[category]
    side = SIDE_PX * _OVER
    scale = side / (_BOX + 2 * _MARGIN)
    image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    shapes = [
        [((x + _MARGIN) * scale, (y + _MARGIN) * scale) for x, y in each] for each in outlines(symbol.path)
    ]
    for width, colour in ((3.2, _WHITE), (1.4, _EDGE)):
        for shape in shapes:
            draw.line([*shape, shape[0], shape[1]], fill=colour, width=round(width * scale), joint="curve")
    red, green, blue = ImageColor.getrgb(symbol.colour)[:3]
    for shape in shapes:
        draw.polygon(shape, fill=(red, green, blue, 255))
    return png(image.resize((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS))


def outlines(path: str) -> list[Outline]:
    """Return the closed lines of SVG path data that says M, L, H, V, A (circles) and Z, all absolute.

    Source: SVG 2, sections 9.3 and B.2.4 (arcs by their centre).

    >>> outlines("M4 4H20V20Z")
    [[(4.0, 4.0), (20.0, 4.0), (20.0, 20.0)]]
    """
    found: list[Outline] = []
    line: Outline = []
    tokens = iter(_TOKEN.findall(path))
    for command in tokens:
        match command:
            case "M":
                line = [_pair(tokens)]
                found.append(line)
            case "L":
                line.append(_pair(tokens))
            case "H":
                line.append((float(next(tokens)), line[-1][1]))
            case "V":
                line.append((line[-1][0], float(next(tokens))))
            case "A":
                line.extend(_arc(line[-1], tokens))
            case "Z":
                pass
            case _:
                message = f"{command!r} is not drawn"
                raise ValueError(message)
    return found


def _pair(tokens: Iterator[str]) -> tuple[float, float]:
    return float(next(tokens)), float(next(tokens))


def _arc(start: tuple[float, float], tokens: Iterator[str]) -> Outline:
    """Return points of a circle's arc, its end included."""
    radius, _, _, large, sweep = (float(next(tokens)) for _ in range(5))
    end = _pair(tokens)
    (x0, y0), (x1, y1) = start, end
    half = math.hypot(x1 - x0, y1 - y0) / 2
    height = math.sqrt(max(radius**2 - half**2, 0.0)) * (1 if large != sweep else -1)
    cx = (x0 + x1) / 2 - height * (y1 - y0) / (2 * half)
    cy = (y0 + y1) / 2 + height * (x1 - x0) / (2 * half)
    first, last = math.atan2(y0 - cy, x0 - cx), math.atan2(y1 - cy, x1 - cx)
    turn = (last - first) % math.tau if sweep else -((first - last) % math.tau)
    reach = max(radius, half)
    points = [
        (
            cx + reach * math.cos(first + turn * step / _ARC_STEPS),
            cy + reach * math.sin(first + turn * step / _ARC_STEPS),
        )
        for step in range(1, _ARC_STEPS)
    ]
    return [*points, end]
