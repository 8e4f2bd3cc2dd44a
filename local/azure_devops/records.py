"""What the organisation remembers besides git: documents in one SQLite file, held in memory too.

Written through at once (WAL), so a restart finds everything. One process, one event loop.
"""

import json
import sqlite3
from pathlib import Path
from typing import Any

Document = dict[str, Any]


class Records:
    """Documents by kind and key."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute(
            "CREATE TABLE IF NOT EXISTS documents"
            " (kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key))"
        )
        self._held: dict[str, dict[str, Document]] = {}
        rows = self._connection.execute("SELECT kind, key, body FROM documents ORDER BY rowid")
        for kind, key, body in rows:
            self._held.setdefault(kind, {})[key] = json.loads(body)

    def all(self, kind: str) -> list[Document]:
        """List the documents of a kind, oldest first."""
        return list(self._held.get(kind, {}).values())

    def get(self, kind: str, key: str | int) -> Document | None:
        """Answer a document. It is the one that is held: `put` it after changing it."""
        return self._held.get(kind, {}).get(str(key))

    def put(self, kind: str, key: str | int, body: Document) -> None:
        """Keep a document."""
        self._held.setdefault(kind, {})[str(key)] = body
        self._connection.execute(
            "INSERT INTO documents VALUES (?, ?, ?)"
            " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
            (kind, str(key), json.dumps(body)),
        )

    def delete(self, kind: str, key: str | int) -> None:
        """Forget a document."""
        self._held.get(kind, {}).pop(str(key), None)
        self._connection.execute(
            "DELETE FROM documents WHERE kind = ? AND key = ?", (kind, str(key))
        )

    def next_number(self, name: str) -> int:
        """Answer 1, 2, 3, … for a name."""
        counter = self.get("counter", name) or {"value": 0}
        counter["value"] += 1
        self.put("counter", name, counter)
        return int(counter["value"])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
