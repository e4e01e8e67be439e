"""Version 1: looks, detections, empty windows, how far each site was examined."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from watch.store import TEXT

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "meta",
        sa.Column("key", TEXT, primary_key=True),
        sa.Column("value", TEXT, nullable=False),
    )
    op.create_table(
        "runs",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("now", sa.DateTime, nullable=False),
        sa.Column("started_at", sa.DateTime, nullable=False),
        sa.Column("finished_at", sa.DateTime),
    )
    op.create_table(
        "looks",
        sa.Column("site_id", TEXT, primary_key=True),
        sa.Column("grid_id", TEXT, primary_key=True),
        sa.Column("series", TEXT, primary_key=True),
        sa.Column("solar_day", sa.Date, primary_key=True),
        sa.Column("platform", TEXT, nullable=False),
        sa.Column("scene_ids", sa.JSON, nullable=False),
        sa.Column("acquired", sa.DateTime, nullable=False),
        sa.Column("day_only", sa.Boolean, nullable=False),
        sa.Column("outcome", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("clear_fraction", sa.Double, nullable=False),
        sa.Column("frame_clear_fraction", sa.Double, nullable=False),
        sa.Column("mask_scheme", TEXT, nullable=False),
        sa.Column("history", sa.Integer, nullable=False),
        sa.Column("score", sa.Double),
        sa.Column("threshold", sa.Double),
        sa.Column("regions", sa.JSON, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
        sa.Column("judged_at", sa.DateTime, nullable=False),
    )
    op.create_table(
        "no_scenes",
        sa.Column("site_id", TEXT, primary_key=True),
        sa.Column("start", sa.Date, primary_key=True),
        sa.Column("end", sa.Date, nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
    )
    op.create_table(
        "detections",
        sa.Column("id", TEXT, primary_key=True),
        sa.Column("site_id", TEXT, nullable=False),
        sa.Column("grid_id", TEXT, nullable=False),
        sa.Column("series", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("bracket", TEXT, nullable=False),
        sa.Column("last_without", sa.Date, nullable=False),
        sa.Column("first_with", sa.Date, nullable=False),
        sa.Column("last_with", sa.Date, nullable=False),
        sa.Column("looks_with", sa.Integer, nullable=False),
        sa.Column("geometry", sa.JSON, nullable=False),
        sa.Column("area_m2", sa.Double, nullable=False),
        sa.Column("magnitude", sa.Double, nullable=False),
        sa.Column("p_value", sa.Double),
        sa.Column("direction", sa.JSON, nullable=False),
        sa.Column("simulated", sa.Boolean, nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
    )
    op.create_index("ix_detections_site_id", "detections", ["site_id"])
    op.create_table(
        "examined",
        sa.Column("site_id", TEXT, primary_key=True),
        sa.Column("since", sa.Date, nullable=False),
        sa.Column("until", sa.DateTime, nullable=False),
    )
