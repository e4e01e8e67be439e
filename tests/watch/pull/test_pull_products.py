"""Products other than Sentinel-2 from the command line: pulled, kept, and judged only where that is right."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from imagery.archive import Archive
from imagery.elevation import kept_elevation
from imagery.pins import read_pins
from imagery.quantity import Quantity
from sitewatch_hub.server import LocalHub
from sitewatch_hub.simulated_products import LANDSAT_EDGE, LANDSAT_PASSES, RADAR_PASSES
from watch.workspace import Workspace

Make = Callable[..., Workspace]
Command = Callable[..., tuple[int, str, str]]

SPAN = ("--span", "2021-11-03/2022-05")


@pytest.fixture
def hub(rich_ground: Archive) -> Iterator[LocalHub]:
    with LocalHub(rich_ground.root) as running:
        yield running


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch: pytest.MonkeyPatch, account: dict[str, str]) -> None:
    for name, value in account.items():
        monkeypatch.setenv(name, value)


def test_landsat_is_pulled_on_its_own_edges_and_looked_at(
    make_hub_workspace: Make, sitewatch: Command, hub: LocalHub
) -> None:
    workspace = make_hub_workspace("w")
    there = ("--product", "landsat-ot-l2", *SPAN, "--workspace", str(workspace.root))
    code, out, err = sitewatch("pull", "market", *there, "--dry-run", "--json")
    estimate = json.loads(out)["estimate"]
    assert (code, estimate["requests"], "3 to pull" in err) == (0, 3, True)
    assert hub.journal.entries("/process") == ()
    code, out, _ = sitewatch("pull", "market", *there, "--json")
    assert (code, len(json.loads(out)["sites"][0]["pulled"])) == (0, len(LANDSAT_PASSES))
    paid = sum(entry.units for entry in hub.journal.entries("/process"))
    assert paid == pytest.approx(estimate["processing_units"], rel=1e-4)
    (pin,) = read_pins(workspace.archive(), "market")
    left, top = LANDSAT_EDGE
    assert ((pin.grid.transform.c - left) % 30, (pin.grid.transform.f - top) % 30) == (0, 0)
    code, out, _ = sitewatch(
        "run", "market", "--now", "2022-06-01", "--workspace", str(workspace.root), "--json"
    )
    document = json.loads(out)
    assert (code, document["looks"]["Failed"], sum(document["looks"].values())) == (0, 0, 3)
    assert "not_judged" not in document or document["not_judged"] == {}


def test_radar_is_kept_by_orbit_and_no_optical_detector_sees_it(
    make_hub_workspace: Make, sitewatch: Command
) -> None:
    workspace = make_hub_workspace("w")
    there = ("--workspace", str(workspace.root))
    code, out, _ = sitewatch("pull", "market", "--product", "sentinel-1-grd", *SPAN, *there, "--json")
    assert (code, len(json.loads(out)["sites"][0]["pulled"])) == (0, len(RADAR_PASSES))
    archive = workspace.archive()
    assert {scene.quantity for scene in archive.scenes()} == {Quantity.GAMMA0_DB}
    assert read_pins(archive, "market") == ()
    sitewatch("pull", "market", *SPAN, *there)
    (pin,) = read_pins(archive, "market")
    assert pin.scene_id is not None
    assert pin.scene_id.startswith("sentinel-2")
    code, out, _ = sitewatch("run", "market", "--now", "2022-06-01", *there, "--json")
    document = json.loads(out)
    assert (code, sum(document["looks"].values())) == (0, 6)
    reasons = document["not_judged"]["market"]
    assert sorted(reasons) == ["sentinel-1-asc-127", "sentinel-1-desc-061", "sentinel-1-desc-134"]
    assert reasons["sentinel-1-desc-061"].startswith("3 days: there is no radar detector")
    code, out, _ = sitewatch("run", "market", "--now", "2022-06-01", *there)
    assert "5 days in 3 series over sites are kept and not judged: there is no radar detector yet" in out


def test_a_site_with_radar_alone_has_windows_without_a_scene(
    make_hub_workspace: Make, sitewatch: Command
) -> None:
    there = ("--workspace", str(make_hub_workspace("w").root))
    sitewatch("pull", "market", "--product", "sentinel-1-grd", *SPAN, *there)
    sitewatch("run", "market", "--now", "2021-11-01", *there)
    code, out, _ = sitewatch("run", "market", "--now", "2022-06-01", *there, "--json")
    document = json.loads(out)
    assert (code, sum(document["looks"].values()), document["no_scene"] > 0) == (0, 0, True)


def test_a_product_that_does_not_exist_is_named_with_those_that_do(
    make_hub_workspace: Make, sitewatch: Command
) -> None:
    there = ("--workspace", str(make_hub_workspace("w").root))
    code, _, err = sitewatch("pull", "--product", "landsat-9", *SPAN, *there)
    assert code == 2
    assert "sentinel-2-l2a, sentinel-2-l1c, landsat-ot-l2, sentinel-1-grd" in err


def test_heights_are_pulled_once_for_the_lattices_that_a_site_has(
    make_hub_workspace: Make, sitewatch: Command, hub: LocalHub
) -> None:
    workspace = make_hub_workspace("w")
    there = ("--workspace", str(workspace.root))
    code, out, _ = sitewatch("pull", "market", "--elevation", *there, "--json")
    assert (code, "no lattice yet" in json.loads(out)["sites"][0]["skipped"]) == (0, True)
    sitewatch("pull", "market", *SPAN, *there)
    sitewatch("pull", "market", "--product", "landsat-ot-l2", *SPAN, *there)
    asked = len(hub.journal.entries("/process"))
    code, out, err = sitewatch("pull", "market", "--elevation", "--dry-run", *there, "--json")
    estimate = json.loads(out)["estimate"]
    assert (code, len(hub.journal.entries("/process")), "2 lattices" in err) == (0, asked, True)
    code, out, _ = sitewatch("pull", "market", "--elevation", *there, "--json")
    document = json.loads(out)
    assert (code, len(document["sites"][0]["pulled"])) == (0, 2)
    assert document["spent"]["processing_units"] == pytest.approx(estimate["processing_units"], rel=1e-4)
    grids = [pin.grid for pin in read_pins(workspace.archive(), "market")]
    heights = [kept_elevation(workspace.archive(), grid) for grid in grids]
    assert all(each is not None and np.isfinite(each.metres).all() for each in heights)
    code, out, _ = sitewatch("pull", "market", "--elevation", *there)
    assert (code, "0 lattices pulled; 0 requests" in out) == (0, True)
    code, _, err = sitewatch("pull", "--elevation", *SPAN, *there)
    assert (code, "neither days nor clouds" in err) == (2, True)
    code, _, err = sitewatch("pull", *there)
    assert (code, "--span" in err) == (2, True)


def test_the_budget_stops_heights_too(
    make_hub_workspace: Make, sitewatch: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = ("--workspace", str(make_hub_workspace("w").root))
    sitewatch("pull", "market", "customs", "--product", "landsat-ot-l2", *SPAN, *there)
    monkeypatch.setenv("SITEWATCH_BUDGET__PROCESSING_UNITS_PER_MONTH", "0.01")
    code, out, err = sitewatch("pull", "--elevation", *there, "--json")
    assert (code, "limit of this workspace" in err, len(json.loads(out)["failed"])) == (4, True, 1)


def test_one_orbit_of_radar_can_be_pulled_alone(make_hub_workspace: Make, sitewatch: Command) -> None:
    workspace = make_hub_workspace("w")
    there = ("--product", "sentinel-1-grd", *SPAN, "--workspace", str(workspace.root))
    code, _, _ = sitewatch("pull", "market", *there, "--orbit", "61", "--direction", "descending")
    assert (code, {scene.series for scene in workspace.archive().scenes()}) == (0, {"sentinel-1-desc-061"})
    code, out, _ = sitewatch("pull", "market", *there, "--direction", "ascending", "--json")
    assert (code, len(json.loads(out)["sites"][0]["pulled"])) == (0, 1)


def test_what_was_paid_for_is_not_pruned(make_hub_workspace: Make, sitewatch: Command) -> None:
    workspace = make_hub_workspace("w")
    there = ("--workspace", str(workspace.root))
    sitewatch("pull", "market", "--product", "landsat-ot-l2", *SPAN, *there)
    sitewatch("pull", "market", "--elevation", *there)
    before = {path: path.read_bytes() for path in (workspace.archive_path / "elevation").rglob("*.*")}
    code, _, _ = sitewatch("archive", "prune", *there)
    assert code == 0
    assert before
    assert {path: path.read_bytes() for path in (workspace.archive_path / "elevation").rglob("*.*")} == before
