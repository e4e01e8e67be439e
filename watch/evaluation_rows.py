"""The records of an evaluation as they come, so that one that was stopped goes on where it stood.

A file of JSON lines: what is evaluated, then one line a site in the order of the plans. A line that was
torn when the process ended is not there; other settings, detectors or another method begin anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from imagery.change.card import METHOD
from watch.track_record import track_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from imagery.change.tracks import SiteTrack

NAME = "rows.jsonl"

_FORMAT = "sitewatch-evaluation-rows-1"


class EvaluationRows:
    """The file, open for what comes next."""

    def __init__(self, path: Path, settings: Mapping[str, Any], detectors: Sequence[str]) -> None:
        """Take up what an earlier process left, or begin anew.

        Args:
            path: Of the file.
            settings: What the sites are made from.
            detectors: By name.
        """
        self._path = path
        head = {"format": _FORMAT, "method": METHOD, "detectors": list(detectors), "settings": settings}
        first = orjson.dumps(head)
        lines = _whole_lines(path)
        kept = lines[1:] if lines[:1] == [first] else []
        self.known = tuple(_row(line) for line in kept)
        """By site, in the order of the plans: by detector, its record."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"".join(line + b"\n" for line in (first, *kept)))

    def add(self, record: Mapping[str, Any]) -> None:
        """Append the record of the next site, by detector, as JSON values."""
        with self._path.open("ab") as stream:
            stream.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))

    def drop(self) -> None:
        """Remove the file: everything is written elsewhere."""
        self._path.unlink(missing_ok=True)


def _whole_lines(path: Path) -> list[bytes]:
    """Return the lines of a file that end; none where there is no file."""
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


def _row(line: bytes) -> dict[str, SiteTrack]:
    return {name: track_of(record) for name, record in orjson.loads(line).items()}
