from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from imagery.change.laid import laid_onto_the_model
from imagery.change.seriesmonitor import Expected, Prepare, Ready, Refused, SeriesMonitor
from imagery.change.state import HistoryLook, SiteState
from imagery.model import Chip
from imagery.resampling import shifted
from imagery.shift import Shift
from imagery.simulate.site import simulate_site, site_rng
from imagery.simulate.spec import Difficulty, GroundKind, SiteSpec

EASY = Difficulty(shift_sd_px=0.3, shift_outliers=0.0, clouds=False, snow=False, dust=False)


@pytest.fixture(scope="module")
def chips() -> list[Chip]:
    spec = SiteSpec("quiet", GroundKind.URBAN, start=date(2022, 1, 1), end=date(2022, 7, 30), difficulty=EASY)
    return list(simulate_site(spec, site_rng(1, spec.site_id)).chips())[:30]


def reader(chips: list[Chip]) -> Callable[[HistoryLook], Chip]:
    by_id = {chip.scene_ids[0]: chip for chip in chips}
    return lambda look: by_id[look.key.id]


def monitored(chips: list[Chip], prepare: Prepare) -> SeriesMonitor:
    monitor = SeriesMonitor(SiteState.fresh(chips[0]), reader(chips), prepare=prepare)
    for chip in chips:
        monitor.monitor(chip)
    return monitor


@pytest.fixture(scope="module")
def state(chips: list[Chip]) -> SiteState:
    return monitored(chips, laid_onto_the_model()).state


def test_a_preparation_is_made_again_to_the_bit(chips: list[Chip], state: SiteState) -> None:
    prepare, model = laid_onto_the_model(), state.model
    noted = [look for look in state.history if look.note]
    assert len(noted) > 15 and model is not None
    for look in noted[-3:]:
        chip = reader(chips)(look)
        expected = Expected(*model.predict(look.day, look.orbit), model.sigma)
        first = prepare(chip, expected, None)
        assert isinstance(first, Ready)
        again = prepare(chip, expected, first.note)
        assert isinstance(again, Ready)
        assert again.values.tobytes() == first.values.tobytes() and again.note == first.note


def test_shift_and_scale_are_taken_out(chips: list[Chip], state: SiteState) -> None:
    prepare, model = laid_onto_the_model(), state.model
    assert model is not None
    day, orbit = chips[-1].solar_day, chips[-1].geometry.orbit
    predicted, leverage = model.predict(day, orbit)
    expected = Expected(predicted, np.zeros_like(leverage), model.sigma)
    moved = shifted(predicted, Shift(-0.6, 0.4)) * 1.1 + 0.01  # its content lies 0.6 right, 0.4 up
    dn = np.clip(np.nan_to_num(moved) * 1e4, 0, 65535).astype(np.uint16)
    chip = replace(chips[-1], dn=dn, clear=np.isfinite(moved).all(axis=0))
    ready = prepare(chip, expected, None)
    assert isinstance(ready, Ready) and ready.note is not None
    assert np.allclose(ready.note["shift"][:2], (0.6, -0.4), atol=0.05)
    away = np.nanmedian(np.abs(ready.values - predicted))
    assert away < 0.3 * np.nanmedian(np.abs(chip.values() - predicted))
    assert np.max(ready.extra_variance) > 0


def test_an_unknown_season_is_taken_as_it_is_and_another_ground_is_refused(
    chips: list[Chip], state: SiteState
) -> None:
    prepare, model = laid_onto_the_model(), state.model
    assert model is not None
    predicted, leverage = model.predict(chips[-1].solar_day, chips[-1].geometry.orbit)
    upside_down = predicted[:, ::-1, ::-1].copy()
    for level, kind in ((5.0, Ready), (0.1, Refused), (np.nan, Ready)):
        unlike = Expected(upside_down, np.full_like(leverage, level), model.sigma)
        found = prepare(chips[-1], unlike, None)
        assert isinstance(found, kind)
        if isinstance(found, Ready):
            assert np.array_equal(found.values, chips[-1].values(), equal_nan=True) and found.note is None
    assert isinstance(prepare(chips[-1], None, None), Ready)


def test_restarts_change_no_bit_with_alignment_either(chips: list[Chip], state: SiteState) -> None:
    prepare = laid_onto_the_model()
    again = SiteState.fresh(chips[0])
    for start in range(0, len(chips), 7):
        again = SiteState.from_bytes(again.to_bytes())
        monitor = SeriesMonitor(again, reader(chips), prepare=prepare)
        for chip in chips[start : start + 7]:
            monitor.monitor(chip)
    assert again.to_bytes() == state.to_bytes()
