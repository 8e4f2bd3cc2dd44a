"""Runs the migrations on the connection that `Database.upgrade` holds."""

from alembic import context

from shared.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    transactional_ddl=True,
)
context.run_migrations()
