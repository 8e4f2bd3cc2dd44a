"""Microsoft's Kusto language service, for queries on the tables of local/app_insights."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from local.app_insights.tables import TABLES

FOLDER: Final = Path(__file__).parent
NODE: Final = shutil.which("node")
MISSING: Final = (
    "no node here, or `npm ci` has not run in tests/kusto: "
    "no query is typed by Microsoft's language service"
)
_PACKAGE: Final = FOLDER / "node_modules" / "@kusto" / "language-service-next"


@dataclass(frozen=True, slots=True)
class Typed:
    """What the service says of a query."""

    faults: tuple[str, ...]
    """`line:column code message`; empty when it is sound."""
    columns: Mapping[str, str]
    """Name to type of what it answers."""


def is_there() -> bool:
    """Whether the service is installed."""
    return NODE is not None and _PACKAGE.exists()


def check_queries(queries: Mapping[str, str]) -> dict[str, Typed]:
    """Parse and type queries, by names of the caller's choice.

    Raises:
        CalledProcessError: the service itself fails.
    """
    assert NODE is not None
    done = subprocess.run(
        [NODE, "check.js"],
        cwd=FOLDER,
        input=json.dumps({"tables": _list_tables(), "queries": dict(queries)}),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {
        name: Typed(
            tuple(
                f"{fault['line']}:{fault['column']} {fault['code']} {fault['message']}"
                for fault in told["faults"]
            ),
            told["columns"],
        )
        for name, told in json.loads(done.stdout).items()
    }


def _list_tables() -> dict[str, dict[str, str]]:
    return {table: dict(columns) for table, columns in TABLES.items()}
