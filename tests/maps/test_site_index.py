from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from geo.dates import parse_edtf
from imagery.model import Detection, DetectionState
from maps.site_index import STANDINGS, index_block, standing
from maps.view import MapView, SiteEntry
from sites.model import Site


def names_of(block: dict[str, Any], at: int) -> list[tuple[str, str, str]]:
    first = sum(block["names"][:at])
    places = range(first, first + block["names"][at])
    return [(block["name"][k], *block["abouts"][block["nameAbout"][k]]) for k in places]


def test_every_site_is_in_the_index_with_all_its_names(view: MapView) -> None:
    block = index_block(view)
    assert block["id"] == ["valley", "market", "lost"]
    assert names_of(block, 0) == [
        ("Quiet valley", "", ""),
        ("조용한 골짜기", "ko", "Korean"),
        ("Choyonghan", "ko-Latn", "Korean, romanised, McCune-Reischauer"),
    ]
    assert names_of(block, 2) == [("Lost works", "", "")]
    assert (block["lon"], block["lat"]) == ([-107350000, 128170000, None], [40500000, 41400000, None])
    assert block["places"][block["place"][0]] == ("Colorado", "United States", "Colorado, United States")


def test_what_was_seen_and_noted_is_counted(view: MapView) -> None:
    block = index_block(view)
    assert (block["looked"], block["judged"], block["changes"]) == ([10, 0, 0], [4, 0, 0], [1, 0, 0])
    assert (block["notes"], block["grade"], block["latestNote"][0]) == (
        [2, 0, 0],
        "B--",
        "2015-05-25/2016-06-27",
    )


def test_a_retracted_detection_is_no_change_but_can_be_found(
    valley: Site, detection: Detection, view: MapView
) -> None:
    entry = SiteEntry(valley, detections=(replace(detection, state=DetectionState.RETRACTED),))
    block = index_block(replace(view, entries=(entry,)))
    assert block["changes"] == [0]
    assert block["detected"] == [1 << block["states"].index("retracted")]


@pytest.mark.parametrize(
    ("opened", "closed", "said"),
    [
        (None, None, "unknown"),
        ("1990", None, "open"),
        ("1990", "2011", "closed"),
        (None, "../2011", "closed"),
        ("1990", "2027-05", "open"),
        ("2027", None, "unknown"),
    ],
)
def test_a_site_is_open_or_closed_where_a_date_says_so(
    valley: Site, opened: str | None, closed: str | None, said: str
) -> None:
    site = replace(
        valley, opened=parse_edtf(opened) if opened else None, closed=parse_edtf(closed) if closed else None
    )
    assert STANDINGS[standing(site, date(2026, 1, 1))] == said
