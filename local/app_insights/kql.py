"""`python -m local kql`: runs a Kusto query on the telemetry that a local run has collected."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from local.app_insights.collected import FILE_NAME, read_file
from local.app_insights.envelopes import Row
from local.app_insights.kusto import Answer, Kusto, QueryError
from local.app_insights.tables import TABLES

LAST_DEMO: Final = Path(".local/last-run")
"""Where `make demo` leaves what it collected."""
FOLDERS: Final = (LAST_DEMO, Path(".local/up/app-insights"), Path(".local/app-insights"))
"""Of the demo, of `make up` and of the stand-in alone; the latest is queried."""
MAX_CELL: Final = 60


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("query", nargs="?", metavar="QUERY", help="such as 'customEvents | take 5'")
    asked.add_argument("--file", type=Path, help="file that holds the query; - is standard input")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of a run (the latest demo, or `make up`)"
    )
    parser.add_argument(
        "--now",
        metavar="INSTANT",
        type=_read_instant,
        help="what now() and ago() go by, ISO 8601 (the present)",
    )
    parser.add_argument("--json", action="store_true", help="print the rows as a JSON array")


def run(args: argparse.Namespace) -> int:
    """Run the query and print its rows; 1 when it cannot be run."""
    try:
        answer = _ask(args)
    except (QueryError, OSError, ValueError, KeyError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if args.json:
        sys.stdout.write(json.dumps(answer.to_plain(), ensure_ascii=False, default=str) + "\n")
    else:
        sys.stdout.write(_draw(answer))
    return 0


def _ask(args: argparse.Namespace) -> Answer:
    text = args.query
    if text is None:
        text = sys.stdin.read() if str(args.file) == "-" else args.file.read_text("utf-8")
    kusto = Kusto(_load(_find(args.data)))
    try:
        return kusto.query(text, now=args.now)
    finally:
        kusto.close()


def _find(folder: Path | None) -> Path:
    candidates = [one / FILE_NAME for one in ((folder,) if folder else FOLDERS)]
    there = [path for path in candidates if path.exists()]
    if not there:
        raise QueryError("nothing has been collected yet: run `make demo` or `make up` first")
    return max(there, key=lambda path: path.stat().st_mtime)


def _load(path: Path) -> dict[str, list[Row]]:
    rows: dict[str, list[Row]] = {table: [] for table in TABLES}
    for table, row in read_file(path):
        rows[table].append(row)
    return rows


def _read_instant(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _draw(answer: Answer) -> str:
    """Draw a table in plain text."""
    lines = [list(answer.columns)]
    lines += [[_cut(value) for value in row.values()] for row in answer.to_plain()]
    widths = [max(len(line[at]) for line in lines) for at in range(len(answer.columns))]
    drawn = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
             for line in lines]  # fmt: skip
    drawn.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join([*drawn, "", f"{len(answer.rows)} rows", ""])


def _cut(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= MAX_CELL else text[: MAX_CELL - 1] + "…"
