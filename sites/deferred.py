"""Notes that are checked when a file is read and made when somebody looks at them.

Most of what reads a catalogue (the plan, a search, a list) never opens a note, and making 268,610 of
them takes longer than all else together. A list of plain notes (a date, a text, perhaps a kind, an
author and plain sources) is checked in place by rules at least as strict as `sites.forms.OBSERVATION`;
any other list is made at once, which finds and names its faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, overload

from geo.errors import DateError
from sites.checks import MAX_TEXT_LENGTH, is_id, is_web_address
from sites.forms import OBSERVATION
from sites.members import edtf_of, listed
from sites.observation import CREDIBILITY_GRADES, RELIABILITY_GRADES, Observation, ObservationKind

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOTE_KEYS = frozenset({"id", "date", "kind", "text", "author", "sources"})
_SOURCE_KEYS = frozenset(
    {
        "outlet",
        "title",
        "author",
        "published",
        "language",
        "url",
        "archive_url",
        "reliability",
        "credibility",
    }
)
_AT_ONCE = 16
_KINDS = frozenset(str(kind) for kind in ObservationKind)
_read_all = listed(OBSERVATION.read)


class DeferredNotes(Sequence[Observation]):
    """The notes of one site; equal to the tuple of them, which it becomes when it is opened."""

    __slots__ = ("_count", "_made", "_raw")

    def __init__(self, raw: list[dict[str, Any]]) -> None:
        """Take JSON objects that `are_plain`."""
        self._count = len(raw)
        self._raw = raw
        self._made: tuple[Observation, ...] | None = None

    def _all(self) -> tuple[Observation, ...]:
        if self._made is None:
            self._made = tuple(OBSERVATION.read(raw) for raw in self._raw)
            self._raw = []
        return self._made

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Observation]:
        return iter(self._all())

    @overload
    def __getitem__(self, index: int) -> Observation: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Observation, ...]: ...
    def __getitem__(self, index: int | slice) -> Observation | tuple[Observation, ...]:
        return self._all()[index]

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if not isinstance(other, DeferredNotes | tuple):
            return NotImplemented
        if isinstance(other, DeferredNotes) and self._raw and self._raw == other._raw:
            return True
        return self._count == len(other) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __repr__(self) -> str:
        return repr(self._all())

    def __reduce__(self) -> tuple[type[tuple[Any, ...]], tuple[tuple[Observation, ...]]]:
        return tuple, (self._all(),)


def read_notes(raw: object) -> Sequence[Observation]:
    """Return the notes of a JSON list, made at once unless all are plain.

    Raises:
        InputError: As `sites.forms.OBSERVATION` does, for every note that is at fault.
    """
    if isinstance(raw, list) and are_plain(raw):
        return DeferredNotes(raw)
    return _read_all(raw)


def plain_notes(lists: Sequence[object]) -> list[DeferredNotes | None]:
    """Return the notes of those JSON lists that surely hold plain ones; None for others.

    Many lists at a time: each pass over a few notes costs more to begin than to do.
    """
    groups = (lists[start : start + _AT_ONCE] for start in range(0, len(lists), _AT_ONCE))
    return [notes for group in groups for notes in _plain_of(group)]


def _plain_of(group: Sequence[object]) -> list[DeferredNotes | None]:
    notes = [note for raw in group if type(raw) is list for note in raw]
    all_plain = are_plain(notes)  # and distinct over the whole group, more than is wanted
    return [
        DeferredNotes(raw) if type(raw) is list and (all_plain or are_plain(raw)) else None for raw in group
    ]


def are_plain(notes: list[Any]) -> bool:
    """Tell whether all notes are plain and no two share an id; False is no verdict on them."""
    try:
        return _are_plain_notes(notes)
    except (DateError, KeyError, TypeError):  # no date, a bad one, or no text where one is due
        return False


def _are_plain_notes(notes: list[dict[str, Any]]) -> bool:
    # Column by column: a few passes in C over the notes of a site, not a few lines of Python a note.
    present = _keys(notes)
    if not present <= _NOTE_KEYS:
        return False
    dates = [note["date"] for note in notes]
    texts = [note["text"] for note in notes]
    ids = _column(notes, "id") if "id" in present else ()
    return (
        _are_plain_texts(texts)
        and all(map(edtf_of, dates))
        and all(map(is_id, ids))
        and ("author" not in present or _are_plain_texts(_column(notes, "author")))
        and ("kind" not in present or _KINDS.issuperset(_column(notes, "kind")))
        and ("sources" not in present or _are_plain_sources(_column(notes, "sources")))
        and _are_distinct(ids, dates, texts)
    )


def _are_distinct(ids: Sequence[str], dates: list[str], texts: list[str]) -> bool:
    # Ids made of date and text are as distinct as those are; of a mixture nothing is known yet.
    if ids:
        return len({*ids}) == len(dates)
    return len({*texts}) == len(texts) or len({*zip(dates, texts, strict=True)}) == len(texts)


def _are_plain_sources(lists: list[list[dict[str, Any]]]) -> bool:
    if not {*map(type, lists)} <= {list}:
        return False
    sources = [*chain.from_iterable(lists)]
    present = _keys(sources)
    joined = "".join(chain.from_iterable(map(dict.values, sources)))
    return (
        present <= _SOURCE_KEYS
        and len(joined) <= MAX_TEXT_LENGTH
        and joined.isprintable()
        and all(map(str.strip, [source["outlet"] for source in sources]))
        and ("published" not in present or all(map(edtf_of, _column(sources, "published"))))
        and ("url" not in present or all(map(is_web_address, _column(sources, "url"))))
        and ("archive_url" not in present or all(map(is_web_address, _column(sources, "archive_url"))))
        and ("reliability" not in present or RELIABILITY_GRADES.issuperset(_column(sources, "reliability")))
        and ("credibility" not in present or CREDIBILITY_GRADES.issuperset(_column(sources, "credibility")))
    )


def _keys(objects: list[dict[str, Any]]) -> set[str]:
    """Return every key that occurs.

    Raises:
        TypeError: One of them is not a JSON object.
    """
    return {*chain.from_iterable(map(dict.keys, objects))}


def _column(objects: list[dict[str, Any]], key: str) -> list[Any]:
    return [item[key] for item in objects if key in item]


def _are_plain_texts(values: list[str]) -> bool:
    # `strip` refuses what is no text, and leaves nothing of a blank one.
    joined = "".join(values)
    return len(joined) <= MAX_TEXT_LENGTH and joined.isprintable() and all(map(str.strip, values))
