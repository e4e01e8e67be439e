"""Files that are only ever added to: one JSON object a line, on the disk before anybody is told.

A process that dies while it writes leaves a last line without its end. Whoever reads passes over it, and
whoever writes next sets it aside, so that nothing a person may have typed is deleted.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from geo.durable import fsync_directory
from geo.errors import InputError, Where
from watch.errors import JournalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import TypeVar

    Value = TypeVar("Value")

MAX_LINE_BYTES = 2**18
"""A longer line is a mistake or an attack."""

MAX_FILE_BYTES = 2**27

TORN_SUFFIX = ".torn"
"""Ends the name of the file in which lines that a crash cut short are kept."""


@dataclass(frozen=True, slots=True)
class Line:
    """One whole line of a journal."""

    number: int
    """From 1."""
    value: dict[str, Any]


def append_line(path: Path, record: Mapping[str, Any]) -> None:
    """Add a record and return once it is on the disk; several processes may do so.

    Raises:
        JournalError: The line would be too long, or the path is no plain file.
    """
    data = orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)
    if len(data) > MAX_LINE_BYTES:
        raise JournalError(f"{len(data):,} bytes are too long for one line", where=Where(str(path)))
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = _opened(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        _mend(descriptor, path)
        _write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fsync_directory(path.parent)


def read_lines(path: Path) -> tuple[tuple[Line, ...], tuple[InputError, ...]]:
    """Return the lines of a journal and what was wrong with others; a file that is not there has none.

    A last line without its end counts when it is whole otherwise: an editor may have left it so.
    """
    try:
        if not path.is_file():
            return (), ()
        if path.stat().st_size > MAX_FILE_BYTES:
            problem = f"more than {MAX_FILE_BYTES:,} bytes"
            return (), (JournalError(problem, where=Where(str(path))),)
        data = path.read_bytes()
    except OSError as error:
        return (), (JournalError(f"cannot be read: {error.strerror}", where=Where(str(path))),)
    found, faults = [], []
    for number, (raw, is_torn) in enumerate(_split(data), start=1):
        try:
            found.append(Line(number, _object(raw)))
        except JournalError as error:
            if not is_torn:
                faults.append(error.located(file=str(path), line=number))
    return tuple(found), tuple(faults)


def parsed_lines(
    path: Path, parse: Callable[[dict[str, Any]], Value]
) -> tuple[tuple[Value, ...], tuple[InputError, ...]]:
    """Return what `parse` makes of each line, and the faults of those that it refuses by an `InputError`."""
    lines, faults = read_lines(path)
    values, refused = [], list(faults)
    for line in lines:
        try:
            values.append(parse(line.value))
        except InputError as error:
            refused.append(error.located(file=str(path), line=line.number))
    return tuple(values), tuple(sorted(refused, key=lambda fault: fault.where.line or 0))


def _split(data: bytes) -> Iterator[tuple[bytes, bool]]:
    *whole, last = data.split(b"\n")
    for raw in whole:
        yield raw, False
    if last:
        yield last, True


def _object(raw: bytes) -> dict[str, Any]:
    if len(raw) > MAX_LINE_BYTES:
        raise JournalError(f"{len(raw):,} bytes are too long for one line")
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise JournalError(f"not JSON: {error}", hint="Mend the line or take it out") from None
    if not isinstance(value, dict):
        raise JournalError("not a JSON object", hint="Mend the line or take it out")
    return value


def _opened(path: Path) -> int:
    # Links are not followed: a workspace that was unpacked from elsewhere may hold any.
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        return os.open(path, flags, 0o644)
    except OSError as error:
        raise JournalError(f"cannot be written: {error.strerror}", where=Where(str(path))) from error


def _mend(descriptor: int, path: Path) -> None:
    """Give a last line without its end what it lacks, or set it aside when it is no record."""
    size = os.fstat(descriptor).st_size
    start = max(0, size - MAX_LINE_BYTES - 1)
    tail = os.pread(descriptor, size - start, start)
    last = tail[tail.rfind(b"\n") + 1 :]
    if not last:
        return
    try:
        _object(last)
    except JournalError:
        aside = path.with_name(path.name + TORN_SUFFIX)
        with aside.open("ab") as stream:
            stream.write(last + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.ftruncate(descriptor, size - len(last))
    else:
        os.write(descriptor, b"\n")


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
