"""Version 5: the method of each look in a column of its own: every run asks for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from watch.store import TEXT

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the column, and fill it from the cards."""
    op.add_column("looks", sa.Column("method", TEXT))
    looks = sa.table("looks", sa.column("method", TEXT), sa.column("card", sa.JSON))
    op.execute(looks.update().values(method=looks.c.card["method"].as_string()))
