from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from imagery.masks import CLEAR_CLASSES, SceneClass
from imagery.simulate.materials import BANDS
from imagery.simulate.population import ROOF_CONTRAST, Population, random_specs
from imagery.simulate.site import SimulatedSite, simulate_site, site_rng
from imagery.simulate.spec import (
    Change,
    ChangeKind,
    Difficulty,
    GroundKind,
    Rectangle,
    SiteSpec,
)

if TYPE_CHECKING:
    from imagery.simulate.site import SimulatedLook

EASY = Difficulty(
    shift_sd_px=0.0,
    shift_outliers=0.0,
    clouds=False,
    mask_faults=False,
    snow=False,
    dust=False,
    two_orbits=False,
    radiometry=0.0,
)
DAY = date(2022, 3, 1)


def spec(**fields: object) -> SiteSpec:
    usual: dict[str, object] = {
        "site_id": "a",
        "ground": GroundKind.RURAL,
        "frame_px": 32,
        "start": date(2021, 7, 1),
        "end": date(2022, 6, 30),
        "search_side_m": 100.0,
    }
    return SiteSpec(**{**usual, **fields})  # type: ignore[arg-type]


def roof(width_m: float, height_m: float, **fields: object) -> Change:
    place = Rectangle(width_m, height_m, 3.3, -4.1)
    usual: dict[str, object] = {"kind": ChangeKind.NEW_ROOF, "place": place, "day": DAY}
    return Change(**{**usual, "contrast": ROOF_CONTRAST, **fields})  # type: ignore[arg-type]


def simulated(given: SiteSpec, seed: int = 5) -> SimulatedSite:
    return simulate_site(given, np.random.default_rng(seed))


def same(a: SimulatedLook, b: SimulatedLook) -> bool:
    return (
        np.array_equal(a.chip.dn, b.chip.dn)
        and np.array_equal(a.chip.classes, b.chip.classes)
        and a.truth.acquisition == b.truth.acquisition
    )


def test_the_same_specification_and_generator_give_the_same_site() -> None:
    first, second = simulated(spec()), simulated(spec())
    numbers = range(0, len(first.acquisitions), 9)
    assert all(same(first.look(number), second.look(number)) for number in numbers)


def test_dates_may_be_made_in_any_order() -> None:
    site = simulated(spec())
    numbers = [20, 3, 41]
    alone = [site.look(number) for number in numbers]
    whole = list(site.looks())
    assert all(same(look, whole[number]) for number, look in zip(numbers, alone, strict=True))
    assert [look.truth.acquisition.acquired for look in whole] == sorted(look.chip.acquired for look in whole)


def test_sites_of_a_population_do_not_depend_on_each_other() -> None:
    many = random_specs(5, np.random.default_rng(1), quiet=True, population=Population(frame_px=32))
    fewer = random_specs(3, np.random.default_rng(1), quiet=True, population=Population(frame_px=32))
    assert many[:3] == fewer
    assert same(
        simulate_site(many[2], site_rng(9, many[2].site_id)).look(7),
        simulate_site(fewer[2], site_rng(9, fewer[2].site_id)).look(7),
    )
    assert not same(
        simulate_site(many[2], site_rng(9, "one")).look(7), simulate_site(many[2], site_rng(9, "two")).look(7)
    )


@pytest.mark.parametrize("ground", GroundKind)
def test_a_change_is_all_that_two_sites_differ_in(ground: GroundKind) -> None:
    given = spec(ground=ground, frame_px=48)
    quiet, changed = simulated(given), simulated(replace(given, changes=(roof(30, 30),)))
    seen = 0
    for number in range(0, len(quiet.acquisitions), 6):
        before, after = quiet.look(number), changed.look(number)
        assert before.truth.acquisition == after.truth.acquisition
        differs = (before.chip.dn != after.chip.dn).any(axis=0)
        day = before.chip.solar_day
        assert not before.truth.change.any()
        if day < DAY or before.truth.acquisition.overcast:
            assert not differs.any()
            assert (after.truth.change > 0).any() == (day >= DAY)
        else:
            far = np.ones((48, 48), dtype=np.bool_)
            far[11:37, 11:37] = False  # the 20 m bands and a shift reach far
            hidden = before.truth.cloud[changed.mixing[0] > 0.5].min() > 0.9
            assert differs.any() or hidden
            seen += not hidden
            assert not differs[far].any()
    assert seen


def test_a_planted_contrast_has_the_right_size_place_and_day() -> None:
    change = roof(30, 20)
    given = spec(difficulty=EASY, changes=(change,))
    quiet, changed = simulated(replace(given, changes=())), simulated(given)
    assert changed.mixing[0].sum() * 100 == pytest.approx(600, rel=1e-4)
    assert changed.weights(change.place).sum() * 100 == pytest.approx(600, rel=1e-6)
    row, column = np.indices(changed.mixing[0].shape)
    assert np.average(column, weights=changed.mixing[0]) == pytest.approx(15.5 + 0.33, abs=1e-3)
    assert np.average(row, weights=changed.mixing[0]) == pytest.approx(15.5 - 0.41, abs=1e-3)
    for number, acquisition in enumerate(changed.acquisitions):
        if abs((acquisition.day - DAY).days) < 12:
            before, after = quiet.look(number).chip, changed.look(number).chip
            added = (after.dn.astype(int) - before.dn.astype(int)).sum(axis=(1, 2)) * 1e-4 * 100
            expected = 600 * np.array(ROOF_CONTRAST) * (acquisition.day >= DAY)
            # Shadows of houses and the direction of the light leave contrasts as they are given.
            assert np.allclose(added, expected, rtol=0.1, atol=0.3), BANDS


def test_a_ramp_comes_day_by_day() -> None:
    change = roof(30, 30, ramp_days=99)
    assert [change.progress(DAY + timedelta(days=days)) for days in (-1, 0, 49, 99, 500)] == [
        0.0,
        0.01,
        0.5,
        1.0,
        1.0,
    ]


@pytest.mark.parametrize("kind", ChangeKind)
def test_a_change_of_material_is_seen_from_its_day_on(kind: ChangeKind) -> None:
    # Cleared ground is not told from a field that is bare in March anyway.
    before = "grass" if kind is ChangeKind.CLEARED else None
    change = Change(kind, Rectangle(60, 60), DAY, before=before)
    site = simulated(spec(difficulty=EASY, changes=(change,)))
    inside = site.weights(Rectangle(40, 40)) == 1
    seen = {
        look.chip.solar_day: look.chip.values()[:, inside].mean(axis=1)
        for look in site.looks()
        if abs((look.chip.solar_day - DAY).days) < 9
    }
    without = np.array([values for day, values in seen.items() if day < DAY])
    shown = np.array([values for day, values in seen.items() if day >= DAY])
    assert len(without) and len(shown)
    assert np.abs(shown.mean(axis=0) - without.mean(axis=0)).max() > 0.02
    assert np.ptp(without, axis=0).max() < 0.02


def test_what_is_cloud_is_never_called_clear_without_faults_in_the_mask() -> None:
    site = simulated(spec(difficulty=Difficulty(mask_faults=False)))
    covered = 0
    for look in site.looks():
        truth = np.maximum(look.truth.cloud, look.truth.shadow)
        covered += int((truth > 0.1).sum())
        assert truth[look.chip.clear].max(initial=0.0) < 0.1
        assert not look.chip.clear.any() or not look.truth.acquisition.overcast
    assert covered > 10_000


def test_a_mask_with_faults_misses_some_cloud_and_covers_most() -> None:
    site = simulated(spec(frame_px=64, end=date(2023, 6, 30)))
    truth = np.stack([np.maximum(look.truth.cloud, look.truth.shadow) for look in site.looks()])
    clear = np.stack([look.chip.clear for look in site.looks()])
    assert 0.001 < (truth[clear] > 0.1).mean() < 0.1
    thick = np.stack([look.truth.cloud > 0.7 for look in site.looks()])
    assert clear[thick].mean() < 0.01


def test_clear_is_what_the_classes_and_their_rim_say() -> None:
    site = simulated(spec())
    for look in site.looks():
        chip = look.chip
        assert np.isin(chip.classes[chip.clear], CLEAR_CLASSES).all()
        assert chip.simulated and chip.credit and chip.valid.all()
        assert chip.geometry.orbit and chip.geometry.sun_zenith_deg == look.truth.acquisition.sun_deg[0]


def test_snow_lies_in_winter_alone() -> None:
    site = simulated(spec(lat=41.5, lon=128.0, difficulty=Difficulty(clouds=False), end=date(2024, 6, 30)))
    months = {
        look.chip.solar_day.month
        for look in site.looks()
        if (look.chip.classes == SceneClass.SNOW).mean() > 0.2
    }
    assert months
    assert months <= {11, 12, 1, 2, 3, 4}


def test_about_two_dates_in_five_are_usable() -> None:
    shares = []
    for seed in range(8):
        given = spec(frame_px=16, start=date(2021, 1, 1), end=date(2023, 12, 31))
        shares += [look.chip.clear.mean() > 0.5 for look in simulated(given, seed).looks()]
    assert 0.35 <= np.mean(shares) <= 0.45


def test_shifts_are_as_asked() -> None:
    given = spec(start=date(2000, 1, 1), end=date(2019, 12, 31), difficulty=Difficulty(shift_sd_px=0.25))
    shifts = np.array([acquisition.shift_px for acquisition in simulated(given).acquisitions])
    far = np.hypot(*shifts.T) > 1.0
    assert 0.01 < far.mean() < 0.04
    assert shifts[~far].std() == pytest.approx(0.25, rel=0.05)


def test_refuses_what_can_not_be() -> None:
    with pytest.raises(ValueError, match="even"):
        spec(frame_px=33)
    with pytest.raises(ValueError, match="outside the frame"):
        spec(footprint=Rectangle(10, 10, 500, 0))
    with pytest.raises(ValueError, match="no area"):
        Rectangle(0, 10)
    with pytest.raises(ValueError, match="no material"):
        roof(10, 10, before="cheese")
    with pytest.raises(ValueError, match="6 numbers"):
        roof(10, 10, contrast=(0.1,))
