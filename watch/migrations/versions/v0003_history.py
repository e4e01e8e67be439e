"""Version 3: what became of each detection, and an index that answers how often a site could be seen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from watch.store import TEXT

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the table and the index; what is known of earlier detections is their last state."""
    op.create_table(
        "detection_history",
        sa.Column("detection_id", TEXT, primary_key=True),
        sa.Column("solar_day", sa.Date, primary_key=True),
        sa.Column("site_id", TEXT, nullable=False),
        sa.Column("grid_id", TEXT, nullable=False),
        sa.Column("series", TEXT, nullable=False),
        sa.Column("state", TEXT, nullable=False),
        sa.Column("run_id", TEXT, nullable=False),
    )
    op.create_index("ix_detection_history_site", "detection_history", ["site_id", "grid_id", "series"])
    op.create_index("ix_looks_seen", "looks", ["site_id", "outcome", "solar_day"])
    # The look that made a detection what it is was not kept; the latest one that showed it stands for it.
    op.execute(
        "INSERT INTO detection_history (detection_id, solar_day, site_id, grid_id, series, state, run_id) "
        "SELECT id, last_with, site_id, grid_id, series, state, run_id FROM detections"
    )
