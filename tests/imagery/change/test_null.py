from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from imagery.change.null import BODY, TAIL, Null, Stratum, null_of, read_null, stratum, tail_of
from imagery.errors import NullFileError

LISTED = Stratum("listed", "winter", "24-47")
SAMPLES = hnp.arrays(np.float32, st.integers(1, 40), elements=st.integers(0, 12).map(float))


def skewed(rng: np.random.Generator, count: int) -> np.ndarray:
    return rng.gamma(2.0, 1.5, size=count).astype(np.float32)


def test_strata_are_seasons_and_bins_of_clear_looks() -> None:
    assert stratum("search", date(2024, 12, 1), 11) == Stratum("search", "winter", "0-11")
    assert stratum("search", date(2024, 3, 1), 12) == Stratum("search", "spring", "12-23")
    assert stratum("listed", date(2024, 8, 31), 47) == Stratum("listed", "summer", "24-47")
    assert stratum("listed", date(2024, 9, 1), 48) == Stratum("listed", "autumn", "48+")


@given(sample=SAMPLES, score=st.integers(-1, 14).map(float))
def test_p_is_one_plus_the_count_over_one_plus_all(sample: np.ndarray, score: float) -> None:
    null = null_of(((LISTED, float(value)) for value in sample), source="simulated", min_scores=1)
    found = null.p_value(score, LISTED)
    assert found is not None
    assert found.p == (1 + (sample >= score).sum()) / (1 + sample.size)
    assert (found.count, found.stratum) == (sample.size, LISTED)


@pytest.mark.parametrize("count", [1500, 20_000])
def test_thinning_keeps_the_tail_exact_and_only_ever_raises_p(count: int) -> None:
    sample = skewed(np.random.default_rng(2), count)
    tail = tail_of(sample)
    assert len(tail.values) <= TAIL + BODY
    ordered = np.sort(sample)
    for score in np.r_[skewed(np.random.default_rng(3), 300), ordered[-3:], ordered[0], 0.0]:
        exact = int((sample >= score).sum())
        found = tail.at_or_above(float(score))
        assert exact <= found <= exact + count / BODY + 1
        if score > ordered[-TAIL + 5]:
            assert found == exact


def test_p_is_uniform_on_held_out_quiet_scores() -> None:
    rng = np.random.default_rng(5)
    null = null_of(((LISTED, s) for s in skewed(rng, 20_000).tolist()), source="simulated")
    p = [null.p_value(score, LISTED) for score in skewed(rng, 1500).tolist()]
    values = np.array([each.p for each in p if each is not None])
    assert values.size == 1500
    assert stats.kstest(values, "uniform").pvalue > 0.01


def test_p_is_super_uniform_over_the_draw_of_the_null() -> None:
    """P(p <= a) <= a with the null drawn anew each time, however small it is."""
    rng = np.random.default_rng(6)
    draws = rng.exponential(size=(4000, 20)).round(1)
    p = np.array([(1 + tail_of(row[1:]).at_or_above(float(np.float32(row[0])))) / len(row) for row in draws])
    for level in (0.05, 0.1, 0.25, 0.5):
        below = int((p <= level).sum())
        assert stats.binomtest(below, p.size, level, alternative="greater").pvalue > 1e-4


def test_a_sparse_stratum_gives_way_to_a_coarser_one_of_its_mode() -> None:
    rare = Stratum("listed", "winter", "48+")
    scores = [(LISTED, s) for s in skewed(np.random.default_rng(7), 60).tolist()]
    scores += [(rare, 3.0)] * 3 + [(Stratum("search", "winter", "48+"), 9.0)] * 500
    null = null_of(scores, source="simulated", min_scores=50)
    found = null.p_value(2.0, rare)
    assert found is not None
    assert (found.stratum, found.count) == (Stratum("listed", "winter"), 63)
    summer = null.p_value(2.0, Stratum("listed", "summer", "48+"))
    assert summer is not None
    assert summer.stratum == Stratum("listed")


def test_where_no_null_exists_there_is_no_p() -> None:
    null = null_of([(LISTED, 1.0)] * 40, source="simulated", min_scores=50)
    assert null.p_value(5.0, LISTED) is None
    assert null.p_value(float("nan"), LISTED) is None
    assert Null("simulated", {}).p_value(5.0, LISTED) is None


@given(first=SAMPLES, second=SAMPLES, score=st.integers(-1, 14).map(float))
def test_merged_is_the_null_of_both_samples(first: np.ndarray, second: np.ndarray, score: float) -> None:
    parts = [
        null_of(((LISTED, float(v)) for v in sample), source=source, min_scores=1)
        for sample, source in ((first, "simulated"), (second, "the site's own quiet looks"))
    ]
    whole = null_of(((LISTED, float(v)) for v in np.r_[first, second]), source="x", min_scores=1)
    merged = parts[0].merged(parts[1])
    assert merged.source == "simulated + the site's own quiet looks"
    assert merged.p_value(score, LISTED) == whole.p_value(score, LISTED)
    assert merged.merged(parts[0]).source == merged.source


def test_merging_thinned_nulls_never_lowers_p() -> None:
    rng = np.random.default_rng(8)
    samples = [skewed(rng, 5000), skewed(rng, 3000) + 1]
    merged = tail_of(samples[0]).merged(tail_of(samples[1]))
    both = np.r_[samples[0], samples[1]]
    assert merged.count == 8000
    for score in skewed(rng, 200):
        assert merged.at_or_above(float(score)) >= (both >= score).sum()
    top = np.sort(both)[-400:]
    assert [merged.at_or_above(float(s)) for s in top] == [int((both >= s).sum()) for s in top]


def test_a_null_survives_its_file_byte_by_byte() -> None:
    scores = [(LISTED, s) for s in skewed(np.random.default_rng(9), 5000).tolist()]
    null = null_of(scores, source="simulated", min_scores=100)
    data = null.to_bytes()
    again = read_null(data)
    assert again.to_bytes() == data == null_of(scores[::-1], source="simulated", min_scores=100).to_bytes()
    assert [again.p_value(s, LISTED) for _, s in scores[:50]] == [
        null.p_value(s, LISTED) for _, s in scores[:50]
    ]
    assert len(data) < 40_000


HEAD = b'{"format": "sitewatch-null-1", "source": "s", "min_scores": 1, "strata": [{"mode": "m"'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format": "other"}',
        HEAD + b"}]}",
        HEAD + b', "season": "", "looks": "", "count": 2, "values": [2.0, 1.0], "above": [1, 0]}]}',
        HEAD + b', "season": "", "looks": "", "count": 1, "values": [1.0, 2.0], "above": [9, 0]}]}',
        HEAD + b', "season": "", "looks": "", "count": 1, "values": [1.0], "above": [0, 0]}]}',
    ],
)
def test_a_damaged_file_is_refused(data: bytes) -> None:
    with pytest.raises(NullFileError):
        read_null(data)
