"""How Postgres is spoken to: addresses, TLS, the pool, and what holds for each transaction.

Everything works through a pooler in transaction mode, such as Supabase's: no prepared statements,
and nothing is set for a session, because the next transaction may run in another one.
Source: https://supabase.com/docs/guides/database/connecting-to-postgres
"""

import ipaddress
from dataclasses import replace
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool

from shared.domain.errors import StoreError, Verdict
from shared.settings.database import DatabaseSettings
from shared.store.login import Login

SCHEMA: Final = "code_agent"
"""The schema of every table of ours; Supabase's REST side does not serve it."""
APPLICATION_NAME: Final = "code-agent"

MIGRATION_LOCK: Final = 4_242_001
"""Number of the advisory lock of whoever migrates; nothing else of this app takes one."""
MIGRATION_LOCK_TIMEOUT_S: Final = 5
"""How long a migration waits for the lock of a table; it is tried again later."""

_DRIVER: Final = "postgresql+psycopg"
_STRICT_MODES: Final = frozenset({"require", "verify-ca", "verify-full"})
_POOL_WAIT_S: Final = 10
"""How long a step waits for one of the connections of its process."""
_RECYCLE_S: Final = 300
"""Age at which a connection is replaced, so that a failover is not clung to."""
_SILENCE_MS: Final = 20_000
"""How long data may stay unacknowledged before a connection counts as broken."""


def is_postgres(url: URL) -> bool:
    """Tell whether a URL names Postgres, in any of the ways in which it is written."""
    return url.get_backend_name() in {"postgres", "postgresql"}


def normalise_url(url: URL, *, checks_server: bool = False) -> URL:
    """Name the driver, and demand TLS unless the server is on this very machine.

    With `checks_server`, its certificate and name are checked, too: against public authorities,
    unless the URL names another one.

    Raises:
        StoreError: `store.insecure`, when the URL itself turns TLS off for a server elsewhere.
    """
    url = url.set(drivername=_DRIVER)
    if all(_is_local(host) for host in _list_hosts(url)):
        return url
    mode = url.query.get("sslmode", "require")
    if mode not in _STRICT_MODES:
        raise StoreError(
            "store.insecure",
            "The database's address allows connections without TLS.",
            verdict=Verdict.BUG,
        )
    if not checks_server or "sslrootcert" in url.query:
        return url.update_query_dict({"sslmode": str(mode)})
    import certifi

    return url.update_query_dict({"sslmode": "verify-full", "sslrootcert": certifi.where()})


def open_engine(login: Login, settings: DatabaseSettings) -> Engine:
    """Open an engine; connects on first use.

    A connection that died while it was idle is noticed before it is used (`pool_pre_ping`).
    """
    engine = create_engine(
        f"{_DRIVER}://",
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=_POOL_WAIT_S,
        pool_recycle=_RECYCLE_S,
        pool_pre_ping=True,
        pool_use_lifo=True,
        hide_parameters=True,
    )
    event.listen(engine, "do_connect", _log_in(login, settings))
    event.listen(engine, "begin", _prepare_transaction(settings))
    return engine


def open_migration_engine(login: Login, settings: DatabaseSettings) -> Engine:
    """Open an engine for migrations: no pool, no limit for a statement, little patience for a lock.

    A statement that waits for a table's lock makes everybody behind it wait as well.
    """
    engine = create_engine(f"{_DRIVER}://", poolclass=NullPool, hide_parameters=True)
    event.listen(engine, "do_connect", _log_in(login, settings))
    patient = replace(
        settings, statement_timeout_s=0, idle_timeout_s=0, lock_timeout_s=MIGRATION_LOCK_TIMEOUT_S
    )
    event.listen(engine, "begin", _prepare_transaction(patient))
    return engine


def build_connect_arguments(settings: DatabaseSettings) -> dict[str, Any]:
    """Build what the driver is given beside the URL.

    Source: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS
    """
    return {
        "prepare_threshold": None,
        "connect_timeout": settings.connect_timeout_s,
        "application_name": APPLICATION_NAME,
        "keepalives_idle": 30,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": _SILENCE_MS,
    }


def _log_in(login: Login, settings: DatabaseSettings) -> Any:
    """Make the connections of an engine: with the login of the moment, read anew when refused."""
    arguments = build_connect_arguments(settings)

    def open_connection(dialect: Dialect) -> Any:
        try:
            # a token opens every database that the identity may enter: nobody else is to have it
            url = normalise_url(login.read(), checks_server=settings.uses_identity)
        except ConnectionError as error:  # said as the driver would say it, for whoever translates
            raise dialect.loaded_dbapi.OperationalError(str(error)) from None
        positional, named = dialect.create_connect_args(url)
        return dialect.connect(*positional, **(dict(named) | arguments))

    def connect(dialect: Dialect, *_: Any) -> Any:
        try:
            return open_connection(dialect)
        except dialect.loaded_dbapi.OperationalError:
            if not login.renew():
                raise
        return open_connection(dialect)

    return connect


def build_transaction_settings(settings: DatabaseSettings, *, reads: bool) -> str:
    """Build the one statement that each transaction begins with; it ends with the transaction."""
    values = {
        "search_path": SCHEMA,
        "statement_timeout": f"{settings.statement_timeout_s * 1000:.0f}",
        "lock_timeout": f"{settings.lock_timeout_s * 1000:.0f}",
        "idle_in_transaction_session_timeout": f"{settings.idle_timeout_s * 1000:.0f}",
    }
    if reads:
        values["transaction_read_only"] = "on"
    set_all = ", ".join(f"set_config('{name}', '{value}', true)" for name, value in values.items())
    return f"SELECT {set_all}"


def _prepare_transaction(settings: DatabaseSettings) -> Any:
    writing = build_transaction_settings(settings, reads=False)
    reading = build_transaction_settings(settings, reads=True)

    def prepare(connection: Connection) -> None:
        reads = connection.get_execution_options().get("code_agent_read", False)
        connection.exec_driver_sql(reading if reads else writing)

    return prepare


def _list_hosts(url: URL) -> list[str]:
    """List every host that a URL may lead to; libpq takes several, separated by commas."""
    found: list[str] = [url.host] if url.host else []
    for name in ("host", "hostaddr"):
        value = url.query.get(name, ())
        found += [value] if isinstance(value, str) else value
    hosts = [host.strip() for entry in found for host in entry.split(",")]
    return hosts or [""]


def _is_local(host: str) -> bool:
    name = host.partition(":")[0] if host.count(":") == 1 else host
    if name in {"", "localhost"} or name.startswith(("/", "@")):
        return True  # a socket in the file system, or loopback
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
