"""The command line of the stand-in: `python -m local app-insights`."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Final

from local.app_insights.server import DEFAULT_KEY, InsightsOptions, InsightsStandIn, serve
from local.until_signal import serve_until_signal

DEFAULT_PORT: Final = 8085
DEFAULT_FOLDER: Final = Path(".local/app-insights")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1; 0 takes a free one"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=DEFAULT_FOLDER,
        help=f"folder for what is collected ({DEFAULT_FOLDER}); `python -m local kql` reads it",
    )
    parser.add_argument(
        "--key", default=DEFAULT_KEY, help=f"the instrumentation key ({DEFAULT_KEY})"
    )
    parser.add_argument("--ready-file", type=Path, help="file that gets the connection string")


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        options = InsightsOptions(port=args.port, key=args.key, folder=args.data)
        asyncio.run(_serve(options, args.ready_file))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def describe(stand_in: InsightsStandIn) -> str:
    """Say what is served where, and which variable leads there."""
    return f"""Application Insights stand-in: {stand_in.url}

  APPLICATIONINSIGHTS_CONNECTION_STRING="{stand_in.connection_string}"
  controls: {stand_in.url}/_standin/faults, …/rows, …/calls

"""


async def _serve(options: InsightsOptions, ready_file: Path | None) -> None:
    await serve_until_signal(
        serve(options),
        describe,
        ready_file=ready_file,
        write_ready=lambda stand_in: stand_in.connection_string,
    )
