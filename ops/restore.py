"""The command line that restores a backup into a new database, and checks it before it is used.

The target is named by RESTORE_DATABASE_URL, so that no password is an argument: a direct connection
or a pooler in session mode. Never the database that the app uses, and never one that holds records.
All of it is one transaction: what fails leaves the target as it was.

Exit codes: 0 restored and sound (or planned), 1 a service does not answer, 2 wrong usage or
settings, 3 refused: the backup, the key or the target is not what it should be.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

from sqlalchemy.engine import URL

from ops.manifest import Manifest
from ops.restoring import (
    RestoreError,
    TargetError,
    check_target,
    find_faults,
    load_dump,
    measure_rows,
)
from ops.sealed import PASSPHRASE_VARIABLE, SealedBackup, SealError
from shared.domain.clock import format_instant, read_utc_clock
from shared.domain.errors import StoreError
from shared.settings import SettingsError
from shared.store.database import Database
from shared.store.login import parse_address
from shared.store.postgres import is_postgres, normalise_url

TARGET_VARIABLE: Final = "RESTORE_DATABASE_URL"
LIVE_VARIABLE: Final = "CODE_AGENT_DATABASE_URL"
NEXT: Final = (
    "Stop the app, if it still runs.",
    "python -m ops rebuild --agent NAME, with CODE_AGENT_DATABASE_URL of the new database.",
    "Give the app the new database (secret database-url) and a new task hub (TASKHUB_NAME).",
    "Start the app; /gateway/ready must say 200.",
    "python -m ops hooks check; then write a command, or wait for the canary.",
)
"""What remains to be done; docs/recovery.md says more."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "backup",
        metavar="BACKUP",
        help="NAME.dump.cms with NAME.sha256 and NAME.manifest.json beside it: a file, or its"
        " https address in a storage account",
    )
    parser.add_argument(
        "--key",
        type=Path,
        required=True,
        metavar="PEM",
        help=f"private key of the recipient; its passphrase: {PASSPHRASE_VARIABLE}, or asked for",
    )
    parser.add_argument(
        "--certificate", type=Path, required=True, metavar="PEM", help="certificate to that key"
    )
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="check backup, key and target, read the dump to its end, and change nothing",
    )
    parser.add_argument("--json", action="store_true", help="print one object at the end")


def run(args: argparse.Namespace) -> int:
    """Restore; answers the exit code."""
    began = time.monotonic()
    try:
        target = _read_target()
        with tempfile.TemporaryDirectory() as folder:
            report = _restore(args, target, Path(folder))
    except SettingsError as error:
        return _say(args, str(error), 2)
    except StoreError as error:
        return _say(args, f"{error.message} ({error.code})", 1)
    except TargetError as error:
        return _say(args, str(error), 1 if error.is_away else 3)
    except (SealError, RestoreError) as error:
        return _say(args, str(error), 3)
    report["took_s"] = round(time.monotonic() - began, 2)
    if args.json:
        sys.stdout.write(json.dumps(report) + "\n")
        return 0
    sys.stdout.write(
        f"{report['outcome']}: records as of {report['recovery_point']}"
        f" ({report['age_s']:.0f} s ago), {report['rows']} rows,"
        f" {report['open_jobs']} jobs at work\n"
    )
    sys.stdout.writelines(f"{number}. {step}\n" for number, step in enumerate(report["next"], 1))
    return 0


def _restore(args: argparse.Namespace, target: URL, folder: Path) -> dict[str, Any]:
    _tell("checking the target")
    has_schema = check_target(target)
    _tell("checking and opening the backup")
    backup = SealedBackup.fetch(args.backup, folder)
    dump = backup.open(args.key, args.certificate)
    manifest = backup.manifest
    report = {
        "outcome": "planned" if args.dry_run else "restored",
        "backup": backup.name,
        "recovery_point": format_instant(manifest.recovery_point),
        "age_s": (read_utc_clock() - manifest.recovery_point).total_seconds(),
        "schema_step": manifest.schema_step,
        "rows": sum(manifest.rows.values()),
        "open_jobs": manifest.open_jobs,
        "next": list(NEXT),
    }
    if args.dry_run:
        return report
    _tell(f"restoring into {target.database} on {target.host}")
    load_dump(dump, target, has_schema=has_schema)
    return report | {"migrations": _check(target, manifest)}


def _check(target: URL, manifest: Manifest) -> list[str]:
    """Check what was restored, then run the migrations that have come since; answers those."""
    from shared.store.upgrading import list_missing

    _tell("checking what was restored")
    database = Database(target.render_as_string(hide_password=False))
    try:
        with database.read() as connection:
            counted = measure_rows(connection)
        if counted != dict(manifest.rows):
            raise RestoreError(f"The rows are not those of the manifest: {counted}.")
        with database.read() as connection:
            missing = list_missing(connection)
        database.upgrade()
        with database.read() as connection:
            faults = find_faults(connection, manifest)
    finally:
        database.dispose()
    if faults:
        raise RestoreError(f"The restored database is not sound: {'; '.join(faults)}.")
    return missing


def _read_target() -> URL:
    text = os.environ.get(TARGET_VARIABLE, "").strip()
    if not text:
        raise SettingsError(f"{TARGET_VARIABLE}: the address of a new database expected")
    target = _parse(TARGET_VARIABLE, text)
    if not is_postgres(target) or not target.database:
        raise SettingsError(f"{TARGET_VARIABLE}: postgresql://…/DATABASE expected")
    try:
        target = normalise_url(target)
    except StoreError as error:
        raise SettingsError(f"{TARGET_VARIABLE}: {error.message}") from None
    live = os.environ.get(LIVE_VARIABLE, "").strip()
    if live.startswith("postgres") and _name(_parse(LIVE_VARIABLE, live)) == _name(target):
        raise SettingsError(
            f"{TARGET_VARIABLE} is the database of the app: never over the live one"
        )
    return target


def _parse(variable: str, text: str) -> URL:
    try:
        return parse_address(text)
    except StoreError as error:
        raise SettingsError(f"{variable}: {error.message}") from None


def _name(url: URL) -> tuple[str, int, str]:
    return (url.host or "").lower(), url.port or 5432, url.database or ""


def _tell(step: str) -> None:
    sys.stderr.write(f"{step} …\n")
    sys.stderr.flush()


def _say(args: argparse.Namespace, message: str, code: int) -> int:
    sys.stderr.write(f"{message}\n")
    if args.json:
        sys.stdout.write(json.dumps({"outcome": "refused", "message": message}) + "\n")
    return code
