from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from affine import Affine
from shapely.geometry import Point, box

from geo.grid import grid_box_lonlat, site_grid
from imagery.errors import ImageError
from imagery.masks import unmasked_classes
from imagery.model import NO_MASK, AcquisitionGeometry, BandFile, Chip, Scene
from imagery.provider import NO_LIMITS, Limits, solar_days, within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geo.dates import Span
    from geo.grid import Grid
    from imagery.provider import Provider

SINUIJU_LON = 124.4


def scene(scene_id: str, acquired: datetime, series: str = "sentinel-2", *, day_only: bool = False) -> Scene:
    transform = Affine(10.0, 0.0, 0.0, 0.0, -10.0, 0.0)
    band = BandFile("red", "/red.tif", "EPSG:32652", transform, (1, 1), 0.0, 1e-4, 0.0)
    footprint = box(124.0, 40.0, 125.0, 41.0)
    return Scene(scene_id, series, series, acquired, day_only, (band,), None, NO_MASK, footprint, "0" * 64)


class FakeProvider:
    """Scenes from memory; each pixel of a chip holds the number of its scenes."""

    def __init__(self, scenes: Sequence[Scene]) -> None:
        self.scenes = tuple(scenes)

    def search(self, grid: Grid, span: Span | None = None, limits: Limits = NO_LIMITS) -> tuple[Scene, ...]:
        frame = grid_box_lonlat(grid)
        lon = frame.centroid.x
        found = [
            scene
            for scene in self.scenes
            if scene.footprint.intersects(frame) and (span is None or span.contains(scene.solar_day(lon)))
        ]
        return within(found, limits, lon)

    def read(self, grid: Grid, scenes: Sequence[Scene], bands: Sequence[str] | None = None) -> Chip:
        first, names = scenes[0], tuple(bands or ("red",))
        all_valid = np.ones(grid.shape, dtype=np.bool_)
        return Chip(
            grid=grid,
            solar_day=first.solar_day(SINUIJU_LON),
            acquired=first.acquired,
            day_only=first.day_only,
            platform=first.platform,
            series=first.series,
            scene_ids=tuple(scene.id for scene in scenes),
            bands=names,
            dn=np.full((len(names), *grid.shape), len(scenes), dtype=np.uint16),
            scale=None,
            valid=all_valid,
            clear=all_valid,
            classes=unmasked_classes(all_valid),
            mask_scheme=NO_MASK,
        )


if TYPE_CHECKING:

    def conforms(fake: FakeProvider) -> Provider:
        return fake


def test_a_day_is_the_local_one_and_a_pass_over_midnight_utc_is_one_group() -> None:
    before = scene("a", datetime(2019, 1, 26, 23, 59, tzinfo=UTC))
    after = scene("b", datetime(2019, 1, 27, 0, 1, tzinfo=UTC))
    groups = solar_days([after, before], SINUIJU_LON)
    assert groups == {(date(2019, 1, 27), "sentinel-2"): (before, after)}
    assert len(solar_days([after, before], 0.0)) == 2


def test_series_are_kept_apart_and_the_order_is_fixed() -> None:
    noon = datetime(2019, 1, 27, 3, tzinfo=UTC)
    scenes = [scene("c", noon, "landsat-tm"), scene("b", noon), scene("a", noon)]
    groups = solar_days(scenes, SINUIJU_LON)
    assert [key[1] for key in groups] == ["landsat-tm", "sentinel-2"]
    assert [found.id for found in groups[date(2019, 1, 27), "sentinel-2"]] == ["a", "b"]


def test_a_scene_of_a_day_keeps_it() -> None:
    day = scene("a", datetime(2019, 1, 27, 12, tzinfo=UTC), day_only=True)
    assert list(solar_days([day], 179.0)) == [(date(2019, 1, 27), "sentinel-2")]


def test_the_fake_does_what_a_provider_does() -> None:
    noon = datetime(2019, 1, 27, 3, tzinfo=UTC)
    fake = FakeProvider([scene("a", noon)])
    near = site_grid("a", Point(124.4, 40.1).buffer(0.001), crs="EPSG:32652", resolution_m=10.0)
    far = site_grid("b", Point(127.4, 40.1).buffer(0.001), crs="EPSG:32652", resolution_m=10.0)
    assert [found.id for found in fake.search(near)] == ["a"]
    assert fake.search(far) == ()
    assert fake.read(near, fake.search(near)).dn.max() == 1


def taken(
    day: int, cloud: float | None, orbit: str = "", series: str = "sentinel-2", second: int = 0
) -> Scene:
    moment = datetime(2019, 1, day, 3, 0, second, tzinfo=UTC)
    made = scene(f"{series}-{day}-{second}", moment, series)
    return replace(made, cloud_percent=cloud, geometry=AcquisitionGeometry(orbit))


SCENES = (
    taken(1, 10.0, "3-descending"),
    taken(2, 90.0, "46-descending"),
    taken(3, None, "3"),
    taken(3, None, "127-ascending", "sentinel-1"),
    taken(4, 95.0, "3-descending"),
    taken(4, 20.0, "3-descending", second=4),
    taken(5, 30.0),
)


@pytest.mark.parametrize(
    ("limits", "kept"),
    [
        (NO_LIMITS, "1 2 3 3r 4 4 5"),
        (Limits(max_cloud_percent=100.0), "1 2 3 3r 4 4 5"),
        (Limits(max_cloud_percent=20.0), "1 3 3r 4 4"),  # both tiles of the fourth: one of them is clear
        (Limits(max_cloud_percent=19.9), "1 3 3r"),  # nobody has said how cloudy the third is
        (Limits(relative_orbit=3), "1 3 4 4"),
        (Limits(orbit_state="descending"), "1 2 4 4"),  # the third doesn't say
        (Limits(orbit_state="ascending"), "3r"),
        (Limits(max_days=1), "3r 5"),  # the last of each series
        (Limits(max_days=2, relative_orbit=3), "3 4 4"),
        (Limits(max_days=9), "1 2 3 3r 4 4 5"),
        (Limits(relative_orbit=99), ""),
    ],
)
def test_limits_leave_out_what_would_be_one_chip_as_a_whole(limits: Limits, kept: str) -> None:
    found = within(SCENES, limits, SINUIJU_LON)
    names = [f"{it.acquired.day}{'r' if it.series == 'sentinel-1' else ''}" for it in found]
    assert " ".join(names) == kept
    assert within(found, limits, SINUIJU_LON) == found


@pytest.mark.parametrize(
    "limits",
    [
        {"max_cloud_percent": -1.0},
        {"max_cloud_percent": 101.0},
        {"max_cloud_percent": float("nan")},
        {"relative_orbit": 0},
        {"max_days": 0},
        {"orbit_state": "sideways"},
    ],
)
def test_limits_that_can_not_be_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ImageError) as caught:
        Limits(**limits)
    assert caught.value.where.field == next(iter(limits))
