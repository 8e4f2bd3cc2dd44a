"""The command line of the doctor: what the app needs, looked at from the operator's machine.

It reads the settings of the app from the environment, and secrets where they say. Exit codes: 0 all
is well, 1 something is not, 2 wrong usage or settings.
"""

import argparse
import json
import os
import sys
from typing import Final

import requests

from ops.arguments import read_positive
from ops.identity import TOKEN_VARIABLE, choose_operator
from shared.ado.session import AdoSession
from shared.doctor.report import DEADLINE_S, AilmentError, Finding, UnseenError, is_well, to_plain
from shared.doctor.rounds import examine_app
from shared.domain.clock import read_utc_clock
from shared.jobs.world import World
from shared.settings import SettingsError, read_settings

_TIMEOUT_S: Final = 8.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's arguments."""
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--ask-models",
        action="store_true",
        help="ask each model for one word, which costs a little",
    )
    parser.add_argument(
        "--deadline-s",
        type=read_positive,
        default=DEADLINE_S,
        help="seconds that each check has (%(default)s)",
    )


def run(args: argparse.Namespace) -> int:
    """Look at everything; answers the exit code."""
    try:
        settings = read_settings(os.environ)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    world = World(settings, read_utc_clock)
    viewer = None
    if os.environ.get(TOKEN_VARIABLE, "").strip():
        viewer = AdoSession(settings.organisation_url, choose_operator())
    try:
        findings = examine_app(
            world,
            lambda: look_at_app(settings.public_url),
            viewer=viewer,
            asks_models=args.ask_models,
            deadline_s=args.deadline_s,
        )
    finally:
        if viewer is not None:
            viewer.close()
        world.secrets.close()
    _write(findings, as_json=args.json)
    return 0 if is_well(findings) else 1


def look_at_app(public_url: str) -> str:
    """Ask the app itself whether it and its task hub are ready.

    Raises:
        AilmentError: it is not ready, or does not answer.
        UnseenError: nobody says where it is.
    """
    if not public_url:
        raise UnseenError("CODE_AGENT_PUBLIC_URL does not say where the app is")
    try:
        answer = requests.get(
            f"{public_url}/gateway/ready", timeout=_TIMEOUT_S, allow_redirects=False
        )
    except requests.RequestException as error:
        raise AilmentError(f"the app does not answer ({type(error).__name__})") from None
    if answer.status_code != 200:
        raise AilmentError(
            f"the app answers {answer.status_code}", f"Open {public_url}/gateway/doctor."
        )
    return "the app and its task hub are ready"


def _write(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(to_plain(findings), indent=2, ensure_ascii=False) + "\n")
        return
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        sys.stdout.write(f"{finding.state:<8} {finding.name:<{width}}  {finding.says}\n")
        if finding.do:
            sys.stdout.write(f"{'':<8} {'':<{width}}  -> {finding.do}\n")
