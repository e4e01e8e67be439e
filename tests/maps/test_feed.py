from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from maps.feed import Entry, atom

ATOM = "{http://www.w3.org/2005/Atom}"
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def entry(number: int, title: str = "Yard", text: str = "words") -> Entry:
    return Entry(f"news-{number}", title, text, NOON + timedelta(days=number), "change")


def read(data: bytes) -> ET.Element:
    """Parse a feed and hold it to what RFC 4287 asks of feeds and entries."""
    feed = ET.fromstring(data)  # noqa: S314 - our own bytes
    assert feed.tag == f"{ATOM}feed"
    for element in (feed, *feed.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):  # 4.1.1, 4.1.2: exactly one each
            found = element.findall(f"{ATOM}{name}")
            assert len(found) == 1
            assert found[0].text
        identity = element.findtext(f"{ATOM}id")
        assert identity is not None
        assert identity.startswith("urn:uuid:")
        when = element.findtext(f"{ATOM}updated")
        assert when is not None
        assert datetime.fromisoformat(when).tzinfo is not None  # RFC 3339
    assert feed.find(f"{ATOM}author/{ATOM}name") is not None  # 4.1.1: else each entry needs one
    links = [link for link in feed.findall(f"{ATOM}link") if link.get("rel", "alternate") == "alternate"]
    assert len(links) <= 1
    ids = [each.findtext(f"{ATOM}id") for each in feed.findall(f"{ATOM}entry")]
    assert len(set(ids)) == len(ids)
    # 4.1.2: an entry without an alternate link holds its content
    assert all(each.find(f"{ATOM}content") is not None for each in feed.findall(f"{ATOM}entry"))
    return feed


def test_a_feed_keeps_the_rules_of_atom() -> None:
    data = atom("Sites", [entry(2), entry(1)], key="k", made=NOON, address="https://example.org/a?b=1&c=2")
    feed = read(data)
    assert feed.findtext(f"{ATOM}updated") == "2026-11-29T12:00:00Z"
    link = feed.find(f"{ATOM}link")
    assert link is not None
    assert (link.get("rel"), link.get("href")) == ("self", "https://example.org/a?b=1&c=2")
    assert atom("Sites", [], key="k", made=NOON).count(b"<entry>") == 0
    read(atom("", [], key="k", made=NOON))


def test_the_same_entries_give_the_same_bytes_and_ids_stay() -> None:
    one = atom("Sites", [entry(1)], key="k", made=NOON)
    assert one == atom("Sites", [entry(1)], key="k", made=NOON + timedelta(days=9))
    both = read(atom("Sites", [entry(2), entry(1)], key="k", made=NOON))
    assert read(one).findtext(f"{ATOM}entry/{ATOM}id") in [
        each.findtext(f"{ATOM}id") for each in both.findall(f"{ATOM}entry")
    ]


@given(title=st.text(max_size=60), text=st.text(max_size=200))
def test_any_text_stays_text(title: str, text: str) -> None:
    feed = read(atom(title, [entry(1, title, text)], key=title, made=NOON))
    assert len(list(feed.iter())) == 13
    shown = feed.findtext(f"{ATOM}entry/{ATOM}content")
    plain = "".join(char for char in text if char.isprintable())
    assert shown is not None
    assert all(char in shown for char in plain)
