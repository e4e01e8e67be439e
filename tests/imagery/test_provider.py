from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import numpy as np
from affine import Affine
from shapely.geometry import Point, box

from geo.grid import grid_box_lonlat, site_grid
from imagery.masks import unmasked_classes
from imagery.model import NO_MASK, BandFile, Chip, Scene
from imagery.provider import solar_days

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

    def search(self, grid: Grid, span: Span | None = None) -> tuple[Scene, ...]:
        frame = grid_box_lonlat(grid)
        lon = frame.centroid.x
        return tuple(
            scene
            for scene in self.scenes
            if scene.footprint.intersects(frame) and (span is None or span.contains(scene.solar_day(lon)))
        )

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
