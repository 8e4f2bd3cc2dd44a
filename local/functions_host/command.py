"""The command line of the functions host: `python -m local host`."""

import argparse
import sys
from pathlib import Path

from local.functions_host.app_loader import AppError
from local.functions_host.host import DEFAULT_PORT, HostOptions, run_host
from local.functions_host.routing import RouteError
from local.functions_host.settings import SettingsError
from local.functions_host.state import StateError

_REPOSITORY = Path(__file__).resolve().parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--app",
        type=Path,
        default=_REPOSITORY,
        help="folder with function_app.py (this repository)",
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1; 0 takes a free one"
    )
    parser.add_argument(
        "--state", type=Path, help="state file (.functions_host/state.sqlite3 in the app folder)"
    )
    parser.add_argument("--verbose", action="store_true", help="show the history of each episode")
    parser.add_argument("--quiet", action="store_true", help="say nothing but errors")
    parser.add_argument(
        "--ready-file", type=Path, help="file that gets the base URL once the host listens"
    )


def run(args: argparse.Namespace) -> int:
    """Run the host until it is interrupted."""
    try:
        run_host(
            HostOptions(
                app_dir=args.app,
                port=args.port,
                state_path=args.state,
                verbose=args.verbose,
                quiet=args.quiet,
                ready_file=args.ready_file,
            )
        )
    except (AppError, RouteError, SettingsError, StateError, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0
