"""The tables of the ledger.

A change of them is a step in `watch/migrations/versions` too; a test compares the two.
"""

from __future__ import annotations

import sqlalchemy as sa

from watch.ledger_history import history_table
from watch.store import TEXT, Double

METADATA = sa.MetaData()

META = sa.Table(
    "meta",
    METADATA,
    sa.Column("key", TEXT, primary_key=True),
    sa.Column("value", TEXT, nullable=False),
)

RUNS = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("now", sa.DateTime, nullable=False, comment="UTC; the instant the run was asked about"),
    sa.Column("started_at", sa.DateTime, nullable=False, comment="UTC, wall clock"),
    sa.Column("finished_at", sa.DateTime, comment="UTC, wall clock; null while running or after a kill"),
)

LOOKS = sa.Table(
    "looks",
    METADATA,
    sa.Column("site_id", TEXT, primary_key=True),
    sa.Column("grid_id", TEXT, primary_key=True),
    sa.Column("series", TEXT, primary_key=True),
    sa.Column("solar_day", sa.Date, primary_key=True),
    sa.Column("platform", TEXT, nullable=False),
    sa.Column("scene_ids", sa.JSON, nullable=False),
    sa.Column("acquired", sa.DateTime, nullable=False, comment="UTC"),
    sa.Column("day_only", sa.Boolean, nullable=False),
    sa.Column("outcome", TEXT, nullable=False),
    sa.Column("reason", TEXT, nullable=False),
    sa.Column("clear_fraction", Double, nullable=False),
    sa.Column("frame_clear_fraction", Double, nullable=False),
    sa.Column("mask_scheme", TEXT, nullable=False),
    sa.Column("history", sa.Integer, nullable=False),
    sa.Column("score", Double),
    sa.Column("threshold", Double),
    sa.Column("regions", sa.JSON, nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("card", sa.JSON(none_as_null=True), comment="what the outcome rests on; null for older looks"),
    sa.Column("run_id", TEXT, nullable=False),
    sa.Column("judged_at", sa.DateTime, nullable=False, comment="UTC, wall clock"),
    sa.Column("method", TEXT, comment="of judging, as on the card; null for looks older than cards"),
    # Answers how often a site could be seen, and when, without a look at the rows.
    sa.Index("ix_looks_seen", "site_id", "outcome", "solar_day"),
)

NO_SCENES = sa.Table(
    "no_scenes",
    METADATA,
    sa.Column("site_id", TEXT, primary_key=True),
    sa.Column("start", sa.Date, primary_key=True),
    sa.Column("end", sa.Date, nullable=False),
    sa.Column("run_id", TEXT, nullable=False),
)

DETECTIONS = sa.Table(
    "detections",
    METADATA,
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("site_id", TEXT, nullable=False, index=True),
    sa.Column("grid_id", TEXT, nullable=False),
    sa.Column("series", TEXT, nullable=False),
    sa.Column("state", TEXT, nullable=False),
    sa.Column("bracket", TEXT, nullable=False),
    sa.Column("last_without", sa.Date, nullable=False),
    sa.Column("first_with", sa.Date, nullable=False),
    sa.Column("last_with", sa.Date, nullable=False),
    sa.Column("looks_with", sa.Integer, nullable=False),
    sa.Column("geometry", sa.JSON, nullable=False),
    sa.Column("area_m2", Double, nullable=False),
    sa.Column("magnitude", Double, nullable=False),
    sa.Column("p_value", Double),
    sa.Column("direction", sa.JSON, nullable=False),
    sa.Column("simulated", sa.Boolean, nullable=False),
    sa.Column("date_interval_90", TEXT, nullable=False, server_default=""),
    sa.Column("area_interval_m2", sa.JSON(none_as_null=True)),
    sa.Column("kind", TEXT, nullable=False, server_default=""),
    sa.Column("flags", sa.JSON(none_as_null=True)),
    sa.Column("evidence", sa.JSON(none_as_null=True), comment="scores behind it; null for older ones"),
    sa.Column("surety", sa.JSON(none_as_null=True), comment="of the last run; follows from all detections"),
    sa.Column("run_id", TEXT, nullable=False, comment="the run that last changed this row"),
)

EXAMINED = sa.Table(
    "examined",
    METADATA,
    sa.Column("site_id", TEXT, primary_key=True),
    sa.Column("since", sa.Date, nullable=False, comment="day of the first run that looked for scenes"),
    sa.Column("until", sa.DateTime, nullable=False, comment="UTC; scenes acquired up to here were judged"),
)

HISTORY = history_table(METADATA)
