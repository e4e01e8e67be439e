from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from imagery.change.labelled import auc, label_figures

SCORES = st.lists(st.integers(0, 9).map(float), min_size=1, max_size=30).map(np.array)


@given(positive=SCORES, negative=SCORES)
def test_auc_is_mann_whitneys_u(positive: np.ndarray, negative: np.ndarray) -> None:
    value, _ = auc(positive, negative)
    oracle = scipy.stats.mannwhitneyu(positive, negative).statistic / (positive.size * negative.size)
    assert value == pytest.approx(oracle)


def test_the_standard_error_is_that_of_repeated_draws() -> None:
    rng = np.random.default_rng(0)
    drawn = [auc(rng.normal(1, 1, 75), rng.normal(0, 1, 75)) for _ in range(500)]
    spread = np.std([value for value, _ in drawn])
    assert np.mean([error for _, error in drawn]) == pytest.approx(spread, rel=0.1)
    assert spread == pytest.approx(0.04, abs=0.005)


def test_figures_count_labelled_pixels_only_and_what_was_not_judged_as_unchanged() -> None:
    score = np.array([[9, 8, 7, math.nan], [1, 6, 2, 3]])
    changed = np.array([[1, 1, 0, 1], [0, 0, 0, 0]], dtype=bool)
    unchanged = np.array([[0, 0, 0, 0], [1, 1, 1, 1]], dtype=bool)
    found = label_figures(score, np.nan_to_num(score) > 5, changed, unchanged)
    assert (found.changed_px, found.unchanged_px) == (3, 4)
    assert (found.recall, found.precision) == (2 / 3, 2 / 3)
    assert found.f1 == pytest.approx(2 / 3)
    assert found.false_positive_rate == 0.25
    assert found.auc == pytest.approx(8 / 12)


def test_a_class_without_pixels_is_refused() -> None:
    none, every = np.zeros((2, 2), dtype=bool), np.ones((2, 2), dtype=bool)
    for changed, unchanged in ((none, every), (every, none), (every, every)):
        with pytest.raises(ValueError, match="can't be compared"):
            label_figures(np.zeros((2, 2)), every, changed, unchanged)
