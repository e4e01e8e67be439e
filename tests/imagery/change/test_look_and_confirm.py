from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from geo.area import geodesic_area_m2
from geo.grid import Grid
from imagery.change.confirm import cosine, detections
from imagery.change.look import look_at
from imagery.change.regions import pixels_inside
from imagery.change.spec import WatchSpec
from imagery.masks import SceneClass
from imagery.model import Chip, Detection, DetectionState, Look, Outcome

SIDE = 40
GRID = Grid("a", GeoBox((SIDE, SIDE), Affine(30, 0, 336375, 0, -30, 4462425), "EPSG:32613"))
FIRST = date(2020, 5, 1)
PATCH = (slice(18, 22), slice(17, 22))


def _spec() -> WatchSpec:
    weights = np.zeros((SIDE, SIDE), dtype=np.float32)
    weights[14:26, 14:26] = 1
    return WatchSpec(weights, pixel_area_m2=900.0)


def _chip(number: int, *, built: bool = False, cloud: float = 0.0, haze: int = 0) -> Chip:
    """One clear day of a field; a building may stand on it, or cloud cover it from the left."""
    ground = np.random.default_rng(0).uniform(500, 3000, (3, SIDE, SIDE))
    noise = np.random.default_rng(1 + number).normal(0, 60, ground.shape)
    if built:
        ground[(slice(None), *PATCH)] += np.array([1200, -400, 1000])[:, None, None]
    clear = np.ones((SIDE, SIDE), dtype=bool)
    clear[:, : int(cloud * SIDE)] = False
    day = FIRST + timedelta(days=3 * number)
    return Chip(
        grid=GRID,
        solar_day=day,
        acquired=datetime(day.year, day.month, day.day, 3, tzinfo=UTC),
        day_only=False,
        platform="landsat-8",
        series="landsat",
        scene_ids=(f"scene-{number}",),
        bands=("red", "nir", "swir16"),
        dn=np.clip(ground + noise + haze, 0, 65535).astype(np.uint16),
        scale=1e-4,
        valid=np.ones((SIDE, SIDE), dtype=bool),
        clear=clear,
        classes=np.where(clear, SceneClass.CLEAR, SceneClass.CLOUD).astype(np.uint8),
        mask_scheme="fmask",
    )


def _run(chips: list[Chip]) -> tuple[list[Look], tuple[Detection, ...]]:
    looks: list[Look] = []
    found: tuple[Detection, ...] = ()
    for position, chip in enumerate(chips):
        looks.append(look_at(chip, chips[:position], found, _spec()))
        found = detections(looks)
    return looks, found


def test_a_quiet_place_learns_and_then_stays_unchanged() -> None:
    looks, found = _run([_chip(n) for n in range(20)])
    assert [look.outcome for look in looks] == [Outcome.LEARNING] * 6 + [Outcome.UNCHANGED] * 14
    assert found == ()
    assert looks[-1].history == 15  # 45 days at one look in three days
    assert "nothing in the footprint is over the threshold" in looks[-1].reason


def test_a_building_is_found_bracketed_and_becomes_the_baseline() -> None:
    looks, found = _run([_chip(n, built=n >= 10) for n in range(24)])
    (detection,) = found
    assert detection.state is DetectionState.CONFIRMED
    assert (detection.last_without, detection.first_with) == (looks[9].solar_day, looks[10].solar_day)
    assert detection.bracket == f"{looks[9].solar_day}/{looks[10].solar_day}"
    assert detection.looks_with == 3 and detection.last_with == looks[12].solar_day
    assert detection.p_value is None
    assert detection.area_m2 == pytest.approx(geodesic_area_m2(detection.geometry))
    truth = np.zeros((SIDE, SIDE), dtype=bool)
    truth[PATCH] = True
    seen = pixels_inside(detection.geometry, GRID)
    assert seen[truth].mean() > 0.8 and seen.sum() <= 42  # 20 pixels and at most a rim of one
    assert detection.direction["red"] > 0.05 and detection.direction["nir"] < 0
    assert [look.outcome for look in looks[10:13]] == [Outcome.CHANGED] * 3
    assert Outcome.CHANGED not in {look.outcome for look in looks[13:]}
    assert looks[-1].outcome is Outcome.UNCHANGED


def test_state_grows_look_by_look_under_one_id() -> None:
    chips = [_chip(n, built=n >= 8) for n in range(11)]
    states, ids = [], set()
    for count in range(8, 12):
        _, found = _run(chips[:count])
        states.append([detection.state for detection in found])
        ids |= {detection.id for detection in found}
    assert states == [[], [], [DetectionState.PROBABLE], [DetectionState.CONFIRMED]]
    assert len(ids) == 1 and next(iter(ids)).startswith("det-")


def test_cloud_between_neither_breaks_nor_counts() -> None:
    looks, found = _run([_chip(n, built=n >= 8, cloud=0.9 if n in {9, 10} else 0.0) for n in range(13)])
    assert [look.outcome for look in looks[9:11]] == [Outcome.OBSCURED] * 2
    assert "10% of the frame" in looks[9].reason or "of the footprint is clear" in looks[9].reason
    assert found[0].looks_with == 3
    assert found[0].first_with == looks[8].solar_day


def test_a_look_that_could_not_see_a_probable_change_does_not_retract_it() -> None:
    chips = [_chip(n, built=n >= 8) for n in range(12)]
    chips[10].clear[17:23, 16:23] = False
    looks, found = _run(chips)
    assert looks[10].outcome is Outcome.OBSCURED and found[0].id in looks[10].reason
    assert found[0].state is DetectionState.CONFIRMED and found[0].last_with == looks[11].solar_day


def test_one_look_is_no_detection_and_two_may_be_retracted() -> None:
    _, once = _run([_chip(n, built=n == 8) for n in range(12)])
    assert once == ()
    looks, twice = _run([_chip(n, built=n in {8, 9}) for n in range(12)])
    assert [detection.state for detection in twice] == [DetectionState.RETRACTED]
    assert twice[0].last_with == looks[9].solar_day


def test_patches_at_different_places_do_not_agree() -> None:
    moved = _chip(9)
    moved.dn[:, 23:26, 23:26] += 1500
    _, found = _run([*(_chip(n, built=n == 8) for n in range(9)), moved, _chip(10)])
    assert found == ()


def test_opposite_directions_do_not_agree() -> None:
    looks, found = _run([_chip(n, built=n >= 8) for n in range(10)])
    assert len(found) == 1
    region = looks[9].regions[0]
    opposite = replace(region, direction={band: -value for band, value in region.direction.items()})
    assert detections([*looks[:9], replace(looks[9], regions=(opposite,))]) == ()


def test_a_faint_look_keeps_the_bracket_open_and_does_not_break() -> None:
    looks, _ = _run([_chip(n, built=n >= 8) for n in range(10)])
    region = looks[8].regions[0]
    faint = replace(looks[7], regions=(replace(region, magnitude=0.7),))
    (detection,) = detections([*looks[:7], faint, *looks[8:]])
    assert detection.last_without == looks[6].solar_day
    later = replace(
        looks[9],
        outcome=Outcome.UNCHANGED,
        solar_day=looks[9].solar_day + timedelta(days=1),
        regions=(replace(region, magnitude=0.7),),
    )
    (kept,) = detections([*looks, later])
    assert kept.state is DetectionState.PROBABLE and kept.looks_with == 2


def test_a_look_that_could_not_have_shown_it_does_not_close_the_bracket() -> None:
    looks, _ = _run([_chip(n, built=n >= 8) for n in range(10)])
    blunt = replace(looks[7], threshold=100.0)
    (detection,) = detections([*looks[:7], blunt, *looks[8:]])
    assert detection.last_without == looks[6].solar_day
    (learned,) = detections([*(replace(look, threshold=100.0) for look in looks[6:8]), *looks[8:]])
    assert learned.last_without == learned.first_with
    (from_baseline,) = detections([*looks[:6], replace(looks[6], threshold=100.0), blunt, *looks[8:]])
    assert from_baseline.last_without == looks[5].solar_day


def test_replay_gives_the_same_answers() -> None:
    chips = [_chip(n, built=n >= 9, cloud=0.8 if n % 5 == 4 else 0.0) for n in range(18)]
    first, again = _run(chips), _run(chips)
    assert first == again
    assert detections(first[0]) == first[1]


def test_detections_of_a_prefix_never_change_what_is_closed() -> None:
    looks, _ = _run([_chip(n, built=n in {8, 9} or n >= 13) for n in range(20)])
    prefixes = [detections(looks[:count]) for count in range(len(looks) + 1)]
    for earlier, later in pairwise(prefixes):
        assert [d.id for d in later[: len(earlier)]] == [d.id for d in earlier]
        closed = [d for d in earlier if d.state in {DetectionState.CONFIRMED, DetectionState.RETRACTED}]
        assert all(d in later for d in closed)


def test_a_hazy_frame_is_obscured_with_its_reason() -> None:
    looks, found = _run([_chip(n, haze=4000 if n == 9 else 0) for n in range(11)])
    assert looks[9].outcome is Outcome.OBSCURED and "whole frame" in looks[9].reason
    assert looks[10].outcome is Outcome.UNCHANGED and found == ()


def test_another_season_is_no_history() -> None:
    chips = [_chip(n) for n in range(8)]
    winter = replace(_chip(40), solar_day=date(2020, 12, 24))
    look = look_at(winter, chips, (), _spec())
    assert look.outcome is Outcome.LEARNING and look.history == 0
    assert "0 earlier clear looks" in look.reason


def test_the_future_is_no_history() -> None:
    chips = [_chip(n) for n in range(12)]
    assert look_at(chips[5], chips, (), _spec()).history == 5


@pytest.mark.parametrize(("name", "value"), [("series", "s2"), ("bands", ("a", "b", "c")), ("scale", None)])
def test_refuses_chips_that_do_not_belong_together(name: str, value: object) -> None:
    other = replace(_chip(0), **{name: value})  # type: ignore[arg-type]  # one field of several types
    with pytest.raises(ValueError, match=name):
        look_at(_chip(1), [other], (), _spec())


def test_refuses_another_grid_and_other_weights() -> None:
    elsewhere = replace(
        _chip(0), grid=Grid("a", GeoBox((SIDE, SIDE), Affine(30, 0, 0, 0, -30, 0), "EPSG:32613"))
    )
    with pytest.raises(ValueError, match="different grids"):
        look_at(_chip(1), [elsewhere], (), _spec())
    with pytest.raises(ValueError, match="weights"):
        look_at(_chip(1), [], (), WatchSpec(np.ones((3, 3), dtype=np.float32), 900.0))


def test_refuses_looks_out_of_order_or_of_two_series() -> None:
    looks, _ = _run([_chip(n) for n in range(3)])
    with pytest.raises(ValueError, match="out of order"):
        detections(looks[::-1])
    with pytest.raises(ValueError, match="folded together"):
        detections([looks[0], replace(looks[1], series="s2")])
    assert detections([]) == ()


def test_cosine() -> None:
    assert cosine({"red": 1.0, "nir": 0.0}, {"red": 0.0, "nir": 1.0}) == 0.0
    assert cosine({}, {"red": 1.0}) == 1.0
