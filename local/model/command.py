"""The command line of the stand-in: `python -m local model`."""

import argparse
import asyncio
import importlib
import json
import sys
from pathlib import Path
from typing import Final, cast

from local.model.script import Brain, ScriptError, read_script, say_that_there_is_none
from local.model.server import DEFAULT_KEY, ModelOptions, ModelStandIn, serve
from local.until_signal import serve_until_signal

DEFAULT_PORT: Final = 8082


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help="port on 127.0.0.1; 0 takes a free one"
    )
    decides = parser.add_mutually_exclusive_group()
    decides.add_argument(
        "--brain", metavar="MODULE:FUNCTION", help="what decides the answers, in Python"
    )
    decides.add_argument("--script", type=Path, help="the answers, as JSON")
    parser.add_argument("--key", default=DEFAULT_KEY, help=f"the accepted key ({DEFAULT_KEY})")
    parser.add_argument("--models", default="", help="models there are, separated by commas (any)")
    parser.add_argument("--ready-file", type=Path, help="file that gets the base URL")


def run(args: argparse.Namespace) -> int:
    """Serve until interrupted."""
    try:
        options = ModelOptions(
            port=args.port,
            key=args.key,
            models=frozenset(filter(None, args.models.split(","))),
            brain=_choose_brain(args),
        )
        asyncio.run(_serve(options, args.ready_file))
    except (OSError, ScriptError, ImportError, AttributeError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def describe(stand_in: ModelStandIn) -> str:
    """Say what is served where."""
    url = stand_in.base_url
    return "\n".join(
        [
            f"Model stand-in: {url}",
            "",
            f"  anthropic      {url}",
            f"  openai         {url}/v1",
            f"  azure-openai   {url}  (or {url}/openai/v1)",
            f"  ollama         {url}/ollama/v1  (no key)",
            f"  control        {url}/_standin/script, {url}/_standin/calls",
            f"  key            {stand_in.key}",
            "",
            "",
        ]
    )


async def _serve(options: ModelOptions, ready_file: Path | None) -> None:
    await serve_until_signal(
        serve(options),
        describe,
        ready_file=ready_file,
        write_ready=lambda stand_in: stand_in.base_url,
    )


def _choose_brain(args: argparse.Namespace) -> Brain:
    if args.script is not None:
        try:
            return read_script(json.loads(args.script.read_text("utf-8")))
        except json.JSONDecodeError as error:
            raise ScriptError(f"{args.script}: {error}") from None
    if args.brain is None:
        return say_that_there_is_none
    module, _, name = args.brain.partition(":")
    return cast("Brain", getattr(importlib.import_module(module), name))
