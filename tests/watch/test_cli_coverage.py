from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime

import orjson
import pytest

from imagery.model import Look, Outcome
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
SiteWatch = Callable[..., tuple[int, str, str]]


@pytest.fixture
def looked_at(make_workspace: Make, days: list[date]) -> Workspace:
    """A workspace with sixteen looks, the third of each year obscured."""
    workspace = make_workspace("w")
    with workspace.ledger() as ledger, ledger.transaction() as transaction:
        for number, day in enumerate(days[:16]):
            look = Look(
                "yard",
                "g",
                day,
                "landsat-tm",
                "landsat-7",
                ("x",),
                datetime(day.year, day.month, day.day, 2, tzinfo=UTC),
                day_only=False,
                outcome=Outcome.OBSCURED if number % 5 == 2 else Outcome.UNCHANGED,
                reason="",
                clear_fraction=1.0,
                frame_clear_fraction=1.0,
                mask_scheme="fmask",
                history=9,
                score=1.0,
                threshold=2.0,
            )
            transaction.add_look(look, run_id="r", judged_at=look.acquired)
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
    code, out, _ = sitewatch("run", "--workspace", root, "--json")
    (silence,) = json.loads(out)["silence"]
    assert (code, silence["site"], silence["expects"]) == (0, "yard", "more_activity")
    assert "no change was detected in 13 looks that could tell one since" in silence["words"]
