from __future__ import annotations

import math
from xml.etree import ElementTree as ET

import pytest

from maps.charts import Chart, Dot, Line, steps, svg

POWER = Chart(
    title="Found & missed",
    x_label="side, m",
    y_label="share",
    lines=(
        Line("<ours>", (Dot(10, 0.1, 0.0, 0.3), Dot(20, 0.9, 0.7, math.inf))),
        Line("theirs", (Dot(10, math.nan, 0, 1), Dot(20, 0.5, 0.5, 0.5)), joined=False),
    ),
    note="All data are simulated.",
    y_max=1.0,
    levels=(0.5,),
)
NAMES = "{http://www.w3.org/2000/svg}"


def test_a_chart_is_well_formed_says_what_its_data_are_and_is_always_the_same() -> None:
    text = svg(POWER)
    root = ET.fromstring(text)  # noqa: S314 - our own text
    words = [each.text for each in root.iter(f"{NAMES}text")]
    assert {"Found & missed", "<ours>", "theirs", "side, m", "All data are simulated."} <= set(words)
    assert svg(POWER) == text


def test_points_lie_where_their_values_are() -> None:
    root = ET.fromstring(svg(POWER))  # noqa: S314 - our own text
    (joined,) = root.iter(f"{NAMES}polyline")
    (x0, y0), (x1, y1) = (tuple(map(float, pair.split(","))) for pair in joined.attrib["points"].split())
    assert x0 < x1
    assert y0 > y1
    dots = [(float(c.attrib["cx"]), float(c.attrib["cy"])) for c in root.iter(f"{NAMES}circle")]
    assert dots == [(x0, y0), (x1, y1), (x1 + 3, pytest.approx((y0 + y1) / 2, abs=0.1))]


def test_a_chart_without_points_is_still_a_chart() -> None:
    ET.fromstring(svg(Chart("Nothing", "x", "y", (), "")))  # noqa: S314 - our own text
    ET.fromstring(svg(Chart("Zero", "x", "y", (Line("a", (Dot(1, 0, 0, 0),)),), "")))  # noqa: S314 - likewise


@pytest.mark.parametrize(
    ("high", "last", "count"), [(1.0, 1.0, 6), (0.9, 0.8, 5), (274.1, 200, 3), (7, 6, 4)]
)
def test_steps_are_round(high: float, last: float, count: int) -> None:
    found = steps(high)
    assert (found[-1], len(found)) == (last, count)
