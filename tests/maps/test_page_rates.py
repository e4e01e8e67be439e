"""The page's arithmetic beside Python's."""

from __future__ import annotations

import json
import math
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from py_mini_racer import MiniRacer

from imagery.change.bounds import garwood, rate
from maps.offline import read_text

Call = Any


@pytest.fixture(scope="module")
def engine() -> MiniRacer:
    made = MiniRacer()
    made.eval("\n".join(read_text("page", name) for name in ("rates.js", "classes.js")))
    return made


def call(engine: MiniRacer, function: str, *arguments: Any) -> Any:  # noqa: ANN401 - any JSON value
    written = ", ".join(json.dumps(each) for each in arguments)
    return json.loads(str(engine.eval(f"JSON.stringify({function}({written}) ?? null)")))


@pytest.mark.parametrize("events", [0, 1, 2, 3, 7, 10, 41, 100, 999, 12_345, 200_000])
def test_the_page_has_the_exact_poisson_interval(engine: MiniRacer, events: int) -> None:
    low, high = call(engine, "garwood", events)
    assert low == pytest.approx(garwood(events)[0], rel=1e-8, abs=1e-12)
    assert high == pytest.approx(garwood(events)[1], rel=1e-8)


def test_a_rate_needs_an_exposure(engine: MiniRacer) -> None:
    assert call(engine, "rateOf", 0, 0) is None
    found, expected = call(engine, "rateOf", 3, 12.5), rate(3, 12.5)
    assert found["estimate"] == pytest.approx(expected.estimate)
    assert (found["low"], found["high"]) == (pytest.approx(expected.low), pytest.approx(expected.high))


@given(st.lists(st.integers(0, 60), max_size=13), st.sampled_from(["quantile", "equal"]))
@settings(max_examples=60)
def test_every_value_has_one_class_and_classes_rise(
    engine: MiniRacer, values: list[int], method: str
) -> None:
    bounds = call(engine, "classBounds", values, method)
    assert bounds == sorted(set(bounds))
    assert len(bounds) <= min(5, len({value for value in values if value}))
    positive = sorted(value for value in values if value)
    assert (bounds[-1] if bounds else None) == (positive[-1] if positive else None)
    classes = [call(engine, "classOf", bounds, value) for value in positive]
    assert classes == sorted(classes)
    assert all(0 <= each < len(bounds) for each in classes)
    if method == "equal" and len(bounds) > 1:
        assert [b - a for a, b in pairwise([0, *bounds])] == pytest.approx([bounds[0]] * len(bounds))


def test_quantiles_hold_as_many_provinces_each(engine: MiniRacer) -> None:
    bounds = call(engine, "classBounds", list(range(1, 11)), "quantile")
    assert bounds == [2, 4, 6, 8, 10]


def test_zero_and_no_data_are_no_class(engine: MiniRacer) -> None:
    assert call(engine, "classOf", [1, 2], 0) == -1
    assert call(engine, "classOf", [1, 2], None) is None
    assert call(engine, "classOf", [], 0) == -1


def _lightness(colour: str) -> float:
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    luminance = sum(weight * part for weight, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))
    return 116 * math.cbrt(luminance) - 16 if luminance > 0.008856 else 903.3 * luminance


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_the_palette_stays_apart_without_colour(engine: MiniRacer, count: int) -> None:
    lightness = [_lightness(each) for each in call(engine, "classColours", count)]
    assert len(lightness) == count
    assert all(a - b > 10 for a, b in pairwise([100.0, *lightness]))
