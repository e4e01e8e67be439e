from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path

import orjson
import pytest

from maps.profile import FULL, PUBLIC
from sites.categories import Category
from sites.geojson import read_file
from sites.model import Site
from watch.errors import WorkspaceError
from watch.publish import PublishOptions, preview, publish
from watch.publish_settings import profile_of
from watch.settings import Settings, read_settings
from watch.workspace import Workspace

Call = Callable[..., tuple[int, str, str]]


def settings(tmp_path: Path, text: str) -> Settings:
    file = tmp_path / "sitewatch.toml"
    file.write_text(text)
    return read_settings(file)


def test_two_profiles_are_there_without_a_word(tmp_path: Path) -> None:
    said = settings(tmp_path, "")
    assert profile_of(said) == profile_of(said, "full") == FULL
    assert profile_of(said, "public") == PUBLIC
    assert profile_of(settings(tmp_path, 'profile = "public"')) == PUBLIC


def test_what_a_table_does_not_say_is_as_in_public(tmp_path: Path) -> None:
    said = settings(tmp_path, '[publish.readers]\nblur_m = 5000\nwithout_categories = ["mine"]')
    mine = profile_of(said, "readers")
    assert (mine.blur_m, mine.without_categories) == (5000, frozenset({Category.MINE}))
    assert (mine.confirmed_only, mine.private_notes, mine.authors) == (True, False, False)
    assert mine.without_flags == PUBLIC.without_flags
    assert profile_of(said, "public") == PUBLIC
    with pytest.raises(WorkspaceError, match=r"--publish: no profile 'reader'. Known: full, public, readers"):
        profile_of(said, "reader")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[publish.a]\nblur_m = 3000", r"publish\.a\.blur_m: .*write 0 or one of 1250, 2500"),
        ("[publish.a]\nblur = 5000", r"publish\.a\.blur: no such setting"),
        ('[publish.a]\ndetections = "some"', r"publish\.a\.detections: .*'confirmed' or 'all'"),
        ('[publish.a]\nwithout_categories = ["shop"]', r"publish\.a\.without_categories\.0: .*'market'"),
        ('[publish.a]\ncredits = [""]', r"publish\.a\.credits\.0: .*at least 1 character"),
        ("[publish.full]", r"publish\.full.*give it another name"),
        ('[publish."A b"]', r"publish\.A b.*match pattern"),
    ],
)
def test_a_wrong_profile_is_refused_by_its_key(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(WorkspaceError, match=message):
        settings(tmp_path, text)


@pytest.fixture
def workspace(make_workspace: Callable[[str], Workspace]) -> Workspace:
    """Return a workspace with a private note, a site that is not for readers, and a profile."""
    made = make_workspace("work")
    file = made.catalogue_path / "sites.geojson"
    document = json.loads(file.read_bytes())
    document["features"][0]["properties"]["observations"] = [
        {"id": "open", "date": "2016", "text": "A shed.", "author": "Anna"},
        {"id": "hidden", "date": "2017", "text": "Heard from a friend.", "private": True},
    ]
    secret = {"name": "Depot", "category": "storage", "sensitive": True}
    document["features"].append({"type": "Feature", "id": "depot", "geometry": None, "properties": secret})
    file.write_bytes(orjson.dumps(document))
    return made


def test_a_preview_tells_what_is_left_out_and_writes_nothing(workspace: Workspace, sitewatch: Call) -> None:
    folder = ["--workspace", str(workspace.root)]
    code, out, _ = sitewatch("map", "--publish", "public", "--preview", "--json", *folder)
    told = json.loads(out)
    assert code == 0
    assert told["left_out"] == {"site": 1, "note": 1, "author": 1}
    assert {(row["site"], row["kind"], row["id"]) for row in told["rows"]} == {
        ("depot", "site", "depot"),
        ("yard", "note", "hidden"),
        ("yard", "author", "open"),
    }
    _, out, _ = sitewatch("map", "--publish", "public", "--preview", *folder)
    assert "public: 1 site, 1 note, 1 author's name left out, 1 site kept. No page was written." in out
    _, out, _ = sitewatch("map", "--preview", *folder)
    assert "full: nothing left out, 2 sites kept" in out
    assert list(workspace.public_path.iterdir()) == []
    code, _, err = sitewatch("map", "--publish", "nobody", *folder)
    assert code == 2 and "no profile 'nobody'" in err


def test_a_page_is_made_under_the_profile_that_is_named(workspace: Workspace, sitewatch: Call) -> None:
    folder = ["--workspace", str(workspace.root)]
    code, out, err = sitewatch("map", "--publish", "public", "--json", *folder)
    told = json.loads(out)
    assert (code, told["profile"], told["sites"]) == (0, "public", 1)
    assert told["left_out"] == {"site": 1, "note": 1, "author": 1}
    assert "left out by 'public'" in err
    assert "private note" not in err.replace("1 note", "")
    _, out, err = sitewatch("map", "--json", *folder)
    assert "1 private note on these pages, by profile 'full'" in err
    told = json.loads(out)
    assert (told["profile"], told["sites"], told["left_out"]) == ("full", 2, {})


def test_notes_are_marked_private_and_hide_what_they_replace(workspace: Workspace, sitewatch: Call) -> None:
    folder = ["--workspace", str(workspace.root)]
    said = ("--date", "2018", "--text", "Told in confidence.", "--private")
    added = json.loads(sitewatch("notes", "add", "yard", *said, *folder, "--json")[1])
    assert added["private"] is True
    assert "[private]" in sitewatch("notes", "list", "yard", *folder)[1]
    edited = json.loads(sitewatch("notes", "edit", "yard", "open", "--private", *folder, "--json")[1])
    assert edited["private"] is True and edited["supersedes"] == "open"
    again = ("notes", "edit", "yard", added["id"], "--text", "Told openly.", "--not-private")
    freed = json.loads(sitewatch(*again, *folder, "--json")[1])
    assert freed.get("private", False) is False
    told = json.loads(sitewatch("map", "--publish", "public", "--preview", "--json", *folder)[1])
    hidden = {row["id"] for row in told["rows"] if row["kind"] == "note"}
    assert hidden == {"hidden", "open", edited["id"], added["id"]}


def test_images_of_a_real_run_stay_or_go_by_their_credit_and_place(
    make_workspace: Callable[[str], Workspace],
    add_scenes: Callable[[Workspace, list[Path]], None],
    scenes: Callable[..., list[Path]],
    days: list[date],
    now: datetime,
) -> None:
    workspace = make_workspace("work")
    add_scenes(workspace, scenes(days[:8]))
    workspace.run(now=now)
    settings_file = workspace.root / "sitewatch.toml"
    tables = {
        "made": 'credits = ["made for a TEST"]',
        "others": 'credits = ["Copernicus"]',
        "rough": "blur_m = 10000",
    }
    more = "".join(f"\n[publish.{name}]\n{line}\n" for name, line in tables.items())
    settings_file.write_text(settings_file.read_text() + more)
    workspace = Workspace.open(workspace.root)
    images, counts = {}, {}
    for name in ("full", *tables):
        options = PublishOptions(profile=name)
        done = publish(workspace, now=now, options=options)
        with zipfile.ZipFile(workspace.public_path / "sitewatch.kmz") as archive:
            images[name] = sum(path.startswith("images/") for path in archive.namelist())
        counts[name] = done.left.counts.get("picture", 0)
        assert preview(workspace, now=now, options=options).left == done.left
        assert done.missing == ()
    assert images == {"full": 1, "made": 1, "others": 0, "rough": 0}
    assert counts["full"] == counts["made"] == 0 < counts["others"]
    assert counts["rough"] == 1
    shown = read_sites(workspace.public_path / "data" / "sites.geojson")
    assert shown.coordinate_accuracy_m == 10_000 and shown.footprint is None


def read_sites(path: Path) -> Site:
    (site,) = read_file(path).records()
    assert isinstance(site, Site)
    return site
