"""The command line of the stand-in: `python -m local key-vault`."""

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from local.key_vault.errors import VaultError
from local.key_vault.server import (
    DEFAULT_CLIENT_ID,
    OPERATOR_CLIENT_ID,
    VaultOptions,
    VaultStandIn,
    serve,
)
from local.until_signal import serve_until_signal

DEFAULT_PORT: Final = 8083
DEFAULT_IDENTITY_PORT: Final = 8084
DEFAULT_FOLDER: Final = Path(".local/key-vault")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1; 0 takes a free one"
    )
    parser.add_argument(
        "--identity-port",
        type=int,
        default=DEFAULT_IDENTITY_PORT,
        help="port of the identity endpoint and the controls; 0 takes a free one",
    )
    parser.add_argument(
        "--data",
        type=Path,
        default=DEFAULT_FOLDER,
        help=f"folder for the certificate ({DEFAULT_FOLDER})",
    )
    parser.add_argument(
        "--secrets", type=Path, help='file with the first secrets: {"ado-pat": "…", …}'
    )
    parser.add_argument("--ready-file", type=Path, help="file that gets the variables to set")


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        values = json.loads(args.secrets.read_text("utf-8")) if args.secrets else {}
        asyncio.run(_serve(args, {str(name): str(value) for name, value in values.items()}))
    except (OSError, ValueError, AttributeError, VaultError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def describe(stand_in: VaultStandIn) -> str:
    """Say what is served where, and which variables lead there; the header opens loopback only."""
    lines = [f"Key Vault stand-in: {stand_in.url}", ""]
    lines.extend(f"  {name}={value}" for name, value in list_variables(stand_in).items())
    lines.append(f"  controls: {stand_in.identity_url}/_standin/faults, …/calls")
    lines.append(f"  whoever rotates: AZURE_CLIENT_ID={OPERATOR_CLIENT_ID}")
    return "\n".join([*lines, "", ""])


def list_variables(stand_in: VaultStandIn) -> dict[str, str]:
    """List the variables by which an app finds the vault and its own identity."""
    return {
        **stand_in.environment,
        "AZURE_CLIENT_ID": DEFAULT_CLIENT_ID,
        "CODE_AGENT_KEY_VAULT_URL": stand_in.url,
    }


async def _serve(args: argparse.Namespace, values: dict[str, str]) -> None:
    await serve_until_signal(
        _serve_filled(VaultOptions(args.data, args.port, args.identity_port), values),
        describe,
        ready_file=args.ready_file,
        write_ready=lambda stand_in: json.dumps(list_variables(stand_in)),
    )


@asynccontextmanager
async def _serve_filled(
    options: VaultOptions, values: dict[str, str]
) -> AsyncIterator[VaultStandIn]:
    async with serve(options) as stand_in:
        for name, value in values.items():
            stand_in.records.write(name, value)
        yield stand_in
