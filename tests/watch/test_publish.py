"""The folder of pages that `sitewatch map` makes."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from shapely.geometry import Point

from geo.area import square_around
from imagery.change.card import Card
from imagery.change.detectable_words import sizes_of
from imagery.model import Detection, DetectionState, Look, Outcome
from maps.offline import problems
from sites.errors import UnknownSiteError
from watch.publish import PublishOptions, publish
from watch.publish_looks import page_looks
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
    code, out, err = sitewatch("map", "--no-dossiers", "--formats", "none", *folder)
    assert code == 0
    assert "1 file written, 0 as they were, 1 removed." in err
    assert out.splitlines() == [str(tmp_path / "out" / "index.html")]
    assert names(tmp_path / "out") == ["index.html", "manifest.json"]


def look_of(day: date, card: Card) -> Look:
    return Look(
        site_id="alpha",
        grid_id="g",
        solar_day=day,
        series="landsat",
        platform="landsat-5",
        scene_ids=("s",),
        acquired=datetime(day.year, day.month, day.day, tzinfo=UTC),
        day_only=True,
        outcome=Outcome.UNCHANGED,
        reason="quiet",
        clear_fraction=1.0,
        frame_clear_fraction=1.0,
        mask_scheme="scl",
        history=9,
        score=0.5,
        threshold=1.0,
        card=card,
    )


def test_looks_come_with_what_a_page_tells_of_them(workspace: Workspace) -> None:
    size = {"side_m": 20.0, "low_m": 18.0, "high_m": 22.0, "at_most": False}
    told = {"half": size, "nine": size, "shares": [0.5] * 8}
    sizes = {"what": "a roof", "trials": 96, "sides_m": [10.0], "looks": {"2": told, "4": told}}
    card = Card("Unchanged", ("why",), sections={"alone": {"score": 1.0}, "detectable": sizes})
    looks = [look_of(date(2020, 5, day), card) for day in (1, 2)]
    raised = Detection(
        id="d",
        site_id="alpha",
        grid_id="g",
        series="landsat",
        state=DetectionState.CANDIDATE,
        bracket="2020-05-01/2020-05-02",
        last_without=date(2020, 5, 1),
        first_with=date(2020, 5, 2),
        last_with=date(2020, 5, 2),
        looks_with=1,
        geometry=square_around(Point(125, 39), 50),
        area_m2=1.0,
        magnitude=1.0,
        p_value=None,
    )
    with workspace.ledger() as ledger:
        with ledger.transaction() as transaction:
            for look in looks:
                transaction.add_look(look, run_id="r", judged_at=NOW)
        first, second = page_looks(ledger, "alpha", [raised])
    assert second.card == card
    assert first.card is not None
    assert sizes_of(first) == sizes_of(looks[0])
    assert list(first.card.sections) == ["detectable"]
    assert replace(first, card=None) == replace(looks[0], card=None)


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
