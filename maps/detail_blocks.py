"""The details of all sites, in blocks that are opened one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from maps.blocks import chunks, element, json_bytes, packed
from maps.columns import Vocabulary, count_words, table
from maps.data_block import site_details

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable

    from maps.view import SiteEntry


def detail_blocks(entries: Iterable[SiteEntry]) -> tuple[list[int], list[str]]:
    """Return where each chunk begins, and the elements: the words of all, then chunk after chunk.

    The details are made once and kept as JSON until the words of all are known: a tenth of the memory.
    """
    counts: dict[str, Counter[str]] = {}
    rows = []
    for entry in entries:
        details = site_details(entry)
        count_words(details, counts)
        rows.append(json_bytes(details))
    words = {name: Vocabulary.of(counts[name]) for name in sorted(counts)}
    vocabulary = {name: each.words for name, each in words.items()}
    starts, elements, first = [], [element("sitewatch-words", packed(vocabulary))], 0
    for number, run in enumerate(chunks(rows)):
        columns = table([orjson.loads(row) for row in run], words)
        elements.append(element(f"sitewatch-details-{number}", packed(columns)))
        starts.append(first)
        first += len(run)
    return starts, elements
