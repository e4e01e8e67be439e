"""Where words go: the seam to any sink, and the sinks that need no network."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from geo.durable import write_bytes
from geo.errors import Where
from maps.feed import Entry, atom
from watch.errors import NotifyError

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from pathlib import Path

    from watch.digest import Digest

FEED_FILE = "feed.xml"
FEED_ENTRIES = 100


@dataclass(frozen=True, slots=True)
class Message:
    """A digest as it is sent."""

    id: str
    made: datetime
    subject: str
    """One line."""
    text: str
    html: str
    document: dict[str, Any]
    """The digest as JSON values."""


class Sink(Protocol):
    """Takes messages; hand over the same one twice only where it may have been lost."""

    @property
    def name(self) -> str:
        """What the journal calls it."""

    def deliver(self, message: Message) -> None:
        """Return once the message is where it belongs.

        Raises:
            NotifyError: It could not be delivered; nothing secret is in the words.
        """


@dataclass(frozen=True, slots=True)
class Printed:
    """Standard output."""

    write: Callable[[str], object]
    name: str = "stdout"

    def deliver(self, message: Message) -> None:
        """Print the subject and the text."""
        self.write(f"{message.subject}\n\n{message.text}")


@dataclass(frozen=True, slots=True)
class Appended:
    """A file that digests are added to; one that is there already is not added again."""

    path: Path
    name: str = "file"

    def deliver(self, message: Message) -> None:
        """Add the message; its id stands last, so that a half-written one does not count."""
        end = f"-- {message.id}\n"
        body = f"{message.made:%Y-%m-%d %H:%M} UTC: {message.subject}\n\n{message.text}\n{end}\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
            with os.fdopen(os.open(self.path, flags, 0o644), "r+b", buffering=0) as stream:
                if end.encode() in stream.readall():
                    return
                stream.write(body.encode())
                os.fsync(stream.fileno())
        except OSError as error:
            raise NotifyError(f"cannot be written: {error.strerror}", where=Where(str(self.path))) from error


@dataclass(frozen=True, slots=True)
class Feed:
    """An Atom feed, made anew of what was told and of what is being told."""

    path: Path
    title: str
    address: str
    digests: tuple[Digest, ...]
    """Told before, oldest first."""
    current: Digest
    name: str = "feed"

    def deliver(self, message: Message) -> None:
        """Write the feed; the message is made of the digest that is in it."""
        entries = [
            Entry(news.id, news.title, "\n".join(news.lines) or news.title, digest.made, news.kind.value)
            for digest in {each.id: each for each in (*self.digests, self.current)}.values()
            for news in digest.news
        ]
        latest = sorted(entries, key=lambda entry: (entry.updated, entry.key), reverse=True)[:FEED_ENTRIES]
        data = atom(
            self.title, latest, key=self.address or self.title, made=message.made, address=self.address
        )
        try:
            write_bytes(self.path, data)
        except OSError as error:
            raise NotifyError(f"cannot be written: {error.strerror}", where=Where(str(self.path))) from error
