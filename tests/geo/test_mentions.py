from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.coordinates import format_coordinate
from geo.mentions import WITHHELD, has_place, without_places
from geo.position import Coordinate, Form

WRITTEN = [form for form in Form if form is not Form.LINK]
words = st.text(st.characters(codec="utf-8"), max_size=30)

PLACES = (
    "39.0194, 125.7381",
    "39.0194,125.7381",
    "(39.01 125.73)",
    "[125.7381, 39.0194]",
    "N39.0194 E125.7381",
    "39°01'10\"N 125°44'17\"E",
    "39\N{MASCULINE ORDINAL INDICATOR}01\N{PRIME}10\N{DOUBLE PRIME}N",
    "39:01:10N 125:44:17E",
    "39 01 10 N, 125 44 17 E",
    "39d01m10sN 125d44m17sE",
    "390110N 1254417E",
    "N 39 01.164 E 125 44.286",
    "Lat 39.0194 Lon 125.7381",
    "latitude: 39.01; longitude: 125.73",
    "POINT (125.7381 39.0194)",
    "북위 39도 1분 10초 동경 125도 44분",
    "위도 39.01 경도 125.73",
    "北纬39°1\N{PRIME} 东经125°44\N{PRIME}",
    "EPSG:32651 737015 4322568",
    "51 S 737015mE 4322568mN",
    "zone 51 north 737015 4322568",
    "51S YD 37015 22568",
    "51SYD3701522568",
    "51syd3701522568",
    "grid YD 370 225",
    "8QF72P9Q+Q6",
    "2P9Q+Q6 Pyongyang",
    "8qf72p9q+q6",
    "geo:39.01,125.73",
    "///filled.count.soap",
    "geohash wydm9qyc",
    "39,0194; 125,7381",
    "39 . 0194",
    "39.0194".translate({ord(c): ord(c) + 0xFEE0 for c in "0123456789."}),
    "٣٩.٠١٩٤",
    "39\u200b.0\u200b194",
    "39·0194",
    "https://www.google.com/maps/@39.0194,125.7381,15z",
    "https://maps.app.goo.gl/AbCdEf",
    "maps.app.goo.gl/AbCdEf",
    "https://www.openstreetmap.org/way/1234",
    "https://example.org/view?lat=39%2E0194&lon=125%2E7381",
    "https://web.archive.org/web/2020/https://maps.google.com/?q=39.01,125.73",
)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("around", ["{}", "Seen at {} in 2016.", "시장 {}, 17 x 12 m"])
def test_places_in_every_form_are_taken_out(place: str, around: str) -> None:
    left = without_places(around.format(place))
    assert WITHHELD in left
    kept = Counter(char for char in around.format("") if char.isdigit())
    # What stands beside a place may go with it, and nothing of it may stay.
    assert Counter(char for char in left if char.isdigit() or char in "°+") <= kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "A small formal market of about 17 m x 12 m, 2015-05-25/2016-06-27.",
        "1,200 stalls; 4,500 won per kg in 2016; 5.5 km of road; 12.5 %.",
        "At -5 °C, 30 °C and 100°C the ice holds 3 of 12 trucks.",
        "Rows 1 to 45, 2 and 3; Order No. 7, chapter 12.",
        "https://www.nkeconwatch.com/2016/08/11/komsan-ri-market/ and https://example.org/a?b=1&c=2",
        "해방 시장, 2017년 5월: 약 40개 매대",
    ],
)
def test_what_names_no_place_stays(text: str) -> None:
    assert without_places(text) == text
    assert not has_place(text)


@given(
    st.floats(-179, 179).map(lambda x: round(x, 5)),
    st.floats(-79, 79).map(lambda y: round(y, 5)),
    st.sampled_from(WRITTEN),
    st.sampled_from([1.113, 11.132, 100.0]),
    words,
    words,
)
def test_whatever_the_house_writes_is_found_in_any_text(
    lon: float, lat: float, form: Form, precision_m: float, before: str, after: str
) -> None:
    place = format_coordinate(Coordinate(lon, lat, form, precision_m), form)
    left = without_places(f"{before} {place} {after}")
    assert place not in left
    assert WITHHELD in left


@given(st.text(max_size=200))
def test_what_is_left_holds_no_further_place(text: str) -> None:
    once = without_places(text)
    assert without_places(once) == once


@pytest.mark.parametrize("part", ["1 ", "39.01 ", "2", "a.", "N 1 ", "https://", "39 . ", "12 34 56 "])
def test_long_texts_are_read_in_one_go(part: str) -> None:
    # Quadratic patterns would take minutes here.
    assert len(without_places(part * (100_000 // len(part)))) <= 100_000
