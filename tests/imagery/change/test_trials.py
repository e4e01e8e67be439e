from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from affine import Affine
from odc.geo.geobox import GeoBox
from shapely.geometry import Point, box

from geo.grid import Grid
from imagery.change.detector import Detector, DetectorMaker, Found, Judged
from imagery.change.injection import blurred_rectangle, planted
from imagery.change.median_detector import MedianDetector
from imagery.change.site_detector import SiteDetector
from imagery.change.spec import WatchSpec
from imagery.change.tracks import Alarm, Change, Level
from imagery.change.trials import LISTED, Trial, run_trial
from imagery.model import Chip, Outcome

SIDE = 24
GRID = Grid("site", GeoBox((SIDE, SIDE), Affine(10, 0, 500000, 0, -10, 4400000), "EPSG:32652"))
START = date(2021, 1, 4)
BUILT = date(2023, 4, 1)
CHANGE = Change(BUILT, BUILT, 3600.0, 0.15)


def chip(day: date, rng: np.random.Generator, *, clear: bool = True) -> Chip:
    acquired = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
    ground = np.linspace(800, 2400, 2 * SIDE * SIDE).reshape(2, SIDE, SIDE)
    return Chip(
        grid=GRID,
        solar_day=day,
        acquired=acquired,
        day_only=False,
        platform="s2a",
        series="sentinel-2",
        scene_ids=(str(day),),
        bands=("red", "nir"),
        dn=np.rint(ground + rng.normal(0, 30, ground.shape)).astype(np.uint16),
        scale=1e-4,
        valid=np.ones((SIDE, SIDE), dtype=bool),
        clear=np.full((SIDE, SIDE), clear),
        classes=np.zeros((SIDE, SIDE), dtype=np.uint8),
        mask_scheme="scl",
        simulated=True,
    )


def spec() -> WatchSpec:
    weights = np.zeros((SIDE, SIDE), dtype=np.float32)
    weights[9:15, 9:15] = 1
    return WatchSpec(weights, pixel_area_m2=100.0)


def trial(*, change: Change | None = None, cloudy_every: int = 9) -> Trial:
    rng = np.random.default_rng(3)
    days = [START + timedelta(days=12 * k) for k in range(86)]
    chips = tuple(chip(day, rng, clear=k % cloudy_every != 0) for k, day in enumerate(days))
    first = date(2022, 12, 15)
    ground = None
    if change is not None:
        share = blurred_rectangle((SIDE, SIDE), centre_px=(12.0, 12.0), size_px=(6.0, 6.0))
        chips = planted(chips, share, (0.15, 0.10), first_day=change.first_day)
        ground = GRID.to_lonlat(box(500090, 4399850, 500150, 4399910))
    return Trial(
        site_id="site",
        mode=LISTED,
        spec=spec(),
        history=tuple(each for each in chips if each.solar_day < first),
        monitored=tuple(each for each in chips if each.solar_day >= first),
        site_years=1.0,
        change=change,
        ground=ground,
    )


class Scripted:
    """A `Detector` that learns for two looks and then says what it was told to say."""

    def __init__(self, spec: WatchSpec, *, mode: str, found: Sequence[Found] = ()) -> None:
        self.spec, self.mode, self.found = spec, mode, tuple(found)
        self.calls: list[str] = []

    def fit(self, history: Sequence[Chip]) -> None:
        self.calls.append(f"fit {len(history)}")

    def monitor(self, chip: Chip) -> Judged:
        self.calls.append("monitor")
        if len(self.calls) <= 3:
            return Judged(chip.solar_day, Outcome.LEARNING, None)
        if not chip.clear.any():
            return Judged(chip.solar_day, Outcome.OBSCURED, None)
        return Judged(chip.solar_day, Outcome.UNCHANGED, 1.0)

    def report(self) -> tuple[Found, ...]:
        return self.found


def conforms(_made: DetectorMaker) -> None:
    """Let the type checker prove that both detectors fit the seam."""


conforms(Scripted)
conforms(MedianDetector)
conforms(SiteDetector)


def test_a_record_holds_the_clear_looks_and_what_was_said_of_them() -> None:
    put = trial()
    detector: Detector = Scripted(put.spec, mode=LISTED)
    track = run_trial(put, detector)
    clear = [each for each in put.monitored if each.clear.any()]
    assert track.days == tuple(each.solar_day for each in clear)
    assert [math.isnan(score) for score in track.scores[:3]] == [True, True, False]
    assert track.site_years == pytest.approx(1 - 2 / len(clear))
    assert track.history_looks == sum(each.clear.any() for each in put.history)
    assert (track.stratum, track.change) == (LISTED, None)


def test_an_alarm_must_cover_the_change_or_touch_the_pixel_beside_it() -> None:
    put = trial(change=CHANGE)
    centre = GRID.to_grid(put.ground or Point()).centroid
    day = put.monitored[-1].solar_day
    places = {
        "on it": GRID.to_lonlat(centre.buffer(5)),
        "beside it": GRID.to_lonlat(Point(centre.x + 38, centre.y).buffer(2)),
        "off it": GRID.to_lonlat(Point(centre.x + 60, centre.y).buffer(5)),
        "nowhere": None,
    }
    found = [Found(Alarm(day), place) for place in places.values()]
    track = run_trial(put, Scripted(put.spec, mode=LISTED, found=found))
    assert [alarm.on_change for alarm in track.alarms] == [True, True, False, True]


def test_the_median_judge_finds_a_planted_change_and_nothing_where_none_is() -> None:
    put = trial(change=CHANGE)
    track = run_trial(put, MedianDetector(put.spec, mode=LISTED))
    found = track.detected(Level.CONFIRMED)
    assert found is not None
    after = track.looks_after_change()
    assert (found.day, found.probable, found.confirmed) == after[:3]
    assert found.bracket is not None
    assert found.bracket[0] < BUILT <= found.bracket[1]
    assert 3600 < (found.area_m2 or 0) < 7200  # this judge takes the blur for roof
    quiet = run_trial(trial(), MedianDetector(put.spec, mode=LISTED))
    assert [alarm for alarm in quiet.alarms if alarm.confirmed] == []
    assert max(s for s in quiet.scores if math.isfinite(s)) < max(s for s in track.scores if math.isfinite(s))


def test_a_single_look_is_a_candidate_that_was_retracted() -> None:
    put = trial(change=CHANGE)
    quiet = trial()
    once = next(c.solar_day for c in put.monitored if c.clear.any() and c.solar_day >= BUILT)
    chips = tuple(
        with_change if with_change.solar_day == once else without
        for with_change, without in zip(put.monitored, quiet.monitored, strict=True)
    )
    glint = Trial("glint", LISTED, put.spec, put.history, chips, 1.0)
    track = run_trial(glint, MedianDetector(put.spec, mode=LISTED))
    assert [(alarm.day, alarm.retracted, alarm.probable) for alarm in track.alarms] == [(once, once, None)]


def test_a_blurred_rectangle_keeps_its_area_and_is_placed_by_its_centre() -> None:
    share = blurred_rectangle((40, 40), centre_px=(20.3, 17.8), size_px=(1.2, 1.7))
    assert share.sum() == pytest.approx(1.2 * 1.7, rel=1e-4)
    rows, columns = (np.arange(40) + 0.5 for _ in range(2))
    assert (share.sum(axis=1) @ rows) / share.sum() == pytest.approx(20.3, abs=5e-3)
    assert (share.sum(axis=0) @ columns) / share.sum() == pytest.approx(17.8, abs=5e-3)
    wide = blurred_rectangle((40, 40), centre_px=(20, 20), size_px=(20, 20))
    assert wide[20, 20] == pytest.approx(1)
    market = blurred_rectangle((9, 9), centre_px=(4.5, 4.5), size_px=(1.2, 1.7))
    assert market.max() == pytest.approx(0.66, abs=0.02)  # the known peak of a market of 12 m x 17 m


def test_planting_adds_reflectance_from_the_first_day_and_says_so() -> None:
    chips = trial().monitored[:2]
    share = np.full((SIDE, SIDE), 0.5, dtype=np.float32)
    before, after = planted(chips, share, (0.02, -1.0), first_day=chips[1].solar_day)
    assert before is chips[0]
    np.testing.assert_array_equal(after.dn[0], chips[1].dn[0] + 100)
    assert (after.dn[1] == 0).all()
    assert after.simulated
    with pytest.raises(ValueError, match="3 contrasts for the bands red, nir"):
        planted(chips, share, (0.1, 0.1, 0.1), first_day=BUILT)
