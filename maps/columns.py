"""Rows of a page as columns, and their sentences as words of a vocabulary: half of the bytes.

Compression looks back 32 kB (RFC 1951), so a catalogue's own words come back too late to be seen again.
Here each word that a member says often stands once in that member's vocabulary, the most frequent first,
and a text is a character or two for each word. Like values stand together, column by column.
``page/columns.js`` reads it.

A table is ``{"rows": count, "of": {name: column}}``; a column is one of

    {"v": [...]}                 values as they are
    {"w": "...", ...}            texts (`Vocabulary.written`)
    {"n": [...], "t": table}     lists of objects: how long each list is, all their objects
    {"n": [...], "u": [...]}     lists of equally long lists: the same, a column a position
    {"s": [...], "c": column}    only some rows have it: which, and the column of those
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

WORDY = frozenset({"text", "title", "outlet", "author", "date", "published", "grade", "kind"})
"""Members whose values are sentences, or few and often the same."""

END, RARE = " ", "!"
"""The end of a text; a word that the vocabulary lacks: the next one of the column's own list."""

BASE = 91
"""Letters of one byte each, in UTF-8 and as JSON: ``#`` to ``~`` without the backslash."""

_FIRST, _AFTER_LAST = 0x23, 0x110000
_BARRED = frozenset({0x5C, 0x7F})
_SURROGATES = range(0xD800, 0xE000)
_LEAST_OFTEN = 3
_MOST_WORDS = 2_000_000


def letters(count: int) -> list[str]:
    """Return distinct characters, those of one byte first.

    >>> "".join(letters(4)), len(letters(BASE + 1)[-1].encode())
    ('#$%&', 2)
    """
    codes = (code for code in range(_FIRST, _AFTER_LAST) if code not in _BARRED and code not in _SURROGATES)
    return [chr(code) for code, _ in zip(codes, range(count), strict=False)]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The words of one member of all rows, and what is written for each."""

    words: tuple[str, ...]
    """The most frequent first."""
    codes: Mapping[str, tuple[str, str]]
    """By word: its character of the first row of characters, and of the second one."""

    @classmethod
    def of(cls, counts: Mapping[str, int]) -> Self:
        """Return the words that come at least three times.

        >>> Vocabulary.of({"a": 3, "b": 2}).words
        ('a',)
        """
        often = [word for word, count in counts.items() if count >= _LEAST_OFTEN]
        often.sort(key=lambda word: (-counts[word], word))
        words = tuple(often[:_MOST_WORDS])
        known = letters(max(BASE, -(-len(words) // BASE)))
        if len(words) <= BASE:
            return cls(words, {word: (known[at], "") for at, word in enumerate(words)})
        return cls(words, {word: (known[at // BASE], known[at % BASE]) for at, word in enumerate(words)})

    def written(self, texts: Sequence[str]) -> dict[str, Any]:
        """Return a column of texts: ``w``, ``l`` and ``r``.

        ``w`` has one character a word and `END` after each text. Where the vocabulary is larger than
        `BASE`, that character is the word's place over `BASE`, and ``l`` has the remainders: two rows of
        characters compress better than pairs. ``r`` are the words that the vocabulary lacks, in order.
        """
        high: list[str] = []
        low: list[str] = []
        rare: list[str] = []
        for text in texts:
            for word in text.split(" "):
                code = self.codes.get(word)
                if code is None:
                    rare.append(word)
                    high.append(RARE)
                else:
                    high.append(code[0])
                    low.append(code[1])
            high.append(END)
        column: dict[str, Any] = {"w": "".join(high)}
        if len(self.words) > BASE:
            column["l"] = "".join(low)
        if rare:
            column["r"] = rare
        return column


NO_WORDS = Vocabulary.of({})


def count_words(row: Any, counts: dict[str, Counter[str]], name: str = "") -> None:  # noqa: ANN401 - any JSON value
    """Add every word of a row's sentences to the counts of its member; words end at single spaces."""
    if isinstance(row, str):
        if name in WORDY:
            counts.setdefault(name, Counter()).update(row.split(" "))
    elif isinstance(row, dict):
        for key, value in row.items():
            count_words(value, counts, key)
    elif isinstance(row, list) and row and isinstance(row[0], dict):
        for value in row:
            count_words(value, counts, name)


def table(rows: Sequence[Mapping[str, Any]], words: Mapping[str, Vocabulary]) -> dict[str, Any]:
    """Return rows as columns; a row may lack members, and comes back without them."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {"rows": len(rows), "of": {name: _member(rows, name, words) for name in names}}


def _member(rows: Sequence[Mapping[str, Any]], name: str, words: Mapping[str, Vocabulary]) -> dict[str, Any]:
    where = [at for at, row in enumerate(rows) if name in row]
    column = _column([rows[at][name] for at in where], name, words)
    return column if len(where) == len(rows) else {"s": where, "c": column}


def _column(values: Sequence[Any], name: str, words: Mapping[str, Vocabulary]) -> dict[str, Any]:
    if name in WORDY and all(isinstance(value, str) for value in values):
        return words.get(name, NO_WORDS).written(values)
    if not all(isinstance(value, list) for value in values):
        return {"v": values}
    items = [item for value in values for item in value]
    counts = [len(value) for value in values]
    if items and all(isinstance(item, dict) for item in items):
        return {"n": counts, "t": table(items, words)}
    widths = {len(item) if isinstance(item, list) else 0 for item in items}
    if len(widths) == 1 and (width := widths.pop()):
        return {"n": counts, "u": [[item[at] for item in items] for at in range(width)]}
    return {"v": values}
