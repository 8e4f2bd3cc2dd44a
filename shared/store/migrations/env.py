"""Runs the migrations: on the connection that `shared.store.upgrading` holds, or as a script."""

from alembic import context

from shared.store.postgres import MIGRATION_LOCK, MIGRATION_LOCK_TIMEOUT_S, SCHEMA
from shared.store.tables import METADATA

_SCRIPT_HEAD = rf"""
-- Run with a direct connection or the pooler's session mode, never its transaction mode:
--   psql -X -v ON_ERROR_STOP=1 "$DATABASE_URL" -f this-file.sql
-- Without --single-transaction: every step commits by itself, and indexes are built outside one.
-- A step that cannot have its lock in time fails and changes nothing: print the rest, and go on.
\set ON_ERROR_STOP on
SET lock_timeout = '{MIGRATION_LOCK_TIMEOUT_S}s';
SET statement_timeout = 0;
CREATE SCHEMA IF NOT EXISTS {SCHEMA};
SET search_path = {SCHEMA};
DO $$ BEGIN
  IF NOT pg_try_advisory_lock({MIGRATION_LOCK}) THEN
    RAISE EXCEPTION 'somebody else is migrating';
  END IF;
END $$;
"""

if context.is_offline_mode():
    context.configure(
        dialect_name="postgresql",
        target_metadata=METADATA,
        literal_binds=True,
        transaction_per_migration=True,
    )
    print(_SCRIPT_HEAD)  # noqa: T201 - the script is the output
else:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=METADATA,
        transaction_per_migration=True,
    )
with context.begin_transaction():
    context.run_migrations()
