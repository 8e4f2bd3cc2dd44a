"""`python -m local up`: the whole world left running, with a pull request to comment on."""

import argparse
import os
import signal
import sys
from pathlib import Path
from typing import Final

import requests

from local.azure_devops import seed
from local.demo.person import Person
from local.demo.providers import PROVIDERS, STUB, Choice, ChoiceError, choose
from local.demo.world import Demo, Ports, StartError, run_world

DEFAULT_FOLDER: Final = Path(".local/up")
AZURE_DEVOPS_PORT: Final = 8081
HOST_PORT: Final = 7071


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument(
        "--data",
        type=Path,
        default=DEFAULT_FOLDER,
        help=f"folder for data, state and logs, used again next time ({DEFAULT_FOLDER})",
    )
    parser.add_argument(
        "--azure-devops-port", type=int, default=AZURE_DEVOPS_PORT, help="0 takes a free one"
    )
    parser.add_argument("--host-port", type=int, default=HOST_PORT, help="0 takes a free one")
    parser.add_argument("--provider", default=STUB, choices=PROVIDERS, help=f"who drafts ({STUB})")
    parser.add_argument(
        "--live", action="store_true", help="ask the real service, with the environment's key"
    )
    parser.add_argument("--quiet", action="store_true", help="keep the host's lines in its log")


def run(args: argparse.Namespace) -> int:
    """Run everything until interrupted."""
    try:
        choice = choose(args.provider, live=args.live, environment=os.environ)
    except ChoiceError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    ports = Ports(args.azure_devops_port, args.host_port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with run_world(
            args.data.resolve(),
            ports=ports,
            settings=choice.build_settings(),
            play_model=choice.play_model if choice.is_scripted else None,
            verbose=not args.quiet,
        ) as demo:
            sys.stdout.write(_describe(demo, choice))
            sys.stdout.flush()
            signal.pause()
    except KeyboardInterrupt:
        sys.stdout.write("\nStopped. `make up` goes on where it was.\n")
    except (StartError, requests.RequestException, OSError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


def _describe(demo: Demo, choice: Choice) -> str:
    page = _find_page(demo.jamal)
    return f"""
Everything runs. Open the pull request and write a comment:

  {page}
  /edit /3 make all buttons red        (also: /help, /status, /cancel, /retry)

  who drafts    {choice.describe()}
  jobs          {demo.gateway_url}/jobs
  readiness     {demo.gateway_url}/ready
  Azure DevOps  {demo.organisation_url}
  clone         git clone {demo.jamal.git_url()}
  files, logs   {demo.folder}

Ctrl-C stops everything; nothing is lost.

"""


def _find_page(person: Person) -> str:
    shown = person.call_repository("GET", f"pullRequests/{seed.PULL_REQUEST_ID}")
    return str(shown["_links"]["web"]["href"])
