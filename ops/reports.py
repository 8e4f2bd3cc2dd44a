"""The named queries of `ops/queries`, run on the app's Postgres. They read, and see no record."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, text

from shared.store.database import Database

_QUERIES: Final = Path(__file__).with_name("queries")
_STATEMENTS: Final = "pg_stat_statements"

Rows = list[dict[str, Any]]


class ReportMissingError(Exception):
    """The database cannot give the report; the message says what it needs."""


def report_slow_queries(database: Database, *, min_ms: float, most: int) -> Rows:
    """Report the statements that take `min_ms` on average or more, the slowest first.

    Raises:
        ReportMissingError: not Postgres, or its extension is not there.
        StoreError: the database does not answer.
    """
    _require_postgres(database)
    with database.read() as connection:
        schema = connection.execute(
            text(
                "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace"
                " WHERE extname = :name"
            ),
            {"name": _STATEMENTS},
        ).scalar()
        if schema is None:
            raise ReportMissingError(f"CREATE EXTENSION {_STATEMENTS}; is needed once.")
        # where the extension lives is the provider's choice
        search_path = "SELECT set_config('search_path', quote_ident(:schema), true)"
        connection.execute(text(search_path), {"schema": schema})
        return _run(connection, "slow_queries", {"min_ms": min_ms, "most": most})


def report_indexes(database: Database) -> dict[str, Rows]:
    """Report what every index and every table is used for.

    Raises:
        ReportMissingError: not Postgres.
        StoreError: the database does not answer.
    """
    _require_postgres(database)
    with database.read() as connection:
        return {name: _run(connection, name, {}) for name in ("indexes", "table_scans")}


def _require_postgres(database: Database) -> None:
    if not database.is_postgres:
        raise ReportMissingError("Postgres only: SQLite keeps no statistics of its queries.")


def _run(connection: Connection, name: str, values: Mapping[str, Any]) -> Rows:
    query = text(_QUERIES.joinpath(f"{name}.sql").read_text("utf-8"))
    return [
        {key: _to_plain(value) for key, value in row.items()}
        for row in connection.execute(query, values).mappings()
    ]


def _to_plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, datetime) else value
