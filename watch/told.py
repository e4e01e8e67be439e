"""What was told, on which sink, when: an append-only journal that makes a word come once.

    notified.jsonl      one line before a digest is handed to a sink, one line when the sink has it

The first line holds the whole digest. A process that dies between the two leaves a digest that is handed
over again, word for word and under the same id: sinks that can (the feed, a file, whoever heeds the id of a
mail or a post) then show it once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from geo.errors import Where
from watch.digest import Digest
from watch.errors import JournalError
from watch.journal import append_line, read_lines
from watch.news import Kind, LastWord

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NOTIFIED_FILE = "notified.jsonl"


@dataclass(frozen=True, slots=True)
class Told:
    """What one sink was told."""

    words: Mapping[str, LastWord] = field(default_factory=dict)
    """By subject."""
    sites: Mapping[str, datetime] = field(default_factory=dict)
    """When a word about a change at a site was last sent."""
    last_at: datetime | None = None
    """When anything was last sent."""
    pending: tuple[Digest, ...] = ()
    """Digests that may or may not have arrived."""
    digests: tuple[Digest, ...] = ()
    """Those that arrived, oldest first."""


def read_told(path: Path) -> dict[str, Told]:
    """Return what was told, by sink.

    Raises:
        JournalError: A line is damaged: going on would tell things twice.
    """
    lines, faults = read_lines(path)
    if faults:
        raise faults[0]
    begun: dict[tuple[str, str], Digest] = {}
    done: dict[tuple[str, str], Digest] = {}
    for line in lines:
        try:
            key, digest = _line(line.value)
            if digest is None:
                done[key] = begun.pop(key)
            else:
                begun[key] = digest
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise JournalError(
                f"no line of what was told: {type(error).__name__}",
                where=Where(str(path), line=line.number),
                hint="Mend or remove it; what it told may be told again",
            ) from error
    sinks = {sink for sink, _ in (*begun, *done)}
    return {sink: _told(_of(sink, done), _of(sink, begun)) for sink in sinks}


def note_begun(path: Path, sink: str, digest: Digest) -> None:
    """Note that a digest is about to be handed to a sink; returns once that is on the disk."""
    append_line(path, {"sink": sink, "begun": digest.id, "digest": digest.to_json()})


def note_done(path: Path, sink: str, digest: Digest, at: datetime) -> None:
    """Note that the sink has it."""
    append_line(path, {"sink": sink, "done": digest.id, "at": at.astimezone(UTC).isoformat()})


def _line(value: Mapping[str, Any]) -> tuple[tuple[str, str], Digest | None]:
    sink = str(value["sink"])
    if "done" in value:
        return (sink, str(value["done"])), None
    digest = Digest.from_json(value["digest"])
    if digest.id != value["begun"]:
        message = "the digest is not the one that is named"
        raise ValueError(message)
    return (sink, digest.id), digest


def _of(sink: str, digests: Mapping[tuple[str, str], Digest]) -> tuple[Digest, ...]:
    return tuple(digest for (name, _), digest in digests.items() if name == sink)


def _told(digests: tuple[Digest, ...], pending: tuple[Digest, ...]) -> Told:
    words: dict[str, LastWord] = {}
    sites: dict[str, datetime] = {}
    for digest in digests:
        for news in digest.news:
            before = words.get(news.subject)
            words[news.subject] = LastWord(news.state, 1 + (0 if before is None else before.times), news)
            if news.kind is Kind.CHANGE:
                sites[news.site_id] = digest.made
    # The last line's and not the latest: a clock may have been set back.
    last = digests[-1].made if digests else None
    return Told(words, sites, last, pending, digests)
