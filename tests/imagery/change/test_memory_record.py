"""What a judge knows goes through bytes exactly, and looks cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from odc.geo.geobox import GeoBox

from geo.grid import Grid
from imagery.change.card import Card
from imagery.change.case_record import plain
from imagery.change.memory import Memory
from imagery.change.memory_record import parts_of, remembered, told
from imagery.change.packed import name_of, pack, unpack
from imagery.change.sitejudge import SiteJudge
from imagery.change.spec import WatchSpec
from imagery.change.templates import square
from imagery.errors import StateError
from imagery.masks import SceneClass
from imagery.model import AcquisitionGeometry, Chip, DetectionState, Outcome

SIDE = 32
GRID = Grid("yard", GeoBox((SIDE, SIDE), Affine(10, 0, 737_680, 0, -10, 4_324_420), "EPSG:32651"))
BANDS = ("green", "red", "nir")
SHAPE = (len(BANDS), SIDE, SIDE)
FIRST = date(2021, 1, 4)
LOOKS = 44


def chip(number: int) -> Chip:
    """Return one of a series: moved a little, hazy at times; a roof flickers once, then comes to stay."""
    rng = np.random.default_rng(number)
    day = FIRST + timedelta(days=15 * number)
    texture = np.random.default_rng(7).normal(0, 0.02, (len(BANDS), SIDE + 8, SIDE + 8))
    texture = np.sum([np.roll(texture, (a, b), (1, 2)) for a in (0, 1) for b in (0, 1)], axis=0)
    dx = int(rng.random() < 0.3)
    values = np.array([0.08, 0.09, 0.20])[:, None, None] + texture[:, 4 : 4 + SIDE, 4 + dx : 4 + dx + SIDE]
    values *= 1 + 0.05 * rng.normal()
    values += rng.normal(0, 0.006, SHAPE)
    if number in {22, 23} or number >= 32:
        fractions = square(2.0).fractions
        reach = fractions.shape[0] // 2
        part = slice(16 - reach, 17 + reach)
        values[:, part, part] += np.array([0.13, 0.15, 0.10])[:, None, None] * fractions
    clear = np.ones((SIDE, SIDE), dtype=np.bool_)
    clear[:, : int(rng.choice([0, 0, 4, 24]))] = False
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
        classes=np.where(clear, SceneClass.CLEAR, SceneClass.CLOUD).astype(np.uint8),
        mask_scheme="scl",
        geometry=AcquisitionGeometry(("89-descending", "46-descending")[number % 2]),
        processing_baseline="05.10" if number < 30 else "05.11",
        simulated=True,
    )


CHIPS = [chip(number) for number in range(LOOKS)]
BY_DAY = {each.solar_day: each for each in CHIPS}


@dataclass
class Drawer:
    """A shelf in memory."""

    parts: dict[str, bytes] = field(default_factory=dict)

    def put(self, data: bytes) -> str:
        name = name_of(data)
        self.parts[name] = data
        return name

    def get(self, name: str) -> bytes:
        if name not in self.parts:
            raise StateError("gone")
        return self.parts[name]


def judge_of(memory: Memory | None = None, chips: Callable[[date], Chip] = BY_DAY.__getitem__) -> SiteJudge:
    weights = np.zeros((SIDE, SIDE), dtype=np.float32)
    weights[10:23, 10:23] = 1
    spec = WatchSpec(weights, pixel_area_m2=100.0, min_history=12, max_history=24)
    return SiteJudge(spec, GRID, series="sentinel-2", bands=BANDS, scale=1e-4, memory=memory, chips=chips)


def packed(judge: SiteJudge, drawer: Drawer) -> bytes:
    return pack(*told(judge.memory, drawer))


def restarted(judge: SiteJudge, drawer: Drawer, chips: Callable[[date], Chip]) -> SiteJudge:
    values, arrays = unpack(packed(judge, drawer))
    return judge_of(remembered(values, arrays, drawer, SHAPE, chips), chips)


def said(judge: SiteJudge, chips: Sequence[Chip]) -> list[Any]:
    return [(judge.monitor(each), judge.report()) for each in chips]


@dataclass(frozen=True)
class Course:
    told: list[Any]
    data: bytes
    drawer: Drawer
    judge: SiteJudge


@pytest.fixture(scope="module")
def at_once() -> Course:
    judge, drawer = judge_of(), Drawer()
    return Course(said(judge, CHIPS), packed(judge, drawer), drawer, judge)


def test_the_series_has_all_that_a_memory_may_hold(at_once: Course) -> None:
    memory = at_once.judge.memory
    assert {look.outcome for look, _ in at_once.told} == set(Outcome) - {Outcome.FAILED}
    assert any(found.state is DetectionState.CONFIRMED for found in at_once.judge.report())
    assert memory.rebased and memory.learned and memory.kept
    assert any(len(look.recipe.steps) == 2 for look in memory.past)
    assert any(kept.whole.gone is not None for kept in memory.kept)


@given(st.sets(st.integers(1, LOOKS - 1), max_size=6))
@settings(max_examples=4, deadline=None)
def test_restarts_anywhere_change_no_bit(at_once: Course, cuts: set[int]) -> None:
    judge, drawer, found = judge_of(), Drawer(), []
    edges = [0, *sorted(cuts), LOOKS]
    for start, stop in pairwise(edges):
        found += said(judge, CHIPS[start:stop])
        judge = restarted(judge, drawer, BY_DAY.__getitem__)
    assert repr(found) == repr(at_once.told)
    assert packed(judge, drawer) == at_once.data


def test_a_restart_after_every_look_changes_no_bit_and_reads_chips_for_refits_alone(at_once: Course) -> None:
    reads: list[date] = []

    def read(day: date) -> Chip:
        reads.append(day)
        return BY_DAY[day]

    judge, drawer, found, counts = judge_of(), Drawer(), [], []
    for each in CHIPS:
        before, fitted = len(reads), judge.memory.fitted_at
        found += said(judge, [each])
        counts.append((judge.memory.fitted_at != fitted, len(reads) - before))
        judge = restarted(judge, drawer, read)
    assert repr(found) == repr(at_once.told)
    assert packed(judge, drawer) == at_once.data
    quiet = [count for (fits, count), (look, _) in zip(counts, found, strict=True) if not fits]
    assert sum(count == 0 for count in quiet) > 0.8 * len(quiet)
    # Where something stands out, the kept looks' surroundings are made again.
    assert max(quiet) <= 8
    assert max(count for _, count in counts) <= 24 + 8


def test_the_cards_of_the_looks_are_what_was_judged(at_once: Course) -> None:
    cards = [look.card for look, _ in at_once.told]
    assert all(isinstance(card, Card) for card in cards[-5:])


def test_residuals_of_the_whole_frame_are_made_again_to_the_bit(at_once: Course) -> None:
    again = restarted(at_once.judge, at_once.drawer, BY_DAY.__getitem__)
    for kept, other in zip(at_once.judge.memory.kept, again.memory.kept, strict=True):
        one, two = kept.residuals, other.residuals
        assert one.drifts is not None
        assert two.drifts is not None
        assert one.values.tobytes() == two.values.tobytes()
        assert one.variance.tobytes() == two.variance.tobytes()
        assert one.drifts.tobytes() == two.drifts.tobytes()
        window = again._frame.window
        assert np.array_equal(one.part(window).values, other.now.values, equal_nan=True)


def test_a_copy_stays_as_it_was(at_once: Course) -> None:
    judge, drawer = judge_of(), Drawer()
    said(judge, CHIPS[:20])
    before, copied = packed(judge, drawer), judge.memory.copy()
    rest = said(judge, CHIPS[20:])
    assert pack(*told(copied, drawer)) == before
    assert repr(said(judge_of(copied), CHIPS[20:])) == repr(rest) == repr(at_once.told[20:])


def test_the_parts_are_named(at_once: Course) -> None:
    values, _ = unpack(at_once.data)
    assert parts_of(values) <= at_once.drawer.parts.keys()
    fresh, _ = told(judge_of().memory, Drawer())
    assert parts_of(fresh) == set()


def test_a_part_that_is_gone_or_another_is_said_when_it_is_needed(at_once: Course) -> None:
    values, arrays = unpack(at_once.data)
    other = Drawer({name: pack({}, {}) for name in at_once.drawer.parts})
    for drawer in (Drawer(), other):
        judge = judge_of(remembered(values, arrays, drawer, SHAPE, BY_DAY.__getitem__))
        with pytest.raises(StateError):
            judge.monitor(next(each for each in CHIPS[::-1] if each.clear.all()))


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_damaged_bytes_are_refused(at_once: Course, data: st.DataObject) -> None:
    good = at_once.data
    place = data.draw(st.integers(0, len(good) - 1) | st.integers(0, 300))
    flipped = bytearray(good)
    flipped[place] ^= data.draw(st.integers(1, 255))
    for bad in (bytes(flipped), good[:place], good + b"\0", good[place:] if place else b""):
        with pytest.raises(StateError):
            unpack(bad)


NONSENSE = (
    st.none() | st.integers(-3, 2**40) | st.text(max_size=3) | st.lists(st.integers(-5, 2**40), max_size=3)
)


@given(st.data(), NONSENSE)
@settings(max_examples=60, deadline=None)
def test_well_packed_nonsense_is_refused_or_harmless(
    at_once: Course, data: st.DataObject, value: object
) -> None:
    values, arrays = unpack(at_once.data)
    name = data.draw(st.sampled_from(sorted(values)))
    try:
        memory = remembered({**values, name: value}, arrays, at_once.drawer, SHAPE, BY_DAY.__getitem__)
    except StateError:
        return
    assert memory.copy() is not memory


def test_arrays_that_claim_more_than_there_is_are_refused() -> None:
    values, arrays = unpack(pack({"a": 1}, {"x": np.arange(6, dtype=np.int32).reshape(2, 3)}))
    assert values == {"a": 1}
    assert arrays["x"].tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(TypeError):
        pack({}, {"x": np.array(["text"])})


def test_only_what_can_be_read_back_is_written() -> None:
    assert plain((1.5, float("inf"), date(2020, 1, 2))) == [1.5, "inf", "2020-01-02"]
    with pytest.raises(TypeError):
        plain(np.float32(1))
