"""Version 4: the scores that speak for a detection, and how sure it is among all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add the columns; every row stays as it is."""
    for name in ("evidence", "surety"):
        op.add_column("detections", sa.Column(name, sa.JSON))
