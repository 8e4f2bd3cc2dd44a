"""Inserts what may be there already, in one statement: two writers at once are no error then."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def insert_missing(connection: Connection, table: Table, row: Mapping[str, Any]) -> bool:
    """Insert a row, unless one with its key is there; answer whether it was inserted.

    Waits for another writer of the same row, and then finds it.
    """
    inserted = _insert(connection, table).values(dict(row)).on_conflict_do_nothing()
    options = {"preserve_rowcount": True}  # of an INSERT it is thrown away otherwise
    return connection.execute(inserted, execution_options=options).rowcount == 1


def insert_or_update(
    connection: Connection, table: Table, key: str, row: Mapping[str, Any]
) -> None:
    """Insert a row, or write it over the one whose `key` it has."""
    values = {name: value for name, value in row.items() if name != key}
    inserted = _insert(connection, table).values(dict(row))
    connection.execute(inserted.on_conflict_do_update(index_elements=[key], set_=values))


def _insert(connection: Connection, table: Table) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
