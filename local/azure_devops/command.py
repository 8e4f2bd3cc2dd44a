"""The command line of the stand-in: `python -m local azure-devops`."""

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Final

from local.azure_devops import seed
from local.azure_devops.organisation import Organisation
from local.azure_devops.server import ServerOptions, serve
from local.until_signal import serve_until_signal

DEFAULT_PORT: Final = 8081
DEFAULT_FOLDER: Final = Path(".local/azure-devops")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1; 0 takes a free one"
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=DEFAULT_FOLDER,
        help=f"folder of the organisation, seeded when it is new ({DEFAULT_FOLDER})",
    )
    parser.add_argument(
        "--organisation", default=seed.ORGANISATION, help=f"its name ({seed.ORGANISATION})"
    )
    parser.add_argument("--ready-file", type=Path, help="file that gets the base URL")


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        asyncio.run(_serve(args))
    except OSError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


async def _serve(args: argparse.Namespace) -> None:
    await serve_until_signal(
        serve(ServerOptions(args.data, args.port, args.organisation)),
        describe,
        ready_file=args.ready_file,
        write_ready=lambda organisation: organisation.base_url,
    )


def describe(organisation: Organisation) -> str:
    """Say where everything is and who may do what."""
    lines = [f"Azure DevOps stand-in: {organisation.url}", ""]
    for repository in organisation.records.all("repository"):
        project = organisation.find_project(repository["projectId"])
        lines.append(f"  repository    {project['name']} / {repository['name']}")
    lines.append("")
    lines.extend(
        f"  {user['displayName']:<16} {user['uniqueName']:<28} PAT {user['pat']}"
        for user in organisation.records.all("user")
    )
    return "\n".join([*lines, "", ""])
