from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

Sitewatch = Callable[..., tuple[int, str, str]]


@pytest.fixture
def workspace(tmp_path: Path, sitewatch: Sitewatch) -> Path:
    folder = tmp_path / "w"
    assert sitewatch("init", str(folder))[0] == 0
    return folder


def test_search_finds_by_any_script_and_says_why(workspace: Path, sitewatch: Sitewatch) -> None:
    for query in ("조중친선다리", "Sino-Korean Frendship Bridge"):
        code, out, _ = sitewatch("sites", "search", query, "--workspace", str(workspace), "--json")
        assert code == 0
        first = json.loads(out)[0]
        assert first["id"] == "sinuiju-dandong-friendship-bridge"
        assert first["why"]
    code, out, _ = sitewatch(
        "sites", "search", "market", "--province", "Ryanggang", "--workspace", str(workspace)
    )
    assert code == 0
    assert "hyesan-market" in out
    code, out, _ = sitewatch("sites", "search", "", "--bbox", "0,0,1,1", "--workspace", str(workspace))
    assert "No site" in out
    assert sitewatch("sites", "search", "x", "--bbox", "a,b", "--workspace", str(workspace))[0] == 2


def test_a_table_comes_in_with_named_columns_and_goes_out_again(
    tmp_path: Path, workspace: Path, sitewatch: Sitewatch
) -> None:
    table = tmp_path / "new.csv"
    table.write_text("Title,lon,lat\nNew Market,126.0,39.0\n", encoding="utf-8")
    command = ["sites", "add", str(table), "--map", "Title=name", "--set", "category=market"]
    code, out, _ = sitewatch(*command, "--workspace", str(workspace), "--json")
    assert code == 0
    assert json.loads(out)["new"] == ["new-market"]
    code, out, _ = sitewatch(*command, "--workspace", str(workspace), "--json")
    assert json.loads(out)["same"] == ["new-market"]
    for name in ("all.csv", "all.geojson"):
        code, out, _ = sitewatch("sites", "export", str(tmp_path / name), "--workspace", str(workspace))
        assert code == 0
        assert "191 sites" in out
    other = tmp_path / "other"
    sitewatch("init", str(other), "--empty")
    assert sitewatch("sites", "add", str(tmp_path / "all.csv"), "--workspace", str(other))[0] == 0
    code, out, _ = sitewatch(
        "sites", "add", str(tmp_path / "all.geojson"), "--workspace", str(other), "--json"
    )
    assert len(json.loads(out)["same"]) == 191
    assert sitewatch("sites", "export", str(tmp_path / "all.doc"), "--workspace", str(workspace))[0] == 2


def test_the_421_markets_come_in_with_one_command_and_twins_are_told(
    tmp_path: Path, test_data: Path, sitewatch: Sitewatch
) -> None:
    folder = tmp_path / "w"
    sitewatch("init", str(folder), "--empty")
    table = test_data / "sites" / "csis_markets.csv"
    command = ["sites", "add", str(table), "--set", "category=market", "--workspace", str(folder), "--json"]
    code, out, _ = sitewatch(*command)
    assert code == 0
    report = json.loads(out)
    assert len(report["new"]) == 421
    assert any("ansan-market may be pyongcheon-market" in line for line in report["near_duplicates"])
    code, out, _ = sitewatch(*command)
    again = json.loads(out)
    assert (len(again["same"]), again["new"], again["changed"], again["written"]) == (421, [], [], [])


def test_placing_keeps_where_a_site_was(workspace: Path, sitewatch: Sitewatch) -> None:
    command = [
        "sites",
        "place",
        "jian-manpo-road-bridge",
        "--at",
        "41.1571 N, 126.2891 E",
        "--source",
        "Sentinel-2",
    ]
    assert sitewatch(*command, "--workspace", str(workspace))[0] == 2
    code, out, _ = sitewatch(*command, "--accuracy-m", "30", "--workspace", str(workspace), "--json")
    assert code == 0
    placed = json.loads(out)
    assert placed["geometry"]["coordinates"] == [126.2891, 41.1571]
    (before,) = placed["properties"]["placements"]
    assert before["geometry"]["coordinates"] == [126.283, 41.158]
    assert sitewatch("sites", "check", "--workspace", str(workspace))[0] == 0


def test_editing_renaming_and_retiring(workspace: Path, sitewatch: Sitewatch) -> None:
    folder = str(workspace)
    code, out, _ = sitewatch("sites", "edit", "hyesan-market", "county=Hyesan", "--workspace", folder)
    assert code == 0
    assert sitewatch("sites", "edit", "hyesan-market", "category=bazaar", "--workspace", folder)[0] == 2
    assert sitewatch("sites", "edit", "hyesan-market", "observations=[]", "--workspace", folder)[0] == 2
    assert sitewatch("sites", "rename", "hyesan-market", "hyesan-main-market", "--workspace", folder)[0] == 0
    code, out, _ = sitewatch("sites", "show", "hyesan-market", "--workspace", folder)
    assert code == 0
    assert "hyesan-main-market" in out
    retire = ["sites", "retire", "hyesan-main-market", "--because", "built over", "--date", "2024"]
    assert sitewatch(*retire, "--workspace", folder)[0] == 0
    code, out, _ = sitewatch("sites", "show", "hyesan-main-market", "--workspace", folder)
    assert "not watched: retired, built over" in out


def test_notes_are_added_superseded_and_exported(
    tmp_path: Path, workspace: Path, sitewatch: Sitewatch
) -> None:
    picture = tmp_path / "picture.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\nnot much of a picture")
    note = ["notes", "add", "komsan-ri-market", "--date", "2017-05~", "--text", "=A second row of stalls."]
    source = [
        "--source",
        "outlet=NK Econ Watch;published=2017-06-01;reliability=B",
        "--source",
        "a traveller",
    ]
    arguments = ["--kind", "imagery", "--media", str(picture), "--workspace", str(workspace), "--json"]
    code, out, _ = sitewatch(*note, *source, *arguments)
    if code == 2:
        pytest.fail(out)
    added = json.loads(out)
    assert (added["earliest"], added["latest"]) == ("2017-05-01", "2017-05-31")
    assert [each["outlet"] for each in added["sources"]] == ["NK Econ Watch", "a traveller"]
    assert (workspace / added["media"][0]["file"]).read_bytes() == picture.read_bytes()
    edit = [
        "notes",
        "edit",
        "komsan-ri-market",
        added["id"],
        "--text",
        "A second row.",
        "--workspace",
        str(workspace),
    ]
    code, out, _ = sitewatch(*edit, "--json")
    assert code == 0
    assert json.loads(out)["supersedes"] == added["id"]
    listing = [
        "notes",
        "list",
        "komsan-ri-market",
        "--span",
        "2017/2018",
        "--workspace",
        str(workspace),
        "--json",
    ]
    code, out, _ = sitewatch(*listing)
    assert [each["text"] for each in json.loads(out)] == ["A second row."]
    code, out, _ = sitewatch(*listing, "--all")
    assert len(json.loads(out)) == 2
    table = tmp_path / "notes.csv"
    export = [
        "notes",
        "export",
        str(table),
        "--site",
        "komsan-ri-market",
        "--all",
        "--workspace",
        str(workspace),
    ]
    assert sitewatch(*export)[0] == 0
    rows = list(csv.DictReader(table.read_text(encoding="utf-8-sig").splitlines()))
    assert any(row["text"] == "'=A second row of stalls." for row in rows)
    wrong = [
        "notes",
        "add",
        "komsan-ri-market",
        "--date",
        "May 2017",
        "--text",
        "x",
        "--workspace",
        str(workspace),
    ]
    code, _, err = sitewatch(*wrong)
    assert code == 2
    assert "2017-05" in err
    assert sitewatch("sites", "check", "--workspace", str(workspace))[0] == 0
