"""`run --due --pull`: what is due is pulled and looked at, within the budget, and nothing gets lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from geo.dates import Span
from sitewatch_hub.faults import quota_used_up
from sitewatch_hub.server import LocalHub
from watch.fresh import FIRST, OVERLAP, fresh_span
from watch.health import read_health
from watch.workspace import Workspace

Make = Callable[..., Workspace]
Command = Callable[..., tuple[int, str, str]]
FEBRUARY = "2022-02-01T06:00:00Z"


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch: pytest.MonkeyPatch, account: dict[str, str]) -> None:
    for name, value in account.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def due(sitewatch: Command) -> Callable[..., tuple[int, dict[str, Any]]]:
    def call(workspace: Workspace, now: str, *options: str) -> tuple[int, dict[str, Any]]:
        there = ("--workspace", str(workspace.root), "--now", now, "--json")
        code, out, err = sitewatch("run", "--due", "--pull", *there, *options)
        assert out, err
        return code, json.loads(out)

    return call


Due = Callable[..., tuple[int, dict[str, Any]]]


def first_of_all(workspace: Workspace, site_id: str) -> None:
    file = workspace.catalogue_path / "sites.geojson"
    document = orjson.loads(file.read_bytes())
    for feature in document["features"]:
        feature["properties"]["watch"]["priority"] = 1 if feature["id"] == site_id else 5
    file.write_bytes(orjson.dumps(document))


def test_what_is_due_is_pulled_and_looked_at_and_asked_for_once(
    make_hub_workspace: Make, due: Due, hub: LocalHub
) -> None:
    workspace = make_hub_workspace("w")
    code, planned = due(workspace, FEBRUARY, "--dry-run")
    assert code == 0
    assert not hub.journal.entries("/process")
    assert planned["plan"]["cost"]["requests"] == 3 * 25  # 24 passes in 60 days and a search, each
    code, first = due(workspace, FEBRUARY)
    asked = len({entry.body for entry in hub.journal.entries("/process")})  # a slow answer is asked for again
    assert code == 0
    assert sum(first["looks"].values()) == asked > 0
    assert first["spent"]["requests"] >= asked
    assert first["spent"]["processing_units"] <= planned["plan"]["cost"]["processing_units"]
    before = len(hub.journal.entries())
    code, again = due(workspace, "2022-02-02T06:00:00Z")
    assert code == 0
    assert len(hub.journal.entries()) == before  # nothing is due, so nothing is even searched
    assert again["spent"]["requests"] == 0
    _, later = due(workspace, "2022-04-01T06:00:00Z")
    assert sum(later["looks"].values()) == len(hub.journal.entries("/process")) - asked > 0


def test_the_budget_cuts_what_matters_least_and_leaves_it_due(
    make_hub_workspace: Make, due: Due, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = make_hub_workspace("w", budget="requests_per_month = 30")
    first_of_all(workspace, "market")
    code, document = due(workspace, FEBRUARY)
    assert code == 4
    assert [site["site"] for site in document["plan"]["due"]] == ["market"]
    assert sorted(site["site"] for site in document["plan"]["cut"]) == ["customs", "depot"]
    with workspace.ledger() as ledger:
        assert ledger.examined().keys() == {"market"}
    health = read_health(workspace.root)
    assert health is not None
    assert health.last_exit == 4
    assert health.wrong[0].startswith("customs: beyond what is left of the budget")
    monkeypatch.setenv("SITEWATCH_BUDGET__REQUESTS_PER_MONTH", "1000")
    code, document = due(workspace, "2022-02-02T06:00:00Z")
    assert code == 0
    assert document["skipped"] == {"market": "not due"}
    with workspace.ledger() as ledger:
        assert len(ledger.examined()) == 3


def test_a_quota_that_runs_out_on_the_way_leaves_sites_for_the_next_run(
    make_hub_workspace: Make, due: Due, hub: LocalHub
) -> None:
    workspace = make_hub_workspace("w", pull="workers = 1")
    hub.faults.add(quota_used_up(), nth=2, times=1000)
    code, document = due(workspace, FEBRUARY)
    assert code == 4
    cut = {site["site"] for site in document["plan"]["cut"]}
    assert cut
    assert all("quota" in site["why"] for site in document["plan"]["cut"])
    with workspace.ledger() as ledger:
        assert ledger.examined().keys().isdisjoint(cut)
    hub.faults.clear()
    code, document = due(workspace, "2022-02-02T06:00:00Z")
    assert code == 0
    with workspace.ledger() as ledger:
        assert len(ledger.examined()) == 3
    undisturbed = make_hub_workspace("undisturbed")
    due(undisturbed, FEBRUARY)
    with workspace.ledger() as left, undisturbed.ledger() as right:
        assert left.snapshot()["looks"] == right.snapshot()["looks"]


def test_only_what_is_due_is_pulled(make_hub_workspace: Make, sitewatch: Command) -> None:
    workspace = make_hub_workspace("w")
    code, _, err = sitewatch("run", "--pull", "--workspace", str(workspace.root))
    assert code == 2
    assert "--pull" in err


def test_the_days_that_are_searched() -> None:
    now = datetime(2026, 6, 30, 6, tzinfo=UTC)
    day = now.date()
    assert fresh_span(None, now) == Span(day - FIRST, day)
    assert fresh_span(now - timedelta(days=5), now) == Span(day - OVERLAP - timedelta(days=5), day)
    assert fresh_span(now + timedelta(days=400), now) == Span(day - OVERLAP, day)  # a clock that was wrong
