from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest

from geo.dates import Span
from imagery.archive import Archive
from imagery.local import LocalArchive
from imagery.simulate.archiving import write_archive
from imagery.simulate.materials import BANDS
from imagery.simulate.population import ROOF_CONTRAST
from imagery.simulate.site import SimulatedSite, simulate_site
from imagery.simulate.spec import Change, ChangeKind, Difficulty, GroundKind, Rectangle, SiteSpec

MARKET = Rectangle(17, 12, 1.3, 2.2)


@pytest.fixture(scope="module")
def site() -> SimulatedSite:
    change = Change(ChangeKind.NEW_ROOF, MARKET, date(2022, 2, 1), contrast=ROOF_CONTRAST)
    spec = SiteSpec(
        "kept",
        GroundKind.COAST,
        frame_px=24,
        start=date(2021, 12, 1),
        end=date(2022, 4, 1),
        footprint=MARKET,
        changes=(change,),
        difficulty=Difficulty(unharmonised=0.3),
    )
    return simulate_site(spec, np.random.default_rng(11))


@pytest.fixture(scope="module")
def archive(site: SimulatedSite, tmp_path_factory: pytest.TempPathFactory) -> Archive:
    archive = Archive(tmp_path_factory.mktemp("simulated") / "archive")
    assert len(write_archive([site], archive)) == len(site.acquisitions)
    return archive


def test_chips_read_from_the_archive_are_those_in_memory(site: SimulatedSite, archive: Archive) -> None:
    local = LocalArchive(archive)
    scenes = local.search(site.grid, Span(site.spec.start, site.spec.end))
    chips = [local.read(site.grid, [scene], BANDS) for scene in scenes]
    made = list(site.chips())
    assert len(chips) == len(made) == len(site.acquisitions)
    for read, chip in zip(chips, made, strict=True):
        assert np.array_equal(read.dn, chip.dn)
        assert np.array_equal(read.clear, chip.clear)
        assert np.array_equal(read.classes, chip.classes)
        assert np.array_equal(read.valid, chip.valid)
        for name in ("acquired", "solar_day", "platform", "series", "bands", "scale", "mask_scheme"):
            assert getattr(read, name) == getattr(chip, name), name
        for name in ("clamped_px", "simulated", "credit", "geometry", "processing_baseline"):
            assert getattr(read, name) == getattr(chip, name), name
    assert {chip.processing_baseline for chip in made} == {"03.01", "04.00"}


def test_scenes_say_that_they_are_simulated(archive: Archive) -> None:
    scenes = archive.scenes()
    assert scenes and all(scene.simulated for scene in scenes)
    item = Path(scenes[0].bands[0].path).parent / f"{scenes[0].id}.json"
    assert '"sitewatch:simulated":true' in item.read_text().replace(" ", "")
    assert archive.verify() == ()


def test_counts_are_raised_from_the_baseline_on(site: SimulatedSite, archive: Archive) -> None:
    forgotten = {acquisition.acquired for acquisition in site.acquisitions if acquisition.unharmonised}
    offsets = {scene.acquired: scene.bands[0].offset for scene in archive.scenes()}
    assert forgotten
    for acquired, offset in offsets.items():
        raised = acquired.date() >= date(2022, 1, 25) and acquired not in forgotten
        assert offset == pytest.approx(-0.1 if raised else 0.0)


def test_writing_again_adds_nothing(site: SimulatedSite, archive: Archive) -> None:
    assert write_archive([site], archive) == ()


def test_the_outline_of_a_place_has_its_area(site: SimulatedSite) -> None:
    assert site.grid.weights(site.area).sum() * 100 == pytest.approx(MARKET.area_m2, rel=1e-3)
    assert np.allclose(site.grid.weights(site.area), site.weights(), atol=1e-3)
    assert site.area.exterior.is_ccw
