"""What commands print: results on standard output, everything else on standard error."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from unicodedata import category

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from rich.console import Console


@dataclass(frozen=True, slots=True)
class Output:
    """How one command speaks: as text, as one JSON document, or not at all."""

    json: bool = False
    quiet: bool = False

    def document(self, value: Any) -> None:  # noqa: ANN401 - any JSON value
        """Print `value` as JSON when asked for JSON; otherwise nothing."""
        if self.json:
            import orjson

            self.raw(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))

    def raw(self, data: bytes) -> None:
        """Print a document that is bytes already."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def line(self, text: str = "") -> None:
        """Print a line of the result as text, unless JSON or silence was asked for."""
        if not (self.json or self.quiet):
            sys.stdout.write(f"{printable(text)}\n")

    def note(self, text: str) -> None:
        """Print a remark on standard error, unless silence was asked for."""
        if not self.quiet:
            sys.stderr.write(f"{printable(text)}\n")

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
        """Print a table as text, unless it is empty; columns whose name ends in ``#`` are numbers."""
        cells = [[plain(cell) for cell in row] for row in rows]
        if self.json or self.quiet or not cells:
            return
        from rich import box
        from rich.table import Table

        table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
        for column in columns:
            numeric = column.endswith("#")
            table.add_column(column.rstrip("#"), justify="right" if numeric else "left", overflow="fold")
        for row in cells:
            table.add_row(*row)
        console(stderr=False).print(table)

    @property
    def shows_progress(self) -> bool:
        """Whether a progress bar would reach a person."""
        return not self.quiet and sys.stderr.isatty()


def console(*, stderr: bool) -> Console:
    """Return a console; a redirected one gets a fixed width, so that files look the same everywhere."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(file=stream, width=None if stream.isatty() else 140, highlight=False)


def plain(value: object) -> Any:  # noqa: ANN401 - a rich Text, imported lazily
    """Return a value as text in which the catalogue's words are neither markup nor control codes."""
    from rich.text import Text

    return Text(printable("" if value is None else str(value)))


def acquired_text(acquired: datetime, *, day_only: bool) -> str:
    """Return when a scene was acquired: its instant, or its day where that is all that is known."""
    return str(acquired.date()) if day_only else f"{acquired:%Y-%m-%dT%H:%M:%SZ}"


def number_of(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> number_of(1, "scene"), number_of(2000, "scene")
    ('1 scene', '2,000 scenes')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def printable(text: str) -> str:
    """Replace control and format characters, so that a name can't move the cursor or turn the line.

    >>> printable("a" + chr(27) + "[2Jb")
    'a\ufffd[2Jb'
    """
    return "".join(
        "\ufffd" if category(char) in {"Cc", "Cf"} and char not in "\n\t" else char for char in text
    )
