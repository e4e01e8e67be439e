from __future__ import annotations

from collections import Counter
from datetime import date, timedelta

import numpy as np

from imagery.simulate.population import ROOF_CONTRAST, Population, random_specs
from imagery.simulate.spec import ChangeKind, GroundKind


def test_kinds_modes_and_sizes_come_equally_often() -> None:
    among = Population(sizes_m=((10.0, 10.0), (20.0, 20.0)), frame_px=64)
    specs = random_specs(48, np.random.default_rng(0), quiet=False, population=among)
    combinations = Counter(
        (spec.ground, spec.footprint is None, spec.changes[0].place.area_m2) for spec in specs
    )
    assert len(combinations) == 6 * 2 * 2
    assert set(combinations.values()) == {2}
    assert len({spec.site_id for spec in specs}) == 48
    assert [spec.ground for spec in specs[:6]] == list(GroundKind)


def test_quiet_sites_have_no_change() -> None:
    specs = random_specs(12, np.random.default_rng(0), quiet=True)
    assert all(spec.quiet for spec in specs)
    assert sum(spec.footprint is not None for spec in specs) == 6


def test_changes_fall_after_the_warm_up_and_where_the_site_is_watched() -> None:
    among = Population(start=date(2020, 1, 1), end=date(2023, 12, 31), warm_up_days=400)
    specs = random_specs(120, np.random.default_rng(2), quiet=False, population=among)
    days = [spec.changes[0].day for spec in specs]
    assert min(days) >= date(2020, 1, 1) + timedelta(days=400)
    assert max(days) <= date(2023, 11, 2)
    assert np.ptp([day.toordinal() for day in days]) > 800
    for spec in specs:
        place = spec.changes[0].place
        if spec.footprint is not None:
            assert place == spec.footprint
        else:
            assert abs(place.east_m) + place.width_m / 2 <= spec.search_side_m / 2
            assert abs(place.south_m) + place.height_m / 2 <= spec.search_side_m / 2
        assert spec.changes[0].contrast == ROOF_CONTRAST


def test_materials_instead_of_contrasts_draw_every_kind() -> None:
    among = Population(contrasts=(None,))
    specs = random_specs(60, np.random.default_rng(3), quiet=False, population=among)
    assert {spec.changes[0].kind for spec in specs} == set(ChangeKind)
    assert all(spec.changes[0].contrast is None for spec in specs)
