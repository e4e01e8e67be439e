"""Captioned sheets of chips as one PNG each: one chip, before and after, or the two with their score."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from imagery.model import NO_MASK
from maps.composites import Stretch, composite, stretch_of, stretch_words
from maps.drawing import (
    OUTLINE_RGB,
    draw_north,
    draw_scale_bar,
    drawable,
    edges,
    enlarge,
    font,
    hatch,
    png,
    wrap,
)
from maps.errors import PageError
from maps.pictures import LARGEST_SIDE_PX

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from shapely.geometry.base import BaseGeometry

    from geo.grid import Grid
    from imagery.model import Chip

WANTED_SIDE_PX = 384
"""A chip is enlarged by whole steps until its longer side has about this many pixels."""

LEGEND = "Hatched: cloud, shadow or snow. Dark: no data."

_TOP_PERCENTILE = 99.5

_INSIDE = 0.5
"""Share of a pixel inside an outline from which on it is marked."""


def chip_picture(chip: Chip, caption: str, stretch: Stretch | None = None, outcome: str = "") -> bytes:
    """Return one chip as a captioned PNG: what, when, by which sensor, how stretched, and whose pixels.

    Args:
        chip: What is shown.
        caption: A title; letters outside Latin become question marks.
        stretch: Taken from the chip itself when None; else one that several pictures share.
        outcome: How the look ended; empty where nobody looked.
    """
    used = stretch or stretch_of(chip)
    lines = _chip_lines(outcome or "Image", chip, used)
    shared = "The same stretch on all pictures of this series. " if stretch is not None else ""
    footer = [f"{used.reading} {shared}{LEGEND}", chip.credit]
    scale = _scale(chip.grid.shape)
    return png(_sheet([(_pixels(chip, used)[0], lines)], caption, footer, chip.grid.resolution_m / scale))


def change_picture(
    before: Chip, after: Chip, score: NDArray[np.floating], changed: NDArray[np.bool_], caption: str
) -> bytes:
    """Return one PNG with three captioned panels: before, after, and how much each pixel changed.

    Args:
        before: The earlier chip; its stretch is used on both.
        after: The later chip, on the same grid.
        score: ``(y, x)``, any unit, larger is more; NaN where not judged.
        changed: ``(y, x)``, True where a change is reported; outlined in all panels.
        caption: A title; letters outside Latin become question marks.

    Raises:
        PageError: The arrays do not lie on the chips' grid.
    """
    if not before.grid.shape == after.grid.shape == score.shape == changed.shape:
        shapes = f"{before.grid.shape}, {after.grid.shape}, {score.shape}, {changed.shape}"
        message = f"before, after, score and mask must share one grid, not {shapes}"
        raise PageError(message)
    stretch = stretch_of(before, set(before.bands) & set(after.bands) or None)
    later = stretch if stretch.serves(after) else stretch_of(after, before.bands)
    panels = [
        (_outlined(*_pixels(before, stretch), changed), _chip_lines("Before", before, stretch)),
        (_outlined(*_pixels(after, later), changed), _chip_lines("After", after, later)),
        (_outlined(*_score_pixels(score), changed), _score_lines(score, changed, before.grid)),
    ]
    same = "same stretch on both" if later is stretch else "each with its own stretch"
    footer = f"{stretch.reading} {same.capitalize()}. {LEGEND} Outlined: reported as changed."
    credit = "; ".join(sorted({chip.credit for chip in (before, after)} - {""}))
    scale = _scale(before.grid.shape)
    return png(_sheet(panels, caption, [footer, credit], before.grid.resolution_m / scale))


def pair_picture(before: Chip, after: Chip, changed: BaseGeometry, caption: str) -> bytes:
    """Return one PNG with two captioned panels, the last chip without a change and the first with it.

    Args:
        before: The earlier chip; its stretch is used on both where values can be compared.
        after: The later chip, on the same grid.
        changed: ``lon, lat`` polygons; outlined in both panels.
        caption: A title; letters outside Latin become question marks.

    Raises:
        PageError: The chips lie on different grids.
    """
    if before.grid.grid_id != after.grid.grid_id:
        message = f"before and after must share one grid, not {before.grid.grid_id} and {after.grid.grid_id}"
        raise PageError(message)
    stretch = stretch_of(before, set(before.bands) & set(after.bands) or None)
    later = stretch if stretch.serves(after) else stretch_of(after, before.bands)
    mask = before.grid.weights(changed) > _INSIDE
    panels = [
        (_ringed(*_pixels(before, stretch), mask), _chip_lines("Before", before, stretch)),
        (_ringed(*_pixels(after, later), mask), _chip_lines("After", after, later)),
    ]
    same = "Same stretch on both." if later is stretch else "Each with its own stretch."
    credit = "; ".join(sorted({chip.credit for chip in (before, after)} - {""}))
    footer = [f"{stretch.reading} {same} {LEGEND} Outlined: the detection.", credit]
    return png(_sheet(panels, caption, footer, before.grid.resolution_m / _scale(before.grid.shape)))


def _scale(shape: tuple[int, int]) -> float:
    """Return picture pixels for each chip pixel: a whole number, or one over a whole number."""
    side = max(shape)
    if side > LARGEST_SIDE_PX:
        return 1.0 / math.ceil(side / LARGEST_SIDE_PX)
    return float(max(1, round(WANTED_SIDE_PX / side)))


def _resized(pixels: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    if scale >= 1:
        return enlarge(pixels, round(scale))
    step = round(1 / scale)
    return np.ascontiguousarray(pixels[::step, ::step])


def _pixels(chip: Chip, stretch: Stretch) -> tuple[NDArray[np.uint8], float]:
    scale = _scale(chip.grid.shape)
    pixels = _resized(composite(chip, stretch), scale)
    hatch(pixels, _resized((chip.valid & ~chip.clear).view(np.uint8), scale).view(np.bool_))
    return pixels, scale


def _score_pixels(score: NDArray[np.floating]) -> tuple[NDArray[np.uint8], float]:
    """Return the score as grey, white for none and black for `_top`; blue-grey where not judged."""
    known = np.isfinite(score)
    top = _top(score)
    level = np.clip(np.where(known, score, 0.0) / top, 0.0, 1.0)
    grey = np.rint(245 - 225 * level).astype(np.uint8)
    colour = np.repeat(grey[..., None], 3, axis=-1)
    colour[~known] = (196, 206, 214)
    scale = _scale((score.shape[0], score.shape[1]))
    return _resized(colour, scale), scale


def _top(score: NDArray[np.floating]) -> float:
    # the largest of all would let one pixel turn the rest white
    known = score[np.isfinite(score)]
    top = float(np.percentile(known, _TOP_PERCENTILE)) if known.size else 0.0
    return top if top > 0 else 1.0


def _outlined(pixels: NDArray[np.uint8], scale: float, changed: NDArray[np.bool_]) -> NDArray[np.uint8]:
    mask = _resized(changed.view(np.uint8), scale).view(np.bool_)
    pixels[edges(mask)] = OUTLINE_RGB
    return pixels


def _ringed(pixels: NDArray[np.uint8], scale: float, changed: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Outline from outside: of what is a few pixels large an outline inside would leave nothing to see."""
    mask = _resized(changed.view(np.uint8), scale).view(np.bool_)
    near = np.pad(mask, 1)
    grown = near[:-2, 1:-1] | near[2:, 1:-1] | near[1:-1, :-2] | near[1:-1, 2:]
    pixels[grown & ~mask] = OUTLINE_RGB
    return pixels


def _chip_lines(title: str, chip: Chip, stretch: Stretch) -> list[str]:
    clear = f"{chip.clear_fraction():.0%} clear" if chip.mask_scheme != NO_MASK else "no cloud mask"
    lines = [
        f"{title}: {chip.solar_day.isoformat()}",
        f"{chip.platform}, {chip.grid.resolution_m:g} m pixels, {clear}",
        stretch.words,
        stretch_words(stretch),
    ]
    return [*lines, "SIMULATED pixels, not a real image"] if chip.simulated else lines


def _score_lines(score: NDArray[np.floating], changed: NDArray[np.bool_], grid: Grid) -> list[str]:
    known = np.isfinite(score)
    area_m2 = float(changed.sum()) * grid.resolution_m**2
    return [
        f"Change: {int(changed.sum())} pixels, about {area_m2:,.0f} m2",
        f"score from 0 (white) to {_top(score):.3g} and more (black)",
        f"judged: {known.mean():.0%} of the frame (the rest is blue-grey)",
    ]


_MARGIN = 16
_LINE = 17
_INK = (29, 37, 40)
_FAINT = (84, 95, 100)


def _sheet(
    panels: list[tuple[NDArray[np.uint8], list[str]]], caption: str, footer: list[str], metres_per_px: float
) -> Image.Image:
    height, width = panels[0][0].shape[:2]
    column = max(width, 300)
    sheet_width = len(panels) * column + (len(panels) + 1) * _MARGIN
    notes = [
        line for text in footer for line in wrap(drawable(text), sheet_width - 2 * _MARGIN, 12, 3) if line
    ]
    title = wrap(drawable(caption), sheet_width - 2 * _MARGIN, 18, 2)
    top = _MARGIN + 24 * len(title) + 4
    text_lines = max(len(lines) for _, lines in panels)
    total = top + height + _LINE * (text_lines + len(notes)) + 3 * _MARGIN
    sheet = Image.new("RGB", (sheet_width, total), "white")
    draw = ImageDraw.Draw(sheet)
    _write(draw, (_MARGIN, _MARGIN + 16), title, 18, 24, _INK)
    for position, (pixels, lines) in enumerate(panels):
        x = _MARGIN + position * (column + _MARGIN)
        sheet.paste(Image.fromarray(pixels), (x, top))
        draw_scale_bar(draw, (x + 10, top + height - 10), width, metres_per_px)
        draw_north(draw, (x + width - 16, top + 10))
        fitted = [wrap(drawable(line), column, 13, 1)[0] for line in lines]
        _write(draw, (x, top + height + _MARGIN + 6), fitted, 13, _LINE, _INK)
    _write(draw, (_MARGIN, total - _MARGIN - _LINE * (len(notes) - 1)), notes, 12, _LINE, _FAINT)
    return sheet


def _write(
    draw: ImageDraw.ImageDraw,
    start: tuple[int, int],
    lines: list[str],
    size: int,
    step: int,
    colour: tuple[int, int, int],
) -> None:
    for number, line in enumerate(lines):
        draw.text((start[0], start[1] + number * step), line, font=font(size), anchor="ls", fill=colour)
