from __future__ import annotations

import io
from datetime import date, timedelta

import numpy as np
from PIL import Image

from maps.series_plot import SIZE, PlotPoint, series_png

LINE = (20, 90, 160)


def points(*means: float | None) -> list[PlotPoint]:
    return [PlotPoint(date(2021, 1, 5) + timedelta(days=10 * n), mean, 0.05) for n, mean in enumerate(means)]


def line_columns(png: bytes) -> set[int]:
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    assert pixels.shape[:2] == SIZE[::-1]
    return set(np.flatnonzero((pixels == LINE).all(axis=2).any(axis=0)).tolist())


def test_a_line_has_no_hole_and_a_gap_is_one() -> None:
    whole = line_columns(series_png(points(0.2, 0.3, 0.4, 0.3, 0.2), title="a", unit="1"))
    assert whole == set(range(min(whole), max(whole) + 1))
    broken = line_columns(series_png(points(0.2, 0.3, None, 0.3, 0.2), title="a", unit="1"))
    missing = sorted(set(range(min(broken), max(broken) + 1)) - broken)
    # Two of four steps are not drawn, but for the discs at their ends.
    assert len(missing) > 0.45 * (max(broken) - min(broken))
    assert missing == list(range(missing[0], missing[-1] + 1))


def test_a_lone_number_between_gaps_is_seen() -> None:
    assert line_columns(series_png(points(None, 0.3, None), title="a", unit="1"))


def test_nothing_is_said_to_be_nothing() -> None:
    for empty in ([], points(None, None)):
        assert not line_columns(series_png(empty, title="a", unit="reflectance"))


def test_same_points_same_bytes() -> None:
    given = points(0.2, None, 0.25, 0.25)
    assert series_png(given, title="a", unit="1") == series_png(given, title="a", unit="1")
    assert series_png(points(0.3), title="a", unit="1")
