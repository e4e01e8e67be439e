from __future__ import annotations

import json
import math
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import ndimage

from imagery.change.detectable import (
    MIN_LOOKS,
    SIDES_PX,
    Bars,
    Plan,
    Planting,
    ResidualLooks,
    detectable,
    roof_over,
)
from imagery.change.detectable_words import Detectable, Seen, detectable_words, sizes_in, told_section
from imagery.change.injection import blurred_rectangle
from imagery.change.matched import MIN_COVER
from imagery.change.search import Shapes, Yardstick
from imagery.change.templates import listed_fractions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from imagery.change.templates import Square

PIXELS = 26
LOOKS = 8
JOIN = np.linalg.inv(np.array([[1.0, 0.4], [0.4, 1.0]])).astype(np.float32)
BARS = Bars(alone=6.5, agreed=5.5, thrice=6.0, summed=6.0)
"""What the quiet residuals below reach, and half as much again."""


def area() -> NDArray[np.float32]:
    weights = np.zeros((PIXELS, PIXELS), dtype=np.float32)
    weights[7:-7, 7:-7] = 1
    return weights


def yard_of(shapes: Shapes) -> Yardstick:
    return Yardstick(JOIN, np.full((len(shapes.sides_px), 2), 1.4, dtype=np.float32))


def quiet(
    noise: float = 0.02, *, seed: int = 3, gaps: float = 0.0, drift: float | None = None
) -> ResidualLooks:
    """Return residuals of a place where nothing changes, rougher on one side, some looks with holes."""
    rng = np.random.default_rng(seed)
    sigma = noise * np.linspace(0.7, 1.3, PIXELS) * np.ones((LOOKS, 2, PIXELS, PIXELS))
    values = ndimage.gaussian_filter(rng.standard_normal(sigma.shape), (0, 0, 0.4, 0.4)) * sigma * 1.3
    values[np.broadcast_to(rng.random((LOOKS, 1, PIXELS, PIXELS)) < gaps, values.shape)] = np.nan
    drifts = None
    if drift is not None:
        shape = (LOOKS, 2, 2, PIXELS, PIXELS)
        drifts = (drift * ndimage.gaussian_filter(rng.standard_normal(shape), (0, 0, 0, 4, 4)) * 10).astype(
            np.float32
        )
    return ResidualLooks(values.astype(np.float32), np.square(sigma).astype(np.float32), drifts)


def told(
    looks: ResidualLooks,
    *,
    contrast: tuple[float, ...] = (0.15, 0.10),
    shift_px: float = 0.25,
    trials: int = 96,
) -> tuple[Detectable, ...]:
    shapes = Shapes.searching(area())
    planting = Planting(area(), contrast, 10, (shift_px, shift_px), trials=trials)
    return detectable(looks, shapes, yard_of(shapes), BARS, planting, np.random.default_rng(1))


class Searched:
    """The whole search, of looks that a square was really laid into: plain NumPy, every place."""

    def __init__(self, looks: ResidualLooks, shapes: Shapes) -> None:
        self.looks, self.shapes, self.join = looks, shapes, JOIN.astype(float)
        self.width = np.sqrt(yard_of(shapes).inflation.astype(float))

    def z(self, values: NDArray[np.float64], run: NDArray[np.int64], number: int) -> NDArray[np.float64]:
        """Return z of one template, ``(time, band, y, x)``; NaN where it was not seen."""
        square, variance = self.shapes.squares[number], self.looks.variance[run].astype(float)
        known = np.isfinite(values).all(axis=1, keepdims=True)
        inverse = np.where(known, 1 / variance, 0)
        weight = both(inverse, square, 2)
        found = both(np.where(known, values, 0) * inverse, square) / np.sqrt(np.maximum(weight, 1e-12))
        found /= self.width[number][:, None, None]
        cover = both(known.astype(float), square, 2) / np.square(square.fractions.astype(float)).sum()
        if self.looks.drifts is not None:
            drifts = self.looks.drifts[run].astype(float)
            u = both(drifts * inverse[:, None], square) / np.sqrt(np.maximum(weight, 1e-12))[:, None]
            found = self.whitened(found, u / self.width[number][:, None, None])
        return np.where(cover >= MIN_COVER, found, np.nan)

    def whitened(self, z: NDArray[np.float64], u: NDArray[np.float64]) -> NDArray[np.float64]:
        """Whiten against the drifts by the covariance they make: any square root has the same lengths."""
        flat_z, flat_u = np.moveaxis(z, 1, -1), np.moveaxis(u, (1, 2), (-1, -2))
        lower = np.linalg.cholesky(self.join)
        # In coordinates where the bands are independent: (I + sum of u u')^(-1/2), one drift after the other.
        out, shared = flat_z @ lower, np.moveaxis(flat_u, -1, 0) @ lower
        for first in range(len(shared)):
            along = shared[first]
            size = np.square(along).sum(axis=-1, keepdims=True)
            share = np.divide(1 - 1 / np.sqrt(1 + size), size, out=np.zeros_like(size), where=size > 1e-12)
            out = out - share * (out * along).sum(axis=-1, keepdims=True) * along
            for later in range(first + 1, len(shared)):
                dot = (shared[later] * along).sum(axis=-1, keepdims=True)
                shared[later] -= share * dot * along
        return np.moveaxis(out @ np.linalg.inv(lower), -1, 1)

    def product(self, one: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.einsum("a...,ab,b...->...", one, self.join, other))

    def thrice(self, *looks: NDArray[np.float64]) -> NDArray[np.float64]:
        total = np.sum(looks, axis=0)
        along = [self.product(each, total) for each in looks]
        length = np.sqrt(np.maximum(self.product(total, total), 1e-12))
        return np.asarray(math.sqrt(3) * np.minimum.reduce(along) / length)

    def is_alone(self, values: NDArray[np.float64], run: NDArray[np.int64], before: int) -> bool:
        """Whether the first look with the square stands out by itself."""
        for number in range(len(self.shapes.squares)):
            z = self.z(values, run, number)[before]
            score = np.where(self.shapes.allowed[number], np.sqrt(self.product(z, z)), 0)
            if np.nanmax(score) >= BARS.alone:
                return True
        return False

    def candidate_after(self, values: NDArray[np.float64], run: NDArray[np.int64], before: int) -> float:
        """Return after how many looks with the square a candidate is raised; infinite when never."""
        best = math.inf
        for number in range(len(self.shapes.squares)):
            z, allowed = self.z(values, run, number), self.shapes.allowed[number]
            for time in range(before, len(run)):
                scores = [
                    math.sqrt(2)
                    * self.product(z[time], z[other])
                    / np.sqrt(np.maximum(self.product(z[time], z[time]), self.product(z[other], z[other])))
                    / BARS.agreed
                    for other in range(max(before, time - BARS.agreeing_looks), time)
                ]
                scores += [
                    self.thrice(z[one], z[two], z[time]) / BARS.thrice
                    for one, two in combinations(range(max(before, time - BARS.thrice_looks), time), 2)
                ]
                latest = z[time + 1 - BARS.sum_looks : time + 1]
                held = np.isfinite(latest[:, 0]).sum(axis=0)
                total = np.nansum(np.clip(latest, -BARS.cut, BARS.cut), axis=0) / np.sqrt(np.maximum(held, 1))
                summed = np.sqrt(self.product(total, total)) / BARS.summed
                scores.append(np.where(held >= BARS.sum_looks - 1, summed, 0))
                if any(np.nanmax(np.where(allowed, each, 0), initial=0) >= 1 for each in scores):
                    best = min(best, time - before + 1)
        return best


def both(values: NDArray[np.float64], square: Square, power: int = 1) -> NDArray[np.float64]:
    rows, columns = square.rows.astype(float) ** power, square.columns.astype(float) ** power
    across = ndimage.correlate1d(values, columns, axis=-1, mode="constant")
    return np.asarray(ndimage.correlate1d(across, rows, axis=-2, mode="constant"))


@pytest.mark.parametrize(("gaps", "drift"), [(0.0, None), (0.15, 0.01)])
def test_the_share_is_that_of_a_whole_search_of_really_planted_squares(
    gaps: float, drift: float | None
) -> None:
    looks, shapes, trials, before, at = (
        quiet(0.035, gaps=gaps, drift=drift),
        Shapes.searching(area()),
        20,
        5,
        2,
    )
    fast = told(looks, trials=trials)
    planting = Planting(area(), (0.15, 0.10), 10, (0.25, 0.25), trials=trials)
    plan = Plan.drawn(planting, LOOKS, before + 6, np.random.default_rng(1))
    search = Searched(looks, shapes)
    found, alone = [], []
    for run, centres in zip(plan.runs, plan.centres, strict=True):
        values = looks.values[run].astype(float)
        for time in range(before, len(run)):
            row, column = centres[time] + 0.5
            share = blurred_rectangle((PIXELS, PIXELS), centre_px=(row, column), size_px=(SIDES_PX[at],) * 2)
            values[time] += np.array([0.15, 0.10])[:, None, None] * share
        found.append(search.candidate_after(values, run, before))
        alone.append(search.is_alone(values, run, before))
    for each in fast:
        whole = float(np.mean(alone if each.looks == 1 else np.array(found) <= each.looks))
        # The whole search may also see it from a place beside the nearest: a little more, never less.
        assert each.shares[at] <= whole <= each.shares[at] + 0.1
    assert 0 < fast[1].shares[at] < fast[2].shares[at] < 1


def test_more_size_more_contrast_and_more_looks_are_never_seen_less() -> None:
    shares = np.array(
        [[each.shares for each in told(quiet(0.03), contrast=(c, c))] for c in (0.05, 0.1, 0.2)]
    )
    assert (np.diff(shares, axis=2) >= 0).all()
    assert (np.diff(shares, axis=0) >= -0.02).all()
    assert (np.diff(shares[:, 1:], axis=1) >= 0).all()
    assert shares[2, 1, -1] == 1


def test_more_noise_takes_a_larger_building() -> None:
    calm, rough = (told(quiet(noise))[1] for noise in (0.015, 0.05))
    assert calm.half.side_m < rough.half.side_m
    assert calm.nine.side_m < rough.nine.side_m
    assert calm.half.low_m <= calm.half.side_m <= calm.half.high_m


def test_a_hopeless_contrast_is_seen_at_no_size() -> None:
    for each in told(quiet(0.03), contrast=(0.002, 0.002)):
        assert each.half.side_m == each.nine.side_m == math.inf
        assert not each.half.at_most


def test_what_whole_parcels_share_hides_a_building_of_the_same_colour() -> None:
    looks = quiet(0.02)
    shared = np.zeros((LOOKS, 1, 2, PIXELS, PIXELS), dtype=np.float32)
    shared[:, 0, 0], shared[:, 0, 1] = 0.06, 0.04
    assert told(replace(looks, drifts=shared))[1].nine.side_m > told(looks)[1].nine.side_m


def test_a_larger_residual_shift_never_helps() -> None:
    still, moved = (told(quiet(0.035), shift_px=sd)[1].shares for sd in (0.0, 1.5))
    assert sum(moved) < sum(still)


def test_a_drawn_footprint_is_its_own_template() -> None:
    weights = np.zeros((PIXELS, PIXELS), dtype=np.float32)
    weights[12:14, 12:14] = 1
    shapes = Shapes.listing(listed_fractions(weights))
    planting = Planting(weights, (0.15, 0.10), 10, (0.0, 0.0))
    found = detectable(quiet(), shapes, yard_of(shapes), BARS, planting, np.random.default_rng(1))
    assert found[1].nine.side_m < math.inf


def test_the_same_draws_say_the_same() -> None:
    assert told(quiet()) == told(quiet())


def test_too_few_looks_or_no_area_say_nothing() -> None:
    few = quiet()
    assert told(ResidualLooks(few.values[: MIN_LOOKS - 1], few.variance[: MIN_LOOKS - 1])) == ()
    shapes = Shapes.searching(area())
    planting = Planting(np.zeros_like(area()), (0.15, 0.10), 10, (0.0, 0.0))
    nowhere = detectable(few, shapes, yard_of(shapes), BARS, planting, np.random.default_rng(1))
    assert nowhere == ()


def test_what_cannot_be_planted_is_refused() -> None:
    with pytest.raises(ValueError, match="1 contrasts for 2 bands"):
        told(quiet(), contrast=(0.1,))
    for wrong in ({"sides_px": (2.0, 1.0)}, {"looks": (0,)}, {"trials": 0}):
        with pytest.raises(ValueError, match="rising sides"):
            Planting(area(), (0.1, 0.1), 10, (0.2, 0.2), **wrong)


def test_sizes_are_told_with_their_probabilities_and_the_contrast() -> None:
    assert roof_over(("red", "nir", "vv")) == (0.15, 0.10, 0.0)
    never, tiny = Seen(math.inf, 60, math.inf, at_most=False), Seen(10, 10, 11, at_most=True)
    words = detectable_words(Detectable(1, (10.0, 80.0), (0.5, 0.8), 96, half=tiny, nine=never))
    assert words == (
        "down to more than 80 m (0.9) / 10 m or less (0.5) of a bright roof (red +0.15, nir +0.10) "
        "in 1 clear look"
    )


def test_a_card_keeps_the_sizes_and_what_they_are_of() -> None:
    found = told(quiet(0.03))
    kept = sizes_in(json.loads(json.dumps(told_section(found))))
    assert kept is not None
    assert (kept.half_m, kept.nine_m) == (round(found[1].half.side_m, 1), round(found[1].nine.side_m, 1))
    assert kept.looks == 4
    assert "red +0.15" in kept.what
    hopeless = sizes_in(told_section(told(quiet(0.03), contrast=(0.002, 0.002))))
    assert hopeless is not None
    assert hopeless.half_m == math.inf
    assert told_section(()) == {}
    assert sizes_in(None) is sizes_in({}) is sizes_in(told_section(found), looks=9) is None
