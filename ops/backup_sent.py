"""The command line by which a backup tells operators of itself: the event `backup_completed`.

Called by `ops/backup.sh` when the dump has arrived. Where the resource takes no keys
(`APPLICATIONINSIGHTS_AUTHENTICATION_STRING=Authorization=AAD`), whoever is signed in to Azure
delivers, and needs the role "Monitoring Metrics Publisher" on the component.

Exit codes: 0 told, or nobody is to be told, 1 not delivered, 2 wrong usage.
"""

import argparse
import json
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from typing_extensions import override

from ops.manifest import Manifest, ManifestError
from shared.domain.clock import read_utc_clock
from shared.telemetry.emit import emit
from shared.telemetry.events import BackupCompleted

_EXPORTER: Final = "azure.monitor.opentelemetry"
_CONNECTION: Final = "APPLICATIONINSIGHTS_CONNECTION_STRING"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("manifest", type=Path, help="what the backup says of itself")
    parser.add_argument("--size-bytes", type=int, required=True, help="of the encrypted dump")
    parser.add_argument("--took-s", type=float, required=True, help="from its beginning")
    parser.add_argument("--json", action="store_true", help="print one object at the end")


def run(args: argparse.Namespace) -> int:
    """Tell; answers the exit code."""
    try:
        manifest = Manifest.read(args.manifest)
    except ManifestError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    event = BackupCompleted(
        schema_step=manifest.schema_step,
        size_bytes=args.size_bytes,
        duration_ms=1000 * args.took_s,
        jobs=manifest.rows.get("jobs", 0),
        age_s=(read_utc_clock() - manifest.recovery_point).total_seconds(),
    )
    outcome = _tell(event)
    if args.json:
        sys.stdout.write(json.dumps({"outcome": outcome}) + "\n")
    elif outcome != "told":
        sys.stderr.write(f"backup_completed: {outcome}\n")
    return 1 if outcome == "not delivered" else 0


def _tell(event: BackupCompleted) -> str:
    if not os.environ.get(_CONNECTION, "").strip():
        return f"nobody was told: {_CONNECTION} is not set"
    from shared.telemetry.exporting import deliver, start_exporting

    # what cannot be delivered would wait here for a process that never comes
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "CODE_AGENT_DATA_DIR": folder}
        if not start_exporting(environment, open_identity=_open_operator):
            return "not delivered"
        complaints = _Complaints()
        logging.getLogger(_EXPORTER).addHandler(complaints)
        emit(event)
        deliver()
        waits = any(path.is_file() for path in Path(folder).rglob("*"))
    return "not delivered" if waits or complaints.heard else "told"


class _Complaints(logging.Handler):
    """Hears what the exporter says of a delivery: it raises nothing, and answers nothing."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.heard = False

    @override
    def emit(self, record: logging.LogRecord) -> None:
        self.heard = True


def _open_operator() -> object:
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()
