from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from affine import Affine
from shapely.geometry import Point

from geo.area import square_around
from geo.grid import Grid
from imagery.archive import Archive
from imagery.errors import ImageError
from imagery.intake import IntakeOptions, plan_intake
from imagery.prune import PruneReport, prune
from imagery.stack import stacked_archive

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from tests.imagery.conftest import WriteTif

EAST_PX = 4000


@pytest.fixture
def archive(tmp_path: Path, write_tif: WriteTif) -> Archive:
    """Return two scenes of Sentinel-2 in the west and one of Landsat far in the east."""
    archive = Archive(tmp_path / "archive")
    for name, platform, shift in (
        ("2019-01-27", "S2A", 0),
        ("2019-02-06", "S2A", 0),
        ("2019-03-01", "LE7", 1),
    ):
        transform = Affine(30.0, 0.0, 280005.0 + 30.0 * EAST_PX * shift, 0.0, -30.0, 4440015.0)
        pixels = np.random.default_rng(1).integers(1, 999, (6, 5), dtype=np.uint16)
        path = write_tif(f"{name}.tif", pixels, transform=transform)
        options = IntakeOptions(acquired=name, platform=platform, bands=("red",))
        archive.add(plan_intake([path], options).scenes)
    return archive


@pytest.fixture
def west(archive: Archive) -> BaseGeometry:
    return square_around(Point(archive.scenes()[0].footprint.centroid), 40.0)


def fill_stack(archive: Archive) -> None:
    (scene, *_) = archive.scenes()
    file = scene.bands[0]
    document = {"site_id": "a", "crs": file.crs, "transform": list(file.transform[:6]), "shape": [6, 5]}
    stacked_archive(archive).read(Grid.from_json(document), [scene])


def everything(root: Path) -> dict[str, bytes]:
    found = {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
    return {name: data for name, data in found.items() if not name.endswith(".lock")}


def test_stacks_states_and_leftovers_go_and_nothing_else(archive: Archive) -> None:
    before = everything(archive.root)
    fill_stack(archive)
    state = archive.root / "states" / "a-site" / "grid-series.state"
    state.parent.mkdir(parents=True)
    state.write_bytes(b"derived")
    staging = archive.root / "scenes" / "sentinel-2a" / "2019" / ".x.abc.part"
    staging.mkdir()
    (staging / ".red.tif.q.part").write_bytes(b"half")
    (archive.root / ".catalog.json.z.part").write_bytes(b"{")
    size = sum(map(len, everything(archive.root).values())) - sum(map(len, before.values()))
    expected = PruneReport(stacks=1, leftovers=2, scenes=(), freed_bytes=size)
    full = everything(archive.root)
    assert prune(archive, dry_run=True) == expected
    assert everything(archive.root) == full
    assert prune(archive) == expected
    assert everything(archive.root) == before
    assert not (archive.root / "stacks").exists() and not (archive.root / "states").exists()
    assert prune(archive) == PruneReport(0, 0, (), 0)


def test_scenes_over_no_site_go_only_when_asked(archive: Archive, west: BaseGeometry) -> None:
    first, second, far = archive.scenes()
    assert prune(archive).scene_ids == ()
    before = everything(archive.root)
    assert prune(archive, keep_over=[west], dry_run=True).scene_ids == (far.id,)
    assert everything(archive.root) == before
    report = prune(archive, keep_over=[west])
    assert report.scene_ids == (far.id,)
    assert report.freed_bytes > 0
    assert [scene.id for scene in archive.scenes()] == [first.id, second.id]
    assert archive.verify() == ()
    assert not (archive.root / "scenes" / "landsat-7").exists()
    assert "landsat-7" not in (archive.root / "catalog.json").read_text()
    assert prune(archive, keep_over=[west]) == PruneReport(0, 0, (), 0)


def test_a_collection_names_the_scenes_that_stay(archive: Archive, write_tif: WriteTif) -> None:
    path = write_tif("near.tif", transform=Affine(30.0, 0.0, 282005.0, 0.0, -30.0, 4440015.0))
    options = IntakeOptions(acquired="2019-04-01", platform="S2A", bands=("red",))
    archive.add(plan_intake([path], options).scenes)
    near = archive.scenes()[-1]
    prune(archive, keep_over=[near.footprint])
    assert [scene.id for scene in archive.scenes()] == [near.id]
    collection = (archive.root / "scenes" / "sentinel-2a" / "collection.json").read_text()
    assert near.id in collection
    assert collection.count("/2019/") == 1


def test_when_every_scene_goes_so_does_the_catalogue_and_an_add_brings_it_back(
    archive: Archive, write_tif: WriteTif
) -> None:
    assert len(prune(archive, keep_over=[Point(0, 0)]).scene_ids) == 3
    assert everything(archive.root) == {}
    options = IntakeOptions(acquired="2019-04-01", platform="S2A", bands=("red",))
    archive.add(plan_intake([write_tif("again.tif")], options).scenes)
    assert len(archive.scenes()) == 1
    assert (archive.root / "catalog.json").exists()


def test_what_a_stopped_prune_left_undone_is_done_by_the_next(archive: Archive, west: BaseGeometry) -> None:
    far = Path(archive.scenes()[-1].bands[0].path).parent
    far.rename(far.with_name(f".{far.name}.part"))
    report = prune(archive, keep_over=[west])
    assert (report.leftovers, report.scene_ids) == (1, ())
    assert not (archive.root / "scenes" / "landsat-7").exists()
    assert "landsat-7" not in (archive.root / "catalog.json").read_text()


def test_no_ground_at_all_is_refused(archive: Archive) -> None:
    before = everything(archive.root)
    with pytest.raises(ImageError, match="all of them would go"):
        prune(archive, keep_over=[])
    assert everything(archive.root) == before


def test_an_archive_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    missing = Archive(tmp_path / "missing")
    assert prune(missing, keep_over=[Point(0, 0)]) == PruneReport(0, 0, (), 0)
    assert not missing.root.exists()
