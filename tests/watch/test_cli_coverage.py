from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import orjson
import pytest

from watch.workspace import Workspace

Make = Callable[[str], Workspace]
SiteWatch = Callable[..., tuple[int, str, str]]


@pytest.fixture
def looked_at(
    make_workspace: Make,
    add_scenes: Callable[[Workspace, list[Path]], None],
    scenes: Callable[..., list[Path]],
    days: list[date],
    now: datetime,
) -> Workspace:
    workspace = make_workspace("w")
    add_scenes(workspace, scenes(days[:16], roof_from=date(2099, 1, 1)))
    workspace.run(now=now)
    return workspace


def test_coverage_and_silence_are_told(looked_at: Workspace, sitewatch: SiteWatch) -> None:
    root = str(looked_at.root)
    code, out, _ = sitewatch("coverage", "--workspace", root, "--json")
    document = json.loads(out)
    (site,) = document["sites"]
    assert code == 0
    assert sum(site["looks"].values()) == 16
    assert site["clear"] == 16 - site["looks"]["Obscured"]
    assert site["longest_blind"]["days"] > 200
    assert sum(month["looks"] for month in document["months"].values()) == 16
    code, out, _ = sitewatch("coverage", "--workspace", root, "--span", "2019-01-01/2019-12-31", "--months")
    assert "2019-04" in out
    assert "2018" not in out
    assert "5 looks" in out
    code, out, _ = sitewatch("coverage", "--workspace", root, "--category", "market")
    assert (code, out.splitlines()[-1][:8]) == (0, "0 sites:")

    file = looked_at.catalogue_path / "sites.geojson"
    catalogue = orjson.loads(file.read_bytes())
    catalogue["features"][0]["properties"]["watch"]["expects"] = "more_activity"
    file.write_bytes(orjson.dumps(catalogue))
    code, out, _ = sitewatch("coverage", "--silence", "--min-looks", "2", "--workspace", root)
    assert code == 0
    assert "yard: more activity is expected (its watch rules); no change was detected in " in out
    assert "not that nothing happened" in out
