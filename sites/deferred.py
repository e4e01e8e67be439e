"""Notes that are checked when a file is read and made when somebody looks at them.

Most of what reads a catalogue (the plan, a search, a list) never opens a note, and making 268,610 of
them takes longer than all else together. A list of plain notes (a date, a text, perhaps a kind, an
author and plain sources) is checked in place by rules at least as strict as `sites.forms.OBSERVATION`;
any other list is made at once, which finds and names its faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, overload

from geo.errors import DateError
from sites.checks import MAX_TEXT_LENGTH, is_id, is_web_address
from sites.forms import OBSERVATION
from sites.members import edtf, listed
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


def are_plain(notes: list[Any]) -> bool:
    """Tell whether all notes are plain and no two share an id; False is no verdict on them."""
    try:
        return all(map(_is_plain_note, notes)) and _are_distinct(notes)
    except DateError:
        return False


def _are_distinct(notes: list[dict[str, Any]]) -> bool:
    # Ids made of date and text are as distinct as those are; of a mixture nothing is known yet.
    given = {note["id"] for note in notes if "id" in note}
    return len(given or {(note["date"], note["text"]) for note in notes}) == len(notes)


def _is_plain_note(note: Any) -> bool:  # noqa: ANN401 - JSON
    if type(note) is not dict or not note.keys() <= _NOTE_KEYS:
        return False
    if not _is_plain_text(note.get("text")) or type(note.get("date")) is not str:
        return False
    edtf(note["date"])
    if "id" in note and not (type(note["id"]) is str and is_id(note["id"])):
        return False
    if "kind" in note and not (type(note["kind"]) is str and note["kind"] in _KINDS):
        return False
    if "author" in note and not _is_plain_text(note["author"]):
        return False
    return "sources" not in note or _are_plain_sources(note["sources"])


def _are_plain_sources(sources: Any) -> bool:  # noqa: ANN401 - JSON
    return type(sources) is list and all(map(_is_plain_source, sources))


def _is_plain_source(source: Any) -> bool:  # noqa: ANN401 - JSON
    if type(source) is not dict or not source.keys() <= _SOURCE_KEYS:
        return False
    try:
        joined = "".join(source.values())
    except TypeError:  # not all of them are texts
        return False
    outlet = source.get("outlet")
    if not outlet or outlet.isspace() or len(joined) > MAX_TEXT_LENGTH or not joined.isprintable():
        return False
    if "published" in source:
        edtf(source["published"])
    return (
        ("url" not in source or is_web_address(source["url"]))
        and ("archive_url" not in source or is_web_address(source["archive_url"]))
        and source.get("reliability", "A") in RELIABILITY_GRADES
        and source.get("credibility", "1") in CREDIBILITY_GRADES
    )


def _is_plain_text(value: Any) -> bool:  # noqa: ANN401 - JSON
    return (
        type(value) is str
        and 0 < len(value) <= MAX_TEXT_LENGTH
        and value.isprintable()
        and not value.isspace()
    )
