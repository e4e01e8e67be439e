"""Records as JSON objects: one table a record says its keys, in order, and how each is read and written.

A reader reports every fault of a record, not the first; keys that no table knows are kept as they
are (`foreign`) and written back last.
"""

from __future__ import annotations

import math
from dataclasses import MISSING, dataclass, fields, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from geo.dates import Edtf, format_duration, parse_duration, parse_edtf
from geo.errors import InputError, Where
from sites.checks import nearest, refuse, shown
from sites.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import timedelta
    from enum import StrEnum

T = TypeVar("T")

MAX_FOREIGN_DEPTH = 32
"""Nesting of members that are not ours."""


def same(value: Any) -> Any:  # noqa: ANN401 - JSON in, JSON out
    """Return the value: how texts, numbers and flags are written."""
    return value


@dataclass(frozen=True, slots=True)
class Member:
    """One key of a record."""

    key: str
    """As the file spells it, and the attribute that holds it."""
    read: Callable[[Any], Any]
    """From a JSON value that is not null. Raises InputError."""
    write: Callable[[Any], Any] = same


class Form(Generic[T]):
    """How one record class is read from and written to a JSON object."""

    def __init__(
        self,
        cls: type[T],
        noun: str,
        members: Iterable[Member],
        *,
        bare: str | None = None,
        derived: Mapping[str, Callable[[dict[str, Any]], Any]] | None = None,
    ) -> None:
        """Take the table.

        Args:
            cls: A dataclass with a `foreign` mapping.
            noun: What a message calls it.
            members: Its keys, in the order they are written.
            bare: The attribute that a bare text stands for, where one may stand for the record.
            derived: Attributes that follow from the others where a file leaves them out.
        """
        self.cls = cls
        self.noun = noun
        self.members = tuple(members)
        self._readers = {member.key: member.read for member in self.members}
        self.bare = bare
        self.derived = dict(derived or {})
        known = fields(cls)  # type: ignore[arg-type]  # cls is a dataclass
        self._defaults = {field.name: _default(field) for field in known}
        self.required = tuple(
            m for m in self.members if self._defaults[m.key] is MISSING and m.key not in self.derived
        )

        self._required_keys = frozenset(member.key for member in self.required)

    def read(self, raw: object) -> T:
        """Return the record of a JSON object.

        Raises:
            InputError: One fault, with its field, or a `RecordError` that holds several.
        """
        if self.bare is not None and isinstance(raw, str):
            return self.cls(**{self.bare: raw})
        return self.build(self.values(raw))

    def values(self, raw: object) -> dict[str, Any]:
        """Return the attributes that a JSON object gives, read, with `foreign` where there is any."""
        if not isinstance(raw, dict):
            refuse(f"{self.noun} is an object, not {shown(raw)}", "")
        values: dict[str, Any] = {}
        foreign: dict[str, Any] = {}
        faults: list[InputError] = []
        readers = self._readers
        for key, item in raw.items():
            read = readers.get(key)
            if read is None:
                foreign[key] = item
            elif item is not None:
                try:
                    values[key] = read(item)
                except InputError as error:
                    faults.extend(faults_of(error, key))
        if foreign:
            values["foreign"] = foreign
        if foreign or faults or not self._required_keys <= values.keys():
            self._look_for_faults(raw, foreign, faults)
        return values

    def build(self, values: dict[str, Any]) -> T:
        """Make the record; its own checks may still refuse it."""
        for name, derive in self.derived.items():
            if name not in values:
                values[name] = derive(values)
        return self.cls(**values)

    def write(self, record: T) -> dict[str, Any]:
        """Return a record as a JSON object: table order, defaults left out, foreign members last."""
        out: dict[str, Any] = {}
        for member in self.members:
            value = getattr(record, member.key)
            default = self._defaults[member.key]
            if default is MISSING or value != default:
                out[member.key] = member.write(value)
        foreign: Mapping[str, Any] = record.foreign  # type: ignore[attr-defined]  # see __init__
        return out | {key: foreign[key] for key in sorted(foreign)}

    def _look_for_faults(
        self, raw: dict[str, Any], foreign: dict[str, Any], faults: list[InputError]
    ) -> None:
        for key, item in foreign.items():
            try:
                check_foreign(item)
            except InputError as error:
                faults.extend(faults_of(error, key))
        missing = [member for member in self.required if raw.get(member.key) is None]
        for member in missing:
            guess = nearest(member.key, foreign)
            hint = f"Did you mean it by {guess!r}?" if guess else None
            problem = f"{self.noun} needs {member.key!r}"
            faults.append(InputError(problem, where=Where(field=member.key), hint=hint))
        raise_all(faults)


def faults_of(error: InputError, prefix: str) -> list[InputError]:
    """Return the single faults of an error, with `prefix` put before their fields."""
    found = error.faults if isinstance(error, RecordError) else (error,)
    for fault in found:
        inner = fault.where.field or ""
        dot = "." if prefix and inner and not inner.startswith("[") else ""
        fault.where = replace(fault.where, field=f"{prefix}{dot}{inner}")
    return list(found)


def raise_all(faults: list[InputError]) -> None:
    """Raise one fault as it is, several as a `RecordError`, none not at all."""
    if len(faults) == 1:
        raise faults[0]
    if faults:
        raise RecordError(faults)


def check_foreign(value: object) -> None:
    """Refuse what would not survive being written: deep nesting, numbers that are not finite."""
    level: list[object] = [value]
    for _ in range(MAX_FOREIGN_DEPTH):
        if any(isinstance(item, float) and not math.isfinite(item) for item in level):
            refuse("a number is not finite", "")
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    refuse(f"nested deeper than {MAX_FOREIGN_DEPTH} levels", "")


def text(value: object) -> str:
    """Read a text."""
    return value if isinstance(value, str) else refuse(f"a text is wanted, not {shown(value)}", "")


def texts(value: object) -> tuple[str, ...]:
    """Read a list of texts; one bare text is a list of one."""
    if isinstance(value, str):
        return (value,)
    return listed(text)(value)


def number(value: object) -> float:
    """Read a finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        hint = "Write it without quotes" if isinstance(value, str) else None
        refuse(f"a number is wanted, not {shown(value)}", "", hint)
    return value


def numbers(value: object) -> float | tuple[float, ...]:
    """Read a number, or a list of them such as the sides of a building."""
    return listed(number)(value) if isinstance(value, list) else number(value)


def flag(value: object) -> bool:
    """Read true or false."""
    return value if isinstance(value, bool) else refuse(f"true or false is wanted, not {shown(value)}", "")


def grade(value: object) -> str:
    """Read a grade, which people write as a text or a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(value).strip()


def edtf(value: object) -> Edtf:
    """Read a date as written, ISO 8601-2."""
    if not isinstance(value, str):
        refuse(f"a date is a text, not {shown(value)}", "", 'Write it in quotes: "2016-06"')
    return edtf_of(value)


@lru_cache(maxsize=65_536)
def edtf_of(value: str) -> Edtf:
    """Return the date of a text.

    Notes share their dates: a catalogue of 268,610 has a few thousand, and one object each saves
    memory as well as time.
    """
    return parse_edtf(value)


def duration(value: object) -> timedelta:
    """Read an ISO 8601 duration of whole days or weeks."""
    return parse_duration(text(value))


def choice(kind: type[StrEnum]) -> Callable[[object], StrEnum]:
    """Return the reader of one word of a closed list."""
    known = {str(item): item for item in kind}

    def read(value: object) -> StrEnum:
        found = known.get(value) if isinstance(value, str) else None
        if found is None:
            word = text(value)
            guess = nearest(word, known)
            offer = f"Did you mean {guess!r}? " if guess else ""
            refuse(f"unknown word {shown(word)}", "", f"{offer}Known: {', '.join(known)}")
        return found

    return read


def listed(read: Callable[[Any], T]) -> Callable[[object], tuple[T, ...]]:
    """Return the reader of a list, which reports the faults of every element with its position."""

    def read_list(value: object) -> tuple[T, ...]:
        if not isinstance(value, list):
            refuse(f"a list is wanted, not {shown(value)}", "", "Put it in [ ]")
        out: list[T] = []
        faults: list[InputError] = []
        for position, item in enumerate(value):
            try:
                out.append(read(item))
            except InputError as error:
                faults.extend(faults_of(error, f"[{position}]"))
        raise_all(faults)
        return tuple(out)

    return read_list


def each(write: Callable[[Any], Any]) -> Callable[[Iterable[Any]], list[Any]]:
    """Return the writer of a list."""
    return lambda values: [write(value) for value in values]


def write_numbers(value: float | tuple[float, ...] | None) -> float | list[float] | None:
    """Write what `numbers` read."""
    return list(value) if isinstance(value, tuple) else value


DATE = (edtf, str)
"""Reader and writer of a date."""

DURATION = (duration, format_duration)
"""Reader and writer of a duration."""


def _children(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _default(field: Any) -> Any:  # noqa: ANN401 - dataclasses.Field[Any]
    return field.default if field.default_factory is MISSING else field.default_factory()
