from __future__ import annotations

import pytest
from shapely.geometry import Point

from sites.categories import Category
from sites.likeness import near_duplicates, similarity
from sites.model import Name, Site


def site(site_id: str, name: str, lat: float | None = 39.0, **fields: object) -> Site:
    geometry = None if lat is None else Point(125.7, lat)
    values: dict[str, object] = {"category": Category.MARKET, "geometry": geometry}
    return Site(site_id, (Name(name),), **(values | fields))  # type: ignore[arg-type]  # tests pass what they like


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("Haebang Market", "해방시장", 1.0, 1.0),
        ("Chaeryŏng sijang", "Jaeryeong Market", 1.0, 1.0),
        ("Haebang Market", "Munhwa Market", 0.0, 0.5),
        ("Market", "market", 1.0, 1.0),
        ("!", "?", 0.0, 0.0),
    ],
)
def test_names_are_compared_as_they_sound_without_their_kind(
    one: str, other: str, least: float, most: float
) -> None:
    assert least <= similarity(site("a", one), site("b", other)) <= most


def test_each_pair_is_named_once_and_by_the_later_site() -> None:
    added = [site("b", "Haebang"), site("c", "해방시장")]
    pairs = [(pair.site_id, pair.other_id) for pair in near_duplicates(added, [site("a", "Haebang Market")])]
    assert pairs == [("b", "a"), ("c", "a"), ("c", "b")]


def test_a_dam_is_no_market_of_its_name() -> None:
    dam = site("dam", "Supung Dam", category=Category.POWER_STATION)
    assert list(near_duplicates([site("m", "Supung Market", 39.001)], [dam])) == []
    vague = site("o", "Supung", category=Category.OTHER)
    assert [pair.other_id for pair in near_duplicates([site("m", "Supung Market", 39.001)], [vague])] == ["o"]


def test_unplaced_sites_are_alike_by_name_and_province() -> None:
    known = [site("a", "해방시장", None, province="Rason"), site("b", "해방시장", None, province="Chagang")]
    (pair,) = near_duplicates([site("c", "Haebang Market", None, province="Rason")], known)
    assert (pair.other_id, pair.distance_m) == ("a", None)
    (pair,) = near_duplicates([site("d", "Haebang Market", province="Chagang")], known)
    assert (pair.other_id, pair.distance_m) == ("b", None)
    (pair,) = near_duplicates([site("c", "Haebang Market", None, province="Rason")], known)
    assert str(pair) == "c may be a (해방시장): not both placed, names 100% alike"


def test_across_the_antimeridian_and_at_the_pole_nothing_breaks() -> None:
    far = [
        Site(f"s{lon}", (Name("A"),), Category.OTHER, Point(lon, lat))
        for lon, lat in [(180, 0), (-180, 90), (0, 90)]
    ]
    assert isinstance(list(near_duplicates(far, [])), list)
