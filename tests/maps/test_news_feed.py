from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from datetime import datetime

from geo.dates import parse_edtf
from maps.news_feed import LONGEST, news_feed
from maps.view import MapView, SiteEntry
from sites.observation import Observation

ATOM = "{http://www.w3.org/2005/Atom}"


def entries(view: MapView) -> list[ET.Element]:
    """Parse a feed and hold it to what RFC 4287, sections 4.1.1 and 4.1.2, asks of entries."""
    feed = ET.fromstring(news_feed(view))  # noqa: S314 - our own bytes
    found = feed.findall(f"{ATOM}entry")
    for each in (feed, *found):
        for name in ("id", "title", "updated"):
            assert len(each.findall(f"{ATOM}{name}")) == 1 and each.findtext(f"{ATOM}{name}")
        assert datetime.fromisoformat(each.findtext(f"{ATOM}updated") or "").tzinfo is not None
    assert feed.find(f"{ATOM}author/{ATOM}name") is not None
    ids = [each.findtext(f"{ATOM}id") for each in found]
    assert len(set(ids)) == len(ids)
    for each in found:
        links = [link for link in each.findall(f"{ATOM}link") if link.get("rel") == "alternate"]
        assert len(links) == 1 and each.find(f"{ATOM}content") is not None
    return found


def told(view: MapView) -> list[tuple[str | None, str | None, str | None]]:
    return [
        (each.findtext(f"{ATOM}title"), (each.findtext(f"{ATOM}updated") or "")[:10], link.get("href"))
        for each in entries(view)
        for link in [each.find(f"{ATOM}link")]
        if link is not None
    ]


def test_the_latest_comes_first_and_leads_to_its_dossier(view: MapView) -> None:
    assert told(replace(view, dossiers=True)) == [
        ("Quiet valley, 2015-05-25/2016-06-27", "2016-06-27", "sites/valley.html"),
        ("Quiet valley, 2011~", "2011-12-31", "sites/valley.html"),
        ("Quiet valley: change detected, 2010-06-02/2010-07-04", "2010-08-01", "sites/valley.html"),
    ]
    assert told(view)[0][2] == "index.html#site=valley"
    assert "SIMULATED" in "".join(entries(view)[-1].itertext())


def test_what_is_still_to_come_is_as_old_as_what_is_known(view: MapView) -> None:
    notes = [
        Observation(f"n{number}", parse_edtf(date), "x")
        for number, date in enumerate(("2016/..", "2020/2031", "2030", "../2014"))
    ]
    site = replace(view.entries[0].site, observations=tuple(notes))
    days = {title: day for title, day, _ in told(replace(view, entries=(SiteEntry(site),)))}
    assert list(days.values()) == ["2026-01-02", "2020-01-01", "2016-01-01", "2014-12-31"]


def test_a_feed_ends_somewhere(view: MapView) -> None:
    notes = tuple(Observation(f"n{number}", parse_edtf("2016"), f"{number}") for number in range(LONGEST + 5))
    site = replace(view.entries[0].site, observations=notes)
    assert len(entries(replace(view, entries=(SiteEntry(site),)))) == LONGEST
    assert entries(replace(view, entries=())) == []
