from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date

import pytest

from geo.dates import Span
from imagery.stac_schema import validate_stac
from sitewatch_hub.server import LocalHub
from watch.pull import PullReport
from watch.workspace import Workspace

Make = Callable[..., Workspace]
Command = Callable[..., tuple[int, str, str]]

SPAN = ("--span", "2021-10/2022-05")
SERVICE = ("--provider", "sentinelhub")
BOX = "126.43,40.06,126.435,40.065"


@pytest.fixture
def signed_in(monkeypatch: pytest.MonkeyPatch, account: dict[str, str]) -> None:
    for name, value in account.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("signed_in")
def test_the_archive_has_what_was_pulled_and_says_the_same_of_it(
    make_hub_workspace: Make, pull: Callable[..., PullReport], sitewatch: Command, hub: LocalHub
) -> None:
    workspace = make_hub_workspace("w")
    there = ("--workspace", str(workspace.root), "--json")
    pull(workspace, "market")
    asked = len(hub.journal.entries("/process"))
    code, out, err = sitewatch("search", "market", *SPAN, *SERVICE, *there)
    assert (code, "1 requests and 0.01 processing units spent" in err) == (0, True)
    theirs = json.loads(out)
    code, out, _ = sitewatch("search", "market", *SPAN, *there)
    ours = json.loads(out)
    assert ours["numberReturned"] == theirs["numberReturned"] == len(ours["features"]) == 6
    for kept, offered in zip(ours["features"], theirs["features"], strict=True):
        validate_stac(kept)
        validate_stac(offered)
        assert sorted(kept["assets"]) == ["blue", "green", "nir", "red", "scl", "swir16"]
        assert {**kept, "assets": {}} == offered
        assert kept["properties"]["sat:relative_orbit"] == 3
        assert kept["properties"]["sitewatch:archived"] is True
    assert len(hub.journal.entries("/process")) == asked


@pytest.mark.usefixtures("signed_in")
def test_what_is_not_pulled_is_listed_and_stays_there(
    make_hub_workspace: Make, sitewatch: Command, hub: LocalHub
) -> None:
    workspace = make_hub_workspace("w")
    there = ("--workspace", str(workspace.root))
    limits = ("--max-cloud", "15", "--latest", "3", "--orbit", "3", "--direction", "descending")
    code, out, _ = sitewatch("search", "--bbox", BOX, *SPAN, *SERVICE, *limits, *there)
    lines = out.splitlines()
    assert (code, lines[-1]) == (0, "3 scenes, 0 of them in the archive.")
    assert [word for line in lines for word in line.split() if word.startswith("2022-")] == [
        "2022-01-17T02:11:42Z",
        "2022-02-01T02:11:35Z",
        "2022-04-12T02:11:33Z",
    ]
    assert not hub.journal.entries("/process")
    assert list(workspace.archive_path.iterdir()) == []
    code, out, _ = sitewatch("search", "--bbox", BOX, *SPAN, *there)
    assert (code, out) == (0, "0 scenes.\n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "one of SITE and --bbox says where"),
        (("market", "--bbox", BOX), "one of SITE and --bbox says where"),
        (("nowhere",), "no site has the id 'nowhere'"),
        (("--bbox", "1,2,3"), "'1,2,3' is no box"),
        (("--bbox", "126.5,40,126.4,41"), "no box on Earth"),
        (("--bbox", "nan,40,126.4,41"), "no box on Earth"),
        (("market", "--span", "2021/.."), "has no end on one side"),
        (("--bbox", "0,84.5,1,85"), "outside the UTM zones"),
    ],
)
def test_what_can_not_be_searched_is_refused(
    make_hub_workspace: Make, sitewatch: Command, arguments: tuple[str, ...], message: str
) -> None:
    span = () if "--span" in arguments else SPAN
    code, out, err = sitewatch("search", *arguments, *span, "--workspace", str(make_hub_workspace("w").root))
    assert (code, out) == (2, "")
    assert message in err


def test_a_box_of_many_degrees_is_searched_in_the_archive(
    make_hub_workspace: Make, pull: Callable[..., PullReport], sitewatch: Command
) -> None:
    workspace = make_hub_workspace("w")
    pull(workspace, "depot")
    there = ("--workspace", str(workspace.root))
    for box, count in (("124,37,131,43", 6), ("124,37,126,43", 0)):
        code, out, _ = sitewatch("search", "--bbox", box, *SPAN, *there)
        assert (code, out.splitlines()[-1]) == (0, f"{count} scenes.")


def test_what_was_paid_for_is_named_before_it_is_pruned(
    make_hub_workspace: Make, pull: Callable[..., PullReport], sitewatch: Command
) -> None:
    workspace = make_hub_workspace("w")
    pull(workspace, "market", days=Span(date(2022, 1, 1), date(2022, 1, 31)))
    there = ("--workspace", str(workspace.root))
    (listed,) = json.loads(sitewatch("archive", "list", *there, "--json")[1])
    assert (listed["provider"], listed["sat:relative_orbit"]) == ("sentinelhub", 3)
    assert (listed["s2:processing_baseline"], listed["cloud_percent"]) == ("03.01", pytest.approx(10.07))
    table = sitewatch("archive", "list", *there)[1]
    assert "3-descending" in table
    assert "03.01" in table
    elsewhere = {"type": "Point", "coordinates": [127.0, 39.0]}
    properties = {"name": "Far", "category": "storage"}
    site = {"type": "Feature", "id": "far", "geometry": elsewhere, "properties": properties}
    (workspace.catalogue_path / "sites.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": [site]})
    )
    code, out, err = sitewatch("archive", "prune", "--scenes", "--dry-run", *there)
    assert (code, "1 scene came from a service" in err) == (0, True)
    assert "2022-01-17T02:11:42Z" in out
    document = json.loads(sitewatch("archive", "prune", "--scenes", *there, "--json")[1])
    assert document["paid_scenes"] == document["scenes"] == [listed["id"]]
    assert workspace.archive().scenes() == ()
