"""`python -m local demo`: a comment on a pull request and all that follows, on this machine."""

import argparse
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import requests

from local.app_insights.collected import keep_telemetry
from local.app_insights.kql import LAST_DEMO
from local.demo.checks import find_faults
from local.demo.providers import PROVIDERS, STUB, Choice, ChoiceError, choose
from local.demo.show import Printer, show_faults, show_story, to_plain
from local.demo.story import Story, StoryError, play
from local.demo.world import TELEMETRY_FOLDER, Demo, Ports, StartError, run_world

INTENT: Final = "make all buttons red"
LIMIT_S: Final = 120.0
LIVE_LIMIT_S: Final = 900.0
"""Of a job that asks a real model: more than a variant may take."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON object and no more")
    parser.add_argument("--variants", type=int, default=3, metavar="N", help="1 to 10 (3)")
    parser.add_argument("--intent", default=INTENT, metavar="TEXT", help=f"what to ask ({INTENT})")
    parser.add_argument(
        "--provider",
        default=STUB,
        choices=PROVIDERS,
        help=f"who drafts ({STUB}); a model is played by a scripted stand-in on this machine",
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="ask the real service instead, with the key of the environment; it costs money",
    )
    parser.add_argument(
        "--fault-rate",
        type=float,
        default=0.0,
        metavar="P",
        help="part of the agent's calls to Azure DevOps that go wrong, 0 to 1 (0)",
    )
    parser.add_argument("--seed", type=int, default=1, metavar="S", help="of the faults (1)")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="keep data, state and logs in this folder"
    )


def run(args: argparse.Namespace) -> int:
    """Play the main job once; 0 when everything is there at the end."""
    if not 1 <= args.variants <= 10 or not 0 <= args.fault_rate <= 1:
        sys.stderr.write("error: --variants is 1 to 10, --fault-rate 0 to 1\n")
        return 2
    try:
        choice = choose(args.provider, live=args.live, environment=os.environ)
    except ChoiceError as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    printer = Printer(quiet=args.json)
    settings = choice.build_settings()
    if args.fault_rate:
        # a fault costs a retry: short waits, so that a demonstration does not take minutes
        settings |= {"CODE_AGENT_RETRY_FIRST_DELAY_S": "0.1", "CODE_AGENT_RETRY_MAX_DELAY_S": "2"}
    try:
        with _choose_folder(args.keep) as folder:
            printer.say("Starting an Azure DevOps and the app …")
            with run_world(
                folder,
                ports=Ports(),
                settings=settings,
                play_model=choice.play_model if choice.is_scripted else None,
            ) as demo:
                story = _play(printer, demo, choice, args)
                faults = find_faults(story)
                show_story(printer, story, choice)
                keep_telemetry(demo.folder / TELEMETRY_FOLDER, LAST_DEMO)
                printer.say("\nWhat operators see: python -m local kql 'customEvents | take 9'")
                if args.keep is not None:
                    printer.show_figure("files of this run", str(demo.folder))
    except (StartError, StoryError, requests.RequestException) as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    if args.json:
        sys.stdout.write(json.dumps(to_plain(story, choice), ensure_ascii=False) + "\n")
    show_faults(printer, faults)
    return 1 if faults else 0


def _play(printer: Printer, demo: Demo, choice: Choice, args: argparse.Namespace) -> Story:
    comment = f"/edit /{args.variants} {args.intent}"
    printer.say(f"  Azure DevOps  {demo.organisation_url}")
    printer.say(f"  gateway       {demo.gateway_url}/jobs")
    printer.say(f"  who drafts    {choice.describe()}")
    if args.fault_rate:
        wish = {"rate": args.fault_rate, "seed": args.seed}
        requests.post(f"{demo.stand_in_url}/_standin/faults", json=wish, timeout=10)
    printer.head(f"Jamal comments on pull request !1: {comment}")
    limit_s = LIVE_LIMIT_S if choice.is_live else LIMIT_S
    return play(demo, comment, limit_s=limit_s, tell=printer.tell)


@contextlib.contextmanager
def _choose_folder(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="code-agent-demo-") as name:
        yield Path(name)
