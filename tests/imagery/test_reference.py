from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from imagery.reference import context_reference, structure


def test_sharp_bands_are_chosen_and_all_where_there_is_none() -> None:
    values = np.arange(5.0).reshape(5, 1, 1)
    names = ("blue", "swir16", "red", "nir", "swir22")
    assert structure(values, names).ravel().tolist() == [0, 2, 3]
    assert structure(values[:2], ("vv", "vh")).ravel().tolist() == [0, 1]


def test_each_month_has_one_voice() -> None:
    history = np.concatenate(
        [np.full((20, 1, 2, 2), 1.0), np.full((1, 1, 2, 2), 3.0), np.full((1, 1, 2, 2), 4.0)]
    )
    days = [date(2021, 1, 1 + day) for day in range(20)] + [date(2021, 7, 1), date(2022, 8, 1)]
    assert (context_reference(history, days).values == 3).all()


def test_the_season_alone_where_it_has_enough() -> None:
    values = np.repeat([1.0, 2.0], [6, 4])[:, None, None, None]
    days = [date(2021, 1, 10 + day) for day in range(6)] + [date(2020 + year, 7, 5) for year in range(4)]
    assert context_reference(values, days, near=date(2025, 8, 1)).values == 2
    assert context_reference(values, days, near=date(2025, 12, 31)).values == 1
    assert context_reference(values[:9], days[:9], near=date(2025, 8, 1)).values == 1.5


def test_gaps_are_left_out_and_counted() -> None:
    rng = np.random.default_rng(0)
    history = rng.normal(size=(6, 2, 4, 5)).astype(np.float32)
    history[:3, 1, 0] = np.nan
    history[:, :, 3, 4] = np.nan
    reference = context_reference(history, [date(2021, 5, day) for day in range(1, 7)])
    expected = np.nanmedian(np.where(np.isfinite(history), history, np.nan)[:, :, :3], axis=0)
    np.testing.assert_allclose(reference.values[:, :3], expected, rtol=1e-6)
    assert np.isnan(reference.values[:, 3, 4]).all()
    assert reference.count[0].tolist() == [3] * 5 and reference.count[3].tolist() == [6, 6, 6, 6, 0]


def test_a_day_for_each_image() -> None:
    with pytest.raises(ValueError, match="a day for each"):
        context_reference(np.zeros((2, 1, 3, 3)), [date(2021, 1, 1)])
    with pytest.raises(ValueError, match="a day for each"):
        context_reference(np.zeros((0, 1, 3, 3)), [])
