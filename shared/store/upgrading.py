"""Runs the migrations: which are missing, who runs them, and how nobody runs them twice.

On SQLite all steps are one transaction, which is the lock as well. On Postgres each step is a
transaction of its own, so that a step may build an index without locking its table; a second
connection holds an advisory lock meanwhile. Whoever waits for it asks again and again, each time in
a transaction of its own, instead of standing in the queue: building an index waits for the end of
every transaction that it has once met with an old snapshot, and the two would wait for each other.
"""

import time
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, RootTransaction, text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.store.postgres import MIGRATION_LOCK, SCHEMA

_MIGRATIONS: Final = Path(__file__).with_name("migrations")
_ASK_EVERY_S: Final = 0.1
_WAIT_S: Final = 120
"""How long an instance waits for the one that migrates, before its step is tried again later."""


def build_config() -> Config:
    """Build the configuration that finds the migrations."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def is_latest(connection: Connection) -> bool:
    """Tell whether every migration that this code knows has been run.

    A step that it does not know is a later release's: after a rollback, or on the old side of a
    deployment, the tables are ahead of the code, which runs on them as they are.
    """
    script = ScriptDirectory.from_config(build_config())
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None or current == script.get_current_head():
        return current is not None
    return current not in {one.revision for one in script.walk_revisions()}


def list_steps() -> list[str]:
    """List the migrations that this code knows, in their order."""
    script = ScriptDirectory.from_config(build_config())
    return [str(one.revision) for one in script.walk_revisions()][::-1]


def list_missing(connection: Connection) -> list[str]:
    """List the migrations that have not been run, in their order."""
    if is_latest(connection):
        return []
    script = ScriptDirectory.from_config(build_config())
    current = MigrationContext.configure(connection).get_current_revision()
    missing = script.iterate_revisions("head", current or "base")
    return [str(one.revision) for one in missing][::-1]


def upgrade_sqlite(engine: Engine, revision: str = "head") -> None:
    """Run what is missing up to a revision, in one transaction."""
    with engine.connect() as connection, connection.begin():
        if not is_latest(connection):
            _run(connection, revision)


def upgrade_postgres(engine: Engine, revision: str = "head") -> None:
    """Run what is missing up to a revision, or wait for the process that is doing so.

    Raises:
        OperationalError: the database does not answer.
        PoolTimeoutError: another process has been migrating for too long.
    """
    with engine.connect() as guard, _wait_for_lock(guard), engine.connect() as connection:
        with connection.begin():
            # asked for first: who owns the schema alone may not create one
            if connection.execute(text(f"SELECT to_regnamespace('{SCHEMA}')")).scalar() is None:
                connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
            if is_latest(connection):  # another process was first, perhaps a later release
                return
        _run(connection, revision)


def print_sql(revisions: str = "head") -> None:
    """Print the migrations as one script for `psql`; `0004:head` prints those after 0004 only."""
    config = build_config()
    command.upgrade(config, revisions, sql=True)


def _run(connection: Connection, revision: str) -> None:
    config = build_config()
    config.attributes["connection"] = connection
    command.upgrade(config, revision)


def _wait_for_lock(guard: Connection) -> RootTransaction:
    """Answer the transaction that holds the lock, as long as it is open."""
    deadline = time.monotonic() + _WAIT_S
    while True:
        transaction = guard.begin()
        taken = guard.execute(text(f"SELECT pg_try_advisory_xact_lock({MIGRATION_LOCK})"))
        if taken.scalar():
            return transaction
        transaction.rollback()
        if time.monotonic() > deadline:
            raise PoolTimeoutError("another process has been migrating for too long")
        time.sleep(_ASK_EVERY_S)
