"""`sitewatch series`: from the command line to numbers, a table, a file, a picture."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable

import pytest

from sitewatch_hub.faults import Answer
from sitewatch_hub.server import LocalHub
from watch.workspace import Workspace

Make = Callable[..., Workspace]
Command = Callable[..., tuple[int, str, str]]

SPAN = ("--span", "2021-11-01/2022-02-08")


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch: pytest.MonkeyPatch, account: dict[str, str]) -> None:
    for name, value in account.items():
        monkeypatch.setenv(name, value)


def test_a_series_is_a_table_a_file_and_a_picture(
    make_hub_workspace: Make, sitewatch: Command, hub: LocalHub
) -> None:
    workspace = make_hub_workspace("w")
    there = ("--workspace", str(workspace.root))
    code, out, err = sitewatch("series", "market", *SPAN, *there, "--dry-run", "--json")
    planned = json.loads(out)
    assert (code, planned["intervals"], hub.journal.entries("/statistics")) == (0, [], ())
    assert "10 intervals of 900 pixels: at most 1 requests and 0.20 processing units" in err
    files = [workspace.root / name for name in ("ndvi.csv", "ndvi.png")]
    code, out, _ = sitewatch(
        "series", "market", *SPAN, *there, "--json", "--csv", str(files[0]), "--plot", str(files[1])
    )
    document = json.loads(out)
    assert (code, document["unit"], document["pixels"], len(document["intervals"])) == (0, "1", 900, 10)
    assert document["spent"]["processing_units"] <= planned["estimate"]["processing_units"]
    assert document["spent_this_month"] == document["spent"]
    gaps = [each["gap"] for each in document["intervals"]]
    assert (gaps.count("no scene"), gaps.count("")) == (6, 3 if "nothing clear" in gaps else 4)
    rows = list(csv.DictReader(files[0].read_text().splitlines()))
    assert [row["gap"] for row in rows] == gaps
    assert all(bool(row["mean"]) == (not row["gap"]) for row in rows)
    assert files[1].read_bytes().startswith(b"\x89PNG")
    code, out, _ = sitewatch("series", "market", *SPAN, *there)
    assert code == 0
    assert out.startswith("vegetation index (NDVI); sentinel-2-l2a, UTC days")
    assert out.count("no scene") == 6
    assert not workspace.archive().scenes()


def test_a_band_has_its_unit_and_a_strange_one_is_refused(
    make_hub_workspace: Make, sitewatch: Command, hub: LocalHub
) -> None:
    there = ("--workspace", str(make_hub_workspace("w").root))
    code, out, _ = sitewatch("series", "market", *SPAN, *there, "--index", "swir16", "--interval", "P30D")
    assert (code, "band swir16, reflectance" in out) == (0, True)
    asked = len(hub.journal.entries("/statistics"))
    code, _, err = sitewatch("series", "market", *SPAN, *there, "--index", "evi")
    assert (code, "Use one of ndvi" in err) == (2, True)
    code, _, err = sitewatch("series", "market", *SPAN, *there, "--interval", "P1M")
    assert (code, "whole number of days" in err) == (2, True)
    assert len(hub.journal.entries("/statistics")) == asked


def test_the_budget_holds_for_series_too(make_hub_workspace: Make, sitewatch: Command, hub: LocalHub) -> None:
    workspace = make_hub_workspace("w", budget="processing_units_per_month = 0.05")
    code, _, err = sitewatch("series", "market", *SPAN, "--workspace", str(workspace.root))
    assert (code, "limit of this workspace" in err, hub.journal.entries("/statistics")) == (4, True, ())


def test_an_interval_that_keeps_failing_is_a_gap_and_exit_code_3(
    make_hub_workspace: Make, sitewatch: Command, hub: LocalHub
) -> None:
    failed = b'{"data": [{"interval": {"from": "2021-11-01T00:00:00Z"}, "error": {"type": "TIMEOUT"}}]}'
    hub.faults.add(Answer(200, failed, "application/json"), path="/statistics", times=2)
    there = ("--workspace", str(make_hub_workspace("w").root))
    code, out, _ = sitewatch("series", "market", "--span", "2021-11-01/2021-11-10", *there)
    assert (code, "failed: TIMEOUT" in out, "0 of 1 intervals have numbers" in out) == (3, True, True)
