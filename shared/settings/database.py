"""Settings about the connections to the database. SQLite has no use for them."""

from dataclasses import dataclass

from shared.settings.reader import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseSettings:
    """How one process connects to Postgres. Units are in the names."""

    uses_identity: bool = False
    """Whether the managed identity's token is the password."""
    pool_size: int = 2
    """The most connections of one process; the others wait for one of them."""
    connect_timeout_s: int = 5
    statement_timeout_s: float = 30
    """A statement that takes longer is cancelled by the server."""
    lock_timeout_s: float = 10
    """So is one that waits longer for a lock."""
    idle_timeout_s: float = 60
    """The server ends a session whose open transaction has done nothing for so long."""


def read_database_settings(reader: Reader) -> DatabaseSettings:
    """Read everything that is about connections; faults stay with the reader."""
    prefix = "CODE_AGENT_DATABASE"
    authentication = reader.choice(f"{prefix}_AUTHENTICATION", ("password", "managed-identity"))
    return DatabaseSettings(
        uses_identity=authentication == "managed-identity",
        pool_size=reader.whole(f"{prefix}_POOL_SIZE", 2, 1, 50),
        connect_timeout_s=reader.whole(f"{prefix}_CONNECT_TIMEOUT_S", 5, 2, 60),
        statement_timeout_s=reader.number(f"{prefix}_STATEMENT_TIMEOUT_S", 30, 0.1, 600),
        lock_timeout_s=reader.number(f"{prefix}_LOCK_TIMEOUT_S", 10, 0.1, 600),
        idle_timeout_s=reader.number(f"{prefix}_IDLE_TIMEOUT_S", 60, 1, 3600),
    )
