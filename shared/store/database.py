"""Opens transactions on the one database of the app, and brings its tables up to date.

Which database it is, the URL says: `sqlite:///…`, or Postgres as Supabase shows it
(`postgres://…`, `postgresql://…`). The driver of the other one is never imported.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Final

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from shared.settings.database import DatabaseSettings
from shared.store import postgres, sqlite, upgrading
from shared.store.failures import translated
from shared.store.login import Login

_RECONNECT_AFTER_S: Final = 0.25
"""Pause before the one further try to connect; a failover within a pooler takes less."""
_DEFAULTS: Final = DatabaseSettings()
_UPGRADE_LOCK = threading.Lock()


class Database:
    """The database behind a login. Connects on first use; never shared over a fork."""

    def __init__(self, login: Login | str, settings: DatabaseSettings = _DEFAULTS) -> None:
        """Take a login, or an address that stays as it is.

        Raises:
            StoreError: `store.insecure`, as `postgres.normalise_url` says.
        """
        self._settings = settings
        self._login = Login(login) if isinstance(login, str) else login
        self.is_postgres = postgres.is_postgres(self._login.url)
        if self.is_postgres:
            postgres.normalise_url(self._login.url)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a transaction that commits at the end, or rolls back on an exception.

        Raises:
            StoreError: as `shared.store.failures.translated` says.
        """
        with translated(), self._connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Open a connection to read with; nothing that is written on it stays.

        Raises:
            StoreError: as `shared.store.failures.translated` says.
        """
        with translated(), self._connect() as connection:
            yield connection.execution_options(code_agent_read=True)

    def upgrade(self) -> None:
        """Bring the tables to the latest migration; one cheap query when they are there.

        Safe when several instances do it at once: one of them migrates, the others wait for it.

        Raises:
            StoreError: as `shared.store.failures.translated` says.
        """
        with _UPGRADE_LOCK:
            with self.read() as connection:
                if upgrading.is_latest(connection):
                    return
            with translated():
                self._migrate()

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

    def _migrate(self) -> None:
        if not self.is_postgres:
            upgrading.upgrade_sqlite(self._engine)
            return
        engine = postgres.open_migration_engine(self._login, self._settings)
        try:
            upgrading.upgrade_postgres(engine)
        finally:
            engine.dispose()

    @cached_property
    def _engine(self) -> Engine:
        if self.is_postgres:
            return postgres.open_engine(self._login, self._settings)
        return sqlite.open_engine(self._login.url)

    def _connect(self) -> Connection:
        try:
            return self._engine.connect()
        except OperationalError:
            if not self.is_postgres:
                raise
            time.sleep(_RECONNECT_AFTER_S)
            return self._engine.connect()
