"""Where in a site a look departs most from its prediction: the largest score over templates and places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from imagery.change.agreement import agreed, agreed_thrice
from imagery.change.matched import (
    MEDIAN_CHI2,
    Peak,
    Place,
    Reading,
    Residuals,
    inflations,
    joined,
    maps_at,
    reading_at,
    standardised,
    whitened,
)
from imagery.change.templates import Square, square, squares

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

MIN_INSIDE = 0.5
"""Share of a square that must lie inside the site; in a site too small for that, as much as can."""

_NEARLY = 0.9


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """What is looked for on a window, and where."""

    squares: tuple[Square, ...]
    """Empty where the drawn footprint is the only template."""
    allowed: NDArray[np.bool_]
    """``(square, y, x)``: where the centre of each square may lie."""
    listed: NDArray[np.float32] | None
    """``(y, x)``: mixing fractions of the drawn footprint; None in search mode."""

    @classmethod
    def searching(cls, weights: NDArray[np.float32]) -> Shapes:
        """Look for any square that lies mostly inside the site.

        Args:
            weights: ``(y, x)``: share of each pixel inside the site, on the window.
        """
        bank = squares()
        seen = Residuals(weights[None], np.ones_like(weights[None]))
        return cls(bank, np.stack([_inside(seen, each) for each in bank]), None)

    @classmethod
    def listing(cls, fractions: NDArray[np.float32]) -> Shapes:
        """Look at the drawn footprint alone."""
        return cls((), np.zeros((0, *fractions.shape), dtype=np.bool_), fractions)

    @classmethod
    def one(cls, template: Square, allowed: NDArray[np.bool_]) -> Shapes:
        """Look for one square, wherever ``allowed (y, x)`` says."""
        return cls((template,), allowed[None], None)

    @property
    def sides_px(self) -> tuple[float, ...]:
        """Size of each template; 0 is the drawn footprint."""
        return tuple(each.side_px for each in self.squares) or (0.0,)

    def number_of(self, place: Place) -> int:
        """Return which template a place is of."""
        kinds = [(each.side_px, each.phase) for each in self.squares]
        return kinds.index((place.side_px, place.phase))


def _inside(weights: Residuals, template: Square) -> NDArray[np.bool_]:
    """Return where enough of a square lies inside the site: the sum of fraction times weight."""
    z, _ = standardised(weights, template)
    held = z[0] * np.sqrt(np.square(template.rows).sum() * np.square(template.columns).sum())
    least = min(MIN_INSIDE * template.side_px**2, _NEARLY * float(held.max()))
    return np.asarray(held >= least, dtype=np.bool_)


@dataclass(frozen=True, slots=True, eq=False)
class Yardstick:
    """How the site's own quiet looks scatter: what makes a score comparable between sites."""

    join: NDArray[np.float32]
    """``(band, band)``: inverse correlation of the bands."""
    inflation: NDArray[np.float32]
    """``(template, band)``: of the variance of a contrast."""
    rough: NDArray[np.float32] | None = None
    """``(template, y, x)``: further factor of the variance by place (`imagery.change.roughness`); None: 1."""

    def of(self, shapes: Shapes, side_px: float) -> NDArray[np.float32]:
        """Return the inflation of a size, ``(band)``, wherever it lies."""
        row: NDArray[np.float32] = self.inflation[shapes.sides_px.index(side_px)]
        return row

    def at(self, shapes: Shapes, place: Place) -> NDArray[np.float32]:
        """Return the inflation at a place, ``(band)``."""
        return self.of(shapes, place.side_px) * np.float32(self.rough_at(shapes, place))

    def rough_at(self, shapes: Shapes, place: Place) -> float:
        """Return how much rougher than usual a place is; 1 outside the window."""
        if self.rough is None:
            return 1.0
        if place.is_listed:
            return float(self.rough[0, 0, 0])
        row, column = place.row, place.column
        return float(self.rough[shapes.number_of(place), row, column])


def yardstick(frames: Sequence[Residuals], shapes: Shapes, join: NDArray[np.float32]) -> Yardstick:
    """Measure a site's inflation on its own quiet looks.

    Args:
        frames: Residuals of quiet looks, each judged without itself.
        shapes: What is looked for.
        join: ``(band, band)``: inverse correlation of the bands.
    """
    inside = np.asarray(shapes.allowed.any(axis=0), dtype=np.bool_)
    if shapes.listed is None:
        return Yardstick(join, inflations(frames, shapes.squares, inside))
    ones = np.ones(len(join), dtype=np.float32)
    z = [np.divide(each.contrast, each.error) for each in _readings(frames, shapes.listed, ones)]
    spread = np.median(np.square(z), axis=0) / MEDIAN_CHI2 if z else ones
    return Yardstick(join, np.maximum(spread, 1).astype(np.float32)[None])


def _readings(
    frames: Sequence[Residuals], fractions: NDArray[np.float32], inflation: NDArray[np.float32]
) -> list[Reading]:
    found = [reading_at(frame, fractions, inflation) for frame in frames]
    return [each for each in found if each.is_known]


@dataclass(frozen=True, slots=True, eq=False)
class LookMaps:
    """The z of every template at every place, of one look or of several."""

    z: tuple[NDArray[np.float32], ...]
    """By template, ``(band, y, x)``; of the drawn footprint one place, ``(band, 1, 1)``."""
    seen: tuple[NDArray[np.bool_], ...]
    """By template, ``(y, x)``: enough of it was clear."""


def maps_of(residuals: Residuals, shapes: Shapes, yard: Yardstick) -> LookMaps:
    """Return the maps of one look.

    Args:
        residuals: Of the window.
        shapes: What is looked for.
        yard: The site's own scatter.
    """
    if shapes.listed is not None:
        reading = reading_at(residuals, shapes.listed, yard.inflation[0])
        known = reading.is_known
        z = whitened(reading, reading.contrast, yard.join) if known else np.zeros(len(yard.join))
        return smoothed(LookMaps((z.astype(np.float32)[:, None, None],), (np.full((1, 1), known),)), yard)
    pairs = maps_at(residuals, shapes.squares, yard.inflation, yard.join)
    return smoothed(LookMaps(tuple(z for z, _ in pairs), tuple(seen for _, seen in pairs)), yard)


def smoothed(maps: LookMaps, yard: Yardstick) -> LookMaps:
    """Return maps with the roughness of each place divided out."""
    if yard.rough is None:
        return maps
    return LookMaps(tuple(z / np.sqrt(own) for z, own in zip(maps.z, yard.rough, strict=True)), maps.seen)


def alone(maps: LookMaps, yard: Yardstick) -> list[NDArray[np.float32]]:
    """Return the score of one look by itself: by template, ``(y, x)``."""
    return [joined(z, yard.join, seen) for z, seen in zip(maps.z, maps.seen, strict=True)]


def together(one: LookMaps, other: LookMaps, yard: Yardstick) -> list[NDArray[np.float32]]:
    """Return what two looks agree on: by template, ``(y, x)``."""
    return [
        agreed(z, z_other, yard.join, seen & seen_other)
        for z, z_other, seen, seen_other in zip(one.z, other.z, one.seen, other.seen, strict=True)
    ]


def thrice(looks: Sequence[LookMaps], yard: Yardstick) -> list[NDArray[np.float32]]:
    """Return what three looks agree on: by template, ``(y, x)``."""
    one, two, three = looks
    return [
        agreed_thrice(*z, yard.join, np.logical_and.reduce(seen))
        for z, seen in zip(
            zip(one.z, two.z, three.z, strict=True),
            zip(one.seen, two.seen, three.seen, strict=True),
            strict=True,
        )
    ]


def summed(looks: Sequence[LookMaps], yard: Yardstick) -> list[NDArray[np.float32]]:
    """Return the score of the sum of several looks, each cut to `CUT`: by template, ``(y, x)``.

    Cut, so that one loud look can't stand for all of them; a place must be seen in all but one of them.
    """
    found = []
    for number in range(len(looks[0].z)):
        count = np.sum([look.seen[number] for look in looks], axis=0)
        total = np.sum(
            [np.where(look.seen[number], np.clip(look.z[number], -CUT, CUT), 0) for look in looks], axis=0
        )
        z = (total / np.sqrt(np.maximum(count, 1))).astype(np.float32)
        found.append(joined(z, yard.join, count >= max(len(looks) - 1, 1)))
    return found


CUT = 2.5
"""Standard deviations that one look may add to a sum."""


def top(
    scores: Sequence[NDArray[np.float32]], shapes: Shapes, excluded: NDArray[np.bool_] | None = None
) -> tuple[float, Place] | None:
    """Return the largest score and its place, or None where nothing was seen.

    Args:
        scores: By template, ``(y, x)``.
        shapes: What is looked for.
        excluded: ``(y, x)``: centres that don't count.
    """
    if shapes.listed is not None:
        score = float(scores[0][0, 0])
        return (score, Place(0.0, (0.0, 0.0), 0, 0)) if score >= 0 else None
    best: tuple[float, int, int] | None = None
    for number, each in enumerate(scores):
        open_to = shapes.allowed[number] if excluded is None else shapes.allowed[number] & ~excluded
        masked = np.where(open_to, each, np.float32(-1))
        at = int(np.argmax(masked))
        if masked.flat[at] >= 0 and (best is None or masked.flat[at] > best[0]):
            best = float(masked.flat[at]), number, at
    if best is None:
        return None
    row, column = divmod(best[2], scores[0].shape[1])
    template = shapes.squares[best[1]]
    return best[0], Place(template.side_px, template.phase, row, column)


def find_peak(
    residuals: Residuals,
    shapes: Shapes,
    yard: Yardstick,
    excluded: NDArray[np.bool_] | None = None,
) -> Peak | None:
    """Return the strongest departure of a look by itself, or None where nothing could be judged."""
    found = top(alone(maps_of(residuals, shapes, yard), yard), shapes, excluded)
    return None if found is None else Peak(*found, read(residuals, found[1], shapes, yard))


def fractions_at(place: Place, shapes: Shapes) -> tuple[NDArray[np.float32], tuple[int, int]]:
    """Return the mixing fractions of a place and the row and column at which they begin."""
    if place.is_listed:
        if shapes.listed is None:
            message = "a listed place on a site without a drawn footprint"
            raise ValueError(message)
        return shapes.listed, (0, 0)
    template = square(place.side_px, place.phase)
    return template.fractions, (
        place.row - template.rows.size // 2,
        place.column - template.columns.size // 2,
    )


def read(residuals: Residuals, place: Place, shapes: Shapes, yard: Yardstick) -> Reading:
    """Return what a look shows in one place."""
    fractions, corner = fractions_at(place, shapes)
    return reading_at(residuals, fractions, yard.at(shapes, place), corner)


def quiet_scores(frames: Sequence[Residuals], shapes: Shapes, yard: Yardstick) -> NDArray[np.float64]:
    """Return the largest score of each quiet look by itself; looks that show nothing are left out."""
    return tops([alone(maps_of(frame, shapes, yard), yard) for frame in frames], shapes)


def tops(scores: Sequence[Sequence[NDArray[np.float32]]], shapes: Shapes) -> NDArray[np.float64]:
    """Return the largest of each set of scores; those that show nothing are left out."""
    found = [top(each, shapes) for each in scores]
    return np.array([each[0] for each in found if each is not None])
