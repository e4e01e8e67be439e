from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Point, box

from geo.dates import Span, parse_edtf, parse_span
from sites.catalogue import Catalogue
from sites.categories import Category
from sites.model import Name, Site
from sites.observation import Observation
from sites.romanisation import plain, romanise, sound_key
from sites.search import Filters, SiteIndex
from sites.trigrams import Trigrams

HERE = Path(__file__).parent
with (HERE / "search_queries.tsv").open(encoding="utf-8", newline="") as stream:
    QUERIES = [(row["query"], row["site"]) for row in csv.DictReader(stream, delimiter="\t")]


@pytest.fixture(scope="module")
def index() -> SiteIndex:
    return SiteIndex.of(Catalogue.read(HERE.parents[1] / "sites" / "builtin"))


def site(site_id: str, *names: str, **fields: object) -> Site:
    values: dict[str, object] = {"names": tuple(map(Name, names)), "category": Category.MARKET}
    return Site(site_id, **(values | fields))  # type: ignore[arg-type]  # tests pass what they like


def test_the_list_of_queries_is_long_enough_and_in_every_script() -> None:
    assert len(QUERIES) >= 50
    assert sum(not query.isascii() for query, _ in QUERIES) >= 25


@pytest.mark.parametrize(("query", "wanted"), QUERIES)
def test_the_first_match_is_the_wanted_one(index: SiteIndex, query: str, wanted: str) -> None:
    found = index.search(query, limit=3)
    assert found, query
    assert found[0].site.id == wanted, [(match.site.id, match.score, match.why) for match in found]


@pytest.mark.parametrize(
    "spellings",
    [
        ("회령", "Hoeryong", "Hoeryŏng", "Hoeryeong", "hoe ryong", "hoe-ryŏng"),
        ("청진", "Ch'ŏngjin", "Chongjin", "Cheongjin"),
        ("라진", "나진", "Rajin", "Najin"),
        ("룡천", "용천", "Ryongch'on", "Yongcheon"),
        ("북창", "Pukch'ang", "Bukchang", "Pukchang"),
        ("개성", "Kaesŏng", "Kaesong", "Gaeseong"),
        ("평성", "P'yŏngsŏng", "Phyongsong", "Pyeongseong"),
        ("신의주", "Sinŭiju", "Sinuiju", "Shinuiju"),
        ("압록", "Amnok", "Amrok"),
        ("천리마", "Ch'ŏllima", "Chollima", "Cheonrima"),
        ("덕천", "Tokchon", "Deokcheon", "Tŏkch'ŏn"),
    ],
)
def test_all_spellings_of_a_name_meet(spellings: tuple[str, ...]) -> None:
    assert len({sound_key(spelling) for spelling in spellings}) == 1


def test_names_that_sound_apart_stay_apart() -> None:
    names = ["회령", "혜산", "무산", "만포", "청진", "함흥", "해주", "원산", "남포", "단천", "북청", "북창"]
    assert len({sound_key(name) for name in names}) == len(names)


def test_romanises_every_syllable_and_nothing_else() -> None:
    assert romanise("평양 Pyongyang 漢") == "pyeongyang Pyongyang 漢"
    every = "".join(chr(code) for code in range(0xAC00, 0xD7A4))
    assert romanise(every).isascii()
    assert plain("  A--b_C!  ") == "a b c"


def test_says_why_it_matched() -> None:
    index = SiteIndex.of([site("a", "Hoeryong Market", "회령시장", province="North Hamgyong")])

    def why(query: str) -> str:
        return index.search(query)[0].why

    assert why("hoeryong market") == "the name 'Hoeryong Market'; category market"
    assert why("회령 시장") == "the name '회령시장', spaced otherwise; category market"
    assert why("Hoeryŏng-sijang") == "the name '회령시장', in another script; category market"
    assert why("Hoeryeong Market") == "the name 'Hoeryong Market', romanised otherwise; category market"
    assert why("Hoeryong") == "words of the name 'Hoeryong Market'"
    assert why("Hoeryomg").startswith("the name 'Hoeryong Market', alike to ")
    assert why("markets in Hamgyong").endswith("category market; in North Hamgyong")


def test_finds_nothing_where_there_is_nothing() -> None:
    assert SiteIndex.of([]).search("x") == ()
    index = SiteIndex.of([site("a", "Hoeryong Market")])
    assert index.search("Volgograd tractor") == ()
    assert [match.site.id for match in index.search("")] == ["a"]
    assert index.search("", limit=0) == ()


def test_a_kind_and_a_place_are_enough(index: SiteIndex) -> None:
    found = index.search("market in Ryanggang", limit=2)
    assert {match.site.id for match in found} == {"hyesan-market", "komsan-ri-market"}


def test_filters_by_category_province_area_and_date() -> None:
    note = Observation("n", parse_edtf("2015-05-25/2016-06-27"), "Built.")
    one = site("a", "Komsan", province="Ryanggang", geometry=Point(128, 41), observations=(note,))
    other = site("b", "Komsan", category=Category.BRIDGE, province="Chagang", geometry=Point(126, 41))
    index = SiteIndex.of([one, other, site("c", "Komsan")])
    june = parse_span("2016-06")
    for filters, wanted in [
        (Filters(), "abc"),
        (Filters(category=Category.BRIDGE), "b"),
        (Filters(province="ryang-gang"), ""),
        (Filters(province="Yanggang"), "a"),
        (Filters(within=box(125, 40, 127, 42)), "b"),
        (Filters(span=june), "a"),
        (Filters(span=Span(parse_span("2017").start, parse_span("2017").end)), ""),
    ]:
        assert "".join(sorted(match.site.id for match in index.search("Komsan", filters))) == wanted


def test_trigrams_agree_with_the_plain_formula() -> None:
    keys = ["hweryong", "hesan", "hweryong", "", "aaaa", "가나다"]
    trigrams = Trigrams.of(keys)
    likeness = trigrams.likeness("hweryong")
    assert likeness[0] == pytest.approx(1) and likeness[2] == pytest.approx(1)
    assert 0 < likeness[1] < 0.5
    assert likeness[4] == 0
    assert trigrams.likeness("aaaa")[4] == pytest.approx(1)
    assert Trigrams.of([]).likeness("x").shape == (0,)


@given(query=st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_any_query_is_answered(index: SiteIndex, query: str) -> None:
    found = index.search(query, limit=5)
    assert len(found) <= 5
    assert all(match.why and match.name for match in found)
