from __future__ import annotations

import copy
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox

from geo.grid import Grid
from imagery.change.card import Card, plain
from imagery.change.detectable_words import SECTION, sizes_in
from imagery.change.sitejudge import SiteJudge
from imagery.change.spec import WatchSpec
from imagery.change.templates import square
from imagery.masks import SceneClass
from imagery.model import AcquisitionGeometry, Chip, DetectionState, Look, Outcome

SIDE = 48
GRID = Grid("yard", GeoBox((SIDE, SIDE), Affine(10, 0, 737_680, 0, -10, 4_324_420), "EPSG:32651"))
BANDS = ("green", "red", "nir", "swir16")
GROUND = np.array([0.08, 0.09, 0.20, 0.22], dtype=np.float32)
ROOF = np.array([0.13, 0.15, 0.10, 0.08], dtype=np.float32)
FIRST = date(2021, 1, 4)
PLACE = (22, 25)


def days(count: int, step: int = 15) -> list[date]:
    return [FIRST + timedelta(days=step * number) for number in range(count)]


def chip(
    day: date, *, roof: float = 0.0, spoilt: float = 0.0, cloud: float = 0.0, side_px: float = 2.0
) -> Chip:
    """Return a chip of textured ground whose nir has a season; noise and haze are drawn from the day."""
    rng = np.random.default_rng(day.toordinal())
    texture = np.random.default_rng(7).normal(0, 0.02, (len(BANDS), SIDE, SIDE))
    turn = 2 * np.pi * (day.timetuple().tm_yday - 200) / 365.25
    values = GROUND[:, None, None] + texture
    values[2] += 0.05 * np.cos(turn)
    values += rng.normal(0, 0.004, (len(BANDS), 1, 1)) + rng.normal(0, 0.006, values.shape)
    fractions = square(side_px).fractions
    reach = fractions.shape[0] // 2
    rows, columns = (slice(at - reach, at + reach + 1) for at in PLACE)
    values[:, rows, columns] += roof * ROOF[:, None, None] * fractions
    values[:, 20:26, 22:30] += spoilt
    clear = np.ones((SIDE, SIDE), dtype=np.bool_)
    clear[:, : round(cloud * SIDE)] = False
    classes = np.where(clear, SceneClass.CLEAR, SceneClass.CLOUD).astype(np.uint8)
    return Chip(
        grid=GRID,
        solar_day=day,
        acquired=datetime.combine(day, time(2, 30), UTC),
        day_only=False,
        platform="sentinel-2a",
        series="sentinel-2",
        scene_ids=(f"s-{day}",),
        bands=BANDS,
        dn=np.clip(np.rint(values * 1e4), 0, 65535).astype(np.uint16),
        scale=1e-4,
        valid=np.ones_like(clear),
        clear=clear,
        classes=classes,
        mask_scheme="scl",
        geometry=AcquisitionGeometry("89-descending"),
        simulated=True,
    )


def spec(**rules: float) -> WatchSpec:
    weights = np.zeros((SIDE, SIDE), dtype=np.float32)
    weights[14:34, 14:34] = 1
    return WatchSpec(weights, pixel_area_m2=100.0, min_history=12, max_history=72, **rules)  # type: ignore[arg-type]


def judge_of(rules: WatchSpec | None = None) -> SiteJudge:
    return SiteJudge(rules or spec(), GRID, series="sentinel-2", bands=BANDS, scale=1e-4)


def judged(judge: SiteJudge, chips: Sequence[Chip]) -> list[Look]:
    return [judge.monitor(each) for each in chips]


@pytest.fixture(scope="module")
def taught() -> Callable[[], SiteJudge]:
    """Return a maker of judges that were shown 30 quiet chips."""
    judge = judge_of()
    judged(judge, [chip(day) for day in days(30)])
    return lambda: copy.deepcopy(judge)


def later(number: int) -> date:
    return days(31 + number)[-1]


def test_a_site_learns_and_stays_unchanged() -> None:
    judge = judge_of()
    looks = judged(judge, [chip(day) for day in days(36)])
    assert [look.outcome for look in looks[:12]] == [Outcome.LEARNING] * 12
    outcomes = [look.outcome for look in looks[20:]]
    assert outcomes.count(Outcome.UNCHANGED) == len(outcomes)
    assert judge.report() == ()
    last = looks[-1]
    assert last.score is not None and last.threshold is not None and last.score < last.threshold
    assert "nothing stands out" in last.reason and last.history >= 24


def test_a_roof_is_raised_followed_confirmed_and_then_part_of_the_site(
    taught: Callable[[], SiteJudge],
) -> None:
    judge = taught()
    states = []
    for number in range(6):
        look = judge.monitor(chip(later(number), roof=1.0))
        assert look.outcome is Outcome.CHANGED
        states.append([found.state for found in judge.report()])
        # Three looks show it by then, within six weeks.
        assert (f"a look from {later(5)} on can confirm it" in look.reason) == (number in {3, 4})
    assert states[0] == []
    candidate, probable, confirmed = (
        DetectionState.CANDIDATE,
        DetectionState.PROBABLE,
        DetectionState.CONFIRMED,
    )
    assert states[1:] == [[candidate], [probable], [probable], [probable], [confirmed]]
    (found,) = judge.report()
    assert found.bracket == f"{days(30)[-1]}/{later(0)}"
    low, high = (date.fromisoformat(text) for text in found.date_interval_90.split("/"))
    assert found.last_without < low <= high <= found.first_with
    assert found.area_interval_m2 is not None
    assert found.area_interval_m2[0] <= 400 <= found.area_interval_m2[1]
    assert found.kind.startswith("new bright roof (NDVI ")
    assert found.direction["red"] == pytest.approx(0.15, rel=0.35)
    assert found.p_value is None and found.simulated
    after = judge.monitor(chip(later(6), roof=1.0))
    assert after.outcome is Outcome.UNCHANGED
    assert judge.report() == (found,)


def test_what_changed_by_hardly_anything_is_nothing_that_was_built() -> None:
    weights = np.zeros((SIDE, SIDE), dtype=np.float32)
    weights[21:25, 24:28] = 1
    judge = judge_of(WatchSpec(weights, pixel_area_m2=100.0, is_listed=True, min_history=12, max_history=72))
    judged(judge, [chip(day) for day in days(30)])
    looks = judged(judge, [chip(later(number), roof=0.12, side_px=8.0) for number in range(8)])
    assert judge.report() == ()
    assert any("and what is built by 0.03" in look.reason for look in looks)


def test_one_spoilt_look_is_changed_and_no_detection(taught: Callable[[], SiteJudge]) -> None:
    judge = taught()
    look = judge.monitor(chip(later(0), spoilt=0.2))
    assert look.outcome is Outcome.CHANGED and "no look before it agrees" in look.reason
    rest = judged(judge, [chip(later(number)) for number in range(1, 8)])
    assert {each.outcome for each in rest} == {Outcome.UNCHANGED}
    assert judge.report() == ()


def test_places_that_stand_out_together_need_a_third_look(taught: Callable[[], SiteJudge]) -> None:
    def spotted(day: date) -> Chip:
        plain_ = chip(day)
        dn = plain_.dn.copy()
        for row, column in ((17, 17), (17, 29), (29, 17)):
            dn[:, row : row + 2, column : column + 2] += np.array(ROOF * 1e4, dtype=np.uint16)[:, None, None]
        return replace(plain_, dn=dn)

    judge = taught()
    looks = judged(judge, [spotted(later(number)) for number in range(2)])
    assert [look.outcome for look in looks] == [Outcome.CHANGED] * 2
    assert "no third look shows it yet" in looks[1].reason and judge.report() == ()
    judge.monitor(spotted(later(2)))
    assert len(judge.report()) == 3


def test_a_change_that_goes_again_is_retracted(taught: Callable[[], SiteJudge]) -> None:
    judge = taught()
    judged(judge, [chip(later(number), roof=1.0) for number in range(3)])
    (found,) = judge.report()
    assert found.state is DetectionState.PROBABLE
    judged(judge, [chip(later(number)) for number in range(3, 5)])
    (gone,) = judge.report()
    assert (gone.id, gone.state) == (found.id, DetectionState.RETRACTED)


def test_a_faint_roof_builds_up(taught: Callable[[], SiteJudge]) -> None:
    judge = taught()
    looks = judged(judge, [chip(later(number), roof=0.3) for number in range(16)])
    live = [found for found in judge.report() if found.state is not DetectionState.RETRACTED]
    assert live and live[0].first_with >= later(0)
    assert any("built up" in look.reason or "agree" in look.reason for look in looks)


def test_a_look_through_cloud_says_nothing_and_leaves_nothing(taught: Callable[[], SiteJudge]) -> None:
    clear, cloudy = taught(), taught()
    look = cloudy.monitor(chip(later(0), cloud=0.8))
    assert look.outcome is Outcome.OBSCURED and "of the footprint is clear" in look.reason
    assert clear.monitor(chip(later(1))) == cloudy.monitor(chip(later(1)))


def test_a_frame_that_moved_as_a_whole_says_nothing(taught: Callable[[], SiteJudge]) -> None:
    hazy = chip(later(0))
    hazy = replace(hazy, dn=(hazy.dn * 0.2 + 4000).astype(np.uint16))
    look = taught().monitor(hazy)
    assert look.outcome is Outcome.OBSCURED and "the whole frame moved" in look.reason


def test_snow_on_the_place_holds_the_alarm(taught: Callable[[], SiteJudge]) -> None:
    judge = taught()
    number = next(n for n in range(20) if later(n).month == 1)
    white = chip(later(number), roof=1.0)
    classes = white.classes.copy()
    classes[8:40, 30:46] = SceneClass.SNOW
    looks = judged(judge, [replace(white, classes=classes), replace(white, classes=classes)])
    assert {look.outcome for look in looks} == {Outcome.OBSCURED}
    assert "snow" in looks[0].reason and judge.report() == ()


def test_a_season_that_was_never_seen_is_learnt_first() -> None:
    judge = judge_of()
    spring = [date(year, 4, 1) + timedelta(days=5 * step) for year in (2020, 2021, 2022) for step in range(8)]
    judged(judge, [chip(day) for day in spring])
    look = judge.monitor(chip(date(2022, 9, 1)))
    assert look.outcome is Outcome.LEARNING and "day of the year" in look.reason


def test_a_replay_says_the_same(taught: Callable[[], SiteJudge]) -> None:
    chips = [chip(later(number), roof=float(number > 1)) for number in range(6)]
    one, other = taught(), judge_of()
    judged(other, [chip(day) for day in days(30)])
    assert judged(one, chips) == judged(other, chips)
    assert one.report() == other.report() != ()


def test_history_given_at_once_is_history_all_the_same() -> None:
    judge = judge_of()
    judge.fit([chip(day, cloud=0.8 * (number == 3)) for number, day in enumerate(days(30))])
    assert judge.monitor(chip(later(0))).outcome is Outcome.UNCHANGED
    judged(judge, [chip(later(number), roof=1.0) for number in range(1, 3)])
    assert [found.state for found in judge.report()] == [DetectionState.CANDIDATE]


def test_a_drawn_building_is_looked_at_as_a_whole() -> None:
    weights = np.zeros((SIDE, SIDE), dtype=np.float32)
    weights[21:24, 24:27] = np.outer([0.5, 1, 0.5], [0.5, 1, 0.5])
    rules = WatchSpec(weights, pixel_area_m2=100.0, is_listed=True, min_history=12, max_history=72)
    judge = judge_of(rules)
    judged(judge, [chip(day) for day in days(30)])
    looks = judged(judge, [chip(later(number), roof=0.6) for number in range(6)])
    assert {look.outcome for look in looks} == {Outcome.CHANGED}
    (found,) = judge.report()
    assert found.state is DetectionState.CONFIRMED
    assert found.area_m2 < 1000
    assert "the drawn footprint" in looks[-1].reason


def test_what_is_too_small_to_be_asked_for_is_not_reported() -> None:
    judge = judge_of(spec(min_area_m2=5000.0))
    judged(judge, [chip(day) for day in days(30)])
    looks = judged(judge, [chip(later(number), roof=1.0) for number in range(3)])
    assert judge.report() == ()
    assert "below the 5,000 m2 asked for" in looks[-1].reason


def test_chips_that_cannot_be_compared_are_refused(taught: Callable[[], SiteJudge]) -> None:
    judge = taught()
    for other in (
        replace(chip(later(0)), scale=None),
        replace(chip(later(0)), series="landsat"),
        replace(chip(later(0)), bands=BANDS[::-1]),
        replace(chip(later(0)), grid=Grid("other", GRID.geobox)),
    ):
        with pytest.raises(ValueError, match="another grid"):
            judge.monitor(other)


def test_the_card_holds_what_the_outcome_rests_on(taught: Callable[[], SiteJudge]) -> None:
    judge = taught()
    looks = judged(judge, [chip(later(number), roof=1.0) for number in range(2)])
    card = looks[-1].card
    assert card is not None
    document = card.to_json()
    assert Card.from_json(json.loads(json.dumps(document))) == card
    assert document["outcome"] == "Changed" and document["why"] == [looks[-1].reason]
    sections = document["sections"]
    assert sections["agreed"]["score"] > sections["agreed"]["threshold"]
    assert sections["agreed"]["looks"] == [str(later(0)), str(later(1))]
    assert sections["clear"]["needed_of_footprint"] == 0.5
    (case,) = sections["cases"].values()
    assert case["state"] == "candidate" and case["bracket"].endswith(str(later(0)))
    text = card.text()
    assert "because a change of" in text and "threshold" in text and "alignment" in text


def test_a_card_knows_no_number_that_is_not_one() -> None:
    assert plain([float("inf"), np.float32(0.25), np.int64(3), True]) == [None, 0.25, 3.0, True]


def test_an_unchanged_look_says_down_to_which_size_and_one_that_learns_does_not(
    taught: Callable[[], SiteJudge],
) -> None:
    judge = taught()
    looks = judged(judge, [chip(later(number)) for number in range(4)])
    sections = [look.card.sections[SECTION] for look in looks if look.card is not None]
    for look, each in zip(looks, sections, strict=True):
        sizes = sizes_in(each)
        assert look.outcome is Outcome.UNCHANGED
        assert sizes is not None and 5 <= sizes.half_m <= sizes.nine_m < 80
        assert look.reason.endswith("of a bright roof (red +0.15, nir +0.10) in 4 clear looks")
        assert look.card is not None and look.card.why[-1] in look.reason
    # Worked out once a fit.
    assert len({json.dumps(each) for each in sections}) < len(sections)
    assert judged(taught(), [chip(later(number)) for number in range(4)]) == looks
    learning = judge_of().monitor(chip(FIRST))
    assert learning.card is not None and SECTION not in learning.card.sections
    assert "roof" not in learning.reason


def test_counts_without_a_scale_are_told_no_size() -> None:
    judge = SiteJudge(spec(), GRID, series="sentinel-2", bands=BANDS, scale=None)
    looks = judged(judge, [replace(chip(day), scale=None) for day in days(31)])
    assert looks[-1].outcome is Outcome.UNCHANGED
    assert looks[-1].card is not None and SECTION not in looks[-1].card.sections
