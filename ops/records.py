"""The command line of records: one person's data, and how the database fares.

Exit codes: 0 done (or planned), 1 the database or Azure DevOps does not answer, 2 wrong usage or
settings, 3 refused and nothing changed.
"""

import argparse
import json
import os
import secrets
import sys
from typing import Any, Final

from ops import reports
from ops.databases import open_database
from ops.identity import choose_operator, explain
from shared.ado.errors import AdoError
from shared.ado.identities import find_people
from shared.ado.session import AdoSession
from shared.domain.clock import read_utc_clock
from shared.domain.errors import StoreError
from shared.settings import Settings, SettingsError, read_settings
from shared.store import personal
from shared.store.database import Database

_RESTING: Final = "Task hub and artifacts keep what they have until its time is over."


class RefusedError(Exception):
    """What was asked for is not done, and nothing was changed."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    actions = parser.add_subparsers(title="actions", dest="action", required=True)
    export = actions.add_parser("export", help="print everything about one person as JSON")
    erase = actions.add_parser("erase", help="make the records about one person nobody's")
    for one in (export, erase):
        person = one.add_mutually_exclusive_group(required=True)
        person.add_argument("--actor", metavar="ID", help="identity id of Azure DevOps")
        person.add_argument(
            "--actor-name", metavar="NAME", help="unique name, looked up in Azure DevOps"
        )
    erase.add_argument("--dry-run", action="store_true", help="count, and change nothing")
    slow = actions.add_parser("slow-queries", help="print what takes longest (Postgres)")
    slow.add_argument("--min-ms", type=float, default=100, help="on average (%(default)s)")
    slow.add_argument("--limit", type=int, default=20, help="statements shown (%(default)s)")
    indexes = actions.add_parser("indexes", help="print what indexes are used for (Postgres)")
    migrate = actions.add_parser("migrate", help="run the migrations that are missing")
    migrate.add_argument("--dry-run", action="store_true", help="list them, and change nothing")
    for one in (export, erase, slow, indexes, migrate):
        one.add_argument("--json", action="store_true", help="print JSON, whoever reads it")
    script = actions.add_parser("migration-sql", help="print the migrations for psql")
    script.add_argument("--behind", metavar="STEP", help="only those behind a step, such as 0004")


def run(args: argparse.Namespace) -> int:
    """Run one action; answers the exit code."""
    if args.action == "migration-sql":
        return _print_migrations(args.behind)
    try:
        settings = read_settings(os.environ)
        database = open_database(settings)
        try:
            _write(args, _act(args, settings, database))
        finally:
            database.dispose()
    except SettingsError as error:
        return _say(str(error), 2)
    except StoreError as error:
        return _say(f"{error.message} ({error.code})", 1)
    except AdoError as error:
        return _say(f"{explain(error)} ({error.code})", 1)
    except (RefusedError, reports.ReportMissingError) as error:
        return _say(str(error), 3)
    return 0


def _act(args: argparse.Namespace, settings: Settings, database: Database) -> dict[str, Any]:
    match args.action:
        case "export":
            actor_id = _find_actor(args, settings)
            with database.read() as connection:
                records = personal.load_records(connection, actor_id)
            return {"actor": actor_id, "exported_at": read_utc_clock().isoformat()} | records
        case "erase":
            return _erase(_find_actor(args, settings), database, is_dry=args.dry_run)
        case "migrate":
            return _migrate(database, is_dry=args.dry_run)
        case "slow-queries":
            rows = reports.report_slow_queries(database, min_ms=args.min_ms, most=args.limit)
            return {"slow_queries": rows}
        case _:
            return dict(reports.report_indexes(database))


def _find_actor(args: argparse.Namespace, settings: Settings) -> str:
    if args.actor:
        return str(args.actor).strip().lower()
    session = AdoSession(settings.organisation_url, choose_operator())
    try:
        found = find_people(session, args.actor_name)
    finally:
        session.close()
    if len(found) != 1:
        raise RefusedError(f"Azure DevOps knows {len(found)} people by this name: give --actor ID.")
    return found[0].id


def _erase(actor_id: str, database: Database, *, is_dry: bool) -> dict[str, Any]:
    with database.transaction() as connection:
        unfinished = personal.list_unfinished(connection, actor_id)
        if unfinished:
            raise RefusedError(f"Still at work for this person: {', '.join(unfinished)}.")
        if is_dry:
            return {"outcome": "planned", "rows": personal.count_records(connection, actor_id)}
        pseudonym = f"erased-{secrets.token_hex(16)}"
        rows = personal.erase_records(connection, actor_id, pseudonym, at=read_utc_clock())
    return {"outcome": "done", "rows": rows, "note": _RESTING}


def _migrate(database: Database, *, is_dry: bool) -> dict[str, Any]:
    from shared.store.upgrading import list_missing

    with database.read() as connection:
        missing = list_missing(connection)
    if not is_dry:
        if missing:
            sys.stderr.write(f"running {', '.join(missing)} …\n")
            sys.stderr.flush()
        database.upgrade()
    return {"outcome": "planned" if is_dry else "done", "migrations": ", ".join(missing) or "none"}


def _print_migrations(behind: str | None) -> int:
    from shared.store.upgrading import list_steps, print_sql

    steps = list_steps()
    if behind and behind not in steps:
        return _say(f"There is no step {behind}: {steps[0]} to {steps[-1]} expected.", 2)
    print_sql(f"{behind}:head" if behind else "head")
    return 0


def _write(args: argparse.Namespace, answer: dict[str, Any]) -> None:
    if args.json or args.action == "export":
        sys.stdout.write(json.dumps(answer, indent=2, ensure_ascii=False) + "\n")
        return
    for name, value in answer.items():
        if isinstance(value, list):
            sys.stdout.write(f"{name}\n{_draw_table(value)}\n")
        elif isinstance(value, dict):
            sys.stdout.writelines(f"{value[key]:>8}  {key}\n" for key in value)
        else:
            sys.stdout.write(f"{value}\n")


def _draw_table(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return "  nothing\n"
    lines = [list(rows[0]), *([str(value) for value in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "".join("  " + "  ".join(map(str.ljust, line, widths)).rstrip() + "\n" for line in lines)


def _say(message: str, code: int) -> int:
    sys.stderr.write(f"{message}\n")
    return code
