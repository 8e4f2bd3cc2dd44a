"""How SQLite is spoken to: one file, many readers, writers in a queue.

WAL (readers do not wait for the writer), `synchronous=NORMAL` (a killed process loses nothing; a
machine that loses power may lose the last commits), every write transaction immediate, so that two
writers queue instead of failing half-way. Source: https://www.sqlite.org/wal.html
"""

import sqlite3
import time
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

_BUSY_TIMEOUT_S: Final = 30
"""How long a writer waits for the one before it."""
_ASK_EVERY_S: Final = 0.01


def open_engine(url: URL) -> Engine:
    """Open an engine; connects on first use."""
    engine = create_engine(url, connect_args={"timeout": _BUSY_TIMEOUT_S}, hide_parameters=True)
    event.listen(engine, "connect", _prepare_connection)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare_connection(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions are begun by `_begin`
    _write_ahead(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: Any) -> None:
    """Switch a file to WAL, once in its life.

    SQLite makes nobody wait who goes from reading to writing, as this does, so that two who open a
    new file at once do not wait for each other: one of them is told that the file is locked.
    Source: https://www.sqlite.org/c3ref/busy_handler.html
    """
    deadline = time.monotonic() + _BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_ASK_EVERY_S)
        else:
            return


def _begin(connection: Connection) -> None:
    reads = connection.get_execution_options().get("code_agent_read", False)
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
