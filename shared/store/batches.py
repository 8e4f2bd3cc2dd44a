"""Deletes in batches: short transactions, which hold no lock for long and keep nobody waiting."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Table, delete, select, tuple_


def delete_some(
    connection: Connection, table: Table, condition: ColumnElement[bool], limit: int
) -> int:
    """Delete up to `limit` rows that meet a condition; answer how many.

    The condition is asked again when a row is deleted: one that was just renewed stays.
    """
    columns = list(table.primary_key.columns)
    key: ColumnElement[Any] = columns[0] if len(columns) == 1 else tuple_(*columns)
    batch = select(*columns).where(condition).limit(limit)
    return connection.execute(delete(table).where(key.in_(batch), condition)).rowcount


def delete_before(
    connection: Connection, instants: Column[datetime], before: datetime, limit: int
) -> int:
    """Delete up to `limit` rows of a column's table from before an instant; answer how many."""
    return delete_some(connection, instants.table, instants < before, limit)
