"""What of the looks in a ledger says whether they still stand: every run asks it of every site that is due.

The questions are put together once: with a thousand sites that takes longer than answering them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from imagery.model import Outcome
from watch.book import Looked
from watch.ledger_tables import EXAMINED, LOOKS, NO_SCENES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_OUTCOMES = {outcome.value: outcome for outcome in Outcome}

_OF_SITE = (
    sa.select(
        LOOKS.c.grid_id,
        LOOKS.c.series,
        LOOKS.c.solar_day,
        LOOKS.c.scene_ids,
        LOOKS.c.outcome,
        LOOKS.c.method,
    )
    .where(LOOKS.c.site_id == sa.bindparam("site"))
    .order_by(LOOKS.c.solar_day, LOOKS.c.series, LOOKS.c.grid_id)
)
_OF_GRID = _OF_SITE.where(LOOKS.c.grid_id == sa.bindparam("grid"))
_OF_SERIES = _OF_SITE.where(LOOKS.c.series == sa.bindparam("name"))
_OF_BOTH = _OF_GRID.where(LOOKS.c.series == sa.bindparam("name"))

WINDOWS = sa.select(NO_SCENES).where(NO_SCENES.c.site_id == sa.bindparam("site")).order_by(NO_SCENES.c.start)
"""The empty windows of a site."""

EXAMINED_AGAIN = (
    sa.update(EXAMINED)
    .where(EXAMINED.c.site_id == sa.bindparam("site"))
    .values(since=sa.bindparam("day"), until=sa.bindparam("instant"))
)
"""Notes how far a site has been looked at that had been looked at before."""


def looked_question(site_id: str, grid_id: str | None, series: str | None) -> tuple[Any, dict[str, str]]:
    """Return a statement and its values: the looks of a site, of one lattice and series or of all."""
    statement = {
        (False, False): _OF_SITE,
        (True, False): _OF_GRID,
        (False, True): _OF_SERIES,
        (True, True): _OF_BOTH,
    }[grid_id is not None, series is not None]
    values = {"site": site_id, "grid": grid_id, "name": series}
    return statement, {name: value for name, value in values.items() if value is not None}


def looked_of(rows: Iterable[Sequence[Any]]) -> list[Looked]:
    """Return what the rows of an answer say; there may be thousands for each of a thousand sites."""
    return [
        Looked(grid_id, series, day, tuple(scene_ids), _OUTCOMES[outcome], method)
        for grid_id, series, day, scene_ids, outcome, method in rows
    ]
