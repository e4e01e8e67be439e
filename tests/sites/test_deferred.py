from __future__ import annotations

import json
import pickle
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.errors import InputError
from sites.deferred import DeferredNotes, are_plain, plain_notes, read_notes
from sites.forms import OBSERVATION
from sites.geojson import read_document, write_document
from sites.members import listed

PLAIN: list[dict[str, Any]] = [
    {
        "date": "2016",
        "text": "Built.",
        "sources": [{"outlet": "x", "url": "https://example.org", "published": "2016~"}],
    },
    {"date": "2015-05-25/2016-06-27", "kind": "imagery", "text": "지었다.", "author": "A"},
]
VALUES: st.SearchStrategy[object] = st.sampled_from(
    [
        None,
        "",
        " ",
        "a",
        "2016",
        "2016-13",
        "imagery",
        "A",
        "1",
        1,
        True,
        1.5,
        [],
        {},
        ["a"],
        "a\nb",
        "a\x00",
        "https://a.b",
    ]
)
SOURCES = st.dictionaries(
    st.sampled_from(
        ["outlet", "title", "published", "url", "reliability", "credibility", "language", "other"]
    ),
    VALUES,
)
NOTES = st.builds(
    lambda base, more, sources: base | more | ({"sources": sources} if sources is not None else {}),
    st.sampled_from([{}, {"date": "2016", "text": "a"}, {"date": "2017", "text": "b", "id": "n1"}]),
    st.dictionaries(
        st.sampled_from(["id", "date", "text", "kind", "author", "expects", "other"]), VALUES, max_size=2
    ),
    st.none() | st.lists(SOURCES | VALUES | st.just({"outlet": "x"}), max_size=2) | VALUES,
)


@given(notes=st.lists(NOTES | VALUES, max_size=3))
@settings(max_examples=2000, deadline=None)
def test_what_is_found_plain_can_always_be_made(notes: list[Any]) -> None:
    if are_plain(notes):
        made = listed(OBSERVATION.read)(notes)
        assert len({note.id for note in made}) == len(made)
        assert read_notes(notes) == made


@given(lists=st.lists(st.lists(NOTES, max_size=2) | VALUES, max_size=40))
@settings(max_examples=500, deadline=None)
def test_many_lists_at_a_time_are_judged_as_each_alone(lists: list[Any]) -> None:
    found = plain_notes(lists)
    assert [notes is not None for notes in found] == [
        isinstance(raw, list) and are_plain(raw) for raw in lists
    ]
    assert all(notes is None or notes == read_notes(raw) for notes, raw in zip(found, lists, strict=True))


def test_the_same_note_may_stand_on_two_sites_but_not_twice_on_one() -> None:
    assert plain_notes([PLAIN, PLAIN]) == [read_notes(PLAIN), read_notes(PLAIN)]
    assert plain_notes([PLAIN, [PLAIN[0], PLAIN[0]]]) == [read_notes(PLAIN), None]


def test_plain_notes_are_made_when_looked_at_and_equal_the_others() -> None:
    notes = read_notes(json.loads(json.dumps(PLAIN)))
    made = listed(OBSERVATION.read)(PLAIN)
    assert isinstance(notes, DeferredNotes) and len(notes) == 2
    assert notes != () and notes != made[:1] and notes != "x"
    assert notes == made and made == notes and notes == read_notes(PLAIN) and hash(notes) == hash(made)
    assert notes[0] == made[0] and notes[:1] == made[:1] and list(notes) == list(made) and made[1] in notes
    assert repr(notes) == repr(made)
    assert pickle.loads(pickle.dumps(notes)) == made  # noqa: S301 - our own bytes


@pytest.mark.parametrize(
    "more", [{"expects": "construction"}, {"kind": None}, {"text": "two\nlines"}, {"sources": ["x"]}]
)
def test_other_notes_are_made_at_once(more: dict[str, object]) -> None:
    assert isinstance(read_notes([PLAIN[0] | more]), tuple)


@pytest.mark.parametrize(
    "notes",
    [[PLAIN[0], PLAIN[0]], [{"date": "x", "text": "y"}], [PLAIN[0] | {"id": "n"}, PLAIN[1] | {"id": "n"}]],
)
def test_faults_are_found_when_the_file_is_read(notes: list[dict[str, Any]]) -> None:
    properties = {"name": "A", "category": "market", "observations": notes}
    raw = {"type": "Feature", "id": "a", "geometry": None, "properties": properties}
    with pytest.raises(InputError, match="observations"):
        read_document(json.dumps(raw).encode(), "f").records()


def test_an_unopened_site_is_hashable_and_written_as_any_other() -> None:
    properties = {"name": "A", "category": "market", "observations": PLAIN}
    raw = {"type": "Feature", "id": "a", "geometry": None, "properties": properties}
    one, other = (read_document(json.dumps(raw).encode(), "f").records()[0] for _ in range(2))
    assert one == other and hash(one) == hash(other)
    written = write_document([one])
    assert write_document(read_document(written, "f").records()) == written
