"""Runs Kusto queries on rows that were collected: duckdb-kql on tables in memory.

DuckDB finds tables whatever the case of their names; Kusto does not, so it is checked here.
duckdb is a development dependency, and is imported when a query runs.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from local.app_insights.envelopes import Row
from local.app_insights.tables import TABLES

if TYPE_CHECKING:
    import duckdb

_TYPES: Final = {
    "datetime": "TIMESTAMP",
    "string": "VARCHAR",
    "dynamic": "JSON",
    "int": "BIGINT",
    "real": "DOUBLE",
}


class QueryError(Exception):
    """A query that cannot be run; the message says why, in terms of Kusto."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query answers."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def to_plain(self) -> list[dict[str, Any]]:
        """Write the rows as JSON objects; instants as ISO 8601 in UTC."""
        return [dict(zip(self.columns, map(_to_plain, row), strict=True)) for row in self.rows]


class Kusto:
    """Tables in memory, to be queried."""

    def __init__(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Load the rows of each table.

        Raises:
            QueryError: duckdb-kql is not installed.
        """
        try:
            import duckdb_kql
        except ImportError:
            raise QueryError(
                "duckdb-kql is not installed: it is in requirements-dev.txt (`make setup`)"
            ) from None
        self._connection: duckdb.DuckDBPyConnection = duckdb_kql.connect()
        self._connection.execute("SET TimeZone='UTC'")
        for table, columns in TABLES.items():
            self._load(table, columns, rows.get(table, ()))

    def query(self, text: str, *, now: datetime | None = None) -> Answer:
        """Run a query.

        Args:
            text: of the query.
            now: what `now()` and `ago()` go by; the present moment without.

        Raises:
            QueryError: it cannot be read, or asks for what is not there.
        """
        import duckdb
        import duckdb_kql

        try:
            sql, bound = _translate(text, now or datetime.now(UTC))
            relation = self._connection.sql(sql, params=bound)
            self._check_names(relation.sql_query())
            return Answer(tuple(relation.columns), tuple(relation.fetchall()))
        except (duckdb_kql.KqlError, duckdb.Error) as error:
            raise QueryError(str(error)) from error

    def close(self) -> None:
        """Free the memory."""
        self._connection.close()

    def _load(self, table: str, columns: Mapping[str, str], rows: Sequence[Row]) -> None:
        described = ", ".join(f'"{name}" {_TYPES[kind]}' for name, kind in columns.items())
        self._connection.execute(f'CREATE TABLE "{table}" ({described})')
        if not rows:
            return
        # one statement with all rows as JSON: binding each value by itself takes ten times as long
        shape = json.dumps([{name: _TYPES[kind] for name, kind in columns.items()}])
        told = [{name: _to_column(row.get(name), kind) for name, kind in columns.items()}
                for row in rows]  # fmt: skip
        self._connection.execute(
            f'INSERT INTO "{table}" SELECT unnest(from_json(?, ?), recursive := true)',
            [json.dumps(told), shape],
        )

    def _check_names(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            told = cursor.execute("SELECT json_serialize_sql(?)", [sql]).fetchall()
        known = {name.casefold(): name for name in TABLES}
        for name in _list_tables(json.loads(told[0][0])):
            meant = known.get(name.casefold())
            if meant not in (None, name):
                raise QueryError(f"there is no table {name!r}: names are exact. Meant: {meant!r}")


@lru_cache(512)
def _translate(text: str, now: datetime) -> tuple[str, Any]:
    """Translate a query to SQL and its parameters; that takes longer than to run it."""
    import duckdb_kql

    schema = {table: list(columns) for table, columns in TABLES.items()}
    sql = duckdb_kql.to_sql(text, schema=schema, query_now=now, allow_write=False)
    return str(sql), sql.parameters


def _list_tables(node: Any) -> Iterator[str]:
    """List the tables in a statement, as DuckDB serialises it."""
    if isinstance(node, dict):
        if node.get("type") == "BASE_TABLE":
            yield str(node["table_name"])
        node = list(node.values())
    if isinstance(node, list):
        for part in node:
            yield from _list_tables(part)


def _to_column(value: Any, kind: str) -> Any:
    if value is None:
        return None
    if kind == "datetime":
        return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None).isoformat()
    return str(value) if kind == "string" else value


def _to_plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=value.tzinfo or UTC).isoformat()
    return value
