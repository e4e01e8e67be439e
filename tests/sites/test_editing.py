from __future__ import annotations

import json
from pathlib import Path

import pytest
from shapely.geometry import Point, box

from geo.dates import parse_edtf
from geo.errors import InputError
from sites.catalogue import Catalogue, check
from sites.categories import Category
from sites.editing import Place, add_note, call, current_notes, edit, place, reinstate, rename, retire
from sites.errors import CatalogueError, SiteError, UnknownSiteError
from sites.model import Name, Site
from sites.observation import Observation
from sites.watching import WatchMode

TODAY = parse_edtf("2026-11-22")


def site(**fields: object) -> Site:
    values: dict[str, object] = {"id": "a", "names": (Name("A"),), "category": Category.MARKET}
    return Site(**(values | fields))  # type: ignore[arg-type]  # tests pass what they like


def note(note_id: str, date: str = "2016", **fields: object) -> Observation:
    return Observation(note_id, parse_edtf(date), "Built.", **fields)  # type: ignore[arg-type]  # the same


def test_placing_keeps_where_it_was() -> None:
    vague = site(geometry=Point(128, 41), coordinate_accuracy_m=12000.0, coordinate_source="estimate")
    assert vague.watch_mode is WatchMode.TOO_VAGUE
    placed = place(vague, Place(Point(128.17, 41.4), "Sentinel-2, 2024", accuracy_m=20.0), TODAY)
    assert placed.watch_mode is WatchMode.SQUARE
    (before,) = placed.placements
    assert (before.geometry, before.accuracy_m, before.source) == (Point(128, 41), 12000.0, "estimate")
    assert str(before.until) == "2026-11-22"
    drawn = place(placed, Place(None, "the same", footprint=box(128.16, 41.39, 128.18, 41.41)), TODAY)
    assert drawn.watch_mode is WatchMode.FOOTPRINT
    assert (drawn.geometry, drawn.coordinate_accuracy_m, len(drawn.placements)) == (
        Point(128.17, 41.4),
        20.0,
        2,
    )


def test_first_placement_has_no_history() -> None:
    assert place(site(), Place(Point(1, 2), "x", accuracy_m=5.0), TODAY).placements == ()


@pytest.mark.parametrize(
    "where",
    [
        Place(None, "x"),
        Place(Point(1, 2), "x"),
        Place(Point(1, 2), " ", accuracy_m=5.0),
        Place(Point(1, 2), "x", accuracy_m=-5.0),
        Place(Point(1, 200), "x", accuracy_m=5.0),
        Place(None, "x", footprint=Point(1, 2)),
    ],
)
def test_refuses_a_place_that_says_too_little(where: Place) -> None:
    with pytest.raises(InputError):
        place(site(), where, TODAY)


def test_edits_go_through_the_validator() -> None:
    edited = edit(site(province="X"), {"category": "bridge", "province": None, "watch": {"cadence": "P7D"}})
    assert (edited.category, edited.province, edited.watch.cadence.days) == (Category.BRIDGE, None, 7)  # type: ignore[union-attr]  # it was given
    with pytest.raises(SiteError, match="unknown category"):
        edit(site(), {"category": "bazaar"})
    for field in ("id", "geometry", "observations", "retired"):
        with pytest.raises(SiteError, match="is not edited"):
            edit(site(), {field: None})


def test_a_new_name_keeps_the_old_ones() -> None:
    renamed = call(site(names=(Name("A"), Name("B"))), Name("B"))
    assert [name.text for name in renamed.names] == ["B", "A"]


def test_renaming_keeps_the_old_id_and_the_file(tmp_path: Path) -> None:
    raw = {"type": "Feature", "geometry": None, "properties": {"name": "A", "category": "market"}}
    part = {"name": "B", "category": "rail", "relations": [{"kind": "part_of", "site": "a"}]}
    features = [raw | {"id": "a"}, raw | {"id": "b", "properties": part}]
    (tmp_path / "all.geojson").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    catalogue = Catalogue.read(tmp_path)
    written = rename(catalogue, "a", "z").write()
    assert [path.name for path in written] == ["all.geojson"]
    again = Catalogue.read(tmp_path)
    assert [site.id for site in again] == ["b", "z"]
    assert again.get("a").id == "z"
    assert check(tmp_path) == ()
    assert rename(again, "z", "a").get("z").id == "a"


def test_a_renamed_site_knows_its_first_id_even_when_it_takes_it_again(tmp_path: Path) -> None:
    catalogue = Catalogue.of([site()])
    assert catalogue.get("a").first_id == "a"
    for new, former in (("b", ("a",)), ("c", ("a", "b")), ("a", ("a", "b", "c")), ("b", ("a", "c"))):
        catalogue = rename(catalogue, "a", new)
        (renamed,) = catalogue
        assert (renamed.id, renamed.former_ids, renamed.first_id) == (new, former, "a")
        assert {catalogue.get(old).id for old in former} == {new}
        (tmp_path / "one.geojson").unlink(missing_ok=True)
        Catalogue.of(list(catalogue), path=tmp_path).write(into="one.geojson")
        assert check(tmp_path) == ()
        assert Catalogue.read(tmp_path).get("a").former_ids == former


def test_renaming_takes_no_id_of_another_site() -> None:
    catalogue = Catalogue.of([site(), site(id="b", former_ids=("c",))])
    for taken in ("b", "c"):
        with pytest.raises(CatalogueError, match="that of 'b'"):
            rename(catalogue, "a", taken)
    with pytest.raises(SiteError):
        rename(catalogue, "a", "../a")
    with pytest.raises(UnknownSiteError):
        rename(catalogue, "x", "y")


def test_retiring_stops_the_watch_and_can_be_undone() -> None:
    retired = retire(site(geometry=Point(1, 2)), TODAY, "built over")
    assert retired.watch_mode is WatchMode.RETIRED and "built over" in retired.watch_reason
    assert reinstate(retired).is_watched


def test_notes_are_added_and_superseded_never_removed() -> None:
    first = add_note(site(), note("n1", "2016"))
    second = add_note(first, note("n2", "2015", supersedes="n1"))
    third = add_note(second, note("n3", "2014"))
    assert [item.id for item in third.observations] == ["n1", "n2", "n3"]
    assert [item.id for item in current_notes(third)] == ["n3", "n2"]
    with pytest.raises(SiteError, match="already"):
        add_note(first, note("n1", "2017"))
    with pytest.raises(SiteError, match="no note 'n9'"):
        add_note(first, note("n4", supersedes="n9"))
