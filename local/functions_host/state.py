"""The host's memory: instances, histories, messages, tasks and entities in one SQLite file.

SQLite in WAL mode with `synchronous=NORMAL`: a commit is one append to the log through the page
cache, which survives the death of the process at any moment (`kill -9`), though not the loss of
power within the last moments. That is the promise of a development host, and it makes a commit
cost some tens of microseconds. This module stores and finds; it decides nothing. All calls come
from the event loop's thread.
Source: https://www.sqlite.org/pragma.html#pragma_synchronous
"""

import contextlib
import fcntl
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

SCHEMA_VERSION: Final = 1

_SCHEMA = """
create table host_values (name text primary key, value text not null) without rowid;
create table instances (
    instance_id text primary key, execution_id text not null, name text not null,
    version text not null, runtime_status text not null, input text, output text,
    custom_status text, created_at text not null, updated_at text not null, parent text
) without rowid;
create table history (
    instance_id text not null, position integer not null, event text not null,
    primary key (instance_id, position)
) without rowid;
create table inbox (
    id integer primary key, instance_id text not null, execution_id text, rank integer not null,
    due_s real not null, timer_id integer, event text not null
);
create index inbox_of_instance on inbox (instance_id);
create table tasks (
    id integer primary key, instance_id text not null, execution_id text not null,
    task_id integer not null, name text not null, input text not null, due_s real not null
);
create index tasks_of_instance on tasks (instance_id);
create table entities (
    name text not null, key text not null, state text not null, updated_at text not null,
    primary key (name, key)
) without rowid;
create table entity_inbox (
    id integer primary key, name text not null, key text not null, due_s real not null,
    request text not null
);
create index entity_inbox_of_entity on entity_inbox (name, key);
create table schedules (name text primary key, last_s real, next_s real) without rowid;
"""

TERMINAL_STATUSES: Final = frozenset({"Completed", "Failed", "Terminated", "Canceled"})


class StateError(RuntimeError):
    """The state file cannot be used; the message says why and what to do."""


@dataclass(slots=True)
class Instance:
    """One orchestration; texts are JSON, times are the extension's text form."""

    instance_id: str
    execution_id: str
    name: str
    version: str
    runtime_status: str
    input: str | None
    output: str | None
    custom_status: str | None
    created_at: str
    updated_at: str
    parent: dict[str, Any] | None

    @property
    def is_finished(self) -> bool:
        """Tell whether the instance has reached a terminal status."""
        return self.runtime_status in TERMINAL_STATUSES


@dataclass(frozen=True, slots=True)
class Message:
    """Something that waits for an instance."""

    id: int
    execution_id: str | None
    event: str


@dataclass(frozen=True, slots=True)
class Task:
    """An activity that was promised to an orchestration and has not answered yet."""

    id: int
    instance_id: str
    execution_id: str
    task_id: int
    name: str
    input: str
    due_s: float


@dataclass(frozen=True, slots=True)
class EntityMessage:
    """An operation that waits for an entity."""

    id: int
    request: dict[str, Any]


class StateStore:
    """One open state file. `transaction()` groups writes; everything else is one statement."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self._lock = _lock_file(path)
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._db.execute("pragma journal_mode=wal")
        self._db.execute("pragma synchronous=normal")
        self._create_schema()

    def close(self) -> None:
        """Fold the log into the file and let another host have it."""
        self._db.close()
        self._lock.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """Make the writes inside one atomic, durable step."""
        self._db.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._db.execute("rollback")
            raise
        self._db.execute("commit")

    def read_value(self, name: str) -> str | None:
        """Read one of the host's own values."""
        row = self._db.execute("select value from host_values where name=?", (name,)).fetchone()
        return row[0] if row else None

    def write_value(self, name: str, value: str) -> None:
        """Write one of the host's own values."""
        self._db.execute("insert or replace into host_values values (?,?)", (name, value))

    # Instances and their histories

    def read_instance(self, instance_id: str) -> Instance | None:
        """Read one instance."""
        row = self._db.execute(
            "select * from instances where instance_id=?", (instance_id,)
        ).fetchone()
        return _to_instance(row) if row else None

    def write_instance(self, instance: Instance) -> None:
        """Insert or replace one instance."""
        self._db.execute(
            "insert or replace into instances values (?,?,?,?,?,?,?,?,?,?,?)",
            (
                instance.instance_id,
                instance.execution_id,
                instance.name,
                instance.version,
                instance.runtime_status,
                instance.input,
                instance.output,
                instance.custom_status,
                instance.created_at,
                instance.updated_at,
                json.dumps(instance.parent) if instance.parent else None,
            ),
        )

    def find_instances(
        self,
        *,
        created_from: str | None = None,
        created_to: str | None = None,
        statuses: Sequence[str] = (),
        prefix: str = "",
        after: str = "",
        limit: int = -1,
    ) -> list[Instance]:
        """Find instances in order of their ids; `after` continues an earlier answer."""
        conditions = ["instance_id > ?", "substr(instance_id, 1, length(?)) = ?"]
        values: list[Any] = [after, prefix, prefix]
        for condition, value in (
            ("created_at >= ?", created_from),
            ("created_at <= ?", created_to),
        ):
            if value is not None:
                conditions.append(condition)
                values.append(value)
        if statuses:
            conditions.append(f"runtime_status in ({','.join('?' * len(statuses))})")
            values.extend(statuses)
        rows = self._db.execute(
            f"select * from instances where {' and '.join(conditions)} "  # noqa: S608  (constants)
            "order by instance_id limit ?",
            (*values, limit),
        )
        return [_to_instance(row) for row in rows]

    def delete_instance(self, instance_id: str) -> None:
        """Forget an instance and everything that waits for it."""
        for table in ("instances", "history", "inbox", "tasks"):
            self._db.execute(
                f"delete from {table} where instance_id=?",  # noqa: S608  (constants)
                (instance_id,),
            )

    def read_history(self, instance_id: str) -> list[str]:
        """Read the encoded events of an instance, oldest first."""
        rows = self._db.execute(
            "select event from history where instance_id=? order by position", (instance_id,)
        )
        return [row[0] for row in rows]

    def append_history(self, instance_id: str, position: int, events: Iterable[str]) -> None:
        """Add events from `position` on."""
        self._db.executemany(
            "insert into history values (?,?,?)",
            [(instance_id, position + index, event) for index, event in enumerate(events)],
        )

    def clear_history(self, instance_id: str) -> None:
        """Forget the history of an instance, and nothing else of it."""
        self._db.execute("delete from history where instance_id=?", (instance_id,))

    # Messages to instances

    def add_message(
        self,
        instance_id: str,
        event: str,
        *,
        execution_id: str | None = None,
        rank: int = 2,
        due_s: float = 0.0,
        timer_id: int | None = None,
    ) -> None:
        """Queue an event; a lower `rank` goes first (0 start, 1 carried over, 2 the rest)."""
        self._db.execute(
            "insert into inbox (instance_id, execution_id, rank, due_s, timer_id, event)"
            " values (?,?,?,?,?,?)",
            (instance_id, execution_id, rank, due_s, timer_id, event),
        )

    def read_messages(self, instance_id: str, now_s: float) -> list[Message]:
        """Read what is due for an instance, in order."""
        rows = self._db.execute(
            "select id, execution_id, event from inbox where instance_id=? and due_s<=?"
            " order by rank, due_s, id",
            (instance_id, now_s),
        )
        return [Message(*row) for row in rows]

    def delete_messages(self, ids: Iterable[int]) -> None:
        """Remove consumed messages."""
        self._db.executemany("delete from inbox where id=?", [(id_,) for id_ in ids])

    def delete_timers(self, instance_id: str, timer_ids: Iterable[int]) -> None:
        """Remove timers that were cancelled."""
        self._db.executemany(
            "delete from inbox where instance_id=? and timer_id=?",
            [(instance_id, timer_id) for timer_id in timer_ids],
        )

    def delete_execution_messages(self, instance_id: str) -> None:
        """Remove what was meant for one execution only: timers, results."""
        self._db.execute(
            "delete from inbox where instance_id=? and execution_id is not null", (instance_id,)
        )

    def list_due_instances(self) -> list[tuple[str, float]]:
        """List instances with messages, and the time of each message."""
        return list(self._db.execute("select distinct instance_id, due_s from inbox"))

    # Outstanding activities

    def add_task(self, instance: Instance, task_id: int, name: str, task_input: str) -> Task:
        """Promise an activity."""
        cursor = self._db.execute(
            "insert into tasks (instance_id, execution_id, task_id, name, input, due_s)"
            " values (?,?,?,?,?,0)",
            (instance.instance_id, instance.execution_id, task_id, name, task_input),
        )
        return Task(
            int(cursor.lastrowid or 0),
            instance.instance_id,
            instance.execution_id,
            task_id,
            name,
            task_input,
            0.0,
        )

    def list_tasks(self) -> list[Task]:
        """List every activity that has not answered."""
        rows = self._db.execute(
            "select id, instance_id, execution_id, task_id, name, input, due_s from tasks"
            " order by id"
        )
        return [Task(*row) for row in rows]

    def has_task(self, task: Task) -> bool:
        """Tell whether an activity is still wanted."""
        row = self._db.execute("select 1 from tasks where id=?", (task.id,)).fetchone()
        return row is not None

    def delete_task(self, task: Task) -> bool:
        """Remove an activity that has answered; False if it was forgotten meanwhile."""
        return self._db.execute("delete from tasks where id=?", (task.id,)).rowcount == 1

    def postpone_task(self, task: Task, task_input: str, due_s: float) -> Task:
        """Let an activity go on later with another input (an HTTP poll)."""
        self._db.execute(
            "update tasks set input=?, due_s=? where id=?", (task_input, due_s, task.id)
        )
        return Task(
            task.id,
            task.instance_id,
            task.execution_id,
            task.task_id,
            task.name,
            task_input,
            due_s,
        )

    # Entities

    def read_entity(self, name: str, key: str) -> str | None:
        """Read an entity's state as JSON text; None if it does not exist."""
        row = self._db.execute(
            "select state from entities where name=? and key=?", (name, key)
        ).fetchone()
        return row[0] if row else None

    def write_entity(self, name: str, key: str, state: str | None, at: str) -> None:
        """Write an entity's state; None deletes it."""
        if state is None:
            self._db.execute("delete from entities where name=? and key=?", (name, key))
        else:
            self._db.execute(
                "insert or replace into entities values (?,?,?,?)", (name, key, state, at)
            )

    def find_entities(self, name: str) -> list[tuple[str, str, str, str]]:
        """List entities as (name, key, state, last change); an empty name lists all."""
        rows = self._db.execute(
            "select name, key, state, updated_at from entities where ?='' or name=?"
            " order by name, key",
            (name, name),
        )
        return list(rows)

    def add_entity_message(
        self, name: str, key: str, request: dict[str, Any], due_s: float = 0.0
    ) -> None:
        """Queue an operation."""
        self._db.execute(
            "insert into entity_inbox (name, key, due_s, request) values (?,?,?,?)",
            (name, key, due_s, json.dumps(request)),
        )

    def read_entity_messages(self, name: str, key: str, now_s: float) -> list[EntityMessage]:
        """Read the operations that are due, in the order in which they came."""
        rows = self._db.execute(
            "select id, request from entity_inbox where name=? and key=? and due_s<=?"
            " order by due_s, id",
            (name, key, now_s),
        )
        return [EntityMessage(id_, json.loads(request)) for id_, request in rows]

    def delete_entity_messages(self, ids: Iterable[int]) -> None:
        """Remove processed operations."""
        self._db.executemany("delete from entity_inbox where id=?", [(id_,) for id_ in ids])

    def list_due_entities(self) -> list[tuple[str, str, float]]:
        """List entities with operations, and the time of each."""
        return list(self._db.execute("select distinct name, key, due_s from entity_inbox"))

    # Timer triggers

    def read_schedule(self, name: str) -> tuple[float | None, float | None]:
        """Read when a timer function last ran and was to run next (Unix seconds)."""
        row = self._db.execute(
            "select last_s, next_s from schedules where name=?", (name,)
        ).fetchone()
        return (row[0], row[1]) if row else (None, None)

    def write_schedule(self, name: str, last_s: float | None, next_s: float) -> None:
        """Record when a timer function last ran and is to run next (Unix seconds)."""
        self._db.execute("insert or replace into schedules values (?,?,?)", (name, last_s, next_s))

    def _create_schema(self) -> None:
        (version,) = self._db.execute("pragma user_version").fetchone()
        if version == 0:
            self._db.executescript(
                f"begin immediate;{_SCHEMA}pragma user_version={SCHEMA_VERSION};commit;"
            )
        elif version != SCHEMA_VERSION:
            self.close()
            raise StateError(
                f"{self.path} was written by another version of this host (schema {version}, "
                f"this one knows {SCHEMA_VERSION}). Start with another --state file."
            )


def _lock_file(path: Path) -> IO[str]:
    """Take the file for this process; the lock dies with the process, however it dies."""
    lock = path.with_name(path.name + ".lock").open("w", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise StateError(
            f"another host is using {path}; stop it or choose another --state file"
        ) from error
    return lock


def _to_instance(row: Sequence[Any]) -> Instance:
    columns = list(row)
    columns[-1] = json.loads(columns[-1]) if columns[-1] else None
    return Instance(*columns)
