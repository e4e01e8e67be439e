from __future__ import annotations

import json
from dataclasses import replace
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Point, shape

from maps.provinces import PROVINCES, How, province_of, whereabouts
from sites.model import Site


@pytest.mark.parametrize(
    ("text", "province"),
    [
        ("Pyongyang", "pyongyang"),
        ("P'yŏngyang-si", "pyongyang"),
        ("평양직할시", "pyongyang"),
        ("Phyongan South", "south-pyongan"),
        ("평남", "south-pyongan"),
        ("N. Pyongan", "north-pyongan"),
        ("Hamgyŏng-pukto", "north-hamgyong"),
        ("Hamgyeongnam-do", "south-hamgyong"),
        ("South Hwanghae Province", "south-hwanghae"),
        ("양강도", "ryanggang"),
        ("Yanggang", "ryanggang"),
        ("Jagang-do", "chagang"),
        ("Rajin-Sonbong", "rason"),
        ("나선특별시", "rason"),
        ("Nampho", "nampo"),
        ("개성시", "kaesong"),
        ("Hamgyong", None),
        ("Pyongan", None),
        ("Jilin", None),
        ("", None),
        ("<b>Rason</b>", None),
    ],
)
def test_a_province_is_known_by_any_of_its_names(text: str, province: str | None) -> None:
    found = province_of(text)
    assert (found.id if found else None) == province


def test_kangwon_of_another_country_is_another_one() -> None:
    assert province_of("Gangwon", country="KOR") is None
    assert province_of("Gangwon", country="PRK") is province_of("강원도")


@given(st.text(max_size=40))
def test_any_text_is_a_province_or_none(text: str) -> None:
    found = province_of(text)
    assert found is None or found in PROVINCES


def test_every_outline_of_the_basemap_belongs_to_one_province_by_its_own_name() -> None:
    document = json.loads((files("maps") / "basemap" / "provinces.json").read_text())
    own = {each.outline: each for each in PROVINCES if each.has_outline}
    assert {feature["id"] for feature in document["features"]} == set(own)
    for feature in document["features"]:
        assert own[feature["id"]].name == feature["properties"]["name"]
        assert own[feature["id"]].name_ko == feature["properties"]["name_ko"]
    assert {each.outline for each in PROVINCES} == set(own)


def test_a_site_lies_where_it_is_written_to_lie_else_where_its_point_is(valley: Site) -> None:
    here = replace(valley, country="PRK", province=None, geometry=Point(125.75, 39.03))
    rows = (
        here,
        replace(here, province="Chagang"),
        replace(here, province="Somewhere"),
        replace(here, geometry=None),
        replace(here, province="Elsewhere", geometry=None),
        valley,
    )
    found = whereabouts(rows)
    assert [(each.province.id if each.province else None, each.how, each.said) for each in found] == [
        ("pyongyang", How.POINT, ""),
        ("chagang", How.NAME, ""),
        ("pyongyang", How.POINT, ""),
        (None, How.NONE, ""),
        (None, How.NONE, "Elsewhere"),
        (None, How.NONE, "Colorado"),
    ]
    assert whereabouts(()) == ()


def test_only_a_site_of_the_country_is_drawn_into_it_from_just_outside(valley: Site) -> None:
    coal_terminal = replace(valley, province=None, country="PRK", geometry=Point(125.39, 38.715))
    outlines = json.loads((files("maps") / "basemap" / "provinces.json").read_text())["features"]
    assert not any(shape(each["geometry"]).contains(coal_terminal.point) for each in outlines)
    far = replace(coal_terminal, geometry=Point(124.0, 38.0))
    found = whereabouts((coal_terminal, replace(coal_terminal, country="CHN"), far))
    assert [each.how for each in found] == [How.NEAR, How.NONE, How.NONE]
