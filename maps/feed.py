"""An Atom feed (RFC 4287): entries in, the same bytes out for the same entries."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from maps.safetext import clean, xml_attribute, xml_text

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMESPACE = uuid.UUID("5a0f6f4c-8f5e-5d0b-9a58-6d1f7a2f6c11")
"""Of the names that ids are made of: any fixed one will do."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed."""

    key: str
    """Unique in the feed and never used for anything else: the entry's id is made of it."""
    title: str
    text: str
    """Plain; readers show it as it is."""
    updated: datetime
    """Aware."""
    category: str = ""
    link: str = ""
    """Where more is told; relative to the feed or a whole address. Left out when empty."""


def atom(title: str, entries: Sequence[Entry], *, key: str, made: datetime, address: str = "") -> bytes:
    """Return a feed as UTF-8 XML, its entries in the order given.

    Args:
        title: Of the feed; also its author, since RFC 4287 (section 4.1.1) wants one.
        entries: The latest first, as readers expect them.
        key: What the feed's id is made of: stable over its life.
        made: Aware instant of the feed where it has no entry.
        address: Where the feed will be found; its link to itself, left out when empty.
    """
    updated = max((entry.updated for entry in entries), default=made)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        '<feed xmlns="http://www.w3.org/2005/Atom">',
        f"  <id>{_id(key)}</id>",
        f"  <title>{_text(title)}</title>",
        f"  <updated>{_instant(updated)}</updated>",
        f"  <author><name>{_text(title)}</name></author>",
        "  <generator>sitewatch</generator>",
    ]
    if address:
        lines.append(f'  <link rel="self" type="application/atom+xml" href={xml_attribute(address)}/>')
    for entry in entries:
        lines += _entry(entry, key)
    return ("\n".join([*lines, "</feed>"]) + "\n").encode()


def _entry(entry: Entry, key: str) -> list[str]:
    category = [f"    <category term={xml_attribute(entry.category)}/>"] if entry.category else []
    link = (
        [f'    <link rel="alternate" type="text/html" href={xml_attribute(entry.link)}/>']
        if entry.link
        else []
    )
    return [
        "  <entry>",
        f"    <id>{_id(f'{key}/{entry.key}')}</id>",
        f"    <title>{_text(entry.title)}</title>",
        f"    <updated>{_instant(entry.updated)}</updated>",
        *category,
        *link,
        f'    <content type="text">{_text(entry.text)}</content>',
        "  </entry>",
    ]


def _id(key: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, clean(key))}"


def _instant(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _text(text: str) -> str:
    # A text is never empty: RFC 4287 wants titles that say something.
    return xml_text(text) or "-"
