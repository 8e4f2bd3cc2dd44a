"""The command line of the doctor: what the app needs, looked at from the operator's machine.

It reads the settings of the app from the environment, and secrets where they say. Exit codes: 0 all
is well, 1 something is not, 2 wrong usage or settings.
"""

import argparse
import json
import os
import sys
from datetime import timedelta
from functools import partial
from typing import Final

import requests

from ops.arguments import read_app_url, read_positive
from ops.identity import TOKEN_VARIABLE, choose_operator
from ops.insights import API, Insights, InsightsError
from shared.ado.session import AdoSession
from shared.doctor.own import UNDELIVERED, check_telemetry
from shared.doctor.report import DEADLINE_S, AilmentError, Finding, UnseenError, is_well, to_plain
from shared.doctor.rounds import examine_app
from shared.domain.clock import read_utc_clock
from shared.jobs.world import World
from shared.settings import SettingsError, read_settings

_TIMEOUT_S: Final = 8.0
_BEATS: Final = 'customEvents | where name == "heartbeat" | summarize beats = sum(itemCount)'
"""The app tells every minute that it lives."""


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
    parser.add_argument(
        "--api",
        type=read_app_url,
        default=API,
        help="address of the query API of Application Insights (%(default)s)",
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
            look_at_telemetry=partial(look_at_telemetry, world, args.api),
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


def look_at_telemetry(world: World, api: str) -> str:
    """Ask Application Insights whether the app's heartbeats arrive, as whoever is signed in.

    Raises:
        AilmentError: none has come.
        UnseenError: it may not be asked.
    """
    said = check_telemetry(world)
    pairs = world.settings.telemetry.connection_string.split(";")
    app_id = dict(pair.partition("=")[::2] for pair in pairs).get("ApplicationId", "").strip()
    if not app_id:
        return f"{said}; the connection string has no ApplicationId to ask by"
    try:
        rows = Insights(app_id, api).query(_BEATS, read_utc_clock() - UNDELIVERED)
    except InsightsError as error:
        raise UnseenError(f"whether records arrive was not to be had: {error}") from None
    beats = sum(int(row["beats"] or 0) for row in rows)
    if not beats:
        raise AilmentError(
            f"no heartbeat has arrived for {UNDELIVERED / timedelta(minutes=1):.0f} minutes",
            "docs/runbooks/service-down.md: is the app down, or only its telemetry?",
        )
    return f"{beats} heartbeats have arrived within a quarter of an hour"


def _write(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(to_plain(findings), indent=2, ensure_ascii=False) + "\n")
        return
    width = max(len(finding.name) for finding in findings)
    for finding in findings:
        sys.stdout.write(f"{finding.state:<8} {finding.name:<{width}}  {finding.says}\n")
        if finding.do:
            sys.stdout.write(f"{'':<8} {'':<{width}}  -> {finding.do}\n")
