from __future__ import annotations

from dataclasses import replace

from maps.counties import NOWHERE, County, counties
from sites.model import Name, Site


def test_a_county_is_what_is_written_or_what_a_name_says(valley: Site) -> None:
    def named(text: str, county: str | None = None) -> Site:
        return replace(valley, names=(Name("은하수", "ko"), Name(text)), county=county)

    sites = (
        named("Sunam Market", "Chongjin"),
        named("Pohang Market", "Ch'ŏngjin"),
        named("Yokjon Market", "Chongjin"),
        named("Cheongjin Port (East harbour)"),
        named("Chongjinsong"),
        named("Quiet valley"),
    )
    assert counties(sites) == (
        County("Chongjin"),
        County("Chongjin"),
        County("Chongjin"),
        County("Chongjin", by_name=True),
        NOWHERE,
        NOWHERE,
    )
    assert counties(()) == ()
    assert counties((replace(valley, county="\u200b"),)) == (County("\u200b"),)
