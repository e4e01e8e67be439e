"""Version 2: the card of a look; dates and areas with their intervals, kinds and flags of a detection."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from watch.store import TEXT

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the columns; every row stays as it is."""
    op.add_column("looks", sa.Column("card", sa.JSON))
    for name in ("date_interval_90", "kind"):
        op.add_column("detections", sa.Column(name, TEXT, nullable=False, server_default=""))
    for name in ("area_interval_m2", "flags"):
        op.add_column("detections", sa.Column(name, sa.JSON))
