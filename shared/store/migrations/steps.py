"""What several migrations do on Postgres, and SQLite has no need of.

A migration is a record of what was run. Functions here may grow new siblings, but what they do to
a database stays as it is.
"""

from alembic import op

from shared.store.postgres import SCHEMA

REST_ROLES = ("anon", "authenticated", "service_role")
"""The roles of Supabase's REST side, by which it serves the public, members and server keys."""


def is_postgres() -> bool:
    """Tell whether the migration runs on Postgres, or is printed for it."""
    return op.get_context().dialect.name == "postgresql"


def close_schema() -> None:
    """Take the schema away from everybody but its owner."""
    if not is_postgres():
        return
    op.execute(f"REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC")
    _revoke_from_rest_roles(f"SCHEMA {SCHEMA}")


def close_table(name: str) -> None:
    """Let nobody but its owner see a table: no rights, and row-level security without a policy.

    Rights that somebody grants later, by hand or by a tool, still show no row.
    """
    if not is_postgres():
        return
    op.execute(f"ALTER TABLE {SCHEMA}.{name} ENABLE ROW LEVEL SECURITY")
    op.execute(f"REVOKE ALL ON TABLE {SCHEMA}.{name} FROM PUBLIC")
    _revoke_from_rest_roles(f"TABLE {SCHEMA}.{name}")


def close_view(name: str) -> None:
    """Make a view see what its reader may see, and nobody but its owner read it."""
    if not is_postgres():
        return
    op.execute(f"ALTER VIEW {SCHEMA}.{name} SET (security_invoker = true)")
    op.execute(f"REVOKE ALL ON TABLE {SCHEMA}.{name} FROM PUBLIC")
    _revoke_from_rest_roles(f"TABLE {SCHEMA}.{name}")


def create_index_live(name: str, table: str, columns: list[str]) -> None:
    """Build an index while the table is written to; no other kind of step goes with it.

    On Postgres the transaction ends before it, so a migration with one has nothing else in it: what
    was done before would be there, and the migration would not count as run. A building that was
    broken off leaves an invalid index behind, which is dropped first.
    Source: https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
    """
    if not is_postgres():
        op.create_index(name, table, columns)
        return
    listed = ", ".join(f'"{column}"' for column in columns)
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {SCHEMA}.{name}")
        op.execute(f"CREATE INDEX CONCURRENTLY {name} ON {SCHEMA}.{table} ({listed})")


def _revoke_from_rest_roles(what: str) -> None:
    for role in REST_ROLES:
        op.execute(
            f"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}') THEN"  # noqa: S608 - names of ours
            f" REVOKE ALL ON {what} FROM {role}; END IF; END $$"
        )
