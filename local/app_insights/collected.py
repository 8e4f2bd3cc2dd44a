"""What has been collected: rows in memory, and in a file of JSON lines where one is named.

A line is `{"table": …, "row": {…}}`. The file outlives the run, for `python -m local kql`.
"""

import json
import os
import shutil
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from local.app_insights.envelopes import Row
from local.app_insights.tables import TABLES

FILE_NAME: Final = "telemetry.jsonl"


class Collected:
    """Rows by table; safe to read while more arrive."""

    def __init__(self, folder: Path | None = None) -> None:
        """Go on with what the folder's file holds; None keeps everything in memory."""
        self._lock = threading.Lock()
        self._rows: dict[str, list[Row]] = {table: [] for table in TABLES}
        self._path = folder / FILE_NAME if folder else None
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            for table, row in read_file(self._path) if self._path.exists() else ():
                self._rows[table].append(row)

    def add(self, items: Iterable[tuple[str, Row]]) -> None:
        """Keep rows."""
        with self._lock:
            lines = []
            for table, row in items:
                self._rows[table].append(row)
                lines.append(json.dumps({"table": table, "row": row}, ensure_ascii=False))
            if self._path is not None and lines:
                with self._path.open("a", encoding="utf-8") as file:
                    file.write("\n".join(lines) + "\n")

    def rows(self, table: str) -> list[Row]:
        """Answer the rows of a table, in the order in which they came."""
        with self._lock:
            return list(self._rows[table])

    def all_rows(self) -> dict[str, list[Row]]:
        """Answer the rows of every table."""
        return {table: self.rows(table) for table in TABLES}

    def clear(self) -> None:
        """Forget everything; the file too."""
        with self._lock:
            for rows in self._rows.values():
                rows.clear()
            if self._path is not None:
                self._path.write_text("", encoding="utf-8")


def keep_telemetry(source: Path, folder: Path) -> None:
    """Put what a run has collected in the place of what an earlier one had."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / f"{FILE_NAME}.{os.getpid()}"
    shutil.copyfile(source / FILE_NAME, partial)
    partial.replace(folder / FILE_NAME)


def read_file(path: Path) -> Iterator[tuple[str, Row]]:
    """Read what a run has collected; a last line that was cut off is left out."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                told = json.loads(line)
                yield told["table"], told["row"]
