from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from geo.dates import Span
from imagery.errors import CredentialsError
from imagery.model import NO_MASK
from imagery.pins import read_pins
from imagery.provider import Limits
from imagery.sentinelhub.credentials import Credentials
from sitewatch_hub.server import LocalHub
from sitewatch_hub.simulated import CRS, PASSES
from watch.connection import connected, open_journal
from watch.pull import PullOptions, PullReport
from watch.pull import pull as pull_sites
from watch.workspace import Workspace

Make = Callable[..., Workspace]
Pull = Callable[..., PullReport]
Everything = Callable[[Path], dict[str, bytes]]


def process_requests(hub: LocalHub) -> int:
    """Return how many answers were paid for."""
    return sum(entry.status == 200 for entry in hub.journal.entries("/process"))


def test_every_pass_over_every_site_comes_into_the_archive(
    make_hub_workspace: Make, pull: Pull, hub: LocalHub
) -> None:
    workspace = make_hub_workspace("w")
    report = pull(workspace)
    assert [len(site.found) for site in report.sites] == [len(PASSES)] * 3
    assert (report.failed, report.stopped) == ({}, None)
    assert len(report.pulled) == 3 * len(PASSES) == process_requests(hub)
    archive = workspace.archive()
    assert archive.verify() == ()
    scenes = archive.scenes()
    assert {scene.id for scene in scenes} == report.pulled
    assert {scene.mask_scheme for scene in scenes} == {"scl"} != {NO_MASK}
    (pin,) = read_pins(archive, "market")
    assert (pin.grid.crs, pin.resolution_m, pin.scene_id in report.pulled) == (CRS, 10.0, True)


def test_an_item_says_where_it_came_from_and_what_it_cost(make_hub_workspace: Make, pull: Pull) -> None:
    workspace = make_hub_workspace("w")
    report = pull(workspace, "market")
    scene = report.missing[0]
    (path,) = workspace.archive_path.rglob(f"{scene.id}.json")
    properties = orjson.loads(path.read_bytes())["properties"]
    assert properties["sitewatch:request_key"] == scene.request.key
    assert properties["sitewatch:product"] == "sentinel-2-l2a"
    assert properties["sitewatch:spent"]["requests"] == 1
    assert properties["sitewatch:spent"]["processing_units"] == pytest.approx(
        scene.request.estimate.processing_units, rel=1e-3
    )
    assert len(properties["sitewatch:source_ids"]) == 2
    assert properties["sitewatch:credit"].startswith("Contains modified Copernicus Sentinel data 2021")


def test_a_second_pull_asks_for_nothing_and_changes_no_byte(
    make_hub_workspace: Make, pull: Pull, hub: LocalHub, everything: Everything
) -> None:
    workspace = make_hub_workspace("w")
    pull(workspace)
    before, asked = everything(workspace.archive_path), process_requests(hub)
    again = pull(workspace)
    assert again.missing == ()
    assert process_requests(hub) == asked
    assert everything(workspace.archive_path) == before


def test_the_archive_does_not_depend_on_order_or_workers(
    make_hub_workspace: Make, pull: Pull, everything: Everything
) -> None:
    at_once, one_by_one = make_hub_workspace("a"), make_hub_workspace("b", pull="workers = 1")
    pull(at_once)
    for site in ("depot", "customs", "market"):
        pull(one_by_one, site)
    assert everything(at_once.archive_path) == everything(one_by_one.archive_path)


def test_a_dry_run_pulls_nothing_and_pins_nothing(
    make_hub_workspace: Make, hub: LocalHub, account: dict[str, str], pull: Pull, span: Span
) -> None:
    workspace = make_hub_workspace("w")
    with connected(workspace, account) as connection:
        options = PullOptions(span, dry_run=True)
        report = pull_sites(workspace, connection.hub, (), options)
    assert len(report.missing) == 3 * len(PASSES)
    assert process_requests(hub) == 0
    assert not list(workspace.archive_path.rglob("*.json"))
    done = pull(workspace)
    assert done.estimate == report.estimate
    spent = sum(entry.units for entry in hub.journal.entries("/process"))
    assert spent == pytest.approx(report.estimate.processing_units, rel=1e-3)


def test_the_journal_agrees_with_the_service(make_hub_workspace: Make, pull: Pull, hub: LocalHub) -> None:
    workspace = make_hub_workspace("w")
    pull(workspace, "market", "depot")
    journal = open_journal(workspace)
    paid = [entry for entry in hub.journal.entries("/api/") if entry.status == 200]
    assert journal.spent().requests == len(paid)
    assert journal.spent().processing_units == pytest.approx(sum(entry.units for entry in paid))
    assert journal.unsettled() == 0


def test_a_limit_on_cloud_is_kept(make_hub_workspace: Make, hub: LocalHub, span: Span) -> None:
    workspace = make_hub_workspace("w")
    with connected(workspace, {}, given=Credentials(hub.client.id, hub.client.secret)) as connection:
        options = PullOptions(span, Limits(max_cloud_percent=20.0))
        report = pull_sites(workspace, connection.hub, ["market"], options)
    assert len(report.pulled) == 4


def test_without_credentials_nothing_is_sent(make_hub_workspace: Make, hub: LocalHub) -> None:
    workspace = make_hub_workspace("w")
    nowhere = {"XDG_CONFIG_HOME": str(workspace.root / "none")}
    with (
        pytest.raises(CredentialsError, match=r"no credentials.* Set SITEWATCH_SH_CLIENT_ID"),
        connected(workspace, nowhere),
    ):
        raise AssertionError
    assert hub.journal.entries() == ()
