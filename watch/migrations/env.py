"""What alembic runs: the steps that are due, inside the transaction that the ledger has begun."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
