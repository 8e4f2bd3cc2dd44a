"""Loads a dump into a new database, and finds out whether it is what it should be.

Roles are not in a dump: whoever restores owns everything, and nobody else has a right to it.
Source: https://www.postgresql.org/docs/current/app-pgrestore.html
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

import psycopg
from psycopg.conninfo import make_conninfo
from sqlalchemy import Connection, text
from sqlalchemy.engine import URL

from ops.manifest import Manifest
from shared.store import jobs
from shared.store.postgres import SCHEMA
from shared.store.tables import METADATA
from shared.store.upgrading import is_latest

TRANSACTION_POOLER_PORT: Final = 6543
"""Supabase's pooler in transaction mode: every statement may meet another session."""
_CONNECT_S: Final = 10
_UNSOUND: Final = {
    "constraints that were not checked": (
        "SELECT conname FROM pg_constraint WHERE connamespace = :schema ::regnamespace"
        " AND NOT convalidated"
    ),
    "indexes that are not valid": (
        "SELECT indexrelid::regclass::text FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
        " WHERE c.relnamespace = :schema ::regnamespace AND NOT indisvalid"
    ),
    "tables without row-level security": (
        "SELECT relname FROM pg_class WHERE relnamespace = :schema ::regnamespace"
        " AND relkind = 'r' AND relname <> 'alembic_version' AND NOT relrowsecurity"
    ),
    "tables that others may read": (
        "SELECT DISTINCT table_name FROM information_schema.table_privileges"
        " WHERE table_schema = :schema AND grantee <> current_user"
    ),
}
"""Each query answers what is wrong; nothing is as it should be."""


class RestoreError(Exception):
    """What was restored is not what it should be; the message says what."""


class TargetError(Exception):
    """The target cannot be used."""

    def __init__(self, message: str, *, is_away: bool = False) -> None:
        super().__init__(message)
        self.is_away = is_away
        """Whether it does not answer, and may another time."""


def check_target(target: URL) -> bool:
    """Check that a database is there and holds no records; answers whether it has our schema.

    Raises:
        TargetError: it is not fit to be restored into.
    """
    if target.port == TRANSACTION_POOLER_PORT:
        raise TargetError(
            f"Port {TRANSACTION_POOLER_PORT} is a pooler in transaction mode: use a direct"
            " connection, or its session mode (port 5432)."
        )
    query = (
        "SELECT (SELECT count(*) FROM pg_namespace WHERE nspname = %(schema)s),"
        " (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        "  WHERE n.nspname = %(schema)s)"
    )
    conninfo = make_conninfo("", **_build_login(target))
    try:
        with psycopg.connect(conninfo, connect_timeout=_CONNECT_S) as connection:
            row = connection.execute(query, {"schema": SCHEMA}).fetchone()
    except psycopg.OperationalError as error:
        raise TargetError(
            f"The target does not answer ({type(error).__name__}): create the database first.",
            is_away=True,
        ) from None
    has_schema, relations = row if row is not None else (0, 0)
    if relations:
        raise TargetError(
            f"{target.database} holds records already: a backup goes into a new database."
        )
    return bool(has_schema)


def load_dump(dump: Path, target: URL, *, has_schema: bool) -> None:
    """Load a dump, whole or not at all.

    Raises:
        RestoreError: pg_restore failed; nothing was changed.
    """
    login = _build_login(target)
    password = login.pop("password", "")
    environment = {**os.environ, **({"PGPASSWORD": password} if password else {})}
    options = ["--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges"]
    conninfo = make_conninfo("", **login)
    with tempfile.TemporaryDirectory() as folder:
        if has_schema:  # made by an administrator, as whoever owns it alone may not make one
            listed = _run(["pg_restore", "--list", str(dump)], environment)
            kept = [one for one in listed.splitlines() if f" SCHEMA - {SCHEMA} " not in one]
            contents = Path(folder) / "contents"
            contents.write_text("\n".join(kept) + "\n", encoding="utf-8")
            options.append(f"--use-list={contents}")
        _run(
            ["pg_restore", "--no-password", *options, f"--dbname={conninfo}", str(dump)],
            environment,
        )


def measure_rows(connection: Connection) -> dict[str, int]:
    """Count the rows of every table."""
    tables = connection.execute(
        text("SELECT tablename FROM pg_tables WHERE schemaname = :schema"), {"schema": SCHEMA}
    ).scalars()
    return {
        str(name): int(connection.execute(text(f'SELECT count(*) FROM "{name}"')).scalar_one())  # noqa: S608 - a name that the server has just told
        for name in list(tables)
    }


def find_faults(connection: Connection, manifest: Manifest) -> list[str]:
    """Find what is wrong with a restored database, after the migrations."""
    faults = []
    if not is_latest(connection):
        faults.append("migrations are missing")
    for what, query in _UNSOUND.items():
        names = list(connection.execute(text(query), {"schema": SCHEMA}).scalars())
        if names:
            faults.append(f"{what}: {', '.join(map(str, names))}")
    there = set(measure_rows(connection))
    missing = {table.name for table in METADATA.sorted_tables} - there
    if missing:
        faults.append(f"tables are missing: {', '.join(sorted(missing))}")
        return faults
    # read as the app reads them
    newest = jobs.load_jobs(connection, limit=1)
    if (newest[0].id if newest else None) != manifest.newest_job:
        faults.append("the newest job is another one")
    backlog = jobs.find_backlog(connection)
    if backlog.queued + backlog.running != manifest.open_jobs:
        faults.append("there are not as many jobs at work")
    return faults


def _build_login(target: URL) -> dict[str, str]:
    named = {
        "host": target.host,
        "port": str(target.port) if target.port else None,
        "user": target.username,
        "password": target.password,
        "dbname": target.database,
        **{name: str(value) for name, value in target.query.items()},
    }
    return {name: value for name, value in named.items() if value}


def _run(command: list[str], environment: dict[str, str]) -> str:
    program = shutil.which(command[0])
    if program is None:
        raise RestoreError(f"{command[0]} is missing.")
    done = subprocess.run(  # noqa: S603 - pg_restore of the PATH
        [program, *command[1:]],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        said = next((line for line in done.stderr.splitlines() if "error" in line), "")
        raise RestoreError(f"pg_restore failed, and nothing was changed: {said[:300]}")
    return done.stdout
