"""How Alembic runs the revisions: in the transaction of the connection that it is given."""

from __future__ import annotations

from alembic import context

# SQLite has transactions for CREATE and ALTER too, if they are begun explicitly, as `database` does.
context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
