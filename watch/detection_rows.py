"""Detections as rows of the ledger, how sure they are, and how long their sites were watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import shapely
import sqlalchemy as sa

from imagery.change.evidence import Evidence
from imagery.change.surety import Surety
from imagery.change.tracks import DAYS_PER_YEAR
from imagery.model import Detection, DetectionState, Outcome
from watch.ledger_tables import DETECTIONS, LOOKS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_LATTICE = (LOOKS.c.series, LOOKS.c.site_id, LOOKS.c.grid_id)

WATCHED = (
    sa.select(
        *_LATTICE,
        sa.func.min(LOOKS.c.solar_day).label("first"),
        sa.func.max(LOOKS.c.solar_day).label("last"),
    )
    .where(LOOKS.c.outcome.in_([Outcome.UNCHANGED.value, Outcome.CHANGED.value]))
    .group_by(*_LATTICE)
    .order_by(*_LATTICE)
)
"""The first and the last judged look of each site and lattice."""


def years_by_series(rows: Iterable[sa.RowMapping]) -> dict[str, float]:
    """Return the years between first and last look, by series, of the rows of `WATCHED`."""
    years: dict[str, float] = {}
    for row in rows:
        span = (row["last"] - row["first"]).days / DAYS_PER_YEAR
        years[row["series"]] = years.get(row["series"], 0.0) + span
    return years


def note_sureties(connection: sa.Connection, found: Mapping[str, tuple[float | None, Surety]]) -> None:
    """Note the p-value and the surety of each detection by its id; rows keep the run that made them."""
    table = DETECTIONS
    rows = connection.execute(sa.select(table.c.id, table.c.p_value, table.c.surety)).all()
    for detection_id, p_value, surety in rows:
        p_now, surety_now = found.get(detection_id, (None, None))
        values = {"p_value": p_now, "surety": None if surety_now is None else surety_now.to_json()}
        if values != {"p_value": p_value, "surety": surety}:
            connection.execute(table.update().where(table.c.id == detection_id).values(values))


def geojson(geometry: Any) -> Any:  # noqa: ANN401 - shapely geometry in, GeoJSON mapping out
    """Return a geometry as a GeoJSON mapping."""
    return orjson.loads(shapely.to_geojson(geometry))


def detection_row(detection: Detection) -> dict[str, Any]:
    """Return a detection as the values of a row."""
    values = {column.name: getattr(detection, column.name, None) for column in DETECTIONS.columns}
    return values | {
        "state": detection.state.value,
        "geometry": geojson(detection.geometry),
        "evidence": None if detection.evidence is None else detection.evidence.to_json(),
        "surety": None if detection.surety is None else detection.surety.to_json(),
    }


def detection_of(row: sa.RowMapping) -> Detection:
    """Return the detection of a row."""
    values = {key: value for key, value in row.items() if key != "run_id"}
    values |= {
        "state": DetectionState(row["state"]),
        "geometry": shapely.geometry.shape(row["geometry"]),
        "area_interval_m2": None if row["area_interval_m2"] is None else tuple(row["area_interval_m2"]),
        "flags": tuple(row["flags"] or ()),
        "evidence": None if row["evidence"] is None else Evidence.from_json(row["evidence"]),
        "surety": None if row["surety"] is None else Surety.from_json(row["surety"]),
    }
    return Detection(**values)
