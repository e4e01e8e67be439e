from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maps.columns import BASE, END, RARE, Vocabulary, count_words, letters, table

TEXTS = st.text(alphabet="ab 가!#", max_size=12)
ROWS = st.lists(
    st.fixed_dictionaries(
        {"id": st.integers(0, 9)},
        optional={
            "text": TEXTS,
            "notes": st.lists(
                st.fixed_dictionaries({"text": TEXTS}, optional={"author": TEXTS, "marks": st.lists(TEXTS)}),
                max_size=3,
            ),
            "looks": st.lists(st.tuples(st.integers(), TEXTS).map(list), max_size=3),
            "flags": st.none() | st.booleans() | st.lists(st.integers(), max_size=2),
        },
    ),
    max_size=8,
)


def texts_of(column: dict[str, Any], words: tuple[str, ...]) -> list[str]:
    """Read a column of texts back: the oracle of what the page does."""
    known = letters(max(BASE, len(words)))
    low, rare = iter(column.get("l", "")), iter(column.get("r", ()))
    texts: list[list[str]] = [[]]
    for letter in column["w"]:
        if letter == END:
            texts.append([])
        elif letter == RARE:
            texts[-1].append(next(rare))
        else:
            place = known.index(letter)
            texts[-1].append(words[place * BASE + known.index(next(low)) if "l" in column else place])
    assert texts.pop() == []
    return [" ".join(each) for each in texts]


def values_of(column: dict[str, Any], name: str, words: dict[str, Vocabulary]) -> list[Any]:
    if "v" in column:
        return list(column["v"])
    if "w" in column:
        return texts_of(column, words[name].words)
    if "t" in column:
        items: list[Any] = rows_of(column["t"], words)
    else:
        items = [list(item) for item in zip(*column["u"], strict=True)]
    ends = [sum(column["n"][: k + 1]) for k in range(len(column["n"]))]
    return [items[end - count : end] for count, end in zip(column["n"], ends, strict=True)]


def rows_of(columns: dict[str, Any], words: dict[str, Vocabulary]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [{} for _ in range(columns["rows"])]
    for name, column in columns["of"].items():
        where = column.get("s", range(len(rows)))
        for at, value in zip(where, values_of(column.get("c", column), name, words), strict=True):
            rows[at][name] = value
    return rows


@given(ROWS)
@example([])
@example([{"id": 1, "text": "a a a  a"}, {"id": 2, "notes": []}])
def test_rows_come_back_as_they_were(rows: list[dict[str, Any]]) -> None:
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        count_words(row, counts)
    words = {name: Vocabulary.of(each) for name, each in counts.items()}
    assert rows_of(table(rows, words), words) == rows


@pytest.mark.parametrize("count", [1, BASE, BASE + 1, 3 * BASE, 200 * BASE])
def test_texts_come_back_from_vocabularies_of_any_size(count: int) -> None:
    words = Vocabulary.of({f"w{k}": 5 for k in range(count)})
    texts = ["", " ", "w0", f"w{count - 1} w0 none", "none  w0", "가! #"]
    column = words.written(texts)
    assert texts_of(column, words.words) == texts
    assert ("l" in column) == (count > BASE)


def test_letters_are_distinct_and_stand_in_json_as_they_are() -> None:
    known = letters(60_000)
    assert len(set(known)) == 60_000
    assert not set(known) & {END, RARE, '"', "\\", "\x7f"}
    assert [len(letter.encode()) for letter in known[: BASE + 1]] == [1] * BASE + [2]


def test_frequent_words_come_first_and_equal_ones_by_their_letters() -> None:
    assert Vocabulary.of({"b": 3, "c": 9, "a": 3, "d": 2}).words == ("c", "a", "b")
