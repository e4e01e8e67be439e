from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from imagery.model import Look, Outcome
from watch.workspace import Workspace

Make = Callable[[str], Workspace]
SiteWatch = Callable[..., tuple[int, str, str]]


@pytest.fixture
def root(make_workspace: Make, days: list[date]) -> str:
    workspace = make_workspace("w")
    with workspace.ledger() as ledger, ledger.transaction() as transaction:
        for number, day in enumerate(days[:10]):
            outcome = Outcome.OBSCURED if number % 5 == 2 else Outcome.UNCHANGED
            at = datetime(day.year, day.month, day.day, 2, tzinfo=UTC)
            look = Look("yard", "g", day, "landsat-tm", "landsat-7", ("x",), at, day_only=False,
                        outcome=outcome, reason="", clear_fraction=1.0, frame_clear_fraction=1.0,
                        mask_scheme="fmask", history=9, score=1.0, threshold=2.0)  # fmt: skip
            transaction.add_look(look, run_id="r", judged_at=at)
    return str(workspace.root)


def test_sites_are_counted_by_province_beside_their_denominators(root: str, sitewatch: SiteWatch) -> None:
    code, out, _ = sitewatch("regions", "--workspace", root, "--json")
    document = json.loads(out)
    rows = {row["label"]: row for row in document["groups"]}
    assert code == 0
    assert document["placed"] == {"name": 0, "point": 1, "near": 0, "none": 0}
    here, elsewhere = rows["Pyongyang"], rows["Chagang"]
    assert (here["sites"], here["counts"]["looks"]["count"], here["counts"]["judged"]["count"]) == (1, 10, 8)
    assert here["detections_per_site_year"]["low"] == 0.0
    assert here["detections_per_site_year"]["high"] > 3
    assert elsewhere["detections_per_site_year"] is None
    code, out, _ = sitewatch("regions", "--workspace", root)
    (line,) = (line for line in out.splitlines() if line.startswith("Chagang"))
    assert "not known" in line
    assert out.splitlines()[-1].startswith("1 sites: 0 by the province that is written, 1 by their point")


def test_two_groups_are_compared_and_drawn(root: str, sitewatch: SiteWatch, tmp_path: Path) -> None:
    plot = tmp_path / "plot.svg"
    call = ("regions", "--workspace", root, "--compare", "Pyongyang", "Chagang", "--count", "detections")
    code, out, _ = sitewatch(*call, "--plot", str(plot))
    assert code == 0
    assert plot.read_text().startswith("<svg ")
    (line,) = (line for line in out.splitlines() if line.startswith("2018"))
    assert line.split()[:2] == ["2018", "0,"]
    assert line.split()[-3:] == ["not", "known", "0"]
    first = plot.read_bytes()
    sitewatch(*call, "--plot", str(plot))
    assert plot.read_bytes() == first
    document = json.loads(sitewatch(*call, "--step", "month", "--span", "2018-04-01/2018-05-31", "--json")[1])
    assert [each["period"] for each in document["periods"]] == ["2018-04", "2018-05"]
    assert document["periods"][0]["cells"][0]["judged"] == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--compare", "Pyongyang", "Atlantis"), "no province, county or category is called 'Atlantis'"),
        (("--plot", "x.svg"), "--plot: only a comparison can be drawn"),
        (("--span", "2019/.."), "--span"),
    ],
)
def test_what_cannot_be_counted_is_refused(
    root: str, sitewatch: SiteWatch, options: tuple[str, ...], words: str
) -> None:
    code, _, err = sitewatch("regions", "--workspace", root, *options)
    assert code == 2
    assert words in err


@pytest.mark.parametrize("by", ["county", "category"])
def test_other_groups_and_one_count_are_told(root: str, sitewatch: SiteWatch, by: str) -> None:
    code, out, _ = sitewatch("regions", "--workspace", root, "--by", by, "--count", "detections")
    assert code == 0
    assert "detections" in out
    assert "out of looks that could be judged" in " ".join(out.split())
