from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from shapely.geometry import Point

from geo.errors import InputError
from sites.additions import plan_additions
from sites.builtin import builtin_files
from sites.catalogue import Catalogue, check
from sites.errors import CatalogueError, UnknownSiteError
from sites.geojson import read_document, write_document
from sites.model import Site


def feature(
    site_id: str | None = "a", lon: float = 125.7, lat: float = 39.0, **properties: object
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
        "properties": {"name": "Komsan Market", "category": "market"} | properties,
    }
    return body if site_id is None else body | {"id": site_id}


def dump(*features: object, **foreign: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": features} | foreign).encode()


def stored(folder: Path, **files: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, data in files.items():
        (folder / f"{name}.geojson").write_bytes(data)
    return folder


def test_reads_a_file_and_a_folder_ordered_by_id(tmp_path: Path) -> None:
    folder = stored(tmp_path / "c", z=dump(feature("b"), feature("a", name="A")), a=dump(feature("c")))
    catalogue = Catalogue.read(folder)
    assert [site.id for site in catalogue] == ["a", "b", "c"]
    assert len(catalogue) == 3 and "a" in catalogue and "x" not in catalogue
    assert len(Catalogue.read(folder / "z.geojson")) == 2


def test_an_empty_folder_is_an_empty_catalogue_and_nothing_is_none(tmp_path: Path) -> None:
    assert len(Catalogue.read(tmp_path)) == 0
    with pytest.raises(CatalogueError, match="no such file"):
        Catalogue.read(tmp_path / "none")


def test_unknown_id_offers_the_nearest(tmp_path: Path) -> None:
    catalogue = Catalogue.read(stored(tmp_path / "c", a=dump(feature("sinuiju-customs"))))
    with pytest.raises(UnknownSiteError, match="sinuiju-customs"):
        catalogue.get("sinuju-customs")


def test_former_ids_find_the_site(tmp_path: Path) -> None:
    catalogue = Catalogue.read(stored(tmp_path / "c", a=dump(feature("new", former_ids=["old"]))))
    assert catalogue.get("old").id == "new"
    with pytest.raises(CatalogueError, match="former id 'old'"):
        Catalogue.read(stored(tmp_path / "c", b=dump(feature("old"))))


def test_refuses_an_id_that_two_files_hold(tmp_path: Path) -> None:
    folder = stored(tmp_path / "c", a=dump(feature("a")), b=dump(feature("a")))
    with pytest.raises(CatalogueError, match=r"b\.geojson, feature 1 \('a'\), id: the id is taken"):
        Catalogue.read(folder)


def test_check_reports_every_fault_with_its_place(tmp_path: Path) -> None:
    bad = dump(
        feature("a", category="markt", coordinate_accuracy_m=-1),
        feature("b", lon=39.0, lat=125.0, observations=[{"date": "June 2016", "text": ""}]),
        feature("c", relations=[{"kind": "part_of", "site": "nowhere"}]),
        feature("d", observations=[{"date": "2016", "text": "x", "contradicts": ["none"]}]),
    )
    faults = check(stored(tmp_path / "c", bad=bad, worse=b"{"))
    places = [(fault.where.feature, fault.where.field) for fault in faults]
    assert places == [
        ("feature 1 ('a')", "category"),
        ("feature 2 ('b')", "geometry.coordinates"),
        ("feature 2 ('b')", "observations[0].date"),
        (None, None),
        ("feature 3 ('c')", "relations[0].site"),
        ("feature 4 ('d')", "observations[0].contradicts"),
    ]
    assert all(fault.where.file and fault.where.file.startswith(str(tmp_path)) for fault in faults)
    assert "longitude comes first" in str(faults[1]).lower()


def test_check_of_a_clean_catalogue_is_empty(test_data: Path) -> None:
    assert check(test_data / "sites" / "dprk_sites.geojson") == ()


def test_reads_the_public_sites_with_all_their_names(test_data: Path) -> None:
    catalogue = Catalogue.read(test_data / "sites" / "dprk_sites.geojson")
    assert len(catalogue) == 138
    bridge = catalogue.get("new-yalu-river-bridge")
    assert [name.text for name in bridge.names] == [
        "New Yalu River Bridge",
        "신압록강대교",
        "Korea-China Amnok River Bridge",
        "조중압록강다리",
    ]
    assert bridge.names[1].language == "ko"
    assert bridge.foreign["notes"].startswith("Cable-stayed")


def test_one_changed_site_rewrites_one_file(tmp_path: Path) -> None:
    folder = stored(tmp_path / "c", a=dump(feature("a")), b=dump(feature("b")))
    catalogue = Catalogue.read(folder)
    assert catalogue.write() == ()
    changed = plan_additions(catalogue, [read_document(dump(feature("b", province="Ryanggang")), "x")])
    written = changed.apply(catalogue).write()
    assert written == (folder / "b.geojson",)
    assert Catalogue.read(folder).get("b").province == "Ryanggang"


def test_new_sites_get_their_own_files_or_one_together(tmp_path: Path) -> None:
    folder = stored(tmp_path / "c")
    two = read_document(dump(feature("a"), feature("b", lon=126.0)), "x")
    catalogue = Catalogue.read(folder)
    assert plan_additions(catalogue, [two]).apply(catalogue).write(into="x.geojson") == (
        folder / "x.geojson",
    )
    catalogue = Catalogue.read(folder)
    one = read_document(json.dumps(feature("c", lat=40.0)).encode(), "y")
    plan_additions(catalogue, [one]).apply(catalogue).write()
    assert json.loads((folder / "c.geojson").read_bytes())["type"] == "Feature"
    assert [site.id for site in Catalogue.read(folder)] == ["a", "b", "c"]


def test_a_file_catalogue_stays_one_file_and_keeps_what_is_not_ours(tmp_path: Path) -> None:
    path = stored(tmp_path / "c", all=dump(feature("a"), generator="hand")) / "all.geojson"
    catalogue = Catalogue.read(path)
    plan_additions(catalogue, [read_document(dump(feature("b")), "x")]).apply(catalogue).write()
    assert json.loads(path.read_bytes())["generator"] == "hand"
    assert len(Catalogue.read(path)) == 2


def test_never_overwrites_a_file_it_did_not_read(tmp_path: Path) -> None:
    folder = stored(tmp_path / "c")
    catalogue = Catalogue.read(folder)
    stored(folder, a=dump(feature("z")))
    with pytest.raises(CatalogueError, match="there already"):
        plan_additions(catalogue, [read_document(dump(feature("a")), "x")]).apply(catalogue).write()


def test_adding_twice_changes_nothing(test_data: Path) -> None:
    document = read_document((test_data / "sites" / "dprk_sites.geojson").read_bytes(), "dprk")
    first = plan_additions(Catalogue.of([]), [document])
    assert len(first.new) == 138 and not first.changed and not first.refused
    catalogue = first.apply(Catalogue.of([]))
    again = plan_additions(catalogue, [document])
    assert len(again.same) == 138
    assert (again.new, again.changed, again.near_duplicates, again.refused) == ((), (), (), ())


def test_report_names_each_changed_field() -> None:
    catalogue = Catalogue.of(read_document(dump(feature("a", province="Ryanggang")), "x").records())
    incoming = dump(
        feature("a", lon=125.8, county="Hyesan", observations=[{"id": "n", "date": "2016", "text": "Built."}])
    )
    report = plan_additions(catalogue, [read_document(incoming, "y")])
    assert [change.field for change in report.changed[0].fields] == [
        "geometry",
        "county",
        "placements",
        "observations",
    ]
    after = report.changed[0].after
    assert isinstance(after, Site)
    assert after.province == "Ryanggang"
    assert after.placements[0].geometry == Point(125.7, 39.0)


def test_notes_are_never_rewritten() -> None:
    note = {"id": "n", "date": "2016", "text": "Built."}
    catalogue = Catalogue.of(read_document(dump(feature("a", observations=[note])), "x").records())
    other = read_document(
        dump(feature("a", observations=[note | {"text": "Torn down."}]), feature("b", lat=41.0)), "y"
    )
    report = plan_additions(catalogue, [other])
    assert report.refused[0].where.field == "observations[0].id"
    assert report.refused[0].where.file == "y"
    with pytest.raises(InputError, match="says something else"):
        report.apply(catalogue)
    assert [site.id for site in report.apply(catalogue, skip_refused=True)] == ["a", "b"]


def test_near_duplicates_by_place_and_by_name() -> None:
    catalogue = Catalogue.of(read_document(dump(feature("a", name="Haebang Market")), "x").records())
    incoming = dump(
        feature("same-spot", lat=39.0001, name="Other Market"),
        feature("same-name", lat=39.01, name="haebang sijang"),
        feature("far", lat=39.1, name="Haebang Market"),
        feature("other-kind", lat=39.0001, name="Other Works", category="factory"),
    )
    report = plan_additions(catalogue, [read_document(incoming, "y")])
    assert [(pair.site_id, pair.other_id) for pair in report.near_duplicates] == [
        ("same-spot", "a"),
        ("same-name", "a"),
    ]
    assert report.near_duplicates[0].distance_m == pytest.approx(11.1, abs=0.1)
    assert len(report.new) == 4


def test_two_places_of_one_name_get_ids_by_where_they_are() -> None:
    one, two = feature(None), feature(None, lat=41.0)
    ids = {site.id for site in read_document(dump(one, two), "x").records()}
    assert len(ids) == 2 and all(site_id.startswith("komsan-market-") for site_id in ids)
    assert ids == {site.id for site in read_document(dump(two, one), "x").records()}
    catalogue = Catalogue.of(read_document(dump(one), "x").records())
    report = plan_additions(catalogue, [read_document(dump(two), "y")])
    assert report.new and not report.changed
    again = plan_additions(report.apply(catalogue), [read_document(dump(two), "y")])
    assert again.same == (report.new[0].id,)


def test_subjects_hold_notes_without_a_place(tmp_path: Path) -> None:
    note = {"date": "2016", "text": "Border closed."}
    raw = {
        "type": "Feature",
        "id": "ryanggang",
        "geometry": None,
        "properties": {"subject": {"province": "Ryanggang"}, "observations": [note]},
    }
    catalogue = Catalogue.read(stored(tmp_path / "c", a=dump(raw, feature("a"))))
    subject = catalogue.subjects["ryanggang"]
    assert subject.kind == "province"
    assert subject.observations[0].text == "Border closed."
    assert len(catalogue) == 1
    assert read_document(write_document([subject]), "x").records() == (subject,)


def test_builtin_files_are_clean() -> None:
    for path in builtin_files():
        assert check(path) == ()
