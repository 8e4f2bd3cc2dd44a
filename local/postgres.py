"""A PostgreSQL of one machine's own, on loopback: for tests, and for drills."""

import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from pathlib import Path
from typing import Final

import psycopg

PROGRAMS: Final = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
MISSING: Final = "no PostgreSQL server here (/usr/lib/postgresql/*/bin); `make test` says how"
WITH_PASSWORD: Final = "with_password"  # noqa: S105 - the name of a role
"""Whoever is a member of this role has to say a password."""
_STARTS: Final = 3
"""Tries to find a port that nobody else takes in the meantime."""
_OPTIONS: Final = (
    "listen_addresses=127.0.0.1",
    "unix_socket_directories=",
    "fsync=off",  # a crash of the server loses nothing; only one of the machine would
    "full_page_writes=off",
    "shared_buffers=16MB",
    "max_connections=100",
    "autovacuum=off",
    "shared_preload_libraries=pg_stat_statements",
    "timezone=Asia/Kathmandu",  # nothing may lean on the server's zone
)


class PostgresCluster:
    """One server with its data in a folder of its own; it can be stopped and started again."""

    def __init__(self, *options: str) -> None:
        """Make an empty server; `options` are settings of its own, such as `archive_mode=on`."""
        self._options = (*_OPTIONS, *options)
        self._bin = PROGRAMS[-1].parent
        self._folder = Path(tempfile.mkdtemp(prefix="code-agent-postgres-"))
        self._port = 0
        if os.geteuid() == 0:  # the server refuses root
            shutil.chown(self._folder, "postgres")
        self._run("initdb", *("-A", "trust", "-U", "postgres", "-E", "UTF8"), "-N")
        rules = self._folder / "pg_hba.conf"
        rules.write_text(
            f"host all +{WITH_PASSWORD} 127.0.0.1/32 scram-sha-256\n{rules.read_text()}"
        )

    def start(self) -> None:
        """Start the server; started again, it has the port that it had."""
        for attempt in range(1, _STARTS + 1):
            self._port = self._port or _find_port()
            options = " ".join(f"-c {option}" for option in (*self._options, f"port={self._port}"))
            try:
                log = str(self._folder / "log")
                self._run("pg_ctl", "-w", "-s", "-l", log, "-o", options, "start")
            except subprocess.CalledProcessError:
                if attempt == _STARTS:
                    raise
                self._port = 0
            else:
                return

    def crash(self) -> None:
        """Stop the server as if it had been killed: clients lose their connections."""
        self._run("pg_ctl", "-s", "-m", "immediate", "stop")

    def remove(self) -> None:
        """Stop the server and delete its data."""
        if (self._folder / "postmaster.pid").exists():
            self.crash()
        shutil.rmtree(self._folder)

    def build_url(self, database: str, user: str = "postgres") -> str:
        """Build the URL of a database, as Supabase would show it."""
        return f"postgresql://{user}@127.0.0.1:{self._port}/{database}"

    def create_database(self, template: str = "template0") -> str:
        """Create a database; answers its URL."""
        name = f"test_{uuid.uuid4().hex}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY file_copy')
        return self.build_url(name)

    def drop_database(self, url: str) -> None:
        """Drop a database, whoever is connected to it."""
        self.execute(f'DROP DATABASE "{url.rpartition("/")[2]}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Execute a statement as the server's owner, outside a transaction."""
        with psycopg.connect(self.build_url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        as_postgres = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(
            [*as_postgres, str(self._bin / program), "-D", str(self._folder), *arguments],
            check=True,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _find_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
