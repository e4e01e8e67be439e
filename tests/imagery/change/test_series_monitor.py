from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from geo.grid import Grid
from imagery.change.packed import pack, unpack
from imagery.change.seriesmonitor import (
    FIT_AT_LOOKS,
    Expected,
    Ready,
    Refused,
    SeriesMonitor,
    Step,
)
from imagery.change.state import (
    KEPT_LOOKS,
    MAX_HISTORY,
    NO_LOOKS,
    HistoryLook,
    LookKey,
    SiteState,
    chained,
)
from imagery.change.statestore import CHECKPOINTS_KEPT, StateStore
from imagery.errors import ArchiveError, ImageError
from imagery.model import AcquisitionGeometry, Chip, Scene

SIDE = 6
GRID = Grid.from_json(
    {
        "site_id": "a-market",
        "crs": "EPSG:32652",
        "transform": [10.0, 0.0, 280_000.0, 0.0, -10.0, 4_440_000.0],
        "shape": [SIDE, SIDE],
    }
)
ORBITS = ("3-descending", "46-descending")
WINDOW = (slice(1, 4), slice(2, 6))


def chip_of(number: int, *, step_days: int = 9, shift: int = 0) -> Chip:
    """Make the look of a number: a season, an orbit's offset, noise, a fifth of it hidden."""
    rng = np.random.default_rng([number, shift])
    acquired = datetime(2019, 1, 5, 2, tzinfo=UTC) + timedelta(days=step_days * number, minutes=shift)
    level = 2000 + 400 * np.cos(2 * np.pi * acquired.toordinal() / 365.25) + 50 * (number % 2)
    dn = level + rng.normal(0, 60, (2, SIDE, SIDE)) + 100 * np.arange(SIDE)
    clear = rng.random((SIDE, SIDE)) > 0.2
    return Chip(
        grid=GRID,
        solar_day=acquired.date(),
        acquired=acquired,
        day_only=False,
        platform="S2A",
        series="s2",
        scene_ids=(f"scene-{number}-{shift}",),
        bands=("red", "nir"),
        dn=dn.astype(np.uint16),
        scale=1e-4,
        valid=np.ones((SIDE, SIDE), dtype=np.bool_),
        clear=clear,
        classes=np.where(clear, 1, 5).astype(np.uint8),
        mask_scheme="scl",
        geometry=AcquisitionGeometry(ORBITS[number % 2]),
    )


class Shelf:
    """The chips of an archive; counts how often one is read."""

    def __init__(self, chips: list[Chip]) -> None:
        self.chips = {LookKey.of(chip).id: chip for chip in chips}
        self.reads = 0

    def __call__(self, look: HistoryLook) -> Chip:
        self.reads += 1
        return self.chips[look.key.id]


def begun(chips: list[Chip], **options: Any) -> SeriesMonitor:  # noqa: ANN401 - the monitor's own
    return SeriesMonitor(SiteState.fresh(chips[0], window=WINDOW), Shelf(chips), **options)


def taken(monitor: SeriesMonitor, chips: list[Chip]) -> Iterator[Step]:
    """Take looks as a judge does: some are hidden, some are suspect, one is a change."""
    for chip in chips:
        number = int(chip.scene_ids[0].split("-")[1])
        if number % 7 == 3:
            monitor.pass_over(chip)
            continue
        step = monitor.monitor(chip)
        monitor.state.note({"judged": number, "track": (1, 2.5)})
        monitor.state.arrays["peak"] = step.z.max(axis=0)
        if number % 11 == 5:
            monitor.state.mark([chip.solar_day], stable=False)
        if number == 17:
            changed = np.zeros((SIDE, SIDE), dtype=np.bool_)
            changed[2, 3:5] = True
            monitor.state.restart(changed, chip.solar_day)
        yield step


LOOKS = [chip_of(number) for number in range(30)]


def said(step: Step) -> tuple[object, ...]:
    arrays = (
        step.residual,
        step.variance,
        step.z,
        step.ewma_z(),
        step.monitored.above,
        step.expected.leverage,
    )
    return (
        step.key,
        step.looks,
        step.order,
        step.fitted,
        step.orbit_known,
        *(each.tobytes() for each in arrays),
    )


class Outcome:
    """What all looks leave, and what they said."""

    def __init__(self, data: bytes, steps: list[tuple[object, ...]]) -> None:
        self.data = data
        self.steps = steps


@pytest.fixture(scope="module")
def in_one_go() -> Outcome:
    monitor = begun(LOOKS)
    steps = [said(step) for step in taken(monitor, LOOKS)]
    return Outcome(monitor.state.to_bytes(), steps)


@given(st.sets(st.integers(0, len(LOOKS))))
@settings(max_examples=25)
def test_restarts_between_looks_change_no_bit(in_one_go: Outcome, cuts: set[int]) -> None:
    state = SiteState.fresh(LOOKS[0], window=WINDOW)
    steps: list[tuple[object, ...]] = []
    edges = [0, *sorted(cuts), len(LOOKS)]
    for start, stop in pairwise(edges):
        state = SiteState.from_bytes(state.to_bytes())
        steps += [said(step) for step in taken(SeriesMonitor(state, Shelf(LOOKS)), LOOKS[start:stop])]
    assert state.to_bytes() == in_one_go.data
    assert steps == in_one_go.steps


def test_what_a_step_says_follows_from_the_model_before_it() -> None:
    monitor = begun(LOOKS)
    fits = []
    for chip in LOOKS:
        before = monitor.state.model
        step = monitor.monitor(chip)
        fits += [step.clear] * step.fitted
        assert step.fitted == (monitor.state.model is not before)
        if monitor.state.model is None:
            assert step.looks == 0 and np.isnan(step.residual).all() and step.clear < 6
            continue
        predicted, leverage = monitor.state.model.predict(chip.solar_day, chip.geometry.orbit)
        expected = chip.values() - predicted
        assert np.array_equal(step.residual, expected, equal_nan=True)
        assert np.allclose(step.variance, monitor.state.model.sigma**2 * (1 + leverage), equal_nan=True)
        assert np.allclose(step.z, expected / np.sqrt(step.variance), equal_nan=True, atol=1e-4)
    assert fits == [6, 9, 12, 18, 24]
    report = monitor.report()
    assert (report.seen, report.clear, report.looks, report.order) == (30, 30, 24, 2)
    assert report.orbits == ORBITS and report.fitted_on == LOOKS[24].solar_day
    assert report.last == LookKey.of(LOOKS[-1])


def test_between_fits_a_look_reads_no_other_chip_however_long_the_history() -> None:
    chips = [chip_of(number, step_days=5) for number in range(170)]
    shelf = Shelf(chips)
    monitor = SeriesMonitor(SiteState.fresh(chips[0]), shelf)
    sizes, fits = [], []
    for number, chip in enumerate(chips):
        before = shelf.reads
        step = monitor.monitor(chip)
        read = shelf.reads - before
        assert read == (min(number, MAX_HISTORY) + min(number, KEPT_LOOKS) if step.fitted else 0)
        fits += [number] * step.fitted
        sizes.append(len(monitor.state.to_bytes()))
    assert fits[:9] == list(FIT_AT_LOOKS)
    assert fits[9:] == []  # the last fit was at look 120, 250 days before the end
    assert max(sizes[125:]) - min(sizes[125:]) < 100  # digits of numbers
    chips = [chip_of(number, step_days=40) for number in range(40)]
    monitor = begun(chips)
    fits = [step.clear for step in taken(monitor, chips) if step.fitted]
    assert np.diff(fits).max() <= 10  # every year


def test_suspect_looks_are_fitted_to_no_model_and_count_again_when_cleared() -> None:
    seen = []
    for stable in (True, False):
        monitor = begun(LOOKS)
        for chip in LOOKS[:12]:
            monitor.monitor(chip)
        monitor.state.mark([chip.solar_day for chip in LOOKS[8:12]], stable=False)
        monitor.state.mark([LOOKS[9].solar_day], stable=stable)
        step = monitor.monitor(LOOKS[12])
        assert step.fitted
        seen.append(step.looks)
    assert seen == [9, 8]


def test_a_restart_begins_anew_where_the_change_is_and_nowhere_else() -> None:
    monitor = begun(LOOKS)
    for chip in LOOKS[:20]:
        monitor.monitor(chip)
    changed = np.zeros((SIDE, SIDE), dtype=np.bool_)
    changed[3, 2] = True
    monitor.state.restart(changed, LOOKS[18].solar_day)
    step = monitor.monitor(LOOKS[20])
    assert step.fitted and step.looks == 20
    unknown = np.isnan(step.expected.predicted[0])
    assert np.array_equal(unknown, changed)
    assert np.isnan(step.z[:, changed]).all() and not monitor.state.monitored.updates[changed].any()
    days, kept = monitor.state.kept_residuals()
    assert [day for day, _ in days] == [chip.solar_day for chip in LOOKS[13:21]]
    assert np.isnan(kept[:, :, 2, 0]).all() and np.isfinite(kept[:, :, 0, 0]).any()
    for chip in LOOKS[21:30]:
        step = monitor.monitor(chip)
    assert np.isfinite(step.expected.predicted[:, changed]).all()
    assert monitor.state.model is not None and monitor.state.model.count[changed] < 12


def test_the_kept_residuals_are_those_of_the_latest_looks_on_the_window() -> None:
    monitor = begun(LOOKS)
    steps = [monitor.monitor(chip) for chip in LOOKS[:30]]
    days, kept = monitor.state.kept_residuals()
    assert days == [(step.day, step.orbit) for step in steps[-KEPT_LOOKS:]]
    since_the_fit = np.stack([step.z[:, 1:4, 2:6] for step in steps[24:]])
    assert np.array_equal(kept[2:], since_the_fit, equal_nan=True)


def test_kept_looks_are_set_against_the_model_without_themselves() -> None:
    # The identity behind it holds for least squares; Huber's caps move it by little on Gaussian noise.
    chips = [chip_of(number, step_days=13) for number in range(24)]
    monitor = begun(chips)
    for chip in chips:
        monitor.monitor(chip)
    monitor.fit(date(2020, 1, 1))
    model = monitor.state.model
    assert model is not None
    _, kept = monitor.state.kept_residuals()
    assert np.nanstd(kept) == pytest.approx(1.0, abs=0.25)
    days = [chip.solar_day for chip in chips]
    values = np.stack([chip.values() for chip in chips])
    values[20] = np.nan
    from imagery.change.harmonics import fit  # noqa: PLC0415 - what a model without the look says

    without = fit(values, days, [chip.geometry.orbit for chip in chips], resolution=1e-4)
    predicted = without.predict(days[20], chips[20].geometry.orbit)[0]
    _, leverage = model.predict(days[20], chips[20].geometry.orbit)
    expected = (chips[20].values() - predicted) / (model.sigma / np.sqrt(1 - leverage))
    ours, theirs = kept[4], expected[:, 1:4, 2:6]
    both = np.isfinite(ours) & np.isfinite(theirs)
    assert both.sum() > 10
    assert np.corrcoef(ours[both], theirs[both])[0, 1] > 0.98


def shifting(chip: Chip, expected: Expected | None, note: dict[str, Any] | None) -> Ready | Refused:
    """Prepare by an offset from the prediction that is noted, and used again as it was."""
    if chip.scene_ids[0].endswith("-4-0") or chip.scene_ids[0].endswith("-15-0"):
        return Refused("hazy")
    values = chip.values()
    if note is None and expected is None:
        return Ready(values)
    offset = float(np.nanmedian(values - expected.predicted)) if note is None and expected else None
    noted = {"offset": offset} if note is None else note
    return Ready(values - np.float32(noted["offset"]), np.float32(1e-6), noted)  # type: ignore[arg-type]


def test_a_preparation_is_made_once_and_then_again_as_it_was() -> None:
    calls: list[tuple[str, dict[str, Any] | None]] = []

    def prepare(chip: Chip, expected: Expected | None, note: dict[str, Any] | None) -> Ready | Refused:
        calls.append((chip.scene_ids[0], note))
        return shifting(chip, expected, note)

    monitor = begun(LOOKS, prepare=prepare)
    steps = [monitor.monitor(chip) for chip in LOOKS[:24]]
    refused = [step for step in steps if step.refused]
    assert [step.refused for step in refused] == ["hazy", "hazy"]
    assert all(np.isnan(step.z).all() for step in refused)
    assert monitor.state.clear == 22 and monitor.state.seen == 24
    assert all(look.note for look in monitor.state.history)
    calls.clear()
    monitor.fit(date(2020, 1, 1))
    assert calls and all(note is not None for _, note in calls)
    again = SeriesMonitor(SiteState.from_bytes(monitor.state.to_bytes()), Shelf(LOOKS), prepare=shifting)
    again.fit(date(2020, 1, 1))
    assert again.state.to_bytes() == monitor.state.to_bytes()


def test_a_chip_that_cant_be_read_leaves_the_state_as_it_was() -> None:
    def broken(look: HistoryLook) -> Chip:
        if look.day == LOOKS[7].solar_day:
            raise ArchiveError("gone")
        return Shelf(LOOKS)(look)

    monitor = SeriesMonitor(SiteState.fresh(LOOKS[0]), broken)
    for chip in LOOKS[:9]:
        monitor.monitor(chip)
    before = monitor.state.to_bytes()
    with pytest.raises(ArchiveError, match="gone"):
        monitor.monitor(LOOKS[9])
    assert monitor.state.to_bytes() == before


def test_looks_out_of_order_or_of_another_lattice_are_refused() -> None:
    monitor = begun(LOOKS)
    monitor.monitor(LOOKS[3])
    before = monitor.state.to_bytes()
    for chip in (
        LOOKS[2],
        LOOKS[3],
        replace(LOOKS[5], series="l8"),
        replace(LOOKS[5], bands=("red", "blue")),
    ):
        for method in (monitor.monitor, monitor.pass_over):
            take: Callable[[Chip], object] = method
            with pytest.raises(ImageError):
                take(chip)
    assert monitor.state.to_bytes() == before


# States on disk


def stored(store: StateStore, chips: list[Chip]) -> tuple[SiteState, int]:
    """Take up what is stored, take the looks that are missing, store."""
    found = store.resume(GRID, "s2", [LookKey.of(chip) for chip in chips])
    state = found.state or SiteState.fresh(chips[0], window=WINDOW)
    monitor = SeriesMonitor(state, Shelf(chips), checkpoint=lambda each: store.checkpoint(each, GRID))
    for _ in taken(monitor, chips[found.position :]):
        pass
    store.save(state, GRID)
    return state, found.position


def test_a_late_scene_is_replayed_from_the_last_checkpoint_before_it(tmp_path: Path) -> None:
    store = StateStore(tmp_path)
    assert stored(store, LOOKS[:20])[1] == 0
    assert stored(store, LOOKS)[1] == 20
    assert stored(store, LOOKS)[1] == 30
    checkpoints = store.checkpoints(GRID, "s2")
    assert len(checkpoints) == CHECKPOINTS_KEPT
    positions = sorted(int(path.stem) for path in checkpoints)
    for late in (28, positions[-1] + 1, positions[0], 2):
        with_late = sorted([*LOOKS, chip_of(late, shift=40)], key=lambda chip: chip.acquired)
        fresh = StateStore(tmp_path / f"fresh-{late}")
        expected, _ = stored(fresh, with_late)
        ours = StateStore(tmp_path / f"ours-{late}")
        for path in [store.path(GRID, "s2"), *checkpoints]:
            copy = ours.path(GRID, "s2").parent / path.relative_to(store.path(GRID, "s2").parent)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
        state, position = stored(ours, with_late)
        assert position == max([at for at in [*positions, 30] if at <= late + 1], default=0)
        assert state.to_bytes() == expected.to_bytes()


def test_other_settings_replaced_scenes_and_damage_are_not_taken_up(tmp_path: Path) -> None:
    store = StateStore(tmp_path)
    stored(store, LOOKS)
    keys = [LookKey.of(chip) for chip in LOOKS]
    assert store.resume(GRID, "s2", keys).position == 30
    replaced = [*keys[:29], replace(keys[29], content="another")]
    assert 0 < store.resume(GRID, "s2", replaced).position < 30
    assert store.resume(GRID, "s2", keys[:29]).position < 30
    other = store.resume(GRID, "s2", keys, settings="other")
    assert other.state is None and "other settings" in other.passed_over[0]
    path = store.path(GRID, "s2")
    path.write_bytes(path.read_bytes()[:-1])
    found = store.resume(GRID, "s2", keys)
    assert 0 < found.position < 30 and "no whole state" in found.passed_over[0]
    with pytest.raises(ArchiveError, match=r"a-market.*no whole state.*[Dd]elete") as caught:
        store.load(GRID, "s2")
    assert caught.value.where.file == str(path)
    store.drop(GRID, "s2")
    assert store.load(GRID, "s2") is None and store.resume(GRID, "s2", keys).state is None
    assert not store.checkpoints(GRID, "s2")


def test_a_look_is_named_by_its_scenes_before_a_pixel_is_read() -> None:
    early, late = (
        Scene(
            id=f"scene-{number}",
            platform="S2A",
            series="s2",
            acquired=datetime(2020, 1, 1, 2, number, tzinfo=UTC),
            day_only=False,
            bands=(),
            mask=None,
            mask_scheme="scl",
            footprint=shapely.box(127, 38, 128, 39),
            content_sha=f"sha-{number}",
        )
        for number in (1, 2)
    )
    key = LookKey.of_scenes([late, early])
    assert key == LookKey(early.acquired, "scene-1+scene-2", "sha-1+sha-2")
    assert LookKey.of_scenes([early]) < key


def test_a_state_goes_through_bytes_exactly(in_one_go: Outcome) -> None:
    state = SiteState.from_bytes(in_one_go.data)
    assert state.to_bytes() == in_one_go.data
    assert state.notes == {"judged": 29, "track": [1, 2.5]}
    assert state.arrays["peak"].shape == (SIDE, SIDE)
    assert chained([LookKey.of(chip) for chip in LOOKS]) == state.chain != NO_LOOKS


@given(st.data())
@settings(max_examples=60)
def test_damaged_bytes_are_refused(in_one_go: Outcome, data: st.DataObject) -> None:
    good = in_one_go.data
    place = data.draw(st.integers(0, len(good) - 1) | st.integers(0, 300))
    flipped = bytearray(good)
    flipped[place] ^= data.draw(st.integers(1, 255))
    for bad in (bytes(flipped), good[:place], good + b"\0", good[place:] if place else b""):
        with pytest.raises(ArchiveError):
            SiteState.from_bytes(bad)


@given(
    st.sampled_from(
        ["bands", "window", "history", "ring_days", "last", "fitted_on", "model", "seen", "version", "notes"]
    ),
    st.none()
    | st.integers(-3, 2**40)
    | st.text(max_size=3)
    | st.lists(st.integers(-(2**40), 2**40), max_size=3),
)
@settings(max_examples=30)
def test_well_packed_nonsense_is_refused_or_harmless(in_one_go: Outcome, name: str, value: object) -> None:
    values, arrays = unpack(in_one_go.data)
    try:
        state = SiteState.from_bytes(pack({**values, name: value}, arrays))
    except ArchiveError:
        return
    assert isinstance(state.to_bytes(), bytes)


def test_arrays_that_claim_more_than_there_is_are_refused() -> None:
    values, arrays = unpack(pack({"a": 1}, {"x": np.arange(6, dtype=np.int32).reshape(2, 3)}))
    assert values == {"a": 1} and arrays["x"].tolist() == [[0, 1, 2], [3, 4, 5]]
    with pytest.raises(TypeError):
        pack({}, {"x": np.array(["text"])})
    frame: dict[str, NDArray[Any]] = {"start": np.zeros((2, 2), dtype=np.int32)}
    with pytest.raises(ArchiveError):
        SiteState.from_bytes(pack({"version": 1}, frame))
