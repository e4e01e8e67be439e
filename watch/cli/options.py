"""The options that several commands share, so that each means one thing everywhere."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from geo.dates import Span

Workspace = Annotated[
    Path,
    typer.Option(
        "--workspace",
        help="Folder of the workspace; the current one or its nearest parent that is one.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="Print nothing but errors.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")]
Orbit = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Only this relative orbit.", show_default=False)
]


class Direction(StrEnum):
    """Of an orbit."""

    ASCENDING = "ascending"
    DESCENDING = "descending"


OrbitDirection = Annotated[
    Direction | None, typer.Option(help="Only orbits that go north, or south.", show_default=False)
]
AssumeClear = Annotated[
    bool,
    typer.Option("--assume-clear", help="Judge images without a cloud mask as if all of them were clear."),
]

HERE = Path()


def closed_span(text: str | None) -> Span:
    """Return the days of ``--span``, both ends included.

    Raises:
        DateError: None were given, or one side has no end.
    """
    from geo.dates import Span, parse_edtf
    from geo.errors import DateError, Where

    if text is None:
        problem = "it is not said which days are wanted"
        raise DateError(problem, where=Where(field="--span"), hint="Give two days: --span A/B")
    written = parse_edtf(text)
    if written.earliest is None or written.latest is None:
        where = Where(field="--span")
        raise DateError(f"{text} has no end on one side", where=where, hint="Give two days: A/B")
    return Span(written.earliest, written.latest)


def parse_instant(text: str) -> datetime:
    """Return an ISO 8601 instant as aware UTC; a bare date is its end, a time without zone is UTC.

    Raises:
        DateError: It is not ISO 8601.
    """
    from geo.errors import DateError, Where

    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise DateError(
            f"{text!r} is not an ISO 8601 date or time",
            where=Where(field="--now"),
            hint="Write it like 2026-11-22 or 2026-11-22T06:00:00Z",
        ) from error
    if len(text) <= len("2026-11-22"):
        return instant.replace(hour=23, minute=59, second=59, tzinfo=UTC)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
