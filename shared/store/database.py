"""Opens transactions on the one database of the app, and brings its tables up to date.

SQLite: WAL (readers do not wait for the writer), `synchronous=NORMAL` (a killed process loses
nothing; a machine that loses power may lose the last commits), every write transaction immediate,
so that two writers queue instead of failing half-way. Source: https://www.sqlite.org/wal.html
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared.domain.errors import StoreError

_MIGRATIONS: Final = Path(__file__).with_name("migrations")
_BUSY_TIMEOUT_S: Final = 30
"""How long a writer waits for the one before it."""
_UPGRADE_LOCK = threading.Lock()


class Database:
    """The database behind a URL. Connects on first use; never shared over a fork."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._is_sqlite = self._url.get_backend_name() == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a transaction that commits at the end, or rolls back on an exception.

        Raises:
            StoreError: `store.unavailable`, when the database does not answer.
        """
        with self._translated(), self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection to read with; nothing that is written on it stays.

        Raises:
            StoreError: `store.unavailable`, when the database does not answer.
        """
        with self._translated(), self._engine.connect() as connection:
            yield connection.execution_options(code_agent_read=True)

    def upgrade(self) -> None:
        """Bring the tables to the latest migration; one cheap query when they are there."""
        with _UPGRADE_LOCK, self._translated():
            config = Config()
            config.set_main_option("script_location", str(_MIGRATIONS))
            latest = ScriptDirectory.from_config(config).get_current_head()
            with self._engine.connect() as connection:
                if MigrationContext.configure(connection).get_current_revision() == latest:
                    return
            with self._engine.connect() as connection, connection.begin():
                # one process migrates, the others wait here and find nothing left to do
                if not self._is_sqlite:
                    connection.execute(text("SELECT pg_advisory_xact_lock(4242001)"))
                config.attributes["connection"] = connection
                command.upgrade(config, "head")

    def check(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StoreError: `store.unavailable`.
        """
        with self.read() as connection:
            connection.execute(text("SELECT 1"))

    def dispose(self) -> None:
        """Close every connection."""
        if "_engine" in self.__dict__:
            self._engine.dispose()

    @cached_property
    def _engine(self) -> Engine:
        if not self._is_sqlite:
            return create_engine(self._url, pool_pre_ping=True, pool_size=5, max_overflow=5)
        engine = create_engine(self._url, connect_args={"timeout": _BUSY_TIMEOUT_S})
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_immediate)
        return engine

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (OperationalError, InterfaceError, PoolTimeoutError) as error:
            raise StoreError("store.unavailable", "The database did not answer.") from error
        except DBAPIError as error:
            if error.connection_invalidated:
                raise StoreError("store.unavailable", "The database did not answer.") from error
            raise


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin_immediate`
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_immediate(connection: Connection) -> None:
    reads = connection.get_execution_options().get("code_agent_read", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
