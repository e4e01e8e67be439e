"""The folder of pages that `sitewatch map` makes."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from maps.offline import problems
from sites.errors import UnknownSiteError
from watch.publish import PublishOptions, publish
from watch.verify import verify
from watch.workspace import Workspace

Sitewatch = Callable[..., tuple[int, str, str]]
NOW = datetime(2024, 1, 2, tzinfo=UTC)
PAGES = PublishOptions(formats=())


def feature(site_id: str, name: str, lon: float) -> dict[str, object]:
    return {
        "type": "Feature",
        "id": site_id,
        "geometry": {"type": "Point", "coordinates": [lon, 39.0]},
        "properties": {
            "name": name,
            "category": "market",
            "observations": [{"date": "2016", "text": "Stalls."}],
        },
    }


def put(workspace: Workspace, *sites: str) -> None:
    features = [feature(site_id, site_id.title(), 125 + number / 10) for number, site_id in enumerate(sites)]
    document = {"type": "FeatureCollection", "features": features}
    (workspace.catalogue_path / "sites.geojson").write_text(json.dumps(document))


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    made = Workspace.create(tmp_path / "w", title="Places", builtin=False)
    put(made, "alpha", "beta", "gamma")
    return made


def names(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_the_folder_holds_a_map_and_a_dossier_for_each_site(workspace: Workspace) -> None:
    seen: list[tuple[int, int, str]] = []
    done = publish(workspace, now=NOW, progress=lambda *each: seen.append(each))
    assert names(workspace.public_path) == [
        "atom.xml", "data/detections.geojson", "data/looks.csv", "data/notes.csv", "data/sites.geojson",
        "index.html", "manifest.json", "sites/alpha.html", "sites/beta.html", "sites/gamma.html",
        "sitewatch.gpkg", "sitewatch.kmz",
    ]  # fmt: skip
    assert done.dossiers == 3
    assert seen == [(1, 3, "alpha"), (2, 3, "beta"), (3, 3, "gamma")]
    for path in workspace.public_path.rglob("*.html"):
        assert problems(path.read_text()) == []
    assert verify(workspace).findings == ()


def test_only_dossiers_whose_content_changed_are_written_again(workspace: Workspace) -> None:
    publish(workspace, now=NOW, options=PAGES)
    kept = workspace.public_path / "sites" / "alpha.html"
    before = kept.stat()
    file = workspace.catalogue_path / "sites.geojson"
    file.write_text(file.read_text().replace('"Beta"', '"Beta Market"'))
    done = publish(workspace, now=NOW.replace(year=2025), options=PAGES)
    assert done.files.written == ("index.html", "sites/beta.html")
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_dossiers_of_sites_that_are_gone_go_and_what_others_wrote_stays(workspace: Workspace) -> None:
    publish(workspace, now=NOW, options=PAGES)
    (workspace.public_path / "feed.xml").write_text("<feed/>")
    (workspace.public_path / "health.html").write_text("fine")
    (workspace.public_path / "sites" / "delta.html").write_text("mine")
    put(workspace, "alpha")
    done = publish(workspace, now=NOW, options=PAGES)
    assert done.files.removed == ("sites/beta.html", "sites/gamma.html")
    assert names(workspace.public_path) == [
        "feed.xml", "health.html", "index.html", "manifest.json", "sites/alpha.html", "sites/delta.html",
    ]  # fmt: skip


def test_a_single_file_is_alone(workspace: Workspace) -> None:
    publish(workspace, now=NOW)
    done = publish(workspace, now=NOW, options=PublishOptions(single_file=True))
    assert names(workspace.public_path) == ["index.html", "manifest.json"]
    assert done.dossiers == 0
    assert not done.view.dossiers


def test_a_site_nobody_knows_changes_nothing(workspace: Workspace) -> None:
    publish(workspace, now=NOW)
    before = (workspace.public_path / "manifest.json").read_bytes()
    with pytest.raises(UnknownSiteError, match="alpa"):
        publish(workspace, now=NOW, options=PublishOptions(sites=("alpa",)))
    assert (workspace.public_path / "manifest.json").read_bytes() == before


def test_the_command_names_what_it_did(workspace: Workspace, sitewatch: Sitewatch, tmp_path: Path) -> None:
    folder = ["--workspace", str(workspace.root), "--out", str(tmp_path / "out")]
    code, out, _ = sitewatch("map", "beta", "--formats", "none", *folder, "--json")
    document = json.loads(out)
    assert code == 0
    assert document["written"] == ["index.html", "sites/beta.html"]
    assert (document["sites"], document["dossiers"], document["kept"]) == (1, 1, 0)
    assert names(tmp_path / "out") == ["index.html", "manifest.json", "sites/beta.html"]
    code, out, _ = sitewatch("map", "--no-dossiers", "--formats", "none", *folder)
    assert code == 0
    assert out.splitlines() == [
        "1 file written, 0 as they were, 1 removed.", str(tmp_path / "out" / "index.html"),
    ]  # fmt: skip
    assert names(tmp_path / "out") == ["index.html", "manifest.json"]


def test_a_folder_with_something_else_is_refused(
    workspace: Workspace, sitewatch: Sitewatch, tmp_path: Path
) -> None:
    (tmp_path / "index.html").write_text("my home page")
    code, _, err = sitewatch("map", "--workspace", str(workspace.root), "--out", str(tmp_path))
    assert code == 1
    assert "no page of ours" in err
    assert (tmp_path / "index.html").read_text() == "my home page"


def test_formats_are_chosen_by_name(workspace: Workspace, sitewatch: Sitewatch, tmp_path: Path) -> None:
    folder = ["--workspace", str(workspace.root), "--out", str(tmp_path / "out")]
    sitewatch("map", "--no-dossiers", "--formats", "kmz, atom,kmz", *folder)
    assert names(tmp_path / "out") == ["atom.xml", "index.html", "manifest.json", "sitewatch.kmz"]
    sitewatch("map", "--single-file", *folder)
    assert names(tmp_path / "out") == ["index.html", "manifest.json"]
    sitewatch("map", "--single-file", "--formats", "gpkg", *folder)
    assert names(tmp_path / "out") == ["index.html", "manifest.json", "sitewatch.gpkg"]
    code, _, err = sitewatch("map", "--formats", "kml", *folder)
    assert code == 2 and "--formats: no format 'kml'. Write some of geojson,csv,kmz,gpkg,atom, or none" in err
    assert names(tmp_path / "out") == ["index.html", "manifest.json", "sitewatch.gpkg"]


def test_the_same_content_gives_the_same_files_whenever_it_is_published(workspace: Workspace) -> None:
    publish(workspace, now=NOW)
    done = publish(workspace, now=NOW.replace(year=2026))
    assert done.files.written == ("index.html",)


def test_published_sites_are_taken_back_as_they_are(workspace: Workspace, sitewatch: Sitewatch) -> None:
    publish(workspace, now=NOW)
    file = str(workspace.public_path / "data" / "sites.geojson")
    other = Workspace.create(workspace.root.parent / "other", builtin=False)
    code, _, err = sitewatch("sites", "add", file, "--workspace", str(other.root))
    assert (code, {site.id: site for site in other.catalogue()}) == (
        0,
        {site.id: site for site in workspace.catalogue()},
    ), err
    assert publish(workspace, now=NOW).view.files[0] == (
        "Sites with their notes, GeoJSON",
        "data/sites.geojson",
    )


def test_a_feed_that_follows_no_profile_is_named(workspace: Workspace, sitewatch: Sitewatch) -> None:
    (workspace.public_path / "feed.xml").write_text("<feed/>")
    folder = ["--workspace", str(workspace.root), "--formats", "none"]
    assert "feed.xml is written by notify" in sitewatch("map", "--publish", "public", *folder)[2]
    assert "feed.xml" not in sitewatch("map", *folder)[2]


def test_a_file_that_fails_leaves_everything_as_it_was(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(workspace, now=NOW)
    before = {path: (workspace.public_path / path).read_bytes() for path in names(workspace.public_path)}
    put(workspace, "alpha", "beta", "gamma", "delta")

    def broken(_view: object) -> bytes:
        raise MemoryError

    monkeypatch.setattr("maps.geopackage.geopackage", broken)
    with pytest.raises(MemoryError):
        publish(workspace, now=NOW)
    assert {
        path: (workspace.public_path / path).read_bytes() for path in names(workspace.public_path)
    } == before
