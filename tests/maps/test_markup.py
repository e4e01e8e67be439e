from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maps.markup import NOTHING, document, el, joined, words

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\r\0"))


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def read(markup: str) -> Reader:
    reader = Reader()
    reader.feed(markup)
    reader.close()
    return reader


@given(TEXTS, TEXTS)
def test_no_text_is_ever_markup(text: str, title: str) -> None:
    found = read(el("p", text, el("b", text), title=title).text)
    assert found.tags == [("p", {"title": title}), ("b", {})]
    assert "".join(found.words) == text + text


def test_parts_that_say_nothing_leave_nothing() -> None:
    assert el("p", None, "", NOTHING).text == "<p></p>"
    assert el("input", disabled=True, checked=False, value=None, data_kind="x", class_="y").text == (
        '<input disabled data-kind="x" class="y">'
    )
    assert joined(["a", None, "<", NOTHING, "b"], " & ").text == "a &amp; &lt; &amp; b"
    assert not NOTHING


@pytest.mark.parametrize(
    ("language", "written"),
    [("ko", ' lang="ko"'), ("ko-Latn", ' lang="ko-Latn"'), ('"><script>', ""), ("a b", ""), (None, "")],
)
def test_only_a_language_is_written_as_one(language: str | None, written: str) -> None:
    assert words("시장", language).text == f"<bdi{written}>시장</bdi>"


def test_what_no_document_can_hold_is_replaced() -> None:
    assert document("a\0b\ud800c\x1bd\te\n") == "a\ufffdb\ufffdc\ufffdd\te\n"
