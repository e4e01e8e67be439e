"""What is drawn over pixels: hatching, outlines, a scale bar, a north arrow, captions.

Works on Pillow images with its built-in font, so that the bytes depend on nothing that a machine
has installed. That font knows Latin letters only.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from maps.lengths import length_words

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

Rings = tuple[tuple[tuple[float, float], ...], ...]
"""Closed lines in pixels of a picture: x to the right, y down, from the upper left corner."""

OUTLINE_RGB = (236, 0, 140)
HALO_RGB = (20, 22, 24)
_HATCH_PERIOD = 8
_HATCH_WIDTH = 2


def enlarge(pixels: NDArray[np.uint8], factor: int) -> NDArray[np.uint8]:
    """Return `pixels`, ``(y, x)`` or ``(y, x, 3)``, with each one repeated `factor` times both ways."""
    return np.repeat(np.repeat(pixels, factor, axis=0), factor, axis=1)


def hatch(picture: NDArray[np.uint8], where: NDArray[np.bool_]) -> None:
    """Draw dark diagonals into ``(y, x, 3)`` `picture`, in place, where ``(y, x)`` `where` is True."""
    rows, columns = where.shape
    diagonal = np.add.outer(np.arange(rows), np.arange(columns)) % _HATCH_PERIOD < _HATCH_WIDTH
    lines = where & diagonal
    picture[lines] = (picture[lines] * 0.45).astype(np.uint8)


def edges(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels of ``(y, x)`` `mask` that touch one outside it by a side."""
    padded = np.pad(mask, 1)
    inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
    edge: NDArray[np.bool_] = mask & ~inner
    return edge


def scale_length_m(width_m: float) -> int:
    """Return a round length (1, 2 or 5 times a power of ten) of at most a third of `width_m`.

    >>> scale_length_m(2300.0)
    500
    """
    limit = max(width_m / 3.0, 1.0)
    power = 10 ** math.floor(math.log10(limit))
    return int(max(step * power for step in (1, 2, 5) if step * power <= limit))


def draw_scale_bar(
    draw: ImageDraw.ImageDraw, corner: tuple[float, float], width: int, metres_per_px: float
) -> None:
    """Draw a labelled bar with its lower left end at `corner`, for a picture `width` pixels wide."""
    length_m = scale_length_m(width * metres_per_px)
    x, y = corner
    right = x + length_m / metres_per_px
    draw.rectangle((x - 1, y - 5, right + 1, y + 1), fill=HALO_RGB)
    draw.rectangle((x, y - 4, right, y), fill=(255, 255, 255))
    label = length_words(length_m)
    draw.text(
        (x, y - 8), label, font=font(12), anchor="ls", fill="white", stroke_width=2, stroke_fill=HALO_RGB
    )


def draw_north(draw: ImageDraw.ImageDraw, top: tuple[float, float]) -> None:
    """Draw an arrow to grid north with its tip at `top`."""
    x, y = top
    draw.polygon([(x, y), (x - 6, y + 15), (x, y + 11), (x + 6, y + 15)], fill="white", outline=HALO_RGB)
    draw.text(
        (x, y + 27), "N", font=font(12), anchor="ms", fill="white", stroke_width=2, stroke_fill=HALO_RGB
    )


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return Pillow's own font."""
    return ImageFont.load_default(size)


def drawable(text: str) -> str:
    """Return `text` with every character the built-in font lacks as a question mark, on one line."""
    return "".join(
        char if char.isprintable() and ord(char) < _FIRST_UNKNOWN else "?" for char in " ".join(text.split())
    )


_FIRST_UNKNOWN = 0x180


def wrap(text: str, width_px: int, size: int, most: int) -> list[str]:
    """Return `text` broken into at most `most` lines of `width_px`; the last one is cut with dots."""
    lines = [""]
    for word in _short_words(text.split(), width_px, size):
        longer = f"{lines[-1]} {word}".strip()
        if font(size).getlength(longer) <= width_px:
            lines[-1] = longer
        else:
            lines.append(word)
    if len(lines) > most:
        lines = [*lines[: most - 1], _cut(f"{lines[most - 1]}...", width_px, size)]
    return lines


def _short_words(words: Iterable[str], width_px: int, size: int) -> list[str]:
    return [_cut(word, width_px, size) for word in words]


def _cut(text: str, width_px: int, size: int) -> str:
    text = text[: width_px // 2]  # no glyph is narrower than two pixels
    while text and font(size).getlength(text) > width_px:
        text = f"{text.rstrip('.')[:-1]}..." if len(text.rstrip(".")) > 1 else ""
    return text


def png(pixels: NDArray[np.uint8] | Image.Image, *, level: int = 9) -> bytes:
    """Return PNG bytes without any metadata; equal pixels give equal bytes.

    Args:
        pixels: What is drawn.
        level: How hard zlib tries; of an image of noise 9 saves a twentieth and takes 25 times as long as 3.
    """
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    image.save(stream, format="PNG", compress_level=level)
    return stream.getvalue()


def veil_png(where: NDArray[np.bool_]) -> bytes:
    """Return ``(y, x)`` `where` as a PNG of one bit a pixel, see-through where False; empty for nowhere."""
    if not where.any():
        return b""
    image = Image.fromarray(where.astype(np.uint8), mode="P")
    image.putpalette([255, 255, 255, 0, 0, 0])
    stream = io.BytesIO()
    image.save(stream, format="PNG", compress_level=9, bits=1, transparency=0)
    return stream.getvalue()
